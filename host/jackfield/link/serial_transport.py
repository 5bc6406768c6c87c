"""Serial ports and pseudo-terminals through pyserial.

pyserial throws away what has arrived when it opens a port, its `exclusive` is advisory (hence the lock
file), and after a hang-up its properties raise a bare OSError: all translated here.
"""

import errno
import os
import select
import time
from pathlib import Path
from typing import Any, Final

import serial

from jackfield.errors import LinkError
from jackfield.link.lock import ResourceLock
from jackfield.link.ports import adapter_of, port_of
from jackfield.link.transport import AbstractTransport

__all__ = ["SerialTransport"]

WRITE_TIMEOUT_S: Final = 10.0
LOOK_AGAIN_S: Final = 0.1
NO_MODEM_LINES: Final = (errno.ENOTTY, errno.EINVAL)  # what a pseudo-terminal says of DTR
GONE = "serial port {port} is gone ({why}); plug the cable in again, or list the ports with 'jackfield doctor'"


class SerialTransport(AbstractTransport):
    """Port `port` (`/dev/ttyUSB0`, `COM3`, a pty) at `baud`, locked against other jackfield processes.

    With `fixed_baud` the rate is not to be changed; with `cts_flow` bytes wait until the board raises CTS. Raises
    LinkError where the port does not exist, may not be opened or is in use (the holder is named).
    """

    def __init__(self, port: str, baud: int = 115200, *, fixed_baud: bool = False, cts_flow: bool = False) -> None:
        self._baud = baud
        self._cts_flow = cts_flow
        self._fixed_baud = fixed_baud
        self._port = self._open(port, baud)
        self._adapter = adapter_of(port)
        self._followed = Path(port).is_symlink()
        self._lost = False

    def _open(self, port: str, baud: int) -> serial.Serial:
        self._path = port
        self._lock = ResourceLock(f"serial port {port}", os.path.realpath(port))
        self._lock.acquire()
        try:
            return serial.Serial(
                port, baud, timeout=0, write_timeout=WRITE_TIMEOUT_S, exclusive=_exclusive(), rtscts=self._cts_flow
            )
        except (OSError, ValueError) as error:
            self._lock.release()
            raise LinkError(
                f"serial port {port} cannot be opened at {baud} baud: {error}; check the cable, the name and "
                "your right to use it (on Linux: the group dialout)"
            ) from error

    @property
    def name(self) -> str:
        return f"serial://{self._path}"

    @property
    def byte_s(self) -> float:
        return 10.0 / float(self._port.baudrate)

    @property
    def can_change_baud(self) -> bool:
        return not self._fixed_baud

    def set_baud(self, baud: int) -> None:
        try:
            self._port.baudrate = baud
        except (OSError, TypeError, ValueError) as error:
            raise LinkError(
                f"serial port {self._path} cannot run at {baud} baud: {error}; fix a rate with ?baud=... in its URL"
            ) from error

    def pulse_dtr(self, low_s: float) -> None:
        try:
            self._port.dtr = False
            time.sleep(low_s)
            self._port.dtr = True
        except OSError as error:
            if error.errno not in NO_MODEM_LINES:
                raise self._gone(error) from error

    @property
    def found_again(self) -> bool:
        """Whether a cable was pulled whose adapter has a USB serial number, or a name that follows it (by-id)."""
        return self._lost and (bool(self._adapter) or self._followed)

    def reconnect(self, patience_s: float) -> None:
        """Wait for the same port, or for the adapter with the same USB serial number under whatever name."""
        self.close()
        deadline = time.monotonic() + patience_s
        while True:
            try:
                self._port = self._open(port_of(self._adapter) or self._path, self._baud)
            except LinkError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(LOOK_AGAIN_S)
            else:
                self._lost = False
                return

    def write(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise LinkError(
                f"serial port {self._path} took nothing for {WRITE_TIMEOUT_S:g} s; is the board running?"
            ) from error
        except (OSError, TypeError) as error:
            raise self._gone(error) from error

    def read(self, timeout_s: float) -> bytes:
        try:
            return self._read_waiting(timeout_s)
        except (OSError, TypeError, ValueError) as error:
            raise self._gone(error) from error

    def _read_waiting(self, timeout_s: float) -> bytes:
        if os.name == "posix":  # setting pyserial's timeout costs system calls; select does not
            ready, _, _ = select.select([self._port.fileno()], [], [], max(timeout_s, 0.0))
            return bytes(self._port.read(max(self._port.in_waiting, 1))) if ready else b""
        self._port.timeout = max(timeout_s, 0.0)
        first = self._port.read(1)
        return bytes(first + self._port.read(self._port.in_waiting)) if first else b""

    def _gone(self, error: Exception) -> LinkError:
        self._lost = True
        return LinkError(GONE.format(port=self._path, why=error))

    def close(self) -> None:
        try:
            self._port.close()
        except OSError:
            pass  # a line that is gone is closed
        finally:
            self._lock.release()


def _exclusive() -> Any:
    """pyserial knows `exclusive` on POSIX only; Windows ports are exclusive anyway."""
    return True if os.name == "posix" else None
