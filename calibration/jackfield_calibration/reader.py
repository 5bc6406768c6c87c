"""Readings through the journal: what is on disk is not read again, what is read is on disk before it is used."""

import numpy as np

from jackfield.board import BoardSpec, ConfigImage
from jackfield.errors import CalibrationError
from jackfield_calibration.observer import Observer
from jackfield_calibration.plan import Plan
from jackfield_calibration.routine import Bench, Journal, Reading, Routine, Setting, arrays_of

__all__ = ["Reader"]

_RUNS_A_SETTING = 64  # split records and repeats after a clipped one


class Reader:
    """Makes settings on a bench and reads them, each once in the life of a run; `observer` hears of each."""

    def __init__(self, bench: Bench, spec: BoardSpec, journal: Journal, plan: Plan, observer: Observer) -> None:
        self._bench = bench
        self._spec = spec
        self._journal = journal
        self._plan = plan
        self.observer = observer
        self._applied: ConfigImage | None = None
        self.settings = 0
        self.reads = 0

    def read_all(self, routine: Routine) -> list[Reading]:
        """All readings of `routine`, in its order."""
        return [self.read(routine.name, setting) for setting in routine.settings()]

    def read(self, step: str, setting: Setting) -> Reading:
        """The reading under the setting's key, from the journal where it is there already."""
        arrays = self._journal.reading(setting.key)
        if arrays is None:
            if setting.image is not self._applied:
                self._bench.board.apply(setting.image)
                self._applied = setting.image
            arrays = arrays_of(self._bench.measure(setting.inputs, setting.program, self._run_number))
            arrays["setting"] = setting.digest
            self._journal.store(setting.key, arrays)
        if not np.array_equal(arrays["setting"], setting.digest):
            raise CalibrationError(
                f"reading {setting.key} of this run was made with another setting than the one planned now; "
                "resume with the arguments and the version of jackfield that began it, or start a new run"
            )
        self.settings += 1
        self.reads += setting.reads
        self.observer.advanced(step, self.settings, max(self._plan.settings, self.settings), self.reads)
        return Reading.of(self._spec, setting.program, arrays)

    @property
    def _run_number(self) -> int:
        """Runs are numbered by their place in the calibration, so that an emulated board repeats itself."""
        return 1 + _RUNS_A_SETTING * self.settings

    def reference_V(self) -> float:
        """The reference on the test jack by the multimeter, read once in the life of a run."""
        arrays = self._journal.reading("reference")
        if arrays is None:
            arrays = {"volts": np.array([self._bench.reference_V()], dtype=np.float64)}
            self._journal.store("reference", arrays)
        return float(arrays["volts"][0])
