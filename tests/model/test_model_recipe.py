import dataclasses

import pytest

from jackfield.board import to_toml
from jackfield.errors import DesignError
from jackfield.model import DIGITS_RECIPE, Recipe


def test_recipes_are_toml() -> None:
    assert Recipe.from_toml(to_toml(dataclasses.asdict(DIGITS_RECIPE))) == DIGITS_RECIPE


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epochs": 0}, "epochs = 0 must be above zero"),
        ({"noise": -0.1}, "noise = -0.1 must be zero or more"),
        ({"validation_share": 1.0}, "must lie between 0 and 1"),
        ({"epochs": 1.5}, "epochs = 1.5 is not of type int"),
        ({"warmth": 1}, "key warmth is unknown"),
    ],
)
def test_wrong_recipes_are_refused(change: dict[str, float], said: str) -> None:
    with pytest.raises(DesignError, match=said):
        Recipe.from_toml(to_toml(dataclasses.asdict(DIGITS_RECIPE) | change))


def test_text_that_is_no_toml_is_refused() -> None:
    with pytest.raises(DesignError, match="the recipe is not TOML"):
        Recipe.from_toml("epochs: 3")
