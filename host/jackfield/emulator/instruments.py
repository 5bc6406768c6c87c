"""Emulated instruments by the name of their driver, each behind its three doors."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from jackfield.emulator.faults import FaultPort, Faults
from jackfield.emulator.hislip import HislipServer
from jackfield.emulator.loop import Loop
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scope import AbstractScope
from jackfield.emulator.scope_keysight import KeysightScope
from jackfield.emulator.scope_rigol import RigolScope
from jackfield.emulator.scope_siglent import SiglentScope
from jackfield.emulator.scope_tektronix import TektronixScope
from jackfield.emulator.socket_door import serve_socket
from jackfield.emulator.vxi11 import Vxi11Server
from jackfield.errors import DesignError

__all__ = ["EXTRAS", "SCOPES", "Instrument", "scope_class", "serve_instrument"]

SCOPES: Final[Mapping[str, type[AbstractScope]]] = {
    "keysight-infiniivision": KeysightScope,
    "rigol-ds1000z": RigolScope,
    "siglent-sds": SiglentScope,
    "tektronix-mdo3000": TektronixScope,
}
EXTRAS: Final = ("scanner", "smu")


class Core(Protocol):
    """Takes program messages."""

    @property
    def status_byte(self) -> int:
        """What a status query reads."""

    def execute(self, message: str) -> bytes | None:
        """Run one program message; the answer without its newline, None where there is none."""


class Instrument(Protocol):
    """What stands behind doors and a fault port. With `overload_next` the next reading is an overload."""

    overload_next: bool

    @property
    def core(self) -> Core:
        """Its dialect."""


def scope_class(name: str) -> type[AbstractScope]:
    """The oscilloscope that driver `name` speaks to; DesignError where there is none."""
    if name not in SCOPES:
        raise DesignError(f"no oscilloscope {name!r} is emulated; there are {', '.join(SCOPES)}")
    return SCOPES[name]


def serve_instrument(
    loop: Loop, instrument: Instrument, faults: Faults, randomness: Randomness, name: str
) -> tuple[dict[str, str], FaultPort]:
    """Open the doors of one instrument on loopback; VISA resources by `hislip`, `vxi11` and `socket`.

    All doors share one fault port, which is given too. `name` keys its faults.
    """
    core = instrument.core

    def answerer(message: str, answer: Callable[[bytes | None], None]) -> None:
        reply = core.execute(message)
        if reply is not None:
            answer(reply + b"\n")

    served = FaultPort(answerer, faults, randomness, name, loop, instrument)
    hislip = HislipServer(loop, served, lambda: core.status_byte)
    vxi11 = Vxi11Server(loop, served, lambda: core.status_byte)
    resources = {
        "hislip": f"TCPIP::127.0.0.1::hislip0,{hislip.port}::INSTR",
        "vxi11": f"TCPIP::127.0.0.1,{vxi11.port}::inst0::INSTR",
        "socket": f"TCPIP::127.0.0.1::{serve_socket(loop, served)}::SOCKET",
    }
    return resources, served
