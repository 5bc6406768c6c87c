import pytest

from jackfield.emulator.digital_rate import LineRate
from jackfield.emulator.refusal import Refusal

RATES = (115_200, 921_600)


class Rig:
    def __init__(self) -> None:
        self.now = 100.0
        self.rate = LineRate(RATES, lambda: self.now)

    def later(self, seconds: float, broken: int = 0) -> int:
        self.now += seconds
        self.rate.tick(broken)
        return self.rate.baud


def test_the_change_waits_for_the_tick_and_stays_once_something_was_heard() -> None:
    rig = Rig()
    rig.rate.ask(921_600)
    assert rig.rate.baud == 115_200
    assert rig.later(0) == 921_600
    rig.now += 0.4
    rig.rate.heard()
    assert rig.later(1000) == 921_600


def test_silence_after_the_change_brings_the_first_rate_back() -> None:
    rig = Rig()
    rig.rate.ask(921_600)
    rig.rate.tick(0)
    assert rig.later(0.4) == 921_600
    assert rig.later(0.2) == 115_200


def test_a_new_host_at_the_first_rate_is_noticed_by_its_noise() -> None:
    rig = Rig()
    rig.rate.ask(921_600)
    rig.rate.tick(0)
    rig.rate.heard()
    assert rig.later(0.3, broken=3) == 921_600  # a bad cable: it was understood a moment ago
    assert rig.later(10, broken=2) == 921_600
    assert rig.later(0, broken=3) == 115_200


def test_a_rate_that_the_board_has_not() -> None:
    with pytest.raises(Refusal, match=r"^BAUD$"):
        Rig().rate.ask(12_000_000)
