"""The element laws by name."""

from collections.abc import Mapping
from types import MappingProxyType

from jackfield.physics.laws.conductance import Conductance
from jackfield.physics.laws.law import ElementLaw, Imperfection, Parameter
from jackfield.physics.laws.shifted_relu import ShiftedRelu

__all__ = ["LAWS", "ElementLaw", "Imperfection", "Parameter"]

_ALL: tuple[ElementLaw, ...] = (ShiftedRelu(), Conductance())
LAWS: Mapping[str, ElementLaw] = MappingProxyType({law.name: law for law in _ALL})
