"""A spec is read strictly, and its digest names the board and nothing else."""

import itertools
import re

import pytest

from jackfield.board import LAW_PARAMETERS, STATISTICS, BoardSpec, Cell
from jackfield.errors import DesignError
from jackfield.physics import LAWS
from jackfield_boards import spec_folder


@pytest.fixture
def text() -> str:
    return (spec_folder() / "jf96.toml").read_text()


def test_reference_boards(jf16: BoardSpec, jf96: BoardSpec, jf1024: BoardSpec) -> None:
    assert (jf16.nodes.count, jf16.cell_count, jf16.run.banks) == (16, 48, 2)
    assert (jf96.nodes.count, jf96.cell_count, jf96.run.banks) == (96, 8192, 2)
    assert (jf1024.nodes.count, jf1024.cell_count, jf1024.run.banks) == (1024, 262_144, 2)
    assert jf1024.payload_bytes == 2 * (262_144 * (1 + 11 + 11 + 8 + 8) + 1024 * 8) // 8
    assert jf1024.statistics == jf96.statistics
    assert set(jf96.statistics) == {"ideal", "modules", "cmos", "rough"}
    assert set(jf96.statistics["cmos"]) == set(STATISTICS)


def test_every_ordered_pair_of_nodes_has_a_cell_on_jf16(jf16: BoardSpec) -> None:
    reach = jf16.groups[0].reach
    pairs = {(s, d) for cell in range(48) for s in reach.sources(cell) for d in reach.destinations(cell)}
    assert pairs >= {(s, d) for s in range(17) for d in range(17) if s != d}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("count = 96", "count = 96\ncolour = 3", "key colour is unknown; known are"),
        ("capacitance_F", "capacitance_nF", "capacitance_nF, the unit belongs in the key"),
        ("banks = 2", "banks = 'two'", "banks = 'two'; give an integer"),
        ("banks = 2", "banks = 0", "give an integer of 1 or more"),
        ('law = "shifted_relu"', 'law = "relu"', "law 'relu' is not a board's"),
        ("range_S = [-75e-6, 75e-6]", "range_S = [-75e-6, 70e-6]", "symmetric"),
        ('kind = "crossbar"', 'kind = "listed", file = "gone.csv"', "gone.csv is not there"),
        ("rail_V = [-1.0, 1.0]", "rail_V = [-1.0]", "give a list of 2 numbers"),
        ("[run]", "[run", "not TOML"),
    ],
)
def test_what_is_wrong_is_named(text: str, old: str, new: str, message: str) -> None:
    with pytest.raises(DesignError, match=re.escape(message)):
        BoardSpec.from_toml(text.replace(old, new, 1))


def test_digest_is_of_the_board_not_of_its_description(text: str, jf96: BoardSpec) -> None:
    kinder = re.sub(r"gain_relative = 0.18", "gain_relative = 0.17", text)
    assert BoardSpec.from_toml(kinder.replace("8,192 cells", "many cells")).digest == jf96.digest
    assert BoardSpec.from_toml(text.replace("count = 8192", "count = 8191")).digest != jf96.digest


def test_laws_have_the_same_parameters_on_the_board_and_in_physics() -> None:
    for law, units in LAW_PARAMETERS.items():
        assert [parameter.name for parameter in LAWS[law].parameters] == list(units)


def test_cells_have_names(jf96: BoardSpec) -> None:
    assert str(jf96.cells[16]) == "A17"
    assert jf96.cell_index(Cell.parse("A17")) == 16
    for wrong in ("17", "A0", "a1", "A-1"):
        with pytest.raises(DesignError, match="not the name of a cell"):
            Cell.parse(wrong)
    with pytest.raises(DesignError, match="ends at 8192"):
        jf96.cell_index(Cell("A", 9000))


def test_the_template_is_a_spec_and_says_what_is_not_plain() -> None:
    template = (spec_folder() / "template.toml").read_text()
    assert set(BoardSpec.from_toml(template).statistics["typical"]) == set(STATISTICS)
    plain = {
        "capacitance_relative",
        "count",
        "doc",
        "gain_lsb",
        "max_s",
        "output_ohm",
        "preset_lsb",
        "probe_gain",
        "probe_lsb",
        "threshold",
        "threshold_lsb",
    }
    lines = template.splitlines()
    for above, line in itertools.pairwise(lines):
        key = re.match(r"(\w+) = ", line)
        if key is not None and key[1] not in plain:
            assert "#" in line or above.startswith("#"), line


def test_names_of_cells_are_those_of_the_groups_in_order(text: str) -> None:
    start, stop = text.index("[[cells]]"), text.index("[run]")
    second = text[start:stop].replace('group = "A"', 'group = "B"').replace("count = 8192", "count = 3")
    cells = BoardSpec.from_toml(text[:stop] + second + text[stop:]).cells
    assert len(cells) == 8195
    assert list(cells)[8190:] == [Cell("A", 8191), Cell("A", 8192), Cell("B", 1), Cell("B", 2), Cell("B", 3)]
    assert (cells[-1], cells[0], cells[8191:8193]) == (Cell("B", 3), Cell("A", 1), (Cell("A", 8192), Cell("B", 1)))
    for beyond in (8195, -8196):
        with pytest.raises(IndexError, match=str(beyond)):
            cells[beyond]
