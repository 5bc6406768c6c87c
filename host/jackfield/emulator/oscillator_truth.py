"""What was drawn of a board of resonators, for scoring; only tests and benchmarks read this."""

import json

from jackfield.emulator.oscillator import OscillatorBoard

__all__ = ["oscillator_truth_json"]


def oscillator_truth_json(board: OscillatorBoard) -> str:
    """One JSON text: `detuning` and `quality` (relative), `phase_rad` by neuron, `gain_scale` [neuron][channel]."""
    draws = board.draws
    values = {
        "spec": board.spec.name,
        "spec_digest": board.spec.digest,
        "profile": board.randomness.profile,
        "seed": board.randomness.seed,
        "detuning": draws.detuning.tolist(),
        "quality": draws.quality.tolist(),
        "phase_rad": draws.phase_rad.tolist(),
        "gain_scale": draws.gain_scale.tolist(),
    }
    return json.dumps(values, sort_keys=True, allow_nan=False)
