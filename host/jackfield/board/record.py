"""What calibration learned about one board, with provenance; as text, never a pickle."""

import csv
import hashlib
import io
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from jackfield.board.canonical import to_toml
from jackfield.board.dac import BENDS, BITS
from jackfield.errors import CalibrationError

__all__ = ["QUANTITIES", "REASONS", "CalibrationRecord", "Table"]

REASONS = ("ok", "dead", "open", "stuck", "swapped", "out_of_range", "noisy", "probe_fault", "not_measured")

QUANTITIES: Mapping[str, str] = {
    "gain_scale": "cell gain over nominal, in the gauge",
    "gain_zero_S": "cell gain at code zero, S",
    **{f"gain_bend_{k}_S": f"Legendre term {k} of the cell gain over the nominal range, S" for k in BENDS},
    **{
        f"gain_bit_{k + 1}_S": f"bit {k + 1} of the gain DAC, from the most significant, off by, S" for k in range(BITS)
    },
    "threshold_offset_V": "cell threshold minus nominal, V",
    "current_offset_A": "cell current that flows whatever the voltages, A",
    "capacitance_ratio": "node capacitance over nominal, geometric mean 1 over the nodes measured",
    "leak_S": "node leak to ground, S",
    "node_offset_A": "node offset current, all cells off and trim zero, A",
    "trim_gain": "trim DAC over nominal",
    "preset_gain": "preset DAC over nominal",
    "preset_offset_V": "preset voltage at code zero, V",
    "droop_per_s": "relative loss of a held node a second",
    "probe_gain": "probe output over node voltage",
    "probe_offset_V": "probe output at analog ground, V",
    "crosstalk": "share of the second probe's node in what the first shows, by probes `1-2`",
    "reference_V": "the board's reference at the test jack, V",
    "knee_V": "knee width of the cells, V",
    "saturation": "saturation current of the cells over their output limit",
    "detuning": "resonance over the reference's frequency minus 1",
    "quality_ratio": "Q of a resonator over nominal",
    "neuron_gain": "settled answer of a resonator to its drive over nominal",
    "neuron_phase_rad": "phase of that answer minus nominal, rad",
    "sentinel_V": "volts of the cell's sentinel when the record was made, V",
}

_HEADER = ["index", "value", "residual", "se", "reads", "good", "reason"]


@dataclass(frozen=True)
class Table:
    """One quantity: a row an instance, named by cell (`A17`), node or probe number, or `board`.

    `residual` is what fresh verification runs found; `good` means that residual and standard error were
    within tolerance there, and nothing else sets it.
    """

    index: tuple[str, ...]
    value: NDArray[np.float64]
    residual: NDArray[np.float64]
    se: NDArray[np.float64]
    reads: NDArray[np.int64]
    good: NDArray[np.bool_]
    reason: tuple[str, ...]

    def to_csv(self) -> str:
        """CSV text with floats as repr."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(_HEADER)
        for row in range(len(self.index)):
            numbers = [repr(float(column[row])) for column in (self.value, self.residual, self.se)]
            writer.writerow([self.index[row], *numbers, int(self.reads[row]), int(self.good[row]), self.reason[row]])
        return out.getvalue()

    @classmethod
    def from_csv(cls, text: str, name: str) -> Self:
        """The table that `text` holds; raises CalibrationError, naming the quantity, where it is not one."""
        rows = list(csv.reader(io.StringIO(text)))
        if not rows or rows[0] != _HEADER or any(len(row) != len(_HEADER) for row in rows):
            raise CalibrationError(f"{name}.csv is not a table of a record; its columns are {','.join(_HEADER)}")
        columns = list(zip(*rows[1:], strict=True)) or [()] * len(_HEADER)
        unknown = set(columns[6]) - set(REASONS)
        if unknown:
            raise CalibrationError(f"{name}.csv gives reason {unknown.pop()!r}; known are {', '.join(REASONS)}")
        try:
            value, residual, se = (np.array(columns[i], dtype=np.float64) for i in (1, 2, 3))
            reads = np.array(columns[4], dtype=np.int64)
        except ValueError as error:
            raise CalibrationError(f"{name}.csv holds a value that is no number: {error}") from error
        good = np.array([flag == "1" for flag in columns[5]], dtype=np.bool_)
        return cls(tuple(columns[0]), value, residual, se, reads, good, tuple(columns[6]))


@dataclass(frozen=True)
class CalibrationRecord:
    """Tables by quantity (see QUANTITIES) and where they come from.

    Only observable combinations are stored, in one gauge: currents over the board's nominal capacitance,
    capacitances as ratios, voltages at the reference. `provenance` holds at least `board_id`, `spec_digest`.
    """

    provenance: Mapping[str, Any]
    tables: Mapping[str, Table]

    @property
    def digest(self) -> str:
        """SHA-256 of all its files: a name for exactly this record."""
        digest = hashlib.sha256()
        for name, text in sorted(self.to_files().items()):
            digest.update(f"{name}\n{text}\n".encode())
        return digest.hexdigest()

    def to_files(self) -> dict[str, str]:
        """File name to text: `record.toml` and one CSV a quantity."""
        files = {"record.toml": to_toml(self.provenance)}
        return files | {f"{name}.csv": table.to_csv() for name, table in sorted(self.tables.items())}

    @classmethod
    def from_files(cls, files: Mapping[str, str]) -> Self:
        """The record in `files`; raises CalibrationError where one is missing or cannot be read."""
        if "record.toml" not in files:
            raise CalibrationError("the folder has no record.toml; name a folder that `calibrate` wrote")
        try:
            provenance = tomllib.loads(files["record.toml"])
        except tomllib.TOMLDecodeError as error:
            raise CalibrationError(f"record.toml cannot be read: {error}") from error
        missing = {"board_id", "spec_digest"} - set(provenance)
        if missing:
            raise CalibrationError(f"record.toml lacks {', '.join(sorted(missing))}; calibrate the board again")
        names = sorted(name.removesuffix(".csv") for name in files if name.endswith(".csv"))
        unknown = [name for name in names if name not in QUANTITIES]
        if unknown:
            raise CalibrationError(f"{unknown[0]}.csv is not a quantity; known are {', '.join(QUANTITIES)}")
        return cls(provenance, {name: Table.from_csv(files[f"{name}.csv"], name) for name in names})
