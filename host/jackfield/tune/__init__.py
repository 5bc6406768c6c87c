"""Training with the board in the loop."""

from jackfield.tune.aware import AwareRecipe, draws_of_profile, draws_of_record, train_aware
from jackfield.tune.bench_plant import BenchPlant
from jackfield.tune.climb import Climb, Height, Starts, TuneRecipe, climb, tune_codes
from jackfield.tune.forward import HardwareForward, hardware_forward

__all__ = [
    "AwareRecipe",
    "BenchPlant",
    "Climb",
    "HardwareForward",
    "Height",
    "Starts",
    "TuneRecipe",
    "climb",
    "draws_of_profile",
    "draws_of_record",
    "hardware_forward",
    "train_aware",
    "tune_codes",
]
