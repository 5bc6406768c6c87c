"""What a DAC on the board makes of its code (coding rules: the board spec's own, see template.toml)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jackfield.errors import DesignError
from jackfield.units import format_quantity

__all__ = ["CODINGS", "CodeScale"]

CODINGS = ("bipolar", "unipolar")


@dataclass(frozen=True)
class CodeScale:
    """The values in `unit` that `bits` reach between `lo` and `hi`.

    `unipolar`: value = lo + code (hi - lo)/(2^bits - 1).
    `bipolar`: value = (code - 2^(bits-1)) hi/(2^(bits-1) - 1), code 0 unused, so that zero is exact.
    """

    lo: float
    hi: float
    bits: int
    coding: str
    unit: str

    def __post_init__(self) -> None:
        if self.coding not in CODINGS:
            raise DesignError(f"coding {self.coding!r} is unknown; use one of {', '.join(CODINGS)}")
        if not (1 if self.coding == "unipolar" else 2) <= self.bits <= 16:  # one bit is a switch between two values
            raise DesignError(f"{self.bits} bits are asked of a DAC; 2 to 16 are possible, 1 where it is unipolar")
        if not self.lo < self.hi or (self.coding == "bipolar" and self.lo != -self.hi):
            raise DesignError(
                f"range [{self.lo:g}, {self.hi:g}] {self.unit} does not fit coding {self.coding!r}; "
                "give [low, high], symmetric about zero for a bipolar DAC"
            )

    @property
    def lsb(self) -> float:
        """The step between neighbouring codes, in `unit`."""
        if self.coding == "bipolar":
            return self.hi / float(2 ** (self.bits - 1) - 1)
        return (self.hi - self.lo) / float(2**self.bits - 1)

    @property
    def code_range(self) -> tuple[int, int]:
        """The smallest and the largest code in use."""
        return (1 if self.coding == "bipolar" else 0), 2**self.bits - 1

    @property
    def one_sided(self) -> bool:
        """Whether it has no negative values."""
        return self.lo >= 0

    @property
    def middle(self) -> int:
        """The code whose value is zero (bipolar), or the lowest (unipolar): what a safe board holds."""
        return 2 ** (self.bits - 1) if self.coding == "bipolar" else 0

    def value(self, codes: ArrayLike) -> NDArray[np.float64]:
        """The nominal values, in `unit`, of integer codes of any shape."""
        integers = np.asarray(codes, dtype=np.int64)
        zero, start = (self.middle, 0.0) if self.coding == "bipolar" else (0, self.lo)
        return np.asarray(start + (integers - zero) * self.lsb, dtype=np.float64)

    def clip(self, values: ArrayLike) -> NDArray[np.float64]:
        """`values` in `unit`, brought inside the range."""
        return np.clip(np.asarray(values, dtype=np.float64), self.lo, self.hi)

    def code(self, values: ArrayLike) -> NDArray[np.int64]:
        """The nearest codes, ties to even, of values in `unit`.

        Raises DesignError where a value lies beyond the range by more than half an LSB.
        """
        wanted = np.asarray(values, dtype=np.float64)
        outside = ~((wanted >= self.lo - self.lsb / 2) & (wanted <= self.hi + self.lsb / 2))
        if np.any(outside):
            worst = float(wanted[outside].flat[0])
            raise DesignError(
                f"{format_quantity(worst, self.unit)} is outside the DAC's range of "
                f"{format_quantity(self.lo, self.unit)} to {format_quantity(self.hi, self.unit)}; "
                "rescale the circuit or choose another board"
            )
        zero, start = (self.middle, 0.0) if self.coding == "bipolar" else (0, self.lo)
        codes = np.rint((wanted - start) / self.lsb).astype(np.int64) + zero
        return np.clip(codes, *self.code_range)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the spec's canonical JSON."""
        return {"lo": self.lo, "hi": self.hi, "bits": self.bits, "coding": self.coding, "unit": self.unit}
