"""Spreadsheets with units in their headers."""

from pathlib import Path

import numpy as np
import pytest

from jackfield.cli.sheets import read_inputs, write_outputs
from jackfield.errors import DesignError


def _sheet(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "x.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "n3 (V),n1 (mV)\n0.3,600\n0.0,0\n",
        "n1,n3\n1,0.5\n0,0\n",
        "1,0.5\n0,0\n",
        "\ufeffn1,n3 (mV)\n1,300\n0,0\n",
    ],
)
def test_units_and_order_come_from_the_header(tmp_path: Path, text: str) -> None:
    assert np.allclose(read_inputs(_sheet(tmp_path, text), (1, 3), 0.6), [[1.0, 0.5], [0.0, 0.0]])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("n1 (A),n3 (V)\n0,0\n", "not a quantity in V"),
        ("n1 (V)\n0\n", "no column for n3"),
        ("n1,n3,n4\n0,0,0\n", "column n4, which is no input"),
        ("n1,n1,n3\n0,0,0\n", "two columns with the same node"),
        ("n1,voltage\n0,0\n", "heads a column 'voltage'"),
        ("0,0,0\n", "3 columns, the image takes 2 inputs"),
        ("n1,n3\n0\n", "line 2: 1 values"),
        ("n1,n3\n0,x\n", "line 2: could not convert"),
        ("n1,n3\n0,nan\n", "line 2: a value is not finite"),
        ("n1,n3\n", "no inputs"),
        ("", "is empty"),
    ],
)
def test_bad_sheets_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(DesignError, match=complaint):
        read_inputs(_sheet(tmp_path, text), (1, 3), 0.6)


def test_a_picture_is_no_sheet(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DesignError, match="not a CSV file"):
        read_inputs(tmp_path / "x.csv", (1, 3), 0.6)


def test_outputs_carry_volts_errors_and_flags(tmp_path: Path) -> None:
    write_outputs(tmp_path / "y.csv", (5, 6), np.array([[0.25, -0.5]]), np.array([[0.001, 0.002]]), ["railed"])
    assert (tmp_path / "y.csv").read_text().splitlines() == [
        "input,n5 (V),n6 (V),n5 se (V),n6 se (V),flag",
        "1,0.250000,-0.500000,0.001000,0.002000,railed",
    ]
