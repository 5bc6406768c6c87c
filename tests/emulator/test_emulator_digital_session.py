from jackfield.emulator.digital_session import Session
from jackfield.emulator.refusal import Refusal
from jackfield.link import FrameReader, ReplyFrame, RequestFrame, encode_request, pack
from jackfield.link import messages as m
from jackfield.link.numbers import ErrorCode
from jackfield_boards import spec_folder

ACK, NAK, ERROR = (m.LAYOUTS[kind].number for kind in (m.AckNotice, m.NakNotice, m.ErrorNotice))


def by_hand(name: str) -> bytes:
    lines = (spec_folder() / "golden" / "by_hand" / "frames.txt").read_text().splitlines()
    (wire,) = (line.split(" | ")[1] for line in lines if line.startswith(f"{name} |"))
    return bytes.fromhex(wire)


class Bench:
    """A session whose handler answers everything and counts."""

    def __init__(self, window: int = 8) -> None:
        self.executed: list[int] = []
        self.heard = 0
        self.session = Session(1024, window, self.handle, self.hear)
        self.refuse: ErrorCode | None = None

    def handle(self, request: RequestFrame) -> bytes:
        if self.refuse is not None:
            raise Refusal(self.refuse)
        self.executed.append(request.sequence)
        return request.payload[-4:] if request.number in (1, 2) else b""

    def hear(self) -> None:
        self.heard += 1

    def open(self) -> None:
        self.send(m.Hello(1, 5), 0)

    def send(self, message: tuple[object, ...], sequence: int) -> list[ReplyFrame]:
        return self.feed(encode_request(m.LAYOUTS[type(message)].number, sequence, pack(message)))

    def feed(self, data: bytes) -> list[ReplyFrame]:
        frames = FrameReader(2000).feed(self.session.receive(data))
        return [ReplyFrame.parse(frame) for frame in frames if frame is not None]


def data(offset: int = 0) -> m.StageData:
    return m.StageData(2, offset, b"x")


def test_the_hole_worked_by_hand() -> None:
    bench = Bench(window=8)
    bench.open()
    bench.send(m.Status(), 1)
    bench.send(m.Stop(), 2)
    bench.send(data(), 4)
    wire = encode_request(m.LAYOUTS[m.StageData].number, 6, pack(data()))
    assert bench.session.receive(wire) == by_hand("ack_with_hole")


def test_the_gap_worked_by_hand() -> None:
    bench = Bench()
    bench.open()
    bench.send(m.Status(), 1)
    bench.send(m.Stop(), 2)
    assert bench.session.receive(encode_request(m.LAYOUTS[m.Stop].number, 5)) == by_hand("nak_gap")


def test_frames_that_were_held_count_when_the_gap_closes() -> None:
    bench = Bench()
    bench.open()
    for sequence in (2, 3, 5):
        bench.send(data(), sequence)
    (ack,) = bench.send(data(), 1)
    assert (ack.number, ack.ack, ack.sack) == (ACK, 4, 0b1)
    assert bench.send(data(), 4)[0].ack == 6
    assert sorted(bench.executed) == [0, 1, 2, 3, 4, 5]


def test_a_repeated_request_is_answered_again_but_not_executed_again() -> None:
    bench = Bench()
    bench.open()
    first = bench.send(m.Stop(), 1)
    assert bench.send(m.Stop(), 1) == first
    assert bench.executed == [0, 1]
    bench.send(m.Status(), 2)
    bench.send(m.Status(), 2)
    assert bench.executed == [0, 1, 2, 2]


def test_a_refusal_is_remembered_too() -> None:
    bench = Bench()
    bench.open()
    bench.refuse = ErrorCode.BUSY
    first = bench.send(m.Apply(), 1)
    assert first[0].number == ERROR
    bench.refuse = None
    assert bench.send(m.Apply(), 1) == first


def test_acknowledgements_are_saved_up_to_half_a_window() -> None:
    bench = Bench(window=8)
    bench.open()
    wire = b"".join(encode_request(m.LAYOUTS[m.StageData].number, i, pack(data())) for i in range(1, 11))
    assert [frame.ack for frame in bench.feed(wire)] == [5, 9, 11]


def test_nothing_is_executed_before_a_session() -> None:
    bench = Bench()
    (nak,) = bench.send(m.Stop(), 4)
    assert (nak.number, nak.payload, nak.sequence) == (NAK, b"\3", 4)
    assert bench.executed == []


def test_an_opening_counts_from_its_own_sequence_and_its_copy_does_nothing() -> None:
    bench = Bench()
    bench.send(m.Hello(1, 5), 700)
    bench.send(m.Stop(), 701)
    assert bench.send(m.Hello(1, 5), 700)[0].ack == 702
    assert bench.send(m.Safe(6), 9)[0].ack == 10


def test_broken_frames_are_counted_and_do_not_feed_the_watchdog() -> None:
    bench = Bench()
    bench.open()
    heard = bench.heard
    (nak,) = bench.feed(b"noise\0")
    assert (nak.number, nak.payload) == (NAK, b"\1")
    assert (bench.session.broken_frames, bench.heard) == (1, heard)
    assert bench.feed(b"\0\0\0") == []


def test_an_opening_of_the_wrong_length_opens_nothing() -> None:
    bench = Bench()
    bench.refuse = ErrorCode.BAD_LENGTH
    assert bench.feed(encode_request(1, 0, b"ab"))[0].number == ERROR
    assert bench.send(m.Stop(), 1)[0].number == NAK
