import pytest

from jackfield.emulator.randomness import Randomness
from jackfield.emulator.scanner import Scanner

JACKS = {101: 0.8, 102: -0.25, 103: 5.0}


@pytest.fixture
def scanner() -> Scanner:
    return Scanner(Randomness("jf16", "ideal", 1), lambda channel: (JACKS.get(channel, 0.0), "run"))


def ask(scanner: Scanner, message: str) -> bytes:
    return scanner.core.execute(message) or b""


def numbers(text: bytes) -> list[float]:
    return [float(field) for field in text.split(b",")]


def test_a_scan_in_order_taken_in_parts(scanner: Scanner) -> None:
    ask(scanner, "CONF:VOLT:DC 1,(@101,102);:ROUT:SCAN (@102,101);:INIT")
    assert ask(scanner, "DATA:POINts?") == b"2"
    first, second = ask(scanner, "R? 1"), ask(scanner, "R?")
    assert first[:4] == b"#215"
    assert float(first[4:]) == pytest.approx(-0.25, abs=1e-4)
    assert float(second[4:]) == pytest.approx(0.8, abs=1e-4)
    assert ask(scanner, "R? 5") == b"#10"
    assert ask(scanner, "SYST:ERR?") == b'+0,"No error"'


def test_ranges_overload_and_lists(scanner: Scanner) -> None:
    ask(scanner, "CONFigure:VOLTage:DC 1,(@101:103)")
    assert numbers(ask(scanner, "READ?"))[2] == 9.9e37
    ask(scanner, "CONFigure:VOLTage:DC 10,(@103)")
    assert numbers(ask(scanner, "READ?")) == [pytest.approx(5.0, abs=1e-3)]
    scanner.overload_next = True
    assert numbers(ask(scanner, "READ?")) == [9.9e37]
    assert numbers(ask(scanner, "READ?")) == [pytest.approx(5.0, abs=1e-3)]


def test_what_comes_with_a_reading(scanner: Scanner) -> None:
    ask(scanner, "CONF:VOLT:DC 1,(@101);:FORM:READ:UNIT ON;CHAN ON;TIME ON")
    value, time, channel = ask(scanner, "READ?").split(b",")
    assert value.endswith(b" VDC")
    assert (float(time), channel) == (0.0, b"101")


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("ROUT:SCAN 101", b"-178"),
        ("ROUT:SCAN (@1O1)", b"-171"),
        ("ROUT:SCAN (@121)", b"112"),
        ("CONF:VOLT:DC 1", b"-109"),
        ("CONF:VOLT:DC 9999,(@101)", b"-222"),
        ("ROUTE:SCAN (@101)x", b"-178"),
        ("INIT", b"-221"),
        ("FETC?", b"-230"),
        ("TRIG:SOUR TELEPATHY", b"-224"),
    ],
)
def test_what_is_wrong_goes_into_the_queue(scanner: Scanner, message: str, error: bytes) -> None:
    assert ask(scanner, message) == b""
    assert ask(scanner, "SYSTem:ERRor?").startswith(error)
