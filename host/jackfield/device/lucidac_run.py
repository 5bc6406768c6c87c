"""One run of a LUCIDAC (message start_run): what to ask for, and what comes back out of band."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from jackfield.device.json_lines import JsonLines
from jackfield.errors import BoardError, DesignError, LinkError

__all__ = ["LATE_DATA_S", "SLACK_S", "RunPlan", "missing", "play"]

RATES: Final = (
    *(1, 2, 4, 5, 8, 10, 16, 20, 25, 32, 40, 50, 64, 80, 100, 125, 160, 200, 250, 320, 400, 500, 625, 800, 1000, 1250),
    *(1600, 2000, 2500, 3125, 4000, 5000, 6250, 8000, 10000, 12500, 15625, 20000, 25000, 31250, 40000, 50000, 62500),
    *(100000, 125000, 200000, 250000, 500000, 1000000),
)
"""Samples a second that the firmware accepts."""
SAMPLES_A_SECOND: Final = 1_000_000  # of all channels together
FAST_IC_S: Final = 100e-6  # how long initial values take, by the speed of the integrators
SLOW_IC_S: Final = 10e-3
LATE_DATA_S: Final = 1.0  # the last data may come after the word that the run is done
SLACK_S: Final = 10.0


@dataclass(frozen=True)
class RunPlan:
    """A run of `op_s` seconds with `channels` converters at `rate` samples a second."""

    op_s: float
    ic_s: float
    channels: int
    rate: int

    @classmethod
    def of(cls, op_s: float, slow: bool, channels: int, samples: int) -> "RunPlan":
        """With at least `samples` samples where the converters are fast enough; DesignError below two."""
        possible = [rate for rate in RATES if rate * channels <= SAMPLES_A_SECOND]
        rate = next((rate for rate in possible if rate * op_s >= samples), possible[-1])
        if rate * op_s < 2:
            raise DesignError(
                f"a run of {op_s:g} s is too short for two samples of {channels} channels; run for longer, or read less"
            )
        return cls(op_s, SLOW_IC_S if slow else FAST_IC_S, channels, rate)

    @property
    def least_samples(self) -> int:
        """How many samples must have come when the run is done."""
        return int(self.op_s * self.rate * (1 + 1e-9))

    def message(self, run: str) -> dict[str, Any]:
        """The message that starts it as run `run`."""
        return {
            "id": run,
            "session": None,
            "config": {
                "halt_on_external_trigger": False,
                "halt_on_overload": False,  # an overload shows in the readings, and there is a reading to show it
                "ic_time": round(self.ic_s * 1e9),
                "op_time": round(self.op_s * 1e9),
            },
            "daq_config": {
                "num_channels": self.channels,
                "sample_op": True,
                "sample_op_end": True,
                "sample_rate": self.rate,
            },
        }


def play(lines: JsonLines, now: Callable[[], float], plan: RunPlan, slack_s: float = SLACK_S) -> NDArray[np.float64]:
    """Run, and return the samples `[sample, channel]`; the last one is taken when the run ends.

    `now` is the transport's clock. Raises BoardError where the run is refused or ends in ERROR, LinkError where data
    are missing or damaged `slack_s` after its end.
    """
    run = str(uuid.uuid4())
    lines.forget()
    lines.ask("start_run", plan.message(run), slack_s)
    deadline = now() + plan.ic_s + plan.op_s + slack_s
    rows: list[Sequence[float]] = []
    done = False
    while not (done and len(rows) >= plan.least_samples):
        message = lines.notice(run, deadline)
        if message is None:
            raise missing(len(rows), plan, done)
        content = message["msg"]
        if message["type"] == "run_state_change":
            if content.get("new") == "ERROR":
                raise BoardError(f"the run ended with an error: {content.get('reason', 'the board gives no reason')}")
            if content.get("new") == "DONE":
                done, deadline = True, min(deadline, now() + LATE_DATA_S)
        elif content.get("state") != "OP_END":  # newer firmware adds the state of all elements, read already
            rows += _checked(content.get("data"), plan.channels)
    return np.array(rows, dtype=np.float64)


def missing(samples: int, plan: RunPlan, done: bool) -> LinkError:
    """What to raise where a run's data have not come in time."""
    return LinkError(
        f"{samples} of {plan.least_samples} samples have come in time"
        f"{'' if done else ', and the board does not say that the run has ended'}; run it again"
    )


def _checked(data: Any, channels: int) -> list[Sequence[float]]:
    """Rows of a run_data message: a damaged line must not become a reading."""
    if isinstance(data, list) and all(
        isinstance(row, list) and len(row) == channels and all(isinstance(value, int | float) for value in row)
        for row in data
    ):
        return data
    raise LinkError(f"run data came that are not rows of {channels} numbers; run it again")
