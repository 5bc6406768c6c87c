"""The host's end against the board's end (written apart, in the emulator), over good and bad lines."""

from collections.abc import Callable

import pytest

from jackfield.emulator.digital_session import Session
from jackfield.emulator.refusal import Refusal
from jackfield.errors import LinkError
from jackfield.link import AbstractTransport, Exchange, RequestFrame, encode_reply, pack, unpack
from jackfield.link import messages as m
from jackfield.link.numbers import ErrorCode
from jackfield.testing import FaultyTransport, LoopbackTransport

ERROR = m.LAYOUTS[m.ErrorNotice].number
DONE = m.LAYOUTS[m.DoneNotice].number


class Recorder:
    """A board that keeps what it was told to do: stage_data by offset, other requests in order."""

    def __init__(self, window: int = 8) -> None:
        self.session = Session(1024, window, self.execute, lambda: None)
        self.did: list[tuple[int, bytes]] = []
        self.data: dict[int, bytes] = {}
        self.refuse = -1

    def execute(self, request: RequestFrame) -> bytes:
        if request.number == m.LAYOUTS[m.Hello].number:
            return request.payload[1:]
        if request.number == m.LAYOUTS[m.Safe].number:
            return request.payload
        if request.number == self.refuse:
            raise Refusal(ErrorCode.BUSY, value=7)
        if request.number == m.LAYOUTS[m.StageData].number:
            message = unpack(m.StageData, request.payload)
            self.data[message.offset] = message.data
        else:
            self.did.append((request.number, request.payload))
        return b""

    def receive(self, data: bytes) -> bytes:
        return self.session.receive(data)

    def tick(self) -> bytes:
        return self.session.take_output()


def hello(nonce: int) -> m.Hello:
    return m.Hello(1, nonce)


def connected(transport: AbstractTransport) -> Exchange:
    exchange = Exchange(transport)
    exchange.reply_s = 0.02
    exchange.start(hello)
    return exchange


def commands(count: int) -> list[m.WriteInputs]:
    return [m.WriteInputs(i, bytes([i & 0xFF] * 20)) for i in range(count)]


def test_requests_are_executed_once_and_in_order() -> None:
    board = Recorder()
    exchange = connected(LoopbackTransport(board))
    answers = exchange.ask(commands(100))
    assert [frame.number for frame in answers] == [m.LAYOUTS[m.WriteInputsAnswer].number] * 100
    assert board.did == [(0x20, pack(command)) for command in commands(100)]


def test_sequence_numbers_wrap() -> None:
    board = Recorder()
    exchange = Exchange(LoopbackTransport(board))
    exchange._sequence = 0xFFF0
    exchange.start(hello)
    exchange.ask([m.StageData(0, offset, b"x") for offset in range(40)])
    exchange.ask(commands(40))
    assert exchange.next_sequence == 0xFFF0 + 81 - 0x10000
    assert len(board.data) == len(board.did) == 40


class Counting(LoopbackTransport):
    """Counts frames that are on the way at once: sent in one write."""

    most = 0

    def write(self, data: bytes) -> None:
        self.most = max(self.most, data.count(0))
        super().write(data)


@pytest.mark.parametrize("window", [1, 3, 8, 32])
def test_no_more_frames_than_the_board_gives_credit_for(window: int) -> None:
    board = Recorder(window)
    line = Counting(board)
    exchange = connected(line)
    line.most = 0
    exchange.ask([m.StageData(0, i, b"x" * 100) for i in range(200)])
    assert line.most == window
    assert len(board.data) == 200


@pytest.mark.parametrize("seed", range(30))
def test_a_bad_cable_loses_nothing_and_repeats_nothing(seed: int) -> None:
    board = Recorder()
    line = FaultyTransport(LoopbackTransport(board), seed, rate=(1e-3, 3e-3, 1e-2)[seed % 3])
    exchange = connected(line)
    requests: list[tuple[object, ...]] = []
    for command in commands(40):
        requests += [command, m.StageData(0, command.start, command.codes)]
    answers = exchange.ask(requests)
    assert line.faults > 0
    assert len(answers) == 40
    assert board.did == [(0x20, pack(command)) for command in commands(40)]
    assert board.data == {command.start: command.codes for command in commands(40)}


