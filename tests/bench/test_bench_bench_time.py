"""What a plan says of a bench's time: sums of what can be worked out by hand, longer on slower interfaces."""

import pytest

from jackfield.bench import BenchTime, parse_bench
from jackfield.board import BoardSpec, RunProgram, schedule

TEXT = """
[board]
url = "serial:///dev/ttyUSB0"
spec = "jf16"
[instruments.scope]
driver = "keysight-infiniivision"
resource = "{resource}"
[[instruments.scope.channels]]
channel = 1
board_probe = 1
[instruments.scope.trigger]
source = "EXT"
level_V = 1.5
slope = "rising"
"""


def test_a_byte_more_costs_its_bits_twice(jf16: BoardSpec) -> None:
    program = RunProgram(((0, 50),), ((1, 2), (3, 4)), count=4)
    times = BenchTime.of(jf16)
    more = times.record_s(program, 100) - times.record_s(program, 0)
    assert more == pytest.approx(2 * 100 * 10 / max(jf16.link.baud))  # sent and read back, ten bits each


def test_a_record_takes_at_least_its_schedule_and_its_samples(jf16: BoardSpec) -> None:
    program = RunProgram(((0, 50),), ((1, 2), (3, 4)), count=4)
    times = BenchTime.of(jf16)
    samples = 10_000  # the shortest record, of both probes, two bytes each
    assert times.record_s(program, 0) > schedule(jf16, program).total_s + 2 * 2 * samples / times.bytes_a_second
    assert 0.02 < times.record_s(program, 200) < 0.2


def test_a_slow_interface_is_slow(jf16: BoardSpec) -> None:
    program = RunProgram(((0, 50),), ((1, 2), (3, 4)), count=4)
    names = ("USB0::0x0957::0x17A6::MY1::INSTR", "TCPIP::h::hislip0::INSTR", "GPIB0::7::INSTR")
    files = [parse_bench(TEXT.format(resource=name)) for name in names]
    seconds = [BenchTime.of(jf16, file).record_s(program, 200) for file in files]
    assert seconds == sorted(seconds)
    assert BenchTime.of(jf16, files[0]).meter_s == 0  # this bench has none
