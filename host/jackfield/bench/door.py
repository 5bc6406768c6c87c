"""One opened VISA resource: bytes in and out, as each kind of connection needs it."""

import socket
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import cast

import pyvisa
from pyvisa.constants import ResourceAttribute, StatusCode
from pyvisa.errors import VisaIOError
from pyvisa.resources import MessageBasedResource

from jackfield.bench.block import read_block
from jackfield.errors import InstrumentError

__all__ = ["VisaDoor", "visa_library", "visa_resources"]

NEWLINE_PATIENCE_S = 0.2
FLUSH_SILENCE_S = 0.05


def visa_library(backend: str = "@py") -> str:
    """Where the VISA library of `backend` lies; raises InstrumentError where it cannot be loaded."""
    try:
        return str(pyvisa.ResourceManager(backend).visalib.library_path)
    except Exception as error:  # a missing back end and a broken one raise what they like
        raise InstrumentError(
            f"VISA library {backend!r} cannot be loaded: {error}; install pyvisa-py, or your vendor's VISA"
        ) from error


def visa_resources(backend: str = "@py") -> tuple[str, ...]:
    """All that the VISA library finds by itself, serial ports left out; InstrumentError where it cannot be loaded.

    Not all instruments answer to the search: pyvisa-py sees VXI-11 on the local network and USB.
    """
    visa_library(backend)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a search could see with more packages
        found = pyvisa.ResourceManager(backend).list_resources("?*")
    return tuple(name for name in found if not name.upper().startswith("ASRL"))


class VisaDoor:
    """A connection that lives until its first fault; what pyvisa and its back end raise goes through unchanged.

    Raises InstrumentError where the resource cannot be opened.
    """

    def __init__(self, resource: str, backend: str, timeout_s: float) -> None:
        self._name = resource.upper()
        self._timeout_s = timeout_s
        try:
            manager = pyvisa.ResourceManager(backend)
            self._visa = cast(MessageBasedResource, manager.open_resource(resource, open_timeout=5000))
            self._visa.timeout = 1e3 * timeout_s
            self._visa.read_termination = self._visa.write_termination = "\n"
        except Exception as error:  # pyvisa-py lets anything through here, a bare Exception included
            raise InstrumentError(
                f"{resource} cannot be opened through VISA library {backend!r}: {error}; "
                "check power, cable and address, and that no other program holds the instrument"
            ) from error

    @property
    def is_socket(self) -> bool:
        """Whether it is a raw socket."""
        return self._name.endswith("::SOCKET")

    @property
    def _marks_end(self) -> bool:
        """Whether the end of an answer is told apart from a newline in it; a serial line always stops at those."""
        return not (self.is_socket or self._name.startswith("ASRL"))

    def send(self, commands: Sequence[str]) -> None:
        """Send lines: over a raw socket all in one packet, elsewhere each as a message of its own."""
        for message in ["\n".join(commands)] if self.is_socket else commands:
            self._visa.write(message)

    def read_line(self) -> str:
        """One line without its newline; empty where a block left only its newline.

        Raises InstrumentError where it ends without one: what pyvisa-py returns then is the part that came in time.
        """
        line = bytes(self._visa.read_raw())
        if not line.endswith(b"\n"):
            raise InstrumentError(f"{self._name} sent {line[:80]!r} and no end of line; repeat")
        return line.decode("ascii", "replace").strip()

    def read_block(self, asked: str) -> bytes:
        """The payload of the binary block that answers `asked`."""
        self._visa.set_visa_attribute(ResourceAttribute.termchar_enabled, False)
        try:
            return read_block(self, asked)
        finally:
            self._visa.set_visa_attribute(ResourceAttribute.termchar_enabled, True)

    def read_exact(self, count: int) -> bytes:
        """`count` bytes, fewer where the answer ends early."""
        visa, data = self._visa, b""
        with visa.ignore_warning(StatusCode.success_device_not_present, StatusCode.success_max_count_read):
            while len(data) < count:
                chunk, status = visa.visalib.read(visa.session, count - len(data))
                data = data + chunk if data else chunk  # most records come in one piece, which is not copied
                if not chunk or (self._marks_end and status != StatusCode.success_max_count_read):
                    break
        return data

    def read_rest(self) -> bytes:
        """All that is left of the answer; raises InstrumentError on doors that do not mark its end."""
        if not self._marks_end:
            raise InstrumentError(
                f"{self._name} sent a block without a length, whose end this door does not show; use HiSLIP"
            )
        return bytes(self._visa.read_raw())

    def read_terminator(self) -> bytes:
        """The byte after a block, empty where none comes soon."""
        with self._patience(min(NEWLINE_PATIENCE_S, self._timeout_s)):
            try:
                return self.read_exact(1)
            except VisaIOError:
                return b""

    def flush(self) -> None:
        """Throw away what still arrives, until there is silence."""
        with self._patience(FLUSH_SILENCE_S), suppress(VisaIOError):
            for _ in range(10_000):
                self._visa.read_raw()

    def close(self, broken: bool = False) -> None:
        """Never raises: a `broken` connection may fail in any way while it is closed."""
        if broken:
            with suppress(Exception):  # only VXI-11 has such a socket, over which it would say goodbye for 5 s
                self._visa.visalib.sessions[self._visa.session].interface.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[attr-defined]
        with suppress(Exception):
            self._visa.close()

    @contextmanager
    def _patience(self, timeout_s: float) -> Iterator[None]:
        self._visa.timeout = 1e3 * timeout_s
        try:
            yield
        finally:
            self._visa.timeout = 1e3 * self._timeout_s
