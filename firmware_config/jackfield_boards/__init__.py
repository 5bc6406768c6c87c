"""Board specs, the wire protocol and golden frames, as package data."""

from pathlib import Path

__all__ = ["spec_folder"]


def spec_folder() -> Path:
    """The folder that holds the reference boards' specs (entry point `jackfield.board`)."""
    return Path(__file__).parent
