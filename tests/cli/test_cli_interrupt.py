"""Ctrl-C in each verb: exit status 130, nothing half-written, board safe."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from jackfield.cli.app import VERBS

from .conftest import COMMAND, Jackfield

# Where each verb is when Ctrl-C comes: in the midst of its work.
SPOTS = {
    "demo": ("jackfield.cli.demo_run.trained", "demo --quick --runs {runs}"),
    "boards": ("jackfield.session.load_spec", "boards list"),
    "emulate": ("jackfield.emulator.serve", "emulate jf96"),
    "train": ("jackfield.cli.models.train", "train digits --board jf96 -o {new}.model"),
    "compile": ("jackfield.compile.jfi.os.fsync", "compile {model} --board jf96 -o {new}.jfi"),
    "upload": ("jackfield.device.Jackfield1Board.apply", "upload {image} --bench {bench}"),
    "run": ("jackfield.bench.Bench.measure", "run {image} --input {sheet} --output {new}.csv --bench {bench}"),
    "measure": ("jackfield.bench.Bench.measure", "measure --plan {plan} --bench {bench} --runs {runs}"),
    "calibrate": (
        "jackfield.bench.Bench.measure",
        "calibrate --level nodes -o {new}.record --runs {runs} --bench {bench}",
    ),
    "record": ("jackfield.journal.load_record", "record show {new}.record"),
    "evaluate": ("jackfield.bench.Bench.measure", "evaluate {model} --image {image} --bench {bench}"),
    "tune": ("jackfield.bench.Bench.measure", "tune {model} -o {new}.jfi --bench {bench} --runs {runs}"),
    "spice": ("jackfield.cli.files.Path.replace", "spice {model} -o {new}.cir"),
    "poke": ("jackfield.bench.Bench.measure", "poke preset 3 --volts 0.5 --bench {bench}"),
    "bench": ("jackfield.session.discover", "bench init --port socket://127.0.0.1:9 -o {new}.toml"),
    "safe": ("jackfield.session.make_safe", "safe --bench {bench}"),
    "conformance": ("jackfield.device.conformance", "conformance --port emulator://jf16"),
    "patch": ("jackfield.cli.patch.read_patch", "patch turn {new}.toml --record {new}.record -o {new}"),
    "abk": ("jackfield.cli.abk._template", "abk {new}.toml --port {new}.port"),
    "doctor": ("jackfield.cli.checks._torch", "doctor"),
}


def _interrupted(*values: Any, **options: Any) -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize("verb", VERBS)
def test_ctrl_c(
    jackfield: Jackfield,
    verb: str,
    bench: Path,
    model: Path,
    image: Path,
    sheet: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spot, words = SPOTS[verb]
    before = set(tmp_path.iterdir())
    runs, plan = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("plan") / "plan.toml"
    plan.write_text('[read]\nquantities = ["node.1"]\n[[axes]]\nquantity = "node.1.preset"\nvalues = [0.1, 0.2]\n')
    line = words.format(bench=bench, model=model, image=image, sheet=sheet, new=tmp_path / "new", runs=runs, plan=plan)
    with monkeypatch.context() as patched:
        patched.setattr(spot, _interrupted)
        ran = jackfield(*line.split())
    assert ran.status == 130
    assert "interrupted" in ran.err
    assert "Traceback" not in ran.err
    assert set(tmp_path.iterdir()) == before
    if "{bench}" in words:
        assert jackfield("poke", "hello", "--bench", bench, "--json").values["status"]["state"] == "safe"


def _waits_for(process: "subprocess.Popen[str]", ready: Callable[[str], bool]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if ready(line):
            return
    pytest.fail("the verb ended before it was interrupted")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_real_signal_ends_a_training(tmp_path: Path) -> None:
    words = [*COMMAND, "train", "digits", "--board", "jf96", "--epochs", "500", "-o", str(tmp_path / "m.model")]
    with subprocess.Popen([*words, "--verbose"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        _waits_for(process, lambda line: line.startswith("epoch 1"))
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in complaint
    assert "Traceback" not in complaint
    assert [file.name for file in tmp_path.iterdir()] == ["m.model.unfinished"]  # which --resume goes on with


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_real_signal_ends_an_emulator(tmp_path: Path) -> None:
    words = [*COMMAND, "emulate", "jf16", "--profile", "ideal", "--bench", str(tmp_path / "bench.toml")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        _waits_for(process, lambda line: line.startswith("bench file"))
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in complaint


def test_ctrl_c_before_any_verb_runs(jackfield: Jackfield, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jackfield.cli.app.run", _interrupted)
    ran = jackfield("doctor")
    assert (ran.status, ran.err) == (130, "interrupted\n")
