"""Whatever bytes come: a decoder gives frames, None for broken ones, or FrameError; and recovers at the next 0x00.

JACKFIELD_FUZZ_EXAMPLES asks for more examples: 100,000 in acceptance.
"""

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield.link import (
    DELIMITER,
    FrameError,
    FrameReader,
    ReplyFrame,
    RequestFrame,
    encode_frame,
    encode_reply,
    encode_request,
    unpack,
)
from jackfield.link import messages as m

EXAMPLES = int(os.environ.get("JACKFIELD_FUZZ_EXAMPLES", "300"))
LIMIT = 1024
KINDS = {layout.number: kind for kind, layout in m.LAYOUTS.items()}

fuzzed = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
requests = st.builds(encode_request, st.integers(0, 0x7F), st.integers(0, 0xFFFF), st.binary(max_size=300))
replies = st.builds(
    encode_reply,
    st.integers(0x80, 0xFF),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 255),
    st.binary(max_size=300),
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Good frames with bytes changed, lost and put in."""
    data = bytearray(b"".join(draw(st.lists(requests | replies, min_size=1, max_size=4))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(data)


def decode(data: bytes, cuts: list[int]) -> list[bytes | None]:
    """The frames of `data`, fed in pieces."""
    reader, bodies, places = FrameReader(LIMIT), list[bytes | None](), sorted({cut % (len(data) + 1) for cut in cuts})
    for start, stop in zip([0, *places], [*places, len(data)], strict=True):
        bodies += reader.feed(data[start:stop])
    assert len(reader._rest) <= LIMIT + LIMIT // 254 + 3
    return bodies + reader.feed(DELIMITER + encode_frame(b"\1still here"))


@fuzzed
@given(st.binary(max_size=3000) | mutated(), st.lists(st.integers(0, 3000), max_size=5))
def test_the_decoder_survives_anything(data: bytes, cuts: list[int]) -> None:
    *bodies, last = decode(data, cuts)
    assert last == b"\1still here"
    assert [*bodies, last] == decode(data, [])
    for body in bodies:
        if body is not None:
            assert len(body) <= LIMIT - 4
            _read(body)


def _read(body: bytes) -> None:
    """A good CRC says nothing about what is inside."""
    for parse in (RequestFrame.parse, ReplyFrame.parse):
        try:
            frame = parse(body)
        except FrameError:
            continue
        try:
            if frame.number in KINDS:
                message = unpack(KINDS[frame.number], frame.payload)
                assert m.LAYOUTS[type(message)].number == frame.number
        except FrameError:
            continue


@fuzzed
@given(st.binary(min_size=1, max_size=1020))
def test_what_is_encoded_is_decoded(body: bytes) -> None:
    wire = encode_frame(body)
    assert wire.count(0) == 1
    assert FrameReader(LIMIT).feed(wire) == [body]
