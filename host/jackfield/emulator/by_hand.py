"""Boards without a spec, emulated after the file that says what is on them: a patched machine, an AN231E04."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jackfield.emulator.abk import AbkEmulator
from jackfield.emulator.board_port import TerminalChannel
from jackfield.emulator.hybrid_shell import open_hybrid
from jackfield.emulator.loop import Loop
from jackfield.emulator.patched_machine import PatchedMachine

__all__ = ["opener_for"]

DRAIN_S = 0.005  # the AN231E04's controller takes its buffer's 40 bytes in
FULL_SCALE_V = 3.3


def opener_for(file: Path, text: str, profile: str, seed: int) -> Callable[[Loop], str] | None:
    """What opens the port of the board that `text` of `file` describes and returns its URL; None for a board spec."""
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    if "cables" in values:
        PatchedMachine(text, profile, seed)  # says now what is wrong

        def wired() -> PatchedMachine:
            return PatchedMachine(file.read_text(encoding="utf-8"), profile, seed)

        return lambda loop: str(open_hybrid(loop, wired)["url"])
    return _open_abk if "configuration" in values else None


def _open_abk(loop: Loop) -> str:
    """Converter input n shows byte n of what the chip holds: whoever reads it sees what was configured."""
    from jackfield.link.pseudo_terminal import PseudoTerminal  # no such module's imports on Windows

    def reads(converter: str, channel: int) -> float:
        held = board.changes[-1] if board.changes else board.primary
        return FULL_SCALE_V * held[channel] / 255 if held and channel < len(held) else 0.0

    board, terminal = AbkEmulator(reads), PseudoTerminal()
    stream = loop.stream(TerminalChannel(terminal.master, terminal.close))

    def received(data: bytes) -> None:
        stream.write(board.receive(data))
        loop.call_later(DRAIN_S, lambda: stream.write(board.drain()))

    stream.received = received
    return f"serial://{terminal.port}"
