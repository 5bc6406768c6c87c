"""One instrument behind VISA: deadlines, locks, binary blocks and what to do after a timeout.

After a timeout a raw socket or a serial line hands the late answer to the next query. A session therefore
counts as poisoned from the first fault on: before anything is believed again it is reopened, flushed, and
two random numbers are sent through `*ESE n;*ESE?` until they come back.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

import pyvisa
from pyvisa.constants import ResourceAttribute, StatusCode
from pyvisa.errors import Error, VisaIOError
from pyvisa.resources import MessageBasedResource

from jackfield.bench.block import read_block
from jackfield.errors import InstrumentError, LinkError
from jackfield.link import ResourceLock

__all__ = ["ExchangeLog", "VisaSession"]

ExchangeLog = Callable[[dict[str, object]], None]

NEWLINE_PATIENCE_S = 0.2
FLUSH_SILENCE_S = 0.05
NONCES = 2
# What pyvisa and pyvisa-py raise where a connection breaks; the HiSLIP client asserts and raises bare RuntimeError.
BROKEN = (OSError, RuntimeError, AssertionError, ValueError)


class VisaSession:
    """SCPI over one VISA resource, locked against other processes until `close`.

    `generation` counts the times the session was opened anew: an instrument's settings are known only for
    the generation in which they were sent. `log` receives every line with its time.
    """

    def __init__(
        self, resource: str, *, backend: str = "@py", timeout_s: float = 5.0, log: ExchangeLog | None = None
    ) -> None:
        self.resource = resource
        self.timeout_s = timeout_s
        self.identity = ""
        self.generation = 0
        self._backend = backend
        self._log = log
        self._poisoned = False
        self._door: MessageBasedResource | None = None
        self._lock = ResourceLock(f"instrument {resource}", resource)
        try:
            self._lock.acquire()
        except LinkError as error:
            raise InstrumentError(str(error)) from error
        try:
            self._open()
        except BaseException:
            self._lock.release()
            raise

    def identify(self, pattern: str) -> str:
        """Ask `*IDN?` and keep it in `identity`; raises InstrumentError where it does not match `pattern`."""
        self.identity = self.query("*IDN?")
        if not re.search(pattern, self.identity, re.IGNORECASE):
            raise InstrumentError(
                f"{self.resource} is {self.identity!r}, its driver expects {pattern!r}; correct driver or resource"
            )
        return self.identity

    def write(self, command: str) -> None:
        """Send one command that has no answer."""
        self._recover()
        with self._translated(command):
            self._send(command)

    def query(self, command: str) -> str:
        """Send one query; its answer without the newline."""
        self._recover()
        with self._translated(command):
            self._send(command)
            return self._receive_line()

    def query_number(self, command: str) -> float:
        """Send one query whose answer is a number."""
        answer = self.query(command)
        try:
            return float(answer)
        except ValueError as error:
            self._poisoned = True
            raise InstrumentError(f"{command} was answered with {answer!r} and not with a number; repeat") from error

    def query_block(self, command: str) -> bytes:
        """Send one query that is answered with a binary block; its payload."""
        self._recover()
        with self._translated(command):
            self._send(command)
            with self._termination_off():
                payload = read_block(self, command)
            self._note("read", f"#block of {len(payload)} bytes")
            return payload

    def configure(self, *commands: str) -> None:
        """Send one configuration step, then drain the error queue; InstrumentError quotes what was refused."""
        for command in commands:
            self.write(command)
        errors = self.drain_errors()
        if errors:
            raise InstrumentError(
                f"{self.resource} refused {'; '.join(commands)}: {'; '.join(errors)}; "
                "choose values within the instrument's limits"
            )

    def drain_errors(self) -> list[str]:
        """All entries of the instrument's error queue, oldest first."""
        errors: list[str] = []
        while len(errors) < 100:
            answer = self.query(":SYSTem:ERRor?")
            if re.match(r"[+-]?0+\b", answer):
                break
            errors.append(answer)
        return errors

    def close(self) -> None:
        """Close and unlock; never raises."""
        self._close_door()
        self._lock.release()

    # The byte source of read_block.

    def read_exact(self, count: int) -> bytes:
        """`count` bytes, fewer where the answer ends early."""

        door, data = self._opened(), b""
        with door.ignore_warning(StatusCode.success_device_not_present, StatusCode.success_max_count_read):
            while len(data) < count:
                chunk, status = door.visalib.read(door.session, count - len(data))
                data = data + chunk if data else bytes(chunk)
                if not chunk or status == StatusCode.success_termination_character_read:
                    break
        return data

    def read_rest(self) -> bytes:
        """All that is left of the answer; raises InstrumentError on doors that do not mark its end."""
        if not self.resource.upper().endswith("::INSTR") or self.resource.upper().startswith("ASRL"):
            raise InstrumentError(
                f"{self.resource} sent a block without a length, whose end this door does not show; use HiSLIP"
            )
        return bytes(self._opened().read_raw())

    def read_terminator(self) -> bytes:
        """The byte after a block, empty where none comes soon."""

        door = self._opened()
        door.timeout = 1e3 * min(NEWLINE_PATIENCE_S, self.timeout_s)
        try:
            return self.read_exact(1)
        except VisaIOError:
            return b""
        finally:
            door.timeout = 1e3 * self.timeout_s

    # Opening, and coming back after a fault.

    def _open(self) -> None:

        try:
            manager = pyvisa.ResourceManager(self._backend)
            door = cast(MessageBasedResource, manager.open_resource(self.resource, open_timeout=5000))
            door.timeout = 1e3 * self.timeout_s
            door.read_termination = door.write_termination = "\n"
        except Exception as error:  # pyvisa-py lets anything through here, a bare Exception included
            raise InstrumentError(
                f"{self.resource} cannot be opened through VISA library {self._backend!r}: {error}; "
                "check power, cable and address, and that no other program holds the instrument"
            ) from error
        self._door = door
        self.generation += 1

    def _opened(self) -> MessageBasedResource:
        if self._door is None:
            raise InstrumentError(f"{self.resource} is closed; open the bench again")
        return self._door

    def _close_door(self) -> None:
        if self._door is not None:
            with suppress(Exception):  # a broken connection may fail in any way while it is closed
                self._door.close()
            self._door = None

    def _recover(self) -> None:
        if not self._poisoned:
            return
        self._close_door()
        self._open()
        with self._translated("*ESE?"):
            self._flush()
            for _ in range(NONCES):
                self._synchronise(1 + secrets.randbelow(255))
            self._send("*ESE 0")
        self._poisoned = False

    def _flush(self) -> None:

        door = self._opened()
        door.timeout = 1e3 * FLUSH_SILENCE_S
        try:
            deadline = time.monotonic() + self.timeout_s
            while time.monotonic() < deadline:
                door.read_raw()
        except VisaIOError:
            return
        finally:
            door.timeout = 1e3 * self.timeout_s

    def _synchronise(self, nonce: int) -> None:
        self._send(f"*ESE {nonce};*ESE?")
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            if self._receive_line().lstrip("+") == str(nonce):
                return
        raise InstrumentError(f"{self.resource} still sends old answers; switch it off and on, then repeat")

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except InstrumentError:
            self._poisoned = True
            raise
        except (Error, *BROKEN) as error:
            self._poisoned = True
            if isinstance(error, VisaIOError) and error.error_code == StatusCode.error_timeout:
                raise InstrumentError(
                    f"{self.resource} did not answer {doing} within {self.timeout_s:g} s; "
                    "check that it is on and not in a menu, or raise timeout_s in the bench file"
                ) from error
            raise InstrumentError(
                f"{self.resource} dropped the connection during {doing} ({error}); "
                "check power and cable, then repeat: the session is opened anew"
            ) from error
        except BaseException:  # interrupted halfway: an answer may still be on its way
            self._poisoned = True
            raise

    @contextmanager
    def _termination_off(self) -> Iterator[None]:

        door = self._opened()
        door.set_visa_attribute(ResourceAttribute.termchar_enabled, False)
        try:
            yield
        finally:
            door.set_visa_attribute(ResourceAttribute.termchar_enabled, True)

    def _send(self, command: str) -> None:
        self._note("write", command)
        self._opened().write(command)

    def _receive_line(self) -> str:
        line = ""
        deadline = time.monotonic() + self.timeout_s
        while not line and time.monotonic() < deadline:  # an empty line is a newline left by a block
            line = bytes(self._opened().read_raw()).decode("ascii", "replace").strip()
        self._note("read", line)
        return line

    def _note(self, direction: str, line: str) -> None:
        if self._log is not None:
            entry: dict[str, Any] = {"time_s": time.time(), "resource": self.resource, direction: line}
            self._log(entry)
