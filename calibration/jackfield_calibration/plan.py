"""The budget of a calibration: what will be set and read, known before the first reading."""

from dataclasses import dataclass

__all__ = ["Plan", "PlannedStep"]


@dataclass(frozen=True)
class PlannedStep:
    """One routine's records: `settings` uploads with a trigger each, `reads` settled slots, board time in s."""

    name: str
    settings: int
    reads: int
    board_s: float


@dataclass(frozen=True)
class Plan:
    """All steps in order; adaptive repeats of cells that stay uncertain come on top and are reported."""

    steps: tuple[PlannedStep, ...]
    parameters: int

    @property
    def settings(self) -> int:
        """Records to take."""
        return sum(step.settings for step in self.steps)

    @property
    def reads(self) -> int:
        """Settled slots to read."""
        return sum(step.reads for step in self.steps)

    @property
    def board_s(self) -> float:
        """Seconds that the board itself is busy: presets, runs and scans."""
        return sum(step.board_s for step in self.steps)

    @property
    def reads_per_parameter(self) -> float:
        """Reads over gains and thresholds of the wanted cells (presets, where no cell is wanted)."""
        return self.reads / max(self.parameters, 1)

    def __str__(self) -> str:
        lines = [f"{step.name:16} {step.settings:6d} settings {step.reads:8d} reads" for step in self.steps]
        total = (
            f"{'in all':16} {self.settings:6d} settings {self.reads:8d} reads, "
            f"{self.reads_per_parameter:.1f} reads a parameter, {self.board_s:.1f} s of board time"
        )
        return "\n".join([*lines, total])
