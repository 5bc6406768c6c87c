"""How the board's parts say no."""

from jackfield.link.messages import ErrorNotice
from jackfield.link.numbers import ErrorCode

__all__ = ["Refusal"]


class Refusal(Exception):
    """A request that was understood and is refused; `notice` goes to the host in place of an answer."""

    def __init__(self, code: ErrorCode, *, bank: int = 0, field: int = 0, place: int = 0, value: int = 0) -> None:
        super().__init__(code.name)
        self.notice = ErrorNotice(code, bank, field, place & 0xFFFFFFFF, value & 0xFFFFFFFF)
