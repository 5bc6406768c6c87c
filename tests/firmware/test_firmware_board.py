"""What reaches the hardware: settings, safe state, watchdog, steps, line rate; seen in the library's model."""

import zlib
from collections.abc import Iterator

import numpy as np
import pytest

from jackfield.board import BoardSpec, ConfigImage, RunProgram
from jackfield.device import Jackfield1Board
from jackfield.errors import BoardError
from jackfield.link import encode_request, pack
from jackfield.link import messages as m
from jackfield.testing import LoopbackTransport
from jackfield.testing.firmware import FirmwareLibrary

HOLD = RunProgram((), ((1,), (2,)), mode="hold_preset")


@pytest.fixture
def library(library16: FirmwareLibrary) -> Iterator[FirmwareLibrary]:
    library16.flash = b"\xff" * len(library16.flash)
    library16.clock(0)
    library16.power_on()
    yield library16
    library16.endless(False)


@pytest.fixture
def board(library: FirmwareLibrary, jf16: BoardSpec) -> Jackfield1Board:
    return Jackfield1Board(LoopbackTransport(library), jf16)


def _random(spec: BoardSpec, seed: int) -> ConfigImage:
    rng = np.random.default_rng(seed)
    image = ConfigImage.safe(spec).copy()
    for bank in range(spec.run.banks):
        image.enable[bank] = rng.integers(0, 2, spec.cell_count) == 1
        for group in spec.groups:
            for ends, nodes in (("source", image.source), ("destination", image.destination)):
                nodes[bank, group.members] = group.reach.decode(ends, rng.integers(0, 4, group.count))
            for name, scale in group.parameters.items():
                image.codes[name][bank, group.members] = rng.integers(
                    *scale.code_range, endpoint=True, size=group.count
                )
        image.trim[bank] = rng.integers(*spec.nodes.trim.code_range, endpoint=True, size=spec.nodes.count)
    return image


def _holds(library: FirmwareLibrary, image: ConfigImage) -> bool:
    banks, cells = image.enable.shape
    names = list(image.codes)
    got = [[library.cell(bank, cell, len(names)) for cell in range(cells)] for bank in range(banks)]
    fields = [image.enable, image.source, image.destination, *(image.codes[name] for name in names)]
    trims = [[library.trim(bank, node + 1) for node in range(image.trim.shape[1])] for bank in range(banks)]
    return bool(np.array_equal(got, np.stack(fields, axis=-1)) and np.array_equal(trims, image.trim))


def test_settings_reach_the_cells_and_come_back_after_power_loss(
    library: FirmwareLibrary, board: Jackfield1Board, jf16: BoardSpec
) -> None:
    first, second = _random(jf16, 1), _random(jf16, 2)
    board.apply(first)
    assert _holds(library, first)
    changed = first.copy()
    changed.trim[1, 15] = 200
    changed.enable[0, 7] ^= True
    assert board.apply(changed).kind == "delta"
    assert _holds(library, changed)
    board.apply(second)
    board.rollback()
    assert _holds(library, changed)
    board.commit()
    library.power_on()
    assert not library.live
    assert _holds(library, changed)
    assert Jackfield1Board(LoopbackTransport(library), jf16).hello.image_crc == zlib.crc32(changed.payload(jf16))


@pytest.mark.parametrize("place", [0, 5, 20, 48, 128, 300, 507])
def test_a_slot_that_lost_a_bit_does_not_count(
    library: FirmwareLibrary, board: Jackfield1Board, jf16: BoardSpec, place: int
) -> None:
    """Header (0..51) or payload (128..507) of the newest slot, B: the board starts from A."""
    for seed in (1, 2):
        board.apply(_random(jf16, seed))
        board.commit()
    slot = len(library.flash) // 2
    rotten = bytearray(library.flash)
    rotten[slot + place] ^= 0x10
    library.flash = bytes(rotten)
    library.power_on()
    assert _holds(library, _random(jf16, 1))
    again = Jackfield1Board(LoopbackTransport(library), jf16)
    assert again.status().slot == "A"
    assert again.apply(_random(jf16, 3)).verified
    assert (again.commit().slot, again.commit().erases) == ("B", 3)


def test_steps_reach_the_cells_during_a_run(library: FirmwareLibrary, board: Jackfield1Board, jf16: BoardSpec) -> None:
    base = _random(jf16, 1)
    board.apply(base)
    steps = [base.copy() for _ in range(3)]
    for number, step in enumerate(steps):
        step.codes["gain"][:, number * 3 : number * 3 + 4] = 100 + number
    board.hold_steps(steps)
    assert _holds(library, base)
    board.select_step(2)
    assert _holds(library, steps[2])
    board.select_step(0)
    assert _holds(library, steps[0])
    board.rollback()
    assert _holds(library, base)


def test_outputs_are_live_while_holding_until_the_watchdog_bites(
    library: FirmwareLibrary, board: Jackfield1Board, jf16: BoardSpec
) -> None:
    board.apply(_random(jf16, 1))
    board.start(HOLD)
    assert library.live
    library.clock(1.9)
    assert board.status().state == "holding"
    library.clock(3.8)
    library.tick()
    assert library.live
    library.clock(4.0)
    library.tick()
    assert not library.live
    assert board.status().safe_reason == "watchdog"


def test_a_run_that_is_stopped_says_so(library: FirmwareLibrary, board: Jackfield1Board, jf16: BoardSpec) -> None:
    board.apply(_random(jf16, 1))
    library.endless(True)
    board.start(RunProgram(((0, 100),), ((1,), (2,))))
    assert library.live
    assert board.status().state == "running"
    board.stop()
    assert not library.live
    assert board.status().outcome == "stopped"


def test_a_failed_self_test_keeps_the_board_safe(library: FirmwareLibrary, jf16: BoardSpec) -> None:
    library.power_on(reason=6, failed_test=3)
    board = Jackfield1Board(LoopbackTransport(library), jf16)
    assert board.status().safe_reason == "self_test"
    board.apply(_random(jf16, 1))
    with pytest.raises(BoardError, match="self-test 3 failed"):
        board.start(HOLD)


def test_a_rate_without_a_valid_frame_is_given_up(library: FirmwareLibrary) -> None:
    requests = (m.Hello(1, 5), m.SetBaud(921600))
    for sequence, request in enumerate(requests):
        library.receive(encode_request(m.LAYOUTS[type(request)].number, sequence, pack(request)))
    assert library.baud == 921600
    library.clock(0.4)
    library.tick()
    assert library.baud == 921600
    library.clock(0.6)
    library.tick()
    assert library.baud == 115200
