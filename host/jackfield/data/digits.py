"""Handwritten digits of 8 x 8 pixels (UCI "Optical Recognition of Handwritten Digits"), shipped with scikit-learn."""

import numpy as np
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]

from jackfield.data.split import Split

__all__ = ["digits_split"]

_FULL_SCALE = 16.0
_HELD_OUT = 540


def digits_split() -> Split:
    """1,257 images to train on and 540 held out, stratified, always the same; pixels in [0, 1], row by row."""
    images, labels = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        (images / _FULL_SCALE).astype(np.float32),
        labels.astype(np.int64),
        test_size=_HELD_OUT,
        random_state=0,
        stratify=labels,
    )
    return Split(f"digits 8x8, test_size={_HELD_OUT}, random_state=0, stratified", x_train, y_train, x_test, y_test)
