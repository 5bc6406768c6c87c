"""The hybrid port of The Analog Thing behind an Arduino Mega with anabrid's library THAThc 1.0 (its interactive shell).

Facts: github.com/anabrid/THAThc, THAThc.ino (250,000 baud, the shell) and THAThc.cpp, functions shell, single_run,
data_logger, read_data. A command is taken when the line has been silent for a second (Arduino's readString), so that
two sent at once are one. Nothing has a checksum; a logged value stands with three decimals for a code of a 10-bit
converter. The logger writes beyond its memory of 2,048 codes where interval, rounded down, is too short for OP: such
runs are refused here.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from jackfield.errors import BoardError, DesignError, LinkError
from jackfield.link import AbstractTransport, open_transport

__all__ = ["BAUD", "CHANNEL_S", "HybridLog", "HybridPort", "HybridStatus", "logged_samples", "longest_log"]

BAUD: Final = 250_000
ANSWER_S: Final = 3.0  # a second of silence before it begins to answer, and the answer
START_TRIES: Final = 4  # opening the port restarts an Arduino, which needs two seconds
CHANNELS: Final = 4
MEMORY: Final = 2048  # codes of the data logger
CHANNEL_US: Final = 110  # one conversion
CHANNEL_S: Final = CHANNEL_US * 1e-6
LONGEST_MS: Final = 32_767  # the firmware's numbers are 16 bits wide
CODES: Final = 1 << 10
_NUMBERS = re.compile(r"-?\d+\.\d{3}(;-?\d+\.\d{3})*")


@dataclass(frozen=True)
class HybridStatus:
    """What `status` answers; `minus` and `plus` are the codes of -1 and +1, `logged` codes are in the memory."""

    version: str
    op_ms: int
    ic_ms: int
    channels: int
    armed: bool
    interval_us: int
    minus: int
    plus: int
    logged: int

    @property
    def lsb(self) -> float:
        """One step of the converter in full scales of the machine."""
        return 2 / (self.plus - self.minus)


@dataclass(frozen=True)
class HybridLog:
    """One logged OP: `values[sample, channel]` in full scales, sample k taken (k + 1) `interval_s` after its begin.

    Channels are converted one after the other, `CHANNEL_S` apart. `lsb` is one step of the converter.
    """

    interval_s: float
    lsb: float
    values: NDArray[np.float64]


def logged_samples(op_ms: int, channels: int) -> tuple[int, int]:
    """Samples that the firmware logs in an OP, and their interval in microseconds (THAThc.cpp, single_run)."""
    interval = max(op_ms * 1000 // (MEMORY // channels), channels * CHANNEL_US)
    return op_ms * 1000 // interval, interval


def longest_log(op_ms: int, channels: int) -> int:
    """The longest OP up to `op_ms` whose samples the Arduino's memory holds."""
    return next((ms for ms in range(op_ms, 0, -1) if _fits(ms, channels)), 1)


