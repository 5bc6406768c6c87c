"""From wished lanes to lanes with codes: exact 12-bit coefficients, upscaling, corrections of a record."""

from dataclasses import dataclass, replace

import numpy as np

from jackfield.board import BoardSpec, ConfigImage
from jackfield.compile.lane_field import LaneField
from jackfield.compile.lane_known import KnownLanes
from jackfield.compile.lane_places import LARGEST_COEFFICIENT, WORTH_A_LANE, placed
from jackfield.compile.lane_wishes import CONSTANT, Wish
from jackfield.compile.report import QuantisationReport
from jackfield.errors import DesignError

__all__ = ["Lane", "LaneRangeError", "laid_lanes", "lane_image", "report"]


class LaneRangeError(DesignError):
    """A coefficient is out of reach, `excess` times too large; a slower run would make it smaller."""

    def __init__(self, message: str, excess: float) -> None:
        super().__init__(message)
        self.excess = excess


@dataclass(frozen=True)
class Lane:
    """Lane number `cell` (0-based) for `wish`: the value `target` that it is meant to have on this board, its two codes
    and what they make."""

    cell: int
    wish: Wish
    target: float
    coefficient: int
    upscale: int
    actual: float


def laid_lanes(wished: list[Wish], spec: BoardSpec, known: KnownLanes) -> list[Lane]:
    """A lane for each wish, good ones only; spare lanes then carry what is left of upscaled coefficients.

    Lanes into integrators are fitted to what the multipliers in front of them really give: gains and offsets of
    multipliers and of the lanes into them change polynomials of the nodes, which linear lanes take back. Raises
    DesignError where a coefficient is out of reach or good lanes run out.
    """
    places, field = placed(wished, spec, known), LaneField(spec)
    lanes = [_lane(c, w, w.value, spec, known) for w, c in places if w.destination > field.integrators]
    lanes += _fitted([(w, c) for w, c in places if w.destination <= field.integrators], lanes, field, spec, known)
    taken = {lane.cell for lane in lanes}
    spare = (cell for cell in range(spec.group("L").count) if not known.bad[cell] and cell not in taken)
    for wish, cell in zip(_remainders(lanes, spec), spare, strict=False):
        lanes.append(_lane(cell, wish, wish.value, spec, known))
    return sorted(lanes, key=lambda lane: lane.cell)


def _fitted(
    into: list[tuple[Wish, int]], before: list[Lane], field: LaneField, spec: BoardSpec, known: KnownLanes
) -> list[Lane]:
    """Lanes into integrators, given those into multipliers."""
    first, count = spec.group("M").first, field.multipliers
    ideal = field.weights(
        [*((wish, wish.value) for wish, _ in into), *((lane.wish, lane.wish.value) for lane in before)]
    )
    _, wanted = field.settled(ideal, np.zeros(field.ports), np.ones(count), np.zeros(count))
    offset = known.input_offset.copy()
    for wish, cell, value in [*((w, c, w.value) for w, c in into), *((x.wish, x.cell, x.actual) for x in before)]:
        shown = known.reading_offset_V[wish.source - 1] if wish.source else 0.0
        offset[wish.destination - 1] += known.offset[cell] - value * shown
    real = field.weights((lane.wish, lane.actual) for lane in before)
    outputs, _ = field.settled(real, offset, known.gain[first : first + count], known.offset[first : first + count])
    lanes = []
    for n in range(field.integrators):
        here = [(wish, cell) for wish, cell in into if wish.destination == n + 1]
        if here:
            found, *_ = np.linalg.lstsq(outputs[:, [wish.source for wish, _ in here]], wanted[:, n] - offset[n])
            lanes += [_lane(cell, wish, value, spec, known) for (wish, cell), value in zip(here, found, strict=True)]
    return lanes


def _lane(cell: int, wish: Wish, target: float, spec: BoardSpec, known: KnownLanes) -> Lane:
    scales = spec.group("L").parameters
    coefficient, upscale = scales["coefficient"], scales["upscale"]
    # Lanes take what an integrator shows, not what is read of it.
    unit = known.gain[cell] / (known.reading_gain[wish.source - 1] if wish.source else 1.0)
    nominal = target / unit
    up = 0 if abs(nominal) <= LARGEST_COEFFICIENT else 1
    factor = float(upscale.value(up))
    if abs(nominal) > LARGEST_COEFFICIENT * factor:
        most = LARGEST_COEFFICIENT * factor * unit
        raise LaneRangeError(
            f"the lane from {wish} needs {target:.5g}; lane {spec.cells[cell]} of board {spec.name}, {unit:.4g} of "
            f"nominal, reaches {most:.5g}; raise --seconds-per-unit or train with smaller parameters",
            abs(target) / most,
        )
    code = int(coefficient.code(nominal / factor))
    return Lane(cell, wish, target, code, up, float(coefficient.value(code)) * factor * unit)


def _remainders(lanes: list[Lane], spec: BoardSpec) -> list[Wish]:
    """What rounding has left of upscaled coefficients and is worth a lane, the largest first."""
    lsb = spec.group("L").parameters["coefficient"].lsb
    left = [replace(lane.wish, value=lane.target - lane.actual) for lane in lanes if lane.upscale]
    return sorted((wish for wish in left if abs(wish.value) > WORTH_A_LANE * lsb), key=lambda wish: -abs(wish.value))


def lane_image(lanes: list[Lane], rate: int, nodes: int, spec: BoardSpec) -> ConfigImage:
    """The image of `lanes` with the first `nodes` integrators at rate code `rate`."""
    image = ConfigImage.safe(spec)
    half, last = spec.group("L").count // 2, spec.nodes.count
    for lane in lanes:
        constant = last if lane.cell < half else last - 1  # the first half of the lanes sees it at the last output
        image.enable[0, lane.cell] = True
        image.source[0, lane.cell] = constant if lane.wish.source == CONSTANT else lane.wish.source
        image.destination[0, lane.cell] = lane.wish.destination
        image.codes["coefficient"][0, lane.cell] = lane.coefficient
        image.codes["upscale"][0, lane.cell] = lane.upscale
    first = spec.group("K").first
    image.enable[0, first : first + nodes] = True
    image.codes["rate"][0, first : first + nodes] = rate
    return image


def report(lanes: list[Lane], spec: BoardSpec) -> QuantisationReport:
    """One row a lane, in the board's coefficients."""
    scales = spec.group("L").parameters
    count = len(lanes)
    return QuantisationReport(
        bank=np.zeros(count, dtype=np.int64),
        edge=np.arange(count),
        source=np.array([lane.wish.source for lane in lanes], dtype=np.int64),
        destination=np.array([lane.wish.destination for lane in lanes], dtype=np.int64),
        cell=np.array([lane.cell for lane in lanes], dtype=np.int64),
        parameter=np.full(count, "coefficient"),
        requested=np.array([lane.wish.value for lane in lanes]),
        target=np.array([lane.target for lane in lanes]),
        actual=np.array([lane.actual for lane in lanes]),
        lsb=scales["coefficient"].lsb * scales["upscale"].value([lane.upscale for lane in lanes]),
        clipped=np.zeros(count, dtype=np.bool_),
    )
