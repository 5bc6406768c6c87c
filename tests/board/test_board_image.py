"""An image is what its bytes say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.board import BoardSpec, ConfigImage, delta
from jackfield.errors import DesignError


def random_image(spec: BoardSpec, seed: int) -> ConfigImage:
    """Every field at random within what the board can do."""
    rng = np.random.default_rng(seed)
    image = ConfigImage.safe(spec).copy()
    image.enable[:] = rng.random(image.enable.shape) < 0.5
    for bank, cell in np.ndindex(image.enable.shape):
        group = spec.group_of(cell)
        image.source[bank, cell] = rng.choice(group.reach.sources(cell - group.first))
        image.destination[bank, cell] = rng.choice(group.reach.destinations(cell - group.first))
        for name, scale in group.parameters.items():
            low, high = scale.code_range
            image.codes[name][bank, cell] = rng.integers(low, high + 1)
    image.trim[:] = rng.integers(*spec.nodes.trim.code_range, size=image.trim.shape)
    return image


def test_payload_round_trip(jf16: BoardSpec) -> None:
    image = random_image(jf16, 3)
    again = ConfigImage.from_payload(jf16, image.payload(jf16))
    for name in ("enable", "source", "destination", "trim"):
        assert np.array_equal(getattr(image, name), getattr(again, name))
    assert all(np.array_equal(image.codes[name], again.codes[name]) for name in image.codes)
    assert image.digest(jf16) == again.digest(jf16)


def test_sizes_are_the_published_ones(jf16: BoardSpec, jf96: BoardSpec) -> None:
    # jf96: 2 banks x (8192 cells x (1 + 7 + 7 + 8 + 8) + 96 trims x 8) bits.
    assert jf96.payload_bytes == 2 * (8192 * 31 + 96 * 8) // 8
    # jf16: 2 banks x (48 cells x (1 + 2 + 2 + 12 + 12) + 16 trims x 8) bits.
    assert jf16.payload_bytes == 2 * (48 * 29 + 16 * 8) // 8


def test_first_cell_lies_in_the_first_bits(jf16: BoardSpec) -> None:
    image = ConfigImage.safe(jf16).copy()
    sources, destinations = jf16.groups[0].reach.sources(0), jf16.groups[0].reach.destinations(0)
    image.enable[0, 0] = True
    image.source[0, 0], image.destination[0, 0] = sources[3], destinations[2]
    image.codes["gain"][0, 0], image.codes["threshold"][0, 0] = 0xABC, 0x123
    bits = 1 | 3 << 1 | 2 << 3 | 0xABC << 5 | 0x123 << 17
    first = int.from_bytes(image.payload(jf16)[:4], "little") & (2**29 - 1)
    assert first == bits


def test_safe_image_enables_nothing_and_trims_to_zero(jf96: BoardSpec) -> None:
    image = ConfigImage.safe(jf96)
    assert not image.enable.any()
    assert not jf96.nodes.trim.value(image.trim).any()


@given(st.binary(min_size=64, max_size=64), st.data())
def test_delta_rebuilds_the_new_image(old: bytes, data: st.DataObject) -> None:
    new = bytearray(old)
    for position in data.draw(st.lists(st.integers(0, 63), max_size=8)):
        new[position] ^= 0x5A
    rebuilt = bytearray(old)
    for offset, piece in delta(old, bytes(new), gap=4):
        rebuilt[offset : offset + len(piece)] = piece
    assert rebuilt == new
    assert delta(old, old) == []


def test_out_of_reach_and_out_of_range_are_refused(jf16: BoardSpec, jf96: BoardSpec) -> None:
    image = ConfigImage.safe(jf16).copy()
    reach = jf16.groups[0].reach
    image.source[0, 0] = next(n for n in range(17) if n not in reach.sources(0))
    with pytest.raises(DesignError, match="cannot have node"):
        image.payload(jf16)
    image = ConfigImage.safe(jf16).copy()
    image.codes["gain"][1, 5] = 0
    with pytest.raises(DesignError, match="code 0 for gain of group A"):
        image.payload(jf16)
    with pytest.raises(DesignError, match="compile the circuit again"):
        ConfigImage.safe(jf16).payload(jf96)
    with pytest.raises(DesignError, match="bytes"):
        ConfigImage.from_payload(jf16, b"\0" * 7)
