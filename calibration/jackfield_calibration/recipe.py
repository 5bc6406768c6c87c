"""Which settings each cell gets, tuned by measurement on emulated boards.

One coarse setting read twice, three in the middle, six fine ones that use what the earlier ones found: each
sign and size of gain, each threshold another code. The zero setting runs long, once below the threshold (the
current offset alone) and once above it (the gain at code zero). Three fresh settings verify.
"""

from jackfield.board import BoardSpec
from jackfield_calibration.cell_routine import Step

__all__ = ["AGAIN", "MORE", "STAGES", "VERIFY", "repeats"]

STAGES: tuple[tuple[Step, ...], ...] = (
    (Step("minus-5", -0.5, 1.0, (0.35, 0.8)),),
    (Step("minus-65", -0.65, 2.0, (0.8,)), Step("plus-4", 0.4, 1.0, (1.0,)), Step("zero", 0.0, 8.0, (-0.3, 1.0))),
    (
        Step("minus-9", -0.9, 3.0, (0.7,)),
        Step("minus-4", -0.4, 3.0, (0.7,)),
        Step("minus-2", -0.2, 2.5, (0.7,)),
        Step("plus-2", 0.2, 1.0, (1.0,)),
        Step("plus-65", 0.65, 1.0, (1.0,)),
        Step("plus-9", 0.9, 1.0, (1.0, 1.0)),
    ),
)

MORE: tuple[Step, ...] = (
    Step("minus-8", -0.8, 2.5, (0.6, 0.6)),
    Step("minus-3", -0.3, 2.5, (0.6,)),
    Step("plus-5", 0.5, 1.0, (1.0,)),
    Step("plus-8", 0.8, 1.0, (1.0, 1.0, 1.0)),
)
"""For the cells whose standard errors are not yet well within tolerance."""

VERIFY: tuple[Step, ...] = tuple(Step(f"{turn}", 0.55, 1.8, (1.0,), free=turn) for turn in (1, 2, 3))

AGAIN: tuple[Step, ...] = tuple(
    Step(f"{turn}", 0.55, k, (1.0, 1.0), free=turn) for turn, k in ((4, 1.8), (5, 3.2), (6, 3.2))
)
"""For the cells that the first three left in doubt; longer, because weak cells show their threshold late."""

_SHARE = 0.4  # of the threshold's tolerance, the noise of a read that needs no repeat
_MOST = 24


def repeats(spec: BoardSpec, lsb_V: float, noise_V: float) -> int:
    """How often each setting is read, so that its noise stays small beside the tolerance."""
    asked = noise_V / (_SHARE * spec.tolerance.threshold_lsb * lsb_V)
    most = min(_MOST, spec.run.inputs // 2)
    return max(1, min(most, round(asked**2)))
