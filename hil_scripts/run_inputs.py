"""Runs inputs through an image: `python hil_scripts/run_inputs.py IMAGE.jfi INPUTS.npy OUTPUTS.npz BENCH`.

INPUTS is `[input, input node]` in the model's units; OUTPUTS gets `volts` and `se_V` `[input, output node]`, and
`valid`, which is neither clipped nor railed.
"""

import sys

import numpy as np

from jackfield.compile import CompiledCircuit
from jackfield.evaluate import ask_board
from jackfield.session import open_bench


def main(image: str, inputs: str, outputs: str, bench: str) -> None:
    """Upload, run, save."""
    with open_bench(bench) as opened:
        compiled = CompiledCircuit.load(image, opened.spec)
        opened.board.apply(compiled.image)
        answers = ask_board(opened, compiled, np.load(inputs), record=None)
    np.savez(outputs, volts=answers.shown_V, se_V=answers.se_V, valid=answers.valid)


if __name__ == "__main__":
    main(*sys.argv[1:])
