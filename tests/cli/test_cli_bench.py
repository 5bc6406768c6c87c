"""`jackfield bench init` and `bench check`, as their users meet them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jackfield.cli import main
from jackfield.session import RunningEmulator, running_emulator


@pytest.fixture(scope="module")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator("emulator://jf16?profile=ideal&seed=1&scope=siglent-sds") as running:
        yield running


def test_init_then_check_then_a_wrong_cable(
    emulator: RunningEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    port = emulator.board_url.removeprefix("serial://")
    words = ["bench", "init", "--port", port, "--resource", emulator.doors["scope"]["vxi11"]]
    assert main([*words, "--resource", emulator.doors["dmm"]["hislip"]]) == 0
    said = capsys.readouterr().out
    assert "assumed     the multimeter is on the board's reference jack" in said
    assert "now: jackfield bench check --bench bench.toml" in said
    assert main(words) == 1
    assert "bench.toml exists; give another name with -o, or --replace" in capsys.readouterr().err
    assert main(["bench", "check", "--bench", "bench.toml", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"]
    assert {"trigger", "probe 1", "probe 2 on its channel"} <= {finding["name"] for finding in told["findings"]}
    text = Path("bench.toml").read_text().replace("attenuation = 1\n", "attenuation = 10\n", 1)
    Path("wrong.toml").write_text(text)
    assert main(["bench", "check", "--bench", "wrong.toml"]) == 1
    assert "channel 1 has attenuation 1, the bench file says 10" in capsys.readouterr().out


def test_without_a_board_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "bench.toml"
    words = ["bench", "init", "-o", str(to), "--port", "socket://127.0.0.1:1"]
    assert main([*words, "--resource", "TCPIP::127.0.0.1::1::SOCKET"]) == 1
    captured = capsys.readouterr()
    assert "silent      socket://127.0.0.1:1" in captured.out
    assert "0 boards answer; plug one in" in captured.err
    assert not to.exists()


def test_a_missing_file_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "check", "--bench", "nothing.toml"]) == 1
    assert "nothing.toml" in capsys.readouterr().err
