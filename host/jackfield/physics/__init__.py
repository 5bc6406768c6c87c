"""Element laws, topologies, Kirchhoff's law, the integrator and SPICE text.

Plain numbers in consistent units: machine units in models, SI in the emulator and the twin.
"""

from jackfield.physics.cell import cell_response
from jackfield.physics.circuit import Circuit, EdgeSet, Slice, Waveform
from jackfield.physics.doubling import Integration, integrate_to
from jackfield.physics.field import kirchhoff_residual, node_currents, vector_field
from jackfield.physics.integrator import integrate
from jackfield.physics.jacobian import jacobian
from jackfield.physics.laws import LAWS, ElementLaw, Imperfection, Parameter
from jackfield.physics.noise import Noise
from jackfield.physics.resonator import Resonators
from jackfield.physics.resonator_spice import resonator_netlist
from jackfield.physics.spice import spice_netlist
from jackfield.physics.spikes import PhaseEncoding, SpikeRule, exact_spikes, last_spikes, periodic_spikes
from jackfield.physics.topology import Topology, fully_connected, mixed, neighbour
from jackfield.physics.trace import integrate_with_trace

__all__ = [
    "LAWS",
    "Circuit",
    "EdgeSet",
    "ElementLaw",
    "Imperfection",
    "Integration",
    "Noise",
    "Parameter",
    "PhaseEncoding",
    "Resonators",
    "Slice",
    "SpikeRule",
    "Topology",
    "Waveform",
    "cell_response",
    "exact_spikes",
    "fully_connected",
    "integrate",
    "integrate_to",
    "integrate_with_trace",
    "jacobian",
    "kirchhoff_residual",
    "last_spikes",
    "mixed",
    "neighbour",
    "node_currents",
    "periodic_spikes",
    "resonator_netlist",
    "spice_netlist",
    "vector_field",
]
