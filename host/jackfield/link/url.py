"""From the URL of a board to its transport."""

from urllib.parse import parse_qs, urlsplit

from jackfield.errors import LinkError
from jackfield.link.serial_transport import SerialTransport
from jackfield.link.socket_transport import SocketTransport
from jackfield.link.transport import AbstractTransport

__all__ = ["open_transport"]


def open_transport(url: str, baud: int = 115200, *, cts_flow: bool = False) -> AbstractTransport:
    """Open `serial:///dev/ttyUSB0`, `serial://COM3` or `socket://127.0.0.1:5000`; `?baud=921600` fixes the rate.

    Else it begins at `baud`, and the driver may agree with the board on a higher one. With `cts_flow` a serial port
    sends only while the board raises CTS.

    Raises LinkError where the URL is no such URL, or the port cannot be opened.
    """
    parts = urlsplit(url)
    if parts.scheme in ("serial", "socket"):
        try:
            fixed = parse_qs(parts.query).get("baud")
            if parts.scheme == "serial" and parts.netloc + parts.path:
                rate = int(fixed[-1]) if fixed else baud
                port = parts.netloc + parts.path
                return SerialTransport(port, rate, fixed_baud=fixed is not None, cts_flow=cts_flow)
            if parts.scheme == "socket" and parts.hostname and parts.port:
                return SocketTransport(parts.hostname, parts.port)
        except ValueError as error:
            raise LinkError(f"{url!r} is no board's URL: {error}") from error
    raise LinkError(f"{url!r} is no board's URL; write serial:///dev/ttyUSB0, serial://COM3 or socket://127.0.0.1:5000")
