"""An oscilloscope of the DS1000Z class, in the dialect of Rigol's Programming Guide.

It has no external trigger input: the board's pulse comes to channel 4. The memory is read while stopped, at
most 250,000 points at a time; codes 0 and 255 are the converter's ends.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, final

import numpy as np

from jackfield.emulator.scope import AbstractScope
from jackfield.emulator.scope_acquisition import Timebase
from jackfield.emulator.scope_channel import Converter, snap_scale
from jackfield.emulator.scpi import Command, ScpiCore, ScpiError, block, boolean, choice, nr3, number

__all__ = ["RigolScope"]

COLUMNS = 12
POINTS_A_READ = 250_000
SCREEN_POINTS = 1200
DEPTHS = (12_000_000, 1_200_000, 120_000, 12_000)  # with one channel on; half with two, a quarter with more
SCALES_S = tuple(m * 10.0**e for e in range(-9, 2) for m in (1, 2, 5))


@final
class RigolScope(AbstractScope):
    """A DS1104Z."""

    converter: ClassVar = Converter(lowest=1, middle=127, highest=254, codes_a_division=25, divisions=8)
    trigger_input: ClassVar = "CHAN4"

    def _make_core(self, serial: str) -> ScpiCore:
        return ScpiCore(f"RIGOL TECHNOLOGIES,DS1104Z,{serial},00.04.EMULATED", self._commands(), self._reset)

    def _reset(self) -> None:
        super()._reset()
        self._timebase = Timebase(range_s=COLUMNS * 1e-6)
        self._sweep, self._depth = "AUTO", 0
        self._source, self._mode, self._format, self._start, self._end = 1, "NORM", "BYTE", 1, SCREEN_POINTS
        self._state = "RUN"

    def _depths(self) -> tuple[int, ...]:
        on = sum(channel.display for channel in self._channels.values())
        return tuple(depth // (1 if on <= 1 else 2 if on == 2 else 4) for depth in DEPTHS)

    @property
    def _stored(self) -> int:
        return self._depth if self._depth in self._depths() else self._depths()[1]

    def _status(self) -> str:
        return {"STOP": "STOP", "SING": "WAIT", "RUN": "WAIT" if self._sweep != "AUTO" else "AUTO"}[self._state]

    def _commands(self) -> dict[str, Command]:
        return {
            "RUN": Command(lambda s, a: self._arm("RUN")),
            "STOP": Command(lambda s, a: self._stop()),
            "SINGle": Command(lambda s, a: self._arm("SING")),
            "TRIGger:STATus?": Command(lambda s, a: self._status()),
            "WAVeform:PREamble?": Command(lambda s, a: self._preamble()),
            "WAVeform:DATA?": Command(lambda s, a: self._data()),
            **self._channel_commands(),
            **self._sweep_commands(),
            **self._waveform_commands(),
        }

    def _channel_commands(self) -> dict[str, Command]:
        commands: dict[str, Command] = {}

        def setting(name: str, key: str, parse: Callable[[str], object], show: Callable[[object], str]) -> None:
            def change(suffixes: tuple[int, ...], arguments: list[str]) -> None:
                self._change(suffixes[0], **{key: parse(arguments[0])})

            commands[f"CHANnel<n>:{name}"] = Command(change, 1, 1)
            commands[f"CHANnel<n>:{name}?"] = Command(lambda s, a: show(getattr(self._channel(s[0]), key)))

        setting("SCALe", "scale_V", lambda t: snap_scale(number(t, "V", 1e-3, 10)), lambda v: nr3(float(str(v))))
        setting("OFFSet", "offset_V", lambda t: number(t, "V", -1e3, 1e3), lambda v: nr3(float(str(v))))
        setting("PROBe", "attenuation", lambda t: number(t, "", 0.01, 1000), lambda v: f"{v:g}")
        setting("COUPling", "coupling", lambda t: choice(t, "DC", "AC", "GND"), str)
        setting(
            "BWLimit", "bandwidth_limit", lambda t: choice(t, "20M", "OFF") == "20M", lambda v: "20M" if v else "OFF"
        )
        setting("DISPlay", "display", boolean, lambda v: str(int(bool(v))))
        return commands

    def _sweep_commands(self) -> dict[str, Command]:
        commands: dict[str, Command] = {}

        def setting(name: str, change: Callable[[str], None], show: Callable[[], str]) -> None:
            commands[name] = Command(lambda s, a: change(a[0]), 1, 1)
            commands[name + "?"] = Command(lambda s, a: show())

        setting("TIMebase:MODE", lambda t: self._set(choice(t, "MAIN")), lambda: "MAIN")
        setting("TIMebase[:MAIN]:SCALe", self._set_scale, lambda: nr3(self._timebase.range_s / COLUMNS))
        setting("TIMebase[:MAIN]:OFFSet", self._set_offset, lambda: nr3(self._timebase.position_s))
        setting("TRIGger:MODE", lambda t: self._set(choice(t, "EDGE")), lambda: "EDGE")
        setting("TRIGger:SWEep", self._set_sweep, lambda: self._sweep)
        setting("TRIGger:EDGe:SOURce", self._set_trigger, lambda: self._trigger_source)
        setting("TRIGger:EDGe:LEVel", self._set_level, lambda: nr3(self._level_V))
        setting("TRIGger:EDGe:SLOPe", self._set_slope, lambda: "POS" if self._rising else "NEG")
        setting("ACQuire:TYPE", self._set_type, lambda: "HRES" if self._high_resolution else "NORM")
        setting("ACQuire:MDEPth", self._set_depth, lambda: str(self._depth or "AUTO"))
        commands["ACQuire:SRATe?"] = Command(lambda s, a: nr3(self._stored / self._timebase.range_s))
        return commands

    def _waveform_commands(self) -> dict[str, Command]:
        def setting(name: str, key: str, parse: Callable[[str], object], show: Callable[[object], str] = str) -> None:
            commands[f"WAVeform:{name}"] = Command(lambda s, a: setattr(self, key, parse(a[0])), 1, 1)
            commands[f"WAVeform:{name}?"] = Command(lambda s, a: show(getattr(self, key)))

        commands: dict[str, Command] = {}
        channels = [f"CHANnel{n}" for n in self._channels]
        setting("SOURce", "_source", lambda t: int(choice(t, *channels)[-1]), lambda n: f"CHAN{n}")
        setting("MODE", "_mode", lambda t: choice(t, "NORMal", "MAXimum", "RAW"))
        setting("FORMat", "_format", lambda t: choice(t, "BYTE", "WORD"))
        setting("STARt", "_start", lambda t: int(number(t, "", 1, DEPTHS[0])))
        setting("STOP", "_end", lambda t: int(number(t, "", 1, DEPTHS[0])))
        return commands

    def _set(self, kept: str) -> None:
        """The only value there is."""

    def _set_scale(self, text: str) -> None:
        asked = number(text, "s", 1e-9, 50)
        scale = next((s for s in SCALES_S if asked <= s * (1 + 1e-6)), SCALES_S[-1])
        self._timebase = replace(self._timebase, range_s=COLUMNS * scale)

    def _set_offset(self, text: str) -> None:
        self._timebase = replace(self._timebase, position_s=number(text, "s", -1e3, 1e3))

    def _set_sweep(self, text: str) -> None:
        self._sweep = choice(text, "AUTO", "NORMal", "SINGle")

    def _set_trigger(self, text: str) -> None:
        self._trigger_source = choice(text, *(f"CHANnel{n}" for n in self._channels), "ACLine")

    def _set_level(self, text: str) -> None:
        self._level_V = number(text, "V", -1e3, 1e3)

    def _set_slope(self, text: str) -> None:
        self._rising = choice(text, "POSitive", "NEGative") == "POS"

    def _set_type(self, text: str) -> None:
        self._high_resolution = choice(text, "NORMal", "HRESolution") == "HRES"

    def _set_depth(self, text: str) -> None:
        if self._state == "STOP":
            raise ScpiError(-221, "Settings conflict")
        depth = 0 if text.upper() == "AUTO" else int(number(text, "", 1, DEPTHS[0]))
        if depth and depth not in self._depths():
            raise ScpiError(-224, "Illegal parameter value")
        self._depth = depth

    def _edge_s(self, shot: object) -> float | None:
        armed = self._state == "SING" or self._sweep != "AUTO"
        return super()._edge_s(shot) if armed and self._channels[4].display else None  # type: ignore[arg-type]

    def _preamble(self) -> str:
        record = self._record(self._source)
        raw = self._mode == "RAW"
        points, step_s, start_s = record.time(1 if raw else max(record.stored // SCREEN_POINTS, 1))
        channel, word = record.channels[self._source], self._format == "WORD"
        origin = round(channel.offset_V / channel.code_volts)
        form = f"{int(word)},{2 if raw else 0},{points},1,{nr3(step_s)},{nr3(start_s)},0"
        return f"{form},{nr3(channel.code_volts)},{origin},{self.converter.middle}"

    def _data(self) -> bytes:
        if self._mode == "RAW" and self._state != "STOP":
            raise ScpiError(-221, "Settings conflict")
        record = self._record(self._source)
        every = 1 if self._mode == "RAW" else max(record.stored // SCREEN_POINTS, 1)
        most = POINTS_A_READ // (2 if self._format == "WORD" else 1)
        if not 0 < self._end - self._start + 1 <= most or self._end > record.stored // every:
            raise ScpiError(-222, "Data out of range")
        codes = record.codes(self._source, every)
        words = np.rint(np.clip(codes.values[self._start - 1 : self._end], 0, 255))
        return block(words.astype("u1" if self._format == "BYTE" else "<u2").tobytes(), 9)
