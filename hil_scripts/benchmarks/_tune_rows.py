"""In the loop on several emulated boards of each profile: tuned against rounded float, aware training, transfer.

The boards are in this process; `bench` repeats one of each profile through serial line and VISA. Where cells have gain
and threshold those in use are calibrated first and tuning begins there; the other law is tuned from nominal codes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from benchmarks._calibration_bench import Memory, open_here
from benchmarks._ladder_networks import NETWORKS, network
from benchmarks._rows import Parts, Row

from jackfield.bench import Bench
from jackfield.board import BoardSpec
from jackfield.cli.models import compiled_for
from jackfield.compile import CompiledCircuit, CompiledPasses
from jackfield.data import Split
from jackfield.evaluate import answers_of, play
from jackfield.model import Checkpoint
from jackfield.session import load_spec, open_bench
from jackfield.tune import AwareRecipe, Climb, Starts, TuneRecipe, climb, draws_of_profile, train_aware
from jackfield_boards import spec_folder
from jackfield_calibration import calibrate

__all__ = ["aware_row", "bench_row", "ladder_rows", "transfer_row", "tuning_parts"]

BOARDS, PASSES, PASSES_CORRECTED = 8, 19_968, 10_240
CLIPPED = 8  # values that weak cells of a rough board do not reach: tuning makes up for them
EPOCHS = {"digits 1,720": 60, "pooled relu": 200, "pooled tanh": 120}
POINTS = {"modules": 0.5, "cmos": 0.5, "rough": 1.0}
GAP_BAR, AWARE_BAR, QUICK_PASSES = 0.85, 4.0, 2_560
TANH_CELLS = """law = "tanh_diff"
count = 2048
reach = { kind = "crossbar" }
output_limit_A = 45e-6
bandwidth_Hz = 5e6
a = { range_A = [-45e-6, 45e-6], bits = 8, coding = "bipolar" }
b = { range_per_V = [0.0, 4.0], bits = 8, coding = "unipolar" }
c = { range_1 = [-1.0, 1.0], bits = 8, coding = "bipolar" }

