"""As many steps as an error asks for, found by doubling them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from jackfield.errors import DesignError
from jackfield.physics.circuit import Circuit
from jackfield.physics.integrator import integrate

_MOST_STEPS = 2**15


@dataclass(frozen=True, eq=False)
class Integration:
    """`states` as `integrate` gives them, the `steps` each slice took, and the largest `error` of any state: the
    difference to half as many steps, which bounds it for any rule of order 1 or above."""

    states: Tensor
    steps: int
    error: float


def integrate_to(
    circuit: Circuit, v0: Tensor, tolerance: float, *, method: str = "rk4", snapshots: int = 1
) -> Integration:
    """`integrate` with the fewest steps a slice, `snapshots` times a power of two, that err by at most `tolerance`.

    The error is a voltage: the largest difference of any state to that of half as many steps. The search runs without
    gradients, the states are differentiable. Raises DesignError where the tolerance is not above zero or not reached:
    float32 cannot, below about 1e-6 of the largest voltage.
    """
    if not tolerance > 0:
        raise DesignError(f"a tolerance of {tolerance:g} is not possible; give a voltage above zero")
    steps, error = snapshots, float("inf")
    with torch.no_grad():
        coarse = integrate(circuit, v0, steps=steps, method=method, snapshots=snapshots)
        while error > tolerance:
            if 2 * steps > _MOST_STEPS:
                raise DesignError(
                    f"{steps} steps a slice are still off by {error:.1e}, {tolerance:.1e} is asked; ask for less, use "
                    "float64, or look for a node that runs away"
                )
            steps *= 2
            fine = integrate(circuit, v0, steps=steps, method=method, snapshots=snapshots)
            error, coarse = float((fine - coarse).abs().amax()) if fine.numel() else 0.0, fine
    wanted = torch.is_grad_enabled()
    states = integrate(circuit, v0, steps=steps, method=method, snapshots=snapshots) if wanted else coarse
    return Integration(states, steps, error)
