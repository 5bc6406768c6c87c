import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from jackfield.link import delta_stream, read_requests


def test_the_delta_worked_by_hand() -> None:
    assert delta_stream([(5, b"\xaa"), (300, b"\xbb\xcc")]).hex() == "050001aa260102bbcc"


def pieces() -> st.SearchStrategy[list[tuple[int, bytes]]]:
    gaps = st.lists(st.tuples(st.integers(0, 200_000), st.binary(min_size=1, max_size=700)), max_size=12)

    def place(steps: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        found, end = [], 0
        for gap, data in steps:
            found.append((end + gap, data))
            end += gap + len(data)
        return found

    return gaps.map(place)


def walk(stream: bytes, place: int, carries_bytes: bool) -> dict[int, int]:
    """What a board makes of spans, written apart: byte by place, or place by place."""
    found, cursor = {}, 0
    while cursor < len(stream):
        skip, length = struct.unpack_from("<HB", stream, cursor)
        place, cursor = place + skip, cursor + 3
        for _ in range(length):
            found[place] = stream[cursor] if carries_bytes else place
            place, cursor = place + 1, cursor + carries_bytes
    return found


@settings(deadline=None)
@given(pieces())
def test_a_delta_carries_every_byte_to_its_place(changes: list[tuple[int, bytes]]) -> None:
    wanted = {offset + i: byte for offset, data in changes for i, byte in enumerate(data)}
    assert walk(delta_stream(changes), 0, True) == wanted


@settings(deadline=None)
@given(pieces(), st.integers(3, 400), st.integers(20, 900))
def test_reads_cover_every_byte_in_order_and_fit_their_frames(
    changes: list[tuple[int, bytes]], request_bytes: int, reply_bytes: int
) -> None:
    ranges = [(offset, len(data)) for offset, data in changes]
    places: list[int] = []
    for origin, spans, total in read_requests(ranges, request_bytes, reply_bytes):
        assert len(spans) <= request_bytes
        assert total <= reply_bytes
        asked = list(walk(spans, origin, False))
        assert len(asked) == total
        places += asked
    assert places == [offset + i for offset, length in ranges for i in range(length)]
