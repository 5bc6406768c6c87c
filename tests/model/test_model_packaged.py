"""The trained model that comes with the package."""

import torch

from jackfield.board import BoardSpec
from jackfield.model import load_checkpoint, measure_largest_v, packaged_model, packaged_plan


def test_the_mnist_network_is_codes_of_its_board_and_stays_inside_the_rails(jf1024: BoardSpec) -> None:
    folder = packaged_model("mnist")
    assert folder is not None
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2_000_000
    read = load_checkpoint(folder)
    assert read.network.architecture == packaged_plan("mnist").architecture
    assert (read.facts.validation_n, read.facts.test_n) == (1_000, 10_000)
    assert read.facts.test_quantised_correct >= 9_910
    assert read.facts.largest_v <= 1.5
    read.check_board(jf1024)
    # A stroke and its mirror image, seen at 16 times a slice, do not come near the rails either.
    pictures = torch.zeros(2, 28, 28)
    pictures[0, 4:24, 12:15] = pictures[1, 12:15, 4:24] = 1.0
    assert measure_largest_v(read.network, pictures.view(2, 784), steps=16) <= 1.5
    assert int(read.network(pictures.view(2, 784))[0].argmax()) == 1


def test_an_unknown_name_is_none() -> None:
    assert packaged_model("letters") is None
    assert packaged_model("../recipes") is None
