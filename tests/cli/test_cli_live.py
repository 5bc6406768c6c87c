"""What the live view of a calibration shows."""

from jackfield.cli.live import LiveView
from jackfield_calibration import Standing


def test_the_view_says_step_spread_and_failing_cells() -> None:
    view, heard = LiveView(), []
    view.advance = lambda done, total: heard.append((done, total))
    assert view.lines() == []
    view.advanced("nodes-measure", 1, 10, 64)
    view.advanced("cells-set-a", 2, 10, 80)
    view.advanced("cells-set-a", 3, 10, 96)
    assert heard == [(1, 10), (2, 10), (3, 10)]
    assert view.used == {"nodes-measure": (1, 64), "cells-set-a": (2, 32)}
    failing = {f"A{number}": "runs off the fit" for number in range(1, 13)}
    view.stands(Standing({"gain": (8.0, 0.5), "threshold": (12.0, 0.25)}, failing))
    lines = view.lines()
    assert lines[0] == "cells-set-a, 96 reads"
    assert lines[1] == "gain: spread 8.00 LSB, known to 0.50 LSB"
    assert lines[3] == "not sound: 12 runs off the fit (A1, A2, A3, A4, A5, A6, A7, A8, ...)"
    assert view.below() == "\n".join(lines)
