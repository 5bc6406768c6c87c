"""From the URL of a board to its transport."""

from urllib.parse import parse_qs, urlsplit

from jackfield.errors import LinkError
from jackfield.link.serial_transport import SerialTransport
from jackfield.link.socket_transport import SocketTransport
from jackfield.link.transport import AbstractTransport

__all__ = ["open_transport"]


def open_transport(url: str, baud: int = 115200) -> AbstractTransport:
    """Open `serial:///dev/ttyUSB0`, `serial://COM3` or `socket://127.0.0.1:5000`; `?baud=921600` overrides `baud`.

    Raises LinkError where the URL is no such URL, or the port cannot be opened.
    """
    parts = urlsplit(url)
    if parts.scheme in ("serial", "socket"):
        try:
            baud = int(parse_qs(parts.query).get("baud", [str(baud)])[-1])
            if parts.scheme == "serial" and parts.netloc + parts.path:
                return SerialTransport(parts.netloc + parts.path, baud)
            if parts.scheme == "socket" and parts.hostname and parts.port:
                return SocketTransport(parts.hostname, parts.port)
        except ValueError as error:
            raise LinkError(f"{url!r} is no board's URL: {error}") from error
    raise LinkError(f"{url!r} is no board's URL; write serial:///dev/ttyUSB0, serial://COM3 or socket://127.0.0.1:5000")
