"""Instruments behind VISA and what is read through them; the only room that imports pyvisa."""

from jackfield.bench.bench import Bench, PlayingBoard, SelfReadingBoard, Wiring
from jackfield.bench.benchfile import (
    BenchFile,
    BoardEntry,
    ChannelEntry,
    InstrumentEntry,
    MeterEntry,
    ScopeEntry,
    SourceEntry,
    TriggerEntry,
    parse_bench,
)
from jackfield.bench.decode import Trace, decode, decode_watch
from jackfield.bench.digitizer import AbstractDigitizer, Acquisition, Waveform
from jackfield.bench.door import visa_library
from jackfield.bench.keysight_34465a import Keysight34465A
from jackfield.bench.keysight_infiniivision import KeysightInfiniiVision
from jackfield.bench.source import AbstractSource
from jackfield.bench.visa import ExchangeLog, VisaSession
from jackfield.bench.voltmeter import AbstractVoltmeter

__all__ = [
    "AbstractDigitizer",
    "AbstractSource",
    "AbstractVoltmeter",
    "Acquisition",
    "Bench",
    "BenchFile",
    "BoardEntry",
    "ChannelEntry",
    "ExchangeLog",
    "InstrumentEntry",
    "Keysight34465A",
    "KeysightInfiniiVision",
    "MeterEntry",
    "PlayingBoard",
    "ScopeEntry",
    "SelfReadingBoard",
    "SourceEntry",
    "Trace",
    "TriggerEntry",
    "VisaSession",
    "Waveform",
    "Wiring",
    "decode",
    "decode_watch",
    "parse_bench",
    "visa_library",
]
