"""A board's error frames in words."""

from jackfield.board import BoardSpec
from jackfield.errors import BoardError
from jackfield.link import ReplyFrame, unpack
from jackfield.link.messages import LAYOUTS, ErrorNotice
from jackfield.link.numbers import ERROR_TEXT, ErrorCode, ProgramPart

__all__ = ["checked"]

ERROR = LAYOUTS[ErrorNotice].number
TRIM_FIELD = 255
CELL_ERRORS = (ErrorCode.CODE_RANGE, ErrorCode.ROUTE_RANGE)


def checked(answers: list[ReplyFrame], spec: BoardSpec) -> list[ReplyFrame]:
    """The same answers; raises BoardError, in words, for the first that is a refusal."""
    for answer in answers:
        if answer.number == ERROR:
            raise BoardError(_words(unpack(ErrorNotice, answer.payload), spec))
    return answers


def _words(error: ErrorNotice, spec: BoardSpec) -> str:
    if error.code not in list(ErrorCode):
        return f"the board refused with error {error.code}, which this version does not know; update jackfield"
    code = ErrorCode(error.code)
    field = ProgramPart(error.field).name.lower() if code is ErrorCode.BAD_PROGRAM else str(error.field)
    text = ERROR_TEXT[code].format(bank=error.bank, field=field, place=error.place, value=error.value)
    where = f"{_place(error, spec)}: " if code in CELL_ERRORS else ""
    return f"the board refused: {where}{text}; nothing was changed"


def _place(error: ErrorNotice, spec: BoardSpec) -> str:
    if error.field == TRIM_FIELD:
        return f"trim of node {error.place}, bank {error.bank}"
    fields = ("source", "destination", *spec.group_of(error.place).parameters)
    return f"{fields[error.field]} of cell {spec.cells[error.place]}, bank {error.bank}"
