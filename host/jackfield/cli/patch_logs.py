"""Logs of a patched machine as spreadsheets: what was read is on disk before it is used."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jackfield.board import PatchList
from jackfield.cli.files import existing, writing
from jackfield.device import HybridLog
from jackfield.errors import DesignError

__all__ = ["read_logs", "write_logs"]

STEP = "converter step"


def write_logs(path: Path, patch: PatchList, logs: Sequence[HybridLog]) -> None:
    """A line a sample: run, time since the begin of OP, what each integrator showed; then the converter's step."""
    header = ["run", "t (s)", *(f"n{node} (full scale)" for node in patch.shown), STEP]
    with writing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for run, log in enumerate(logs, start=1):
            for sample, row in enumerate(log.values.tolist(), start=1):
                writer.writerow([run, repr(sample * log.interval_s), *(repr(value) for value in row), repr(log.lsb)])


def read_logs(path: Path, patch: PatchList) -> list[HybridLog]:
    """What `write_logs` wrote, a log a run; DesignError where it is none of this patch list."""
    rows = list(csv.reader(existing(path, "a log that `jackfield patch log` wrote").read_text("utf-8").splitlines()))
    if not rows or len(rows[0]) != len(patch.shown) + 3 or rows[0][-1] != STEP:
        raise DesignError(f"{path} is no log of {len(patch.shown)} integrators; log it with this patch file")
    try:
        table = np.array(rows[1:], dtype=np.float64)
    except ValueError as error:
        raise DesignError(f"{path} holds a value that is no number ({error}); log it again") from error
    if not len(table) or table.shape[1] != len(rows[0]):
        raise DesignError(f"{path} holds no samples; log it again")
    parts = [table[table[:, 0] == run] for run in np.unique(table[:, 0])]
    return [HybridLog(float(part[0, 1]), float(part[0, -1]), part[:, 2:-1]) for part in parts]
