"""bench.toml: the board, its instruments and the wiring between them.

Parsing is strict: an unknown key is an error that names the keys there are.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jackfield.board import Section
from jackfield.errors import DesignError

__all__ = [
    "BOARD_PATIENCE_S",
    "BenchFile",
    "BoardEntry",
    "ChannelEntry",
    "InstrumentEntry",
    "JackEntry",
    "MeterEntry",
    "ScannerEntry",
    "ScopeEntry",
    "SourceEntry",
    "TriggerEntry",
    "parse_bench",
]

BOARD_PATIENCE_S = 20.0


@dataclass(frozen=True)
class BoardEntry:
    """Where the board is; `board_id` is empty where any board of that spec will do. A run may take `patience_s` longer
    than its schedule says: an emulated board computes it.
    """

    url: str
    spec: str
    board_id: str
    patience_s: float


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
class JackEntry:
    """One scanner channel and the board's jack that it is on: "reference", or "probe 1", "probe 2"..."""

    channel: int
    jack: str


@dataclass(frozen=True)
class ScannerEntry(InstrumentEntry):
    """A scanner on several of the board's jacks, averaging over `nplc` power line cycles."""

    nplc: float
    channels: tuple[JackEntry, ...]


@dataclass(frozen=True)
class SourceEntry(InstrumentEntry):
    """A source-measure unit; both limits must be given before anything is driven."""

    limit_A: float
    limit_V: float


@dataclass(frozen=True)
class BenchFile:
    """One bench; `warm_up_min` in minutes. `dmm` and `smu` may be missing, `scope` where the board reads itself."""

    board: BoardEntry
    scope: ScopeEntry | None
    dmm: MeterEntry | None
    scanner: ScannerEntry | None
    smu: SourceEntry | None
    warm_up_min: float


def parse_bench(text: str) -> BenchFile:
    """The bench that the TOML `text` describes.

    Raises DesignError where the text is no TOML, a key is unknown or missing, or a value is not possible.
    """
    try:
        root = Section(tomllib.loads(text), "bench.toml", "firmware_config/BRINGUP.md has a whole bench file")
    except tomllib.TOMLDecodeError as error:
        raise DesignError(f"bench.toml is not valid TOML: {error}; correct that line") from error
    instruments = root.table("instruments", optional=True)
    conditions = root.table("conditions", optional=True)
    bench = BenchFile(
        _board(root.table("board")),
        _scope(instruments.table("scope")) if instruments.has("scope") else None,
        _meter(instruments.table("dmm")) if instruments.has("dmm") else None,
        _scanner(instruments.table("scanner")) if instruments.has("scanner") else None,
        _source(instruments.table("smu")) if instruments.has("smu") else None,
        conditions.number("warm_up_min", 0.0, default=0.0),
    )
    for table in (conditions, instruments, root):
        table.close()
    return bench


def _board(table: Section) -> BoardEntry:
    patience_s = table.number("patience_s", 1.0, default=BOARD_PATIENCE_S)
    entry = BoardEntry(table.take("url", str), table.take("spec", str), table.take("id", str, ""), patience_s)
    table.close()
    return entry


def _reached(table: Section) -> Mapping[str, Any]:
    return {
        "driver": table.take("driver", str),
        "resource": table.take("resource", str),
        "backend": table.take("backend", str, "@py"),
        "timeout_s": table.number("timeout_s", 0.01, default=5.0),
    }


def _scope(table: Section) -> ScopeEntry:
    mode = table.choice("mode", ("normal", "high-resolution"), default="high-resolution")
    trigger = table.table("trigger")
    entry = ScopeEntry(
        **_reached(table),
        mode=mode,
        channels=tuple(_channel(channel) for channel in table.tables("channels")),
        trigger=TriggerEntry(
            trigger.take("source", str), trigger.take("level_V", float), trigger.choice("slope", ("rising", "falling"))
        ),
    )
    trigger.close()
    table.close()
    for name, numbers in (
        ("channel", [channel.channel for channel in entry.channels]),
        ("board_probe", [channel.board_probe for channel in entry.channels]),
    ):
        if len(set(numbers)) != len(numbers):
            raise DesignError(f"{table.place}.channels: {name} = {numbers} names one twice; one cable, one channel")
    return entry


def _channel(table: Section) -> ChannelEntry:
    entry = ChannelEntry(
        channel=table.count("channel"),
        board_probe=table.count("board_probe"),
        attenuation=table.number("attenuation", 1e-3, default=1.0),
        coupling=table.choice("coupling", ("DC", "AC"), default="DC"),
        impedance_ohm=table.choice("impedance_ohm", (1e6, 50.0), default=1e6),
        bandwidth_limit=table.take("bandwidth_limit", bool, False),
    )
    table.close()
    return entry


def _meter(table: Section) -> MeterEntry:
    jack = table.choice("jack", ("reference",))
    entry = MeterEntry(**_reached(table), jack=jack, nplc=table.number("nplc", 1e-3, default=10.0))
    table.close()
    return entry


def _scanner(table: Section) -> ScannerEntry:
    rows = table.tables("channels")
    channels = tuple(JackEntry(row.count("channel"), row.take("jack", str)) for row in rows)
    for row in rows:
        row.close()
    wrong = [entry.jack for entry in channels if not re.fullmatch(r"reference|probe [1-9]\d?", entry.jack)]
    if wrong:
        raise DesignError(f"{table.place}.channels: jack = {wrong[0]!r}; give 'reference' or 'probe 1', 'probe 2'...")
    for name, given in (("channel", [c.channel for c in channels]), ("jack", [c.jack for c in channels])):
        if len(set(given)) != len(given):
            raise DesignError(f"{table.place}.channels: {name} = {given} names one twice; one cable, one channel")
    entry = ScannerEntry(**_reached(table), nplc=table.number("nplc", 1e-3, default=10.0), channels=channels)
    table.close()
    return entry


def _source(table: Section) -> SourceEntry:
    for key in ("limit_A", "limit_V"):
        if not table.has(key):
            raise DesignError(
                f"{table.place} has no {key}; a source drives nothing without limit_A and limit_V in the bench file"
            )
    limit_A, limit_V = (table.number(key, 0.0) for key in ("limit_A", "limit_V"))
    entry = SourceEntry(**_reached(table), limit_A=limit_A, limit_V=limit_V)
    table.close()
    return entry