class HybridPort:
    """One machine behind `transport`, which it owns. Leaves it halted and under its own switch.

    Raises LinkError where nothing or nonsense comes in time, BoardError where the controller refuses.
    """

    def __init__(self, transport: AbstractTransport) -> None:
        self._transport = transport
        self._unread = bytearray()
        self._set_to: dict[str, int] = {}  # every command costs a second
        try:
            self._first = self._greeted()
        except BaseException:
            transport.close()
            raise

    @classmethod
    def at(cls, url: str) -> Self:
        """The machine at `serial:///dev/ttyACM0`."""
        return cls(open_transport(url, BAUD))

    @property
    def version(self) -> str:
        """Of the library on the Arduino."""
        return self._first.version

    def status(self) -> HybridStatus:
        """Times, channels and the logger's state."""
        return _status(self._ask("status", "version="))

    def enable(self) -> None:
        """Take the machine over from its own switch; it is in IC then."""
        self._ask("enable", "Hybrid mode enabled.")

    def mode(self, mode: str) -> None:
        """ "ic", "op" or "halt"."""
        if mode not in ("ic", "op", "halt"):
            raise DesignError(f"mode {mode!r} is asked; ic, op and halt are possible")
        self._ask(mode, mode.upper())

    def sample(self, channels: int = CHANNELS) -> NDArray[np.float64]:
        """What the first `channels` output jacks show now, in full scales."""
        self._set("channels", channels)
        return self._rows([self._ask("sample", "")], channels, self._first).reshape(channels)

    def run(self, op_ms: int, channels: int, ic_ms: int = 100) -> HybridLog:
        """IC, then a logged OP, then HALT. DesignError where the firmware would log beyond its memory."""
        samples, interval = logged_samples(op_ms, channels)
        if not 1 <= op_ms <= LONGEST_MS or not 1 <= channels <= CHANNELS:
            raise DesignError(
                f"OP of {op_ms} ms with {channels} channels is asked; 1 to {LONGEST_MS} and 1 to {CHANNELS} are "
                "possible"
            )
        if samples * channels > MEMORY:
            raise DesignError(
                f"OP of {op_ms} ms with {channels} channels makes {samples * channels} codes, the Arduino's memory "
                f"holds {MEMORY} and it does not look; {longest_log(op_ms, channels)} "
                "ms fit"
            )
        for name, value in (("channels", channels), ("ictime", ic_ms), ("optime", op_ms)):
            self._set(name, value)
        self._ask("arm", "Armed...")
        self._ask("run", "Single run...")
        self._line(f"interval={interval}", ANSWER_S)
        self._line("Single run ended.", (ic_ms + op_ms) / 1000 + ANSWER_S)
        status = self.status()
        count = status.logged // channels
        # A run may end a moment before its last sample, never after one more.
        if not samples - 1 <= count <= samples:
            raise LinkError(f"{count} samples are logged where {samples} were to come; run it again")
        self._send("read")
        return HybridLog(
            status.interval_us * 1e-6,
            status.lsb,
            self._rows([self._line("", ANSWER_S) for _ in range(count)], channels, status),
        )

    def close(self) -> None:
        """HALT, the machine's own switch, and the port given back, also where the line is gone."""
        try:
            self.mode("halt")
            self._ask("disable", "Hybrid mode disabled.")
        finally:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _greeted(self) -> HybridStatus:
        """Ask until the Arduino, which starts anew when its port is opened, answers."""
        for _ in range(START_TRIES - 1):
            try:
                return self.status()
            except LinkError:
                self._unread.clear()
        return self.status()

    def _set(self, name: str, value: int) -> None:
        if self._set_to.get(name) == value:
            return
        answer = self._ask(f"{name}={value}", f"{name}=")
        if answer != f"{name}={value}":
            raise BoardError(f"{name}={value} is asked, the controller says {answer!r}; ask for another value")
        self._set_to[name] = value

    def _rows(self, lines: list[str], channels: int, status: HybridStatus) -> NDArray[np.float64]:
        """Values from lines; LinkError where one is none, or no code of the converter: a digit was damaged."""
        for line in lines:
            if not _NUMBERS.fullmatch(line) or line.count(";") != channels - 1:
                raise LinkError(f"{line!r} came where {channels} values were to come; run it again")
        values = np.array([[float(text) for text in line.split(";")] for line in lines]).reshape(-1, channels)
        codes = (values + 1) / status.lsb + status.minus
        if values.size and (np.abs(codes - np.rint(codes)) > 0.0006 / status.lsb).any():
            raise LinkError("a value came that is no code of the converter; run it again")
        exact = (np.rint(codes) - status.minus) * status.lsb - 1
        if codes.size and not (codes.min() > -0.5 and codes.max() < CODES - 0.5):
            raise LinkError(f"codes beyond 0..{CODES - 1} came; run it again")
        return np.asarray(exact)

    def _send(self, command: str) -> None:
        self._unread.clear()
        self._transport.write(command.encode() + b"\n")

    def _ask(self, command: str, answer: str) -> str:
        """Send a command; the line that begins its answer."""
        self._send(command)
        return self._line(answer, ANSWER_S, command)

    def _line(self, begin: str, patience_s: float, command: str = "") -> str:
        """The next line that begins with `begin`; the greeting of the shell and empty lines are passed over."""
        deadline = self._transport.now() + patience_s
        while True:
            line, found, rest = bytes(self._unread).partition(b"\n")
            if found:
                self._unread[:] = rest
                text = line.decode("ascii", "replace").strip()
                if text.startswith("Illegal"):
                    raise BoardError(f"the controller refuses {command or 'a command'}: {text}")
                if text and text.startswith(begin) and not text.startswith(("Interactive Shell", "---")):
                    return text
                continue
            left = deadline - self._transport.now()
            if left <= 0:
                what = f"did not answer {command}" if command else f"has not said {begin or 'more'}"
                raise LinkError(
                    f"{self._transport.name} {what} within {patience_s:g} s; check cable, power and that the Arduino "
                    "runs THAThc's shell"
                )
            self._unread += self._transport.read(left)


def _fits(op_ms: int, channels: int) -> bool:
    return logged_samples(op_ms, channels)[0] * channels <= MEMORY


def _status(line: str) -> HybridStatus:
    try:
        values = dict(pair.split("=", 1) for pair in line.split(","))
        numbers = {
            name: int(values[key])
            for name, key in (
                *(("op_ms", "optime"), ("ic_ms", "ictime"), ("channels", "channels"), ("interval_us", "interval")),
                *(("minus", "adcminus"), ("plus", "adcplus"), ("logged", "dataindex")),
            )
        }
        status = HybridStatus(values["version"], armed=values["armed"] != "0", **numbers)
    except (KeyError, ValueError) as error:
        raise LinkError(f"{line!r} is no status ({error}); ask again") from error
    if not 0 <= status.minus < status.plus < CODES:
        raise LinkError(f"codes {status.minus} and {status.plus} for -1 and +1 came; ask again")
    return status
