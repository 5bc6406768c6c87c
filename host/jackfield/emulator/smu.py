"""A source-measure unit of the Keithley 2450 class with a resistor on its terminals.

Sources voltage within a current limit or current within a voltage limit, measures either.
"""

from functools import partial
from typing import final

from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scpi import Command, ScpiCore, ScpiError, boolean, choice, number

__all__ = ["SourceMeasureUnit"]

MOST_V, MOST_A = 210.0, 1.05
LOAD_OHM = 1e3
READING_ERROR, NOISE = 1e-4, 2e-6
OVERFLOW = 9.9e37


@final
class SourceMeasureUnit:
    """`load_ohm` is what is connected to the output. With `overload_next` the next reading is an overflow."""

    def __init__(self, randomness: Randomness, load_ohm: float = LOAD_OHM) -> None:
        self.overload_next = False
        self.load_ohm = load_ohm
        self._randomness = randomness
        self._readings = 0
        self._reset()
        self.core = ScpiCore(
            f"KEITHLEY INSTRUMENTS,MODEL 2450,EM{randomness.seed:08d},1.7.EMULATED", self._commands(), self._reset
        )

    def _reset(self) -> None:
        self.output = False
        self._source, self._sense = "VOLT", "CURR"
        self._level = {"VOLT": 0.0, "CURR": 0.0}
        self._limit = {"VOLT": 1.05e-4, "CURR": 21.0}  # current limit of VOLT, voltage limit of CURR
        self._numbers: dict[str, float] = {}

    @property
    def terminals(self) -> tuple[float, float]:
        """Volts and amperes at the output."""
        if not self.output:
            return 0.0, 0.0
        if self._source == "VOLT":
            amperes = self._level["VOLT"] / self.load_ohm
            limit = self._limit["VOLT"]
            amperes = max(-limit, min(limit, amperes))
            return amperes * self.load_ohm, amperes
        volts = max(-self._limit["CURR"], min(self._limit["CURR"], self._level["CURR"] * self.load_ohm))
        return volts, volts / self.load_ohm

    @property
    def _tripped(self) -> bool:
        if not self.output:
            return False
        volts, amperes = self.terminals
        reached, limit = (abs(amperes), "VOLT") if self._source == "VOLT" else (abs(volts), "CURR")
        return reached >= self._limit[limit]

    def _commands(self) -> dict[str, Command]:
        commands = {
            "SOURce:FUNCtion": Command(lambda s, a: self._set_source(a[0]), 1, 1),
            "SOURce:FUNCtion?": Command(lambda s, a: self._source),
            "SENSe:FUNCtion": Command(lambda s, a: self._set_sense(a[0]), 1, 1),
            "SENSe:FUNCtion?": Command(lambda s, a: f'"{self._sense}:DC"'),
            "OUTPut[:STATe]": Command(lambda s, a: self._set_output(a[0]), 1, 1),
            "OUTPut[:STATe]?": Command(lambda s, a: str(int(self.output))),
            "READ?": Command(lambda s, a: self._read(), 0, 2),
            "MEASure:VOLTage[:DC]?": Command(lambda s, a: self._measure("VOLT")),
            "MEASure:CURRent[:DC]?": Command(lambda s, a: self._measure("CURR")),
            "ABORt": Command(lambda s, a: None),
            "STATus:PRESet": Command(lambda s, a: None),
            "TRACe:CLEar": Command(lambda s, a: None, 0, 1),
            "SYSTem:BEEPer": Command(lambda s, a: None, 2, 2),
            "ROUTe:TERMinals": Command(lambda s, a: _nothing(choice(a[0], "FRONt", "REAR")), 1, 1),
        }
        for key, name, most in (("VOLT", "VOLTage", MOST_V), ("CURR", "CURRent", MOST_A)):
            commands |= self._source_commands(key, name, most)
            commands |= self._sense_commands(key, name, most)
        commands["SOURce:VOLTage:ILIMit[:LEVel]"] = Command(lambda s, a: self._set_limit("VOLT", a[0], MOST_A), 1, 1)
        commands["SOURce:CURRent:VLIMit[:LEVel]"] = Command(lambda s, a: self._set_limit("CURR", a[0], MOST_V), 1, 1)
        for name, key in (("VOLTage:ILIMit", "VOLT"), ("CURRent:VLIMit", "CURR")):
            commands[f"SOURce:{name}[:LEVel]?"] = Command(partial(self._told_limit, key))
            commands[f"SOURce:{name}[:LEVel]:TRIPped?"] = Command(lambda s, a: str(int(self._tripped)))
        return commands

    def _source_commands(self, key: str, name: str, most: float) -> dict[str, Command]:
        level = f"SOURce:{name}[:LEVel][:IMMediate][:AMPLitude]"
        return {
            level: Command(lambda s, a: self._set_level(key, a[0], most), 1, 1),
            level + "?": Command(lambda s, a: _nr3(self._level[key])),
            **self._kept(f"SOURce:{name}:RANGe", most, most),
            **self._kept(f"SOURce:{name}:RANGe:AUTO", 1, 1, switch=True),
            **self._kept(f"SOURce:{name}:DELay", 0, 1e4),
            **self._kept(f"SOURce:{name}:DELay:AUTO", 1, 1, switch=True),
        }

    def _sense_commands(self, key: str, name: str, most: float) -> dict[str, Command]:
        return {
            **self._kept(f"SENSe:{name}:RANGe", most, most),
            **self._kept(f"SENSe:{name}:RANGe:AUTO", 1, 1, switch=True),
            **self._kept(f"SENSe:{name}:NPLC", 1, 10),
        }

    def _kept(self, pattern: str, first: float, most: float, switch: bool = False) -> dict[str, Command]:
        """A setting that is checked and told, and changes nothing else."""

        def change(suffixes: tuple[int, ...], arguments: list[str]) -> None:
            text = arguments[0]
            self._numbers[pattern] = float(boolean(text)) if switch else number(text, "", -most, most)

        def show(suffixes: tuple[int, ...], arguments: list[str]) -> str:
            value = self._numbers.get(pattern, first)
            return str(int(value)) if switch else _nr3(value)

        return {pattern: Command(change, 1, 1), pattern + "?": Command(show)}

    def _set_source(self, text: str) -> None:
        self._source = choice(text, "VOLTage", "CURRent")
        self.output = False

    def _set_sense(self, text: str) -> None:
        self._sense = choice(text.strip("'\"").partition(":")[0], "VOLTage", "CURRent")

    def _set_output(self, text: str) -> None:
        self.output = boolean(text)

    def _set_level(self, key: str, text: str, most: float) -> None:
        self._level[key] = number(text, "V" if key == "VOLT" else "A", -most, most)

    def _set_limit(self, key: str, text: str, most: float) -> None:
        self._limit[key] = number(text, "A" if key == "VOLT" else "V", 1e-9, most)

    def _told_limit(self, key: str, suffixes: tuple[int, ...], arguments: list[str]) -> str:
        return _nr3(self._limit[key])

    def _read(self) -> str:
        return self._measure(self._sense)

    def _measure(self, what: str) -> str:
        if not self.output:
            raise ScpiError(5066, "Output must be on to make a measurement")
        volts, amperes = self.terminals
        value = volts if what == "VOLT" else amperes
        noise = float(self._randomness.normals("smu noise", 1, self._readings)[0])
        self._readings += 1
        if self.overload_next:
            self.overload_next = False
            return _nr3(OVERFLOW)
        return _nr3(value * (1 + self._randomness.within("smu gain", READING_ERROR) + NOISE * noise))


def _nr3(value: float) -> str:
    return f"{value:.9E}"


def _nothing(value: str) -> None:
    """Commands are never answered."""
