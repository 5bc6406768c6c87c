import pytest

from jackfield.errors import DesignError
from jackfield.model import DIGITS_ARCHITECTURE, Architecture, FullyConnected, Mixed, Neighbour


@pytest.mark.parametrize(
    ("wiring", "nodes", "edges"),
    [
        (FullyConnected(64, (1, 0)), 64, 4_160),
        (Mixed(1, 28, 28, 4, 50, (1, 1)), 834, 230_068),
        (Mixed(1, 28, 28, 3, 10, (1, 0)), 794, 57_306),
        (Neighbour(4, 32, 32, 3), 4_096, 1_134_000),
        (Mixed(4, 32, 32, 3, 0, (1, 0)), 4_096, 1_138_096),
    ],
)
def test_published_sizes(wiring: FullyConnected | Neighbour | Mixed, nodes: int, edges: int) -> None:
    architecture = Architecture(wiring, inputs=10, outputs=10)
    assert (architecture.nodes, len(architecture.topology)) == (nodes, edges)


def test_digits_reach_from_pixels_to_the_last_nodes() -> None:
    assert (DIGITS_ARCHITECTURE.nodes, len(DIGITS_ARCHITECTURE.topology)) == (96, 6_880)
    assert DIGITS_ARCHITECTURE.input_nodes == tuple(range(1, 65))
    assert DIGITS_ARCHITECTURE.output_nodes == tuple(range(87, 97))
    assert DIGITS_ARCHITECTURE.grid == (1, 8, 8)


@pytest.mark.parametrize("wiring", [FullyConnected(12, (2, 1)), Neighbour(1, 4, 3, 2), Mixed(1, 4, 3, 2, 5, (1, 1))])
def test_table_round_trip(wiring: FullyConnected | Neighbour | Mixed) -> None:
    architecture = Architecture(wiring, inputs=12, outputs=3, slices=3, law="conductance", steps=6)
    table = architecture.to_table()
    table["wiring"] = {key: list(v) if isinstance(v, tuple) else v for key, v in table["wiring"].items()}
    assert Architecture.from_table(table, "here") == architecture


def test_tables_are_read_strictly() -> None:
    table = Architecture(Neighbour(1, 4, 3, 2), inputs=12, outputs=3).to_table()
    with pytest.raises(DesignError, match="here: key colour is unknown"):
        Architecture.from_table(table | {"colour": 1}, "here")
    with pytest.raises(DesignError, match="here: key law is missing"):
        Architecture.from_table({key: value for key, value in table.items() if key != "law"}, "here")
    with pytest.raises(DesignError, match="inputs = True is not of type int"):
        Architecture.from_table(table | {"inputs": True}, "here")
    with pytest.raises(DesignError, match="wiring kind 'ring' is unknown"):
        Architecture.from_table(table | {"wiring": {"kind": "ring"}}, "here")
    with pytest.raises(DesignError, match=r"here.wiring: key extra is unknown"):
        Architecture.from_table(table | {"wiring": {**table["wiring"], "extra": 3}}, "here")


def test_impossible_architectures_are_refused() -> None:
    with pytest.raises(DesignError, match="use one of shifted_relu"):
        Architecture(FullyConnected(4, (1, 0)), inputs=2, outputs=2, law="diode")
    with pytest.raises(DesignError, match="5 inputs and 2 outputs are asked of 4 nodes"):
        Architecture(FullyConnected(4, (1, 0)), inputs=5, outputs=2)
    with pytest.raises(DesignError, match="0 slices"):
        Architecture(FullyConnected(4, (1, 0)), inputs=2, outputs=2, slices=0)
