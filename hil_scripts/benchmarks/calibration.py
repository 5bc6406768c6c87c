"""Calibration against the truth of emulated boards: verdicts, intervals, spread, cost; records and drift behind them.

Boards and instruments run in this process (`_calibration_bench`); the row of the network runs the same way.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cache, partial
from typing import Any
from unittest import mock

import numpy as np
from benchmarks import _calibration_outputs, _calibration_records, _calibration_refined, _calibration_search
from benchmarks._calibration_bench import Memory, open_here
from benchmarks._calibration_score import Score, Spread, score, spread
from benchmarks._rows import Parts, Row

from jackfield.board import BENDS, CalibrationRecord
from jackfield.emulator import Planted
from jackfield.session import load_spec
from jackfield_calibration import calibrate, make_plan
from jackfield_calibration.cell_estimator import Prior

__all__ = ["parts"]

PROFILES = ("cmos", "rough", "modules")
SMALL, LARGE = 20, 4  # boards of jf16 and jf96 a profile
QUICK_CELLS = 480
NARROW = 1e-6


@dataclass(frozen=True)
class _Case:
    """One kind of board and bench, and how many of its cells are calibrated (None: all)."""

    spec: str
    profile: str
    inl: str = "smooth"
    mode: str = "high-resolution"
    cells: int | None = None


@dataclass(frozen=True)
class _Found:
    score: Score
    spread: dict[str, Spread]
    record: CalibrationRecord
    wall_s: float


def parts(quick: bool) -> Parts:
    """Quick: a few small boards, a part of one large one, one network."""
    cells = QUICK_CELLS if quick else None

    @cache
    def large(profile: str, seed: int = 0, inl: str = "smooth", mode: str = "high-resolution") -> _Found:
        return _calibrated(_Case("jf96", profile, inl, mode, cells), seed)

    def boards(profile: str) -> Iterator[Row]:
        small = [_calibrated(_Case("jf16", profile), seed) for seed in range(2 if quick else SMALL)]
        here = [large(profile, seed) for seed in range(1 if quick else LARGE)]
        yield from _verdicts(profile, [*small, *here])
        yield from _coverage(f"{profile}, smooth INL", here)
        yield from _cost(profile, here, quick)

    def binary() -> list[Row]:
        found = large("cmos", inl="binary")
        return [*_coverage("cmos, binary-weighted INL", [found]), _wrong_family(found, cells)]

    def after(profile: str) -> Iterable[Row]:
        return _spread_rows(profile, large(profile, mode="normal").spread, large(profile).spread)

    return {
        **{f"boards {profile}": partial(boards, profile) for profile in PROFILES[: 1 if quick else None]},
        "binary": binary,
        **{f"spread {profile}": partial(after, profile) for profile in (("cmos",) if quick else ("cmos", "modules"))},
        "search": lambda: _calibration_search.rows(quick),
        "outputs": lambda: _calibration_outputs.rows(quick),
        "refined": lambda: _calibration_refined.rows(quick),
        **_calibration_records.records_parts(quick),
    }


def _calibrated(case: _Case, seed: int) -> _Found:
    spec = load_spec(case.spec)
    planted = Planted(noisy=1, stuck_probes=1, inl=case.inl)
    bench, truth = open_here(spec, case.profile, seed, mode=case.mode, planted=planted)
    cells = None if case.cells is None else np.arange(case.cells)
    begin = time.perf_counter()
    record = calibrate(bench, spec, Memory(), seed=seed + 1, cells=cells, provenance={"board_id": "scored"})
    wall_s = time.perf_counter() - begin
    return _Found(score(spec, record, truth), spread(spec, record, truth), record, wall_s)


def _verdicts(profile: str, boards: list[_Found]) -> list[Row]:
    counts = {
        field.name: sum(getattr(board.score, field.name) for board in boards)
        for field in fields(Score)
        if field.type in (int, "int")
    }
    workload = f"{profile}, {len(boards)} boards, {counts['defects']} defects, {counts['healthy']} healthy cells"
    share = counts["healthy_bad"] / max(counts["healthy"], 1)
    return [
        _row(
            "defects_flagged_good", workload, "truth", counts["defects_good"], "cells", "0", counts["defects_good"] == 0
        ),
        _row("healthy_flagged_bad", workload, "truth", share, "share", "at most 0.001", share <= 1e-3),
    ]


def _coverage(workload: str, boards: list[_Found]) -> list[Row]:
    """One row for each quantity; few rows make a wide interval, so the bar has its binomial error beside it."""
    rows = []
    for quantity in boards[0].score.rows:
        count = sum(board.score.rows[quantity] for board in boards)
        share = sum(board.score.inside[quantity] for board in boards) / max(count, 1)
        slack = 2 * (0.95 * 0.05 / max(count, 1)) ** 0.5
        row = _row(
            f"coverage_95 {quantity}", f"{workload}, {count} rows", "truth", share, "share",
            f"0.93 to 0.97, {slack:.3f} of counting", 0.93 - slack <= share <= 0.97 + slack,
        )  # fmt: skip
        rows.append(row)
    return rows


def _cost(profile: str, boards: list[_Found], quick: bool) -> list[Row]:
    spec = load_spec("jf96")
    workload = f"jf96, {profile}{', a part of its cells' if quick else ''}, nodes and verification included"
    reads = float(np.mean([board.score.reads_per_parameter for board in boards]))
    wall_s, bench_s = float(np.mean([board.wall_s for board in boards])), make_plan(spec).bench_s
    rows = [_row("wall_s", workload, "plan on a bench", wall_s, "s", "at most 360", wall_s <= 360, theirs=bench_s)]
    if not quick:
        rows.append(_row("reads_per_parameter", workload, "", reads, "reads", "at most 16", reads <= 16))
    return rows


def _wrong_family(binary: _Found, cells: int | None) -> Row:
    """Bits that may not err, on a board whose bits do: verification has to refuse what the curves cannot hold."""
    generous = Prior.generous

    def smooth_alone(gain_lsb: float, threshold_V: float) -> Prior:
        prior = generous(gain_lsb, threshold_V)
        prior.width[4 + len(BENDS) :] = NARROW
        return prior

    with mock.patch.object(Prior, "generous", smooth_alone):
        wrong = _calibrated(_Case("jf96", "cmos", "binary", cells=cells), 0)
    misfits = [float(found.record.provenance["misfit"]) for found in (wrong, binary)]
    said = misfits[0] > 1.3 > misfits[1]
    return _row(
        "wrong_family", "binary-weighted board, smooth curves alone", "the right family", misfits[0],
        "noise beyond that of nodes", "above 1.3, right family below", said, theirs=misfits[1],
    )  # fmt: skip


def _spread_rows(profile: str, coarse: dict[str, Spread], fine: dict[str, Spread]) -> Iterable[Row]:
    for scope, found in (("8-bit scope", coarse), ("high resolution", fine)):
        for name, sums in found.items():
            ratio, floor = ((value / sums.before) ** 0.5 for value in (sums.after, sums.floor))
            times = 1.15 if scope == "high resolution" else 1.7
            bar = 0.09 if profile == "cmos" and scope != "high resolution" else times * floor
            workload = f"jf96, {profile}, {scope}, {sums.count} requests within +-0.6 of full scale"
            asked = f"at most {bar:.3g} of before"
            yield _row(
                f"spread {name}", workload, "rounding alone", ratio, "of before", asked, ratio <= bar, theirs=floor
            )


def _row(
    name: str, workload: str, against: str, ours: float, unit: str, asked: str, holds: bool, theirs: float | None = None
) -> Row:
    values: dict[str, Any] = {"name": name, "workload": workload, "against": against, "ours": ours, "theirs": theirs}
    ratio = None if theirs is None else ours / theirs
    return Row(**values, unit=unit, ratio=ratio, error=None, asked=asked, holds=bool(holds))
