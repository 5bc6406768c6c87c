"""bench.toml of an emulated bench: how its board and instruments are reached, and how they are wired."""

from collections.abc import Collection, Mapping
from pathlib import Path

from jackfield.board import BoardSpec
from jackfield.emulator.instruments import scope_class
from jackfield.emulator.scope import CHANNELS

__all__ = ["bench_text"]


def bench_text(
    spec: BoardSpec,
    spec_file: Path,
    board: Mapping[str, str],
    resources: Mapping[str, str],
    scope: str,
    extra: Collection[str],
) -> str:
    """Probe n on channel n, the trigger jack on the trigger input, the meter on the reference jack.

    `board` has url and id, `resources` the VISA resources of scope, dmm, scanner and smu; `scope` is the driver's
    name, `extra` of scanner and smu those that the bench file shall have.
    """
    scanner = _scanner(spec, resources["scanner"]) if "scanner" in extra else ""
    smu = _smu(resources["smu"]) if "smu" in extra else ""
    return f"""[board]
url = {_quoted(board["url"])}
spec = {_quoted(str(spec_file))}
id = {_quoted(board["id"])}
patience_s = 120
{_scope(spec, resources["scope"], scope)}
[instruments.dmm]
driver = "keysight-34465a"
resource = {_quoted(resources["dmm"])}
backend = "@py"
timeout_s = 5
jack = "reference"
nplc = 10
{scanner}{smu}
[conditions]
warm_up_min = 0
"""


def _scope(spec: BoardSpec, resource: str, driver: str) -> str:
    pulse = spec.probe.trigger
    channels = "".join(
        f"""
[[instruments.scope.channels]]
channel = {n}
board_probe = {n}
attenuation = 1
coupling = "DC"
impedance_ohm = 1e6
bandwidth_limit = true
"""
        for n in range(1, min(spec.probe.count, CHANNELS) + 1)
    )
    return f"""
[instruments.scope]
driver = {_quoted(driver)}
resource = {_quoted(resource)}
backend = "@py"
timeout_s = 5
mode = "high-resolution"
{channels}
[instruments.scope.trigger]
source = "{scope_class(driver).trigger_input.replace("CHAN", "CH")}"
level_V = {pulse.level_V!r}
slope = {_quoted(pulse.edge)}
"""


def _scanner(spec: BoardSpec, resource: str) -> str:
    jacks = ["reference", *(f"probe {n}" for n in range(1, spec.probe.count + 1))]
    channels = "".join(
        f"""
[[instruments.scanner.channels]]
channel = {101 + number}
jack = "{jack}"
"""
        for number, jack in enumerate(jacks)
    )
    return f"""
[instruments.scanner]
driver = "keysight-daq970a"
resource = {_quoted(resource)}
nplc = 10
{channels}"""


def _smu(resource: str) -> str:
    return f"""
[instruments.smu]
driver = "keithley-2450"
resource = {_quoted(resource)}
limit_A = 2e-3
limit_V = 1.0
"""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
