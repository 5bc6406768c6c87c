"""All settings for one board, and the bytes that carry them.

Payload: unsigned fields, least significant bit first, packed without gaps, in the order bank, cell
(enable, source, destination, parameters as in the spec), then the node trims of that bank; the whole
padded with zero bits to a byte. firmware_config/PROTOCOL.md shows a worked example.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from jackfield.board.bits import join_fields, split_fields
from jackfield.board.spec import BoardSpec
from jackfield.errors import DesignError

__all__ = ["ConfigImage", "delta"]

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class ConfigImage:
    """Settings of every bank: `[bank, cell]` arrays in spec order, `trim[bank, node]` codes.

    `source` and `destination` are node numbers (0 is ground). `codes` maps a parameter's name to its codes;
    cells of a group without that parameter hold 0. A disabled cell carries no current, whatever its codes.
    """

    spec_digest: str
    enable: NDArray[np.bool_]
    source: Integers
    destination: Integers
    codes: Mapping[str, Integers]
    trim: Integers

    @classmethod
    def safe(cls, spec: BoardSpec) -> Self:
        """Every cell disabled at rest codes, every trim zero."""
        banks, cells = spec.run.banks, spec.cell_count
        source, destination = (
            np.concatenate([group.reach.rest(ends, group.count) for group in spec.groups])
            for ends in ("source", "destination")
        )
        codes = {name: np.zeros((banks, cells), dtype=np.int64) for name in spec.parameter_names}
        for group in spec.groups:
            for name, scale in group.parameters.items():
                codes[name][:, group.members] = scale.middle
        return cls(
            spec_digest=spec.digest,
            enable=np.zeros((banks, cells), dtype=np.bool_),
            source=np.tile(source, (banks, 1)),
            destination=np.tile(destination, (banks, 1)),
            codes=codes,
            trim=np.full((banks, spec.nodes.count), spec.nodes.trim.middle, dtype=np.int64),
        )

    def copy(self) -> Self:
        """An image with arrays of its own, to be changed in place."""
        return replace(
            self,
            enable=self.enable.copy(),
            source=self.source.copy(),
            destination=self.destination.copy(),
            codes={name: array.copy() for name, array in self.codes.items()},
            trim=self.trim.copy(),
        )

    def payload(self, spec: BoardSpec) -> bytes:
        """The packed bytes.

        Raises DesignError where the image belongs to another spec, a route is out of reach or a code out of range.
        """
        if self.spec_digest != spec.digest:
            raise DesignError(
                f"the image was made for a spec with digest {self.spec_digest[:12]}, board {spec.name} "
                f"has {spec.digest[:12]}; compile the circuit again for this board"
            )
        bits = [part for bank in range(spec.run.banks) for part in self._bank_bits(spec, bank)]
        return np.packbits(np.concatenate(bits), bitorder="little").tobytes()

    def _bank_bits(self, spec: BoardSpec, bank: int) -> list[NDArray[np.uint8]]:
        parts = []
        for group in spec.groups:
            here = group.members
            fields = [
                (self.enable[bank, here].astype(np.int64), 1),
                (group.reach.encode("source", self.source[bank, here]), group.reach.source_bits),
                (group.reach.encode("destination", self.destination[bank, here]), group.reach.destination_bits),
            ]
            for name, scale in group.parameters.items():
                codes = self.codes[name][bank, here]
                _check_codes(codes, scale.code_range, f"{name} of group {group.name}")
                fields.append((codes, scale.bits))
            parts.append(join_fields(fields).ravel())
        _check_codes(self.trim[bank], spec.nodes.trim.code_range, "trim")
        parts.append(join_fields([(self.trim[bank], spec.nodes.trim.bits)]).ravel())
        return parts

    @classmethod
    def from_payload(cls, spec: BoardSpec, payload: bytes) -> Self:
        """The image that `payload` carries; raises DesignError where its length or a route does not fit."""
        if len(payload) != spec.payload_bytes:
            raise DesignError(
                f"the image has {len(payload)} bytes, board {spec.name} takes {spec.payload_bytes}; "
                "compile the circuit again for this board"
            )
        image = cls.safe(spec)
        bits = np.unpackbits(np.frombuffer(payload, dtype=np.uint8), bitorder="little")
        start = 0
        for bank in range(spec.run.banks):
            for group in spec.groups:
                stop = start + group.count * group.cell_bits
                image._read_cells(spec, bank, group.name, bits[start:stop].reshape(group.count, group.cell_bits))
                start = stop
            stop = start + spec.nodes.count * spec.nodes.trim.bits
            (image.trim[bank],) = split_fields(bits[start:stop].reshape(spec.nodes.count, -1), [spec.nodes.trim.bits])
            start = stop
        return image

    def _read_cells(self, spec: BoardSpec, bank: int, name: str, bits: NDArray[np.uint8]) -> None:
        group = spec.group(name)
        widths = [1, group.reach.source_bits, group.reach.destination_bits]
        widths += [scale.bits for scale in group.parameters.values()]
        enable, source, destination, *codes = split_fields(bits, widths)
        self.enable[bank, group.members] = enable.astype(np.bool_)
        self.source[bank, group.members] = group.reach.decode("source", source)
        self.destination[bank, group.members] = group.reach.decode("destination", destination)
        for parameter, values in zip(group.parameters, codes, strict=True):
            self.codes[parameter][bank, group.members] = values

    def digest(self, spec: BoardSpec) -> str:
        """SHA-256 of the spec's digest and the payload, in hex."""
        return hashlib.sha256(bytes.fromhex(spec.digest) + self.payload(spec)).hexdigest()


def delta(old: bytes, new: bytes, gap: int = 16) -> list[tuple[int, bytes]]:
    """The pieces `(offset, bytes)` of `new` that differ from `old`, pieces nearer than `gap` bytes joined.

    Raises DesignError where the two have different lengths.
    """
    if len(old) != len(new):
        raise DesignError(f"images of {len(old)} and {len(new)} bytes have no difference; send the whole image")
    changed = np.flatnonzero(np.frombuffer(old, dtype=np.uint8) != np.frombuffer(new, dtype=np.uint8))
    if not changed.size:
        return []
    breaks = np.flatnonzero(np.diff(changed) > gap)
    starts = changed[np.concatenate([[0], breaks + 1])]
    stops = changed[np.concatenate([breaks, [changed.size - 1]])] + 1
    return [(int(start), new[start:stop]) for start, stop in zip(starts, stops, strict=True)]


def _check_codes(codes: Integers, limits: tuple[int, int], what: str) -> None:
    if codes.size and (codes.min() < limits[0] or codes.max() > limits[1]):
        worst = int(codes.min()) if codes.min() < limits[0] else int(codes.max())
        raise DesignError(f"code {worst} for {what} is outside {limits[0]}..{limits[1]}")
