"""The board in the loop: what is measured goes forward, the twin's gradient backward."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from jackfield.board import BoardSpec, ConfigImage, Measurement, RunProgram
from jackfield.compile import CompiledCircuit, KnownBoard, Twin, compile_circuit, twin
from jackfield.errors import DesignError, InstrumentError, LinkError
from jackfield.journal import Run
from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.tune import HardwareForward, draws_of_profile, hardware_forward


@dataclass
class Bench:
    """A board that is what `known` says, read without noise; `failures` are raised first, one a measurement."""

    spec: BoardSpec
    compiled: CompiledCircuit
    known: KnownBoard
    failures: list[Exception] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    clipped: bool = False
    railed: bool = False

    @property
    def board(self) -> Any:
        return SimpleNamespace(
            apply=self.apply,
            reconnect=lambda: self.calls.append("reconnect"),
            hello=SimpleNamespace(board_id="A-1"),
        )

    def apply(self, image: ConfigImage) -> None:
        self.image = image
        self.calls.append("apply")

    def measure(self, codes: NDArray[np.int64], program: RunProgram, run_number: int) -> Measurement:
        self.calls.append(f"measure {run_number}")
        if self.failures:
            raise self.failures.pop(0)
        model = Twin(replace(self.compiled, image=self.image), self.image, self.known, None)
        with torch.no_grad():
            volts = model.held(model.preset(codes)).double().numpy()
        nodes = tuple(node for scan in program.scan for node in scan)
        shape = (len(codes), len(nodes))
        nothing = np.zeros((len(codes), 2))
        index = np.array(nodes) - 1
        flags = np.full(shape, self.clipped), np.full(shape, self.railed)
        return Measurement(nodes, volts[:, index], np.zeros(shape), *flags, nothing, nothing, 1.0)


@pytest.fixture
def compiled(jf96: BoardSpec) -> CompiledCircuit:
    """4 inputs, 3 further nodes, 2 outputs, two slices of 18 edges."""
    rng = np.random.default_rng(2)
    source = torch.tensor([1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 5, 6, 7, 1, 2, 3, 4])
    destination = torch.tensor([5, 5, 6, 6, 7, 7, 8, 9, 8, 8, 8, 9, 9, 9, 9, 8, 7, 5])

    def part() -> Slice:
        values = {
            "gain": torch.tensor(rng.uniform(-0.5, 0.6, 18)),
            "threshold": torch.tensor(rng.uniform(-0.3, 0.2, 18)),
        }
        return Slice(1.0, (EdgeSet("shifted_relu", source, destination, values),))

    one = torch.ones(9, dtype=torch.float64)
    circuit = Circuit(9, (part(), part()), one, 0 * one, inputs=(1, 2, 3, 4), outputs=(8, 9))
    return compile_circuit(circuit, jf96, volts_per_unit=0.6, seconds_per_unit=100e-6)


@pytest.fixture
def x() -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(0, 1, (16, 4)).astype(np.float32)


def layer_on(
    compiled: CompiledCircuit, known: KnownBoard | None = None, **options: Any
) -> tuple[HardwareForward, Bench]:
    model = twin(compiled, compiled.spec)
    assert isinstance(model, Twin)
    bench = Bench(compiled.spec, compiled, known or model.known)
    return hardware_forward(bench, model, **options), bench  # type: ignore[arg-type]


def drawn(compiled: CompiledCircuit, seed: int) -> KnownBoard:
    return draws_of_profile(compiled.spec, "cmos")(np.random.default_rng(seed))


def test_outputs_are_what_the_board_shows(compiled: CompiledCircuit, x: NDArray[np.float32]) -> None:
    known = drawn(compiled, 3)
    layer, bench = layer_on(compiled, known)
    answered = layer(x).detach().numpy() * compiled.scaling.volts_per_unit
    shown = bench.measure(compiled.input_codes(x), compiled.program, 0).values_V
    assert answered == pytest.approx(shown, abs=1e-6)
    predicted, _ = layer_on(compiled)
    assert np.abs(answered - predicted(x).detach().numpy() * compiled.scaling.volts_per_unit).max() > 0.01
    assert layer.passes == 16


@pytest.mark.parametrize("kind", ["gain", "threshold", "trim"])
def test_gradients_are_finite_differences_of_the_twin(
    compiled: CompiledCircuit, x: NDArray[np.float32], kind: str
) -> None:
    layer, _ = layer_on(compiled)
    weights = torch.tensor(np.random.default_rng(5).standard_normal((16, 2)), dtype=torch.float32)
    (layer(x) * weights).sum().backward()
    model = twin(compiled, compiled.spec)
    assert isinstance(model, Twin)

    def objective(known: KnownBoard) -> float:
        model_ = replace(model, known=known)
        volts = model_.held(model_.preset(compiled.input_codes(x)))[:, [7, 8]].detach()
        return float((volts / compiled.scaling.volts_per_unit * weights.double()).sum())

    known, spec = model.known, compiled.spec
    fields = {"gain": "gain_zero_S", "threshold": "threshold_offset_V", "trim": "node_offset_A"}
    full = {"gain": 75e-6, "threshold": 0.3, "trim": spec.nodes.trim.hi}[kind]
    name = fields[kind]
    live = np.flatnonzero(model.image.enable[0])
    places = live if kind != "trim" else np.arange(9)
    keys = [key for key in layer.values if key.endswith(kind)]
    grads = [layer.values[key].grad for key in keys]
    assert all(grad is not None for grad in grads)
    measured = sum(np.asarray(grad) for grad in grads)[: len(places)]  # both banks share cells and nodes
    wanted = []
    for place in places:
        step = np.zeros_like(getattr(known, name))
        step[place] = 1e-4 * full
        up, down = (replace(known, **{name: getattr(known, name) + sign * step}) for sign in (1, -1))
        wanted.append((objective(up) - objective(down)) / 2e-4)
    cosine = np.dot(measured, wanted) / np.linalg.norm(measured) / np.linalg.norm(wanted)
    assert cosine > 0.999
    assert np.linalg.norm(measured) == pytest.approx(np.linalg.norm(wanted), rel=0.02)


def descend(layer: HardwareForward, x: NDArray[np.float32], wanted: torch.Tensor, steps: int) -> float:
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.01)
    loss = torch.tensor(0.0)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = ((layer(x) - wanted) ** 2).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        layer.confine()
    return float(loss.detach())


def test_tuning_takes_the_error_from_a_board_that_nobody_knows(
    compiled: CompiledCircuit, x: NDArray[np.float32]
) -> None:
    wanted = layer_on(compiled)[0](x).detach()
    layer, _ = layer_on(compiled, drawn(compiled, 3))
    before = float(((layer(x) - wanted) ** 2).mean().detach())
    assert descend(layer, x, wanted, 80) < 0.03 * before
    tuned = layer.compiled
    assert tuned.record["board_id"] == "A-1"
    assert tuned.record_id.startswith("A-1:tuned ")
    assert (tuned.image.enable == compiled.image.enable).all()
    assert layer.values["0_A_gain"].abs().max() <= 1


@pytest.mark.parametrize(("error", "mended"), [(LinkError("gone"), True), (InstrumentError("late"), False)])
def test_a_failure_is_tried_again(
    compiled: CompiledCircuit, x: NDArray[np.float32], error: Exception, mended: bool
) -> None:
    layer, bench = layer_on(compiled)
    bench.failures = [error, error]
    layer(x)
    assert bench.calls.count("reconnect") == (2 if mended else 0)
    assert bench.calls.count("measure 1") == 3
    bench.failures = [error] * 9
    with pytest.raises(type(error)):
        layer(x)


def test_what_cannot_be_read_or_moved_passes_no_gradient(compiled: CompiledCircuit, x: NDArray[np.float32]) -> None:
    railed, bench = layer_on(compiled, drawn(compiled, 4))
    bench.railed = True
    assert not railed(x).requires_grad or not torch.autograd.grad(railed(x).sum(), railed.values["0_A_gain"])[0].any()
    clipped, bench = layer_on(compiled, drawn(compiled, 4))
    bench.clipped = True
    predicted = layer_on(compiled)[0](x)
    assert clipped(x).detach().numpy() == pytest.approx(predicted.detach().numpy(), abs=1e-3)  # by another step


def test_an_interrupted_loop_ends_with_the_same_codes(
    compiled: CompiledCircuit, x: NDArray[np.float32], tmp_path: Path
) -> None:
    wanted = layer_on(compiled)[0](x).detach()
    whole, _ = layer_on(compiled, drawn(compiled, 3))
    descend(whole, x, wanted, 8)
    with Run.create(tmp_path, "tune", "A-1") as run:
        begun, _ = layer_on(compiled, drawn(compiled, 3), journal=run)
        descend(begun, x, wanted, 8 - 5)
        folder = run.folder
    with Run.open(folder) as run:
        resumed, bench = layer_on(compiled, drawn(compiled, 3), journal=run)
        descend(resumed, x, wanted, 8)
        assert [call for call in bench.calls if call.startswith("measure")] == [f"measure {n}" for n in range(4, 9)]
    with Run.open(folder) as run:
        other, _ = layer_on(compiled, drawn(compiled, 3), journal=run)
        with pytest.raises(DesignError, match="resume the same training"):
            other(1 - x)
    for key, value in whole.values.items():
        assert torch.equal(value, resumed.values[key])


def test_further_nodes_are_read_beside_the_outputs(compiled: CompiledCircuit, x: NDArray[np.float32]) -> None:
    layer, _ = layer_on(compiled, nodes=(5, 8))
    layer(x)
    assert layer.read is not None
    assert set(layer.read.nodes) == {5, 8, 9}


def test_a_twin_of_another_board_is_refused(compiled: CompiledCircuit, jf16: BoardSpec) -> None:
    model = twin(compiled, compiled.spec)
    with pytest.raises(DesignError, match="compile for the board on the bench"):
        hardware_forward(Bench(jf16, compiled, KnownBoard.as_specified(jf16)), model)  # type: ignore[arg-type]
