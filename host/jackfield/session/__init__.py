"""Boards and benches by name: specs, URLs, bench files, emulators as processes."""

from jackfield.session.bench import open_bench
from jackfield.session.bench_draft import BenchDraft, draft_bench
from jackfield.session.board import make_safe, open_board
from jackfield.session.discovery import Discovery, FoundBoard, FoundInstrument, discover
from jackfield.session.emulator import EmulatorUrl, RunningEmulator, running_emulator
from jackfield.session.specs import load_machine, load_spec, spec_file, spec_files
from jackfield.session.wiring import WiringFinding, check_wiring

__all__ = [
    "BenchDraft",
    "Discovery",
    "EmulatorUrl",
    "FoundBoard",
    "FoundInstrument",
    "RunningEmulator",
    "WiringFinding",
    "check_wiring",
    "discover",
    "draft_bench",
    "load_machine",
    "load_spec",
    "make_safe",
    "open_bench",
    "open_board",
    "running_emulator",
    "spec_file",
    "spec_files",
]
