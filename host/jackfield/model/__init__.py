"""Trainable circuits: KirchhoffNet, training inside a board's bounds, checkpoints."""

from jackfield.model.architecture import Architecture, FullyConnected, Listed, Mixed, Neighbour
from jackfield.model.bounds import Bounds
from jackfield.model.checkpoint import Checkpoint, TrainingFacts, load_checkpoint, save_checkpoint
from jackfield.model.fitting import FitRecipe, FitResult, fit
from jackfield.model.headroom import headroom_penalty
from jackfield.model.lane_models import MOONS_ARCHITECTURE, MOONS_RECIPE
from jackfield.model.network import KirchhoffNet
from jackfield.model.quantise import round_to_codes
from jackfield.model.recipe import DIGITS_ARCHITECTURE, DIGITS_RECIPE, Recipe
from jackfield.model.result import Accuracy, Epoch, TrainingResult
from jackfield.model.training import LabelledData, measure_accuracy, measure_largest_v, train

__all__ = [
    "DIGITS_ARCHITECTURE",
    "DIGITS_RECIPE",
    "MOONS_ARCHITECTURE",
    "MOONS_RECIPE",
    "Accuracy",
    "Architecture",
    "Bounds",
    "Checkpoint",
    "Epoch",
    "FitRecipe",
    "FitResult",
    "FullyConnected",
    "KirchhoffNet",
    "LabelledData",
    "Listed",
    "Mixed",
    "Neighbour",
    "Recipe",
    "TrainingFacts",
    "TrainingResult",
    "fit",
    "headroom_penalty",
    "load_checkpoint",
    "measure_accuracy",
    "measure_largest_v",
    "round_to_codes",
    "save_checkpoint",
    "train",
]
