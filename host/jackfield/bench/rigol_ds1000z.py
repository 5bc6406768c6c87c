"""Rigol MSO/DS1000Z oscilloscopes: "MSO1000Z/DS1000Z Series Digital Oscilloscope Programming Guide".

Root commands :SINGle, :STOP; :TRIGger:STATus?; subsystems CHANnel<n>, TIMebase, ACQuire, TRIGger:EDGe, WAVeform
(there: MODE RAW reads the memory, only while stopped, at most 250,000 points a read).
"""

from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np

from jackfield.bench.benchfile import ChannelEntry
from jackfield.bench.digitizer import Acquisition, Waveform
from jackfield.bench.scpi_scope import AbstractScpiScope, rounded_up
from jackfield.errors import DesignError, InstrumentError

__all__ = ["RigolDS1000Z"]

COLUMNS = 12
POINTS_A_READ = 250_000
LOWEST, HIGHEST = 0, 255  # where the converter ends
# What the memory can be set to, by the number of channels that are on.
DEPTHS = {
    1: (12_000, 120_000, 1_200_000, 12_000_000),
    2: (6_000, 60_000, 600_000, 6_000_000),
    4: (3_000, 30_000, 300_000, 3_000_000),
}


@final
class RigolDS1000Z(AbstractScpiScope):
    """A DS1000Z or MSO1000Z, 8-bit transfers; its trigger pulse comes to a channel (models with EXT: to that)."""

    idn_pattern: ClassVar[str] = r"rigol[^,]*,\s*(ds|mso)1\d\d4z"
    trigger_sources: ClassVar = {f"CH{n}": f"CHANnel{n}" for n in range(1, 5)} | {"EXT": "EXT"}
    usual_trigger: ClassVar = "CH4"
    divisions: ClassVar = 8
    volts_per_division: ClassVar = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    memory_points: ClassVar = 1_000_000

    def _steps(self, acquisition: Acquisition) -> Mapping[str, tuple[str, ...]]:
        span = acquisition.stop_s - acquisition.start_s
        scale_s = rounded_up(span / COLUMNS, (1, 2, 5))
        steps = {f"channel {c.channel}": _channel_step(c) for c in self._entry.channels}
        trigger, on = self._entry.trigger, {c.channel for c in self._entry.channels}
        if trigger.source != "EXT":
            steps["trigger channel"] = _trigger_channel(int(trigger.source[2:]), trigger.level_V, on)
            on.add(int(trigger.source[2:]))
        steps["range"] = tuple(
            f":CHANnel{c.channel}:SCALe {acquisition.full_scale_V / self.divisions:g}" for c in self._entry.channels
        )
        steps["trigger"] = (
            ":TRIGger:MODE EDGE",
            f":TRIGger:EDGe:SOURce {self.trigger_sources[trigger.source]}",
            f":TRIGger:EDGe:SLOPe {'POSitive' if trigger.slope == 'rising' else 'NEGative'}",
            f":TRIGger:EDGe:LEVel {trigger.level_V:g}",
        )
        steps["window"] = (
            ":RUN",  # the depth can only be set while running
            ":ACQuire:TYPE NORMal",  # high resolution, sent in 8 bits, takes away the noise that dithers them
            ":TIMebase:MODE MAIN",
            f":TIMebase:MAIN:SCALe {scale_s:.6e}",
            f":TIMebase:MAIN:OFFSet {acquisition.start_s + scale_s * COLUMNS / 2:.9e}",
            f":ACQuire:MDEPth {_depth(acquisition.points * scale_s * COLUMNS / span, len(on))}",
            ":STOP",
        )
        self._wanted = acquisition
        return steps

    def _input(self, channel: int) -> tuple[float, str]:
        attenuation = self._session.query_number(f":CHANnel{channel}:PROBe?")
        return attenuation, self._session.query(f":CHANnel{channel}:COUPling?").upper()

    def _single(self) -> None:
        self._session.write(":SINGle")

    def _armed(self) -> bool:
        return self._session.query(":TRIGger:STATus?") == "WAIT"

    def _finished(self) -> bool:
        return self._session.query(":TRIGger:STATus?") == "STOP"

    def _stop(self) -> None:
        self._session.write(":STOP")

    def _read_channel(self, channel: int) -> Waveform:
        self._session.write(":STOP")
        self._session.configure(
            f":WAVeform:SOURce CHANnel{channel}", ":WAVeform:MODE RAW", ":WAVeform:FORMat BYTE", ":WAVeform:STARt 1"
        )
        _, _, depth, _, step_s, start_s, first, step_V, origin, middle = self._fields(
            channel, ":WAVeform:PREamble?", 10
        )
        # The memory holds whole divisions: only what was asked for is read.
        stop = min(int(np.ceil((self._wanted.stop_s - start_s) / step_s)) + 1, int(depth))
        pieces = [self._piece(at, min(at + POINTS_A_READ, stop)) for at in range(0, stop, POINTS_A_READ)]
        codes = self._codes(channel, stop, b"".join(pieces), "u1")
        clipped = (codes <= LOWEST) | (codes >= HIGHEST)
        return Waveform(
            start_s=start_s - first * step_s,
            step_s=step_s,
            volts=(codes.astype(np.float32) - np.float32(origin + middle)) * np.float32(step_V),
            clipped=clipped if clipped.any() else None,
            holes=None,
            resolution_V=step_V,
        )

    def _piece(self, start: int, stop: int) -> bytes:
        self._session.write(f":WAVeform:STARt {start + 1}")
        self._session.write(f":WAVeform:STOP {stop}")
        piece = self._session.query_block(":WAVeform:DATA?")
        if len(piece) != stop - start:
            raise InstrumentError(f"points {start + 1} to {stop} were asked for, {len(piece)} came; repeat the run")
        return piece


def _depth(points: float, channels: int) -> int:
    depths = DEPTHS[channels] if channels in DEPTHS else DEPTHS[4]
    fitting = [depth for depth in depths if depth >= points]
    if not fitting:
        raise DesignError(
            f"a record of {points:.0f} points on {channels} channels is asked, this oscilloscope holds {depths[-1]}; "
            "scan fewer nodes at a time or run for less time"
        )
    return fitting[0]


def _channel_step(channel: ChannelEntry) -> tuple[str, ...]:
    if channel.impedance_ohm == 50:
        raise InstrumentError(
            f"channel {channel.channel} is asked for 50 ohm, this oscilloscope has 1 Mohm alone; "
            "put a feed-through terminator on it and write impedance_ohm = 1e6"
        )
    prefix = f":CHANnel{channel.channel}"
    return (
        f"{prefix}:DISPlay ON",
        f"{prefix}:BWLimit {'20M' if channel.bandwidth_limit else 'OFF'}",
        f"{prefix}:OFFSet 0",
    )


def _trigger_channel(channel: int, level_V: float, probes: set[int]) -> tuple[str, ...]:
    """The channel that only the trigger pulse comes to, with the level well on its screen."""
    if channel in probes:
        raise DesignError(f"the trigger is on CH{channel}, which carries a board probe too; move one of the cables")
    prefix = f":CHANnel{channel}"
    return (
        f"{prefix}:DISPlay ON",
        f"{prefix}:OFFSet 0",
        f"{prefix}:SCALe {rounded_up(max(abs(level_V), 0.01) / 2, (1, 2, 5)):g}",
    )
