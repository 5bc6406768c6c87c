"""Calibration of a board: routines, estimators, verification."""

__all__: list[str] = []
