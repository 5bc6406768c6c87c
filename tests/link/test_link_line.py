import pytest

from jackfield.link.line import Line


def test_bytes_take_their_time_and_keep_their_order() -> None:
    line = Line(baud=10000, delay_s=0.5)  # 1 ms a byte
    line.push(b"ab", now=1.0)
    line.push(b"c", now=1.0)
    assert line.waiting == 3
    assert line.due(1.5) == b""
    assert line.next_at == pytest.approx(1.501)
    assert line.due(1.5025) == b"ab"
    assert line.due(9.0) == b"c"
    assert (line.next_at, line.waiting) == (None, 0)


def test_an_idle_line_does_not_save_up_time() -> None:
    line = Line(baud=10000)
    line.push(b"a", now=0.0)
    line.push(b"b", now=5.0)
    assert line.due(5.0) == b"a"
    assert line.next_at == pytest.approx(5.001)


def test_without_a_baud_rate_nothing_takes_time() -> None:
    line = Line(baud=0)
    line.push(bytes(5000), now=2.0)
    assert line.due(2.0) == bytes(5000)


def test_a_cut_loses_what_is_on_the_way() -> None:
    line = Line(baud=10000)
    line.push(b"abc", now=0.0)
    line.cut()
    line.push(b"d", now=0.0)
    assert line.due(0.0011) == b"d"
