"""Boards as objects: one driver a dialect."""

from jackfield.device.abstract import AbstractBoard, BoardStatus, CommitReport, Hello, UploadReport
from jackfield.device.dialects import board_class, connect
from jackfield.device.jackfield1 import Jackfield1Board

__all__ = [
    "AbstractBoard",
    "BoardStatus",
    "CommitReport",
    "Hello",
    "Jackfield1Board",
    "UploadReport",
    "board_class",
    "connect",
]
