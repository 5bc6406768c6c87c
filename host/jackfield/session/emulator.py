"""Emulated boards as child processes: `emulator://jf96?profile=cmos&seed=7`."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO
from urllib.parse import parse_qsl, urlsplit

from jackfield.errors import BoardError, DesignError
from jackfield.session.specs import spec_file

__all__ = ["EmulatorUrl", "RunningEmulator", "running_emulator"]

START_PATIENCE_S = 60.0  # importing torch on a busy machine
END_PATIENCE_S = 5.0
OPTIONS = ("profile", "seed", "baud", "clock", "temperature", "fault", "truth", "inl", "scope", "extra")


@dataclass(frozen=True)
class EmulatorUrl:
    """What `emulator://SPEC?profile=...&seed=...` asks for; SPEC is a name or a path to a .toml file."""

    spec: str
    options: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, url: str) -> "EmulatorUrl":
        """Raises DesignError where the URL is malformed or an option unknown."""
        parts = urlsplit(url)
        options = parse_qsl(parts.query, keep_blank_values=True)
        unknown = [name for name, _ in options if name not in OPTIONS]
        if parts.scheme != "emulator" or not parts.netloc + parts.path or unknown:
            raise DesignError(
                f"{url!r} is no emulator URL{f': option {unknown[0]!r} is unknown' if unknown else ''}; "
                f"write emulator://jf96?profile=cmos&seed=7; options are {', '.join(OPTIONS)}"
            )
        return cls(parts.netloc + parts.path, tuple(options))

    @property
    def arguments(self) -> tuple[str, ...]:
        """Command line of `python -m jackfield.emulator`."""
        options = [text for name, value in self.options for text in (f"--{name}", value)]
        return (str(spec_file(self.spec)), *options, "--until-eof")


@dataclass(frozen=True)
class RunningEmulator:
    """What an emulator says when it is ready: its board's URL and id, its bench.toml, its process.

    `doors` gives the VISA resources `hislip`, `vxi11` and `socket` of the instruments `scope`, `dmm`, `scanner`
    and `smu`, if it needs any.
    """

    board_url: str
    board_id: str
    bench_toml: str
    doors: Mapping[str, Mapping[str, str]]
    pid: int

    @classmethod
    def announced(cls, line: bytes) -> "RunningEmulator":
        """From the one line that it prints."""
        said = json.loads(line)
        doors = {name: said[name] for name in ("scope", "dmm", "scanner", "smu") if name in said}
        return cls(said["board"]["url"], said["board"]["id"], said["bench_toml"], doors, said["pid"])


@contextmanager
def running_emulator(url: str) -> Iterator[RunningEmulator]:
    """Start an emulator and yield what it is; it ends with the block, however that ends.

    It also ends when this process dies: its standard input closes. Ctrl-C does not reach it, so that the
    board can still be brought into its safe state. Raises BoardError where it does not start.
    """
    arguments = EmulatorUrl.parse(url).arguments
    with tempfile.TemporaryFile("w+b") as output, tempfile.TemporaryFile("w+b") as errors:
        process = _start(arguments, output, errors)
        try:
            yield _announced(process, url, output, errors)
        finally:
            _end(process)


def _start(arguments: Sequence[str], output: IO[bytes], errors: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "jackfield.emulator", *arguments],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=errors,
        start_new_session=os.name == "posix",
        creationflags=0 if os.name == "posix" else getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _announced(process: "subprocess.Popen[bytes]", url: str, output: IO[bytes], errors: IO[bytes]) -> RunningEmulator:
    deadline = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < deadline:
        output.seek(0)
        line, newline, _ = output.read().partition(b"\n")
        if newline:
            return RunningEmulator.announced(line)
        try:
            process.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
        errors.seek(0)
        said = errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise BoardError(f"the emulator for {url} ended with status {process.returncode}: {said or 'it said nothing'}")
    raise BoardError(f"the emulator for {url} is not ready after {START_PATIENCE_S:g} s; try again")


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    for harder in (process.terminate, process.kill, None):
        try:
            process.wait(timeout=END_PATIENCE_S)
            return
        except subprocess.TimeoutExpired:
            if harder is not None:
                harder()
