"""Boards and benches by name: specs, URLs, bench files, emulators as processes."""

from jackfield.session.bench import open_bench
from jackfield.session.board import make_safe, open_board
from jackfield.session.emulator import EmulatorUrl, RunningEmulator, running_emulator
from jackfield.session.specs import load_spec, spec_file, spec_files

__all__ = [
    "EmulatorUrl",
    "RunningEmulator",
    "load_spec",
    "make_safe",
    "open_bench",
    "open_board",
    "running_emulator",
    "spec_file",
    "spec_files",
]
