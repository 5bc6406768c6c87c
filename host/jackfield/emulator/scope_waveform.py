"""The :WAVeform subsystem of the emulated oscilloscope: how a record is told to the computer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.emulator.scope_acquisition import MOST_POINTS, Acquisition, Codes, decimation
from jackfield.emulator.scpi import Command, ScpiError, block, boolean, choice, nr3, number

__all__ = ["WaveformReader"]

SCREEN_POINTS = 62_500  # what points mode NORMal reads at most
_FORMATS = {"BYTE": 0, "WORD": 1, "ASC": 4}
_NORMAL, _HIGH_RESOLUTION = 0, 3


@dataclass(frozen=True)
class _Transfer:
    source: int = 1
    format: str = "BYTE"
    order: str = "MSBF"
    unsigned: bool = True
    points: int = 1000
    mode: str = "NORM"


class WaveformReader:
    """Answers :WAVeform queries from the record that `current` gives, if there is one."""

    def __init__(self, current: Callable[[], Acquisition | None]) -> None:
        self._current = current
        self.reset()

    def reset(self) -> None:
        """What *RST does here."""
        self._transfer = _Transfer()

    def commands(self) -> dict[str, Command]:
        """Header patterns and their commands."""
        commands: dict[str, Command] = {}

        def setting(name: str, parse: Callable[[str], dict[str, Any]], show: Callable[[], str]) -> None:
            def change(suffixes: tuple[int, ...], arguments: list[str]) -> None:
                self._transfer = replace(self._transfer, **parse(arguments[0]))

            commands[f"WAVeform:{name}"] = Command(change, 1, 1)
            commands[f"WAVeform:{name}?"] = Command(lambda s, a: show())

        setting("SOURce", _source, lambda: f"CHAN{self._transfer.source}")
        setting("FORMat", lambda t: {"format": choice(t, "BYTE", "WORD", "ASCii")}, lambda: self._transfer.format)
        setting("BYTeorder", lambda t: {"order": choice(t, "MSBFirst", "LSBFirst")}, lambda: self._transfer.order)
        setting("UNSigned", lambda t: {"unsigned": boolean(t)}, lambda: str(int(self._transfer.unsigned)))
        setting("POINts:MODE", _mode, lambda: self._transfer.mode)
        setting("POINts", lambda t: {"points": int(number(t, "", 100, 8_000_000))}, self._points)
        commands["WAVeform:PREamble?"] = Command(lambda s, a: self._preamble())
        commands["WAVeform:DATA?"] = Command(lambda s, a: self._data())
        return commands

    def _points(self) -> str:
        record = self._current()
        return str(self._transfer.points if record is None else record.stored // self._every(record))

    def _record(self) -> Acquisition:
        record = self._current()
        if record is None or self._transfer.source not in record.channels:
            raise ScpiError(-230, "Data corrupt or stale")
        return record

    def _every(self, record: Acquisition) -> int:
        limit = SCREEN_POINTS if self._transfer.mode == "NORM" else MOST_POINTS
        return decimation(record.stored, min(self._transfer.points, limit))

    def _preamble(self) -> str:
        record, transfer = self._record(), self._transfer
        word = transfer.format == "WORD"
        points, step_s, start_s = record.time(self._every(record))
        code, offset, middle = self._scale(record, word)
        if not transfer.unsigned:
            middle -= 32768 if word else 128
        kind = _HIGH_RESOLUTION if record.high_resolution else _NORMAL
        head = f"{_FORMATS[transfer.format]},{kind},{points},1,{nr3(step_s)},{nr3(start_s)},0"
        return f"{head},{nr3(code)},{nr3(offset)},{middle}"

    def _scale(self, record: Acquisition, word: bool) -> tuple[float, float, int]:
        """Volts a code, volts at the middle, code of the middle."""
        settings, share = record.channels[self._transfer.source], 256 if word else 1
        return settings.code_volts / share, settings.offset_V, settings.converter.middle * share

    def _data(self) -> bytes:
        record, transfer = self._record(), self._transfer
        every = self._every(record)
        words = _words(record.codes(transfer.source, every))
        if transfer.format == "ASC":
            code, offset, middle = self._scale(record, word=True)
            return block(",".join(nr3(float(v)) for v in (words - float(middle)) * code + offset).encode(), 8)
        if transfer.format == "BYTE":
            return block(_bytes(words, transfer.unsigned).tobytes(), 8)
        order = ">u2" if transfer.order == "MSBF" else "<u2"
        return block((words if transfer.unsigned else words ^ np.uint16(0x8000)).astype(order).tobytes(), 8)


def _words(codes: Codes) -> NDArray[np.uint16]:
    """256 a code, 1 clipped low, 65535 high; 0 would be a hole."""
    words = np.rint(np.clip(codes.values, 0, codes.highest) * 256).astype(np.uint16)
    words[codes.low] = 1
    words[codes.high] = 0xFFFF
    return words


def _bytes(words: NDArray[np.uint16], unsigned: bool) -> NDArray[np.uint8]:
    codes = (words >> np.uint16(8)).astype(np.uint8)
    codes[words == 1] = 1
    return codes if unsigned else codes ^ np.uint8(0x80)


def _source(text: str) -> dict[str, int]:
    return {"source": int(choice(text, "CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4")[-1])}


def _mode(text: str) -> dict[str, str]:
    return {"mode": choice(text, "NORMal", "MAXimum", "RAW")}