def test_nothing_is_sent_after_a_refusal() -> None:
    board = Recorder()
    board.refuse = 0x20
    exchange = connected(LoopbackTransport(board))
    answers = exchange.ask(commands(100))
    assert answers[-1].number == ERROR
    assert unpack(m.ErrorNotice, answers[-1].payload).value == 7
    assert len(answers) <= 8
    board.refuse = -1
    assert len(exchange.ask(commands(5))) == 5


class Cut(LoopbackTransport):
    """Interrupts a write half-way through a frame, as Ctrl-C does."""

    cut = False

    def write(self, data: bytes) -> None:
        if self.cut:
            self.cut = False
            super().write(data[: len(data) // 2])
            raise KeyboardInterrupt
        super().write(data)


@pytest.mark.parametrize("opening", [hello, m.Safe])
def test_an_exchange_that_was_cut_off_is_taken_up_again(opening: Callable[[int], m.Hello | m.Safe]) -> None:
    board = Recorder()
    line = Cut(board)
    exchange = connected(line)
    line.cut = True
    with pytest.raises(KeyboardInterrupt):
        exchange.ask(commands(8))
    assert not exchange.in_step
    with pytest.raises(LinkError, match="say hello"):
        exchange.ask(commands(1))
    exchange.start(opening)
    board.did.clear()
    assert len(exchange.ask(commands(8))) == 8
    assert len(board.did) == 8


class Silent(AbstractTransport):
    """Nobody there."""

    name = "nowhere"
    byte_s = 0.0

    def write(self, data: bytes) -> None:
        pass

    def read(self, timeout_s: float) -> bytes:
        return b""

    def close(self) -> None:
        pass


def test_silence_is_an_error_that_names_the_port() -> None:
    exchange = Exchange(Silent())
    exchange.reply_s = 0.005
    with pytest.raises(LinkError, match="no board answers at nowhere"):
        exchange.start(hello)


class Falling(LoopbackTransport):
    """Falls silent."""

    silent = False

    def write(self, data: bytes) -> None:
        if not self.silent:
            super().write(data)


def test_a_board_that_falls_silent_is_an_error_that_names_the_request() -> None:
    line = Falling(Recorder())
    exchange = connected(line)
    line.silent = True
    with pytest.raises(LinkError, match="in the middle of write_inputs"):
        exchange.ask(commands(1))


def test_a_board_that_started_anew_is_noticed() -> None:
    line = LoopbackTransport(Recorder())
    exchange = connected(line)
    line._board = Recorder()
    with pytest.raises(LinkError, match="started anew"):
        exchange.ask(commands(1))


def test_notices_that_come_between_are_kept() -> None:
    board = Recorder()
    exchange = connected(LoopbackTransport(board))
    board.session.send(DONE, 5, pack(m.DoneNotice(9, 3, 1)))
    exchange.ask(commands(2))
    frame = exchange.notice(DONE, 0.0)
    assert frame is not None
    assert unpack(m.DoneNotice, frame.payload) == m.DoneNotice(9, 3, 1)
    assert exchange.notice(DONE, 0.0) is None


def test_an_answer_to_an_older_opening_is_not_taken_for_ours() -> None:
    board = Recorder()
    line = LoopbackTransport(board)
    stale = encode_reply(0x81, 0, 1, 0, 8, bytes(4))
    line._ready += stale
    exchange = connected(line)
    assert exchange.start(hello) != bytes(4)


def test_a_repeated_opening_does_not_set_the_sequence_back() -> None:
    board = Recorder()
    line = LoopbackTransport(board)
    sent: list[bytes] = []
    original = line.write
    line.write = lambda data: (sent.append(data), original(data))[1]  # type: ignore[method-assign]
    exchange = connected(line)
    exchange.ask(commands(4))
    original(sent[0])  # the hello once more, late
    assert len(exchange.ask(commands(4))) == 4
    assert len(board.did) == 8
