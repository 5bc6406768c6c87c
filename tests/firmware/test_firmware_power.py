"""Power cuts: every flash operation of a commit, and sampled pairs (200, or JACKFIELD_POWER_PAIRS)."""

import os

from jackfield.board import BoardSpec
from jackfield.testing.firmware import FirmwareLibrary
from jackfield.testing.power_cuts import power_cuts

PAIRS = int(os.environ.get("JACKFIELD_POWER_PAIRS", "200"))


def test_old_or_new_and_writable_again(library16: FirmwareLibrary, jf16: BoardSpec) -> None:
    found = power_cuts(library16, jf16, PAIRS, seed=1)
    assert found.wrong == []
    assert found.operations >= 10
    assert found.cuts == 3 * 5 * found.operations + 2 * PAIRS
    assert found.old > 0
    assert found.new > 0


def test_the_trial_can_fail(library16: FirmwareLibrary, jf16: BoardSpec) -> None:
    """A board that forgets its flash is found out."""

    class Forgetful(FirmwareLibrary):
        def __init__(self) -> None:
            self._library = library16._library

        def power_on(self, reason: int = 1, failed_test: int = 0) -> None:
            self.flash = b"\xff" * len(self.flash)
            super().power_on(reason, failed_test)

    assert power_cuts(Forgetful(), jf16, 0, seed=1).wrong
