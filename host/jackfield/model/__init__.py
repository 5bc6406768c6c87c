"""Trainable circuits: KirchhoffNet, training inside a board's bounds, checkpoints."""

from jackfield.model.architecture import Architecture, FullyConnected, Listed, Mixed, Neighbour
from jackfield.model.bounds import Bounds
from jackfield.model.checkpoint import Checkpoint, TrainingFacts, load_checkpoint, save_checkpoint
from jackfield.model.density import KirchhoffDensity
from jackfield.model.density_checkpoint import DensityCheckpoint, DensityFacts, load_density, save_density
from jackfield.model.density_training import (
    DensityPlan,
    DensityRecipe,
    Likelihood,
    measure_likelihood,
    train_density,
)
from jackfield.model.fitting import FitFacts, FitPlan, FitRecipe, FitResult, fit, fit_error
from jackfield.model.headroom import headroom_penalty
from jackfield.model.measure import measure_accuracy, measure_largest_v
from jackfield.model.network import KirchhoffNet
from jackfield.model.packaged import packaged_model
from jackfield.model.phasor_net import PhasorErrors, PhasorNet, round_phasor_weights, similarity
from jackfield.model.phasor_runs import (
    largest_sums,
    neurons_alike,
    phasor_matrices,
    run_continuous,
    run_layers,
    run_spikes,
    spike_trains,
    spike_turns,
)
from jackfield.model.phasor_training import (
    PHASOR_BEST,
    PHASOR_PUBLISHED,
    PHASOR_TWO_EPOCHS,
    PhasorRecipe,
    measure_phasor_accuracy,
    train_phasor,
)
from jackfield.model.quantise import round_to_codes
from jackfield.model.recipe import (
    DIGITS_ARCHITECTURE,
    DIGITS_RECIPE,
    MOONS_ARCHITECTURE,
    MOONS_RECIPE,
    Plan,
    Recipe,
    packaged_plan,
)
from jackfield.model.result import Accuracy, Epoch, TrainingResult
from jackfield.model.training import LabelledData, train

__all__ = [
    "DIGITS_ARCHITECTURE",
    "DIGITS_RECIPE",
    "MOONS_ARCHITECTURE",
    "MOONS_RECIPE",
    "PHASOR_BEST",
    "PHASOR_PUBLISHED",
    "PHASOR_TWO_EPOCHS",
    "Accuracy",
    "Architecture",
    "Bounds",
    "Checkpoint",
    "DensityCheckpoint",
    "DensityFacts",
    "DensityPlan",
    "DensityRecipe",
    "Epoch",
    "FitFacts",
    "FitPlan",
    "FitRecipe",
    "FitResult",
    "FullyConnected",
    "KirchhoffDensity",
    "KirchhoffNet",
    "LabelledData",
    "Likelihood",
    "Listed",
    "Mixed",
    "Neighbour",
    "PhasorErrors",
    "PhasorNet",
    "PhasorRecipe",
    "Plan",
    "Recipe",
    "TrainingFacts",
    "TrainingResult",
    "fit",
    "fit_error",
    "headroom_penalty",
    "largest_sums",
    "load_checkpoint",
    "load_density",
    "measure_accuracy",
    "measure_largest_v",
    "measure_likelihood",
    "measure_phasor_accuracy",
    "neurons_alike",
    "packaged_model",
    "packaged_plan",
    "phasor_matrices",
    "round_phasor_weights",
    "round_to_codes",
    "run_continuous",
    "run_layers",
    "run_spikes",
    "save_checkpoint",
    "save_density",
    "similarity",
    "spike_trains",
    "spike_turns",
    "train",
    "train_density",
    "train_phasor",
]
