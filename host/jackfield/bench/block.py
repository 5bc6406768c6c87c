"""IEEE 488.2 arbitrary blocks, read byte by byte count so that every VISA door serves them alike."""

from typing import Protocol

from jackfield.errors import InstrumentError

__all__ = ["ByteSource", "read_block"]


class ByteSource(Protocol):
    """Where the bytes of an answer come from."""

    def read_exact(self, count: int) -> bytes:
        """`count` bytes, fewer where the answer ends early."""
        ...

    def read_rest(self) -> bytes:
        """All that is left of the answer; raises InstrumentError on doors that do not mark its end."""
        ...

    def read_terminator(self) -> bytes:
        """The byte after a block, empty where none comes soon."""
        ...


def read_block(source: ByteSource, asked: str) -> bytes:
    """The payload of the block that answers the query `asked`, definite (`#3250...`) or not (`#0...`).

    Raises InstrumentError where the answer is no block, is shorter than it announces or goes on after it.
    A missing newline at the end is forgiven; one that comes late is skipped in front of the next answer.
    """
    head = source.read_exact(1)
    while head in (b"\n", b"\r", b" "):
        head = source.read_exact(1)
    digits = source.read_exact(1) if head == b"#" else b""
    if not digits.isdigit():
        raise InstrumentError(
            f"{asked} was answered with {(head + digits)!r}... and not with a binary block ('#' and digits); "
            "check the instrument's waveform format"
        )
    if digits == b"0":
        return source.read_rest().removesuffix(b"\n")
    length = source.read_exact(int(digits))
    if not (length.isdigit() and len(length) == int(digits)):
        raise InstrumentError(f"{asked}: the block's length {length!r} is no number; repeat the query")
    payload = source.read_exact(int(length))
    if len(payload) < int(length):
        raise InstrumentError(
            f"{asked}: the block announces {int(length)} bytes and ends after {len(payload)}; repeat the query"
        )
    if source.read_terminator() not in (b"\n", b""):
        raise InstrumentError(f"{asked}: the block goes on after its {int(length)} bytes; repeat the query")
    return payload
