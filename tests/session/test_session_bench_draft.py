"""A bench file from what was found: nothing is guessed in silence."""

import pytest

from jackfield.bench import drivers_for, parse_bench
from jackfield.errors import DesignError
from jackfield.session import Discovery, FoundBoard, FoundInstrument, draft_bench

BOARD = FoundBoard("serial:///dev/ttyUSB0", "5A31-0007", "jf16")


def instrument(identity: str, resource: str = "TCPIP::192.168.1.20::INSTR") -> FoundInstrument:
    return FoundInstrument(resource, identity, drivers_for(identity))


SCOPE = instrument("RIGOL TECHNOLOGIES,DS1054Z,DS1ZA1,00.04.04")


def test_a_board_and_a_scope() -> None:
    draft = draft_bench(Discovery([BOARD], [SCOPE, instrument("NOBODY,NOTHING,0,0")]), "@ivi")
    bench = parse_bench(draft.text)
    assert (bench.board.url, bench.board.board_id) == (BOARD.url, BOARD.board_id)
    assert bench.scope is not None
    assert (bench.scope.driver, bench.scope.backend, bench.scope.trigger.source) == ("rigol-ds1000z", "@ivi", "CH4")
    assert [(c.channel, c.board_probe) for c in bench.scope.channels] == [(1, 1), (2, 2)]
    assert (bench.dmm, bench.smu, bench.scanner) == (None, None, None)
    assert all(f"# assumed, not found out: {line}" in draft.text for line in draft.assumed)
    assert draft.left_out == ("TCPIP::192.168.1.20::INSTR is 'NOBODY,NOTHING,0,0': no driver knows it",)


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        (Discovery(), "0 boards answer; plug one in, or name its port with --port"),
        (Discovery([BOARD, BOARD]), "2 boards answer: 5A31-0007 .*; name one with --port"),
        (
            Discovery([BOARD], [SCOPE, SCOPE]),
            "both could be the scope; name the bench's own instruments",
        ),
        (Discovery([FoundBoard("serial:///x", "1", "jf17")]), "jf17"),
    ],
)
def test_what_is_not_clear_is_asked(found: Discovery, complaint: str) -> None:
    with pytest.raises(DesignError, match=complaint):
        draft_bench(found, "@py")


def test_two_drivers_for_one_instrument() -> None:
    twice = FoundInstrument("R", "X", dict.fromkeys(("a", "b"), next(iter(SCOPE.drivers.values()))))
    with pytest.raises(DesignError, match="which the drivers a, b all know; write its table by hand"):
        draft_bench(Discovery([BOARD], [twice]), "@py")
