"""The templates for third parties: whole in one file, found through an entry point, held against their suite."""

import runpy
import sys
from pathlib import Path

import pytest

from jackfield.bench import AbstractVoltmeter, drivers_for, instrument_driver
from jackfield.errors import DesignError

TEMPLATES = Path(__file__).parents[2] / "hil_scripts" / "templates"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The instrument's file as an installed package would bring it, with the entry point of its own first comment."""
    source = (TEMPLATES / "acme_meter.py").read_text()
    (tmp_path / "acme_meter.py").write_text(source)
    lines = [line.strip() for line in source.splitlines()]
    at = lines.index('[project.entry-points."jackfield.instrument"]')
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[jackfield.instrument]\n{lines[at + 1].replace(chr(34), '')}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_meter", raising=False)
    return tmp_path


def test_the_instrument_is_found_by_name_and_by_identity(installed: Path) -> None:
    driver = instrument_driver("acme-4000")
    assert issubclass(driver, AbstractVoltmeter)
    assert list(drivers_for("ACME,4000,SN1,1.0")) == ["acme-4000"]
    assert list(drivers_for("ACME,5000,SN1,1.0")) == []


def test_a_broken_package_is_named_and_harms_no_other(installed: Path) -> None:
    (installed / "acme_meter.py").write_text("import nothing_like_it\n")
    with pytest.raises(DesignError, match=r"'acme-4000' does not load: .*nothing_like_it"):
        instrument_driver("acme-4000")
    assert list(drivers_for("KEYSIGHT TECHNOLOGIES,DSOX3034T,1,1")) == ["keysight-infiniivision"]


def test_an_unknown_driver_lists_those_there_are() -> None:
    with pytest.raises(DesignError, match=r"no instrument driver 'acme-4000' is installed; there are .*rigol-ds1000z"):
        instrument_driver("acme-4000")


def test_the_instrument_passes_its_suite(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(TEMPLATES / "acme_meter.py"), run_name="__main__")
    assert (end.value.code, capsys.readouterr().out) == (0, "the driver passes the suite\n")


def test_one_that_breaks_a_rule_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = (TEMPLATES / "acme_meter.py").read_text().replace("if not abs(volts) < OVERLOAD_V:", "if False:")
    (tmp_path / "spoilt.py").write_text(spoilt)
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(tmp_path / "spoilt.py"), run_name="__main__")
    assert end.value.code == 1
    assert "overload: " in capsys.readouterr().out
