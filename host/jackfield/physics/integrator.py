"""Runs a circuit: fixed steps, exact discrete gradients."""

import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.physics.circuit import Circuit
from jackfield.physics.field import vector_field
from jackfield.physics.tableau import TABLEAUS


def integrate(
    circuit: Circuit,
    v0: Tensor,
    *,
    steps: int | tuple[int, ...],
    method: str = "rk4",
    snapshots: int = 1,
) -> Tensor:
    """States [slices * snapshots, batch, node] from `v0` [batch, node], the last one being v(T)."""
    counts = (steps,) * len(circuit.slices) if isinstance(steps, int) else steps
    if len(counts) != len(circuit.slices) or any(n < 1 or n % snapshots for n in counts):
        raise DesignError(f"steps {steps} must be one multiple of {snapshots} snapshots for each slice")
    tableau = TABLEAUS[method]
    v, states = v0, []
    for index, (part, count) in enumerate(zip(circuit.slices, counts, strict=True)):
        field, h = vector_field(circuit, index), part.duration / count
        for step in range(count):
            slopes: list[Tensor] = []
            for row in tableau.stages:
                y = v + h * sum(w * k for w, k in zip(row, slopes, strict=True))
                slopes.append(field(v, y))
            v = v + h * sum(w * k for w, k in zip(tableau.weights, slopes, strict=True))
            if circuit.rails is not None:
                v = v.clamp(*circuit.rails)
            if (step + 1) % (count // snapshots) == 0:
                states.append(v)
    return torch.stack(states)
