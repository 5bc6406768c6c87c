"""Instrument drivers by name, ours and third parties': entry points of the group `jackfield.instrument`."""

import re
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from jackfield.errors import DesignError

__all__ = ["drivers_for", "instrument_driver"]


def instrument_driver(name: str) -> Any:
    """What makes an instrument of (session, entry): a driver class, or a function.

    What stands behind a colon in `name` is the driver's own business. Raises DesignError where it is not installed.
    """
    known = {point.name: point for point in entry_points(group="jackfield.instrument")}
    stem = name.partition(":")[0]
    if stem not in known:
        raise DesignError(
            f"no instrument driver {stem!r} is installed; there are {', '.join(sorted(known))}; "
            "install the package that brings it"
        )
    try:
        return known[stem].load()
    except (ImportError, AttributeError) as error:
        raise DesignError(f"instrument driver {stem!r} does not load: {error}; install its package again") from error


def drivers_for(identity: str) -> Mapping[str, type]:
    """Driver classes, by name, whose `idn_pattern` matches an `*IDN?`; those that do not load are left out."""
    found: dict[str, type] = {}
    for point in entry_points(group="jackfield.instrument"):
        try:
            driver = point.load()
        except (ImportError, AttributeError):
            continue
        pattern = getattr(driver, "idn_pattern", None)
        if isinstance(driver, type) and pattern and re.search(pattern, identity, re.IGNORECASE):
            found[point.name] = driver
    return found
