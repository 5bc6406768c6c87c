import dataclasses
from typing import Any

import pytest

from jackfield.board import to_toml
from jackfield.errors import DesignError
from jackfield.model import DIGITS_ARCHITECTURE, DIGITS_RECIPE, Plan, packaged_plan


def text(**changes: Any) -> str:
    recipe = dataclasses.asdict(DIGITS_RECIPE) | changes
    return to_toml({"board": "jf96", "architecture": DIGITS_ARCHITECTURE.to_table(), "recipe": recipe})


def test_recipe_files_are_toml() -> None:
    assert Plan.from_toml(text()) == packaged_plan("digits")


def test_the_published_network_is_in_the_package() -> None:
    plan = packaged_plan("mnist")
    assert plan.board == "jf1024"
    assert (plan.architecture.nodes, len(plan.architecture.topology)) == (834, 230_068)
    assert plan.architecture.grid == (1, 28, 28)
    with pytest.raises(DesignError, match="no recipe 'letters'; the package has density, digits, mnist"):
        packaged_plan("letters")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epochs": 0}, "epochs = 0 must be above zero"),
        ({"noise": -0.1}, "noise = -0.1 must be zero or more"),
        ({"validation_share": 1.0}, "must lie between 0 and 1"),
        ({"average": 1.0}, "average = 1.0 must be zero or more and below 1"),
        ({"snapshots": 3}, "3 snapshots are asked of a slice of 4 steps"),
        ({"epochs": 1.5}, "epochs = 1.5 is not of type int"),
        ({"warmth": 1}, "key warmth is unknown"),
    ],
)
def test_wrong_recipes_are_refused(change: dict[str, float], said: str) -> None:
    with pytest.raises(DesignError, match=said):
        Plan.from_toml(text(**change))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("epochs: 3", "the recipe is not TOML"),
        ('board = "jf96"\n', "key architecture is missing"),
        (text().replace('board = "jf96"', "board = 96"), "board = 96 is not a name"),
        (text().replace("[recipe]", "[[recipe]]"), "is not a table"),
    ],
)
def test_text_that_is_no_recipe_file_is_refused(wrong: str, said: str) -> None:
    with pytest.raises(DesignError, match=said):
        Plan.from_toml(wrong)
