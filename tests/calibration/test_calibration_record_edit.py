"""Records beside each other: what is compared, what a part of one becomes in the other."""

from typing import Any

import numpy as np
import pytest

from jackfield.board import CalibrationRecord, Table
from jackfield.errors import CalibrationError
from jackfield_calibration import compare, merged


def table(values: dict[str, float], se: float = 0.1, reason: str = "ok") -> Table:
    count = len(values)
    good = np.full(count, reason == "ok")
    reads = np.full(count, 3, dtype=np.int64)
    column = np.array(list(values.values()), dtype=float)
    return Table(tuple(values), column, np.zeros(count), np.full(count, se), reads, good, (reason,) * count)


def record(shift: float = 0.0, **more: Any) -> CalibrationRecord:
    cells = {name: i + shift for i, name in enumerate(("A1", "A2", "A10"))}
    names = ("gain_scale", "gain_zero_S", "threshold_offset_V", "current_offset_A", "sentinel_V")
    tables = dict.fromkeys(names, table(cells))
    tables["leak_S"] = table({"1": 0.5 + shift, "2": 0.7 + shift})
    return CalibrationRecord(
        {"board_id": "b1", "spec_digest": "d1", "started_utc": f"2026-01-0{1 + int(shift)}"} | more, tables
    )


def test_shifts_are_counted_in_joint_standard_errors() -> None:
    found = {difference.name: difference for difference in compare(record(), record(shift=1.0))}
    np.testing.assert_allclose(found["gain_scale"].shift, 1.0)
    np.testing.assert_allclose(found["gain_scale"].z, 1.0 / np.hypot(0.1, 0.1))
    assert found["gain_scale"].turned == {}


def test_rows_of_one_record_alone_and_other_verdicts_are_named() -> None:
    other = record()
    other.tables["gain_scale"] = table({"A2": 1.0, "A11": 0.0}, reason="dead")  # type: ignore[index]
    found = compare(record(), other)[0]
    assert (found.index, found.only_first, found.only_second) == (("A2",), ("A1", "A10"), ("A11",))
    assert found.turned == {"A2": ("ok", "dead")}


def test_a_whole_record_takes_the_others_place() -> None:
    base, new = record(), record(shift=1.0)
    result = merged(base, new)
    assert result.provenance == new.provenance | {"parent": base.digest}
    assert result.tables["leak_S"].to_csv() == new.tables["leak_S"].to_csv()


def test_rows_that_the_new_record_lacks_stay() -> None:
    new = record(shift=1.0)
    new.tables["gain_scale"] = table({"A11": 5.0, "A2": 7.0})  # type: ignore[index]
    found = merged(record(), new).tables["gain_scale"]
    assert found.index == ("A1", "A2", "A10", "A11")
    np.testing.assert_array_equal(found.value, [0.0, 7.0, 2.0, 5.0])


def test_one_table_is_taken_and_nothing_else() -> None:
    base, new = record(), record(shift=1.0)
    result = merged(base, new, tables=["leak_S"])
    assert result.tables["leak_S"].to_csv() == new.tables["leak_S"].to_csv()
    for name in base.tables:
        if name != "leak_S":
            assert result.tables[name].to_csv() == base.tables[name].to_csv()
    assert result.provenance["started_utc"] == "2026-01-01"
    assert result.provenance["applied"]["record"] == new.digest


def test_some_cells_are_taken_in_all_their_tables() -> None:
    result = merged(record(), record(shift=1.0), rows=["A10"])
    for name in ("gain_scale", "sentinel_V"):
        np.testing.assert_array_equal(result.tables[name].value, [0.0, 1.0, 3.0])
    np.testing.assert_array_equal(result.tables["leak_S"].value, [0.5, 0.7])


def test_a_sentinel_goes_where_what_aims_it_is_mixed() -> None:
    result = merged(record(), record(shift=1.0), tables=["gain_scale"], rows=["A10"])
    assert result.tables["sentinel_V"].index == ("A1", "A2")
    assert merged(record(), record(shift=1.0), tables=["gain_scale"]).tables["sentinel_V"].index == ()
    assert merged(record(), record(shift=1.0), tables=["leak_S"]).tables["sentinel_V"].index == ("A1", "A2", "A10")


def test_a_sentinel_goes_where_the_presets_that_aim_it_are_the_others() -> None:
    base, new = record(), record(shift=1.0)
    for each, offset in ((base, 0.0), (new, 1e-3)):
        each.tables["preset_offset_V"] = table({"1": offset, "2": offset})  # type: ignore[index]
    assert merged(base, new, rows=["A10"]).tables["sentinel_V"].index == ("A1", "A2")
    assert merged(base, new, tables=["preset_offset_V"]).tables["sentinel_V"].index == ()
    assert merged(base, new).tables["sentinel_V"].index == ("A1", "A2", "A10")


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(CalibrationError, match="one board"):
        merged(record(), record(board_id="b2"))
    with pytest.raises(CalibrationError, match="one board"):
        merged(record(), record(spec_digest="d2"))
    with pytest.raises(CalibrationError, match="no table droop_per_s"):
        merged(record(), record(), tables=["droop_per_s"])
    with pytest.raises(CalibrationError, match="no row 'A99'"):
        merged(record(), record(), rows=["A99"])
