"""SI prefixes: `format_quantity(3.2e-6, "S")` is "3.2 uS" and `parse_quantity("3.2 uS", "S")` is 3.2e-6."""

import math
import re

from jackfield.errors import DesignError

__all__ = ["format_quantity", "parse_quantity"]

_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_FACTORS = {prefix: 10.0**power for power, prefix in _PREFIXES.items()} | {"\N{MICRO SIGN}": 1e-6}


def format_quantity(value: float, unit: str, digits: int = 3) -> str:
    """`value` in `unit` with the SI prefix that leaves one to three digits before the point."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    rounded = float(f"{value:.{digits - 1}e}")
    power = min(max(3 * math.floor(math.log10(abs(rounded)) / 3), -15), 9)
    return f"{rounded / 10.0**power:.{digits}g} {_PREFIXES[power]}{unit}"


def parse_quantity(text: str, unit: str) -> float:
    """The value in `unit` of a text such as "3.2 uS" or "3.2e-6".

    Raises DesignError where the text is no number or carries another unit.
    """
    match = re.fullmatch(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)\s*", text)
    suffix = match.group(2) if match else ""
    prefix = suffix.removesuffix(unit) if suffix else ""
    if match is None or (suffix and not suffix.endswith(unit)) or prefix not in _FACTORS:
        raise DesignError(f"{text!r} is not a quantity in {unit}; write it like '3.2 u{unit}' or '3.2e-6'")
    return float(match.group(1)) * _FACTORS[prefix]
