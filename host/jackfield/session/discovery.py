"""What is connected to this computer: boards by what they say of themselves, instruments by `*IDN?`.

Nothing is set or driven.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from jackfield.device import Hello, board_class
from jackfield.errors import BoardError, InstrumentError, JackfieldError, LinkError
from jackfield.link import AbstractTransport, list_ports, open_transport
from jackfield.session.board import ASKING_DIALECT

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Discovery", "FoundBoard", "FoundInstrument", "discover"]

PATIENCE_S = 2.0
JSON_DIALECT: Final = "lucidac-json"
TCP_DIALECT: Final = "lucidac-proto"


@dataclass(frozen=True)
class FoundBoard:
    """A board that said who it is."""

    url: str
    board_id: str
    spec: str


@dataclass(frozen=True)
class FoundInstrument:
    """An instrument that answered `*IDN?`; `drivers` are the names and classes whose pattern it matches."""

    resource: str
    identity: str
    drivers: "Mapping[str, type]"


@dataclass
class Discovery:
    """All that answered, and where nothing did, with the reason."""

    boards: list[FoundBoard] = field(default_factory=list)
    instruments: list[FoundInstrument] = field(default_factory=list)
    silent: list[tuple[str, str]] = field(default_factory=list)


def discover(
    ports: Sequence[str], resources: Sequence[str], backend: str, tell: Callable[[str], None] = lambda text: None
) -> Discovery:
    """Ask the `ports` (URLs) for a board and the VISA `resources` for an instrument; all there are where none is named.

    `tell` hears of each as it is asked. A serial port is asked for a board alone: its rate is not known to be an
    instrument's. Raises InstrumentError where the VISA library is missing.
    """
    from jackfield.bench import visa_resources  # brings pyvisa

    found = Discovery()
    for url in ports or [f"serial://{port.path}" for port in list_ports()]:
        tell(f"asking {url}")
        _ask_board(url, found)
    for resource in resources or visa_resources(backend):
        tell(f"asking {resource}")
        _ask_instrument(resource, backend, found)
    return found


def _ask_board(url: str, found: Discovery) -> None:
    try:
        hello = _who(url)
    except JackfieldError as error:
        found.silent.append((url, str(error)))
    else:
        found.boards.append(FoundBoard(url, hello.board_id, hello.spec_name))


def _who(url: str) -> Hello:
    """Asked in each dialect, each on a connection of its own; what the first one failed of, where none is answered."""
    failures: list[JackfieldError] = []
    for dialect in (ASKING_DIALECT, JSON_DIALECT, *([TCP_DIALECT] if url.startswith("socket://") else [])):
        with open_transport(url) as transport:
            try:
                return _json_hello(transport) if dialect == JSON_DIALECT else board_class(dialect).identify(transport)
            except JackfieldError as error:
                failures.append(error)
    raise LinkError(f"{failures[0]}; a LUCIDAC does not answer there either")


def _json_hello(transport: AbstractTransport) -> Hello:
    """On a serial port the question before may lie in front as the begin of a line: end that, and let it be refused."""
    board = board_class(JSON_DIALECT)
    transport.write(b"\n")
    try:
        return board.identify(transport)
    except BoardError:
        return board.identify(transport)


def _ask_instrument(resource: str, backend: str, found: Discovery) -> None:
    from jackfield.bench import VisaSession, drivers_for

    try:
        session = VisaSession(resource, backend=backend, timeout_s=PATIENCE_S)
    except InstrumentError as error:
        found.silent.append((resource, str(error)))
        return
    try:
        identity = session.identify(".")
        found.instruments.append(FoundInstrument(resource, identity, drivers_for(identity)))
    except InstrumentError as error:
        found.silent.append((resource, str(error)))
    finally:
        session.close()
