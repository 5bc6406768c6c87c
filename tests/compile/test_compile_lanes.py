"""Circuits on integrators, multipliers and lanes: codes, signs, corrections, what runs out."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from jackfield.board import BoardSpec, CalibrationRecord, ConfigImage, Table
from jackfield.compile import CompiledCircuit, KnownLanes, LaneTwin, compile_circuit, twin
from jackfield.errors import CalibrationError, DesignError
from jackfield.physics import Circuit, EdgeSet, Slice
from jackfield.session import load_spec

Edge = tuple[int, int, float, float, float]
CHAIN: list[Edge] = [(1, 2, 0.3, 0.0, 0.4), (2, 3, 0.5, 0.0, 0.0), (3, 0, 0.2, 0.3, 0.0)]


@pytest.fixture(scope="module")
def lucidac() -> BoardSpec:
    return load_spec("lucidac-2024")


def circuit(nodes: int, edges: list[Edge], injection: list[float] | None = None, law: str = "polynomial") -> Circuit:
    rows = torch.tensor(edges, dtype=torch.float64)
    values = {name: rows[:, 2 + k].contiguous() for k, name in enumerate(("g1", "g2", "g3"))}
    if law == "conductance":
        values = {"gain": values["g1"]}
    ends = rows[:, :2].long()
    given = None if injection is None else torch.tensor(injection, dtype=torch.float64)
    part = Slice(1.5, (EdgeSet(law, ends[:, 0].contiguous(), ends[:, 1].contiguous(), values),), given)
    ones = torch.ones(nodes, dtype=torch.float64)
    every = tuple(range(1, nodes + 1))
    return Circuit(nodes, (part,), ones, 0.1 * ones, None, every, every)


def solved(nodes: int, edges: list[Edge], injection: list[float], v0: np.ndarray) -> np.ndarray:
    """Kirchhoff's law, written again for scipy."""

    def slopes(t: float, v: np.ndarray) -> np.ndarray:
        dv, at = np.array(injection) - 0.1 * v, np.concatenate([[0.0], v])
        for s, d, g1, g2, g3 in edges:
            x = at[s] - at[d]
            i = g1 * x + g2 * x**2 + g3 * x**3
            if s:
                dv[s - 1] -= i
            if d:
                dv[d - 1] += i
        return dv

    return solve_ivp(slopes, (0, 1.5), v0, rtol=1e-9, atol=1e-11).y[:, -1]


def test_the_image_is_the_circuit(lucidac: BoardSpec) -> None:
    injection = [0.1, 0.0, -0.2]
    compiled = compile_circuit(circuit(3, CHAIN, injection), lucidac, volts_per_unit=0.9)
    start = np.random.default_rng(0).uniform(-0.8, 0.8, (5, 3))
    volts, se = twin(compiled, lucidac).predict(start)
    wanted = np.array([solved(3, CHAIN, injection, v0) for v0 in start]) * 0.9
    assert np.abs(volts - wanted).max() < 1e-3
    assert not se.any()


def test_turning_an_edge_round_changes_the_square_term_alone(lucidac: BoardSpec) -> None:
    there = compile_circuit(circuit(2, [(1, 2, 0.3, 0.2, 0.4)]), lucidac, volts_per_unit=0.9)
    back = compile_circuit(circuit(2, [(2, 1, 0.3, -0.2, 0.4)]), lucidac, volts_per_unit=0.9)
    assert there.image.payload(lucidac) == back.image.payload(lucidac)


def test_rounding_stays_within_half_a_code(lucidac: BoardSpec) -> None:
    report = compile_circuit(circuit(3, CHAIN), lucidac, volts_per_unit=0.9).report
    assert report is not None
    plain = report.lsb < 1e-3
    assert np.abs(report.error_lsb[plain]).max() <= 0.5 + 1e-9


