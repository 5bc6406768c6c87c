"""The cell level: stages of settings, fits in between, then verification and a name for what is bad."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from jackfield.board import BoardSpec
from jackfield.errors import CalibrationError
from jackfield_calibration import recipe
from jackfield_calibration.cell_estimator import CellFit, Prior, estimate_cells
from jackfield_calibration.cell_model import CELL_PARAMETERS, CellLaw
from jackfield_calibration.cell_routine import CellRoutine, Known, Step
from jackfield_calibration.cell_runs import CellBlock
from jackfield_calibration.defects import diagnose
from jackfield_calibration.joint_estimator import (
    Begin,
    refine_jointly,
    shared_covariance,
    with_shared_errors,
)
from jackfield_calibration.news import evidence, standing
from jackfield_calibration.node_estimator import NodeFit
from jackfield_calibration.reader import Reader
from jackfield_calibration.shared import Shared, shared_precision
from jackfield_calibration.verification import Verdict, unsure, verify_cells

__all__ = ["CellCalibration", "CellOutcome"]

Integers = NDArray[np.int64]

_SOUND = 5.0  # times the median chi^2: cells below it inform nodes and priors
_FIRST_NOISE_V = 3e-3
_LEAST_SCALE = 0.05  # a dead cell has no code to aim with


@dataclass(frozen=True)
class CellOutcome:
    """What is known of the wanted cells and of what they share, and what verification says of them."""

    fit: CellFit
    shared: Shared
    shared_se: torch.Tensor
    verdict: Verdict
    reason: list[str]
    reads: Integers


class CellCalibration:
    """Calibrates `cells` (indices in spec order, of one group) through `reader`, nodes known from `nodes`."""

    def __init__(
        self,
        spec: BoardSpec,
        cells: Integers,
        nodes: NodeFit,
        reader: Reader,
        random: np.random.Generator,
        begin: Begin | None = None,
    ) -> None:
        """`begin`: what cells share and what is usual among them, where that is known: it is not learned anew."""
        part = spec.group_of(int(cells[0]))
        self._spec, self._cells, self._nodes, self._reader, self._random = spec, cells, nodes, reader, random
        self._gain, self._threshold = part.parameters["gain"], part.parameters["threshold"]
        self._law = CellLaw(part.law, self._gain, part.output_limit_A)
        tolerance = spec.tolerance
        self._limits = (tolerance.gain_lsb * self._gain.lsb, tolerance.threshold_lsb * self._threshold.lsb)
        self._repeats, judged = recipe.repeats(spec, part, nodes.noise_V)
        self._verifying, self._judged = recipe.verification(judged)
        self._learns = begin is None
        self._begin = begin or self._first(spec, nodes, part.output_limit_A)
        self._blocks: list[CellBlock] = []

    def _first(self, spec: BoardSpec, nodes: NodeFit, output_limit_A: float) -> Begin:
        shared = Shared.start(spec, nodes, output_limit_A)
        prior = Prior.generous(self._gain.lsb / self._gain.hi, self._threshold.hi)
        still = torch.zeros(shared.size, dtype=torch.float64)
        return Begin(prior, shared, shared_precision(nodes, spec.nodes.capacitance_F), still)

    def run(self) -> CellOutcome:
        """All stages, verification, and a second one for the cells that the first leaves in doubt."""
        fit, noise = None, _FIRST_NOISE_V
        for stage in recipe.STAGES:
            known = self._known(fit)
            self._blocks += [self._read(step, "set", self._cells, known, self._repeats) for step in stage]
            fit = self._fit(fit, noise)
            noise = fit.noise_V
            self._reader.observer.stands(standing(self._spec, self._cells, fit, self._sound(fit).numpy()))
        assert fit is not None, "the recipe has stages"
        spread = shared_covariance(self._law, self._blocks, fit, self._begin, self._sound(fit))
        fit = with_shared_errors(self._law, self._blocks, fit, self._begin, spread)
        fit = self._more(fit, spread, torch.nonzero(unsure(self._law, fit, self._limits))[:, 0], "more")
        fit, verdict = self._verify(fit, spread)
        shared = self._begin.shared.moved(self._begin.moved)
        shared_se = torch.sqrt(torch.diagonal(spread))
        reads = _reads(self._blocks).numpy()
        return CellOutcome(fit, shared, shared_se, verdict, self._reasons(fit, shared, verdict), reads)

    def _more(self, fit: CellFit, spread: torch.Tensor, rows: torch.Tensor, tag: str, times: int = 1) -> CellFit:
        """More settings for the cells `rows`, `times` as many reads as others got, and their fit with all of them."""
        if not len(rows):
            return fit
        self._blocks += self._part(recipe.MORE, tag, rows, self._known(fit), times * self._repeats)
        blocks = [block.of(rows) for block in self._blocks]
        shared = self._begin.shared.moved(self._begin.moved)
        part = estimate_cells(self._law, blocks, shared, self._begin.prior, fit.value[rows], fit.noise_V, learn=False)
        return fit.replaced(rows, with_shared_errors(self._law, blocks, part, self._begin, spread))

    def _part(self, steps: tuple[Step, ...], tag: str, rows: torch.Tensor, known: Known, times: int) -> list[CellBlock]:
        """Blocks of all cells, in which those of `rows` alone were read."""
        some = rows.numpy()
        parts = [self._read(step, tag, self._cells[some], known.of(some), times) for step in steps]
        return [part.among(rows, len(self._cells)) for part in parts]

    def _fit(self, fit: CellFit | None, noise_V: float) -> CellFit:
        """Cells alone, then what they share, then cells again; the last stage refines once more."""
        start = self._begin.prior.width.new_zeros(len(self._cells), len(CELL_PARAMETERS)) if fit is None else fit.value
        fitted = self._cells_alone(start, noise_V)
        if len(self._blocks) == len(recipe.STAGES[0]) or not self._learns:
            return fitted  # three runs a cell cannot tell a node from its cells; a few cells teach nothing new of it
        self._begin = self._begin.over(self._blocks)
        last = len(self._blocks) == sum(len(stage) for stage in recipe.STAGES)
        for rounds in (2, 2) if last else (1,):
            sound = self._sound(fitted)
            self._begin = replace(self._begin, prior=self._begin.prior.learned(fitted, sound))
            moved = refine_jointly(self._law, self._blocks, fitted, self._begin, sound, rounds)
            self._begin = replace(self._begin, moved=moved)
            fitted = self._cells_alone(fitted.value, fitted.noise_V)
        return fitted

    def _cells_alone(self, start: torch.Tensor, noise_V: float) -> CellFit:
        shared = self._begin.shared.moved(self._begin.moved)
        return estimate_cells(self._law, self._blocks, shared, self._begin.prior, start, noise_V)

    def _read(self, step: Step, tag: str, cells: Integers, known: Known, times: int) -> CellBlock:
        stuck, unread = self._nodes.stuck, (np.flatnonzero(self._nodes.reads == 0) + 1).tolist()
        routine = CellRoutine(self._spec, cells, step.repeated(times), tag, known, self._random, stuck, unread)
        return routine.block(self._reader.read_all(routine), self._nodes)

    def _known(self, fit: CellFit | None) -> Known:
        if fit is None:
            return Known.nothing(len(self._cells))
        value = fit.value.numpy()
        scale = np.where(np.abs(1 + value[:, 0]) < _LEAST_SCALE, 1.0, 1 + value[:, 0])
        return Known(scale, value[:, 1] * self._gain.hi, value[:, 2])

    def _sound(self, fit: CellFit) -> torch.Tensor:
        return fit.chi2 < _SOUND * fit.chi2.median()

    # Verification

    def _verify(self, fit: CellFit, spread: torch.Tensor) -> tuple[CellFit, Verdict]:
        """Verdicts by fresh runs. Cells in doubt are measured once more and judged by fresher ones, a few times."""
        known = self._known(fit)
        blocks = [self._read(step, "verify", self._cells, known, self._judged) for step in self._verifying]
        verdict = self._verdict(fit, blocks)
        shared = self._begin.shared.moved(self._begin.moved)
        self._reader.observer.verified(evidence(self._law, blocks, shared, fit, self._cells))
        for number in range(recipe.ROUNDS):
            doubtful = torch.nonzero(torch.from_numpy(~verdict.good))[:, 0]
            if number >= recipe.NAMED and len(doubtful):
                named = self._named(fit, shared, doubtful)
                doubtful = doubtful[[not name for name in named]]
            if not len(doubtful):
                break
            # What has judged a cell tells as much of it as any other run; the next verdict is by fresh ones alone, for
            # what was noisy in the first look would count again for having been noisy.
            # Each time twice the reads: a sound cell whose errors leave little of the tolerance must not be refused for
            # having been unlucky a few times.
            self._blocks += blocks
            fit = self._more(fit, spread, doubtful, f"more-{number + 2}", 2**number)
            again = f"verify-{number + 2}"
            blocks = self._part(recipe.AGAIN, again, doubtful, self._known(fit), 2**number * self._judged)
            judged = self._verdict(fit.of(doubtful), [block.of(doubtful) for block in blocks], fit)
            verdict = verdict.replaced(doubtful.numpy(), judged)
        self._blocks += blocks
        return fit, verdict

    def _verdict(self, fit: CellFit, blocks: list[CellBlock], of_all: CellFit | None = None) -> Verdict:
        """By `blocks`. A cell whose own runs contradict each other more than is usual in `of_all` is not good, nor is
        one that is like no working cell.
        """
        shared, rail_V = self._begin.shared.moved(self._begin.moved), self._spec.nodes.rail_V[1]
        verdict = verify_cells(self._law, blocks, shared, fit, self._limits, rail_V)
        consistent = fit.chi2 < _SOUND * (of_all or fit).chi2.median()
        return verdict.where((consistent & self._begin.prior.usual(fit.value)).numpy())

    def _named(self, fit: CellFit, shared: Shared, rows: torch.Tensor) -> list[str]:
        """The defect that explains each of the cells `rows`, or ""."""
        blocks = [block.of(rows) for block in self._blocks]
        return diagnose(self._law, blocks, shared, self._begin.prior, fit.of(rows))

    def _reasons(self, fit: CellFit, shared: Shared, verdict: Verdict) -> list[str]:
        reason = ["ok"] * len(self._cells)
        suspects = np.flatnonzero(~verdict.good)
        if len(suspects):
            names = self._named(fit, shared, torch.from_numpy(suspects))
            for row, name in zip(suspects, names, strict=True):
                restless = fit.chi2[row] > _SOUND * fit.chi2.median()  # its own runs contradict each other
                reason[row] = name or ("noisy" if verdict.uncertain[row] or restless else "out_of_range")
        return reason


def _reads(blocks: list[CellBlock]) -> torch.Tensor:
    return torch.stack([block.reads for block in blocks]).sum(0)


def one_group(spec: BoardSpec, cells: Integers) -> None:
    """Raise CalibrationError where `cells` are not all of one group with a gain and a threshold."""
    parts = {spec.group_of(int(cell)).name for cell in cells}
    lacking = [name for name in parts if set(spec.group(name).parameters) != {"gain", "threshold"}]
    if len(parts) > 1 or lacking:
        raise CalibrationError(
            f"cells of the groups {', '.join(sorted(parts))} are asked; cells of one group with gain and threshold "
            "can be calibrated in one run: name them, or use level 'nodes'"
        )
