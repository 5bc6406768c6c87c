"""Which settings each cell gets, chosen by Fisher information on emulated boards.

Taken greedily from some sixty candidates, each time the one that leaves the least variance of gain over the whole range
and of threshold, over smooth and binary-weighted DACs and three kinds of boards. Three positive gains come first: their
overdrive decays, so that they need no knowledge, and it tells little, most at a turn of 1; one is at 0.6, where
requests end. Three negative gains use what those have found, and three small or long ones what these have: each cell
meets nine codes, odd and even. The last of them has an input below the threshold too, where the current offset flows
alone: else most of what is not known of it passes for threshold. Fresh random settings verify.
"""

from jackfield.board import BoardSpec, CellGroup
from jackfield_calibration.cell_routine import Step

__all__ = ["AGAIN", "MORE", "NAMED", "ROUNDS", "STAGES", "VERIFY", "repeats", "verification"]

STAGES: tuple[tuple[Step, ...], ...] = (
    (Step("plus-25", 0.25, 0.7, (1.0,)), Step("plus-9", 0.9, 3.0, (1.0,)), Step("plus-6", 0.6, 1.0, (1.0,))),
    (Step("minus-95", -0.95, 3.0, (0.5,)), Step("minus-8", -0.8, 1.0, (0.8,)), Step("minus-35", -0.35, 2.0, (0.5,))),
    (Step("minus-1", -0.1, 2.0, (0.8,)), Step("minus-65", -0.65, 3.0, (0.8,)), Step("zero", 0.0, 16.0, (1.0, -0.5))),
)

MORE: tuple[Step, ...] = (
    Step("plus-8", 0.8, 1.2, (1.0,)),
    Step("minus-9", -0.9, 3.0, (0.6,)),
    Step("minus-2", -0.2, 3.0, (0.6,)),
)
"""For the cells whose standard errors are not yet well within tolerance, or far above those of others: weak ones."""

VERIFY: tuple[Step, ...] = (
    Step("minus", -0.75, 3.2, (0.8,), sizes=(0.5, 0.95)),
    Step("plus", 0.4, 0.8, (1.0,), sizes=(0.15, 0.6)),
)

AGAIN: tuple[Step, ...] = (
    Step("minus-again", -0.75, 3.2, (0.8,), sizes=(0.5, 0.95)),
    Step("plus-again", 0.4, 0.8, (1.0,), sizes=(0.15, 0.6)),
    Step("minus-small", -0.25, 3.2, (0.8,), sizes=(0.15, 0.3)),
    Step("plus-small", 0.15, 0.8, (1.0,), sizes=(0.05, 0.25)),
)
"""For the cells that the first two left in doubt; longer runs too, because weak cells show their threshold late."""

_THIRD = Step("minus-short", -0.5, 1.2, (0.8,), sizes=(0.3, 0.9))

ROUNDS = 5  # of more settings and fresh verification for cells in doubt; what is sound passes, what is not does not
NAMED = 2  # rounds after which a cell whose defect has a name is left alone

_SHARE, _JUDGED = 0.6, 0.4  # of the threshold's tolerance, the noise of a read that needs no repeat
_DECAYED = 4.0  # so many times less of an error shows where overdrives do not grow before they are read
_MOST = 48


def repeats(spec: BoardSpec, part: CellGroup, noise_V: float) -> tuple[int, int]:
    """How often each setting is read, and each of verification, so that noise stays small beside the tolerance.

    Two runs have to say alone what the others say together; and whom they leave in doubt costs far more reads.
    """
    relative = noise_V / (spec.tolerance.threshold_lsb * part.parameters["threshold"].lsb)
    if part.parameters["gain"].one_sided:
        relative *= _DECAYED
    known, judged = (max(1, min(_MOST, round((relative / share) ** 2))) for share in (_SHARE, _JUDGED))
    return known, judged


def verification(judged: int) -> tuple[tuple[Step, ...], int]:
    """The settings that verify and how often each is read, where two would have to be read `judged` times: a third,
    which tells gain from threshold, is worth more than twice the reads.
    """
    return (VERIFY, 1) if judged == 1 else ((*VERIFY, _THIRD), round(judged / 2))
