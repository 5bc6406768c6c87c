"""What a board says of itself, in words."""

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from jackfield.board import BoardSpec
from jackfield.device.abstract import BoardStatus, Hello
from jackfield.errors import BoardError, LinkError
from jackfield.link import messages as m
from jackfield.link import unpack
from jackfield.link.numbers import PROTOCOL_VERSION, Feature, Outcome, SafeReason, State

__all__ = ["Start", "check_type", "hello_of", "in_words", "status_of"]

UNKNOWN_TEMPERATURE: Final = 0x7FFF
SLOTS: Final = ("", "A", "B")
Start = Callable[[Callable[[int], m.Hello | m.Safe]], bytes]


def hello_of(start: Start) -> Hello:
    """Open a session with `start` (as of Exchange); LinkError where the board speaks another protocol version."""
    answer = unpack(m.HelloAnswer, start(lambda nonce: m.Hello(PROTOCOL_VERSION, nonce)))
    if answer.version != PROTOCOL_VERSION:
        raise LinkError(
            f"the board speaks protocol version {answer.version}, this program version {PROTOCOL_VERSION}; "
            "update the firmware or jackfield"
        )
    return Hello(
        board_id=answer.board_id,
        spec_name=answer.spec_name,
        spec_digest=answer.spec_digest.hex(),
        firmware=f"{answer.firmware_major}.{answer.firmware_minor}.{answer.firmware_patch}",
        features=tuple(feature.name.lower() for feature in Feature if feature.name and answer.features & feature),
        frame_bytes=answer.frame_bytes,
        window=answer.window,
        inputs=answer.inputs,
        sequence_depth=answer.sequence_depth,
        reply_s=answer.reply_ms / 1000,
        flash_s=answer.flash_ms / 1000,
        watchdog_s=answer.watchdog_ms / 1000,
        image_bytes=answer.image_bytes,
        image_crc=answer.image_crc,
        staged_crc=answer.staged_crc,
        staged_offset=answer.staged_offset,
        run_number=answer.run_number,
    )


def status_of(payload: bytes) -> BoardStatus:
    """An answer to status."""
    answer = unpack(m.StatusAnswer, payload)
    known = answer.temperature_cC != UNKNOWN_TEMPERATURE
    return BoardStatus(
        state=in_words(State, answer.state),
        safe_reason=in_words(SafeReason, answer.safe_reason),
        temperature_C=answer.temperature_cC / 100 if known else None,
        run_number=answer.run_number,
        scans=answer.scans,
        outcome=in_words(Outcome, answer.outcome),
        image_crc=answer.image_crc,
        slot=SLOTS[answer.slot] if answer.slot < len(SLOTS) else str(answer.slot),
        erases=answer.erases,
        broken_frames=answer.broken_frames,
    )


def in_words(numbers: type[IntEnum], value: int) -> str:
    """The name, or the number where newer firmware knows more names."""
    return numbers(value).name.lower() if value in list(numbers) else str(value)


def check_type(hello: Hello, spec: BoardSpec) -> None:
    """Raise BoardError where the board is not of type `spec`."""
    if hello.spec_digest != spec.digest:
        raise BoardError(
            f"board {hello.board_id} is a {hello.spec_name} with spec digest {hello.spec_digest[:12]}, "
            f"{spec.name} with {spec.digest[:12]} was asked; use the spec that the board was made with"
        )
