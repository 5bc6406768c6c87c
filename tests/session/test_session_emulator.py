"""Emulators as child processes, here a stand-in for the module that is started."""

import os
import sys
from pathlib import Path

import psutil
import pytest

from jackfield.errors import BoardError, DesignError
from jackfield.session import EmulatorUrl, running_emulator, spec_file


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Make `python -m jackfield.emulator` run `program`."""
    launcher = tmp_path / "python"
    script = tmp_path / "program.py"
    script.write_text(program)
    launcher.write_text(f'#!/bin/sh\nshift 2\nexec "{sys.executable}" "{script}" "$@"\n')
    launcher.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(launcher))


def test_the_url_becomes_a_command_line() -> None:
    url = EmulatorUrl.parse("emulator://jf96?profile=cmos&seed=7")
    assert url.spec == "jf96"
    assert url.arguments == (str(spec_file("jf96")), "--profile", "cmos", "--seed", "7", "--until-eof")
    assert EmulatorUrl.parse("emulator:///boards/mine.toml").spec == "/boards/mine.toml"


@pytest.mark.parametrize("url", ["emulator://", "emulator://jf96?sed=7", "socket://jf96"])
def test_malformed_urls_show_a_valid_one(url: str) -> None:
    with pytest.raises(DesignError, match=r"write emulator://jf96\?profile=cmos&seed=7"):
        EmulatorUrl.parse(url)


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
def test_it_is_told_to_end_and_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import json, os, sys\n"
        "said = {'board': {'url': 'u', 'id': 'i'}, 'bench_toml': 't', 'scope': {}, 'dmm': {}, 'pid': os.getpid()}\n"
        "print(json.dumps(said), flush=True)\nsys.stdin.read()\n"
    )
    stand_in(tmp_path, monkeypatch, program)
    with running_emulator("emulator://jf16") as announced:
        pid = announced.pid
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
def test_one_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "raise SystemExit('profile cmoss is unknown')\n")
    with (
        pytest.raises(BoardError, match=r"ended with status 1: profile cmoss is unknown"),
        running_emulator("emulator://jf16"),
    ):
        pass
