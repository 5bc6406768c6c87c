"""The firmware, built once a session; what needs a tool that is not there is skipped with the reason."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from jackfield.board import BoardSpec
from jackfield.link import AbstractTransport, open_transport
from jackfield.testing import LoopbackTransport
from jackfield.testing.firmware import (
    ARM_GCC,
    QEMU,
    FirmwareLibrary,
    build_library,
    build_process,
    build_thumb,
    firmware_in_qemu,
    firmware_process,
    missing_tools,
)

Way = Callable[[], AbstractContextManager[AbstractTransport]]
Served = Callable[[], AbstractContextManager[str]]


def needs(*programs: str) -> None:
    """Skip where a program is missing."""
    if missing := missing_tools(*programs):
        pytest.skip(missing)


@pytest.fixture(scope="session")
def library16(jf16: BoardSpec, tmp_path_factory: pytest.TempPathFactory) -> FirmwareLibrary:
    """jf16's firmware as a shared library."""
    needs("gcc")
    return FirmwareLibrary(build_library(jf16, tmp_path_factory.mktemp("library")))


@pytest.fixture(scope="session")
def process16(jf16: BoardSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """jf16's firmware as a program with sanitizers."""
    needs("gcc")
    return build_process(jf16, tmp_path_factory.mktemp("process"))


@pytest.fixture(scope="session")
def thumb16(jf16: BoardSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """jf16's firmware for QEMU's Cortex-M3."""
    needs(ARM_GCC, QEMU)
    return build_thumb(jf16, tmp_path_factory.mktemp("thumb"))


@pytest.fixture(params=["library", "process", "qemu"])
def way(request: pytest.FixtureRequest) -> Way:
    """A line to a board that has just got power: in this process, on a pty, in QEMU behind the bridge."""
    made: Way = {"library": _library, "process": _process, "qemu": _qemu}[request.param](request)
    return made


def _library(request: pytest.FixtureRequest) -> Way:
    library: FirmwareLibrary = request.getfixturevalue("library16")

    @contextmanager
    def line() -> Iterator[AbstractTransport]:
        library.flash = b"\xff" * len(library.flash)
        library.power_on()
        yield LoopbackTransport(library)

    return line


def _process(request: pytest.FixtureRequest) -> Way:
    return _opened(_process_port(request))


def _qemu(request: pytest.FixtureRequest) -> Way:
    return _opened(_qemu_port(request))


def _opened(served: Served) -> Way:
    @contextmanager
    def line() -> Iterator[AbstractTransport]:
        with served() as url, open_transport(f"{url}?baud=115200") as transport:
            yield transport

    return line


@pytest.fixture(params=["process", "qemu"])
def served(request: pytest.FixtureRequest) -> Served:
    """The URL of a board that has just got power, for another program to open."""
    made: Served = {"process": _process_port, "qemu": _qemu_port}[request.param](request)
    return made


def _process_port(request: pytest.FixtureRequest) -> Served:
    program: Path = request.getfixturevalue("process16")

    @contextmanager
    def url() -> Iterator[str]:
        with firmware_process(program) as port:
            yield f"serial://{port}"

    return url


def _qemu_port(request: pytest.FixtureRequest) -> Served:
    program: Path = request.getfixturevalue("thumb16")

    @contextmanager
    def url() -> Iterator[str]:
        with firmware_in_qemu(program) as board, _bridge(board) as bridged:
            yield bridged

    return url


@contextmanager
def _bridge(board: str) -> Iterator[str]:
    """A pseudo-terminal in front of QEMU's socket: its own drops what is written before somebody opens it."""
    words = [sys.executable, "-m", "jackfield.link.bridge", "--board", board]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()
            process.wait(10)
