"""Boards as objects: one driver a dialect."""

from jackfield.device.abk import AbkBoard
from jackfield.device.abk_template import AbkTemplate
from jackfield.device.abstract import AbstractBoard, BoardStatus, CommitReport, Hello, UploadReport
from jackfield.device.conformance import CheckResult
from jackfield.device.conformance_suite import conformance
from jackfield.device.dialects import board_class, connect
from jackfield.device.hybrid_port import CHANNEL_S, HybridLog, HybridPort, HybridStatus, longest_log
from jackfield.device.jackfield1 import Jackfield1Board
from jackfield.device.lucidac import LucidacBoard, LucidacProtoBoard

__all__ = [
    "CHANNEL_S",
    "AbkBoard",
    "AbkTemplate",
    "AbstractBoard",
    "BoardStatus",
    "CheckResult",
    "CommitReport",
    "Hello",
    "HybridLog",
    "HybridPort",
    "HybridStatus",
    "Jackfield1Board",
    "LucidacBoard",
    "LucidacProtoBoard",
    "UploadReport",
    "board_class",
    "conformance",
    "connect",
    "longest_log",
]
