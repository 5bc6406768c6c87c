import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
import pyvisa
from numpy.typing import NDArray
from pyvisa.resources import MessageBasedResource

import jackfield_boards
from jackfield.board import BoardSpec, ConfigImage, Trigger
from jackfield.emulator.loop import Loop
from jackfield.emulator.settings import Settings


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
    loop.close()
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


def rc_board() -> BoardSpec:
    """jf16 with 48 conductances behind a crossbar: its circuits are linear."""
    text = (jackfield_boards.spec_folder() / "jf16.toml").read_text()
    text = text.replace('law = "shifted_relu"', 'law = "conductance"')
    text = text.replace('{ kind = "listed", file = "jf16_reach.csv" }', '{ kind = "crossbar" }')
    lines = [line for line in text.splitlines() if not line.startswith("threshold =")]
    return BoardSpec.from_toml("\n".join(lines))


def random_settings(spec: BoardSpec, cells: int, gain_of_range: float, seed: int = 0) -> Settings:
    """Random cells on random routes in bank 0 and others in bank 1; trims at rest."""
    rng = np.random.default_rng(seed)
    image = ConfigImage.safe(spec)
    for bank in range(spec.run.banks):
        for index in rng.permutation(spec.cell_count)[:cells]:
            group = spec.group_of(int(index))
            image.enable[bank, index] = True
            image.source[bank, index] = rng.choice(group.reach.sources(int(index)))
            image.destination[bank, index] = rng.choice(group.reach.destinations(int(index)))
        for name, scale in spec.groups[0].parameters.items():
            spread = gain_of_range if name == "gain" else 0.1
            image.codes[name][bank] = scale.code(scale.clip(spread * scale.hi * rng.normal(size=spec.cell_count)))
    return Settings(image.enable, image.source, image.destination, image.codes, image.trim)
