"""The kernel against other ways to run a circuit forward and back, against its own ceiling, autograd and ngspice."""

from benchmarks._physics_accuracy import gradient_rows
from benchmarks._physics_ceiling import ceiling_rows
from benchmarks._physics_memory import memory_row
from benchmarks._physics_native import native_rows
from benchmarks._physics_oracles import oracle_rows
from benchmarks._physics_speed import speed_rows
from benchmarks._rows import Parts


def parts(quick: bool) -> Parts:
    """Two threads, float32, medians of interleaved runs."""
    return {
        "speed": lambda: speed_rows(quick),
        "memory": lambda: [memory_row(quick)],
        "ceiling": lambda: ceiling_rows(quick),
        "native": lambda: native_rows(quick),
        "gradient": lambda: gradient_rows(quick),
        "oracles": lambda: oracle_rows(quick),
    }
