"""Boards, images and cables for the rows about the link."""

from typing import Any

import numpy as np
from benchmarks._rows import Row

from jackfield.board import BoardSpec, ConfigImage
from jackfield.emulator import DigitalBoard, Settings
from jackfield.link import CableOptions, FrameReader, unpack
from jackfield.link import messages as m
from jackfield.testing import CableTransport

__all__ = ["CountingCable", "Quiet", "link_row", "new_board", "random_image", "same"]

DATA = m.LAYOUTS[m.StageData].number


def link_row(name: str, workload: str, ours: float, unit: str, asked: str, holds: bool) -> Row:
    """A row without a peer."""
    return {
        "name": name,
        "workload": workload,
        "against": "-",
        "ours": ours,
        "theirs": None,
        "unit": unit,
        "ratio": None,
        "error": None,
        "asked": asked,
        "holds": holds,
    }


class Quiet:
    """An analog half that only remembers its settings."""

    settings: Settings | None = None

    def configure(self, settings: Settings) -> None:
        self.settings = settings

    def run(self, *_: Any) -> None:
        raise AssertionError("no benchmark of the link runs a board")

    def safe(self) -> None:
        pass


def new_board(spec: BoardSpec) -> tuple[DigitalBoard, Quiet]:
    """A board's digital half, and what it tells its analog half."""
    analog = Quiet()
    return DigitalBoard(spec, analog, lambda: 0.0, "5A31-0007"), analog


def random_image(spec: BoardSpec, rng: np.random.Generator, share: float = 1.0, base: ConfigImage | None = None) -> Any:
    """An image in which a `share` of all cells, at random, differs from `base` in every code."""
    image = (base or ConfigImage.safe(spec)).copy()
    for group in spec.groups:
        shape = (spec.run.banks, group.count)
        chosen = rng.random(shape) < share
        image.enable[:, group.members] |= chosen
        for name, scale in group.parameters.items():
            codes = rng.integers(*scale.code_range, endpoint=True, size=shape)
            here = image.codes[name][:, group.members]
            image.codes[name][:, group.members] = np.where(chosen, codes, here)
    return image


def same(settings: Settings | None, image: ConfigImage) -> bool:
    """Whether the board has set exactly this image, code by code."""
    return (
        settings is not None
        and all(
            np.array_equal(getattr(settings, name), getattr(image, name))
            for name in ("enable", "source", "destination", "trim")
        )
        and all(np.array_equal(settings.codes[name], codes) for name, codes in image.codes.items())
    )


class CountingCable(CableTransport):
    """A cable that counts what the host sends, and can be pulled out."""

    def __init__(self, board: Any, options: CableOptions) -> None:
        super().__init__(board, options)
        self.sent = 0
        self.staged = 0
        self.data_begin: float | None = None
        self.data_end = 0.0
        self._board_reader, self._host_reader = FrameReader(0xFFFF), FrameReader(0xFFFF)
        self._inner, self._board = self._board, self
        self._pull_at: float | None = None

    def pull_in(self, delay_s: float) -> None:
        """Pull it out in `delay_s` of line time."""
        self._pull_at = self.now() + delay_s

    def write(self, data: bytes) -> None:
        super().write(data)
        self.sent += len(data)
        for body in self._host_reader.feed(data):
            if body is not None and body[0] == DATA:
                self.staged += len(unpack(m.StageData, body[3:]).data)
                self.data_begin = self.now() if self.data_begin is None else self.data_begin

    def read(self, timeout_s: float) -> bytes:
        if self._pull_at is not None and self.now() >= self._pull_at:
            self._pull_at = None
            self.pull()
        return super().read(timeout_s)

    def receive(self, data: bytes) -> bytes:
        """The board's end."""
        if any(body is not None and body[0] == DATA for body in self._board_reader.feed(data)):
            self.data_end = self.now()
        return self._inner.receive(data)

    def tick(self) -> bytes:
        """The board's end."""
        return self._inner.tick()
