"""Keysight InfiniiVision oscilloscopes: "InfiniiVision 3000T X-Series Oscilloscopes Programmer's Guide".

Root commands :SINGle, :STOP, :AER?, :OPERegister:CONDition?; subsystems CHANnel<n>, TIMebase, ACQuire,
TRIGger:EDGE, WAVeform. Never :DIGitize with *OPC? here: it blocks the socket that the trigger waits behind.
"""

import time
from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np

from jackfield.bench.benchfile import ChannelEntry, ScopeEntry
from jackfield.bench.digitizer import AbstractDigitizer, Acquisition, Waveform
from jackfield.bench.visa import VisaSession
from jackfield.errors import InstrumentError

__all__ = ["KeysightInfiniiVision"]

DIVISIONS = 8
RUNNING = 8  # bit of the operation status condition register
# Codes of 16 bits whose high byte is the 8-bit converter's: 0 hole, 1 and 255 the limits, which the low byte
# of a high-resolution record may share.
HOLE, LOWEST, HIGHEST = 0, 0x0200, 0xFEFF
VOLTS_PER_DIVISION = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
MEMORY_POINTS = 1_000_000
TRIGGER_SOURCES = {"EXT": "EXTernal"} | {f"CH{n}": f"CHANnel{n}" for n in range(1, 5)}


