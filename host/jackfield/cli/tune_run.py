"""What `jackfield tune` works with: the starting codes, the run folder, the climb."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jackfield import __version__
from jackfield.bench import Bench
from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.cli.files import existing
from jackfield.cli.known_board import check_bench
from jackfield.cli.models import compiled_for, data_of, model_for
from jackfield.cli.output import Output
from jackfield.cli.record import load
from jackfield.compile import is_lane_board
from jackfield.device import AbstractBoard
from jackfield.errors import DesignError
from jackfield.journal import Run
from jackfield.model import Checkpoint
from jackfield.session import open_bench
from jackfield.tune import (
    AwareRecipe,
    Climb,
    Starts,
    TuneRecipe,
    climb,
    draws_of_profile,
    draws_of_record,
    train_aware,
)

__all__ = ["Asked", "climbed"]


@dataclass(frozen=True)
class Asked:
    """What is to be tuned, how long and from where; see `jackfield tune --help`."""

    model: Path
    record: Path | None
    aware: str | None
    passes: int
    rate: float | None
    seed: int
    inputs: int | None

    def recipe(self, starts: Starts) -> TuneRecipe:
        """The part of it that is the training's; a rate that is not asked is that of `starts`."""
        rate = starts.rate if self.rate is None else self.rate
        return TuneRecipe(passes=self.passes, rate=rate, seed=self.seed)


def climbed(
    where: str, asked: Asked, resume: Path | None, runs: Path, other_board: bool, output: Output
) -> tuple[Climb, Path]:
    """The climb on the bench at `where`, and its run folder."""
    existing(asked.model, "a model folder that `jackfield train` wrote")
    known = load(asked.record) if asked.record else None
    if asked.aware == "record" and known is None:
        raise DesignError("boards that the record allows are asked, no record is given; add --record NAME.record")
    with open_bench(where) as bench:
        checkpoint = model_for(asked.model, bench.spec)
        if is_lane_board(bench.spec):
            raise DesignError(
                f"board {bench.spec.name} has lanes, whose twin gives no gradients; tune on a board of cells"
            )
        if known is not None:
            check_bench(known.provenance, bench, other_board, output)
        starts = _starts(checkpoint, bench.spec, known, asked, output)
        with _run(bench, asked, starts, resume, runs) as run:
            reference = run.reading("reference")
            if reference is not None:
                bench.use_reference(float(reference["volts"][0]))
            else:
                run.store("reference", {"volts": np.array([bench.reference_V()])})
            output.say(f"board {run.details['board_id']}, run folder {run.folder}")
            with output.progress("tuning") as advance:
                found = climb(
                    bench,
                    checkpoint,
                    data_of(checkpoint),
                    starts,
                    record=known,
                    recipe=asked.recipe(starts),
                    journal=run,
                    count=asked.inputs,
                    advance=advance,
                )
            return found, run.folder


def _starts(
    checkpoint: Checkpoint, spec: BoardSpec, known: CalibrationRecord | None, asked: Asked, output: Output
) -> Starts:
    raw = compiled_for(checkpoint, spec).only
    corrected = None if known is None else compiled_for(checkpoint, spec, known).only
    if asked.aware is None:
        return Starts(raw, None, corrected)
    of_record = asked.aware == "record" and known is not None and corrected is not None
    draw = draws_of_record(spec, known) if of_record and known else draws_of_profile(spec, asked.aware)
    begin = corrected if of_record and corrected else raw
    with output.progress("training for many boards") as advance:
        gain = float(checkpoint.network.digital_gain.detach())
        trained = train_aware(begin, data_of(checkpoint), gain, draw, AwareRecipe(seed=asked.seed), advance)
    # What was trained around the record is corrected for this board already; the rest is for any.
    return Starts(raw, trained, trained if of_record else corrected)


def _run(bench: Bench[AbstractBoard], asked: Asked, starts: Starts, resume: Path | None, runs: Path) -> Run:
    hello, spec = bench.board.hello, bench.spec
    wanted: dict[str, Any] = {
        "spec_digest": spec.digest,
        "image": starts.best.image.digest(spec),
        "passes": asked.passes,
        "rate": asked.recipe(starts).rate,
        "seed": asked.seed,
    }
    if resume is None:
        return Run.create(runs, "tune", hello.board_id, details=wanted | {"software": f"jackfield {__version__}"})
    run = Run.open(resume)
    try:
        run.check_details(wanted | {"board_id": hello.board_id})
    except BaseException:
        run.close()
        raise
    return run
