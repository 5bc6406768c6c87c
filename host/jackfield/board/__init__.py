"""What a board is and what is sent to and read from it: data only, no files, no torch."""

from jackfield.board.c_header import c_header
from jackfield.board.canonical import canonical_json, to_toml
from jackfield.board.cell import Cell
from jackfield.board.dac import BENDS, BITS, curve_terms
from jackfield.board.image import ConfigImage, delta
from jackfield.board.measurement import Measurement
from jackfield.board.parse import LAW_PARAMETERS, PART_PARAMETERS
from jackfield.board.parts import (
    CellGroup,
    Injection,
    LinkSpec,
    NodeSpec,
    OscillatorSpec,
    Probe,
    RunSpec,
    Tolerance,
    Trigger,
)
from jackfield.board.patch import Cable, PatchedMachine, PatchList
from jackfield.board.program import MODES, RunProgram, Schedule, hold_times, schedule
from jackfield.board.reach import Reach
from jackfield.board.record import QUANTITIES, REASONS, CalibrationRecord, Table
from jackfield.board.scale import CodeScale
from jackfield.board.section import Section
from jackfield.board.spec import BoardSpec
from jackfield.board.statistics import OSCILLATOR_STATISTICS, STATISTICS

__all__ = [
    "BENDS",
    "BITS",
    "LAW_PARAMETERS",
    "MODES",
    "OSCILLATOR_STATISTICS",
    "PART_PARAMETERS",
    "QUANTITIES",
    "REASONS",
    "STATISTICS",
    "BoardSpec",
    "Cable",
    "CalibrationRecord",
    "Cell",
    "CellGroup",
    "CodeScale",
    "ConfigImage",
    "Injection",
    "LinkSpec",
    "Measurement",
    "NodeSpec",
    "OscillatorSpec",
    "PatchList",
    "PatchedMachine",
    "Probe",
    "Reach",
    "RunProgram",
    "RunSpec",
    "Schedule",
    "Section",
    "Table",
    "Tolerance",
    "Trigger",
    "c_header",
    "canonical_json",
    "curve_terms",
    "delta",
    "hold_times",
    "schedule",
    "to_toml",
]
