"""An oscilloscope of the MDO3000 class, in the dialect of Tektronix' Programmer Manual.

Answers carry their header unless HEADer is OFF. Errors are events: *ESR? releases them, EVMsg? reads one.
Codes of 16 bits are signed, the converter's 8 bits on top; -128 and 127 are its ends.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar, final

import numpy as np

from jackfield.emulator.scope import AbstractScope
from jackfield.emulator.scope_acquisition import Timebase
from jackfield.emulator.scope_channel import Converter, snap_scale
from jackfield.emulator.scpi import Command, ScpiCore, ScpiError, block, boolean, choice, number

__all__ = ["TektronixScope"]

COLUMNS = 10
RECORD_LENGTHS = (1_000, 10_000, 100_000, 1_000_000, 5_000_000, 10_000_000)
SCALES_S = tuple(m * 10.0**e for e in range(-10, 3) for m in (1, 2, 4))
ENCODINGS = {"RIB": ">i", "SRI": "<i", "RPB": ">u", "SRP": "<u"}
_NEVER_HEADED = ("*", "CURV", "EVMS", "ALLE")


class _Core(ScpiCore):
    """Headers in answers, and events in place of an error queue."""

    def __init__(self, identity: str, commands: Mapping[str, Command], reset: Callable[[], None]) -> None:
        self._with_header = True
        self._released: list[str] = []
        own = {
            "HEADer": Command(lambda s, a: self._set_header(a[0]), 1, 1),
            "HEADer?": Command(lambda s, a: str(int(self._with_header))),
            "VERBose": Command(lambda s, a: None, 1, 1),
        }
        super().__init__(identity, {**commands, **own}, self._and_headers(reset), error_query="EVMsg?")

    def _and_headers(self, reset: Callable[[], None]) -> Callable[[], None]:
        def both() -> None:
            reset()
            self._with_header = True

        return both

    def _set_header(self, text: str) -> None:
        self._with_header = boolean(text)

    def _headed(self, header: str, answer: bytes) -> bytes:
        if not self._with_header or header.startswith(_NEVER_HEADED):
            return answer
        return b":" + header.rstrip("?").encode() + b" " + answer

    def clear_status(self) -> None:
        super().clear_status()
        self._released.clear()

    def _take_event(self) -> str:
        self._released = [f"{-int(e.partition(',')[0])},{e.partition(',')[2]}" for e in self._errors]
        self._errors.clear()
        return super()._take_event()

    def _next_error(self) -> str:
        if self._released:
            return self._released.pop(0)
        pending = bool(self._errors)
        return f'{int(pending)},"No events to report - {"new events pending *ESR?" if pending else "queue empty"}"'


@final
class TektronixScope(AbstractScope):
    """An MDO3034."""

    converter: ClassVar = Converter(lowest=-127, middle=0, highest=126, codes_a_division=25, divisions=10)

    def _make_core(self, serial: str) -> ScpiCore:
        return _Core(f"TEKTRONIX,MDO3034,{serial},CF:91.1CT FV:v1.30.EMULATED", self._commands(), self._reset)

    def _reset(self) -> None:
        super()._reset()
        self._sweep, self._after, self._length = "AUTO", "RUNST", 10_000
        self._scale_s, self._percent = 4e-6, 50.0
        self._source, self._encoding, self._width, self._start, self._end = 1, "RIB", 1, 1, 10_000
        self._place()

    def _place(self) -> None:
        range_s = COLUMNS * self._scale_s
        self._timebase = Timebase(range_s, range_s * (0.5 - self._percent / 100), "CENT")

    @property
    def _stored(self) -> int:
        return self._length

    def _trigger_state(self) -> str:
        return "SAVE" if self._state == "STOP" else "READY" if self._sweep == "NORM" else "AUTO"

    def _commands(self) -> dict[str, Command]:
        return {
            "ACQuire:STATE": Command(lambda s, a: self._set_state(a[0]), 1, 1),
            "ACQuire:STATE?": Command(lambda s, a: str(int(self._state != "STOP"))),
            "TRIGger:STATE?": Command(lambda s, a: self._trigger_state()),
            "CURVe?": Command(lambda s, a: self._curve()),
            **self._channel_commands(),
            **self._sweep_commands(),
            **self._preamble_commands(),
        }

    def _set_state(self, text: str) -> None:
        if choice(text, "RUN", "ON", "STOP", "OFF", "1", "0") in ("RUN", "ON", "1"):
            self._arm("SING" if self._after == "SEQ" else "RUN")
        else:
            self._stop()

    def _channel_commands(self) -> dict[str, Command]:
        commands: dict[str, Command] = {}

        def setting(name: str, key: str, parse: Callable[[str], object], show: Callable[[object], str] = str) -> None:
            def change(suffixes: tuple[int, ...], arguments: list[str]) -> None:
                self._change(suffixes[0], **{key: parse(arguments[0])})

            commands[name] = Command(change, 1, 1)
            commands[name + "?"] = Command(lambda s, a: show(getattr(self._channel(s[0]), key)))

        def inverse(value: object) -> str:
            return _nr3(1 / float(str(value)))

        setting("SELect:CH<n>", "display", boolean, lambda v: str(int(bool(v))))
        setting("CH<n>:SCAle", "scale_V", lambda t: snap_scale(number(t, "V", 1e-3, 10)), _nr3)
        setting("CH<n>:OFFSet", "offset_V", lambda t: number(t, "V", -100, 100), _nr3)
        setting("CH<n>:COUPling", "coupling", lambda t: choice(t, "DC", "AC"))
        setting("CH<n>:PRObe:GAIN", "attenuation", lambda t: 1 / number(t, "", 1e-4, 1e3), inverse)
        termination = {"MEG": "ONEM", "FIF": "FIFT"}
        setting(
            "CH<n>:TERmination",
            "impedance",
            lambda t: termination[choice(t, "MEG", "FIFty")],
            lambda v: "1.0000E+6" if v == "ONEM" else "50.0000",
        )
        setting(
            "CH<n>:BANdwidth",
            "bandwidth_limit",
            lambda t: choice(t, "TWEnty", "FULl") == "TWE",
            lambda v: "20.0000E+6" if v else "350.0000E+6",
        )
        commands["CH<n>:POSition"] = Command(lambda s, a: _nothing(number(a[0], "", 0, 0)), 1, 1)
        commands["CH<n>:POSition?"] = Command(lambda s, a: "0.0E+0")
        return commands

    def _sweep_commands(self) -> dict[str, Command]:
        commands: dict[str, Command] = {}

        def setting(name: str, key: str, parse: Callable[[str], object], show: Callable[[object], str] = str) -> None:
            def change(suffixes: tuple[int, ...], arguments: list[str]) -> None:
                setattr(self, key, parse(arguments[0]))
                self._place()

            commands[name] = Command(change, 1, 1)
            commands[name + "?"] = Command(lambda s, a: show(getattr(self, key)))

        channels = [f"CH{n}" for n in self._channels]
        setting("HORizontal:SCAle", "_scale_s", _scale_s, _nr3)
        setting("HORizontal:RECOrdlength", "_length", _length)
        setting("HORizontal:POSition", "_percent", lambda t: number(t, "", 0, 100), _nr3)
        setting("HORizontal:DELay:MODe", "_delayed", lambda t: choice(t, "OFF", "0"), lambda v: "0")
        setting("TRIGger:A:TYPe", "_type", lambda t: choice(t, "EDGe"), lambda v: "EDGE")
        setting("TRIGger:A:EDGE:SOUrce", "_trigger_source", lambda t: _input(choice(t, *channels, "AUX")), _told_input)
        setting(
            "TRIGger:A:EDGE:SLOpe",
            "_rising",
            lambda t: choice(t, "RISe", "FALL") == "RIS",
            lambda v: "RISE" if v else "FALL",
        )
        setting("TRIGger:A:LEVel", "_level_V", lambda t: number(t, "V", -40, 40), _nr3)
        setting("TRIGger:A:MODe", "_sweep", lambda t: choice(t, "AUTO", "NORMal"))
        setting(
            "ACQuire:MODe",
            "_high_resolution",
            lambda t: choice(t, "SAMple", "HIRes") == "HIR",
            lambda v: "HIR" if v else "SAM",
        )
        setting("ACQuire:STOPAfter", "_after", lambda t: choice(t, "RUNSTop", "SEQuence"))
        setting("DATa:SOUrce", "_source", lambda t: int(choice(t, *channels)[-1]), lambda n: f"CH{n}")
        setting("DATa:ENCdg", "_encoding", lambda t: choice(t, "RIBinary", "SRIbinary", "RPBinary", "SRPbinary"))
        setting("DATa:WIDth", "_width", lambda t: int(number(t, "", 1, 2)))
        setting("DATa:STARt", "_start", lambda t: int(number(t, "", 1, RECORD_LENGTHS[-1])))
        setting("DATa:STOP", "_end", lambda t: int(number(t, "", 1, RECORD_LENGTHS[-1])))
        return commands

    def _preamble_commands(self) -> dict[str, Command]:
        told: dict[str, Callable[[], str]] = {
            "BYT_Nr": lambda: str(self._width),
            "BIT_Nr": lambda: str(8 * self._width),
            "ENCdg": lambda: "BINARY",
            "BN_Fmt": lambda: "RP" if ENCODINGS[self._encoding][1] == "u" else "RI",
            "BYT_Or": lambda: "MSB" if ENCODINGS[self._encoding][0] == ">" else "LSB",
            "NR_Pt": lambda: str(self._count()),
            "XINcr": lambda: _nr3(self._record(self._source).step_s),
            "XZEro": lambda: _nr3(self._record(self._source).timebase.start_s),
            "PT_Off": lambda: "0",
            "YMUlt": lambda: _nr3(self._record(self._source).channels[self._source].code_volts / self._share),
            "YOFf": lambda: _nr3(0.0),
            "YZEro": lambda: _nr3(self._record(self._source).channels[self._source].offset_V),
        }
        return {f"WFMOutpre:{name}?": Command(partial(_ask, show)) for name, show in told.items()}

    @property
    def _share(self) -> int:
        return 256 if self._width == 2 else 1

    def _count(self) -> int:
        return max(min(self._end, self._record(self._source).stored) - self._start + 1, 0)

    def _curve(self) -> bytes:
        order, kind = ENCODINGS[self._encoding][0], ENCODINGS[self._encoding][1]
        codes = self._record(self._source).codes(self._source, 1)
        part = slice(self._start - 1, self._start - 1 + self._count())
        share = self._share
        lowest, highest = -128 * share, 127 * share + share - 1
        levels = np.clip(np.rint(codes.values[part] * share), lowest, highest)
        levels[codes.low[part]], levels[codes.high[part]] = lowest, highest
        if kind == "u":
            levels += 128 * share
        return block(levels.astype(f"{order}{kind}{self._width}").tobytes())


def _nr3(value: object) -> str:
    return f"{float(str(value)):.9E}"


def _ask(show: Callable[[], str], suffixes: tuple[int, ...], arguments: list[str]) -> str:
    return show()


def _nothing(value: object) -> None:
    """Commands are never answered."""


def _scale_s(text: str) -> float:
    asked = number(text, "s", 1e-10, 4e2)
    return next((s for s in SCALES_S if asked <= s * (1 + 1e-6)), SCALES_S[-1])


def _length(text: str) -> int:
    asked = int(number(text, "", 1, RECORD_LENGTHS[-1]))
    if asked not in RECORD_LENGTHS:
        raise ScpiError(-222, "Data out of range")
    return asked


def _input(name: str) -> str:
    return "EXT" if name == "AUX" else f"CHAN{name[2:]}"


def _told_input(source: object) -> str:
    return "AUX" if source == "EXT" else str(source).replace("CHAN", "CH")
