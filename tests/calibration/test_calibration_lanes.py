"""Calibration of a board of integrators and lanes, on an emulated one in this process."""

from collections.abc import Iterator

import numpy as np
import pytest

from jackfield.bench import Bench, Wiring
from jackfield.board import CalibrationRecord, ConfigImage, RunProgram
from jackfield.compile import KnownLanes, LaneParameters, LaneSettings, lane_response
from jackfield.device import LucidacBoard
from jackfield.emulator.lucidac_analog import LucidacAnalog
from jackfield.emulator.lucidac_digital import LucidacDigital
from jackfield.session import load_spec
from jackfield.testing import ScriptedLine
from jackfield_calibration import calibrate, lane_calibration, make_plan

SPEC = load_spec("lucidac-2024")
SEED = 3


class Journal:
    """Readings in memory; counts how often one is stored."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, np.ndarray]] = {}

    def store(self, key: str, arrays: dict[str, np.ndarray]) -> None:
        assert key not in self.kept
        self.kept[key] = dict(arrays)

    def reading(self, key: str) -> dict[str, np.ndarray] | None:
        return self.kept.get(key)


@pytest.fixture(scope="module")
def analog() -> LucidacAnalog:
    return LucidacAnalog(SPEC, "typical", SEED)


@pytest.fixture(scope="module")
def bench(analog: LucidacAnalog) -> Iterator[Bench[LucidacBoard]]:
    digital = LucidacDigital(analog, "00-00-00-00-00-01")
    line = ScriptedLine(lambda data: b"".join(digital.receive(line) for line in data.splitlines()))
    with LucidacBoard(line, SPEC) as board:
        yield Bench(board, None, None, Wiring({}), SPEC)


@pytest.fixture(scope="module")
def record(bench: Bench[LucidacBoard]) -> CalibrationRecord:
    """From a quarter of the usual settings: enough to see that it works."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane_calibration, "LANE_SETTINGS", 8)
        patch.setattr(lane_calibration, "MULTIPLIER_SETTINGS", 4)
        return calibrate(bench, SPEC, Journal(), seed=0, provenance={"board_id": "b"})


def test_what_is_left_of_fresh_runs_is_noise(bench: Bench[LucidacBoard], record: CalibrationRecord) -> None:
    assert 0.7 < record.provenance["misfit"] < 1.3
    random = np.random.default_rng(9)
    image, scale = ConfigImage.safe(SPEC), SPEC.group("L").parameters["coefficient"]
    image.enable[0, :16] = True
    image.source[0, :16] = random.integers(1, 9, 16)
    image.destination[0, :16] = np.arange(16) % 8 + 1
    image.codes["coefficient"][0, :16] = scale.code(random.uniform(-0.4, 0.4, 16))
    image.codes["rate"][0, -8:] = 1
    volts = np.zeros((6, 16))
    volts[:, :8] = random.uniform(-0.4, 0.4, (6, 8))
    codes = SPEC.nodes.preset.code(volts)
    bench.board.apply(image)
    program = RunProgram(steps=((0, 150),), scan=tuple((node,) for node in range(1, 9)))
    measured = bench.measure(codes, program)
    assert not measured.railed.any()
    left = [np.sqrt(np.mean((measured.values_V - predicted(image, codes, known)) ** 2)) for known in (None, record)]
    assert left[0] > 5e-3
    assert left[1] < 2e-3  # three decimals and 0.4 mV of noise, and what so few readings leave of the parameters


def predicted(image: ConfigImage, codes: np.ndarray, record: CalibrationRecord | None) -> np.ndarray:
    import torch

    known = KnownLanes.from_record(SPEC, record)
    start = SPEC.nodes.preset.value(codes) * known.preset_gain + known.preset_offset_V
    seconds = torch.full((len(codes),), 150e-6, dtype=torch.float64)
    settings = LaneSettings.of([image] * len(codes), SPEC)
    return lane_response(LaneParameters.of(known), settings, torch.from_numpy(start[:, :8]), seconds, 60)[-1].numpy()


def test_the_products_are_those_that_were_drawn(analog: LucidacAnalog, record: CalibrationRecord) -> None:
    truth = analog.truth()["quantities"]
    for quantity, limit in (("preset_offset_V", 1e-3), ("node_offset_A", 2e-3), ("current_offset_A", 2e-3)):
        table = record.tables[quantity]
        # What readings show of it: the converters' own offsets are within these limits.
        drawn = np.array([truth[quantity][name] for name in table.index])
        assert np.corrcoef(drawn, table.value)[0, 1] > 0.5, quantity
        assert np.sqrt(np.mean((table.value - drawn) ** 2)) < 3 * limit, quantity


def test_the_plan_is_what_is_read(record: CalibrationRecord) -> None:
    assert record.provenance["planned_settings"] == record.provenance["settings"]
    assert record.provenance["planned_reads"] == record.provenance["reads"]
    assert "multipliers" in str(make_plan(SPEC))