@final
class KeysightInfiniiVision(AbstractDigitizer):
    """An InfiniiVision oscilloscope, 16-bit transfers."""

    idn_pattern: ClassVar[str] = r"(keysight|agilent)[^,]*,\s*(dso|mso|edu)"

    def __init__(self, session: VisaSession, entry: ScopeEntry) -> None:
        if entry.trigger.source not in TRIGGER_SOURCES:
            raise InstrumentError(
                f"trigger source {entry.trigger.source!r} is asked; choose from {', '.join(TRIGGER_SOURCES)}"
            )
        self._session = session
        self._entry = entry
        self._sent: dict[str, tuple[str, ...]] = {}
        self._generation = 0
        session.identify(self.idn_pattern)

    @property
    def identity(self) -> str:
        """The answer to `*IDN?`."""
        return self._session.identity

    @property
    def channels(self) -> Mapping[int, int]:
        """Channel number of each board probe that a cable leads to."""
        return {channel.board_probe: channel.channel for channel in self._entry.channels}

    @property
    def full_scales(self) -> tuple[float, ...]:
        """Heights of the screen, in volts, ascending."""
        return tuple(DIVISIONS * scale for scale in VOLTS_PER_DIVISION)

    @property
    def most_points(self) -> int:
        """Samples a channel that one record can hold."""
        return MEMORY_POINTS

    def configure(self, acquisition: Acquisition) -> None:
        """Set up for `acquisition`; what the instrument has already is not sent again."""
        if self._generation != self._session.generation:
            self._sent.clear()
            self._session.write("*CLS")
        for name, commands in self._steps(acquisition).items():
            if self._sent.get(name) != commands:
                self._session.configure(*commands)
                if name.startswith("channel"):
                    self._compare(next(c for c in self._entry.channels if name == f"channel {c.channel}"))
                self._sent[name] = commands
        self._generation = self._session.generation

    def _steps(self, acquisition: Acquisition) -> dict[str, tuple[str, ...]]:
        span = acquisition.stop_s - acquisition.start_s
        # The memory is sent whole, or every second, third... point of it: ask for the next such number.
        points = -(-MEMORY_POINTS // max(MEMORY_POINTS // acquisition.points, 1))
        trigger = self._entry.trigger
        mode = "HRESolution" if self._entry.mode == "high-resolution" else "NORMal"
        steps = {f"channel {c.channel}": _channel_step(c) for c in self._entry.channels}
        steps["range"] = tuple(
            f":CHANnel{c.channel}:SCALe {acquisition.full_scale_V / DIVISIONS:g}" for c in self._entry.channels
        )
        steps["trigger"] = (
            ":TRIGger:MODE EDGE",
            ":TRIGger:SWEep NORMal",
            f":TRIGger:EDGE:SOURce {TRIGGER_SOURCES[trigger.source]}",
            f":TRIGger:EDGE:LEVel {trigger.level_V:g}",
            f":TRIGger:EDGE:SLOPe {'POSitive' if trigger.slope == 'rising' else 'NEGative'}",
        )
        steps["window"] = (
            f":ACQuire:TYPE {mode}",
            ":TIMebase:MODE MAIN",
            ":TIMebase:REFerence LEFT",  # one of ten divisions from the left
            f":TIMebase:RANGe {span:.9e}",
            f":TIMebase:POSition {acquisition.start_s + span / 10:.9e}",
        )
        steps["transfer"] = (
            ":WAVeform:FORMat WORD",
            ":WAVeform:BYTeorder LSBFirst",
            ":WAVeform:UNSigned 1",
            ":WAVeform:POINts:MODE RAW",
            f":WAVeform:POINts {points}",
        )
        return steps

    def _compare(self, channel: ChannelEntry) -> None:
        """Attenuation and coupling are somebody's decision at the probe: compared, never overwritten."""
        prefix = f":CHANnel{channel.channel}"
        attenuation = self._session.query_number(f"{prefix}:PROBe?")
        coupling = self._session.query(f"{prefix}:COUPling?").upper()
        for name, wanted, found in (
            ("attenuation", f"{channel.attenuation:g}", f"{attenuation:g}"),
            ("coupling", channel.coupling, coupling),
        ):
            if wanted != found:
                raise InstrumentError(
                    f"channel {channel.channel} has {name} {found}, the bench file says {wanted}; "
                    "change it on the instrument or in the bench file"
                )

    def arm(self) -> None:
        """Wait for one trigger; returns once the instrument has confirmed that it is armed."""
        self._session.write(":SINGle")
        deadline = time.monotonic() + self._session.timeout_s
        while int(self._session.query_number(":AER?")) == 0:
            if time.monotonic() > deadline:
                self._abandon()
                raise InstrumentError(
                    f"the oscilloscope is not armed {self._session.timeout_s:g} s after :SINGle; "
                    "leave its menus, check that it is not in a mask or segmented mode, then repeat"
                )

    def wait(self, timeout_s: float) -> None:
        """Return once the record is complete; raises InstrumentError where no trigger came."""
        deadline = time.monotonic() + timeout_s
        while int(self._session.query_number(":OPERegister:CONDition?")) & RUNNING:
            if time.monotonic() > deadline:
                self._abandon()
                raise InstrumentError(
                    f"the oscilloscope saw no trigger within {timeout_s:g} s although the board ran; check the cable "
                    f"from the trigger jack to {self._entry.trigger.source}, its level and slope in the bench file"
                )

    def _abandon(self) -> None:
        self._sent.clear()
        self._session.write(":STOP")
        self._session.query(":AER?")  # reading clears it: a stale flag must not confirm the next arming

    def read(self) -> dict[int, Waveform]:
        """The record, by channel number."""
        return {channel.channel: self._read_channel(channel.channel) for channel in self._entry.channels}

    def _read_channel(self, channel: int) -> Waveform:
        self._session.write(f":WAVeform:SOURce CHANnel{channel}")
        preamble = self._session.query(":WAVeform:PREamble?").split(",")
        try:
            points = int(preamble[2])
            step_s, start_s, first, step_V, middle_V, middle = (float(field) for field in preamble[4:10])
        except (ValueError, IndexError) as error:
            raise InstrumentError(f"channel {channel}: preamble {preamble!r} is not readable; repeat") from error
        codes = np.frombuffer(self._session.query_block(":WAVeform:DATA?"), dtype="<u2")
        if len(codes) != points:
            raise InstrumentError(f"channel {channel}: {points} points announced, {len(codes)} came; repeat the run")
        clipped = (codes < LOWEST) | (codes > HIGHEST)
        holes = codes == HOLE if clipped.any() else None
        return Waveform(
            start_s=start_s - first * step_s,
            step_s=step_s,
            volts=(codes.astype(np.float32) - np.float32(middle)) * np.float32(step_V) + np.float32(middle_V),
            clipped=clipped & ~holes if holes is not None else None,
            holes=holes if holes is not None and holes.any() else None,
            resolution_V=step_V if self._entry.mode == "high-resolution" else 256 * step_V,
        )

    def close(self) -> None:
        """Leave the instrument; never raises."""
        self._session.close()


def _channel_step(channel: ChannelEntry) -> tuple[str, ...]:
    prefix = f":CHANnel{channel.channel}"
    return (
        f"{prefix}:DISPlay ON",
        f"{prefix}:IMPedance {'FIFTy' if channel.impedance_ohm == 50 else 'ONEMeg'}",
        f"{prefix}:BWLimit {'ON' if channel.bandwidth_limit else 'OFF'}",
        f"{prefix}:OFFSet 0",
    )
