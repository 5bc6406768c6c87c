import numpy as np
import pytest
from scipy.special import ndtri

from jackfield.emulator.randomness import Randomness, inverse_normal

GOLDEN = ["01b7323450848a68", "07b154cdac0b29dd", "9072932c4176f69f"]


def test_words_are_fixed_for_ever() -> None:
    words = Randomness("jf16", "cmos", 7).words("gain", 3)
    assert [f"{word:016x}" for word in words] == GOLDEN


@pytest.mark.parametrize("start", [1, 4, 7, 1 << 40])
def test_any_part_of_a_stream_can_be_had(start: int) -> None:
    randomness = Randomness("jf16", "cmos", 7)
    whole = randomness.words("a", 40, start - start % 4)
    assert np.array_equal(whole[start % 4 : start % 4 + 9], randomness.words("a", 9, start))


def test_every_part_of_the_key_counts() -> None:
    keys = [("a", "p", 1, "q"), ("b", "p", 1, "q"), ("a", "r", 1, "q"), ("a", "p", 2, "q"), ("a", "p", 1, "s")]
    first = {int(Randomness(*key[:3]).words(key[3], 1)[0]) for key in keys}
    assert len(first) == len(keys)


def test_quantiles_are_those_of_the_normal_distribution() -> None:
    p = np.concatenate([np.linspace(1e-6, 1 - 1e-6, 20001), 10.0 ** -np.arange(1, 17), 1 - 10.0 ** -np.arange(1, 15)])
    assert inverse_normal(p) == pytest.approx(ndtri(p), rel=1e-14, abs=1e-14)


@pytest.mark.parametrize("kind", ["normals", "noise"])
def test_moments(kind: str) -> None:
    values = getattr(Randomness("jf16", "cmos", 7), kind)("moments", 100_000)
    assert abs(values.mean()) < 0.015
    assert values.std() == pytest.approx(1.0, abs=0.01)
    assert abs(np.mean(values**3)) < 0.05
    assert np.mean(values**4) == pytest.approx(3.0 if kind == "normals" else 2.7, abs=0.1)


def test_within_stays_within() -> None:
    values = [Randomness("jf16", "cmos", seed).within("q", 0.02) for seed in range(200)]
    assert max(np.abs(values)) < 0.02
    assert np.std(values) == pytest.approx(0.02 / 3**0.5, rel=0.15)
