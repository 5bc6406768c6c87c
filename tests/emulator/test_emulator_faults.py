from collections.abc import Callable

import pytest

from jackfield.emulator.faults import ByteFaults, FaultPort, Faults
from jackfield.emulator.loop import Loop
from jackfield.emulator.randomness import Randomness
from jackfield.errors import DesignError

RANDOMNESS = Randomness("jf16", "cmos", 3)


def test_parse() -> None:
    assert Faults.parse(["flip=1e-3", "hangup=500", "dead=4"]) == Faults(flip=1e-3, hangup=500, dead=4)
    for wrong in ("flip", "flop=1", "dead=many"):
        with pytest.raises(DesignError, match="NAME=NUMBER"):
            Faults.parse([wrong])


def test_bytes_come_at_their_rates_and_the_same_each_time() -> None:
    data = bytes(range(256)) * 400
    passed = [ByteFaults(Faults(flip=0.01), RANDOMNESS, "x")(data) for _ in range(2)]
    assert passed[0] == passed[1]
    wrong = [a ^ b for a, b in zip(data, passed[0], strict=True) if a != b]
    assert len(wrong) == pytest.approx(0.01 * len(data), rel=0.1)
    assert {bin(w).count("1") for w in wrong} == {1}
    assert len(set(wrong)) == 8
    assert len(ByteFaults(Faults(drop=0.02), RANDOMNESS, "x")(data)) == pytest.approx(0.98 * len(data), rel=0.003)
    assert len(ByteFaults(Faults(double=0.02), RANDOMNESS, "x")(data)) == pytest.approx(1.02 * len(data), rel=0.003)


def test_pieces_do_not_matter() -> None:
    data = bytes(range(256)) * 4
    whole, parts = (ByteFaults(Faults(flip=0.1), RANDOMNESS, "x") for _ in range(2))
    assert whole(data) == b"".join(parts(data[at : at + 100]) for at in range(0, len(data), 100))


class Fixed:
    """Answers the same thing to everything."""

    overload_next = False

    def __init__(self, reply: bytes) -> None:
        self.reply = reply

    def __call__(self, message: str, answer: Callable[[bytes | None], None]) -> None:
        answer(self.reply)


def answers(faults: Faults, count: int = 300, reply: bytes = b"0123456789\n") -> list[bytes | None]:
    instrument = Fixed(reply)
    spoiled = FaultPort(instrument, faults, RANDOMNESS, "scope", Loop(), instrument)
    got: list[bytes | None] = []
    for _ in range(count):
        spoiled("*IDN?", got.append)
    assert sum(spoiled.met.values()) == sum(spoiled.met[kind] for kind in KINDS if getattr(faults, kind))
    assert instrument.overload_next == bool(faults.overload)
    return got


KINDS = FaultPort.KINDS


def test_answers_go_missing_late_or_short() -> None:
    assert answers(Faults()) == [b"0123456789\n"] * 300
    assert len(answers(Faults(missing=0.2))) == pytest.approx(240, abs=25)
    assert len(answers(Faults(late=0.2))) == pytest.approx(240, abs=25)
    assert answers(Faults(truncated=0.2)).count(b"01234") == pytest.approx(60, abs=25)
    assert answers(Faults(dropped=0.2)).count(None) == pytest.approx(60, abs=25)
    assert answers(Faults(overload=0.2)) == [b"0123456789\n"] * 300


def test_an_instrument_falls_silent_in_the_middle() -> None:
    assert answers(Faults(silent=7)) == [b"0123456789\n"] * 7


@pytest.mark.parametrize(
    ("right", "wrong"),
    [(b"#15hello\n", b"#16hello\n"), (b"#206hello!\n", b"#205hello!\n"), (b"1,2,3\n", b"1,2\n"), (b"7\n", b"7\n")],
)
def test_blocks_and_lists_of_a_wrong_length(right: bytes, wrong: bytes) -> None:
    found = set(answers(Faults(wrong_length=0.5), 40, right))
    assert found == {right, wrong}
