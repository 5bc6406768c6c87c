import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.link import (
    FrameError,
    FrameReader,
    ReplyFrame,
    RequestFrame,
    encode_frame,
    encode_reply,
    encode_request,
    pack,
    unpack,
)
from jackfield.link import messages as m
from jackfield_boards import spec_folder

GOLDEN = spec_folder() / "golden"
DELTA = bytes.fromhex("050001aa260102bbcc")
DIGEST = bytes(range(0x20, 0x40))

# Name in golden/by_hand/frames.txt: header fields behind the number, and the message, as PROTOCOL.md says in words.
BY_HAND: dict[str, tuple[tuple[int, ...], tuple[object, ...]]] = {
    "hello": ((0,), m.Hello(version=1, nonce=0x12345678)),
    "hello_answer": (
        (0, 1, 0, 8),
        m.HelloAnswer(
            0x12345678, 1, 0, "5A31-0007", "jf16", DIGEST, 1, 2, 3, 1024, 8, 64, 0, 250, 0, 2000, 380, 0, 0, 0, 42
        ),
    ),
    "status": ((1,), m.Status()),
    "stage_begin": ((2,), m.StageBegin(1, 0, 9, 0xD234F89A, 0xDEADBEEF, 0xBAADF00D)),
    "stage_begin_answer": ((2, 3, 0, 8), m.StageBeginAnswer(0)),
    "stage_data": ((3,), m.StageData(2, 0, DELTA)),
    "ack_with_hole": ((0, 3, 0b101, 8), m.AckNotice()),
    "nak_gap": ((5, 3, 0, 8), m.NakNotice(2)),
    "stage_end": ((4,), m.StageEnd()),
    "error_code_range": ((4, 5, 0, 8), m.ErrorNotice(code=11, bank=1, field=2, place=16, value=0)),
    "apply_answer": ((5, 6, 0, 8), m.ApplyAnswer(0xBAADF00D)),
    "read_image": ((6,), m.ReadImage(5, bytes.fromhex("000001260102"))),
    "read_image_answer": ((6, 7, 0, 8), m.ReadImageAnswer(bytes.fromhex("aabbcc"))),
    "write_inputs": ((7,), m.WriteInputs(16, struct.pack("<3H", 2048, 1, 4095))),
    "run": (
        (8,),
        m.Run(43, 0, 0, 2, 0, 0, 1, 2, struct.pack("<BI", 0, 100) + struct.pack("<5H", 2, 3, 4, 1, 5)),
    ),
    "done": ((8, 9, 0, 8), m.DoneNotice(43, 2, 1)),
    "safe": ((9,), m.Safe(0xABCDEF01)),
    "long_data": ((266,), m.StageData(258, 0x01010101, bytes(i % 255 + 1 for i in range(260)))),
}


def golden(folder: str) -> dict[str, list[str]]:
    lines = (GOLDEN / folder / "frames.txt").read_text().splitlines()
    return {name: rest for name, *rest in (line.split(" | ") for line in lines if not line.startswith("#"))}


def test_every_frame_worked_by_hand_is_held_here() -> None:
    assert golden("by_hand").keys() == BY_HAND.keys()
    assert len(BY_HAND) >= 12


@pytest.mark.parametrize("name", BY_HAND)
def test_encoder_writes_the_frames_worked_by_hand(name: str) -> None:
    header, message = BY_HAND[name]
    number = m.LAYOUTS[type(message)].number
    if number < 0x80:
        wire = encode_request(number, header[0], pack(message))
    else:
        sequence, ack, sack, credit = header
        wire = encode_reply(number, sequence, ack, sack, credit, pack(message))
    assert wire.hex() == golden("by_hand")[name][0]


@pytest.mark.parametrize("name", BY_HAND)
def test_decoder_reads_the_frames_worked_by_hand(name: str) -> None:
    header, message = BY_HAND[name]
    (body,) = FrameReader(1024).feed(bytes.fromhex(golden("by_hand")[name][0]))
    assert body is not None
    frame = RequestFrame.parse(body) if body[0] < 0x80 else ReplyFrame.parse(body)
    assert frame[1:-1] == header
    assert frame.number == m.LAYOUTS[type(message)].number
    assert unpack(type(message), frame.payload) == message


@pytest.mark.parametrize("name", golden("generated"))
def test_generated_frames_pass_both_ways(name: str) -> None:
    before, wire = golden("generated")[name]
    assert encode_frame(bytes.fromhex(before)).hex() == wire
    assert FrameReader(1024).feed(bytes.fromhex(wire)) == [bytes.fromhex(before)]
    kind = next(kind for kind, layout in m.LAYOUTS.items() if layout.name == name)
    body = bytes.fromhex(before)
    payload = (RequestFrame.parse(body) if body[0] < 0x80 else ReplyFrame.parse(body)).payload
    assert pack(unpack(kind, payload)) == payload


def test_the_page_shows_every_frame_worked_by_hand() -> None:
    page = (Path(__file__).parents[2] / "firmware_config" / "PROTOCOL.md").read_text()
    letters = page.replace("\n", " ").replace(" ", "")
    for name, (wire, _) in golden("by_hand").items():
        assert f"**{name}**" in page
        assert name == "long_data" or wire.upper() in letters


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=1500), st.data())
def test_round_trip_in_any_pieces(body: bytes, data: st.DataObject) -> None:
    wire = encode_frame(body)
    assert wire.count(0) == 1
    assert wire[-1] == 0
    cut = data.draw(st.integers(0, len(wire)))
    reader = FrameReader(1600)
    assert reader.feed(wire[:cut]) + reader.feed(wire[cut:]) == [body]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=20))
def test_noise_is_never_a_frame_and_never_in_the_way(pieces: list[bytes]) -> None:
    reader = FrameReader(64)
    for piece in pieces:
        for body in reader.feed(piece):
            assert body is None or zlib.crc32(body)  # a random frame with a good CRC has not been found yet
    good = encode_frame(b"\x01behind")
    assert reader.feed(b"\0" + good)[-1] == b"\x01behind"


@settings(deadline=None)
@given(st.binary(min_size=8, max_size=60), st.integers(0, 10_000))
def test_a_flipped_bit_is_always_noticed(body: bytes, bit: int) -> None:
    wire = bytearray(encode_frame(body))
    place = bit // 8 % (len(wire) - 1)
    wire[place] ^= 1 << bit % 8
    assert body not in FrameReader(1024).feed(bytes(wire))


def test_a_frame_beyond_the_limit_is_broken_and_what_follows_is_read() -> None:
    reader = FrameReader(64)
    assert reader.feed(encode_frame(bytes(61))) == [None]
    for _ in range(1000):
        assert reader.feed(b"x" * 100) == []
    assert reader.feed(b"\0" + encode_frame(bytes(60))) == [None, bytes(60)]


@pytest.mark.parametrize("body", [b"", b"\x01\x00", b"\x81\x00\x00"])
def test_a_body_too_short_for_its_header_is_refused(body: bytes) -> None:
    with pytest.raises(FrameError, match="not a"):
        RequestFrame.parse(body)
    with pytest.raises(FrameError, match="not a"):
        ReplyFrame.parse(body)
