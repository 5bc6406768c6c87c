"""A record is corrected by what a whole circuit does, and by nothing that the circuit does not show."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage, RunProgram
from jackfield.compile import KnownBoard, uncertainties
from jackfield.errors import CalibrationError
from jackfield.journal import Run
from jackfield_calibration import calibrate, make_refine_plan, refine, update
from jackfield_calibration.refinement_model import Observed, RefinementModel, fit

GIVEN = {"board_id": "5A31-0007", "started_utc": "2026-03-04T05:06:07Z"}
TICKS = 100


def circuit(spec: BoardSpec, record: CalibrationRecord) -> tuple[ConfigImage, RunProgram]:
    """All good cells at random codes in one bank, run for one time constant of the board."""
    random, image = np.random.default_rng(8), ConfigImage.safe(spec)
    table, places = record.tables["gain_scale"], {str(cell): place for place, cell in enumerate(spec.cells)}
    cells = np.array([places[key] for key, good in zip(table.index, table.good, strict=True) if good])
    part = spec.group_of(int(cells[0]))
    image.enable[0, cells] = True
    for name, dac in part.parameters.items():
        image.codes[name][0, cells] = dac.code(0.7 * dac.hi * random.uniform(-1, 1, len(cells)))
    assert part.reach.source_lists is not None
    assert part.reach.destination_lists is not None
    image.source[0, cells] = part.reach.source_lists[cells - part.first, 0]
    image.destination[0, cells] = part.reach.destination_lists[cells - part.first, -1]
    return image, RunProgram(steps=((0, TICKS),), scan=tuple((n + 1,) for n in range(spec.probe.count)))


@pytest.fixture(scope="module")
def board(make_bench: Callable[..., Any], small_spec: BoardSpec, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A bench, its record, and where runs go."""
    bench, folder = make_bench(small_spec, "cmos", 4), tmp_path_factory.mktemp("runs")
    with Run.create(folder, "calibrate", "b1") as run:
        return bench, calibrate(bench, small_spec, run, seed=5, provenance=GIVEN), folder


def test_the_likeliest_corrections_are_those_that_were_planted(board: Any, small_spec: BoardSpec) -> None:
    """No bench: ends that the model itself makes with known corrections, of one standard error each."""
    _, record, _ = board
    image, program = circuit(small_spec, record)
    known, random = KnownBoard.from_record(small_spec, record), np.random.default_rng(1)
    sigma = {name: np.full_like(size, 30) * size for name, size in uncertainties(small_spec, record).items()}
    model = RefinementModel(small_spec, image, known, sigma)
    planted = {name: torch.from_numpy(random.standard_normal(len(v))).to(v.dtype) for name, v in model.none().items()}
    preset = small_spec.nodes.preset
    codes = preset.code(0.5 * preset.hi * random.uniform(-1, 1, (200, small_spec.nodes.count)))
    blank = np.zeros(codes.shape)
    empty = Observed(program.steps, codes, blank, blank + 1e-5, np.ones(codes.shape, dtype=np.bool_))
    ends = replace(empty, end_V=model.off_V(planted, empty).double().numpy().reshape(codes.shape))
    found = fit(model, [ends])
    assert model.rms_V(found, [ends]) < 0.05 * model.rms_V(model.none(), [ends])
    used = image.enable.any(axis=0)
    wanted, got = model.shifts(planted), model.shifts(found)
    nominal = small_spec.groups[0].parameters["gain"].value(image.codes["gain"][0])
    for shifts in (wanted, got):  # one code of a cell shows its gain there, not what scale and zero have in it
        shifts["gain"] = nominal * shifts["gain_scale"] + shifts["gain_zero_S"]
    for name in ("gain", "threshold_offset_V"):
        off, size = (float(np.sqrt(np.mean(x[used] ** 2))) for x in (got[name] - wanted[name], wanted[name]))
        assert off < 0.5 * size
        assert np.abs(got[name][~used]).max(initial=0.0) < 1e-6 * size


def wrong_by(record: CalibrationRecord, cells: tuple[str, ...], share: float) -> CalibrationRecord:
    """`record`, the gain scale of `cells` off by `share`, and as unsure of it as that."""
    table = record.tables["gain_scale"]
    off = np.isin(table.index, cells)
    gains = replace(table, value=table.value * (1 + share * off), se=np.where(off, share, table.se))
    return replace(record, tables={**record.tables, "gain_scale": gains})


def test_what_the_circuit_shows_is_corrected_and_sentinels_follow(board: Any, small_spec: BoardSpec) -> None:
    bench, record, folder = board
    image, program = circuit(small_spec, record)
    wrong = tuple(record.tables["gain_scale"].index[cell] for cell in np.flatnonzero(image.enable[0])[:6])
    off = wrong_by(record, wrong, 0.03)
    # Verification would have seen it; what it found stands for the standard errors otherwise.
    off = replace(off, tables={name: replace(t, residual=np.zeros_like(t.residual)) for name, t in off.tables.items()})
    with Run.create(folder, "refine", "b1") as run:
        found = refine(bench, small_spec, run, off, image, program, seed=2, provenance=GIVEN)
        again = refine(bench, small_spec, run, off, image, program, seed=2, provenance=GIVEN)
    assert found.digest == again.digest, "readings come from the run folder the second time"
    said = found.provenance["refined"]
    assert said["off_after_V"] < 0.5 * said["off_before_V"]
    plan = make_refine_plan(small_spec, off, image, program)
    assert found.provenance["reads"] <= plan.reads
    rows = np.isin(off.tables["gain_scale"].index, wrong)
    true = (bench.truth.scale / bench.gauge)[rows]
    before, after = (np.abs(r.tables["gain_scale"].value[rows] - true) for r in (off, found))
    assert np.sqrt(np.mean(after**2)) < 0.4 * np.sqrt(np.mean(before**2))
    for name in ("gain_scale", "threshold_offset_V"):
        np.testing.assert_array_equal(found.tables[name].se, off.tables[name].se)
        np.testing.assert_array_equal(found.tables[name].good, off.tables[name].good)
    with Run.create(folder, "update", "b1") as run:
        renewed = update(bench, small_spec, run, found, seed=6, provenance=GIVEN)
    assert renewed.provenance["update"]["moved"] == []
    assert "refined" not in renewed.provenance, "what a record says of its run is that run's"


def test_what_cannot_be_refined_is_said(board: Any, small_spec: BoardSpec, tmp_path: Path) -> None:
    bench, record, _ = board
    image, program = circuit(small_spec, record)
    with Run.create(tmp_path, "refine", "b1") as run:
        with pytest.raises(CalibrationError, match="calibrate this one first"):
            refine(bench, small_spec, run, record, image, program, seed=1, provenance=GIVEN | {"board_id": "another"})
        with pytest.raises(CalibrationError, match="enables no cell"):
            refine(bench, small_spec, run, record, ConfigImage.safe(small_spec), program, seed=1, provenance=GIVEN)
        with pytest.raises(CalibrationError, match="drives nodes"):
            refine(bench, small_spec, run, record, image, replace(program, clamp=(1,)), seed=1, provenance=GIVEN)
        short = {name: replace(t, index=("X9", *t.index[1:])) for name, t in record.tables.items()}
        lacking = replace(record, tables={**record.tables, "gain_scale": short["gain_scale"]})
        with pytest.raises(CalibrationError, match="has not measured 1 cells"):
            refine(bench, small_spec, run, lacking, image, program, seed=1, provenance=GIVEN)
        assert not run.keys()
