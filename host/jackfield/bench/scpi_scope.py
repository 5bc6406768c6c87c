"""What oscilloscopes of all dialects share: settings sent once, inputs compared, armed and finished with deadlines."""

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from jackfield.bench.benchfile import ChannelEntry, ScopeEntry
from jackfield.bench.digitizer import AbstractDigitizer, Acquisition, Waveform
from jackfield.bench.visa import VisaSession
from jackfield.errors import InstrumentError

__all__ = ["AbstractScpiScope", "rounded_up"]

Steps = Mapping[str, tuple[str, ...]]


class AbstractScpiScope(AbstractDigitizer):
    """One oscilloscope behind a session; a dialect says which commands, this class when they are sent.

    Never an acquisition command that answers when it is over: it would block the connection that the trigger
    waits behind. Raises InstrumentError where the bench file asks for a trigger source that the dialect lacks.
    """

    trigger_sources: ClassVar[Mapping[str, str]]
    divisions: ClassVar[int]
    volts_per_division: ClassVar[tuple[float, ...]]
    memory_points: ClassVar[int]

    def __init__(self, session: VisaSession, entry: ScopeEntry) -> None:
        if entry.trigger.source not in self.trigger_sources:
            raise InstrumentError(
                f"trigger source {entry.trigger.source!r} is asked; choose from {', '.join(self.trigger_sources)}"
            )
        self._session = session
        self._entry = entry
        self._sent: dict[str, tuple[str, ...]] = {}
        self._generation = 0
        self._introduce(session)
        session.identify(self.idn_pattern)

    @property
    @final
    def identity(self) -> str:
        """The answer to `*IDN?`."""
        return self._session.identity

    @property
    @final
    def channels(self) -> Mapping[int, int]:
        """Channel number of each board probe that a cable leads to."""
        return {channel.board_probe: channel.channel for channel in self._entry.channels}

    @property
    @final
    def full_scales(self) -> tuple[float, ...]:
        """Heights of the screen, in volts, ascending."""
        return tuple(self.divisions * scale for scale in self.volts_per_division)

    @property
    @final
    def most_points(self) -> int:
        """Samples a channel that one record can hold."""
        return self.memory_points

    @final
    def configure(self, acquisition: Acquisition) -> None:
        """Set up for `acquisition`; what the instrument has already is not sent again."""
        if self._generation != self._session.generation:
            self._sent.clear()
            self._greet()
        for name, commands in self._steps(acquisition).items():
            if self._sent.get(name) != commands:
                self._send(commands)
                if name.startswith("channel"):
                    self._compare(next(c for c in self._entry.channels if name == f"channel {c.channel}"))
                self._sent[name] = commands
        self._generation = self._session.generation

    def _introduce(self, session: VisaSession) -> None:
        """Tell the session how the dialect reads errors and gets into step again, where it is not as in SCPI."""

    def _greet(self) -> None:
        """What is sent first to an instrument whose state is unknown."""
        self._session.write("*CLS")

    def _send(self, commands: Sequence[str]) -> None:
        """Send one step of settings; raises InstrumentError where the instrument did not take it."""
        self._session.configure(*commands)

    @abstractmethod
    def _steps(self, acquisition: Acquisition) -> Steps:
        """Commands by the name of their step; step `channel N` leaves channel N ready to be compared."""

    @abstractmethod
    def _input(self, channel: int) -> tuple[float, str]:
        """Attenuation and coupling (DC or AC) as the instrument has them."""

    @final
    def _compare(self, channel: ChannelEntry) -> None:
        """Attenuation and coupling are somebody's decision at the probe: compared, never overwritten."""
        attenuation, coupling = self._input(channel.channel)
        for name, wanted, found in (
            ("attenuation", f"{channel.attenuation:g}", f"{attenuation:g}"),
            ("coupling", channel.coupling, coupling),
        ):
            if wanted != found:
                raise InstrumentError(
                    f"channel {channel.channel} has {name} {found}, the bench file says {wanted}; "
                    "change it on the instrument or in the bench file"
                )

    @final
    def arm(self) -> None:
        """Wait for one trigger; returns once the instrument has confirmed that it is armed."""
        self._single()
        if not self._comes(self._armed, self._session.timeout_s):
            raise InstrumentError(
                f"the oscilloscope is not armed {self._session.timeout_s:g} s after the single acquisition was asked; "
                "leave its menus, check that it is not in a mask or segmented mode, then repeat"
            )

    @final
    def wait(self, timeout_s: float) -> None:
        """Return once the record is complete; raises InstrumentError where no trigger came."""
        if not self._comes(self._finished, timeout_s):
            raise InstrumentError(
                f"the oscilloscope saw no trigger within {timeout_s:g} s although the board ran; check the cable "
                f"from the trigger jack to {self._entry.trigger.source}, its level and slope in the bench file"
            )

    def _comes(self, state: Callable[[], bool], timeout_s: float) -> bool:
        """Ask until `state`; where it does not come in time the acquisition is given up."""
        deadline = time.monotonic() + timeout_s
        while not state():
            if time.monotonic() > deadline:
                self._sent.clear()
                self._stop()
                return False
        return True

    @abstractmethod
    def _single(self) -> None:
        """Start one acquisition."""

    @abstractmethod
    def _armed(self) -> bool:
        """Whether a trigger would be seen."""

    @abstractmethod
    def _finished(self) -> bool:
        """Whether the record is complete."""

    @abstractmethod
    def _stop(self) -> None:
        """Give an acquisition up, so that nothing of it confirms the next."""

    @final
    def read(self) -> dict[int, Waveform]:
        """The record, by channel number."""
        return {channel.channel: self._read_channel(channel.channel) for channel in self._entry.channels}

    @abstractmethod
    def _read_channel(self, channel: int) -> Waveform:
        """The record of one channel."""

    @final
    def _fields(self, channel: int, command: str, count: int) -> list[float]:
        """The first `count` numbers of a comma-separated preamble."""
        fields = self._session.query(command).split(",")
        try:
            if len(fields) < count:
                raise ValueError
            return [float(field) for field in fields[:count]]
        except ValueError as error:
            raise InstrumentError(f"channel {channel}: preamble {fields!r} is not readable; repeat") from error

    @final
    def _codes(self, channel: int, announced: int, block: bytes | bytearray, kind: str) -> NDArray[Any]:
        """The codes of a block, all that were announced and no half ones."""
        size = np.dtype(kind).itemsize
        if len(block) != announced * size:
            raise InstrumentError(
                f"channel {channel}: {announced} points announced, {len(block) / size:g} came; repeat the run"
            )
        return np.frombuffer(block, kind)

    @final
    def close(self) -> None:
        """Leave the instrument; never raises."""
        self._session.close()


def rounded_up(value: float, mantissas: Sequence[float]) -> float:
    """The least of `mantissas` times a power of ten that is not below `value`, as knobs have it."""
    decade = 10.0 ** np.floor(np.log10(value))
    steps = [m * decade * factor for factor in (1.0, 10.0) for m in mantissas]
    return float(min(step for step in steps if step >= value * (1 - 1e-9)))
