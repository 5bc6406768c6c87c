"""A 6.5-digit multimeter of the 34465A class on one of the board's jacks, DC volts only.

Its error is 30 ppm of reading and 5 ppm of range, fixed for each range; its noise falls with the square
root of the integration time (NPLC, in power line cycles).
"""

import struct
from collections.abc import Callable

from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scpi import Command, ScpiCore, ScpiError, block, boolean, choice, nr3, number

__all__ = ["Meter"]

RANGES_V = (0.1, 1.0, 10.0, 100.0, 1000.0)
OVER_RANGE = 1.2
OVERLOAD = 9.9e37
NPLC = (0.001, 0.002, 0.006, 0.02, 0.06, 0.2, 1.0, 10.0, 100.0)
READING_ERROR, RANGE_ERROR = 30e-6, 5e-6
NOISE_OF_RANGE = 5e-7  # rms at one power line cycle
MOST_SAMPLES = 50_000


class Meter:
    """`jack` gives the volts at the terminals and the name of the run that they belong to.

    With `overload_next` the next reading is an overload.
    """

    def __init__(self, randomness: Randomness, jack: Callable[[], tuple[float, str]]) -> None:
        self.overload_next = False
        self._randomness = randomness
        self._jack = jack
        self._run = ""
        self._read_before = 0  # readings since the board's last run: noise is a function of both
        self._reset()
        identity = f"Keysight Technologies,34465A,EM{randomness.seed:08d},A.03.03-EMULATED"
        self.core = ScpiCore(identity, self._commands(), self._reset)

    def _reset(self) -> None:
        self._range_V, self._auto = 10.0, True
        self._nplc = 10.0
        self._high_impedance = False
        self._samples = 1
        self._source = "IMM"
        self._format, self._order = "ASC", "NORM"
        self._readings: list[float] = []
        self._waiting = False

    def _commands(self) -> dict[str, Command]:
        return {
            "CONFigure[:VOLTage]:DC": Command(lambda s, a: self._configure(a), 0, 2),
            "CONFigure?": Command(lambda s, a: f'"VOLT {nr3(self._range_V)}"'),
            "MEASure[:VOLTage]:DC?": Command(lambda s, a: self._measure(a), 0, 2),
            "[SENSe:]VOLTage[:DC]:NPLC": Command(lambda s, a: self._set_nplc(a[0]), 1, 1),
            "[SENSe:]VOLTage[:DC]:NPLC?": Command(lambda s, a: nr3(self._nplc)),
            "[SENSe:]VOLTage[:DC]:RANGe[:UPPer]": Command(lambda s, a: self._set_range(a[0]), 1, 1),
            "[SENSe:]VOLTage[:DC]:RANGe[:UPPer]?": Command(lambda s, a: nr3(self._range_V)),
            "[SENSe:]VOLTage[:DC]:RANGe:AUTO": Command(lambda s, a: self._set_auto(a[0]), 1, 1),
            "[SENSe:]VOLTage[:DC]:RANGe:AUTO?": Command(lambda s, a: str(int(self._auto))),
            "[SENSe:]VOLTage[:DC]:IMPedance:AUTO": Command(lambda s, a: self._set_impedance(a[0]), 1, 1),
            "[SENSe:]VOLTage[:DC]:IMPedance:AUTO?": Command(lambda s, a: str(int(self._high_impedance))),
            "SAMPle:COUNt": Command(lambda s, a: self._set_samples(a[0]), 1, 1),
            "SAMPle:COUNt?": Command(lambda s, a: str(self._samples)),
            "TRIGger:SOURce": Command(lambda s, a: self._set_source(a[0]), 1, 1),
            "TRIGger:SOURce?": Command(lambda s, a: self._source),
            "FORMat[:DATA]": Command(lambda s, a: self._set_format(a), 1, 2),
            "FORMat[:DATA]?": Command(lambda s, a: "REAL,64" if self._format == "REAL" else "ASC,9"),
            "FORMat:BORDer": Command(lambda s, a: self._set_order(a[0]), 1, 1),
            "FORMat:BORDer?": Command(lambda s, a: self._order),
            "INITiate[:IMMediate]": Command(lambda s, a: self._initiate()),
            "*TRG": Command(lambda s, a: self._trigger()),
            "FETCh?": Command(lambda s, a: self._fetch()),
            "READ?": Command(lambda s, a: self._read()),
        }

    def _configure(self, arguments: list[str]) -> None:
        self._nplc, self._samples, self._source = 10.0, 1, "IMM"
        self._set_range(arguments[0] if arguments else "AUTO")

    def _set_range(self, text: str) -> None:
        self._auto = text.upper() in ("AUTO", "DEF", "DEFAULT")
        if not self._auto:
            asked = number(text, "V", 0, RANGES_V[-1])
            self._range_V = next(r for r in RANGES_V if asked <= r)

    def _set_auto(self, text: str) -> None:
        self._auto = boolean(text)

    def _set_nplc(self, text: str) -> None:
        asked = number(text, "", NPLC[0], NPLC[-1])
        self._nplc = next(n for n in NPLC if asked <= n)

    def _set_impedance(self, text: str) -> None:
        self._high_impedance = boolean(text)

    def _set_samples(self, text: str) -> None:
        self._samples = int(number(text, "", 1, MOST_SAMPLES))

    def _set_source(self, text: str) -> None:
        self._source = choice(text, "IMMediate", "BUS")

    def _set_order(self, text: str) -> None:
        self._order = choice(text, "NORMal", "SWAPped")

    def _set_format(self, arguments: list[str]) -> None:
        kind = choice(arguments[0], "ASCii", "REAL")
        number(arguments[1] if len(arguments) > 1 else "64", "", *((64, 64) if kind == "REAL" else (0, 64)))
        self._format = kind

    def _measure(self, arguments: list[str]) -> bytes:
        self._configure(arguments)
        return self._read()

    def _read(self) -> bytes:
        if self._source == "BUS":
            raise ScpiError(-214, "Trigger deadlock")
        self._initiate()
        return self._fetch()

    def _initiate(self) -> None:
        self._waiting = self._source == "BUS"
        self._readings = [] if self._waiting else self._sample()

    def _trigger(self) -> None:
        if not self._waiting:
            raise ScpiError(-211, "Trigger ignored")
        self._waiting = False
        self._readings = self._sample()

    def _fetch(self) -> bytes:
        if not self._readings:
            raise ScpiError(-230, "Data corrupt or stale")
        if self._format == "ASC":
            return ",".join(nr3(value) for value in self._readings).encode()
        order = ">" if self._order == "NORM" else "<"
        return block(struct.pack(f"{order}{len(self._readings)}d", *self._readings))

    def _sample(self) -> list[float]:
        volts, run = self._jack()  # a buffered jack: 10 MOhm or more makes no difference
        if self._auto:
            self._range_V = next((r for r in RANGES_V if abs(volts) <= OVER_RANGE * r), RANGES_V[-1])
        if self.overload_next or abs(volts) > OVER_RANGE * self._range_V:
            self.overload_next = False
            return [OVERLOAD if volts > 0 else -OVERLOAD] * self._samples
        self._read_before = 0 if run != self._run else self._read_before
        self._run = run
        name = f"meter range {self._range_V:g}"
        value = volts * (1 + self._randomness.within(f"{name} gain", READING_ERROR))
        value += self._randomness.within(f"{name} offset", RANGE_ERROR) * self._range_V
        noise = self._randomness.normals(f"meter noise {run}", self._samples, self._read_before)
        self._read_before += self._samples
        return [float(v) for v in value + noise * (NOISE_OF_RANGE * self._range_V / self._nplc**0.5)]
