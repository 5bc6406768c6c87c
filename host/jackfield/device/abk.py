"""AN231E04 boards of Anadigm/Okika behind their ABK protocol; frames as in abk_frames.py.

The port runs at 57600 8N1 with CTS; dropping DTR for a moment resets the board's controller.
Download: the letter and the length, 50 ms for the board to make room in its 40-byte buffer, then the characters in
pieces that fit it. XOFF (0x13) stops them until XON (0x11), during a download only. Two or three nodes fit a chip.
"""

from collections.abc import Mapping
from typing import Final, Self

from jackfield.device.abk_frames import (
    ETX,
    PRIMARY,
    RECONFIGURATION,
    RESET,
    ask,
    body_of,
    check_answer,
    header,
    volts_of,
)
from jackfield.device.abk_template import AbkTemplate
from jackfield.errors import DesignError, LinkError
from jackfield.link import AbstractTransport, open_transport

__all__ = ["BAUD", "AbkBoard"]

BAUD: Final = 57_600
XON, XOFF = 0x11, 0x13
BUFFER_BYTES: Final = 40
ROOM_S: Final = 0.05
DTR_S: Final = 0.05
ANSWER_S: Final = 1.0
STOPPED_S: Final = 2.0
CHANNELS: Final = 256
BLANK: Final = b"\x02\x03\r\n "


class AbkBoard:
    """One board behind `transport`, which it owns. As a context manager it resets the chip at the end.

    Raises LinkError where nothing answers in time, BoardError where the board refuses.
    """

    def __init__(self, transport: AbstractTransport) -> None:
        self._transport = transport
        self._primary: AbkTemplate | None = None
        try:
            self.version = self._asked("#")
        except BaseException:
            transport.close()
            raise

    @classmethod
    def at(cls, url: str) -> Self:
        """The board at `serial:///dev/ttyUSB0` with CTS flow control, its controller reset by DTR."""
        transport = open_transport(url, BAUD, cts_flow=True)
        transport.pulse_dtr(DTR_S)
        return cls(transport)

    def chips(self) -> str:
        """The chips that the board finds."""
        return self._asked("T")

    def reset(self) -> None:
        """The chip without any configuration: its outputs are off."""
        self._primary = None
        self._transport.write(RESET)
        self._check()

    def upload(self, template: AbkTemplate, values: Mapping[str, float] | None = None) -> None:
        """The primary configuration, with `values` at their places; the chip is reset first."""
        configuration = template.patched(values or {})
        self.reset()
        self._download(PRIMARY, configuration)
        self._primary = template

    def patch(self, template: AbkTemplate, values: Mapping[str, float]) -> None:
        """A reconfiguration while the chip runs, with `values` at their places.

        Raises DesignError where no primary configuration is there to be changed.
        """
        if self._primary is None:
            raise DesignError("the chip has no configuration that could be changed; upload the primary one first")
        self._download(RECONFIGURATION, template.patched(values))

    def read_volts(self, channel: int, converter: str = "A") -> float:
        """The voltage at converter input `channel`, 0 to 3.3 V in 10 bits; `converter` is "A" or "V"."""
        if not 0 <= channel < CHANNELS or converter not in ("A", "V"):
            raise DesignError(f"input {converter}{channel} is asked; A or V, 0..{CHANNELS - 1} are possible")
        return volts_of(self._asked(f"{converter}{channel:02X}"))

    def close(self) -> None:
        """Reset the chip, then give the port back, also where the line is gone."""
        try:
            self.reset()
        finally:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _download(self, kind: bytes, configuration: bytes) -> None:
        body = body_of(configuration, kind)
        self._transport.write(header(kind, body))
        self._wait_for_room(ROOM_S)
        frame = body + ETX
        for start in range(0, len(frame), BUFFER_BYTES):
            self._wait_for_room(0.0)
            self._transport.write(frame[start : start + BUFFER_BYTES])
        self._check()

    def _wait_for_room(self, least_s: float) -> None:
        """Until `least_s` have gone by and the board has not said XOFF last."""
        begin, stopped = self._transport.now(), False
        while True:
            spent = self._transport.now() - begin
            left = (STOPPED_S if stopped else least_s) - spent
            for byte in self._transport.read(max(left, 0.0)):
                stopped = byte == XOFF if byte in (XON, XOFF) else stopped
            spent = self._transport.now() - begin
            if not stopped and spent >= least_s:
                return
            if stopped and spent >= STOPPED_S:
                raise LinkError(
                    f"{self._transport.name} has not taken more for {STOPPED_S:g} s; reset the board and send it again"
                )

    def _check(self) -> None:
        """Whether what was sent last has been taken."""
        check_answer(self._asked("?"))

    def _asked(self, command: str) -> str:
        """The answer to a question, which ends with ETX or a line's end."""
        self._transport.write(ask(command))
        deadline, answer = self._transport.now() + ANSWER_S, bytearray()
        while True:
            left = deadline - self._transport.now()
            if left <= 0:
                raise LinkError(
                    f"{self._transport.name} did not answer {command} within {ANSWER_S:g} s; "
                    f"check cable, power, and {BAUD} baud"
                )
            answer += bytes(byte for byte in self._transport.read(left) if byte not in (XON, XOFF))
            if answer.lstrip(b"\x02") and bytes(answer[-1:]) in (ETX, b"\r", b"\n"):
                return answer.strip(BLANK).decode("ascii", "replace")
