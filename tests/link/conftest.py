from collections.abc import Iterator

import pytest

from jackfield.link.pseudo_terminal import PseudoTerminal


@pytest.fixture
def terminal() -> Iterator[PseudoTerminal]:
    """A pty whose master is the board's side."""
    terminal = PseudoTerminal()
    yield terminal
    terminal.close()
