import numpy as np

from jackfield.data import digits_split


def test_digits_are_the_agreed_split() -> None:
    split = digits_split()
    assert split.x_train.shape == (1257, 64)
    assert split.x_test.shape == (540, 64)
    assert (split.inputs, split.classes) == (64, 10)
    assert split.x_train.dtype == np.float32
    assert split.y_train.dtype == np.int64
    assert split.x_train.min() == 0.0
    assert split.x_train.max() == 1.0
    counts = np.bincount(split.y_test)
    assert counts.min() >= 52  # stratified: every digit holds its tenth
    assert counts.max() <= 56


def test_digits_are_the_same_each_time_and_do_not_overlap() -> None:
    one, two = digits_split(), digits_split()
    assert np.array_equal(one.x_test, two.x_test)
    train = {image.tobytes() for image in one.x_train}
    assert not train & {image.tobytes() for image in one.x_test}
