"""The live view of a calibration: progress, time left, spread so far, cells that do not look sound."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from jackfield.cli.output import Advance, Output

if TYPE_CHECKING:
    from rich.console import RenderableType

    from jackfield_calibration import Evidence, Standing

__all__ = ["LiveView", "live_view"]

MOST_NAMED = 8


@final
class LiveView:
    """Hears a calibration, draws what it heard below the bar, and keeps what the report shows.

    `used` has settings and reads of each step.
    """

    def __init__(self) -> None:
        self.advance: Advance = lambda done, total: None
        self.step = ""
        self.reads = 0
        self.used: dict[str, tuple[int, int]] = {}
        self.standing: Standing | None = None
        self.evidence: Evidence | None = None

    def advanced(self, step: str, done: int, planned: int, reads: int) -> None:
        """See `jackfield_calibration.Observer`."""
        settings, before = self.used.get(step, (0, 0))
        self.used[step] = settings + 1, before + reads - self.reads
        self.step, self.reads = step, reads
        self.advance(done, planned)

    def stands(self, standing: "Standing") -> None:
        """See `jackfield_calibration.Observer`."""
        self.standing = standing

    def verified(self, evidence: "Evidence") -> None:
        """See `jackfield_calibration.Observer`."""
        self.evidence = evidence

    def below(self) -> "RenderableType":
        """What stands below the bar."""
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The step, the spread of each parameter so far, and how many cells fail for what."""
        lines = [f"{self.step}, {self.reads} reads"] if self.step else []
        if self.standing is None:
            return lines
        lines += [
            f"{name}: spread {found:.2f} LSB, known to {left:.2f} LSB"
            for name, (found, left) in self.standing.spread.items()
        ]
        failing = self.standing.failing
        if failing:
            kinds = ", ".join(f"{count} {why}" for why, count in sorted(Counter(failing.values()).items()))
            more = ", ..." if len(failing) > MOST_NAMED else ""
            lines.append(f"not sound: {kinds} ({', '.join(list(failing)[:MOST_NAMED])}{more})")
        return lines


@contextmanager
def live_view(output: Output, what: str) -> Iterator[LiveView]:
    """A view that is drawn on a terminal as long as the block lasts; elsewhere it only listens."""
    view = LiveView()
    with output.progress(what, view.below) as view.advance:
        yield view
