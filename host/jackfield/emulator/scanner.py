"""A scanner of the DAQ970A class: one meter, DC volts only, that goes from jack to jack."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import final

from jackfield.emulator.meter import NOISE_OF_RANGE, NPLC, OVER_RANGE, OVERLOAD, RANGE_ERROR, RANGES_V, READING_ERROR
from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scpi import Command, ScpiCore, ScpiError, block, boolean, choice, nr3, number

__all__ = ["Scanner"]

CHANNELS = range(101, 121)
MOST_READINGS = 100_000


@final
class Scanner:
    """`jack` gives the volts on a channel (101 to 120) and the name of the run that they belong to.

    With `overload_next` the next scan is overloaded.
    """

    def __init__(self, randomness: Randomness, jack: Callable[[int], tuple[float, str]]) -> None:
        self.overload_next = False
        self._randomness = randomness
        self._jack = jack
        self._run, self._read_before = "", 0
        self._reset()
        identity = f"Keysight Technologies,DAQ970A,EM{randomness.seed:08d},A.02.02-EMULATED"
        self.core = ScpiCore(identity, self._commands(), self._reset)

    def _reset(self) -> None:
        self._list: list[int] = []
        self._ranges = dict.fromkeys(CHANNELS, 10.0)
        self._nplc = dict.fromkeys(CHANNELS, 1.0)
        self._sweeps = 1
        self._with = dict.fromkeys(("UNIT", "CHAN", "TIME"), False)
        self._memory: deque[str] = deque()

    def _commands(self) -> dict[str, Command]:
        commands = {
            "CONFigure[:VOLTage]:DC": Command(lambda s, a: self._configure(a), 2, 30),
            "[SENSe:]VOLTage[:DC]:NPLC": Command(lambda s, a: self._set_nplc(a), 2, 30),
            "INPut:IMPedance:AUTO": Command(lambda s, a: self._set_impedance(a), 2, 30),
            "ROUTe:SCAN": Command(lambda s, a: self._set_scan(a), 1, 30),
            "ROUTe:SCAN?": Command(lambda s, a: block(f"(@{','.join(map(str, self._list))})".encode())),
            "TRIGger:SOURce": Command(lambda s, a: self._nothing(choice(a[0], "IMMediate", "BUS")), 1, 1),
            "TRIGger:COUNt": Command(lambda s, a: self._set_sweeps(a[0]), 1, 1),
            "INITiate": Command(lambda s, a: self._scan()),
            "ABORt": Command(lambda s, a: None),
            "R?": Command(lambda s, a: self._take(a), 0, 1),
            "DATA:POINts?": Command(lambda s, a: str(len(self._memory))),
            "FETCh?": Command(lambda s, a: self._fetch()),
            "READ?": Command(lambda s, a: self._read()),
        }
        for name in ("UNIT", "CHANnel", "TIME"):
            commands[f"FORMat:READing:{name}"] = Command(partial(self._show, name[:4]), 1, 1)
        return commands

    def _nothing(self, value: object) -> None:
        """Commands are never answered."""

    def _configure(self, arguments: list[str]) -> None:
        asked = number(arguments[0], "V", 0, RANGES_V[-1])
        for channel in _channels(arguments[1:]):
            self._ranges[channel], self._nplc[channel] = next(r for r in RANGES_V if asked <= r), 1.0
        self._list = _channels(arguments[1:])
        self._memory.clear()

    def _set_nplc(self, arguments: list[str]) -> None:
        asked = number(arguments[0], "", NPLC[0], NPLC[-1])
        for channel in _channels(arguments[1:]):
            self._nplc[channel] = next(n for n in NPLC if asked <= n)

    def _set_impedance(self, arguments: list[str]) -> None:
        boolean(arguments[0])
        _channels(arguments[1:])

    def _set_scan(self, arguments: list[str]) -> None:
        self._list = _channels(arguments)
        self._memory.clear()

    def _set_sweeps(self, text: str) -> None:
        self._sweeps = int(number(text, "", 1, 50_000))

    def _show(self, part: str, suffixes: tuple[int, ...], arguments: list[str]) -> None:
        self._with[part] = boolean(arguments[0])

    def _scan(self) -> None:
        if not self._list:
            raise ScpiError(-221, "Settings conflict")
        self._memory.clear()
        for _ in range(self._sweeps):
            self._memory += [self._reading(channel) for channel in self._list]
        self.overload_next = False

    def _reading(self, channel: int) -> str:
        volts, run = self._jack(channel)
        range_V, nplc = self._ranges[channel], self._nplc[channel]
        self._read_before = 0 if run != self._run else self._read_before + 1
        self._run = run
        value = volts * (1 + self._randomness.within(f"scanner range {range_V:g} gain", READING_ERROR))
        value += self._randomness.within(f"scanner range {range_V:g} offset", RANGE_ERROR) * range_V
        noise = float(self._randomness.normals(f"scanner noise {run}", 1, self._read_before)[0])
        value += noise * NOISE_OF_RANGE * range_V / nplc**0.5
        if self.overload_next or abs(volts) > OVER_RANGE * range_V:
            value = OVERLOAD
        unit = " VDC" if self._with["UNIT"] else ""
        time = ",0.0" if self._with["TIME"] else ""
        return nr3(value) + unit + time + (f",{channel}" if self._with["CHAN"] else "")

    def _take(self, arguments: list[str]) -> bytes:
        most = int(number(arguments[0], "", 1, MOST_READINGS)) if arguments else MOST_READINGS
        taken = [self._memory.popleft() for _ in range(min(most, len(self._memory)))]
        return block(",".join(taken).encode())

    def _fetch(self) -> str:
        if not self._memory:
            raise ScpiError(-230, "Data corrupt or stale")
        return ",".join(self._memory)

    def _read(self) -> str:
        self._scan()
        return self._fetch()


def _channels(arguments: list[str]) -> list[int]:
    """`(@101,103:105)`, already split at its commas."""
    text = ",".join(arguments).replace(" ", "")
    if not (text.startswith("(@") and text.endswith(")")):
        raise ScpiError(-178, "Expression data not allowed")
    channels: list[int] = []
    for part in text[2:-1].split(","):
        first, _, last = part.partition(":")
        if not (first.isdigit() and (last or first).isdigit()):
            raise ScpiError(-171, "Invalid expression")
        channels += range(int(first), int(last or first) + 1)
    if any(channel not in CHANNELS for channel in channels):
        raise ScpiError(112, "Channel list: channel number out of range")
    return channels
