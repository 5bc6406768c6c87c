"""Verbs that work on a bench: upload, run, evaluate, poke, safe, against one emulated board."""

import csv
import json
import tomllib
from pathlib import Path

import pytest

from .conftest import Jackfield


def test_upload_over_the_bench_and_over_the_port(jackfield: Jackfield, bench: Path, image: Path) -> None:
    port = tomllib.loads(bench.read_text())["board"]["url"]
    for words in (("--bench", bench), ("--port", port), ("--port", port.removeprefix("serial://"))):
        uploaded = jackfield("upload", image, *words, "--json").values
        assert uploaded["verified"]
        assert uploaded["bytes"] > 0
    assert "every code read back equal" in jackfield("upload", image, "--bench", bench).out


def test_run_writes_volts_with_units(
    jackfield: Jackfield, bench: Path, image: Path, sheet: Path, tmp_path: Path
) -> None:
    ran = jackfield("run", image, "--bench", bench, "--input", sheet, "--output", tmp_path / "y.csv", "--json")
    assert ran.values["inputs"] == 3
    rows = list(csv.DictReader((tmp_path / "y.csv").read_text().splitlines()))
    assert len(rows) == 3
    assert {"input", "n96 (V)", "n96 se (V)", "flag"} <= set(rows[0])
    assert all(row["flag"] == "ok" and 0 < float(row["n96 se (V)"]) < 0.01 for row in rows)


def test_an_ideal_board_does_what_the_twin_predicts(
    jackfield: Jackfield, bench: Path, model: Path, image: Path
) -> None:
    found = jackfield("evaluate", model, "--image", image, "--bench", bench, "--inputs", 64, "--json").values
    rungs = {rung["rung"]: rung for rung in found["ladder"]}
    assert list(rungs) == ["float", "quantised", "board_raw", "twin"]
    assert 0.6 < found["measured_minus_predicted_se"] < 1.1  # 0.80 for a normal distribution
    assert found["output_error_rms_V"] < 5e-3
    assert abs(rungs["board_raw"]["accuracy"] - rungs["quantised"]["accuracy"]) < 0.05
    assert rungs["board_raw"]["interval"][0] < rungs["board_raw"]["accuracy"] < rungs["board_raw"]["interval"][1]


def test_the_exchange_is_logged_where_asked(
    jackfield: Jackfield, bench: Path, image: Path, sheet: Path, tmp_path: Path
) -> None:
    words = ("--input", sheet, "--output", tmp_path / "y.csv", "--runs", tmp_path / "runs", "--log-exchange")
    assert jackfield("run", image, "--bench", bench, *words).status == 0
    (folder,) = (tmp_path / "runs").iterdir()
    for name in ("link.jsonl", "visa.jsonl"):
        lines = [json.loads(line) for line in (folder / name).read_text().splitlines()]
        assert len(lines) > 5
    assert any("*IDN?" in line for line in (folder / "visa.jsonl").read_text().splitlines())
    assert "-run-" in folder.name


def test_runs_folder_from_the_environment(
    jackfield: Jackfield, bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JACKFIELD_RUNS", str(tmp_path / "elsewhere"))
    assert jackfield("poke", "hello", "--bench", bench, "--log-exchange").status == 0
    assert len(list((tmp_path / "elsewhere").iterdir())) == 1


def test_poke_hello_and_reference(jackfield: Jackfield, bench: Path) -> None:
    about = jackfield("poke", "hello", "--bench", bench, "--json").values
    assert about["status"]["state"] == "safe"
    assert len(about["instruments"]) == 2
    seen = jackfield("poke", "reference", "--bench", bench, "--json").values
    assert seen["meter_V"] == pytest.approx(0.8, abs=1e-3)
    assert len(seen["ground_V"]) == len(seen["reference_V"]) == 2


def test_poke_preset_and_trim(jackfield: Jackfield, bench: Path) -> None:
    preset = jackfield("poke", "preset", 3, "--volts", "500 mV", "--bench", bench, "--json").values
    assert preset["measured_V"] == pytest.approx(preset["nominal_V"], abs=5 * preset["se_V"] + 1e-3)
    trim = jackfield("poke", "trim", 3, "--amps", "5 uA", "--bench", bench, "--json").values
    assert trim["measured_A"] == pytest.approx(trim["nominal_A"], rel=0.05)


def test_poke_cell_follows_its_law(jackfield: Jackfield, bench: Path) -> None:
    words = ("--set", "gain=50 uS", "--set", "threshold=0.1 V", "--from", 4, "--to", 9, "--from-volts", "0.6 V")
    cell = jackfield("poke", "cell", "A17", *words, "--bench", bench, "--json").values
    assert [end["node"] for end in cell["nodes"]] == [4, 9]
    for end in cell["nodes"]:
        assert end["measured_V"] == pytest.approx(end["nominal_V"], abs=5 * end["se_V"] + 1e-3)
        assert abs(end["measured_V"] - end["preset_V"]) > 0.05
    grounded = jackfield("poke", "cell", "A18", *words[:4], "--from", 4, "--to", 0, "--bench", bench, "--json").values
    assert len(grounded["nodes"]) == 1


def test_safe_by_bench_and_by_port(jackfield: Jackfield, bench: Path, image: Path) -> None:
    assert jackfield("safe", "--bench", bench, "--json").values["safe"]
    port = tomllib.loads(bench.read_text())["board"]["url"]
    assert "is safe" in jackfield("safe", "--port", port).out
    assert jackfield("poke", "hello", "--bench", bench, "--json").values["status"]["state"] == "safe"
