import numpy as np
import pytest

from jackfield.data import Split
from jackfield.errors import DesignError


def test_split_counts_inputs_and_classes() -> None:
    split = Split("toy", np.zeros((3, 2), np.float32), np.array([0, 1, 4]), np.ones((1, 2), np.float32), np.array([2]))
    assert (split.inputs, split.classes) == (2, 5)


def test_split_refuses_inputs_without_labels() -> None:
    with pytest.raises(DesignError, match=r"test part of toy has inputs \(2, 2\) and labels \(1,\)"):
        Split("toy", np.zeros((3, 2), np.float32), np.zeros(3, int), np.ones((2, 2), np.float32), np.zeros(1, int))
