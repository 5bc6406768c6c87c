"""Run folders with every reading on disk before it is used, in plain SQL; record folders written whole."""

from jackfield.journal.record import load_record, record_history, replace_record, save_record
from jackfield.journal.run import Run

__all__ = ["Run", "load_record", "record_history", "replace_record", "save_record"]
