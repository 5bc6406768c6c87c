"""What `jackfield calibrate` works with: the bench, the run folder, the plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield import __version__
from jackfield.bench import Bench, BenchFile, BenchTime, parse_bench
from jackfield.board import BoardSpec, CalibrationRecord, Cell, ConfigImage
from jackfield.cli.benches import BENCH
from jackfield.cli.files import existing
from jackfield.cli.live import LiveView
from jackfield.cli.sheets import read_inputs
from jackfield.compile import CompiledCircuit
from jackfield.device import AbstractBoard
from jackfield.journal import Run
from jackfield.session import EmulatorUrl, load_spec, open_bench
from jackfield_calibration import PARTS, Plan, calibrate, make_plan, make_refine_plan, make_update_plan, refine, update

__all__ = ["Asked", "Refinement", "opened", "planned_for", "recorded"]

BYTES_A_READ, BYTES_A_SETTING = 96, 8192  # of readings.sqlite, rounded up
_KEPT = ("board_id", "started_utc", "firmware", "instruments", "temperature_C", "software", "image")


@dataclass(frozen=True)
class Refinement:
    """That the record is to be refined, with the inputs of a CSV file, or with random presets."""

    inputs: Path | None

    def codes(self, compiled: CompiledCircuit) -> NDArray[np.int64] | None:
        """Preset codes of the inputs."""
        if self.inputs is None:
            return None
        return compiled.input_codes(read_inputs(self.inputs, compiled.inputs, compiled.scaling.volts_per_unit))


@dataclass(frozen=True)
class Asked:
    """What is to be calibrated: at which level and with which seed, for which image file, from which record on; `only`
    names the parts of a calibration (`jackfield_calibration.PARTS`) or the cells that are wanted.
    """

    level: str
    seed: int
    image: Path | None
    base: CalibrationRecord | None
    only: tuple[str, ...] = ()
    refinement: Refinement | None = None

    def compiled_for(self, spec: BoardSpec) -> CompiledCircuit | None:
        """The circuit whose cells are measured, and no others."""
        return None if self.image is None else CompiledCircuit.load(self.image, spec)

    def image_for(self, spec: BoardSpec) -> ConfigImage | None:
        """Its image."""
        compiled = self.compiled_for(spec)
        return None if compiled is None else compiled.image

    def cells_of(self, spec: BoardSpec) -> NDArray[np.int64] | None:
        """Indices of the cells that are named; None where none are."""
        names = [name for name in self.only if name not in PARTS]
        return np.array([spec.cell_index(Cell.parse(name)) for name in names], dtype=np.int64) if names else None

    def to_refine(self, spec: BoardSpec) -> tuple[CompiledCircuit, NDArray[np.int64] | None] | None:
        """The circuit that the record is refined with, and presets to play."""
        compiled = None if self.refinement is None else self.compiled_for(spec)
        return None if self.refinement is None or compiled is None else (compiled, self.refinement.codes(compiled))

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts that are named."""
        return tuple(name for name in self.only if name in PARTS)

    def plan(self, spec: BoardSpec, file: BenchFile | None) -> Plan:
        """What will be read, with the time on the bench that `file` describes."""
        record_s = BenchTime.of(spec, file).record_s
        if self.base is not None:
            circuit = self.to_refine(spec)
            if circuit is None:
                return make_update_plan(spec, self.base, record_s)
            compiled, codes = circuit
            return make_refine_plan(spec, self.base, compiled.image, compiled.program, codes, record_s)
        cells = self.cells_of(spec)
        image = self.image_for(spec)
        return make_plan(spec, image=image, cells=cells, level=self.level, only=self.parts, record_s=record_s)

    def details(self, spec: BoardSpec) -> dict[str, Any]:
        """What a resumed run must have been begun with."""
        image = self.image_for(spec)
        return {
            "level": self.level,
            "seed": self.seed,
            "spec_digest": spec.digest,
            "image": "" if image is None else image.digest(spec),
            "base": "" if self.base is None else self.base.digest,
            "only": " ".join(self.only),
            "refine": "" if self.refinement is None else str(self.refinement.inputs or "random presets"),
        }


def planned_for(where: str, asked: Asked) -> Plan:
    """The plan for the bench at `where`, nothing being connected."""
    file = _file(where)
    if file is None:
        return asked.plan(load_spec(EmulatorUrl.parse(where).spec), None)
    name = file.board.spec
    return asked.plan(load_spec(Path(where).parent / name if name.endswith(".toml") else name), file)


def _file(where: str) -> BenchFile | None:
    if where.startswith("emulator://"):
        return None
    return parse_bench(existing(Path(where), BENCH).read_text(encoding="utf-8"))


@contextmanager
def opened(
    where: str, asked: Asked, resume: Path | None, runs: Path, log_exchange: bool
) -> Iterator[tuple[Bench[AbstractBoard], Run, Plan]]:
    """Bench, run folder and plan. To log the exchange too the board is asked who it is beforehand."""
    file = _file(where)
    with open_bench(where) as bench:
        plan = asked.plan(bench.spec, file)
        run = _run(bench, asked, plan, resume, runs)
        if not log_exchange:
            with run:
                yield bench, run, plan
            return
    with run, open_bench(where, log_folder=run.folder) as bench:
        yield bench, run, plan


def _run(bench: Bench[AbstractBoard], asked: Asked, plan: Plan, resume: Path | None, runs: Path) -> Run:
    hello, spec = bench.board.hello, bench.spec
    wanted = asked.details(spec)
    needed = plan.reads * BYTES_A_READ + plan.settings * BYTES_A_SETTING
    if resume is not None:
        run = Run.open(resume, needed_bytes=needed)
        try:
            run.check_details(wanted | {"board_id": hello.board_id})
        except BaseException:
            run.close()
            raise
        return run
    temperature = bench.board.status().temperature_C
    details = wanted | {
        "firmware": hello.firmware,
        "instruments": "; ".join(bench.identities),
        "temperature_C": "unknown" if temperature is None else temperature,
        "software": f"jackfield {__version__}",
    }
    return Run.create(runs, "calibrate", hello.board_id, details=details, needed_bytes=needed)


def recorded(bench: Bench[AbstractBoard], run: Run, asked: Asked, view: LiveView) -> CalibrationRecord:
    """The record that `run` makes; where it comes from is what the run folder says, resumed or not."""
    provenance = {name: run.details[name] for name in _KEPT}
    reference = run.reading("reference")
    if reference is not None:
        bench.use_reference(float(reference["volts"][0]))
    circuit = asked.to_refine(bench.spec)
    if asked.base is not None and circuit is not None:
        compiled, codes = circuit
        return refine(
            bench,
            bench.spec,
            run,
            asked.base,
            compiled.image,
            compiled.program,
            seed=asked.seed,
            provenance=provenance,
            codes=codes,
            observer=view,
        )
    if asked.base is not None:
        return update(bench, bench.spec, run, asked.base, seed=asked.seed, provenance=provenance, observer=view)
    image = asked.image_for(bench.spec)
    return calibrate(
        bench,
        bench.spec,
        run,
        seed=asked.seed,
        image=image,
        cells=asked.cells_of(bench.spec),
        level=asked.level,
        only=asked.parts,
        provenance=provenance,
        observer=view,
    )
