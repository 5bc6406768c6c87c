import pytest
import torch

from jackfield.model.schedule import one_cycle


@pytest.mark.parametrize(("total", "warm_up"), [(101, 0.25), (1_000, 0.1), (4, 0.25)])
def test_it_is_torchs_one_cycle(total: int, warm_up: float) -> None:
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))])
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=total, pct_start=max(warm_up, 2 / total))
    for step in range(total):
        group = optimiser.param_groups[0]
        assert one_cycle(step, total, 3e-3, warm_up) == pytest.approx((group["lr"], group["betas"][0]), rel=1e-12)
        optimiser.step()
        if step + 1 < total:
            rate.step()
