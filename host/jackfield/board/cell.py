"""The name of a cell for people; code addresses cells by their 0-based index in spec order."""

import re
from dataclasses import dataclass
from typing import Self

from jackfield.errors import DesignError

__all__ = ["Cell"]


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
