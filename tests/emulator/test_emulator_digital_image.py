"""The board's reading of an image against the page and against the host's packing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

from jackfield.board import BoardSpec, ConfigImage
from jackfield.emulator.digital_image import ImageReader
from jackfield.emulator.refusal import Refusal
from jackfield.emulator.settings import Settings
from jackfield.link.numbers import ErrorCode


def random_payload(spec: BoardSpec, seed: int) -> bytes:
    """Random codes and routes, all of them possible."""
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
    return image.payload(spec)


def assert_same(settings: Settings, other: Settings | ConfigImage) -> None:
    for name in ("enable", "source", "destination", "trim"):
        np.testing.assert_array_equal(getattr(settings, name), getattr(other, name), err_msg=name)
    for name, codes in other.codes.items():
        np.testing.assert_array_equal(settings.codes[name], codes, err_msg=name)


def test_the_cell_worked_by_hand(jf16: BoardSpec) -> None:
    """PROTOCOL.md section 3: A1 of jf16 enabled, third source, second destination, gain 2049, threshold 2048."""
    image = ConfigImage.safe(jf16).copy()
    reach = jf16.groups[0].reach
    image.enable[0, 0] = True
    image.source[0, 0], image.destination[0, 0] = reach.sources(0)[2], reach.destinations(0)[1]
    image.codes["gain"][0, 0], image.codes["threshold"][0, 0] = 2049, 2048
    payload = image.payload(jf16)
    assert int.from_bytes(payload[:4], "little") & (1 << 29) - 1 == 0x1001002D
    settings = ImageReader(jf16).whole(payload)
    assert settings.enable[0, 0]
    assert (settings.source[0, 0], settings.destination[0, 0]) == (reach.sources(0)[2], reach.destinations(0)[1])
    assert (settings.codes["gain"][0, 0], settings.codes["threshold"][0, 0]) == (2049, 2048)


@pytest.mark.parametrize("name", ["jf16", "jf96"])
@pytest.mark.parametrize("seed", range(3))
def test_the_board_reads_what_the_host_packs(name: str, seed: int, request: pytest.FixtureRequest) -> None:
    spec = request.getfixturevalue(name)
    payload = random_payload(spec, seed)
    reader = ImageReader(spec)
    assert reader.length == len(payload)
    assert_same(reader.whole(payload), ConfigImage.from_payload(spec, payload))


@trials(deadline=None)
@given(st.lists(st.integers(0, 379), max_size=40), st.integers(0, 5))
def test_reading_the_changes_is_reading_it_all(jf16: BoardSpec, places: list[int], seed: int) -> None:
    reader = ImageReader(jf16)
    old, new = random_payload(jf16, seed), random_payload(jf16, seed + 1)
    mixed = bytearray(old)
    for place in places:
        mixed[place] = new[place]
    try:
        whole = reader.whole(bytes(mixed))
    except Refusal as refusal:
        with pytest.raises(Refusal, match=str(refusal)):
            reader.changed(reader.whole(old), bytes(mixed), np.array(places, dtype=np.int64))
        return
    assert_same(reader.changed(reader.whole(old), bytes(mixed), np.array(places, dtype=np.int64)), whole)


@pytest.mark.parametrize(
    ("code", "field", "bit", "width"),
    [(ErrorCode.ROUTE_RANGE, 0, 1, 7), (ErrorCode.ROUTE_RANGE, 1, 8, 7), (ErrorCode.CODE_RANGE, 3, 23, 8)],
)
def test_a_code_or_route_that_does_not_exist(
    jf96: BoardSpec, code: ErrorCode, field: int, bit: int, width: int
) -> None:
    bits = np.unpackbits(np.frombuffer(random_payload(jf96, 0), dtype=np.uint8), bitorder="little")
    start = jf96.groups[0].cell_bits * 4321 + bit
    bits[start : start + width] = 1 if code is ErrorCode.ROUTE_RANGE else 0
    with pytest.raises(Refusal) as refused:
        ImageReader(jf96).whole(np.packbits(bits, bitorder="little").tobytes())
    notice = refused.value.notice
    assert (notice.code, notice.bank, notice.field, notice.place) == (code, 0, field, 4321)
    assert notice.value == (127 if code is ErrorCode.ROUTE_RANGE else 0)


def test_a_trim_code_that_does_not_exist(jf16: BoardSpec) -> None:
    payload = bytearray(random_payload(jf16, 0))
    payload[-8:] = bytes(8)
    with pytest.raises(Refusal) as refused:
        ImageReader(jf16).whole(bytes(payload))
    assert (refused.value.notice.field, refused.value.notice.bank) == (255, 1)
