"""bench.toml of an emulated bench: how its board and instruments are reached, and how they are wired."""

from collections.abc import Mapping
from pathlib import Path

from jackfield.board import BoardSpec
from jackfield.emulator.scope import CHANNELS

__all__ = ["bench_text"]


def bench_text(spec: BoardSpec, spec_file: Path, board: Mapping[str, str], scope: str, meter: str) -> str:
    """Probe n on channel n, the trigger jack on EXT, the meter on the reference jack.

    `board` has url and id; `scope` and `meter` are VISA resources.
    """
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
    return f"""[board]
url = {_quoted(board["url"])}
spec = {_quoted(str(spec_file))}
id = {_quoted(board["id"])}

[instruments.scope]
driver = "keysight-infiniivision"
resource = {_quoted(scope)}
backend = "@py"
timeout_s = 5
mode = "high-resolution"
{channels}
[instruments.scope.trigger]
source = "EXT"
level_V = {pulse.level_V!r}
slope = {_quoted(pulse.edge)}

[instruments.dmm]
driver = "keysight-34465a"
resource = {_quoted(meter)}
backend = "@py"
timeout_s = 5
jack = "reference"
nplc = 10

[conditions]
warm_up_min = 0
"""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
