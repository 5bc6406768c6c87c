"""`jackfield patch` from a model to turned knobs, with the machine emulated as a process behind a real port."""

import json
import subprocess
from pathlib import Path

import pytest
import torch

from jackfield.model import Architecture, KirchhoffNet, Listed, Recipe, TrainingFacts, packaged_plan, save_checkpoint
from jackfield.model import Checkpoint

from conftest import COMMAND, Jackfield
