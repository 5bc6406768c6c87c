import pytest

from jackfield.emulator.scpi import Command, ScpiCore, ScpiError, block, boolean, choice, number


class Lamp:
    """The smallest instrument: one setting and one channel list."""

    def __init__(self) -> None:
        self.level = {1: 0.0, 2: 0.0}
        commands = {
            "LAMP<n>:LEVel": Command(self._set, 1, 1),
            "LAMP<n>:LEVel?": Command(lambda suffixes, arguments: str(self.level[suffixes[0]])),
            "LAMP<n>:COLour[:WHITe]?": Command(lambda suffixes, arguments: "WHIT"),
        }
        self.core = ScpiCore("maker,lamp,0,1", commands, self.level.clear)

    def _set(self, suffixes: tuple[int, ...], arguments: list[str]) -> None:
        self.level[suffixes[0]] = number(arguments[0], "V", -1, 1)


SPELLINGS = [":LAMP1:LEVel 0.5", "lamp1:lev 500mV", "LAMP1:LEV 5E-1", "LAMP1:LEVEL .5V"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_short_and_long_forms_set_the_same(spelling: str) -> None:
    lamp = Lamp()
    assert lamp.core.execute(spelling) is None
    assert lamp.level[1] == 0.5
    assert lamp.core.execute("SYST:ERR?") == b'+0,"No error"'


@pytest.mark.parametrize(
    ("message", "error", "event"),
    [
        ("LAMP1:LEVE 1", -113, 0x20),
        ("LAMP1:LEV", -109, 0x20),
        ("LAMP1:LEV 0.1,0.2", -108, 0x20),
        ("LAMP1:LEV much", -104, 0x20),
        ("LAMP1:LEV 2", -222, 0x10),
    ],
)
def test_errors_are_queued_and_set_their_event_bit(message: str, error: int, event: int) -> None:
    lamp = Lamp()
    lamp.core.execute("*CLS")
    assert lamp.core.execute(message) is None
    assert lamp.core.execute("*ESR?") == str(event).encode()
    answer = lamp.core.execute(":SYSTem:ERRor:NEXT?")
    assert answer is not None
    assert answer.startswith(str(error).encode())
    assert lamp.core.execute("SYST:ERR?") == b'+0,"No error"'


def test_a_header_without_colon_continues_at_the_same_level() -> None:
    lamp = Lamp()
    assert lamp.core.execute(":LAMP2:LEV 0.25;LEV?;:LAMP1:LEV?;*OPC?;COL?") == b"0.25;0.0;1;WHIT"


def test_the_queue_overflows_as_scpi_says() -> None:
    lamp = Lamp()
    for _ in range(30):
        lamp.core.execute("NONSENSE")
    answers = [lamp.core.execute("SYST:ERR?") for _ in range(21)]
    assert answers[18] == b'-113,"Undefined header"'
    assert answers[19] == b'-350,"Queue overflow"'
    assert answers[20] == b'+0,"No error"'


def test_status_byte_follows_the_enable_registers() -> None:
    lamp = Lamp()
    lamp.core.execute("*CLS;*ESE 32;*SRE 32")
    assert lamp.core.execute("*ESE?;*SRE?;*STB?") == b"32;32;0"
    lamp.core.execute("NONSENSE")
    assert lamp.core.execute("*STB?") == b"96"


def test_parameters() -> None:
    assert number("20us", "s", 0, 1) == pytest.approx(20e-6)
    assert number("1MOHM", "OHM", 0, 1) == 1e-3
    assert choice("hres", "NORMal", "HRESolution") == "HRES"
    assert boolean("ON")
    assert not boolean("0")
    with pytest.raises(ScpiError):
        choice("HRESO", "NORMal", "HRESolution")
    with pytest.raises(ScpiError):
        boolean("MAYBE")
    assert block(b"abc", 8) == b"#800000003abc"
    assert block(b"0123456789") == b"#2100123456789"
