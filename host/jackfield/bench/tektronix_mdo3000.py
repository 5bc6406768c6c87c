"""Tektronix MDO3000, MSO/DPO4000: "MDO4000/B/C, MSO/DPO4000B and MDO3000 Series Oscilloscopes Programmer Manual".

Command groups Acquisition, Horizontal, Vertical, Trigger, Waveform Transfer, Status and Error. Answers carry
their header until HEADer OFF; there is no SYSTem:ERRor?: *ESR? releases the events that EVMsg? then reads.
"""

from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np

from jackfield.bench.benchfile import ChannelEntry
from jackfield.bench.digitizer import Acquisition, Waveform
from jackfield.bench.scpi_scope import AbstractScpiScope, rounded_up
from jackfield.bench.visa import VisaSession
from jackfield.errors import InstrumentError

__all__ = ["TektronixMDO3000"]

COLUMNS = 10
RECORD_LENGTHS = (1_000, 10_000, 100_000, 1_000_000, 5_000_000)
PREAMBLE = ("BYT_Nr", "NR_Pt", "XINcr", "XZEro", "PT_Off", "YMUlt", "YOFf", "YZEro")


@final
class TektronixMDO3000(AbstractScpiScope):
    """An oscilloscope of the MDO3000 family, 16-bit transfers whose high byte is the converter's."""

    idn_pattern: ClassVar[str] = r"tektronix,\s*(mdo3|mdo4|mso4|dpo4)"
    trigger_sources: ClassVar = {"EXT": "AUX"} | {f"CH{n}": f"CH{n}" for n in range(1, 5)}
    divisions: ClassVar = 10
    volts_per_division: ClassVar = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    memory_points: ClassVar = 1_000_000

    def _introduce(self, session: VisaSession) -> None:
        session.ask_errors_with("*ESR?", "EVMsg?")

    def _greet(self) -> None:
        self._session.write("HEADer OFF")
        self._session.write("*CLS")

    def _steps(self, acquisition: Acquisition) -> Mapping[str, tuple[str, ...]]:
        span = acquisition.stop_s - acquisition.start_s
        scale_s = rounded_up(span / COLUMNS, (1, 2, 4))
        percent = -100 * acquisition.start_s / (COLUMNS * scale_s)
        if not 0 <= percent <= 100:
            raise InstrumentError(f"a record from {acquisition.start_s:g} s on is asked; the trigger must be in it")
        points = acquisition.points * scale_s * COLUMNS / span
        length = next((size for size in RECORD_LENGTHS if size >= points), RECORD_LENGTHS[-1])
        trigger = self._entry.trigger
        steps = {f"channel {c.channel}": _channel_step(c) for c in self._entry.channels}
        steps["range"] = tuple(
            f"CH{c.channel}:SCAle {acquisition.full_scale_V / self.divisions:g}" for c in self._entry.channels
        )
        steps["trigger"] = (
            "TRIGger:A:TYPe EDGE",
            f"TRIGger:A:EDGE:SOUrce {self.trigger_sources[trigger.source]}",
            f"TRIGger:A:EDGE:SLOpe {'RISe' if trigger.slope == 'rising' else 'FALL'}",
            f"TRIGger:A:LEVel {trigger.level_V:g}",
            "TRIGger:A:MODe NORMal",
        )
        steps["window"] = (
            f"ACQuire:MODe {'HIRes' if self._entry.mode == 'high-resolution' else 'SAMple'}",
            "HORizontal:DELay:MODe OFF",
            f"HORizontal:SCAle {scale_s:.6e}",
            f"HORizontal:RECOrdlength {length}",
            f"HORizontal:POSition {percent:.6f}",
            "ACQuire:STOPAfter SEQuence",
        )
        steps["transfer"] = ("DATa:ENCdg SRIbinary", "DATa:WIDth 2")
        self._wanted = acquisition
        return steps

    def _input(self, channel: int) -> tuple[float, str]:
        gain = self._session.query_number(f"CH{channel}:PRObe:GAIN?")
        return 1 / gain if gain else 0.0, self._session.query(f"CH{channel}:COUPling?").upper()

    def _single(self) -> None:
        self._session.write("ACQuire:STATE RUN")

    def _armed(self) -> bool:
        return self._session.query("TRIGger:STATE?") == "READY"

    def _finished(self) -> bool:
        return int(self._session.query_number("ACQuire:STATE?")) == 0

    def _stop(self) -> None:
        self._session.write("ACQuire:STATE STOP")

    def _read_channel(self, channel: int) -> Waveform:
        self._session.configure(f"DATa:SOUrce CH{channel}", "DATa:STARt 1", f"DATa:STOP {RECORD_LENGTHS[-1]}")
        told = {name: self._session.query_number(f"WFMOutpre:{name}?") for name in PREAMBLE}
        step_s, start_s = told["XINcr"], told["XZEro"] - told["PT_Off"] * told["XINcr"]
        stop = min(int(np.ceil((self._wanted.stop_s - start_s) / step_s)) + 1, int(told["NR_Pt"]))
        if told["BYT_Nr"] != 2 or stop < 1:
            raise InstrumentError(f"channel {channel}: preamble {told} is not of a 16-bit record; repeat")
        self._session.write(f"DATa:STOP {stop}")
        codes = self._codes(channel, stop, self._session.query_block("CURVe?"), "<i2")
        high = codes >> 8
        clipped = (high <= -128) | (high >= 127)
        volts = (codes.astype(np.float32) - np.float32(told["YOFf"])) * np.float32(told["YMUlt"])
        return Waveform(
            start_s=start_s,
            step_s=step_s,
            volts=volts + np.float32(told["YZEro"]),
            clipped=clipped if clipped.any() else None,
            holes=None,
            resolution_V=told["YMUlt"] * (1 if self._entry.mode == "high-resolution" else 256),
        )


def _channel_step(channel: ChannelEntry) -> tuple[str, ...]:
    prefix = f"CH{channel.channel}"
    return (
        f"SELect:{prefix} ON",
        f"{prefix}:TERmination {'FIFty' if channel.impedance_ohm == 50 else 'MEG'}",
        f"{prefix}:BANdwidth {'TWEnty' if channel.bandwidth_limit else 'FULl'}",
        f"{prefix}:OFFSet 0",
        f"{prefix}:POSition 0",
    )
