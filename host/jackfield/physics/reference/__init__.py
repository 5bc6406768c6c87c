"""General networks, small and plain, beside the fast kernel: what the claims about gradients are measured on.

Nonlinear capacitors and inductors, resistors, fractional memristors, voltage sources; float64 throughout.
"""

from jackfield.physics.reference.branches import Branches
from jackfield.physics.reference.fractional import half_order_weights
from jackfield.physics.reference.lagrangian import lagrangian_slopes
from jackfield.physics.reference.netlist import network_netlist
from jackfield.physics.reference.network import Network, Run, respond, run

__all__ = [
    "Branches",
    "Network",
    "Run",
    "half_order_weights",
    "lagrangian_slopes",
    "network_netlist",
    "respond",
    "run",
]
