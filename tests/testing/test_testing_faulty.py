from jackfield.testing import ExpectedTransport, FaultyTransport


def spoilt(seed: int, rate: float) -> tuple[bytes, int]:
    line = FaultyTransport(ExpectedTransport([(None, bytes(1000))]), seed, rate)
    return line.read(0), line.faults


def test_a_seed_always_spoils_the_same() -> None:
    assert spoilt(1, 0.05) == spoilt(1, 0.05)
    assert spoilt(1, 0.05) != spoilt(2, 0.05)


def test_a_good_cable_spoils_nothing() -> None:
    assert spoilt(1, 0.0) == (bytes(1000), 0)
    data, faults = spoilt(3, 0.05)
    assert 20 < faults < 100
    assert data != bytes(1000)
