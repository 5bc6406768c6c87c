"""With perfect knowledge of a board, the compiled circuit comes near to the wanted one, and the re-fit nearer."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from jackfield.board import BoardSpec, CalibrationRecord
from jackfield.compile import CompiledCircuit, compile_circuit, twin
from jackfield.physics import Circuit, integrate

Recorder = Callable[..., CalibrationRecord]

_LARGEST = 2.3


def error_V(compiled: CompiledCircuit, circuit: Circuit, record: CalibrationRecord, x: torch.Tensor) -> float:
    """Rms over outputs and inputs of what the board of `record` gives minus what `circuit` asks."""
    start = torch.zeros(len(x), circuit.nodes)
    start[:, : x.shape[1]] = x
    wanted = integrate(circuit, start, steps=32)[-1][:, -10:].numpy() * compiled.scaling.volts_per_unit
    board = replace(twin(compiled, compiled.spec, record), record=None)
    return float(np.sqrt(np.mean((board.predict(x)[0] - wanted) ** 2)))


@pytest.mark.parametrize(("profile", "closed_bar", "refit_bar"), [("cmos", 0.12, 0.06), ("rough", 0.15, 0.06)])
def test_output_error_on_a_digits_size_network(
    jf96: BoardSpec, digits_size: Circuit, make_record: Recorder, profile: str, closed_bar: float, refit_bar: float
) -> None:
    record = make_record(jf96, profile, seed=11)
    x = torch.rand(120, 48, generator=torch.Generator().manual_seed(7))
    fit, fresh = x[:48], x[48:]
    raw, closed, refitted = (
        error_V(compile_circuit(digits_size, jf96, largest_v=_LARGEST, **choice), digits_size, record, fresh)
        for choice in ({}, {"record": record}, {"record": record, "fit_inputs": fit})
    )
    print(f"{profile}: raw {raw:.4f} V, closed {closed / raw:.3f} of it, re-fitted {refitted / raw:.3f}")  # noqa: T201
    assert raw > 0.02
    assert closed < closed_bar * raw
    assert refitted < refit_bar * raw
    assert refitted < 0.7 * closed


def test_the_report_tells_the_re_fit_from_rounding(jf96: BoardSpec, small: Circuit, make_record: Recorder) -> None:
    record = make_record(jf96, "rough", seed=3)
    x = torch.rand(32, 6, generator=torch.Generator().manual_seed(7))
    plain = compile_circuit(small, jf96, record=record, largest_v=2.0)
    compiled = compile_circuit(small, jf96, record=record, largest_v=2.0, fit_inputs=x)
    assert compiled.report is not None
    assert plain.report is not None
    np.testing.assert_allclose(compiled.report.requested, plain.report.requested)
    np.testing.assert_allclose(compiled.report.actual, compiled.report.target, rtol=1e-6, atol=1e-12)
    assert np.abs(compiled.report.error_lsb).max() > 0.5 > np.abs(plain.report.error_lsb).max() - 0.1
    assert error_V(compiled, small, record, x) < 0.7 * error_V(plain, small, record, x)


def test_one_input_batch_gives_one_image(jf96: BoardSpec, small: Circuit, make_record: Recorder) -> None:
    record = make_record(jf96, "cmos", seed=3)
    x = torch.rand(16, 6, generator=torch.Generator().manual_seed(7))
    first, second = (compile_circuit(small, jf96, record=record, largest_v=2.0, fit_inputs=x) for _ in range(2))
    assert first.image.payload(jf96) == second.image.payload(jf96)
