"""The payloads of all messages, in wire order. Generated from protocol.toml by generate.py; do not edit."""

from typing import Final, NamedTuple

from jackfield.link.layout import Layout

__all__ = [
    "LAYOUTS",
    "REPLY_HEADER",
    "REQUEST_HEADER",
    "AckNotice",
    "Apply",
    "ApplyAnswer",
    "Commit",
    "CommitAnswer",
    "DoneNotice",
    "ErrorNotice",
    "Hello",
    "HelloAnswer",
    "NakNotice",
    "ReadChecked",
    "ReadCheckedAnswer",
    "ReadImage",
    "ReadImageAnswer",
    "Rollback",
    "RollbackAnswer",
    "Run",
    "RunAnswer",
    "Safe",
    "SafeAnswer",
    "SelectStep",
    "SelectStepAnswer",
    "SetBaud",
    "SetBaudAnswer",
    "StageBegin",
    "StageBeginAnswer",
    "StageData",
    "StageEnd",
    "StageEndAnswer",
    "Status",
    "StatusAnswer",
    "Stop",
    "StopAnswer",
    "WriteInjection",
    "WriteInjectionAnswer",
    "WriteInputs",
    "WriteInputsAnswer",
]

REQUEST_HEADER: Final = "<BH"
REPLY_HEADER: Final = "<BHHIB"


class Hello(NamedTuple):
    """Who are you; starts a session: any sequence number is accepted and the next one expected is sequence + 1."""

    version: int  # protocol version that the host speaks
    nonce: int  # any number not used before; comes back


class HelloAnswer(NamedTuple):
    """The board's answer to hello."""

    nonce: int  # of the request
    version: int  # protocol version that the board speaks
    features: int  # bits of the table of features
    board_id: str  # unique for each board ever made
    spec_name: str  # name in the board spec
    spec_digest: bytes  # SHA-256 of the board spec
    firmware_major: int  # firmware version
    firmware_minor: int  # firmware version
    firmware_patch: int  # firmware version
    frame_bytes: int  # largest frame before COBS, CRC included
    window: int  # largest credit, 1 to 32 frames
    inputs: int  # vectors in the input memory
    sequence_depth: int  # configuration steps that can be held
    reply_ms: int  # longest time from a whole request to its answer
    flash_ms: int  # longest time of a commit
    watchdog_ms: int  # silence after which live outputs go safe
    image_bytes: int  # length of this board's image payload
    image_crc: int  # CRC-32 of the active image, 0 if there is none
    staged_crc: int  # `crc` of the transfer that can be resumed, 0 if there is none
    staged_offset: int  # bytes of it held without a gap
    run_number: int  # number of the last run, 0 before the first


class Safe(NamedTuple):
    """Safe state at once, whatever the board is doing; starts a session like hello."""

    nonce: int  # any number not used before; comes back


class SafeAnswer(NamedTuple):
    """The board's answer to safe."""

    nonce: int  # of the request


class Status(NamedTuple):
    """State, temperature, last run, configuration; the cheapest frame that feeds the watchdog."""


class StatusAnswer(NamedTuple):
    """The board's answer to status."""

    state: int  # table of states
    safe_reason: int  # table of reasons; 0 unless state is safe
    temperature_cC: int  # 0.01 degrees Celsius; 32767 if not known
    run_number: int  # number of the last run
    scans: int  # inputs that it scanned
    outcome: int  # table of outcomes
    image_crc: int  # CRC-32 of the active image, 0 if there is none
    staged_crc: int  # `crc` of the transfer that can be resumed, 0 if there is none
    staged_offset: int  # bytes of it held without a gap
    slot: int  # flash slot started from: 0 none, 1 A, 2 B
    erases: int  # flash erase counter
    broken_frames: int  # frames thrown away since power-up


class Stop(NamedTuple):
    """Ends a run, then safe state."""


class StopAnswer(NamedTuple):
    """The board's answer to stop."""


class SetBaud(NamedTuple):
    """Both sides change after the answer; the board goes back to its first rate if that does not work."""

    baud: int  # one of the spec's link.baud


