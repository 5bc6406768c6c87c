"""Runs inputs through an image: `python hil_scripts/run_inputs.py IMAGE.jfi INPUTS.npy OUTPUTS.npz BENCH`.

INPUTS is `[input, input node]` in the model's units; OUTPUTS gets `volts` and `se_V` `[input, output node]`, and
`valid`, which is neither clipped nor railed.
"""

import sys

import numpy as np

from jackfield.compile import CompiledPasses
from jackfield.evaluate import answers_of, play
from jackfield.session import open_bench


def main(image: str, inputs: str, outputs: str, bench: str) -> None:
    """Upload, run, save."""
    with open_bench(bench) as opened:
        compiled = CompiledPasses.load(image, opened.spec)
        measured = play(opened, compiled, np.load(inputs)).measured
        answers = answers_of(measured, compiled.passes[-1], record=None)
    np.savez(outputs, volts=answers.shown_V, se_V=answers.se_V, valid=answers.valid)


if __name__ == "__main__":
    main(*sys.argv[1:])
