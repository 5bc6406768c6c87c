"""The ladder: how well a network does from float to a calibrated board, with honest intervals."""

from jackfield.evaluate.answers import Answers, answers_of, ask_board
from jackfield.evaluate.ladder import RUNGS, Rung, confusion_matrix, ladder, score, wilson_interval
from jackfield.evaluate.model_outputs import model_outputs
from jackfield.evaluate.phasor_play import play_phasors
from jackfield.evaluate.play import Played, play
from jackfield.evaluate.trajectory import Trajectory, requested_trajectories, watch_nodes

__all__ = [
    "RUNGS",
    "Answers",
    "Played",
    "Rung",
    "Trajectory",
    "answers_of",
    "ask_board",
    "confusion_matrix",
    "ladder",
    "model_outputs",
    "play",
    "play_phasors",
    "requested_trajectories",
    "score",
    "watch_nodes",
    "wilson_interval",
]
