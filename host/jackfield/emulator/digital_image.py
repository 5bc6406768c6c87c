"""How the board itself reads an image payload: written apart from the host's packing, to check it."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, CellGroup
from jackfield.emulator.refusal import Refusal
from jackfield.emulator.settings import Settings
from jackfield.link.numbers import ErrorCode

__all__ = ["ImageReader"]

TRIM_FIELD: Final = 255
Integers = NDArray[np.int64]


class ImageReader:
    """Payload bytes of one board type into settings, every code and route checked."""

    def __init__(self, spec: BoardSpec) -> None:
        self._spec = spec
        self._bank_bits = sum(g.count * g.cell_bits for g in spec.groups) + spec.nodes.count * spec.nodes.trim.bits

    @property
    def length(self) -> int:
        """Bytes of a payload."""
        return (self._bank_bits * self._spec.run.banks + 7) // 8

    def whole(self, payload: bytes) -> Settings:
        """All settings; raises Refusal where a code or a route does not exist."""
        shape = (self._spec.run.banks, self._spec.cell_count)
        settings = Settings(
            enable=np.zeros(shape, dtype=np.bool_),
            source=np.zeros(shape, dtype=np.int64),
            destination=np.zeros(shape, dtype=np.int64),
            codes={name: np.zeros(shape, dtype=np.int64) for g in self._spec.groups for name in g.parameters},
            trim=np.zeros((shape[0], self._spec.nodes.count), dtype=np.int64),
        )
        self._read(_Bits(payload), settings, None)
        return settings

    def changed(self, old: Settings, payload: bytes, places: Integers) -> Settings:
        """Settings that differ from `old` in the bytes `places` of the payload only; raises like `whole`."""
        settings = Settings(
            enable=old.enable.copy(),
            source=old.source.copy(),
            destination=old.destination.copy(),
            codes={name: codes.copy() for name, codes in old.codes.items()},
            trim=old.trim.copy(),
        )
        self._read(_Bits(payload), settings, places)
        return settings

    def _read(self, bits: "_Bits", settings: Settings, places: Integers | None) -> None:
        for bank in range(self._spec.run.banks):
            start = bank * self._bank_bits
            for group in self._spec.groups:
                cells = _touched(places, start, group.count, group.cell_bits)
                if cells.size:
                    self._read_cells(bits, start, bank, group, cells, settings)
                start += group.count * group.cell_bits
            width = self._spec.nodes.trim.bits
            nodes = _touched(places, start, self._spec.nodes.count, width)
            settings.trim[bank, nodes] = trims = bits.fields(start + nodes * width, width)
            self._check(trims, self._spec.nodes.trim.code_range, ErrorCode.CODE_RANGE, bank, TRIM_FIELD, nodes + 1)

    def _read_cells(
        self, bits: "_Bits", start: int, bank: int, group: CellGroup, cells: Integers, settings: Settings
    ) -> None:
        place = start + cells * group.cell_bits
        index = cells + group.first
        settings.enable[bank, index] = bits.fields(place, 1) == 1
        place = place + 1
        reach = group.reach
        ends = (
            (reach.source_bits, reach.source_lists, settings.source),
            (reach.destination_bits, reach.destination_lists, settings.destination),
        )
        for field, (width, lists, nodes) in enumerate(ends):
            choice = bits.fields(place, width)
            limit = self._spec.nodes.count if lists is None else lists.shape[1] - 1
            self._check(choice, (0, limit), ErrorCode.ROUTE_RANGE, bank, field, index)
            nodes[bank, index] = choice if lists is None else lists[cells, choice]
            place = place + width
        for number, (name, scale) in enumerate(group.parameters.items()):
            settings.codes[name][bank, index] = codes = bits.fields(place, scale.bits)
            self._check(codes, scale.code_range, ErrorCode.CODE_RANGE, bank, 2 + number, index)
            place = place + scale.bits

    @staticmethod
    def _check(
        values: Integers, limits: tuple[int, int], code: ErrorCode, bank: int, field: int, index: Integers
    ) -> None:
        bad = (values < limits[0]) | (values > limits[1])
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            raise Refusal(code, bank=bank, field=field, place=int(index[first]), value=int(values[first]))


class _Bits:
    """Little-endian fields of up to 32 bits at any bit offset."""

    def __init__(self, payload: bytes) -> None:
        padded = np.frombuffer(payload + bytes(8), dtype=np.uint8)
        self._words = np.lib.stride_tricks.sliding_window_view(padded, 8)

    def fields(self, start: Integers, width: int) -> Integers:
        """Values `[field]` of the fields of `width` bits that begin at the bits `start[field]`."""
        words = self._words[start >> 3].view("<u8")[:, 0]
        values = (words >> (start & 7).astype(np.uint64)) & np.uint64((1 << width) - 1)
        return np.asarray(values, dtype=np.int64)


def _touched(places: Integers | None, start: int, count: int, width: int) -> Integers:
    """Which of `count` records of `width` bits, the first at bit `start`, share a byte with `places` (None: all)."""
    if places is None:
        return np.arange(count, dtype=np.int64)
    first = (places * 8 - start) // width
    last = (places * 8 + 7 - start) // width
    spread = int((last - first).max(initial=0))
    records = np.minimum(first[:, None] + np.arange(spread + 1), last[:, None])
    return np.unique(records[(records >= 0) & (records < count)])
