"""How long records take on a bench: what a plan can say before anything is connected.

Bytes over the serial line, instrument exchanges over their interface, the board's own schedule, the transfer of
samples. Latencies and rates of the interfaces are round numbers for instruments of this kind; a bench can be slower.
"""

from dataclasses import dataclass
from typing import Self

from jackfield.bench.bench import record_samples
from jackfield.bench.benchfile import BenchFile
from jackfield.board import BoardSpec, RunProgram, schedule

__all__ = ["BenchTime"]

# By the resource name's beginning: seconds an exchange, bytes a second.
_INTERFACES = {"TCPIP": (2e-3, 4e6), "USB": (1e-3, 8e6), "GPIB": (4e-3, 3e5), "ASRL": (10e-3, 1e4)}
_EXCHANGES_A_RECORD, _EXCHANGES_A_CHANNEL = 5, 2
_REARM_S = 15e-3  # an oscilloscope of the bench class between :SINGle and armed, and from trigger to readable
_BYTES_A_SAMPLE = 2
_BITS_A_BYTE = 10  # on the serial line, start and stop bit with it
_LINE_FREQUENCY_HZ = 50.0


@dataclass(frozen=True)
class BenchTime:
    """Seconds that things take on one bench: `baud` of the board, the oscilloscope's interface, the meter's reading."""

    spec: BoardSpec
    baud: int
    exchange_s: float
    bytes_a_second: float
    meter_s: float

    @classmethod
    def of(cls, spec: BoardSpec, file: BenchFile | None = None) -> Self:
        """For the bench that `file` describes; None: instruments on a network, a meter over ten line cycles."""
        resource = "TCPIP" if file is None or file.scope is None else file.scope.resource.upper()
        kind = next((name for name in _INTERFACES if resource.startswith(name)), "TCPIP")
        cycles = 10.0 if file is None else 0.0 if file.dmm is None else file.dmm.nplc
        return cls(spec, max(spec.link.baud), *_INTERFACES[kind], 2 * cycles / _LINE_FREQUENCY_HZ)  # autozero doubles

    def record_s(self, program: RunProgram, upload_bytes: int) -> float:
        """One record: `upload_bytes` of settings, sent and read back, and inputs; run and scans; samples fetched."""
        spec, probes = self.spec, self.spec.probe.count
        inputs = program.count * spec.nodes.count * ((spec.nodes.preset.bits + 7) // 8)
        line = (2 * upload_bytes + inputs) * _BITS_A_BYTE / self.baud
        exchanges = (_EXCHANGES_A_RECORD + _EXCHANGES_A_CHANNEL * probes) * self.exchange_s
        samples = record_samples(spec, program) * probes * _BYTES_A_SAMPLE / self.bytes_a_second
        return line + exchanges + _REARM_S + schedule(spec, program).total_s + samples
