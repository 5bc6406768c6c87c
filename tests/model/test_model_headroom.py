import pytest
import torch

from jackfield.model import headroom_penalty


def test_nothing_inside_the_limit() -> None:
    assert headroom_penalty(torch.full((2, 3, 4), -1.1), 1.1) == 0


def test_squares_outside_summed_over_nodes_and_times_and_averaged_over_samples() -> None:
    states = torch.zeros(2, 4, 3)
    states[0, 1, 2], states[1, 1, 0] = 2.0, -3.0
    assert headroom_penalty(states, 1.0).item() == pytest.approx((1.0 + 4.0) / 4)


def test_its_gradient_points_inside() -> None:
    states = torch.tensor([[[2.0, -2.0, 0.5]]], requires_grad=True)
    headroom_penalty(states, 1.0).backward()
    assert states.grad is not None
    assert states.grad.flatten().tolist() == [2.0, -2.0, 0.0]
