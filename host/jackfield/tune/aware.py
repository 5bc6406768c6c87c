"""Variation-aware training: codes that do well on every board of a kind, or on all that a record allows.

No board is touched. Each step meets boards drawn anew: from the statistics of a profile, or around a record by its
standard errors.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage
from jackfield.compile import CompiledCircuit, KnownBoard, Twin, twin, uncertainties
from jackfield.errors import DesignError
from jackfield.tune.batches import Batches, LabelledInputs
from jackfield.tune.twin_gradient import TwinGradient

__all__ = ["AwareRecipe", "Draw", "draws_of_profile", "draws_of_record", "train_aware"]

UNIT_TIME_S = 100e-6  # what a profile's leak refers to

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator], KnownBoard]


@dataclass(frozen=True)
class AwareRecipe:
    """Adam with cosine decay from `rate` (full scales of the DACs) over `steps` batches of `batch` inputs, each batch
    on `boards` boards drawn anew."""

    steps: int = 600
    batch: int = 64
    boards: int = 3
    rate: float = 0.01
    seed: int = 0


def draws_of_profile(spec: BoardSpec, profile: str) -> Draw:
    """Boards as the spec's statistics have them: gains, thresholds, offsets, capacitors, leaks, knee, saturation, dead
    cells. Raises DesignError where the spec has no such profile."""
    if profile not in spec.statistics:
        raise DesignError(
            f"profile {profile!r} is asked, board {spec.name} has {', '.join(spec.statistics) or 'no statistics'}"
        )
    s = spec.statistics[profile]
    nominal = KnownBoard.as_specified(spec)
    limit = np.concatenate([np.full(group.count, group.output_limit_A) for group in spec.groups])
    rail = max(abs(volts) for volts in spec.nodes.rail_V)
    threshold = np.concatenate(
        [np.full(g.count, g.parameters["threshold"].hi if "threshold" in g.parameters else 0.0) for g in spec.groups]
    )

    def draw(rng: np.random.Generator) -> KnownBoard:
        def cells() -> Floats:
            return rng.standard_normal(spec.cell_count)

        def nodes() -> Floats:
            return rng.standard_normal(spec.nodes.count)

        # A dead or open cell gives nothing: so does one of no gain.
        alive = rng.random(spec.cell_count) >= 2 * s["defect_rate"]
        leak = s["leak_mean"] * spec.nodes.capacitance_F / UNIT_TIME_S * (1 + s["leak_relative"] * nodes())
        return replace(
            nominal,
            gain_scale=alive * (1 + s["gain_relative"] * cells()),
            threshold_offset_V=s["threshold_offset"] * threshold * cells(),
            current_offset_A=alive * s["cell_current_offset"] * limit * cells(),
            capacitance_ratio=1 + s["capacitance_relative"] * nodes(),
            leak_S=spec.nodes.leak_S + np.maximum(leak, 0.0),
            node_offset_A=s["node_offset_current"] * limit.max() * nodes(),
            preset_gain=1 + s["preset_gain"] * nodes(),
            preset_offset_V=s["preset_offset"] * rail * nodes(),
            knee_V=np.array(s["knee"] * rail),
            saturation=np.array(s["saturation"]),
        )

    return draw


def draws_of_record(spec: BoardSpec, record: CalibrationRecord) -> Draw:
    """Boards around what `record` says, by its standard errors; CalibrationError where it is of another spec."""
    known, sigma = KnownBoard.from_record(spec, record), uncertainties(spec, record)
    return lambda rng: known.drawn(sigma, rng)


def train_aware(
    compiled: CompiledCircuit,
    data: LabelledInputs,
    digital_gain: float,
    draw: Draw,
    recipe: AwareRecipe,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> CompiledCircuit:
    """`compiled` with codes trained on boards of `draw`, logits being `digital_gain` times outputs in machine units.

    One seed, the same codes. `advance` hears of steps done.
    """
    base = twin(compiled, compiled.spec)
    assert isinstance(base, Twin)
    gradient = TwinGradient(base)
    values = {key: value.requires_grad_() for key, value in gradient.start().items()}
    optimiser = torch.optim.Adam(values.values(), lr=recipe.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.steps)
    rng, batches = np.random.default_rng(recipe.seed), Batches(data, recipe.batch, recipe.seed)
    for step in range(recipe.steps):
        image = gradient.image(values)
        x, y = next(batches)
        optimiser.zero_grad()
        for _ in range(recipe.boards):
            drawn = TwinGradient(replace(base, known=draw(rng)))
            ends = drawn.ends(image, values, compiled.input_codes(x))[:, torch.tensor(compiled.outputs) - 1]
            loss = cross_entropy(ends * (digital_gain / compiled.scaling.volts_per_unit), y)
            (loss / recipe.boards).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        gradient.confine(values)
        schedule.step()
        advance(step + 1, recipe.steps)
    return with_image(compiled, gradient.image(values))


def with_image(compiled: CompiledCircuit, image: ConfigImage) -> CompiledCircuit:
    """`compiled` with other codes on the same cells."""
    return replace(compiled, image=image, placement=None, report=None)
