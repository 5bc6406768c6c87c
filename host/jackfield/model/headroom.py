"""Keeping node voltages inside the rails, in training."""

from torch import Tensor

__all__ = ["headroom_penalty"]


def headroom_penalty(states: Tensor, limit: float) -> Tensor:
    """relu(|v| - limit)^2 summed over snapshots and nodes, mean over samples; `states` [snapshot, batch, node]."""
    return (states.abs() - limit).relu().square().sum(dim=(0, 2)).mean()
