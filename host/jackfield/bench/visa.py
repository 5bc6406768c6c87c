"""One instrument behind VISA: deadlines, a lock, the error queue and what to do after a timeout.

After a timeout a raw socket or a serial line hands the late answer to the next query. A session therefore
counts as poisoned from the first fault on: before anything is believed again it is reopened, flushed, and
two random numbers are sent through `*ESE n;*ESE?` until they come back.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pyvisa.constants import StatusCode
from pyvisa.errors import VisaIOError

from jackfield.bench.door import VisaDoor
from jackfield.errors import InstrumentError, LinkError
from jackfield.link import ResourceLock

__all__ = ["ExchangeLog", "VisaSession"]

ExchangeLog = Callable[[dict[str, object]], None]

NONCES = 2
LONGEST_ERROR_QUEUE = 100
ERROR_QUERIES = (":SYSTem:ERRor?",)
NONCE = "*ESE {0};*ESE?"


class VisaSession:
    """SCPI over one VISA resource, locked against other processes until `close`.

    `generation` counts the times it was opened: an instrument's settings are known only for the generation
    in which they were sent. `log` receives every line with its time. Every fault is an InstrumentError.
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
        self._held: list[str] = []
        self._error_queries: tuple[str, ...] = ERROR_QUERIES
        self._nonce, self._after_nonce = NONCE, "*ESE 0"
        self._opened: VisaDoor | None = None
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
        """Send one command that has no answer.

        A raw socket sends it together with the next query: pyvisa-py cannot switch Nagle's algorithm off, and
        a write after a write waits 40 ms for the acknowledgement of the first.
        """
        with self._exchange(command) as door:
            self._held.append(command)
            if not door.is_socket:
                self._send(door)

    def query(self, command: str) -> str:
        """Send one query; its answer without the newline."""
        with self._exchange(command) as door:
            self._send(door, command)
            return self._receive(door)

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
        with self._exchange(command) as door:
            self._send(door, command)
            payload = door.read_block(command)
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

    def ask_errors_with(self, *queries: str) -> None:
        """Where the error queue is not read by :SYSTem:ERRor?: the last query reads it, those before prepare it."""
        self._error_queries = queries

    def synchronise_with(self, exchange: str, afterwards: str) -> None:
        """Where *ESE is not known: lines that keep the number {0} and tell it, and what restores it."""
        self._nonce, self._after_nonce = exchange, afterwards

    def drain_errors(self) -> list[str]:
        """All entries of the instrument's error queue, oldest first."""
        errors: list[str] = []
        *before, asked = self._error_queries
        for query in before:
            self.query(query)
        while len(errors) < LONGEST_ERROR_QUEUE:
            answer = self.query(asked)
            number = re.match(r"([+-]?\d+)\s*(,|$)", answer)
            if number is None:
                self._poisoned = True
                raise InstrumentError(f"{self.resource} answered {answer!r} to {asked}; it is out of step, repeat")
            if int(number.group(1)) == 0:
                break
            errors.append(answer)
        return errors

    def close(self) -> None:
        """Close and unlock; never raises."""
        if self._opened is not None:
            if self._held and not self._poisoned:
                with suppress(Exception):
                    self._send(self._opened)
            self._opened.close(broken=self._poisoned)
            self._opened = None
        self._lock.release()

    def _open(self) -> VisaDoor:
        self._opened = VisaDoor(self.resource, self._backend, self.timeout_s)
        self.generation += 1
        return self._opened

    @contextmanager
    def _exchange(self, command: str) -> Iterator[VisaDoor]:
        """The door, recovered if need be; any fault poisons the session and becomes an InstrumentError."""
        if self._opened is None:
            raise InstrumentError(f"{self.resource} is closed; open the bench again")
        try:
            yield self._recovered() if self._poisoned else self._opened
        except InstrumentError:
            self._poisoned = True
            raise
        except Exception as error:  # pyvisa-py lets bare RuntimeError, AssertionError, EOFError, RPCError through
            self._poisoned = True
            raise self._explained(command, error) from error
        except BaseException:  # interrupted halfway: an answer may still be on its way
            self._poisoned = True
            raise

    def _explained(self, command: str, error: Exception) -> InstrumentError:
        if isinstance(error, VisaIOError) and error.error_code == StatusCode.error_timeout:
            return InstrumentError(
                f"{self.resource} did not answer {command} within {self.timeout_s:g} s; "
                "check that it is on and not in a menu, or raise timeout_s in the bench file"
            )
        return InstrumentError(
            f"{self.resource} dropped the connection during {command} ({error}); "
            "check power and cable, then repeat: the session is opened anew"
        )

    def _recovered(self) -> VisaDoor:
        """The door opened anew, flushed and in step with the instrument again."""
        if self._opened is not None:
            self._opened.close(broken=True)
        self._held.clear()
        door = self._open()
        door.flush()
        for _ in range(NONCES):
            self._synchronise(door, str(1 + secrets.randbelow(255)))
        self._send(door, self._after_nonce)
        self._poisoned = False
        return door

    def _synchronise(self, door: VisaDoor, nonce: str) -> None:
        self._send(door, *self._nonce.format(nonce).split("\n"))
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            if self._receive(door).lstrip("+") == nonce:
                return
        raise InstrumentError(f"{self.resource} still sends old answers; switch it off and on, then repeat")

    def _send(self, door: VisaDoor, *commands: str) -> None:
        lines, self._held = [*self._held, *commands], []
        for line in lines:
            self._note("write", line)
        door.send(lines)

    def _receive(self, door: VisaDoor) -> str:
        line = ""
        deadline = time.monotonic() + self.timeout_s
        while not line and time.monotonic() < deadline:  # an empty line is a newline left by a block
            line = door.read_line()
        self._note("read", line)
        return line

    def _note(self, direction: str, line: str) -> None:
        if self._log is not None:
            self._log({"time_s": time.time(), "resource": self.resource, direction: line})
