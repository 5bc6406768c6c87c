"""Keysight InfiniiVision oscilloscopes: "InfiniiVision 3000T X-Series Oscilloscopes Programmer's Guide".

Root commands :SINGle, :STOP, :AER?, :OPERegister:CONDition?; subsystems CHANnel<n>, TIMebase, ACQuire,
TRIGger:EDGE, WAVeform. Never :DIGitize with *OPC? here: it blocks the socket that the trigger waits behind.
"""

from typing import ClassVar, final

import numpy as np

from jackfield.bench.benchfile import ChannelEntry
from jackfield.bench.digitizer import Acquisition, Waveform
from jackfield.bench.scpi_scope import AbstractScpiScope

__all__ = ["KeysightInfiniiVision"]

RUNNING = 8  # bit of the operation status condition register
# Codes of 16 bits whose high byte is the 8-bit converter's: 0 hole, 1 and 255 the limits, which the low byte
# of a high-resolution record may share.
HOLE, LOWEST, HIGHEST = 0, 0x0200, 0xFEFF
MEMORY_POINTS = 1_000_000


@final
class KeysightInfiniiVision(AbstractScpiScope):
    """An InfiniiVision oscilloscope, 16-bit transfers."""

    idn_pattern: ClassVar[str] = r"(keysight|agilent)[^,]*,\s*(dso|mso|edu)"
    trigger_sources: ClassVar = {"EXT": "EXTernal"} | {f"CH{n}": f"CHANnel{n}" for n in range(1, 5)}
    divisions: ClassVar = 8
    volts_per_division: ClassVar = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
    memory_points: ClassVar = MEMORY_POINTS

    def _steps(self, acquisition: Acquisition) -> dict[str, tuple[str, ...]]:
        span = acquisition.stop_s - acquisition.start_s
        # The memory is sent whole, or every second, third... point of it: ask for the next such number.
        points = -(-MEMORY_POINTS // max(MEMORY_POINTS // acquisition.points, 1))
        trigger = self._entry.trigger
        mode = "HRESolution" if self._entry.mode == "high-resolution" else "NORMal"
        steps = {f"channel {c.channel}": _channel_step(c) for c in self._entry.channels}
        steps["range"] = tuple(
            f":CHANnel{c.channel}:SCALe {acquisition.full_scale_V / self.divisions:g}" for c in self._entry.channels
        )
        steps["trigger"] = (
            ":TRIGger:MODE EDGE",
            ":TRIGger:SWEep NORMal",
            f":TRIGger:EDGE:SOURce {self.trigger_sources[trigger.source]}",
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

    def _input(self, channel: int) -> tuple[float, str]:
        attenuation = self._session.query_number(f":CHANnel{channel}:PROBe?")
        return attenuation, self._session.query(f":CHANnel{channel}:COUPling?").upper()

    def _single(self) -> None:
        self._session.write(":SINGle")

    def _armed(self) -> bool:
        return int(self._session.query_number(":AER?")) != 0

    def _finished(self) -> bool:
        return not int(self._session.query_number(":OPERegister:CONDition?")) & RUNNING

    def _stop(self) -> None:
        self._session.write(":STOP")
        self._session.query(":AER?")  # reading clears it: a stale flag must not confirm the next arming

    def _read_channel(self, channel: int) -> Waveform:
        self._session.write(f":WAVeform:SOURce CHANnel{channel}")
        preamble = self._fields(channel, ":WAVeform:PREamble?", 10)
        points, (step_s, start_s, first, step_V, middle_V, middle) = int(preamble[2]), preamble[4:]
        codes = self._codes(channel, points, self._session.query_block(":WAVeform:DATA?"), "<u2")
        # A clean record is seen by its extremes, ten times faster than by looking at every sample.
        clean = codes.min(initial=HIGHEST) >= LOWEST and codes.max(initial=LOWEST) <= HIGHEST
        clipped = np.zeros(0, dtype=np.bool_) if clean else (codes < LOWEST) | (codes > HIGHEST)
        holes = None if clean else codes == HOLE
        volts = codes.astype(np.float32)
        volts -= np.float32(middle)
        volts *= np.float32(step_V)
        volts += np.float32(middle_V)
        return Waveform(
            start_s=start_s - first * step_s,
            step_s=step_s,
            volts=volts,
            clipped=clipped & ~holes if holes is not None else None,
            holes=holes if holes is not None and holes.any() else None,
            resolution_V=step_V if self._entry.mode == "high-resolution" else 256 * step_V,
        )


def _channel_step(channel: ChannelEntry) -> tuple[str, ...]:
    prefix = f":CHANnel{channel.channel}"
    return (
        f"{prefix}:DISPlay ON",
        f"{prefix}:IMPedance {'FIFTy' if channel.impedance_ohm == 50 else 'ONEMeg'}",
        f"{prefix}:BWLimit {'ON' if channel.bandwidth_limit else 'OFF'}",
        f"{prefix}:OFFSet 0",
    )
