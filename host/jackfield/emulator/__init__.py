"""An emulated bench as a process of its own: board on a pty, oscilloscope and multimeter on loopback.

It reads images and speaks instrument dialects by its own code, so that host and emulator check each other.
"""

from jackfield.emulator.analog import AnalogBoard
from jackfield.emulator.digital import DigitalBoard
from jackfield.emulator.draws import Planted
from jackfield.emulator.drift import Moved
from jackfield.emulator.faults import FaultPort, Faults
from jackfield.emulator.hislip import HislipServer
from jackfield.emulator.instruments import EXTRAS, SCOPES, Instrument, serve_instrument
from jackfield.emulator.loop import Loop
from jackfield.emulator.meter import Meter
from jackfield.emulator.process import EmulatorOptions, main, serve
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scanner import Scanner
from jackfield.emulator.scope import AbstractScope
from jackfield.emulator.scope_keysight import KeysightScope
from jackfield.emulator.scpi import Command, ScpiCore
from jackfield.emulator.settings import AnalogHalf, Settings
from jackfield.emulator.signals import Shot
from jackfield.emulator.smu import SourceMeasureUnit
from jackfield.emulator.socket_door import Answerer, serve_socket
from jackfield.emulator.truth import truth
from jackfield.emulator.vxi11 import Vxi11Server

__all__ = [
    "EXTRAS",
    "SCOPES",
    "AbstractScope",
    "AnalogBoard",
    "AnalogHalf",
    "Answerer",
    "Command",
    "DigitalBoard",
    "EmulatorOptions",
    "FaultPort",
    "Faults",
    "HislipServer",
    "Instrument",
    "KeysightScope",
    "Loop",
    "Meter",
    "Moved",
    "Planted",
    "Randomness",
    "Scanner",
    "ScpiCore",
    "Settings",
    "Shot",
    "SourceMeasureUnit",
    "Vxi11Server",
    "main",
    "serve",
    "serve_instrument",
    "serve_socket",
    "truth",
]
