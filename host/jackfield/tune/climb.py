"""The ladder of one board: what each step from the model to codes tuned on the board gains, and what it costs."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy, mse_loss

from jackfield.bench import Bench
from jackfield.board import CalibrationRecord
from jackfield.compile import CompiledCircuit, CompiledPasses, Twin, twin
from jackfield.data import Split
from jackfield.device import AbstractBoard
from jackfield.evaluate import Rung, answers_of, model_outputs, play, score
from jackfield.model import Checkpoint
from jackfield.tune.batches import Batches
from jackfield.tune.forward import HardwareForward, Readings, hardware_forward

__all__ = ["Climb", "Height", "Starts", "TuneRecipe", "climb", "tune_codes"]

Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class TuneRecipe:
    """Adam with cosine decay from `rate` (full scales of the DACs), `passes` device passes in batches of `batch`.

    Inputs get `noise` (standard deviation, machine units) anew in each batch: a few thousand passes over a small set
    of inputs would otherwise learn these by heart.
    """

    passes: int = 10_240
    batch: int = 64
    rate: float = 0.005
    noise: float = 0.05
    seed: int = 0


@dataclass(frozen=True)
class Starts:
    """One network as codes: `raw`; for a board in general (`aware`); corrected by this board's record."""

    raw: CompiledCircuit
    aware: CompiledCircuit | None = None
    corrected: CompiledCircuit | None = None

    @property
    def best(self) -> CompiledCircuit:
        """Where tuning begins."""
        return self.corrected or self.aware or self.raw

    @property
    def rate(self) -> float:
        """What suits the way that is left: with larger steps corrected codes end further off than they begin."""
        return TuneRecipe.rate if self.corrected is None else 0.002


@dataclass(frozen=True)
class Height:
    """A rung with its output error against the rounded model (V; None where no board answered), the device passes
    and the wall time in s that it took to get there and to be scored."""

    rung: Rung
    error_V: float | None
    passes: int
    seconds: float

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        costs = {"output_error_V": self.error_V, "passes": self.passes, "seconds": self.seconds}
        return self.rung.to_dict() | costs


@dataclass(frozen=True)
class Climb:
    """The heights in order, and the circuit with the codes that tuning ended with."""

    heights: tuple[Height, ...]
    tuned: CompiledCircuit


def climb(
    bench: Bench[AbstractBoard],
    checkpoint: Checkpoint,
    data: Split,
    starts: Starts,
    *,
    record: CalibrationRecord | None = None,
    recipe: TuneRecipe | None = None,
    journal: Readings | None = None,
    count: int | None = None,
    advance: Advance = lambda done, total: None,
) -> Climb:
    """Score every rung that there is on the first `count` held-out inputs (None: all), then tune and score again.

    The tuned codes begin with the best of `starts` and use the twin that `record` describes (None: the nominal one).
    Only RAM of the board is written. Raises DesignError where circuit, data and board do not fit, and what the bench
    raises.
    """
    score_of = _Scores(bench, checkpoint, data, record, count)
    heights = [score_of.model("float"), score_of.model("quantised")]
    if starts.aware is not None:
        heights.append(score_of.twin("variation_aware", starts.aware))
    heights.append(score_of.board("board_raw", starts.raw))
    if starts.corrected is not None:
        heights.append(score_of.board("board_calibrated", starts.corrected))
    began = time.perf_counter()
    begin_with = twin(starts.best, bench.spec, record)
    layer = hardware_forward(bench, begin_with, journal=journal)
    tune_codes(layer, data, checkpoint, recipe or TuneRecipe(rate=starts.rate), advance)
    spent = time.perf_counter() - began
    heights.append(score_of.board("board_tuned", layer.compiled, layer.passes, spent))
    return Climb(tuple(heights), layer.compiled)


def tune_codes(
    layer: HardwareForward,
    data: Split,
    checkpoint: Checkpoint,
    recipe: TuneRecipe,
    advance: Advance = lambda *_: None,
) -> None:
    """Train the codes of `layer` in place until the board answers as the rounded model; one seed, the same batches.

    The loss is the mean square difference of output voltages over the model's own variance, plus the cross-entropy
    with the model's answers: no labels are needed, and what the model has learned of other inputs is not lost.
    """
    steps = max(1, recipe.passes // recipe.batch)
    optimiser = torch.optim.Adam(layer.parameters(), lr=recipe.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    batches, rng = Batches(data, recipe.batch, recipe.seed), np.random.default_rng([recipe.seed, 1])
    gain = float(checkpoint.network.digital_gain.detach())
    for step in range(steps):
        x, _ = next(batches)
        x = np.clip(x + recipe.noise * rng.standard_normal(x.shape, dtype=np.float32), x.min(), x.max())
        wanted = torch.from_numpy(model_outputs(checkpoint, x, quantised=True)).float()
        optimiser.zero_grad()
        answered = layer(x)
        off = mse_loss(answered, wanted) / wanted.var()
        loss = off + cross_entropy(answered * gain, (wanted * gain).softmax(1))
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        layer.confine()
        schedule.step()
        advance(step + 1, steps)


@dataclass(frozen=True)
class _Scores:
    """Rungs on one set of held-out inputs."""

    bench: Bench[AbstractBoard]
    checkpoint: Checkpoint
    data: Split
    record: CalibrationRecord | None
    count: int | None

    @property
    def _x(self) -> NDArray[np.float32]:
        return self.data.x_test[: self.count]

    def _height(self, rung: str, outputs: NDArray[np.float64]) -> Rung:
        return score(rung, outputs, self.data.y_test[: self.count])

    def model(self, rung: str) -> Height:
        """The model itself."""
        began = time.perf_counter()
        outputs = model_outputs(self.checkpoint, self._x, quantised=rung == "quantised")
        return Height(self._height(rung, outputs), None, 0, time.perf_counter() - began)

    def twin(self, rung: str, compiled: CompiledCircuit) -> Height:
        """Codes on the board that the record, if any, describes."""
        began = time.perf_counter()
        model = twin(compiled, self.bench.spec, self.record)
        assert isinstance(model, Twin)
        outputs = model.shown(compiled.input_codes(self._x))
        return Height(self._height(rung, outputs), None, 0, time.perf_counter() - began)

    def board(self, rung: str, compiled: CompiledCircuit, passes: int = 0, seconds: float = 0.0) -> Height:
        """Codes on the board, after `passes` and `seconds` that they cost. A raw board's readings are raw, too."""
        began = time.perf_counter()
        played = play(self.bench, CompiledPasses((compiled,)), self._x.astype(np.float64))
        answers = answers_of(played.measured, compiled, None if rung == "board_raw" else self.record)
        wanted = model_outputs(self.checkpoint, self._x, quantised=True) * compiled.scaling.volts_per_unit
        spent = seconds + time.perf_counter() - began
        return Height(self._height(rung, answers.held_V), answers.error_rms_V(wanted), passes + len(self._x), spent)
