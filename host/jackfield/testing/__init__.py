"""Helpers for the tests of drivers, ours and third parties'; never imported at run time."""

from jackfield.testing.cable import CableTransport
from jackfield.testing.expected import ExpectedTransport, expected_exchange
from jackfield.testing.faulty import FaultyTransport
from jackfield.testing.loopback import LoopbackTransport
from jackfield.testing.scripted_line import ScriptedLine

__all__ = [
    "CableTransport",
    "ExpectedTransport",
    "FaultyTransport",
    "LoopbackTransport",
    "ScriptedLine",
    "expected_exchange",
]
