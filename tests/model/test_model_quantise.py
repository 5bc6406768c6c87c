import numpy as np
import pytest
import torch

from jackfield.board import CodeScale
from jackfield.model import round_to_codes


@pytest.mark.parametrize("scale", [CodeScale(-0.75, 0.75, 8, "bipolar", "1"), CodeScale(0.1, 0.7, 5, "unipolar", "1")])
def test_values_are_those_of_the_boards_codes(scale: CodeScale) -> None:
    values = torch.rand(1_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 0.6 + 0.1
    rounded = round_to_codes(values, scale).numpy()
    np.testing.assert_allclose(rounded, scale.value(scale.code(values.numpy())), rtol=0, atol=1e-15)
    assert np.abs(rounded - values.numpy()).max() <= scale.lsb / 2 * (1 + 1e-9)


def test_beyond_the_range_is_its_end_and_ties_go_to_even() -> None:
    scale = CodeScale(-127.0, 127.0, 8, "bipolar", "1")
    rounded = round_to_codes(torch.tensor([-200.0, 0.5, 1.5, 126.6, 200.0]), scale)
    assert rounded.tolist() == [-127.0, 0.0, 2.0, 127.0, 127.0]


def test_the_gradient_passes_straight_through() -> None:
    values = torch.linspace(-1, 1, 7, requires_grad=True)
    (round_to_codes(values, CodeScale(-1.0, 1.0, 4, "bipolar", "1")) * torch.arange(7.0)).sum().backward()
    assert values.grad is not None
    assert values.grad.tolist() == list(range(7))