class SetBaudAnswer(NamedTuple):
    """The board's answer to set_baud."""

    baud: int  # of the request


class StageBegin(NamedTuple):
    """Opens a transfer. The same fields as the unfinished one, or as the one checked last, resume it."""

    kind: int  # table of staged kinds
    step: int  # number of the step for kind `step`, else 0
    length: int  # bytes to come
    crc: int  # CRC-32 of these bytes
    base_crc: int  # CRC-32 of the image that a delta changes; 0 for a whole image
    image_crc: int  # CRC-32 of the image that results


class StageBeginAnswer(NamedTuple):
    """The board's answer to stage_begin."""

    offset: int  # bytes held already: send from here


class StageData(NamedTuple):
    """A piece of the transfer; acknowledged, not answered; the only frame that may be taken out of order."""

    transfer: int  # sequence of the stage_begin that opened the transfer
    offset: int  # where the bytes belong
    data: bytes


class StageEnd(NamedTuple):
    """Check length and CRC, work out the image, check its CRC and the range of every code and route."""


class StageEndAnswer(NamedTuple):
    """The board's answer to stage_end."""


class Apply(NamedTuple):
    """Make the checked image the active one, in RAM; keep the one before it for rollback."""


class ApplyAnswer(NamedTuple):
    """The board's answer to apply."""

    image_crc: int  # CRC-32 of the active image


class Rollback(NamedTuple):
    """Back to the configuration before the last apply; from a held step, to the image that the steps begin with."""


class RollbackAnswer(NamedTuple):
    """The board's answer to rollback."""

    image_crc: int  # CRC-32 of the active image, 0 if there is none


class ReadImage(NamedTuple):
    """Bytes of the active image, read back from where the cells get them."""

    origin: int  # byte offset that the first span skips from
    spans: bytes


class ReadImageAnswer(NamedTuple):
    """The board's answer to read_image."""

    data: bytes


class Commit(NamedTuple):
    """Write the active image into the older flash slot, its header last."""

    image_crc: int  # of the image that is meant


class CommitAnswer(NamedTuple):
    """The board's answer to commit."""

    slot: int  # slot written: 1 A, 2 B
    erases: int  # flash erase counter


class SelectStep(NamedTuple):
    """Make a held step the active configuration."""

    step: int  # 0 .. sequence_depth - 1


class SelectStepAnswer(NamedTuple):
    """The board's answer to select_step."""

    image_crc: int  # CRC-32 of the active image


class ReadChecked(NamedTuple):
    """Bytes of the image that stage_end has checked last, read from where apply gets them; nothing changes."""

    origin: int  # byte offset that the first span skips from
    spans: bytes


class ReadCheckedAnswer(NamedTuple):
    """The board's answer to read_checked."""

    data: bytes


class WriteInputs(NamedTuple):
    """Preset codes into the input memory."""

    start: int  # input * nodes + node - 1 of the first code
    codes: bytes


class WriteInputsAnswer(NamedTuple):
    """The board's answer to write_inputs."""


class WriteInjection(NamedTuple):
    """Injection codes into the injection memory."""

    start: int  # (input * points + point) * nodes + node - 1 of the first code
    codes: bytes


class WriteInjectionAnswer(NamedTuple):
    """The board's answer to write_injection."""


class Run(NamedTuple):
    """Run the inputs first .. first + inputs - 1; answered at the start, `done` follows at the end."""

    run_number: int  # chosen by the host; comes back in `done` and status
    mode: int  # table of modes
    first: int  # first input
    inputs: int  # number of inputs
    hold_ticks: int  # extra ticks between HOLD and the scan
    step: int  # 0: the configuration stays; n: step n - 1 before the first input, then the next ones
    steps: int  # number of (bank, ticks) pairs
    probes: int  # number of scan lists
    program: bytes


class RunAnswer(NamedTuple):
    """The board's answer to run."""

    run_number: int  # of the request


class AckNotice(NamedTuple):
    """Nothing but its header."""


