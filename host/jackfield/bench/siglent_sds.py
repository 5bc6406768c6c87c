"""Siglent SDS oscilloscopes (2000X Plus, 5000X, HD): "SDS Series Digital Oscilloscope Programming Guide", EN11.

Subsystems CHANnel<n>, TIMebase, ACQuire, TRIGger (MODE, STATus?, EDGE), WAVeform (binary WAVEDESC preamble,
MAXPoint? bounds a read). The dialect has no error queue: every setting is read back and compared instead.
The guide's editions disagree on the sign of the trigger delay: it stays 0, and half of the window is not read.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from jackfield.bench.benchfile import ChannelEntry
from jackfield.bench.digitizer import Acquisition, Waveform
from jackfield.bench.scpi_scope import AbstractScpiScope, rounded_up
from jackfield.bench.visa import VisaSession
from jackfield.errors import InstrumentError

__all__ = ["SiglentSDS"]

COLUMNS = 10
PREAMBLE_BYTES = 346
DEPTHS = ((10_000, "10k"), (100_000, "100k"), (1_000_000, "1M"), (10_000_000, "10M"))  # with two channels or more


@dataclass(frozen=True)
class _Description:
    """What the WAVEDESC block says, at the offsets of the guide's table; volts at the probe's tip."""

    points: int
    volts_a_code: float
    offset_V: float
    bits: int
    shift: int
    step_s: float

    @classmethod
    def parsed(cls, block: bytes) -> "_Description":
        if len(block) != PREAMBLE_BYTES or not block.startswith(b"WAVEDESC"):
            raise InstrumentError(f"the waveform preamble has {len(block)} bytes and not {PREAMBLE_BYTES}; repeat")
        (points,) = struct.unpack_from("<i", block, 116)
        scale_V, offset_V, codes = struct.unpack_from("<3f", block, 156)
        (bits,), (step_s,) = struct.unpack_from("<h", block, 172), struct.unpack_from("<f", block, 176)
        (probe,) = struct.unpack_from("<f", block, 328)
        if not (points > 0 and codes > 0 and 8 <= bits <= 16 and step_s > 0 and probe > 0):
            raise InstrumentError("the waveform preamble is not readable; repeat")
        # More than 8 divisions cannot fit: codes are then at the upper end of 16 bits.
        shift = 16 - bits if bits > 8 and codes > 2**bits / 8 else 0
        return cls(points, scale_V * probe / codes, offset_V * probe, bits, shift, step_s)


@final
class SiglentSDS(AbstractScpiScope):
    """An SDS oscilloscope with the EN11 command set, of 8 to 16 bits."""

    idn_pattern: ClassVar[str] = r"siglent[^,]*,\s*sds"
    trigger_sources: ClassVar = {"EXT": "EX"} | {f"CH{n}": f"C{n}" for n in range(1, 5)}
    divisions: ClassVar = 8
    volts_per_division: ClassVar = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    memory_points: ClassVar = 1_000_000

    def _steps(self, acquisition: Acquisition) -> Mapping[str, tuple[str, ...]]:
        # The trigger stands in the middle of the screen: the half in front of it is all but lost.
        half_s = max(abs(acquisition.start_s), abs(acquisition.stop_s))
        scale_s = rounded_up(2 * half_s / COLUMNS, (1, 2, 5))
        span = acquisition.stop_s - acquisition.start_s
        points = acquisition.points * scale_s * COLUMNS / span
        depth = next((name for size, name in DEPTHS if size >= points), DEPTHS[-1][1])
        trigger = self._entry.trigger
        steps = {f"channel {c.channel}": _channel_step(c) for c in self._entry.channels}
        steps["range"] = tuple(
            f":CHANnel{c.channel}:SCALe {acquisition.full_scale_V / self.divisions:.2E}" for c in self._entry.channels
        )
        steps["trigger"] = (
            ":TRIGger:TYPE EDGE",
            f":TRIGger:EDGE:SOURce {self.trigger_sources[trigger.source]}",
            f":TRIGger:EDGE:LEVel {trigger.level_V:.3E}",
            f":TRIGger:EDGE:SLOPe {'RISing' if trigger.slope == 'rising' else 'FALLing'}",
        )
        steps["window"] = (
            f":ACQuire:TYPE {'ERES,2.0' if self._fine else 'NORMal'}",
            f":ACQuire:MDEPth {depth}",
            f":TIMebase:SCALe {scale_s:.2E}",
            ":TIMebase:DELay 0.00E+00",
        )
        self._wanted, self._middle_s = acquisition, -scale_s * COLUMNS / 2
        return steps

    @property
    def _fine(self) -> bool:
        """Whether to average within a sample: sent in 8 bits it would take away the noise that dithers them."""
        return self._entry.mode == "high-resolution" and "HD," in self.identity

    def _introduce(self, session: VisaSession) -> None:
        session.synchronise_with(":WAVeform:STARt {0}\n:WAVeform:STARt?", ":WAVeform:STARt 0")

    def _greet(self) -> None:
        """The dialect has no *CLS."""

    def _send(self, commands: Sequence[str]) -> None:
        for command in commands:
            self._session.write(command)
        for command in commands:
            header, _, value = command.partition(" ")
            found = self._session.query(f"{header}?")
            if not _same(value, found):
                raise InstrumentError(
                    f"{self._session.resource} has {found!r} after {command}; choose values within its limits"
                )

    def _input(self, channel: int) -> tuple[float, str]:
        attenuation = self._session.query_number(f":CHANnel{channel}:PROBe?")
        return attenuation, self._session.query(f":CHANnel{channel}:COUPling?").upper()

    def _single(self) -> None:
        self._session.write(":TRIGger:MODE SINGle")

    def _armed(self) -> bool:
        return self._session.query(":TRIGger:STATus?").lower() == "ready"

    def _finished(self) -> bool:
        return self._session.query(":TRIGger:STATus?").lower() == "stop"

    def _stop(self) -> None:
        self._session.write(":TRIGger:STOP")

    def _read_channel(self, channel: int) -> Waveform:
        self._send((f":WAVeform:SOURce C{channel}", ":WAVeform:STARt 0", ":WAVeform:INTerval 1", ":WAVeform:POINt 0"))
        told = _Description.parsed(self._session.query_block(":WAVeform:PREamble?"))
        wide = told.bits > 8
        self._send((f":WAVeform:WIDTh {'WORD' if wide else 'BYTE'}",))
        first = max(int((self._wanted.start_s - self._middle_s) / told.step_s) - 1, 0)
        stop = min(int(np.ceil((self._wanted.stop_s - self._middle_s) / told.step_s)) + 1, told.points)
        most = int(self._session.query_number(":WAVeform:MAXPoint?"))
        pieces = [self._piece(at, min(most, stop - at)) for at in range(first, stop, max(most, 1))]
        codes = self._codes(channel, stop - first, b"".join(pieces), "<i2" if wide else "i1")
        top = 2 ** (told.bits - 1)
        clipped = (codes >> told.shift <= -top) | (codes >> told.shift >= top - 1)
        return Waveform(
            start_s=self._middle_s + first * told.step_s,
            step_s=told.step_s,
            volts=codes.astype(np.float32) * np.float32(told.volts_a_code) - np.float32(told.offset_V),
            clipped=clipped if clipped.any() else None,
            holes=None,
            resolution_V=told.volts_a_code * 2**told.shift,
        )

    def _piece(self, start: int, points: int) -> bytes:
        self._session.write(f":WAVeform:STARt {start}")
        self._session.write(f":WAVeform:POINt {points}")
        return self._session.query_block(":WAVeform:DATA?")


def _channel_step(channel: ChannelEntry) -> tuple[str, ...]:
    prefix = f":CHANnel{channel.channel}"
    return (
        f"{prefix}:SWITch ON",
        f"{prefix}:IMPedance {'FIFTy' if channel.impedance_ohm == 50 else 'ONEMeg'}",
        f"{prefix}:BWLimit {'20M' if channel.bandwidth_limit else 'FULL'}",
        f"{prefix}:OFFSet 0.00E+00",
    )


def _same(sent: str, found: str) -> bool:
    """Whether a setting reads back as sent: numbers to the three digits that it tells, words in short or long form."""
    try:
        return abs(float(sent) - float(found)) <= 6e-3 * abs(float(sent)) + 1e-12
    except ValueError:
        short = "".join(letter for letter in sent if not letter.islower())
        return found.upper() in (sent.upper(), short)
