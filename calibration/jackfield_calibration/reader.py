"""Readings through the journal: what is on disk is not read again, what is read is on disk before it is used."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage
from jackfield.errors import CalibrationError
from jackfield_calibration.observer import Observer
from jackfield_calibration.plan import Plan
from jackfield_calibration.probe_levels import ProbeLevels
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
        self._levels: ProbeLevels | None = None
        self.settings = 0
        self.reads = 0

    def read_all(self, routine: Routine) -> list[Reading]:
        """All readings of `routine`, in its order."""
        return [self.read(routine.name, setting) for setting in routine.settings()]

    def read(self, step: str, setting: Setting) -> Reading:
        """The reading under the setting's key, from the journal where it is there already."""
        arrays = self._arrays(step, setting, self._measured)
        self._levels = self._levels or ProbeLevels(self.reference_V())
        return self._levels.steadied(Reading.of(self._spec, setting.program, arrays))

    def phasors(self, step: str, setting: Setting) -> tuple[NDArray[np.complex128], NDArray[np.bool_]]:
        """Phasors `[input, node]` of the setting, the nodes in ascending order, and which of them did not clip."""
        arrays = self._arrays(step, setting, self._phasors)
        order = np.argsort(arrays["nodes"])
        return (arrays["in_phase_V"] + 1j * arrays["quadrature_V"])[:, order], ~arrays["clipped"][:, order]

    def watch(self, step: str, setting: Setting) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Times in s and volts `[probe, sample]` of the setting, which is of mode "watch"."""
        arrays = self._arrays(step, setting, self._watched)
        return arrays["t_s"], arrays["volts"]

    def _arrays(
        self, step: str, setting: Setting, take: Callable[[Setting], dict[str, NDArray[Any]]]
    ) -> Mapping[str, NDArray[Any]]:
        """What the journal holds of the setting, taken first where it holds nothing yet."""
        arrays = self._journal.reading(setting.key)
        if arrays is None:
            if setting.image is not self._applied:
                self._bench.board.apply(setting.image)
                self._applied = setting.image
            arrays = take(setting)
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
        return arrays

    def _measured(self, setting: Setting) -> dict[str, NDArray[Any]]:
        return arrays_of(self._bench.measure(setting.inputs, setting.program, self._run_number))

    def _phasors(self, setting: Setting) -> dict[str, NDArray[Any]]:
        read = self._bench.phasors(setting.inputs, setting.program, self._run_number)
        nodes = np.array(read.nodes, dtype=np.int64)
        return {
            "nodes": nodes,
            "in_phase_V": read.phasor_V.real,
            "quadrature_V": read.phasor_V.imag,
            "se_rad": read.phase_se_rad,
            "clipped": read.clipped,
        }

    def _watched(self, setting: Setting) -> dict[str, NDArray[Any]]:
        self._bench.board.load_inputs(setting.inputs)
        trace = self._bench.watch(setting.program, self._run_number)
        return {"t_s": trace.t_s, "volts": trace.volts}

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