class NakNotice(NamedTuple):
    """A frame was thrown away. Its sequence is in the header, 0 if it could not be read."""

    reason: int  # table of NAK reasons


class ErrorNotice(NamedTuple):
    """Takes the place of an answer: the request was understood and refused; nothing changed."""

    code: int  # table of errors
    bank: int  # bank, where the error has one
    field: int  # 0 source, 1 destination, 2 + n parameter n, 255 trim; program part
    place: int  # cell (from 0), node (from 1), byte or code: see the error
    value: int  # what was found there


class DoneNotice(NamedTuple):
    """A run has ended; the sequence in the header is that of its request. Sent once: status says the same."""

    run_number: int  # of the request
    scans: int  # inputs that were scanned
    outcome: int  # table of outcomes


LAYOUTS: Final[dict[type[tuple[object, ...]], Layout]] = {
    Hello: Layout("hello", 0x01, "<BI", (), False, True),
    HelloAnswer: Layout("hello_answer", 0x81, "<IBH16s16s32sBBBHBHHHHHIIIII", (3, 4), False, False),
    Safe: Layout("safe", 0x02, "<I", (), False, False),
    SafeAnswer: Layout("safe_answer", 0x82, "<I", (), False, False),
    Status: Layout("status", 0x03, "<", (), False, True),
    StatusAnswer: Layout("status_answer", 0x83, "<BBhIIBIIIBII", (), False, False),
    Stop: Layout("stop", 0x04, "<", (), False, False),
    StopAnswer: Layout("stop_answer", 0x84, "<", (), False, False),
    SetBaud: Layout("set_baud", 0x05, "<I", (), False, False),
    SetBaudAnswer: Layout("set_baud_answer", 0x85, "<I", (), False, False),
    StageBegin: Layout("stage_begin", 0x10, "<BHIIII", (), False, False),
    StageBeginAnswer: Layout("stage_begin_answer", 0x90, "<I", (), False, False),
    StageData: Layout("stage_data", 0x11, "<HI", (), True, False),
    StageEnd: Layout("stage_end", 0x12, "<", (), False, False),
    StageEndAnswer: Layout("stage_end_answer", 0x92, "<", (), False, False),
    Apply: Layout("apply", 0x13, "<", (), False, False),
    ApplyAnswer: Layout("apply_answer", 0x93, "<I", (), False, False),
    Rollback: Layout("rollback", 0x14, "<", (), False, False),
    RollbackAnswer: Layout("rollback_answer", 0x94, "<I", (), False, False),
    ReadImage: Layout("read_image", 0x15, "<I", (), True, True),
    ReadImageAnswer: Layout("read_image_answer", 0x95, "<", (), True, False),
    Commit: Layout("commit", 0x16, "<I", (), False, False),
    CommitAnswer: Layout("commit_answer", 0x96, "<BI", (), False, False),
    SelectStep: Layout("select_step", 0x17, "<H", (), False, False),
    SelectStepAnswer: Layout("select_step_answer", 0x97, "<I", (), False, False),
    ReadChecked: Layout("read_checked", 0x18, "<I", (), True, True),
    ReadCheckedAnswer: Layout("read_checked_answer", 0x98, "<", (), True, False),
    WriteInputs: Layout("write_inputs", 0x20, "<I", (), True, False),
    WriteInputsAnswer: Layout("write_inputs_answer", 0xA0, "<", (), False, False),
    WriteInjection: Layout("write_injection", 0x21, "<I", (), True, False),
    WriteInjectionAnswer: Layout("write_injection_answer", 0xA1, "<", (), False, False),
    Run: Layout("run", 0x30, "<IBHHIHBB", (), True, False),
    RunAnswer: Layout("run_answer", 0xB0, "<I", (), False, False),
    AckNotice: Layout("ack", 0xC0, "<", (), False, False),
    NakNotice: Layout("nak", 0xC1, "<B", (), False, False),
    ErrorNotice: Layout("error", 0xC2, "<BBBII", (), False, False),
    DoneNotice: Layout("done", 0xC3, "<IIB", (), False, False),
}
