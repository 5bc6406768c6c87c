"""The name of a cell for people; code addresses cells by their 0-based index in spec order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, overload

from jackfield.errors import DesignError

__all__ = ["Cell", "Cells"]


@dataclass(frozen=True, order=True)
class Cell:
    """One physical programmable element: group and number, counted from 1, as in `A17`."""

    group: str
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The cell named by `text`; raises DesignError where it is no cell's name."""
        match = re.fullmatch(r"([A-Z]+)([1-9]\d*)", text)
        if match is None:
            raise DesignError(f"{text!r} is not the name of a cell; write group and number, like 'A17'")
        return cls(match.group(1), int(match.group(2)))

    def __str__(self) -> str:
        return f"{self.group}{self.number}"


@dataclass(frozen=True)
class Cells(Sequence[Cell]):
    """All cells of a board in spec order, from the names and sizes of its groups.

    A name is made when it is asked for: a board may have a quarter of a million cells.
    """

    groups: tuple[tuple[str, int], ...]

    def __len__(self) -> int:
        return sum(count for _, count in self.groups)

    @overload
    def __getitem__(self, index: int) -> Cell: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Cell, ...]: ...

    def __getitem__(self, index: int | slice) -> Cell | tuple[Cell, ...]:
        if isinstance(index, slice):
            return tuple(self[place] for place in range(*index.indices(len(self))))
        place = index if index >= 0 else len(self) + index
        for name, count in self.groups if place >= 0 else ():
            if place < count:
                return Cell(name, int(place) + 1)
            place -= count
        raise IndexError(f"cell {index} of {len(self)}")