def test_slow_integrators_serve_slow_circuits(lucidac: BoardSpec) -> None:
    slow = compile_circuit(circuit(3, CHAIN[1:]), lucidac, volts_per_unit=0.9, seconds_per_unit=0.05)
    first = lucidac.group("K").first
    assert slow.image.codes["rate"][0, first] == 0
    v0 = np.array([[0.5, -0.3, 0.2]])
    wanted = 0.9 * solved(3, CHAIN[1:], [0, 0, 0], v0[0])
    assert np.abs(twin(slow, lucidac).predict(v0)[0] - wanted).max() < 2e-3


def test_an_image_survives_its_file(lucidac: BoardSpec, tmp_path: object) -> None:
    compiled = compile_circuit(circuit(3, CHAIN), lucidac, volts_per_unit=0.9)
    image = ConfigImage.from_payload(lucidac, compiled.image.payload(lucidac))
    assert image.digest(lucidac) == compiled.image.digest(lucidac)
    saved = compiled.save(f"{tmp_path}/chain.jfi")
    assert CompiledCircuit.load(saved, lucidac).image.digest(lucidac) == compiled.image.digest(lucidac)


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        (9, [(1, 9, 0.1, 0, 0)], "integrators run out: the circuit has 9 nodes, board lucidac-2024 has 8"),
        (
            8,
            [(k, k + 1, 0.1, 0.1, 0.0) for k in range(1, 6)],
            "multipliers run out: 5 quadratic and 0 cubic edges take 5, board lucidac-2024 has 4",
        ),
        (
            8,
            [(i, j, 0.1, 0, 0) for i in range(1, 9) for j in range(i + 1, 9)],
            r"lanes run out: 8 for the nodes' own terms, 56 for linear edges.*12 linear edges between nodes would fit",
        ),
    ],
)
def test_what_runs_out_is_named_with_what_would_fit(
    lucidac: BoardSpec, nodes: int, edges: list[Edge], message: str
) -> None:
    with pytest.raises(DesignError, match=message):
        compile_circuit(circuit(nodes, edges), lucidac, volts_per_unit=0.9)


def test_other_laws_and_slices_are_refused(lucidac: BoardSpec) -> None:
    with pytest.raises(DesignError, match="raise --seconds-per-unit"):
        compile_circuit(circuit(2, [(1, 2, 90.0, 0, 0)]), lucidac, volts_per_unit=0.9, seconds_per_unit=1e-4)
    two = circuit(2, [(1, 2, 0.3, 0, 0)])
    with pytest.raises(DesignError, match="2 slices"):
        compile_circuit(replace(two, slices=two.slices * 2), lucidac, volts_per_unit=0.9)
    with pytest.raises(DesignError, match="largest voltage is unknown"):
        compile_circuit(two, lucidac)


def record(spec: BoardSpec, **tables: dict[str, float]) -> CalibrationRecord:
    def table(values: dict[str, float]) -> Table:
        count = len(values)
        some = np.array(list(values.values()))
        good = np.ones(count, dtype=np.bool_)
        reads = np.ones(count, dtype=np.int64)
        return Table(tuple(values), some, 0 * some, 0 * some + 1e-4, reads, good, ("ok",) * count)

    provenance = {"board_id": "b", "spec_digest": spec.digest}
    return CalibrationRecord(provenance, {name: table(values) for name, values in tables.items()})


