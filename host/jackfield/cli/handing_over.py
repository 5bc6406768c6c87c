"""What it costs to hand node voltages on from one pass to the next, for people."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jackfield.cli.output import Output
    from jackfield.compile import CarryCost

__all__ = ["say_costs"]


def say_costs(output: "Output", costs: "tuple[CarryCost, ...]") -> None:
    """A table with a row a handing over; nothing where there is one pass."""
    rows = [
        (f"{number} -> {number + 1}", str(cost.nodes), *(f"{1e3 * volts:.3f}" for volts in _volts(cost)))
        for number, cost in enumerate(costs, start=1)
    ]
    if rows:
        heads = (
            "passes",
            "nodes",
            "rounding",
            "presets",
            "readout",
            "droop",
            "outputs, predicted",
            "outputs, on the twin",
        )
        output.table("what handing voltages on costs, mV rms", heads, rows)


def _volts(cost: "CarryCost") -> tuple[float, ...]:
    return (cost.rounding_V, cost.preset_V, cost.readout_V, cost.droop_V, cost.predicted_V, cost.measured_V)
