"""A record is text that comes back as it was."""

import tomllib

import numpy as np
import pytest

from jackfield.board import CalibrationRecord, Table, to_toml
from jackfield.errors import CalibrationError, DesignError


def table() -> Table:
    return Table(
        index=("A1", "A2"),
        value=np.array([1.0 / 3.0, 2e-17]),
        residual=np.array([0.0, np.nan]),
        se=np.array([0.1, np.inf]),
        reads=np.array([4, 0]),
        good=np.array([True, False]),
        reason=("ok", "not_measured"),
    )


def record() -> CalibrationRecord:
    return CalibrationRecord({"board_id": "5A31-0007", "spec_digest": "ab", "seed": 3}, {"gain_scale": table()})


def test_round_trip_is_exact() -> None:
    files = record().to_files()
    again = CalibrationRecord.from_files(files)
    assert again.to_files() == files
    assert again.provenance == record().provenance
    assert again.tables["gain_scale"].value[0] == 1.0 / 3.0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("record.toml", None, "no record.toml"),
        ("record.toml", "seed = ", "cannot be read"),
        ("record.toml", "seed = 3", "lacks board_id, spec_digest"),
        ("colour.csv", "", "is not a quantity"),
        ("gain_scale.csv", "a,b\n", "is not a table"),
        ("gain_scale.csv", "index,value,residual,se,reads,good,reason\nA1,x,0,0,1,1,ok\n", "no number"),
        ("gain_scale.csv", "index,value,residual,se,reads,good,reason\nA1,1,0,0,1,1,fine\n", "reason 'fine'"),
    ],
)
def test_what_is_wrong_is_named(name: str, text: str | None, message: str) -> None:
    files = record().to_files()
    if text is None:
        del files[name]
    else:
        files[name] = text
    with pytest.raises(CalibrationError, match=message):
        CalibrationRecord.from_files(files)


def test_toml_takes_plain_values_only() -> None:
    assert to_toml({"a": 1, "t": {"x y": [1.5, "q"]}}) == 'a = 1\n\n[t]\n"x y" = [1.5, "q"]\n'
    nested = {"t": {"deep": {"x.y": {"b": True}}, "a": 2}, "z": "last"}
    assert tomllib.loads(to_toml(nested)) == nested
    with pytest.raises(DesignError, match="no place in a TOML file"):
        to_toml({"a": object()})
