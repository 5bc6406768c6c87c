"""Training with the board in the loop."""

from jackfield.tune.aware import AwareRecipe, draws_of_profile, draws_of_record, train_aware
from jackfield.tune.bench_plant import BenchPlant
from jackfield.tune.climb import Climb, Height, Starts, TuneRecipe, climb, tune_codes
from jackfield.tune.estimator import Estimate, Estimator, Nudge, asymmetry
from jackfield.tune.fixed_point import CenteredPropagation, CoupledLearning, LockInPropagation, OneSidedPropagation
from jackfield.tune.forward import HardwareForward, hardware_forward
from jackfield.tune.learn import LearnRecipe, learn
from jackfield.tune.network_gradients import (
    live_nudge,
    node_fluxes,
    phase_conjugated_error,
    reversed_replay,
    time_reversed_error,
)
from jackfield.tune.physics_plant import PhysicsPlant, Reading, with_parameters
from jackfield.tune.plant import Ability, Parameters, Plant, Settled
from jackfield.tune.replay import CompensatedReplay

__all__ = [
    "Ability",
    "AwareRecipe",
    "BenchPlant",
    "CenteredPropagation",
    "Climb",
    "CompensatedReplay",
    "CoupledLearning",
    "Estimate",
    "Estimator",
    "HardwareForward",
    "Height",
    "LearnRecipe",
    "LockInPropagation",
    "Nudge",
    "OneSidedPropagation",
    "Parameters",
    "PhysicsPlant",
    "Plant",
    "Reading",
    "Settled",
    "Starts",
    "TuneRecipe",
    "asymmetry",
    "climb",
    "draws_of_profile",
    "draws_of_record",
    "hardware_forward",
    "learn",
    "live_nudge",
    "node_fluxes",
    "phase_conjugated_error",
    "reversed_replay",
    "time_reversed_error",
    "train_aware",
    "tune_codes",
    "with_parameters",
]
