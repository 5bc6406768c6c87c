"""A sweep reads every point of its grid once, goes on where it ended, and refuses what cannot be before it begins."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jackfield.board import BoardSpec
from jackfield.errors import CalibrationError, DesignError
from jackfield.journal import Run
from jackfield_calibration import Axis, BoardTarget, SweepPlan, parse_set, sweep

PLAN = """
[sweep]
repeat = 2
[set]
"node.3.trim" = "5 uA"
"run.duration" = "100 us"
[[axes]]
quantity = "cell.A17.gain"
from = "-50 uS"
to = "50 uS"
points = 3
[[axes]]
quantity = "node.3.preset"
values = ["0.1 V", 0.2]
[read]
quantities = ["node.3", "probe.1.ground"]
"""


class Adder:
    """x + y, and how often it was asked."""

    columns = (("sum", "V"),)

    def __init__(self, lives: int = 10**9) -> None:
        self.lives, self.asked = lives, 0
        self._sum = 0.0

    def set(self, point: Mapping[str, float]) -> None:
        self._sum = point["x"] + point["y"]

    def read(self, number: int) -> list[float]:
        if self.asked == self.lives:
            raise RuntimeError("dead")
        self.asked += 1
        return [self._sum]


AXES = (Axis("x", "V", (1.0, 2.0, 3.0)), Axis("y", "", (10.0, 20.0)))


def test_the_grid_is_read_in_order_last_axis_fastest(tmp_path: Path) -> None:
    with Run.create(tmp_path, "measure", "b1") as run:
        found = sweep(run, AXES, Adder(), repeat=2)
    assert found.points[:4].tolist() == [[1, 10], [1, 10], [1, 20], [1, 20]]
    np.testing.assert_array_equal(found.values[:, 0], found.points.sum(1))
    lines = found.to_csv().splitlines()
    assert lines[0] == "x (V),y,sum (V)"
    assert lines[1] == "1.0,10.0,11.0"
    assert len(lines) == 1 + 12


def test_a_sweep_goes_on_where_it_ended(tmp_path: Path) -> None:
    with Run.create(tmp_path, "measure", "b1") as run:
        with pytest.raises(RuntimeError, match="dead"):
            sweep(run, AXES, Adder(lives=4))
        again = Adder()
        found = sweep(run, AXES, again)
        assert again.asked == 6 - 4
        np.testing.assert_array_equal(found.values[:, 0], found.points.sum(1))
        with pytest.raises(CalibrationError, match="another sweep"):
            sweep(run, (Axis("x", "V", (7.0,)), AXES[1]), Adder())


def test_a_plan_is_read_with_its_units(jf16: BoardSpec) -> None:
    plan = SweepPlan.from_toml(PLAN, lambda name: parse_set(jf16, name).unit)
    assert plan.fixed == pytest.approx({"node.3.trim": 5e-6, "run.duration": 1e-4})
    np.testing.assert_allclose(plan.axes[0].values, [-5e-5, 0.0, 5e-5], atol=1e-12)
    assert plan.axes[1].values == (0.1, 0.2)
    assert plan.readings == 12


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"node.3.trim"', '"node.99.trim"', "1..16"),
        ('"node.3.trim"', '"node.3.trimm"', "a sweep can set"),
        ("cell.A17.gain", "cell.A17.bias", "gain, threshold"),
        ('"-50 uS"', '"-50 uV"', "not a quantity in S"),
        ("points = 3", "steps = 3", "points"),
        ("[read]", "[reads]", "read"),
        ("repeat = 2", "repeats = 2", "repeat"),
        ("repeat = 2", "repeat = ", "not valid TOML"),
    ],
)
def test_what_a_plan_gets_wrong_is_named(jf16: BoardSpec, old: str, new: str, said: str) -> None:
    with pytest.raises(DesignError, match=said):
        SweepPlan.from_toml(PLAN.replace(old, new), lambda name: parse_set(jf16, name).unit)


def test_a_preset_is_read_back_on_a_board(
    make_bench: Callable[..., Any], small_spec: BoardSpec, tmp_path: Path
) -> None:
    bench = make_bench(small_spec, "ideal", 1)
    axes = (Axis("node.5.preset", "V", (-0.5, 0.0, 0.5)), Axis("node.6.trim", "A", (0.0, 1e-5)))
    target = BoardTarget(bench, {"run.duration": 1e-4}, ["node.5", "node.6", "probe.2.reference"])
    target.check(axes)
    with Run.create(tmp_path, "measure", "b1") as run:
        found = sweep(run, axes, target)
    names = [name for name, _ in found.columns]
    assert names[:3] == ["node.5", "node.5 se", "node.5 flag"]
    np.testing.assert_allclose(found.values[:, 0], found.points[:, 0], atol=2e-3)
    moved = found.points[:, 1] * 1e-4 / small_spec.nodes.capacitance_F  # I T/C
    np.testing.assert_allclose(found.values[:, 3], moved, atol=2e-3)


def test_a_cell_is_switched_on_by_what_is_set(
    make_bench: Callable[..., Any], small_spec: BoardSpec, tmp_path: Path
) -> None:
    bench = make_bench(small_spec, "ideal", 1)
    reach = small_spec.groups[0].reach
    source, destination = next((s, d) for s in reach.sources(16) for d in reach.destinations(16) if s and d and s != d)
    fixed = {f"node.{source}.preset": 0.4, "run.duration": 1e-4, "cell.A17.threshold": 0.0}
    axes = (Axis("cell.A17.gain", "S", (0.0, 5e-5)),)
    target = BoardTarget(bench, fixed, [f"node.{source}", f"node.{destination}"])
    with Run.create(tmp_path, "measure", "b1") as run:
        found = sweep(run, axes, target)
    decay = np.exp(-2 * found.points[:, 0] * 1e-4 / small_spec.nodes.capacitance_F)
    np.testing.assert_allclose(found.values[:, 0], 0.2 * (1 + decay), atol=3e-3)
    np.testing.assert_allclose(found.values[:, 3], 0.2 * (1 - decay), atol=3e-3)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("node.5.preset", 7.0, "range"),
        ("cell.A17.gain.code", 1000.0, "takes 1..255"),
        ("cell.A17.source", 99.0, "cannot run"),
        ("source.1", 0.1, "the bench has 0"),
        ("run.duration", 10.0, "run"),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_the_first_reading(
    make_bench: Callable[..., Any], small_spec: BoardSpec, name: str, value: float, said: str
) -> None:
    bench = make_bench(small_spec, "ideal", 1)
    bench.sources = ()
    target = BoardTarget(bench, {}, ["node.5"])
    with pytest.raises(DesignError, match=said):
        target.check((Axis(name, "", (value,)),))
    assert bench.measured == 0
