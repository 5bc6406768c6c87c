"""SCPI as IEEE 488.2 and SCPI-99 have it: one strict core that both emulated instruments share.

A header is accepted in its short or its long form and in nothing between. What is wrong goes into the
error queue and the event status register; it is never answered.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Command", "Handler", "ScpiCore", "ScpiError", "block", "boolean", "choice", "nr3", "number"]

# A handler gets the numeric suffixes of the header (0 where none was written) and the arguments.
Handler = Callable[[tuple[int, ...], list[str]], str | bytes | None]


@dataclass(frozen=True)
class Command:
    """One header's handler and how many arguments it takes."""

    handler: Handler
    least: int = 0
    most: int = 0


QUEUE_LENGTH = 20
_EVENT_BIT = {1: 0x20, 2: 0x10, 3: 0x08, 4: 0x04}  # hundreds of a standard error number to its ESR bit
_SUFFIX = {"": 1.0, "N": 1e-9, "U": 1e-6, "M": 1e-3, "K": 1e3, "MA": 1e6}


class ScpiError(Exception):
    """A standard error: number and text, as the queue shows it."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f'{code},"{text}"')
        self.code = code
        self.text = text


def number(text: str, unit: str, low: float, high: float) -> float:
    """A decimal number with an optional suffix such as `20us`; error -222 outside [low, high]."""
    pattern = rf"([-+]?(?:\d+\.?\d*|\.\d+)(?:E[-+]?\d+)?)\s*(?:(MA|[NUMK])?{unit.upper()})?"
    match = re.fullmatch(pattern, text.strip().upper())
    if match is None:
        raise ScpiError(-104, "Data type error")
    value = float(match.group(1)) * _SUFFIX[match.group(2) or ""]
    if not low <= value <= high:
        raise ScpiError(-222, "Data out of range")
    return value


def choice(text: str, *options: str) -> str:
    """The short form of the option that `text` spells, error -224 if it spells none."""
    for option in options:
        short = _short(option)
        if text.strip().upper() in (short, option.upper()):
            return short
    raise ScpiError(-224, "Illegal parameter value")


def boolean(text: str) -> bool:
    """ON, OFF, 1 or 0."""
    word = text.strip().upper()
    if word not in ("ON", "OFF", "1", "0"):
        raise ScpiError(-224, "Illegal parameter value")
    return word in ("ON", "1")


def nr3(value: float) -> str:
    """A floating point response."""
    return f"{value:+.8E}"


def block(payload: bytes, digits: int = 0) -> bytes:
    """An IEEE 488.2 definite length block; its length is written in `digits`, or in as many as needed."""
    length = str(len(payload)).zfill(digits)
    return b"#" + str(len(length)).encode() + length.encode() + payload


def compile_header(pattern: str) -> re.Pattern[str]:
    """The expression for a pattern such as `CHANnel<n>[:OFFSet]?`: brackets optional, <n> a suffix."""
    expression = ""
    for token in re.findall(r"<n>|[A-Za-z*_]+|[\[\]:?]", pattern):
        if token == "<n>":
            expression += r"(\d{0,2})"
        elif token in "[]":
            expression += "(?:" if token == "[" else ")?"
        elif token in ":?":
            expression += re.escape(token)
        else:
            expression += f"(?:{re.escape(token.upper())}|{re.escape(_short(token))})"
    return re.compile(expression)


def _short(word: str) -> str:
    return "".join(c for c in word if not c.islower())


class ScpiCore:
    """Parser, error queue and status registers of one instrument.

    `commands` maps header patterns to commands; a pattern that ends in `?` is a query. `reset` is what
    *RST does. The common commands and `error_query`, if any, are the core's own.
    """

    def __init__(
        self,
        identity: str,
        commands: Mapping[str, Command],
        reset: Callable[[], None],
        error_query: str = "SYSTem:ERRor[:NEXT]?",
    ) -> None:
        self._errors: deque[str] = deque()
        self._event = 0x80  # power on
        self._event_enable = 0
        self._request_enable = 0
        own = {
            "*IDN?": Command(lambda suffixes, arguments: identity),
            "*RST": Command(lambda suffixes, arguments: reset()),
            "*CLS": Command(lambda suffixes, arguments: self.clear_status()),
            "*OPC": Command(lambda suffixes, arguments: self._set_event(1)),
            "*OPC?": Command(lambda suffixes, arguments: "1"),
            "*WAI": Command(lambda suffixes, arguments: None),
            "*TST?": Command(lambda suffixes, arguments: "0"),
            "*ESR?": Command(lambda suffixes, arguments: self._take_event()),
            "*ESE": Command(self._set_event_enable, 1, 1),
            "*ESE?": Command(lambda suffixes, arguments: str(self._event_enable)),
            "*SRE": Command(self._set_request_enable, 1, 1),
            "*SRE?": Command(lambda suffixes, arguments: str(self._request_enable)),
            "*STB?": Command(lambda suffixes, arguments: str(self.status_byte)),
        }
        if error_query:
            own[error_query] = Command(lambda suffixes, arguments: self._next_error())
        self._table = [(compile_header(pattern), command) for pattern, command in {**own, **commands}.items()]
        self._find = lru_cache(maxsize=512)(self._search)

    @property
    def status_byte(self) -> int:
        """Bit 5 (event summary) and bit 6 (request); this core keeps no unread answers."""
        summary = 0x20 if self._event & self._event_enable else 0
        return summary | (0x40 if summary & self._request_enable else 0)

    def clear_status(self) -> None:
        """*CLS: empty the error queue and the event register."""
        self._errors.clear()
        self._event = 0

    def execute(self, message: str) -> bytes | None:
        """Run one program message (several commands joined by `;`); the answer without its newline."""
        answers: list[bytes] = []
        path = ""
        for command in _split(message, ";"):
            header, _, rest = command.strip().partition(" ")
            if not header:
                continue
            path, full = _resolve(path, header)
            try:
                answer = self._call(full, _split(rest, ",") if rest.strip() else [])
            except ScpiError as error:
                self._push(error)
                continue
            if answer is not None:
                answers.append(self._headed(full, answer.encode() if isinstance(answer, str) else answer))
        return b";".join(answers) if answers else None

    def _headed(self, header: str, answer: bytes) -> bytes:
        """The answer as it is sent; some dialects put the query's header in front."""
        return answer

    def _call(self, header: str, arguments: list[str]) -> str | bytes | None:
        found = self._find(header)
        if found is None:
            raise ScpiError(-113, "Undefined header")
        command, suffixes = found
        if len(arguments) < command.least:
            raise ScpiError(-109, "Missing parameter")
        if len(arguments) > command.most:
            raise ScpiError(-108, "Parameter not allowed")
        return command.handler(suffixes, [argument.strip() for argument in arguments])

    def _search(self, header: str) -> tuple[Command, tuple[int, ...]] | None:
        for pattern, command in self._table:
            match = pattern.fullmatch(header)
            if match:
                return command, tuple(int(group or 0) for group in match.groups())
        return None

    def _push(self, error: ScpiError) -> None:
        self._event |= _EVENT_BIT.get(-error.code // 100, 0)
        if len(self._errors) == QUEUE_LENGTH:
            self._errors[-1] = '-350,"Queue overflow"'
        else:
            self._errors.append(str(error))

    def _next_error(self) -> str:
        return self._errors.popleft() if self._errors else '+0,"No error"'

    def _set_event(self, bit: int) -> None:
        self._event |= bit

    def _take_event(self) -> str:
        event, self._event = self._event, 0
        return str(event)

    def _set_event_enable(self, suffixes: tuple[int, ...], arguments: list[str]) -> None:
        self._event_enable = int(number(arguments[0], "", 0, 255))

    def _set_request_enable(self, suffixes: tuple[int, ...], arguments: list[str]) -> None:
        self._request_enable = int(number(arguments[0], "", 0, 255))


def _resolve(path: str, header: str) -> tuple[str, str]:
    """SCPI-99 6.2.4: a header without a leading colon continues at the level of the one before."""
    header = header.upper()
    if header.startswith("*"):
        return path, header
    full = header[1:] if header.startswith(":") else path + header
    return full.rpartition(":")[0] + ":" if ":" in full else "", full


def _split(text: str, separator: str) -> list[str]:
    """Split outside quotes."""
    return re.findall(rf"""(?:[^{separator}"']|"[^"]*"|'[^']*')+""", text)
