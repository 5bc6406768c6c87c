"""An emulated bench as a process of its own: board on a pty, oscilloscope and multimeter on loopback.

It reads images and speaks instrument dialects by its own code, so that host and emulator check each other.
"""

from jackfield.emulator.analog import AnalogBoard
from jackfield.emulator.digital import DigitalBoard
from jackfield.emulator.draws import Planted
from jackfield.emulator.drift import Moved
from jackfield.emulator.faults import Faults
from jackfield.emulator.meter import Meter
from jackfield.emulator.process import EmulatorOptions, main, serve
from jackfield.emulator.scope import Scope
from jackfield.emulator.settings import AnalogHalf, Settings
from jackfield.emulator.truth import truth

__all__ = [
    "AnalogBoard",
    "AnalogHalf",
    "DigitalBoard",
    "EmulatorOptions",
    "Faults",
    "Meter",
    "Moved",
    "Planted",
    "Scope",
    "Settings",
    "main",
    "serve",
    "truth",
]
