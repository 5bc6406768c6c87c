import pytest

from jackfield.errors import DesignError
from jackfield.link import LineFaults
from jackfield.link.line_faults import Spoiler

DATA = bytes(range(1, 251)) * 400


def spoilt(faults: LineFaults, seed: int = 3, piece: int = 100_000) -> tuple[bytes, Spoiler]:
    spoiler = Spoiler(faults, seed, "sent")
    return b"".join(spoiler(DATA[start : start + piece])[0] for start in range(0, len(DATA), piece)), spoiler


def test_a_good_line_changes_nothing() -> None:
    assert spoilt(LineFaults())[0] == DATA


def test_a_seed_does_the_same_whatever_the_pieces() -> None:
    faults = LineFaults(flip=1e-3, drop=1e-3, double=1e-3)
    whole, log = spoilt(faults)
    in_pieces, log_of_pieces = spoilt(faults, piece=7)
    assert whole == in_pieces != DATA
    assert log.log == log_of_pieces.log
    assert spoilt(faults, seed=4)[0] != whole


@pytest.mark.parametrize(("kind", "longer"), [("flip", 0), ("drop", -1), ("double", 1)])
def test_each_fault_comes_as_often_as_asked(kind: str, longer: int) -> None:
    out, spoiler = spoilt(LineFaults(**{kind: 1e-2}))
    assert 850 < len(spoiler.log) < 1150
    assert len(out) == len(DATA) + longer * len(spoiler.log)
    assert {name for name, _ in spoiler.log} == {kind}
    if kind == "flip":
        differing = [at for at, (a, b) in enumerate(zip(DATA, out, strict=True)) if a != b]
        assert differing == [at for _, at in spoiler.log]
        assert all((DATA[at] ^ out[at]).bit_count() == 1 for at in differing)


def test_nothing_arrives_behind_a_hang_up() -> None:
    spoiler = Spoiler(LineFaults(hang_up=1e-3), 1, "sent")
    out, hung_up = spoiler(DATA)
    assert hung_up
    assert out == DATA[: spoiler.log[0][1] + 1]


def test_faults_in_words() -> None:
    assert LineFaults.parse(["flip=1e-4", "drop=0"]) == LineFaults(flip=1e-4)
    assert LineFaults.parse(["mixed=4e-4"]) == LineFaults(1e-4, 1e-4, 1e-4, 1e-4)
    for text in ("flap=1e-4", "flip", "flip=2", "flip=x"):
        with pytest.raises(DesignError, match="write NAME=SHARE with one of flip, drop"):
            LineFaults.parse([text])
    with pytest.raises(DesignError, match="more than all bytes"):
        LineFaults.parse(["flip=0.6", "drop=0.6"])
