"""Binary blocks, whole and damaged."""

import pytest

from jackfield.bench.block import read_block
from jackfield.errors import InstrumentError


class Bytes:
    """A byte source over a given answer."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def read_exact(self, count: int) -> bytes:
        taken, self.answer = self.answer[:count], self.answer[count:]
        return taken

    def read_rest(self) -> bytes:
        return self.read_exact(len(self.answer))

    def read_terminator(self) -> bytes:
        return self.read_exact(1)


@pytest.mark.parametrize(
    ("answer", "payload"),
    [
        (b"#15hello\n", b"hello"),
        (b"#800000003a\nb\n", b"a\nb"),
        (b"#15hello", b"hello"),  # no newline at the end
        (b"\n#15hello\n", b"hello"),  # the newline of the block before came late
        (b"#0hello\n", b"hello"),
        (b"#10\n", b""),
    ],
)
def test_whole_blocks(answer: bytes, payload: bytes) -> None:
    assert read_block(Bytes(answer), ":WAV:DATA?") == payload


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"1.25E-3\n", r"answered with b'1'... and not with a binary block"),
        (b"", "not with a binary block"),
        (b"#x5hello\n", "not with a binary block"),
        (b"#2", "is no number"),
        (b"#2ab..\n", "is no number"),
        (b"#18hello\n", "announces 8 bytes and ends after 6"),
        (b"#13hello\n", "goes on after its 3 bytes"),
    ],
)
def test_damaged_blocks_are_errors(answer: bytes, complaint: str) -> None:
    with pytest.raises(InstrumentError, match=complaint):
        read_block(Bytes(answer), ":WAV:DATA?")
