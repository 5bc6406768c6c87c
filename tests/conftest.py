"""Specs that most rooms need."""

from pathlib import Path

import pytest

from jackfield.board import BoardSpec
from jackfield_boards import spec_folder


def read_spec(path: Path) -> BoardSpec:
    """The spec in `path`, with the files beside it."""
    return BoardSpec.from_toml(path.read_text(), {file.name: file.read_text() for file in path.parent.glob("*.csv")})


@pytest.fixture(scope="session")
def jf16() -> BoardSpec:
    """16 nodes, 48 cells with listed reach."""
    return read_spec(spec_folder() / "jf16.toml")


@pytest.fixture(scope="session")
def jf16s() -> BoardSpec:
    """16 nodes that settle: driven inputs, constant injection."""
    return read_spec(spec_folder() / "jf16s.toml")


@pytest.fixture(scope="session")
def jf16w() -> BoardSpec:
    """16 nodes with a waveform injected at each."""
    return read_spec(spec_folder() / "jf16w.toml")


@pytest.fixture(scope="session")
def jf96() -> BoardSpec:
    """96 nodes, 8,192 cells behind a crossbar."""
    return read_spec(spec_folder() / "jf96.toml")


@pytest.fixture(scope="session")
def jf1024() -> BoardSpec:
    """1,024 nodes, 262,144 cells behind a crossbar."""
    return read_spec(spec_folder() / "jf1024.toml")
