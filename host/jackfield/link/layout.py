"""How a message lies in a payload: fixed fields, then perhaps a tail."""

import struct
from functools import cached_property

__all__ = ["FrameError", "Layout"]


class FrameError(ValueError):
    """Bytes that are no frame, or no payload of their message; never leaves the room of whoever decodes."""


class Layout:
    """Name, number, `struct` format of the fixed fields, positions of texts, whether a tail follows, pure question."""

    def __init__(self, name: str, number: int, fields: str, texts: tuple[int, ...], tail: bool, pure: bool) -> None:
        self.name = name
        self.number = number
        self.pure = pure
        self.tail = tail
        self._texts = texts
        self._fields = fields

    @cached_property
    def fixed(self) -> struct.Struct:
        """Codec of the fixed fields."""
        return struct.Struct(self._fields)

    def pack(self, values: tuple[object, ...]) -> bytes:
        """The payload that carries `values`, the tail last."""
        fixed, tail = (values[:-1], values[-1]) if self.tail else (values, b"")
        assert isinstance(tail, bytes)
        if self._texts:
            fixed = tuple(v.encode("ascii") if isinstance(v, str) else v for v in fixed)
        return self.fixed.pack(*fixed) + tail

    def unpack(self, payload: bytes) -> tuple[object, ...]:
        """The values in `payload`; raises FrameError where its length or a text does not fit."""
        size = self.fixed.size
        if len(payload) < size or (len(payload) > size and not self.tail):
            raise FrameError(f"{self.name} has {size} bytes{' or more' if self.tail else ''}, not {len(payload)}")
        values: tuple[object, ...] = self.fixed.unpack_from(payload)
        if self._texts:
            values = tuple(_text(v) if i in self._texts else v for i, v in enumerate(values))
        return (*values, payload[size:]) if self.tail else values


def _text(value: object) -> str:
    assert isinstance(value, bytes)
    try:
        return value.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError as error:
        raise FrameError(f"{value!r} is not ASCII") from error
