"""Rows about instruments: numbered readings under a fault port, the speed of long records, pymeasure's drivers."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks._rows import Row

from jackfield.bench import ChannelEntry, KeysightInfiniiVision, ScopeEntry, TriggerEntry, VisaSession
from jackfield.emulator import FaultPort, Faults
from jackfield.testing.driver_cases import CASES, case_of
from jackfield.testing.driver_suite import DOORS, DriverCase, Readings, numbered_readings

__all__ = ["instrument_rows"]

READINGS, QUICK_READINGS = 10_000, 200
POINTS: Final = 1_000_000
SPEED_BARS: Final = {"hislip": 100.0, "socket": 30.0}
LATE_S: Final = 0.15  # the drivers' patience is 0.1 s


def instrument_rows(quick: bool) -> list[Row]:
    """All rows; with `quick` 200 readings a driver in place of 10,000."""
    wrong = [_wrong_readings(driver, QUICK_READINGS if quick else READINGS) for driver in CASES]
    return [*wrong, *_speed(10 if quick else 100), *_pymeasure()]


def _wrong_readings(driver: str, count: int) -> Row:
    """Wrong ones of `count` numbered readings, a third through each door, all kinds of faults together."""
    case = case_of(driver)
    share = case.share / len(FaultPort.KINDS)
    faults = Faults(late_s=LATE_S, **dict.fromkeys(FaultPort.KINDS, share))  # type: ignore[arg-type]
    found = [_part(case, count // len(DOORS) + 1, faults, door, seed) for seed, door in enumerate(DOORS)]
    met, refused = sum(sum(part.met.values()) for part in found), sum(part.refused for part in found)
    wrong, made = sum(part.wrong for part in found), sum(part.right + part.wrong for part in found)
    return {
        "name": "wrong_readings",
        "workload": f"{driver}: {made} numbered readings, {met} faults met, {refused} readings refused",
        "against": "the emulated instrument's own count",
        "ours": float(wrong),
        "theirs": None,
        "unit": "readings",
        "ratio": None,
        "error": wrong / made,
        "asked": "0 wrong, and faults met",
        "holds": wrong == 0 and met > 0,
    }


def _part(case: DriverCase, count: int, faults: Faults, door: str, seed: int) -> Readings:
    return numbered_readings(case, count, faults, door, seed)


@contextmanager
def _record_server() -> Iterator[dict[str, str]]:
    words = [sys.executable, str(Path(__file__).with_name("_record_server.py"))]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()


def _speed(repeats: int) -> list[Row]:
    """A record of a million 16-bit points, from the driver's `read` to volts in an array; the best of some."""
    channel, trigger = ChannelEntry(1, 1, 1.0, "DC", 1e6, False), TriggerEntry("EXT", 1.5, "rising")
    rows: list[Row] = []
    with _record_server() as resources:
        for door, resource in resources.items():
            entry = ScopeEntry(
                "keysight-infiniivision", resource, "@py", 5.0, mode="normal", channels=(channel,), trigger=trigger
            )
            scope = KeysightInfiniiVision(VisaSession(resource, timeout_s=5.0), entry)
            times = []
            for _ in range(repeats + 1):
                begin = time.perf_counter()
                points = len(scope.read()[1].volts)
                times.append(time.perf_counter() - begin)
            scope.close()
            rows.append(_speed_row(door, points / min(times[1:]) / 1e6, points == POINTS))
    return rows


def _speed_row(door: str, rate: float, whole: bool) -> Row:
    bar = SPEED_BARS.get(door, 0.0)
    return {
        "name": "record_rate",
        "workload": f"{POINTS} points of 16 bits to volts through {door}",
        "against": "the bar" if bar else "nothing: for comparison",
        "ours": rate,
        "theirs": bar or None,
        "unit": "MS/s",
        "ratio": rate / bar if bar else None,
        "error": 0.0 if whole else 1.0,
        "asked": f">= {bar:g} MS/s",
        "holds": whole and rate >= bar,
    }


def _pymeasure() -> list[Row]:
    """pymeasure's own drivers, unmodified, against the emulated instruments."""
    try:
        from benchmarks._pymeasure_drivers import keithley_error, keysight_error
    except ImportError:
        return [_pymeasure_row("Keysight and Keithley drivers", None)]
    return [
        _pymeasure_row("KeysightDSOX1102G: set up, digitize, download, volts", keysight_error()),
        _pymeasure_row("Keithley2450: source 0.5 V, measure current, shut down", keithley_error()),
    ]


def _pymeasure_row(workload: str, error: float | None) -> Row:
    """`error` relative to the truth."""
    return {
        "name": "pymeasure_drivers",
        "workload": workload,
        "against": "pymeasure",
        "ours": 0.0 if error is None else error,
        "theirs": None,
        "unit": "1",
        "ratio": None,
        "error": error,
        "asked": "its own driver, unmodified, within 5 %",
        "holds": error is not None and error < 0.05,
    }
