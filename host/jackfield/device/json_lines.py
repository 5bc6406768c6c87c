"""JSON lines of the LUCIDAC firmware of 2024: github.com/anabrid/lucidac-firmware, docs/protocol.md (envelope id, type,
msg; code and error in a reply).

A line has no checksum and no sequence number. A USB port echoes what it gets and cuts lines; log lines may come
between any others; what a run measures comes out of band. So replies are told by their id, echoes by their content,
and everything has a deadline.
"""

import json
import uuid
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from jackfield.errors import BoardError, DesignError, LinkError
from jackfield.link import AbstractTransport

__all__ = ["JsonLines"]

REPLY_S: Final = 2.0
NOTICES: Final = ("run_data", "run_state_change")
Message = Mapping[str, Any]


class JsonLines:
    """Requests and replies over `transport`; `longest` bytes a line. Raises LinkError where no reply comes in time."""

    def __init__(self, transport: AbstractTransport, longest: int = 4096) -> None:
        self._transport = transport
        self._longest = longest
        self._unread = bytearray()
        self._echoes: deque[Message] = deque(maxlen=8)
        self._notices: deque[Message] = deque()
        self.unreadable = 0  # lines so far that were no JSON: echoes that were cut, or damage

    def ask(self, kind: str, msg: Message, timeout_s: float = REPLY_S) -> Message:
        """The `msg` of the reply; BoardError where the board answers with an error."""
        sent = self.send(kind, msg)
        deadline = self._transport.now() + timeout_s
        while (message := self._next(deadline)) is not None:
            if message.get("type") in NOTICES:
                self._notices.append(message)
            elif message.get("id", sent["id"]) == sent["id"] and message.get("type", kind) == kind:
                return self._content(message, kind)
        raise LinkError(
            f"{self._transport.name} did not answer {kind} within {timeout_s:g} s; check cable, power and address"
        )

    def _content(self, message: Message, kind: str) -> Message:
        if message.get("code", 0) != 0 or "error" in message:
            raise BoardError(f"the board refuses {kind}: {message.get('error', 'no reason given')}")
        content = message.get("msg")
        return content if isinstance(content, dict) else {}

    def send(self, kind: str, msg: Message) -> Message:
        """Send a request without waiting; the envelope that was sent."""
        envelope = {"id": str(uuid.uuid4()), "type": kind, "msg": msg}
        line = json.dumps(envelope, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"
        if len(line) > self._longest:
            raise DesignError(
                f"{kind} would be a line of {len(line)} bytes, it cuts lines at {self._longest}; send less at once"
            )
        self._echoes.append(envelope)
        self._transport.write(line)
        return envelope

    def notice(self, run: str, deadline: float) -> Message | None:
        """The next out-of-band message about `run`, those about others being dropped; None after `deadline`."""
        while True:
            message = self._notices.popleft() if self._notices else self._next(deadline)
            if message is None:
                return None
            content = message.get("msg")
            if message.get("type") in NOTICES and isinstance(content, dict) and content.get("id", run) == run:
                return message

    def forget(self) -> None:
        """Drop what has arrived of the past."""
        self._notices.clear()

    def _next(self, deadline: float) -> Message | None:
        """The next message that is neither an echo nor a log line."""
        while (line := self._line(deadline)) is not None:
            try:
                message = json.loads(line)
            except ValueError:
                self.unreadable += bool(line.strip())
                continue
            if not isinstance(message, dict) or message.get("type") == "log":
                continue
            if message in self._echoes:
                self._echoes.remove(message)
                continue
            return message
        return None

    def _line(self, deadline: float) -> bytes | None:
        while b"\n" not in self._unread:
            left = deadline - self._transport.now()
            if left <= 0:
                return None
            self._unread += self._transport.read(left)
        line, _, rest = bytes(self._unread).partition(b"\n")
        self._unread = bytearray(rest)
        return line
