"""Instruments behind VISA and what is read through them; the only room that imports pyvisa."""

from jackfield.bench.bench import Bench, PlayingBoard, SelfReadingBoard, Wiring
from jackfield.bench.bench_time import BenchTime
from jackfield.bench.benchfile import (
    BenchFile,
    BoardEntry,
    ChannelEntry,
    InstrumentEntry,
    JackEntry,
    MeterEntry,
    ScannerEntry,
    ScopeEntry,
    SourceEntry,
    TriggerEntry,
    parse_bench,
)
from jackfield.bench.decode import Trace, decode, decode_watch
from jackfield.bench.digitizer import AbstractDigitizer, Acquisition, Waveform
from jackfield.bench.door import visa_library, visa_resources
from jackfield.bench.drivers import drivers_for, instrument_driver
from jackfield.bench.keithley_2450 import Keithley2450
from jackfield.bench.keysight_34465a import Keysight34465A
from jackfield.bench.keysight_daq970a import KeysightDAQ970A
from jackfield.bench.keysight_infiniivision import KeysightInfiniiVision
from jackfield.bench.lock_in import Phasors, decode_phasors
from jackfield.bench.pymeasure_adapter import pymeasure_instrument
from jackfield.bench.rigol_ds1000z import RigolDS1000Z
from jackfield.bench.scanner import AbstractScanner
from jackfield.bench.scpi_scope import AbstractScpiScope
from jackfield.bench.siglent_sds import SiglentSDS
from jackfield.bench.source import AbstractSource
from jackfield.bench.tektronix_mdo3000 import TektronixMDO3000
from jackfield.bench.visa import ExchangeLog, VisaSession
from jackfield.bench.voltmeter import AbstractVoltmeter

__all__ = [
    "AbstractDigitizer",
    "AbstractScanner",
    "AbstractScpiScope",
    "AbstractSource",
    "AbstractVoltmeter",
    "Acquisition",
    "Bench",
    "BenchFile",
    "BenchTime",
    "BoardEntry",
    "ChannelEntry",
    "ExchangeLog",
    "InstrumentEntry",
    "JackEntry",
    "Keithley2450",
    "Keysight34465A",
    "KeysightDAQ970A",
    "KeysightInfiniiVision",
    "MeterEntry",
    "Phasors",
    "PlayingBoard",
    "RigolDS1000Z",
    "ScannerEntry",
    "ScopeEntry",
    "SelfReadingBoard",
    "SiglentSDS",
    "SourceEntry",
    "TektronixMDO3000",
    "Trace",
    "TriggerEntry",
    "VisaSession",
    "Waveform",
    "Wiring",
    "decode",
    "decode_phasors",
    "decode_watch",
    "drivers_for",
    "instrument_driver",
    "parse_bench",
    "pymeasure_instrument",
    "visa_library",
    "visa_resources",
]
