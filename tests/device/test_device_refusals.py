import pytest

from jackfield.board import BoardSpec
from jackfield.device.refusals import checked
from jackfield.errors import BoardError
from jackfield.link import ReplyFrame, pack
from jackfield.link.messages import ErrorNotice
from jackfield.link.numbers import ErrorCode


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ErrorNotice(ErrorCode.CODE_RANGE, 0, 255, 3, 0), "trim of node 3, bank 0: code 0 is not in the range"),
        (ErrorNotice(ErrorCode.ROUTE_RANGE, 1, 0, 16, 9), "source of cell A17, bank 1: route 9 does not exist"),
        (ErrorNotice(ErrorCode.BAD_PROGRAM, 0, 2, 1, 0), "program part steps: 0 at 1 is not possible"),
        (ErrorNotice(ErrorCode.STAGE_CRC, 0, 0, 0, 255), "CRC-32 0x000000ff"),
        (ErrorNotice(99, 0, 0, 0, 0), "error 99, which this version does not know"),
    ],
)
def test_refusals_in_words(jf16: BoardSpec, error: ErrorNotice, words: str) -> None:
    with pytest.raises(BoardError, match=words):
        checked([ReplyFrame(0xC2, 0, 0, 0, 8, pack(error))], jf16)


def test_every_error_has_words(jf16: BoardSpec) -> None:
    for code in ErrorCode:
        with pytest.raises(BoardError, match="the board refused"):
            checked([ReplyFrame(0xC2, 0, 0, 0, 8, pack(ErrorNotice(code, 0, 0, 0, 0)))], jf16)
