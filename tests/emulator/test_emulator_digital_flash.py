"""Two flash slots: whatever moment the power goes, the old image or the new one is there."""

import itertools

import pytest

from jackfield.board import BoardSpec, ConfigImage
from jackfield.emulator.digital_flash import PAYLOAD_AT, SECTOR, PowerLossError, Slots
from jackfield.emulator.refusal import Refusal


def payloads(spec: BoardSpec) -> list[bytes]:
    safe = ConfigImage.safe(spec).payload(spec)
    return [bytes([safe[0] ^ bit]) + safe[1:] for bit in (1, 2, 4)]


def test_the_newest_image_is_found_and_the_slots_take_turns(jf16: BoardSpec) -> None:
    one, two, three = payloads(jf16)
    slots = Slots(jf16, len(one))
    assert (slots.images(), slots.erases) == ([], 0)
    assert [slots.keep(one), slots.keep(two)] == [1, 2]
    assert slots.images() == [(2, two), (1, one)]
    assert slots.keep(three) == 1
    assert slots.images() == [(1, three), (2, two)]
    assert slots.erases == 3


def test_an_image_that_is_there_already_costs_no_erase(jf16: BoardSpec) -> None:
    one, two, _ = payloads(jf16)
    slots = Slots(jf16, len(one))
    slots.keep(one)
    slots.keep(two)
    assert slots.keep(two) == 2
    assert slots.erases == 2
    assert slots.keep(one) == 1
    assert slots.erases == 3


def test_an_image_of_another_kind_of_board_does_not_count(jf16: BoardSpec, jf96: BoardSpec) -> None:
    one, *_ = payloads(jf16)
    slots = Slots(jf16, len(one))
    slots.keep(one)
    other = Slots(jf96, len(one))
    other.flash = slots.flash
    assert other.images() == []


def test_a_power_cut_at_any_operation_leaves_the_old_image_or_the_new(jf96: BoardSpec) -> None:
    one, two, three = payloads(jf96)
    whole = Slots(jf96, len(one))
    whole.keep(one)
    whole.keep(two)
    before = whole.flash.operations
    whole.keep(three)
    total = whole.flash.operations - before
    assert total > len(one) / SECTOR
    for cut in range(1, total + 1):
        slots = Slots(jf96, len(one), before + cut)
        slots.keep(one)
        slots.keep(two)
        with pytest.raises(PowerLossError):
            slots.keep(three)
        assert slots.images()[0] == (2, two), cut
        assert slots.erases >= 2
        assert slots.keep(three) == 1
        assert slots.images()[0] == (1, three)


def test_two_cuts_in_a_row(jf16: BoardSpec) -> None:
    one, two, three = payloads(jf16)
    for first, second in itertools.product(range(1, 8), repeat=2):
        slots = Slots(jf16, len(one), 0)
        slots.keep(one)
        kept = one
        for cut, payload in ((first, two), (second, three)):
            slots.flash._cut_at = slots.flash.operations + cut
            try:
                slots.keep(payload)
                kept = payload
            except PowerLossError:
                pass
            assert slots.images()[0][1] == kept


def test_flash_that_is_worn_out_is_noticed_and_the_other_slot_stays(
    jf16: BoardSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, _ = payloads(jf16)
    slots = Slots(jf16, len(one))
    slots.keep(one)
    worn = next(place for place, byte in enumerate(two) if byte)
    monkeypatch.setattr(slots.flash, "erase", lambda slot: slots.flash._slots[slot].__setitem__(PAYLOAD_AT + worn, 0))
    with pytest.raises(Refusal, match=r"^FLASH$") as error:
        slots.keep(two)
    assert (error.value.notice.place, error.value.notice.value) == (2, worn)
    assert slots.images() == [(1, one)]
