"""Drivers by dialect, through the entry points `jackfield.dialect`."""

from importlib.metadata import entry_points

from jackfield.board import BoardSpec
from jackfield.device.abstract import AbstractBoard
from jackfield.errors import DesignError
from jackfield.link import AbstractTransport

__all__ = ["board_class", "connect"]


def board_class(dialect: str) -> type[AbstractBoard]:
    """The driver for `dialect`; raises DesignError, naming those installed, where there is none."""
    known = {point.name: point for point in entry_points(group="jackfield.dialect")}
    if dialect not in known:
        raise DesignError(
            f"no driver for dialect {dialect!r} is installed; there are {', '.join(sorted(known))}; "
            "install the package that brings it"
        )
    driver = known[dialect].load()
    if not (isinstance(driver, type) and issubclass(driver, AbstractBoard)):
        raise DesignError(f"the driver for dialect {dialect!r} is no AbstractBoard; correct its entry point")
    return driver


def connect(transport: AbstractTransport, spec: BoardSpec) -> AbstractBoard:
    """The board of type `spec` behind `transport`, which it owns from then on (closed if this fails)."""
    try:
        driver = board_class(spec.dialect)
    except DesignError:
        transport.close()
        raise
    return driver(transport, spec)
