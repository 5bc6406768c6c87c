"""Networks tuned with the board in the loop: the ladder, aware training, codes carried to another board."""

from benchmarks._rows import Row
from benchmarks._tune_rows import rows

__all__ = ["run"]


def run(quick: bool) -> list[Row]:
    """See `_tune_rows.rows`."""
    return rows(quick)