"""


def tuning_parts(quick: bool) -> Parts:
    """Ladders of NETWORKS on each profile, aware training, transfer, one board of each profile on its bench (quick: one
    network, one cmos board)."""
    if quick:
        return {
            "ladder": lambda: ladder_rows("pooled relu", "cmos", range(1), QUICK_PASSES),
            "transfer": lambda: [transfer_row("pooled relu", QUICK_PASSES)],
        }
    ladders = {
        f"{name} on {profile}": partial(ladder_rows, name, profile, range(BOARDS))
        for name in NETWORKS
        for profile in POINTS
    }
    return {
        **ladders,
        "variation_aware": lambda: [aware_row(range(BOARDS))],
        "transfer": lambda: [transfer_row("digits 1,720")],
        "bench": lambda: map(bench_row, POINTS),
    }


@dataclass(frozen=True)
class _Task:
    spec: BoardSpec
    checkpoint: Checkpoint
    data: Split
    raw: CompiledCircuit

    @property
    def gain(self) -> float:
        return float(self.checkpoint.network.digital_gain.detach())

    def right(self, bench: Bench[Any], compiled: CompiledCircuit) -> float:
        """Share of right answers."""
        played = play(bench, CompiledPasses((compiled,)), self.data.x_test.astype(np.float64))
        return float(np.mean(answers_of(played.measured, compiled, None).held_V.argmax(1) == self.data.y_test))


@cache
def task(name: str) -> _Task:
    """The network `name`, trained, as codes for its board."""
    spec = _tanh_board() if name == "pooled tanh" else load_spec("jf96")
    checkpoint, data = network(name, spec, EPOCHS[name])
    return _Task(spec, checkpoint, data, compiled_for(checkpoint, spec).only)


def _tanh_board() -> BoardSpec:
    """jf96 with cells of another law, which no packaged board has as many of."""
    text = (spec_folder() / "jf96.toml").read_text()
    start, stop = text.index('law = "shifted_relu"'), text.index("[run]")
    return BoardSpec.from_toml(text[:start].replace('"jf96"', '"jf96t"') + TANH_CELLS + text[stop:])


def _climbed(name: str, bench: Bench[Any], passes: int) -> Climb:
    """From nominal codes."""
    here = task(name)
    return climb(bench, here.checkpoint, here.data, Starts(here.raw), recipe=TuneRecipe(passes=passes))


def _calibrated_climb(name: str, bench: Bench[Any], passes: int) -> Climb:
    """The cells in use calibrated, then from corrected codes."""
    here, given = task(name), {"board_id": bench.board.hello.board_id}
    record = calibrate(bench, here.spec, Memory(), seed=1, image=here.raw.image, provenance=given)
    corrected = compiled_for(here.checkpoint, here.spec, record, allow_clipped=CLIPPED)
    starts = Starts(here.raw, corrected=corrected.only)
    return climb(bench, here.checkpoint, here.data, starts, record=record, recipe=TuneRecipe(passes, rate=starts.rate))


def ladder_rows(name: str, profile: str, seeds: Sequence[int], passes: int | None = None) -> list[Row]:
    """Means over boards: tuned against the rounded model, and the share of the gap that tuning closes."""
    here = task(name)
    can_correct = here.checkpoint.network.architecture.law != "tanh_diff"
    climbed, most = (_calibrated_climb, PASSES_CORRECTED) if can_correct else (_climbed, PASSES)
    passes = passes or most
    climbs = [climbed(name, open_here(here.spec, profile, seed)[0], passes) for seed in seeds]
    return _compared(f"ladder {name}", f"{profile}, {len(climbs)} boards, {passes} passes each", profile, climbs)


def bench_row(profile: str, passes: int = PASSES) -> Row:
    """Board 0 of a profile through its serial line and its instruments."""
    with open_bench(f"emulator://jf96?profile={profile}&seed=0") as bench:
        found = _climbed("digits 1,720", bench, passes)
    return _compared("ladder on the bench", f"{profile}, serial and VISA, {passes} passes", profile, [found])[0]


def _compared(name: str, workload: str, profile: str, climbs: Sequence[Climb]) -> list[Row]:
    def mean(rung: str) -> float:
        return float(np.mean([h.rung.accuracy for c in climbs for h in c.heights if h.rung.rung == rung]))

    raw, tuned, wanted = mean("board_raw"), mean("board_tuned"), mean("quantised")
    errors = [next(h.error_V for h in c.heights if h.rung.rung == "board_tuned") for c in climbs]
    closed, lost, allowed = (tuned - raw) / max(wanted - raw, 1e-9), 100 * (wanted - tuned), POINTS[profile]
    said = f"{workload}; raw {raw:.4f}"
    if any(height.rung.rung == "board_calibrated" for height in climbs[0].heights):
        said += f", calibrated {mean('board_calibrated'):.4f}"
    return [
        _row(name, said, "quantised", (tuned, wanted), f"within {allowed:g} points", lost <= allowed, _rms(errors)),
        _row(f"{name}, gap", said, "raw", (closed, None), f"at least {GAP_BAR:g}", closed >= GAP_BAR),
    ]


def _rms(errors: Sequence[float | None]) -> float:
    return float(np.sqrt(np.mean([error**2 for error in errors if error is not None])))


def aware_row(seeds: Sequence[int], recipe: AwareRecipe | None = None) -> Row:
    """Raw boards with a network trained for boards of their kind, and without."""
    here = task("digits 1,720")
    draw = draws_of_profile(here.spec, "rough")
    aware = train_aware(here.raw, here.data, here.gain, draw, recipe or AwareRecipe())
    benches = [open_here(here.spec, "rough", seed)[0] for seed in seeds]
    without, having = (float(np.mean([here.right(b, c) for b in benches])) for c in (here.raw, aware))
    workload, points = f"1,720 edges, rough, {len(benches)} boards", 100 * (having - without)
    return _row("variation_aware", workload, "raw", (having, without), "4 points better", points >= AWARE_BAR)


def transfer_row(name: str, passes: int = PASSES) -> Row:
    """Codes tuned on board 0, on board 1 of the same profile."""
    here = task(name)
    benches = [open_here(here.spec, "cmos", seed)[0] for seed in (0, 1)]
    tuned = _climbed(name, benches[0], passes).tuned
    own, other = (here.right(bench, tuned) for bench in benches)
    return _row("transfer", f"{name}, cmos, board 0 to board 1", "own board", (other, own), "printed", True)


def _row(
    name: str,
    workload: str,
    against: str,
    pair: tuple[float, float | None],
    asked: str,
    holds: bool,
    error: float | None = None,
) -> Row:
    ours, theirs = pair
    ratio = None if theirs is None else ours / theirs
    return Row(
        name=name, workload=workload, against=against, ours=ours, theirs=theirs, unit="share", ratio=ratio,
        error=error, asked=asked, holds=bool(holds),
    )  # fmt: skip
