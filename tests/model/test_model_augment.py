import torch

from jackfield.model.augment import shifted


def test_no_shift_changes_nothing() -> None:
    x = torch.rand(4, 12, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(shifted(x, (1, 3, 4), 0.0, torch.Generator().manual_seed(2)), x)


def test_a_spot_moves_by_the_shift_at_most_and_keeps_its_light() -> None:
    x = torch.zeros(200, 2, 7, 9)
    x[:, :, 3, 4] = 1.0
    moved = shifted(x.view(200, -1), (2, 7, 9), 2.0, torch.Generator().manual_seed(3)).view(200, 2, 7, 9)
    torch.testing.assert_close(moved.sum(dim=(2, 3)), torch.ones(200, 2))
    assert torch.equal(moved[:, 0], moved[:, 1])
    rows = (moved[:, 0].sum(dim=2) * torch.arange(7.0)).sum(dim=1) - 3
    columns = (moved[:, 0].sum(dim=1) * torch.arange(9.0)).sum(dim=1) - 4
    for offset in (rows, columns):
        assert offset.abs().max() <= 2.0 + 1e-4
        assert offset.abs().max() > 1.8
        assert offset.mean().abs() < 0.3
