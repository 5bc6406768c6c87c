import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pyvisa
from numpy.typing import NDArray
from pyvisa.resources import MessageBasedResource

import jackfield_boards
from jackfield.board import BoardSpec, Trigger
from jackfield.emulator.loop import Loop


@dataclass(frozen=True)
class Ramp:
    """A shot for instruments alone: jack n shows n times `slope_V_per_s` t from the trigger on."""

    slope_V_per_s: float = 100.0
    level_V: float = 0.0
    key: str = "ramp 1"
    trigger: Trigger = Trigger(10e-6, 1.5, "rising")  # noqa: RUF009
    duration_s: float = 1e-2
    output_ohm: float = 50.0

    def volts(self, jack: int, start_s: float, step_s: float, count: int, window_s: float) -> NDArray[np.float64]:
        t = start_s + step_s * np.arange(count)
        return jack * (self.level_V + self.slope_V_per_s * np.maximum(t, 0.0))


@pytest.fixture
def ramp() -> Ramp:
    return Ramp()


def load(name: str) -> BoardSpec:
    folder: Path = jackfield_boards.spec_folder()
    return BoardSpec.from_toml(
        (folder / f"{name}.toml").read_text(), {f.name: f.read_text() for f in folder.glob("*.csv")}
    )


@pytest.fixture(scope="session")
def jf16() -> BoardSpec:
    return load("jf16")


@pytest.fixture(scope="session")
def jf96() -> BoardSpec:
    return load("jf96")


@pytest.fixture
def loop() -> Iterator[Loop]:
    """A loop whose `run` goes in a thread from `start`; stopped through a socket at the end."""
    ours, theirs = socket.socketpair()
    loop = Loop()
    loop.watch(theirs, loop.stop)
    thread = threading.Thread(target=loop.run)
    loop.start = thread.start  # type: ignore[attr-defined]
    yield loop
    if thread.ident is None:
        thread.start()
    ours.send(b"x")
    thread.join(timeout=10)
    assert not thread.is_alive()
    ours.close()
    theirs.close()


@pytest.fixture
def visa() -> Iterator[pyvisa.ResourceManager]:
    manager = pyvisa.ResourceManager("@py")
    yield manager
    manager.close()


def open_visa(manager: pyvisa.ResourceManager, resource: str) -> MessageBasedResource:
    opened = manager.open_resource(resource, read_termination="\n", write_termination="\n", timeout=5000)
    assert isinstance(opened, MessageBasedResource)
    return opened