def test_a_record_is_corrected_for(lucidac: BoardSpec) -> None:
    rng = np.random.default_rng(5)
    cells = [str(cell) for cell in lucidac.cells[:36]]
    known = record(
        lucidac,
        gain_scale={cell: float(1 + 0.03 * rng.standard_normal()) for cell in cells},
        current_offset_A={cell: float(0.003 * rng.standard_normal()) for cell in cells},
        node_offset_A={str(n): float(0.003 * rng.standard_normal()) for n in range(1, 17)},
        capacitance_ratio={str(n): float(1 + 0.03 * rng.standard_normal()) for n in range(1, 9)},
        probe_gain={str(n): float(1 + 0.01 * rng.standard_normal()) for n in range(1, 9)},
        probe_offset_V={str(n): float(0.003 * rng.standard_normal()) for n in range(1, 9)},
        preset_gain={str(n): float(1 + 0.01 * rng.standard_normal()) for n in range(1, 9)},
    )
    edges = CHAIN[1:]
    start = np.random.default_rng(0).uniform(-0.8, 0.8, (5, 3))
    wanted = np.array([solved(3, edges, [0, 0, 0], v0) for v0 in start]) * 0.9
    errors = []
    for given in (None, known):
        compiled = compile_circuit(circuit(3, edges), lucidac, volts_per_unit=0.9, record=given)
        found = twin(compiled, lucidac, known)
        assert isinstance(found, LaneTwin)
        volts, se = found.predict(start)
        errors.append(np.abs(volts - wanted).max())
        assert (se > 0).all()
    assert errors[0] > 5e-3
    assert errors[1] < 1.5e-3
    with pytest.raises(CalibrationError, match="calibrate the board again"):
        KnownLanes.from_record(replace(lucidac, identity={}), known)


CLASSES: list[Edge] = [
    (1, 3, 0.07, 0.0, -0.25),
    (2, 3, 0.5, 0.0, 0.0),
    (1, 4, -0.6, 0.0, 0.74),
    (2, 4, -0.38, 0.0, 0.0),
]


def uneven(spec: BoardSpec, seed: int, spread: float = 0.01) -> CalibrationRecord:
    rng = np.random.default_rng(seed)
    cells, nodes = [str(cell) for cell in spec.cells[:36]], [str(n) for n in range(1, 17)]

    def about(nominal: float, width: float, names: list[str]) -> dict[str, float]:
        return dict(zip(names, (nominal + width * rng.standard_normal(len(names))).tolist(), strict=True))

    return record(
        spec,
        gain_scale=about(1, spread, cells),
        current_offset_A=about(0, 0.002, cells),
        node_offset_A=about(0, 0.002, nodes),
        probe_gain=about(1, 0.003, nodes[:8]),
        probe_offset_V=about(0, 0.002, nodes[:8]),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_offsets_cancel_on_a_board_whose_lanes_are_nearly_all_taken(lucidac: BoardSpec, seed: int) -> None:
    known = uneven(lucidac, seed)
    wished = circuit(4, CLASSES)
    start = np.random.default_rng(0).uniform(-0.8, 0.8, (8, 4))
    wanted = np.array([solved(4, CLASSES, [0] * 4, v0) for v0 in start]) * 0.6
    errors = []
    for given in (None, known):
        compiled = compile_circuit(wished, lucidac, volts_per_unit=0.6, record=given)
        assert 30 <= compiled.image.enable[0, :32].sum() <= 32
        volts, _ = twin(compiled, lucidac, known).predict(start)
        errors.append(np.sqrt(np.mean((volts - wanted) ** 2)))
    assert errors[0] > 8e-3
    assert errors[1] < 2e-3
    assert errors[1] < errors[0] / 6


def test_weak_lanes_make_the_run_longer_or_are_named(lucidac: BoardSpec) -> None:
    known = uneven(lucidac, 4, spread=0.03)
    wished = circuit(4, CLASSES)
    start = np.random.default_rng(0).uniform(-0.8, 0.8, (8, 4))
    wanted = np.array([solved(4, CLASSES, [0] * 4, v0) for v0 in start]) * 0.6
    nominal, slower = (compile_circuit(wished, lucidac, volts_per_unit=0.6, record=given) for given in (None, known))
    assert slower.program.steps[0][1] >= nominal.program.steps[0][1]
    assert np.abs(twin(slower, lucidac, known).predict(start)[0] - wanted).max() < 8e-3
    with pytest.raises(
        DesignError, match=r"lane L\d+ of board lucidac-2024, \S+ of nominal, reaches .*seconds-per-unit"
    ):
        compile_circuit(wished, lucidac, volts_per_unit=0.6, record=known, seconds_per_unit=1e-4)
