"""Networks tuned with the board in the loop: the ladder, aware training, codes carried to another board."""

from benchmarks._rows import Parts
from benchmarks._tune_rows import tuning_parts

__all__ = ["parts"]


def parts(quick: bool) -> Parts:
    """See `_tune_rows.tuning_parts`."""
    return tuning_parts(quick)
