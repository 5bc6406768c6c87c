"""bench.toml, well and badly written."""

import pytest

from jackfield.bench import parse_bench
from jackfield.errors import DesignError

WHOLE = """
[board]
url = "serial:///dev/serial/by-id/usb-0007"
spec = "jf16"
id = "5A31-0007"
[instruments.scope]
driver = "keysight-infiniivision"
resource = "TCPIP::192.168.1.20::hislip0::INSTR"
backend = "@py"
timeout_s = 5
mode = "high-resolution"
[[instruments.scope.channels]]
channel = 1
board_probe = 1
attenuation = 1
coupling = "DC"
impedance_ohm = 1e6
bandwidth_limit = true
[[instruments.scope.channels]]
channel = 3
board_probe = 2
[instruments.scope.trigger]
source = "EXT"
level_V = 1.5
slope = "rising"
[instruments.dmm]
driver = "keysight-34465a"
resource = "TCPIP::192.168.1.21::hislip0::INSTR"
jack = "reference"
nplc = 10
[instruments.smu]
driver = "some-smu"
resource = "TCPIP::192.168.1.22::inst0::INSTR"
limit_A = 1e-3
limit_V = 2
[conditions]
warm_up_min = 30
"""


def test_a_whole_file() -> None:
    bench = parse_bench(WHOLE)
    assert (bench.board.url, bench.board.spec, bench.board.board_id) == (
        "serial:///dev/serial/by-id/usb-0007",
        "jf16",
        "5A31-0007",
    )
    channels = [(c.channel, c.board_probe, c.bandwidth_limit) for c in bench.scope.channels]
    assert channels == [(1, 1, True), (3, 2, False)]
    assert bench.scope.trigger.level_V == 1.5
    assert bench.dmm is not None
    assert (bench.dmm.backend, bench.dmm.timeout_s, bench.dmm.nplc) == ("@py", 5.0, 10.0)
    assert bench.smu is not None
    assert (bench.smu.limit_A, bench.smu.limit_V) == (1e-3, 2.0)
    assert bench.warm_up_min == 30


def test_meter_source_and_conditions_may_be_missing() -> None:
    bench = parse_bench(WHOLE[: WHOLE.index("[instruments.dmm]")])
    assert (bench.dmm, bench.smu, bench.warm_up_min) == (None, None, 0.0)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            'slope = "rising"',
            'slop = "rising"',
            "trigger: key slope is missing; firmware_config/BRINGUP.md has",
        ),
        ("nplc = 10", "nplc = 10\nrange = 1", "dmm: key range is unknown; known are .*driver.*nplc"),
        ("[conditions]", "[weather]\nrain = 1\n[conditions]", "key weather is unknown; known are instruments"),
        ("[instruments.dmm]", "[instruments.meter]", "key meter is unknown; known are scope, dmm, scanner, smu"),
        ("limit_A = 1e-3", "", "has no limit_A; a source drives nothing without limit_A and limit_V"),
        ('coupling = "DC"', 'coupling = "GND"', "coupling = 'GND'; give one of DC, AC"),
        ("level_V = 1.5", 'level_V = "1.5 V"', "level_V = '1.5 V'; give a number"),
        ("channel = 3", "channel = 1", r"channel = \[1, 1\] names one twice"),
        ("channel = 3", "channel = 0", "channel = 0; give an integer of 1 or more"),
        ("timeout_s = 5", "timeout_s = 0", "timeout_s = 0.0; give 0.01 or more"),
        ("bandwidth_limit = true", "bandwidth_limit = 1", "bandwidth_limit = 1; give true or false"),
        ('jack = "reference"', 'jack = "front"', "jack = 'front'; give one of reference"),
        ('spec = "jf16"', "spec = 16", "spec = 16; give a text in quotes"),
        ("[board]", "[board", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, complaint: str) -> None:
    assert old in WHOLE
    with pytest.raises(DesignError, match=complaint):
        parse_bench(WHOLE.replace(old, new, 1))
