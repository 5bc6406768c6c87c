"""Numbers inside the fields of messages. Generated from protocol.toml by generate.py; do not edit."""

from enum import IntEnum, IntFlag

__all__ = [
    "ERROR_TEXT",
    "PROTOCOL_VERSION",
    "ErrorCode",
    "Feature",
    "Mode",
    "NakReason",
    "Outcome",
    "ProgramPart",
    "SafeReason",
    "StagedKind",
    "State",
]

PROTOCOL_VERSION = 1


class Feature(IntFlag):
    """Bits of hello's features."""

    FLASH = 1
    SEQUENCE = 2
    BAUD = 4
    DRIVE = 8


class State(IntEnum):
    """States of the board."""

    SAFE = 0
    IDLE = 1
    RUNNING = 2
    HOLDING = 3


class SafeReason(IntEnum):
    """Why the board went safe."""

    NONE = 0
    POWER_UP = 1
    RESET = 2
    WATCHDOG = 3
    STOP = 4
    REQUEST = 5
    SELF_TEST = 6


class Outcome(IntEnum):
    """How the last run ended."""

    NONE = 0
    COMPLETE = 1
    STOPPED = 2
    WATCHDOG = 3


class StagedKind(IntEnum):
    """What a transfer carries."""

    WHOLE = 0
    DELTA = 1
    STEP = 2


class Mode(IntEnum):
    """Modes of a run."""

    RUN = 0
    WATCH = 1
    HOLD_PRESET = 2
    SPIKES = 3


class NakReason(IntEnum):
    """Why a frame was thrown away."""

    BROKEN = 1
    GAP = 2
    NO_SESSION = 3


class ErrorCode(IntEnum):
    """Errors."""

    UNSUPPORTED = 1
    BAD_LENGTH = 2
    BUSY = 3
    NO_STAGE = 4
    INCOMPLETE = 5
    STAGE_CRC = 6
    STAGE_LENGTH = 7
    WRONG_BASE = 8
    WRONG_IMAGE = 9
    BAD_DELTA = 10
    CODE_RANGE = 11
    ROUTE_RANGE = 12
    NOTHING_STAGED = 13
    NO_PREVIOUS = 14
    INPUT_RANGE = 15
    INPUT_CODE = 16
    BAD_PROGRAM = 17
    NOT_CONFIGURED = 18
    OUT_OF_BOUNDS = 19
    BAD_KIND = 20
    SELF_TEST = 21
    FLASH = 22
    BAUD = 23
    NO_STEP = 24


class ProgramPart(IntEnum):
    """`field` of bad_program."""

    MODE = 0
    INPUTS = 1
    STEPS = 2
    SCAN = 3
    SEQUENCE = 4
    DRIVE = 5


ERROR_TEXT = {
    ErrorCode.UNSUPPORTED: "this board does not know message {value}",
    ErrorCode.BAD_LENGTH: "the payload of message {value} has the wrong length",
    ErrorCode.BUSY: "run {value} is still going",
    ErrorCode.NO_STAGE: "transfer {value} is not open",
    ErrorCode.INCOMPLETE: "byte {place} of {value} has not arrived",
    ErrorCode.STAGE_CRC: "the bytes that arrived have the CRC-32 {value:#010x}",
    ErrorCode.STAGE_LENGTH: "{place} bytes are announced, {value} fit",
    ErrorCode.WRONG_BASE: "the delta changes another image; the active one has the CRC-32 {value:#010x}",
    ErrorCode.WRONG_IMAGE: "the resulting image has the CRC-32 {value:#010x}",
    ErrorCode.BAD_DELTA: "the delta is cut off, or leaves the image, at its byte {place}",
    ErrorCode.CODE_RANGE: "code {value} is not in the range",
    ErrorCode.ROUTE_RANGE: "route {value} does not exist",
    ErrorCode.NOTHING_STAGED: "no transfer has been checked by stage_end",
    ErrorCode.NO_PREVIOUS: "there is nothing to roll back to",
    ErrorCode.INPUT_RANGE: "code {place} lies outside the input memory of {value} codes",
    ErrorCode.INPUT_CODE: "code {place} of the input memory: {value} is not in the range",
    ErrorCode.BAD_PROGRAM: "program part {field}: {value} at {place} is not possible",
    ErrorCode.NOT_CONFIGURED: "no image has been applied since power-up",
    ErrorCode.OUT_OF_BOUNDS: "the image has {value} bytes, byte {place} was asked for",
    ErrorCode.BAD_KIND: "staged kind {value} does not exist",
    ErrorCode.SELF_TEST: "self-test {value} failed",
    ErrorCode.FLASH: "flash slot {place} reads back wrong at byte {value}",
    ErrorCode.BAUD: "the line cannot run at {value} baud",
    ErrorCode.NO_STEP: "step {place} is asked, {value} steps are held",
}
