"""What is connected to this computer: boards by HELLO, instruments by `*IDN?`. Nothing is set or driven."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jackfield.device import board_class
from jackfield.errors import InstrumentError, JackfieldError
from jackfield.link import list_ports, open_transport
from jackfield.session.board import ASKING_DIALECT

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Discovery", "FoundBoard", "FoundInstrument", "discover"]

PATIENCE_S = 2.0


@dataclass(frozen=True)
class FoundBoard:
    """A board that answered HELLO."""

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
        with open_transport(url) as transport:
            hello = board_class(ASKING_DIALECT).identify(transport)
    except JackfieldError as error:
        found.silent.append((url, str(error)))
    else:
        found.boards.append(FoundBoard(url, hello.board_id, hello.spec_name))


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
