from dataclasses import replace

import pytest

from jackfield.board import BoardSpec, c_header
from jackfield.errors import DesignError


def test_a_listed_reach_and_a_crossbar(jf16: BoardSpec, jf96: BoardSpec) -> None:
    listed, crossbar = c_header(jf16), c_header(jf96)
    assert "{2, 0, 3, jf_A_sources}," in listed
    assert "{7, 0, 96, NULL}," in crossbar
    assert f"#define JF_BANK_BITS {8192 * (1 + 7 + 7 + 8 + 8) + 96 * 8}u" in crossbar
    assert "#define JF_WATCHDOG_MS 2000u" in crossbar
    first = ", ".join(str(node) for cell in range(4) for node in jf16.groups[0].reach.sources(cell))
    assert first in listed


def test_a_name_that_no_hello_can_carry(jf16: BoardSpec) -> None:
    with pytest.raises(DesignError, match="up to 16"):
        c_header(replace(jf16, name='a"; #'))
