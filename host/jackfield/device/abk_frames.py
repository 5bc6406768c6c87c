"""ABK, the serial protocol of Anadigm/Okika AN231E04 boards, as frames.

Public descriptions (two independent programs agree): 57600 8N1; STX, a command letter, four hexadecimal digits with
the number of hexadecimal characters that follow, these characters, ETX. A primary configuration goes behind five zero
bytes and in front of one. Everything is upper case here.
"""

from typing import Final

from jackfield.errors import BoardError, DesignError, LinkError

__all__ = [
    "ADC_VOLTS",
    "ETX",
    "PRIMARY",
    "RECONFIGURATION",
    "RESET",
    "STX",
    "ask",
    "body_of",
    "check_answer",
    "header",
    "volts_of",
]

STX: Final = b"\x02"
ETX: Final = b"\x03"
PRIMARY: Final = b"0"
RECONFIGURATION: Final = b"1"
RESET: Final = STX + b"R0002FF" + ETX
LEADING_ZEROS, TRAILING_ZEROS = 5, 1
LARGEST: Final = 0xFFFF
ADC_VOLTS: Final = 3.3
ADC_CODES: Final = 1 << 10
CONVERTERS: Final = ("A", "V")
ANSWERS: Final = {
    "1": "it does not know the command",
    "2": "the checksum of the configuration is wrong",
    "3": "writing to the chip took too long",
}


def body_of(configuration: bytes, kind: bytes) -> bytes:
    """The hexadecimal characters that carry `configuration`; a primary one with its zeros.

    Raises DesignError where it is empty or too long for the length field.
    """
    if kind == PRIMARY:
        configuration = bytes(LEADING_ZEROS) + configuration + bytes(TRAILING_ZEROS)
    body = configuration.hex().upper().encode()
    if not 0 < len(body) <= LARGEST:
        raise DesignError(f"a configuration of {len(body)} hexadecimal characters is given; 2 to {LARGEST} fit a frame")
    return body


def header(kind: bytes, body: bytes) -> bytes:
    """What goes in front of `body`: after it the board wants time to make room."""
    return STX + kind + f"{len(body):04X}".encode()


def ask(command: str) -> bytes:
    """A question: `?` whether the last download went well, `#` the version, `T` the chips, `A03` converter 3."""
    return STX + command.encode() + ETX


def check_answer(answer: str) -> None:
    """Raise BoardError, saying why, where a download was not accepted."""
    if answer != "0":
        reason = ANSWERS.get(answer, f"it answers {answer!r}")
        raise BoardError(f"the board did not take the configuration: {reason}; reset it and send the primary one again")


def volts_of(answer: str) -> float:
    """The voltage that four hexadecimal digits of a 10-bit converter mean; LinkError where they are none."""
    try:
        code = int(answer, 16) if len(answer) == 4 else -1
    except ValueError:
        code = -1
    if not 0 <= code < ADC_CODES:
        raise LinkError(
            f"a converter answered {answer!r}, not four hexadecimal digits below {ADC_CODES:04X}; ask again"
        )
    return code * ADC_VOLTS / ADC_CODES
