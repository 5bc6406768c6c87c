import math

import torch

from jackfield.model.augment import moved


def test_no_movement_changes_nothing() -> None:
    x = torch.rand(4, 12, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(moved(x, (1, 3, 4), 0.0, 0.0, torch.Generator().manual_seed(2)), x)


def test_a_spot_moves_by_the_shift_at_most_and_keeps_its_light() -> None:
    x = torch.zeros(200, 2, 7, 9)
    x[:, :, 3, 4] = 1.0
    shown = moved(x.view(200, -1), (2, 7, 9), 2.0, 0.0, torch.Generator().manual_seed(3)).view(200, 2, 7, 9)
    torch.testing.assert_close(shown.sum(dim=(2, 3)), torch.ones(200, 2))
    assert torch.equal(shown[:, 0], shown[:, 1])
    rows = (shown[:, 0].sum(dim=2) * torch.arange(7.0)).sum(dim=1) - 3
    columns = (shown[:, 0].sum(dim=1) * torch.arange(9.0)).sum(dim=1) - 4
    for offset in (rows, columns):
        assert offset.abs().max() <= 2.0 + 1e-4
        assert offset.abs().max() > 1.8
        assert offset.mean().abs() < 0.3


def test_a_spot_turns_about_the_middle_by_the_angle_at_most() -> None:
    rows, columns, radius = 9, 13, 3
    x = torch.zeros(200, rows, columns)
    x[:, 4, 6 + radius] = 1.0
    turned = moved(x.view(200, -1), (1, rows, columns), 0.0, 30.0, torch.Generator().manual_seed(5)).view_as(x)
    light = turned.sum(dim=(1, 2))
    down = (turned.sum(dim=2) * torch.arange(float(rows))).sum(dim=1) / light - 4
    right = (turned.sum(dim=1) * torch.arange(float(columns))).sum(dim=1) / light - 6
    torch.testing.assert_close(torch.hypot(down, right), torch.full((200,), 3.0), rtol=0.05, atol=0)
    angles = torch.atan2(down, right).rad2deg()
    assert angles.abs().max() <= 30.0 + 1.0
    assert angles.max() > 26.0
    assert angles.min() < -26.0
    assert math.isclose(float(angles.mean()), 0.0, abs_tol=4.0)
