"""The Lagrangian of a network in node fluxes, and how its integral depends on each element.

L = co-energy of the capacitors in v - energy of the inductors in flux - sum of W(D^-1/2 v) of the memristors, W the
integral of their law (Kendall, arXiv 2103.05636). Resistors have no place in it: linear ones are linear memristors.
"""

from torch import Tensor

from jackfield.physics.reference.network import Network, Run

__all__ = ["lagrangian_slopes"]


def lagrangian_slopes(network: Network, trajectory: Run, h: float) -> dict[str, Tensor]:
    """d(integral of L over the run)/d(linear part) `[batch, element]` of "capacitors", "inductors", "memristors",
    the trajectory held; for an inductor that is its co-energy's, by Legendre."""
    voltage = network.across(network.capacitors, trajectory.middles)
    current = network.through(trajectory.middles)
    found = {"capacitors": h * (voltage**2).sum(0) / 2, "inductors": h * (current**2).sum(0) / 2}
    if len(network.memristors):
        found["memristors"] = -h * (trajectory.half_integral**2).sum(0) / 2
    return found
