"""The element laws by name."""

from collections.abc import Mapping
from types import MappingProxyType

from jackfield.physics.laws.conductance import Conductance
from jackfield.physics.laws.law import ElementLaw, Imperfection, Parameter
from jackfield.physics.laws.mosfet import Mosfet
from jackfield.physics.laws.polynomial import Polynomial
from jackfield.physics.laws.relu_affine import ReluAffine
from jackfield.physics.laws.shifted_relu import ShiftedRelu
from jackfield.physics.laws.tanh_affine import TanhAffine
from jackfield.physics.laws.tanh_diff import TanhDiff

__all__ = ["LAWS", "ElementLaw", "Imperfection", "Parameter"]

_ALL: tuple[ElementLaw, ...] = (
    ShiftedRelu(),
    TanhDiff(),
    Conductance(),
    Polynomial(),
    ReluAffine(),
    TanhAffine(),
    Mosfet(),
)
LAWS: Mapping[str, ElementLaw] = MappingProxyType({law.name: law for law in _ALL})
