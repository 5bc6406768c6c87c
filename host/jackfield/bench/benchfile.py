"""bench.toml: the board, its instruments and the wiring between them.

Parsing is strict: an unknown key is an error that names the keys there are.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jackfield.bench.table import TableReader
from jackfield.errors import DesignError

__all__ = [
    "BenchFile",
    "BoardEntry",
    "ChannelEntry",
    "InstrumentEntry",
    "MeterEntry",
    "ScopeEntry",
    "SourceEntry",
    "TriggerEntry",
    "parse_bench",
]


@dataclass(frozen=True)
class BoardEntry:
    """Where the board is; `board_id` is empty where any board of that spec will do."""

    url: str
    spec: str
    board_id: str


@dataclass(frozen=True)
class InstrumentEntry:
    """How an instrument is reached: its driver's name, VISA resource, VISA library and patience in seconds."""

    driver: str
    resource: str
    backend: str
    timeout_s: float


@dataclass(frozen=True)
class ChannelEntry:
    """One oscilloscope channel and the board probe that its cable comes from."""

    channel: int
    board_probe: int
    attenuation: float
    coupling: str
    impedance_ohm: float
    bandwidth_limit: bool


@dataclass(frozen=True)
class TriggerEntry:
    """The oscilloscope's trigger input; `level_V` in volts at that input."""

    source: str
    level_V: float
    slope: str


@dataclass(frozen=True)
class ScopeEntry(InstrumentEntry):
    """An oscilloscope: `mode` is "normal" or "high-resolution"."""

    mode: str
    channels: tuple[ChannelEntry, ...]
    trigger: TriggerEntry


@dataclass(frozen=True)
class MeterEntry(InstrumentEntry):
    """A voltmeter on the board's jack `jack`, averaging over `nplc` power line cycles."""

    jack: str
    nplc: float


@dataclass(frozen=True)
class SourceEntry(InstrumentEntry):
    """A source-measure unit; both limits must be given before anything is driven."""

    limit_A: float
    limit_V: float


@dataclass(frozen=True)
class BenchFile:
    """One bench. `dmm` and `smu` may be missing; `warm_up_min` in minutes."""

    board: BoardEntry
    scope: ScopeEntry
    dmm: MeterEntry | None
    smu: SourceEntry | None
    warm_up_min: float


def parse_bench(text: str) -> BenchFile:
    """The bench that the TOML `text` describes.

    Raises DesignError where the text is no TOML, a key is unknown or missing, or a value is not possible.
    """
    try:
        root = TableReader("bench.toml", tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise DesignError(f"bench.toml is not valid TOML: {error}; correct that line") from error
    instruments = root.table("instruments")
    conditions = root.table("conditions", optional=True)
    bench = BenchFile(
        _board(root.table("board")),
        _scope(instruments.table("scope")),
        _meter(instruments.table("dmm")) if "dmm" in instruments else None,
        _source(instruments.table("smu")) if "smu" in instruments else None,
        conditions.number("warm_up_min", default=0.0, low=0.0),
    )
    for table in (conditions, instruments, root):
        table.finish()
    return bench


def _board(table: TableReader) -> BoardEntry:
    entry = BoardEntry(table.text("url"), table.text("spec"), table.text("id", default=""))
    table.finish()
    return entry


def _reached(table: TableReader) -> Mapping[str, Any]:
    return {
        "driver": table.text("driver"),
        "resource": table.text("resource"),
        "backend": table.text("backend", default="@py"),
        "timeout_s": table.number("timeout_s", default=5.0, low=0.01),
    }


def _scope(table: TableReader) -> ScopeEntry:
    mode = table.choice("mode", ("normal", "high-resolution"), default="high-resolution")
    trigger = table.table("trigger")
    entry = ScopeEntry(
        **_reached(table),
        mode=mode,
        channels=tuple(_channel(channel) for channel in table.tables("channels")),
        trigger=TriggerEntry(
            trigger.text("source"), trigger.number("level_V"), trigger.choice("slope", ("rising", "falling"))
        ),
    )
    trigger.finish()
    table.finish()
    for name, numbers in (
        ("channel", [channel.channel for channel in entry.channels]),
        ("board_probe", [channel.board_probe for channel in entry.channels]),
    ):
        if len(set(numbers)) != len(numbers):
            raise DesignError(f"{table.name}.channels: {name} = {numbers} names one twice; one cable, one channel")
    return entry


def _channel(table: TableReader) -> ChannelEntry:
    entry = ChannelEntry(
        channel=table.integer("channel", low=1),
        board_probe=table.integer("board_probe", low=1),
        attenuation=table.number("attenuation", default=1.0, low=1e-3),
        coupling=table.choice("coupling", ("DC", "AC"), default="DC"),
        impedance_ohm=table.choice("impedance_ohm", (1e6, 50.0), default=1e6),
        bandwidth_limit=table.flag("bandwidth_limit", default=False),
    )
    table.finish()
    return entry


def _meter(table: TableReader) -> MeterEntry:
    jack = table.choice("jack", ("reference",))
    entry = MeterEntry(**_reached(table), jack=jack, nplc=table.number("nplc", default=10.0, low=1e-3))
    table.finish()
    return entry


def _source(table: TableReader) -> SourceEntry:
    for key in ("limit_A", "limit_V"):
        if key not in table:
            raise DesignError(
                f"{table.name} has no {key}; a source drives nothing without limit_A and limit_V in the bench file"
            )
    limit_A, limit_V = (table.number(key, low=0.0) for key in ("limit_A", "limit_V"))
    entry = SourceEntry(**_reached(table), limit_A=limit_A, limit_V=limit_V)
    table.finish()
    return entry
