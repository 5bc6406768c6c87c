"""Boards as objects: one driver a dialect."""

from jackfield.device.abstract import AbstractBoard, BoardStatus, Hello, UploadReport
from jackfield.device.dialects import board_class, connect
from jackfield.device.jackfield1 import Jackfield1Board

__all__ = [
    "AbstractBoard",
    "BoardStatus",
    "Hello",
    "Jackfield1Board",
    "UploadReport",
    "board_class",
    "connect",
]
