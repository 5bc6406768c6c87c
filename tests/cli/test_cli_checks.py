"""The doctor finds what is there and names the cure of what is not."""

from pathlib import Path

import pytest

from jackfield.cli import checks


def test_this_machine_is_healthy_where_it_matters(tmp_path: Path) -> None:
    findings = checks.all_checks(tmp_path)
    assert [finding for finding in findings if finding.needed and not finding.ok] == []
    assert len({finding.name for finding in findings}) == len(findings) == 10


def test_a_missing_package_comes_with_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checks.metadata, "requires", lambda name: ["numpy>=1.26", "absent-one>=2", "numpy>=999"])
    finding = next(finding for finding in checks.all_checks(tmp_path) if finding.name == "packages")
    assert not finding.ok
    assert finding.cure == "pip install 'absent-one>=2' 'numpy>=999'"


def test_a_check_that_dies_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(path: str) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr(checks.shutil, "disk_usage", broken)
    assert any("RuntimeError: no disk" in finding.found for finding in checks.all_checks(tmp_path))


def test_no_ngspice_is_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checks.shutil, "which", lambda name: None)
    finding = next(finding for finding in checks.all_checks(tmp_path) if finding.name == "ngspice")
    assert (finding.ok, finding.needed, finding.mark) == (False, False, "absent")
