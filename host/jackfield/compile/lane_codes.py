"""From wished lanes to lanes with codes: exact 12-bit coefficients, upscaling, corrections of a record."""

from dataclasses import dataclass, replace

import numpy as np

from jackfield.board import BoardSpec, ConfigImage
from jackfield.compile.lane_known import KnownLanes
from jackfield.compile.lane_wishes import CONSTANT, Wish
from jackfield.compile.report import QuantisationReport
from jackfield.errors import DesignError

__all__ = ["LARGEST_COEFFICIENT", "Lane", "laid_lanes", "lane_image", "report"]

LARGEST_COEFFICIENT = 1.01  # what the firmware takes, whatever the DAC could
WORTH_A_LANE = 0.5  # LSB of error that a spare lane is spent on


@dataclass(frozen=True)
class Lane:
    """Lane number `cell` (0-based) for `wish`, with its two codes and what they make on this board."""

    cell: int
    wish: Wish
    coefficient: int
    upscale: int
    actual: float


def laid_lanes(wished: list[Wish], spec: BoardSpec, known: KnownLanes) -> list[Lane]:
    """A lane for each wish, good ones only; spare lanes then carry what is left of upscaled coefficients and the
    known offsets of the inputs in use.

    Raises DesignError where a coefficient is out of reach or good lanes run out.
    """
    free = [cell for cell in range(spec.group("L").count) if not known.bad[cell]]
    if len(wished) > len(free):
        raise DesignError(
            f"lanes run out: {len(wished)} are needed, board {spec.name} has {len(free)} good ones; "
            "train with fewer edges"
        )
    lanes = [_lane(cell, wish, spec, known) for cell, wish in zip(free, wished, strict=False)]
    spare = iter(free[len(lanes) :])
    for wishes in (_remainders, _offsets):
        for wish in wishes(lanes, spec, known):
            cell = next(spare, None)
            if cell is None:
                break
            own = known.offset[cell] if wish.source == CONSTANT else 0.0
            lanes.append(_lane(cell, replace(wish, value=wish.value - own), spec, known))
    return lanes


def _lane(cell: int, wish: Wish, spec: BoardSpec, known: KnownLanes) -> Lane:
    scales = spec.group("L").parameters
    coefficient, upscale = scales["coefficient"], scales["upscale"]
    # Lanes take what an integrator shows, not what is read of it.
    nominal = wish.value / known.gain[cell] * (known.reading_gain[wish.source - 1] if wish.source else 1.0)
    up = 0 if abs(nominal) <= LARGEST_COEFFICIENT else 1
    factor = float(upscale.value(up))
    if abs(nominal) > LARGEST_COEFFICIENT * factor:
        raise DesignError(
            f"the lane from {wish} needs {wish.value:.4g}, board {spec.name} reaches "
            f"{LARGEST_COEFFICIENT * factor:.4g}; raise --seconds-per-unit or train with smaller parameters"
        )
    code = int(coefficient.code(nominal / factor))
    return Lane(cell, wish, code, up, wish.value * float(coefficient.value(code)) * factor / nominal)


def _remainders(lanes: list[Lane], spec: BoardSpec, known: KnownLanes) -> list[Wish]:
    """What rounding has left of upscaled coefficients, the largest first."""
    return _worth([replace(lane.wish, value=lane.wish.value - lane.actual) for lane in lanes if lane.upscale], spec)


def _offsets(lanes: list[Lane], spec: BoardSpec, known: KnownLanes) -> list[Wish]:
    """The opposite of what comes into the inputs in use beside what is wished, the largest first."""
    offsets = known.input_offset.copy()
    for lane in lanes:
        offsets[lane.wish.destination - 1] += known.offset[lane.cell]
        if lane.wish.source != CONSTANT:
            offsets[lane.wish.destination - 1] -= lane.actual * known.reading_offset_V[lane.wish.source - 1]
    used = sorted({lane.wish.destination for lane in lanes})
    return _worth([Wish(CONSTANT, port, -float(offsets[port - 1])) for port in used], spec)


def _worth(found: list[Wish], spec: BoardSpec) -> list[Wish]:
    lsb = spec.group("L").parameters["coefficient"].lsb
    worth = [wish for wish in found if abs(wish.value) > WORTH_A_LANE * lsb]
    return sorted(worth, key=lambda wish: -abs(wish.value))


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
    wanted = np.array([lane.wish.value for lane in lanes])
    return QuantisationReport(
        bank=np.zeros(count, dtype=np.int64),
        edge=np.arange(count),
        source=np.array([lane.wish.source for lane in lanes], dtype=np.int64),
        destination=np.array([lane.wish.destination for lane in lanes], dtype=np.int64),
        cell=np.array([lane.cell for lane in lanes], dtype=np.int64),
        parameter=np.full(count, "coefficient"),
        requested=wanted,
        target=wanted,
        actual=np.array([lane.actual for lane in lanes]),
        lsb=scales["coefficient"].lsb * scales["upscale"].value([lane.upscale for lane in lanes]),
        clipped=np.zeros(count, dtype=np.bool_),
    )
