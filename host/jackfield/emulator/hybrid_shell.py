"""The emulated shell of an Arduino with THAThc 1.0 in front of a patched machine, and its port.

By its own code, as THAThc.cpp does it (functions shell, single_run, data_logger, read_data), with the same limits:
a command is what has come before a second of silence, 16-bit numbers, 10-bit codes, a memory of 2,048 codes.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jackfield.emulator.board_port import TerminalChannel
from jackfield.emulator.loop import Loop
from jackfield.emulator.patched_machine import PatchedMachine

__all__ = ["HybridShell", "open_hybrid"]

SILENCE_S = 1.0
MINUS, PLUS, CODES = 130, 545, 1024
MEMORY, CHANNEL_US = 2048, 110
GREETING = "Interactive Shell\n-----------------\n\n"


class HybridShell:
    """Answers commands; `wired` gives the machine as it is now, `later(delay_s, call)` calls back, `say` sends."""

    def __init__(
        self,
        wired: Callable[[], PatchedMachine],
        later: Callable[[float, Callable[[], None]], None],
        say: Callable[[str], None],
    ) -> None:
        self._wired, self._later, self._say = wired, later, say
        self._machine, self._readings = wired(), 0
        self._mode, self._since = "halt", 0.0
        self._held: NDArray[np.float64] | None = None
        self._numbers = {"optime": 1000, "ictime": 10, "channels": 1, "interval": 1}
        self._armed, self._running, self.enabled = False, 0, False
        self._log = np.zeros((0, 1), dtype=np.int64)
        self.overrun = 0  # codes that were written beyond the memory

    def command(self, text: str) -> None:
        """What came before the silence."""
        text = text[:-1] if text[-1:] in ("\r", "\n") else text
        word, _, value = text.partition("=")
        if value and word in ("channels", "ictime", "optime"):
            self._set(word, int(value) if value.isdigit() else 0)
        elif word in ("ic", "op", "halt"):
            self._switch(word)
            self._say(f"{word.upper()}\n")
        elif word in ("enable", "disable"):
            self.enabled = word == "enable"
            if self.enabled:
                self._switch("ic")
            self._say(f"Hybrid mode {word}d.\n")
        else:
            known = {"arm": self._arm, "run": self._run, "read": self._read, "sample": self._sample}
            known |= {"status": self._status}
            known.get(word, lambda: self._say(f"Illegal command >>> {word}\n"))()

    def _set(self, name: str, value: int) -> None:
        if name != "channels" or 1 <= value <= 4:
            self._numbers[name] = (value + 2**15) % 2**16 - 2**15
        self._say(f"{name}={self._numbers[name]}\n")

    def _switch(self, mode: str) -> None:
        self._held = self._state() if mode == "halt" else None
        self._mode, self._since, self._armed = mode, time.monotonic(), False
        self._running += 1
        self._machine = self._wired()

    def _reading(self) -> int:
        """The number of a reading, which keys its noise."""
        self._readings += 1
        return self._readings

    def _arm(self) -> None:
        self._armed = True
        self._say("Armed...\n")

    def _run(self) -> None:
        n, self._machine = self._numbers, self._wired()
        self._say("Single run...\n")
        if self._armed:
            n["interval"] = max(n["optime"] * 1000 // (MEMORY // n["channels"]), n["channels"] * CHANNEL_US)
            self._say(f"interval={n['interval']}\n")
        self._running += 1
        number = self._running
        self._later((n["ictime"] + n["optime"]) / 1000, lambda: self._ended(number))

    def _ended(self, number: int) -> None:
        if number != self._running:
            return
        n = self._numbers
        seconds = n["optime"] / 1000
        if self._armed and self.enabled:
            samples = n["optime"] * 1000 // n["interval"]
            volts = self._machine.logged(
                samples, n["interval"] * 1e-6, n["channels"], CHANNEL_US * 1e-6, self._reading()
            )
            self._log = _codes(volts)
            self.overrun += max(0, self._log.size - MEMORY)
        self._held, self._mode, self._armed = self._machine.trajectory(seconds, 1)[-1], "halt", False
        self._say("Single run ended.\n")

    def _state(self) -> NDArray[np.float64]:
        seconds = time.monotonic() - self._since if self._mode == "op" else 0.0
        return np.asarray(self._machine.trajectory(seconds, 1)[-1])

    def _sample(self) -> None:
        channels = self._numbers["channels"]
        if self._held is not None:
            shown = [self._held[node - 1] for node in self._machine.shown[:channels]]
            volts = np.array(shown + [0.0] * (channels - len(shown)))
        else:
            seconds = time.monotonic() - self._since if self._mode == "op" else 0.0
            volts = self._machine.now(seconds, channels, self._reading())
        self._say(_text(_codes(volts[None])))

    def _read(self) -> None:
        self._say(_text(self._log))

    def _status(self) -> None:
        n = self._numbers
        self._say(
            f"version=1.0,optime={n['optime']},ictime={n['ictime']},channels={n['channels']},armed={int(self._armed)},"
            f"interval={n['interval']},adcminus={MINUS},adcplus={PLUS},dataindex={self._log.size}\n"
        )


def _codes(volts: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.clip(np.floor((volts + 1) / 2 * (PLUS - MINUS) + MINUS + 0.5), 0, CODES - 1).astype(np.int64)


def _text(codes: NDArray[np.int64]) -> str:
    values = 2 * (codes - MINUS) / (PLUS - MINUS) - 1
    return "".join(";".join(f"{value:.3f}" for value in row) + "\n" for row in values)


def open_hybrid(loop: Loop, wired: Callable[[], PatchedMachine], silence_s: float = SILENCE_S) -> dict[str, Any]:
    """The machine's `url` and the `shell` behind it; `wired` is asked before each run how the machine is wired."""
    from jackfield.link.pseudo_terminal import PseudoTerminal  # no such module's imports on Windows

    terminal = PseudoTerminal()
    stream = loop.stream(TerminalChannel(terminal.master, terminal.close))
    shell = HybridShell(wired, loop.call_later, lambda text: stream.write(text.encode()))
    unread, came = bytearray(), [0]

    def received(data: bytes) -> None:
        unread.extend(data)
        came[0] += 1
        number = came[0]
        loop.call_later(silence_s, lambda: silent(number))

    def silent(number: int) -> None:
        if number == came[0]:
            text = unread.decode("ascii", "replace")
            unread.clear()
            shell.command(text)

    stream.received = received
    stream.write(GREETING.encode())
    return {"url": f"serial://{terminal.port}", "shell": shell}
