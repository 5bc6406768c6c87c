"""Sources drive within limits or not at all."""

import pytest

from jackfield.bench import AbstractSource
from jackfield.errors import InstrumentError


class Recorded(AbstractSource):
    """Keeps what it was told to drive."""

    idn_pattern = "x"
    driven: float | None = None

    def _drive(self, volts: float) -> None:
        self.driven = volts

    def off(self) -> None:
        self.driven = None

    def close(self) -> None:
        self.off()


@pytest.mark.parametrize("limits", [(None, 1.0), (1e-3, None)])
def test_a_source_without_limits_is_refused(limits: tuple[float | None, float | None]) -> None:
    with pytest.raises(InstrumentError, match=r"give limit_A and limit_V in the bench file"):
        Recorded(*limits)


def test_beyond_the_limit_nothing_is_driven() -> None:
    source = Recorded(1e-3, 2.0)
    source.drive(1.5)
    assert source.driven == 1.5
    with pytest.raises(InstrumentError, match=r"2.5 V is asked of a source limited to 2 V"):
        source.drive(2.5)
    assert source.driven == 1.5
