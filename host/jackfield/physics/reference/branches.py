"""Two-terminal elements of one kind, each linear with a cubic part."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from jackfield.errors import DesignError

__all__ = ["Branches"]


def _none() -> Tensor:
    return torch.zeros(0, dtype=torch.float64)


@dataclass(frozen=True, eq=False)
class Branches:
    """Elements from node `a` to node `b` (int64 [element], 0 is ground) with y = linear x + cubic x^3.

    x is a voltage for capacitors (y charge), resistors (y current) and memristors (see Network), a current for
    inductors (y flux). The co-energy or co-content is linear x^2/2 + cubic x^4/4. Raises DesignError on lengths that
    differ and on elements from a node to itself.
    """

    a: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))
    b: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))
    linear: Tensor = field(default_factory=_none)
    cubic: Tensor = field(default_factory=_none)

    def __post_init__(self) -> None:
        lengths = {len(self.a), len(self.b), len(self.linear), len(self.cubic)}
        if len(lengths) != 1:
            raise DesignError(f"ends and values of elements have lengths {sorted(lengths)}; give one each per element")
        loops = (self.a == self.b).nonzero()
        if len(loops):
            raise DesignError(f"element {int(loops[0])} joins node {int(self.a[loops[0]])} to itself; remove it")

    def __len__(self) -> int:
        return len(self.a)

    @property
    def is_linear(self) -> bool:
        return not bool(self.cubic.any())

    def value(self, x: Tensor) -> Tensor:
        """y at x `[..., element]`."""
        return self.linear * x + self.cubic * x**3

    def slope(self, x: Tensor) -> Tensor:
        """dy/dx at x `[..., element]`."""
        return self.linear + 3 * self.cubic * x**2

    def co_energy(self, x: Tensor) -> Tensor:
        """The integral of y over x `[..., element]`."""
        return self.linear * x**2 / 2 + self.cubic * x**4 / 4

    def incidence(self, nodes: int) -> Tensor:
        """`[node, element]`: +1 where the element leaves a node, -1 where it arrives; ground has no row."""
        signs = torch.zeros(nodes + 1, len(self), dtype=torch.float64)
        every = torch.arange(len(self))
        signs[self.a, every] += 1.0
        signs[self.b, every] -= 1.0
        return signs[1:]
