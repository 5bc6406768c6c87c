"""Records that can be believed: through kills, on the right board only, and after some of its cells have moved."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks._calibration_bench import Memory, open_here
from benchmarks._kills import killed_and_resumed
from benchmarks._rows import Parts, Row

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.compile import CompiledCircuit, compile_circuit
from jackfield.emulator import Moved
from jackfield.errors import CalibrationError
from jackfield.evaluate import ask_board
from jackfield.journal import Run, save_record
from jackfield.physics import Circuit, EdgeSet, Slice, integrate
from jackfield.session import load_spec
from jackfield_calibration import (
    VALID_DAYS,
    BoardNow,
    calibrate,
    check_fingerprint,
    check_record,
    make_update_plan,
    read_fingerprint,
    update,
)

__all__ = ["records_parts"]

PROFILES = ("cmos", "rough", "modules")
KILLS, QUICK_KILLS = 30, 5
BOARDS, QUICK_BOARDS = 20, 6
SHARE, DEVIATIONS = 0.05, 5.0  # of the cells; standard errors
EDGES, QUICK_EDGES = 4000, 400
ERROR_BAR = 1.2
MADE = datetime(2026, 1, 1, tzinfo=UTC)


def records_parts(quick: bool) -> Parts:
    """Rows `kills`; `wrong_board` and `right_board`; `drift`."""
    return {
        "kills": lambda: [_kills(quick)],
        "wrong_board": lambda: _boards(QUICK_BOARDS if quick else BOARDS),
        "drift": lambda: _drift(quick),
    }


def _row(name: str, workload: str, ours: float, unit: str, asked: str, holds: bool, theirs: float | None = None) -> Row:
    return {
        "name": name,
        "workload": workload,
        "against": "itself before" if theirs is not None else "-",
        "ours": ours,
        "theirs": theirs,
        "unit": unit,
        "ratio": None if theirs is None else ours / theirs,
        "error": None,
        "asked": asked,
        "holds": holds,
    }


# Kills


@dataclass
class _Telling:
    """An observer that tells of each setting."""

    tell: Callable[[], None]

    def advanced(self, step: str, done: int, planned: int, reads: int) -> None:
        self.tell()

    def stands(self, standing: object) -> None:
        return

    def verified(self, evidence: object) -> None:
        return


def _kills(quick: bool) -> Row:
    torch.set_num_threads(1)  # a forked child has no thread but its own
    count, spec = QUICK_KILLS if quick else KILLS, load_spec("jf16")
    cells = np.arange(0, spec.cell_count, 6)

    def work(folder: Path, tell: Callable[[], None]) -> None:
        bench, _ = open_here(spec, "modules", 3)
        with Run.open(folder) as run:
            given = {"board_id": "b", "started_utc": run.details["started_utc"]}
            observer = _Telling(tell)
            record = calibrate(bench, spec, run, seed=1, cells=cells, provenance=given, observer=observer)
        save_record(record, folder / "board.record")

    with tempfile.TemporaryDirectory(prefix="jackfield-") as folder:
        killed, same = killed_and_resumed(Path(folder), work, count, seed=11)
    workload = f"{len(cells)} cells of jf16, modules, SIGKILL at {killed} seeded moments, resumed"
    return _row("kills", workload, same, "same bytes", f"{count} of {count}", same == killed == count)


# Whose record


def _boards(count: int) -> list[Row]:
    spec = load_spec("jf16")
    benches = [open_here(spec, PROFILES[seed % 3], seed)[0] for seed in range(count)]
    kept = [_provenance(spec, {"fingerprint": read_fingerprint(bench, spec).to_provenance()}) for bench in benches]
    here = BoardNow("b", spec.digest, 25.0, MADE + timedelta(days=1))
    older = [{**record, "spec_digest": "0" * 64} for record in kept]
    aged = [{**record, "started_utc": (MADE - timedelta(days=VALID_DAYS)).isoformat()} for record in kept]
    others = kept[3:] + kept[:3]  # of another board of the same profile, under this board's id
    refused = {
        name: sum(_refused(spec, record, here, bench) for record, bench in zip(records, benches, strict=True))
        for name, records in (("another board", others), ("an older digest", older), ("past its age", aged))
    }
    reads, known = 0, 0
    for seed, own in enumerate(kept):
        # the same board later: warmer, two hours on
        later, _ = open_here(spec, PROFILES[seed % 3], seed, temperature_C=32.0, clock_s=7200.0)
        alike, taken = check_fingerprint(own, later, spec)
        known, reads = known + (alike > 0), max(reads, taken)
    workload = f"{count} boards of jf16, 3 profiles: " + ", ".join(f"{name} {n}" for name, n in refused.items())
    return [
        _row(
            "wrong_board",
            workload,
            min(refused.values()),
            "refused",
            f"{count} of {count} each",
            all(n == count for n in refused.values()),
        ),
        _row(
            "right_board",
            f"{count} boards of jf16, 7 K warmer and 2 h later, recognised: {known}",
            reads,
            "reads",
            f"at most 64, {count} of {count}",
            known == count and reads <= 64,
        ),
    ]


def _provenance(spec: BoardSpec, more: dict[str, Any]) -> dict[str, Any]:
    return {"board_id": "b", "spec_digest": spec.digest, "started_utc": MADE.isoformat(), "temperature_C": 25.0} | more


def _refused(spec: BoardSpec, record: dict[str, Any], here: BoardNow, bench: Any) -> bool:
    try:
        check_record(record, here)
        check_fingerprint(record, bench, spec)
    except CalibrationError:
        return True
    return False


# Drift


def _drift(quick: bool) -> list[Row]:
    """Calibrate, compile, move cells, update, compile again; the error of the outputs each time."""
    spec, profile, seed = load_spec("jf96"), "cmos", 5
    circuit, inputs = _circuit(spec, QUICK_EDGES if quick else EDGES, seed)
    bench, _ = open_here(spec, profile, seed)
    states = integrate(circuit, inputs, steps=200, snapshots=8)
    wanted, largest = states[-1][:, np.array(circuit.outputs) - 1].numpy(), float(states.abs().max())
    first = compile_circuit(circuit, spec, largest_v=largest)
    given = {"board_id": "b", "started_utc": MADE.isoformat()}
    record = calibrate(bench, spec, Memory(), seed=1, image=first.image, provenance=given)
    fitted = _compiled(circuit, largest, record, inputs)
    before = _error(bench, fitted, inputs, wanted, record)
    sizes = [
        DEVIATIONS * float(np.median(record.tables[name].se[record.tables[name].good]))
        for name in ("gain_scale", "threshold_offset_V")
    ]
    now, _ = open_here(spec, profile, seed, moved=Moved(SHARE, *sizes))
    spoiled = _error(now, fitted, inputs, wanted, record)
    fresh = update(now, spec, Memory(), record, seed=2, provenance=given)
    after = _error(now, _compiled(circuit, largest, fresh, inputs), inputs, wanted, fresh)
    truly = _truly_moved(spec, profile, seed, sizes)
    watched = {name for name, good in zip(*_watched(record), strict=True) if good}
    found, plan = set(fresh.provenance["update"]["moved"]), make_update_plan(spec, record)
    missed, false = (truly & watched) - found, found - truly
    workload = f"{spec.name}, {profile}, {len(truly & watched)} of {len(watched)} cells moved by {DEVIATIONS:g} se"
    return [
        _row(
            "drift_found",
            f"{workload}: {len(missed)} missed, {len(false)} measured again for nothing",
            plan.reads / len(watched),
            "reads a cell",
            "at most 1, none missed, none else",
            not missed and len(false) <= 1 + len(watched) // 2000 and plan.reads <= len(watched),
        ),
        _row(
            "drift_mended",
            f"{workload}: output error {1e3 * before:.2f} mV, moved {1e3 * spoiled:.2f} mV",
            after,
            "V",
            f"at most {ERROR_BAR:g} of before",
            after <= ERROR_BAR * before,
            theirs=before,
        ),
    ]


def _watched(record: CalibrationRecord) -> tuple[tuple[str, ...], Any]:
    table = record.tables["sentinel_V"]
    return table.index, table.good


def _truly_moved(spec: BoardSpec, profile: str, seed: int, sizes: list[float]) -> set[str]:
    truths = [open_here(spec, profile, seed, moved=moved)[1] for moved in (Moved(), Moved(SHARE, *sizes))]
    still, moved = (truth["quantities"]["threshold_offset_V"] for truth in truths)
    return {name for name, value in moved.items() if value != still[name]}


def _circuit(spec: BoardSpec, count: int, seed: int) -> tuple[Circuit, torch.Tensor]:
    """A random circuit of `count` edges over the board's nodes, and inputs, in machine units."""
    random, nodes = np.random.default_rng(seed), spec.nodes.count
    size = 0.5 * (nodes / count) ** 0.5  # so that a node's currents do not grow with its cells
    ends = [random.choice(nodes, 2, replace=False) + 1 for _ in range(count)]
    source, destination = torch.from_numpy(np.array(ends).T.copy())
    parameters = {
        name: torch.from_numpy(random.uniform(-to, to, count)) for name, to in (("gain", size), ("threshold", 0.3))
    }
    edges = EdgeSet(spec.groups[0].law, source, destination, parameters)
    inputs, outputs = tuple(range(1, nodes // 2 + 1)), tuple(range(nodes // 2 + 1, nodes + 1))
    one = torch.ones(nodes, dtype=torch.float64)
    circuit = Circuit(nodes, (Slice(1.0, (edges,)),), one, 0 * one, inputs=inputs, outputs=outputs)
    start = torch.zeros(64, nodes, dtype=torch.float64)
    start[:, : len(inputs)] = torch.from_numpy(random.uniform(-0.6, 0.6, (64, len(inputs))))
    return circuit, start


def _compiled(circuit: Circuit, largest: float, record: CalibrationRecord, inputs: torch.Tensor) -> CompiledCircuit:
    fit = inputs[:, : len(circuit.inputs)]
    return compile_circuit(circuit, load_spec("jf96"), record=record, largest_v=largest, fit_inputs=fit)


def _error(
    bench: Any, compiled: CompiledCircuit, inputs: torch.Tensor, wanted: Any, record: CalibrationRecord
) -> float:
    bench.board.apply(compiled.image)
    answers = ask_board(bench, compiled, inputs[:, : len(compiled.inputs)].numpy(), record)
    return answers.error_rms_V(compiled.scaling.volts_per_unit * wanted)
