import pytest

from jackfield.link import FrameError, pack, unpack
from jackfield.link import messages as m


@pytest.mark.parametrize("payload", [b"", bytes(4), bytes(6)])
def test_a_payload_of_the_wrong_length_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameError, match="hello has 5 bytes"):
        unpack(m.Hello, payload)


def test_a_tail_may_have_any_length() -> None:
    assert unpack(m.ReadImage, bytes(4)) == m.ReadImage(0, b"")
    with pytest.raises(FrameError, match="4 bytes or more"):
        unpack(m.ReadImage, bytes(3))


def test_texts_are_ascii() -> None:
    payload = bytearray(m.LAYOUTS[m.HelloAnswer].fixed.size)
    payload[7] = 0xFF
    with pytest.raises(FrameError, match="ASCII"):
        unpack(m.HelloAnswer, bytes(payload))


def test_numbers_are_unique_and_answers_have_bit_seven() -> None:
    numbers = [layout.number for layout in m.LAYOUTS.values()]
    assert len(numbers) == len(set(numbers))
    names = {layout.name: layout.number for layout in m.LAYOUTS.values()}
    for name, number in names.items():
        if name.endswith("_answer"):
            assert number == names[name.removesuffix("_answer")] | 0x80


def test_answers_to_anything_but_questions_fit_the_ring_of_replies() -> None:
    pure = {layout.number | 0x80 for layout in m.LAYOUTS.values() if layout.pure}
    for layout in m.LAYOUTS.values():
        if layout.number >= 0x80 and layout.number not in pure:
            assert layout.fixed.size <= 11
            assert not layout.tail


def test_pack_is_little_endian() -> None:
    assert pack(m.StageData(0x0102, 0x03040506, b"!")) == bytes.fromhex("020106050403") + b"!"
