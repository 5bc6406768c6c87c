"""What people get wrong: a clear message with a way out, the right exit status, nothing half-written, board safe."""

import csv
import os
import socket
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from jackfield.bench import VisaSession
from jackfield.board import BoardSpec
from jackfield.compile import CompiledCircuit
from jackfield.model.recipe import packaged_text
from jackfield.session import open_board
from jackfield_boards import spec_folder

from .conftest import Jackfield, Ran


def _failed(ran: Ran, *parts: str) -> None:
    assert ran.status == 1
    assert ran.err.startswith("error: ")
    assert "Traceback" not in ran.err
    for part in parts:
        assert part in ran.err


def _edited(bench: Path, folder: Path, old: str, new: str) -> Path:
    text = bench.read_text()
    assert old in text
    edited = folder / "edited.toml"
    edited.write_text(text.replace(old, new))
    return edited


def _is_safe(jackfield: Jackfield, bench: Path) -> bool:
    return bool(jackfield("poke", "hello", "--bench", bench, "--json").values["status"]["state"] == "safe")


@pytest.mark.parametrize(
    "words",
    [
        "boards show nowhere.toml",
        "emulate nowhere.toml",
        "train digits --board jf96 --recipe nowhere.toml -o m.model",
        "compile nowhere.model --board jf96 -o d.jfi",
        "upload nowhere.jfi --bench {bench}",
        "upload nowhere.jfi --bench nowhere.toml",
        "run nowhere.jfi --input x.csv --output y.csv --bench {bench}",
        "run {image} --input nowhere.csv --output y.csv --bench {bench}",
        "record show nowhere.record",
        "evaluate nowhere.model --bench {bench}",
        "evaluate {model} --record nowhere.record --bench {bench}",
        "spice nowhere.jfi -o d.cir",
        "poke hello --bench nowhere.toml",
        "safe --bench nowhere.toml",
    ],
)
def test_a_missing_file_is_named(
    jackfield: Jackfield,
    bench: Path,
    image: Path,
    model: Path,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    _failed(jackfield(*words.format(bench=bench, image=image, model=model).split()), "nowhere")
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_kind_is_named(jackfield: Jackfield, bench: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jfi").write_text("hello")
    _failed(jackfield("upload", tmp_path / "text.jfi", "--bench", bench), "text.jfi", "jackfield compile")
    _failed(jackfield("compile", tmp_path, "--board", "jf96", "-o", tmp_path / "d.jfi"), "is not a model")
    _failed(jackfield("record", "show", model), "is not a record")


def test_an_unknown_key_is_named(jackfield: Jackfield, bench: Path, tmp_path: Path) -> None:
    edited = _edited(bench, tmp_path, "nplc = 10", "nplcs = 10")
    _failed(jackfield("poke", "hello", "--bench", edited), "nplcs")
    (tmp_path / "jf96.toml").write_text((spec_folder() / "jf96.toml").read_text().replace("[run]", "[run]\nbnaks = 2"))
    _failed(jackfield("boards", "check", tmp_path / "jf96.toml"), "bnaks")
    (tmp_path / "r.toml").write_text(packaged_text("digits").replace("epochs", "epoch"))
    _failed(
        jackfield("train", "digits", "--board", "jf96", "--recipe", tmp_path / "r.toml", "-o", tmp_path / "m"), "epoch"
    )
    _failed(jackfield("emulate", "jf96", "--fault", "flap=1"), "flap", "flip")
    _failed(jackfield("poke", "hello", "--bench", "emulator://jf96?profil=cmos"), "profil", "options are")


def test_a_wrong_unit_is_named(jackfield: Jackfield, bench: Path, image: Path, sheet: Path, tmp_path: Path) -> None:
    _failed(jackfield("poke", "preset", 3, "--volts", "0.5 A", "--bench", bench), "'0.5 A'", "not a quantity in V")
    words = ("--set", "gain=50 uV", "--set", "threshold=0 V")
    _failed(jackfield("poke", "cell", "A1", *words, "--bench", bench), "'50 uV'", "not a quantity in S")
    sheet.write_text(sheet.read_text().replace("n1,", "n1 (A),", 1))
    words = ("--input", sheet, "--output", tmp_path / "y.csv", "--bench", bench)
    _failed(jackfield("run", image, *words), "not a quantity in V")
    assert not (tmp_path / "y.csv").exists()


def test_a_checkpoint_or_image_for_another_board(
    jackfield: Jackfield, bench: Path, model: Path, image: Path, tmp_path: Path
) -> None:
    _failed(jackfield("compile", model, "--board", "jf16", "-o", tmp_path / "d.jfi"), "jf96", "jf16", "train it again")
    _failed(jackfield("upload", image, "--emulator", "emulator://jf16?profile=ideal"), "jf96", "jf16", "compile")
    assert not list(tmp_path.iterdir())


def test_a_board_of_another_kind_or_id(jackfield: Jackfield, bench: Path, tmp_path: Path) -> None:
    spec = tomllib.loads(bench.read_text())["board"]["spec"]
    _failed(jackfield("poke", "hello", "--bench", _edited(bench, tmp_path, f'"{spec}"', '"jf16"')), "jf96", "jf16")
    about = tomllib.loads(bench.read_text())["board"]["id"]
    _failed(jackfield("poke", "hello", "--bench", _edited(bench, tmp_path, about, "0000-0000")), "0000-0000", about)


def test_an_image_corrected_for_another_board(
    jackfield: Jackfield, bench: Path, image: Path, sheet: Path, jf96: BoardSpec, tmp_path: Path
) -> None:
    made = {"board_id": "0000-0000", "spec_digest": jf96.digest}
    corrected = replace(CompiledCircuit.load(image, jf96), record_id="0000-0000:abc", record=made)
    other = corrected.save(tmp_path / "other.jfi")
    about = tomllib.loads(bench.read_text())["board"]["id"]
    _failed(jackfield("upload", other, "--bench", bench), "board 0000-0000", about, "calibrate")
    words = ("--input", sheet, "--output", tmp_path / "y.csv", "--bench", bench)
    _failed(jackfield("run", other, *words), "board 0000-0000")
    assert not (tmp_path / "y.csv").exists()


def test_a_model_too_large(jackfield: Jackfield, jf16: BoardSpec, tmp_path: Path) -> None:
    from jackfield.model import (
        DIGITS_RECIPE,
        Architecture,
        Bounds,
        Checkpoint,
        FullyConnected,
        KirchhoffNet,
        TrainingFacts,
        save_checkpoint,
    )

    for nodes, complaint in ((12, "48"), (20, "16")):
        network = KirchhoffNet(
            Architecture(FullyConnected(nodes, (1, 1)), inputs=2, outputs=2), bounds=Bounds.from_spec(jf16, 0.5, 1e-4)
        )
        facts = TrainingFacts("points", 0, 1.0, 0, 1, 0, 0, 1)
        path = save_checkpoint(Checkpoint(network, DIGITS_RECIPE, facts), tmp_path / f"{nodes}.model")
        _failed(jackfield("compile", path, "--board", "jf16", "-o", tmp_path / "d.jfi"), "jf16", complaint)
    assert not (tmp_path / "d.jfi").exists()


def test_a_parameter_out_of_range(
    jackfield: Jackfield, bench: Path, model: Path, image: Path, sheet: Path, tmp_path: Path
) -> None:
    words = ("--board", "jf96", "--seconds-per-unit", 20e-6, "-o", tmp_path / "d.jfi")
    _failed(jackfield("compile", model, *words), "gain", "uS", "A")
    assert jackfield("compile", model, *words, "--allow-clipped", 100000).status == 0
    _failed(jackfield("poke", "preset", 3, "--volts", "5 V", "--bench", bench), "5 V", "range")
    _failed(jackfield("poke", "preset", 97, "--volts", "0 V", "--bench", bench), "97", "1..96")
    _failed(jackfield("poke", "cell", "A9999", "--set", "gain=0 S", "--bench", bench), "A9999", "8192")
    _failed(jackfield("poke", "cell", "A1", "--set", "gain=0 S", "--bench", bench), "gain, threshold")
    _failed(jackfield("poke", "trim", 3, "--amps", "1 mA", "--bench", bench), "1 mA", "range")
    sheet.write_text(sheet.read_text().replace("0.5", "5"))
    words = ("--input", sheet, "--output", tmp_path / "y.csv", "--bench", bench)
    _failed(jackfield("run", image, *words), "preset reaches")
    assert _is_safe(jackfield, bench)


def test_a_board_that_is_not_there(jackfield: Jackfield, bench: Path, image: Path, tmp_path: Path) -> None:
    url = tomllib.loads(bench.read_text())["board"]["url"]
    edited = _edited(bench, tmp_path, url, "serial:///dev/ttyNowhere")
    for words in (("poke", "hello"), ("safe",)):
        _failed(jackfield(*words, "--bench", edited), "/dev/ttyNowhere", "check the cable")
    _failed(jackfield("upload", image, "--port", "/dev/ttyNowhere"), "/dev/ttyNowhere")
    _failed(jackfield("safe", "--port", "telnet://x"), "serial:///dev/ttyUSB0")
    _failed(jackfield("safe", "--port", "emulator://jf96"), "name the port of a running one")


def test_a_busy_port_names_its_holder(jackfield: Jackfield, bench: Path, image: Path) -> None:
    url = tomllib.loads(bench.read_text())["board"]["url"]
    with open_board(url):
        for words in (("safe", "--port", url), ("upload", image, "--port", url), ("poke", "hello", "--bench", bench)):
            _failed(jackfield(*words), "in use", f"process {os.getpid()} (")
    assert _is_safe(jackfield, bench)


def test_a_silent_instrument(jackfield: Jackfield, bench: Path, tmp_path: Path) -> None:
    scope = tomllib.loads(bench.read_text())["instruments"]["scope"]["resource"]
    with socket.create_server(("127.0.0.1", 0)) as mute:
        silent = f"TCPIP::127.0.0.1::{mute.getsockname()[1]}::SOCKET"
        edited = _edited(bench, tmp_path, scope, silent)
        edited.write_text(edited.read_text().replace("timeout_s = 5", "timeout_s = 0.2"))
        _failed(jackfield("poke", "reference", "--bench", edited), silent, "did not answer", "0.2 s")
    assert _is_safe(jackfield, bench)


def test_a_scope_that_is_not_there(jackfield: Jackfield, bench: Path, tmp_path: Path) -> None:
    scope = tomllib.loads(bench.read_text())["instruments"]["scope"]["resource"]
    with socket.create_server(("127.0.0.1", 0)) as gone:
        nobody = f"TCPIP::127.0.0.1::{gone.getsockname()[1]}::SOCKET"
    _failed(jackfield("poke", "hello", "--bench", _edited(bench, tmp_path, scope, nobody)), nobody, "check power")


def test_a_scope_that_is_not_armed(
    jackfield: Jackfield, bench: Path, image: Path, sheet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited = _edited(bench, tmp_path, "timeout_s = 5", "timeout_s = 0.3")
    write = VisaSession.write
    monkeypatch.setattr(VisaSession, "write", lambda self, line: None if line == ":SINGle" else write(self, line))
    words = ("--input", sheet, "--output", tmp_path / "y.csv", "--bench", edited)
    _failed(jackfield("run", image, *words), "not armed", "single acquisition")
    assert not (tmp_path / "y.csv").exists()
    monkeypatch.undo()
    assert _is_safe(jackfield, bench)


def test_a_trigger_that_never_comes(
    jackfield: Jackfield, bench: Path, image: Path, sheet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jackfield.bench.bench.TRIGGER_PATIENCE_S", 0.3)
    edited = _edited(bench, tmp_path, "level_V = 1.5", "level_V = 4.5")
    words = ("--input", sheet, "--output", tmp_path / "y.csv", "--bench", edited)
    _failed(jackfield("run", image, *words), "no trigger", "EXT")
    assert _is_safe(jackfield, bench)


def test_a_clipped_channel_is_flagged(
    jackfield: Jackfield, bench: Path, image: Path, sheet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jackfield.bench.bench.SCREEN_MARGIN", 0.1)
    monkeypatch.setattr("jackfield.bench.bench.CLIP_REPEATS", 0)
    words = ("--input", sheet, "--output", tmp_path / "y.csv", "--bench", bench)
    ran = jackfield("run", image, *words)
    assert ran.status == 0
    assert "clipped or railed" in ran.err
    flags = [row["flag"] for row in csv.DictReader((tmp_path / "y.csv").read_text().splitlines())]
    assert "clipped" in flags


def test_an_error_is_one_json_object_too(jackfield: Jackfield) -> None:
    ran = jackfield("boards", "show", "nowhere.toml", "--json")
    assert ran.values["error"]["kind"] == "DesignError"
    assert ran.status == 1


def test_a_folder_that_does_not_exist_is_told_before_the_board_runs(
    jackfield: Jackfield, bench: Path, image: Path, sheet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jackfield.cli.benches.opened_bench", None)  # would fail if it were reached
    ran = jackfield("run", image, "--input", sheet, "--output", tmp_path / "no" / "y.csv", "--bench", bench)
    _failed(ran, "y.csv cannot be written", "name another place")


@pytest.mark.parametrize(
    "words",
    [
        "demo --runs {closed}/runs",
        "compile {model} --board jf96 -o {closed}/d.jfi",
        "train digits --board jf96 -o {closed}/m.model",
    ],
)
def test_a_closed_place_is_told_before_the_work(
    jackfield: Jackfield, model: Path, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jackfield.session.load_spec", None)  # would fail if it were reached
    (tmp_path / "closed").write_text("a file is no folder")
    ran = jackfield(*words.format(closed=tmp_path / "closed", model=model).split())
    _failed(ran, "cannot be written", "name another place")


def test_without_a_meter_no_reading_is_shown(jackfield: Jackfield, bench: Path, tmp_path: Path) -> None:
    text = bench.read_text()
    (tmp_path / "no_meter.toml").write_text(text[: text.index("[instruments.dmm]")])
    words = ("poke", "reference", "--bench", tmp_path / "no_meter.toml")
    assert "no meter on the bench" in jackfield(*words).out
    assert jackfield(*words, "--json").values["meter_V"] is None
