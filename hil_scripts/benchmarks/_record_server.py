"""An oscilloscope that holds one record of a million points, in a process of its own; prints its resources as JSON."""

import json
import sys

import numpy as np

from jackfield.emulator import Faults, Loop, Randomness, serve_instrument

POINTS = 1_000_000
PREAMBLE = f"1,0,{POINTS},1,+1.0E-06,-1.0E-03,0,+6.25E-05,+0.0E+00,32768".encode()
TOLD = {
    "*IDN?": b"KEYSIGHT TECHNOLOGIES,DSOX3034T,RECORD,1",
    ":WAVeform:PREamble?": PREAMBLE,
    "*ESE?": b"0",
}


class Record:
    """Answers what a driver asks while it reads."""

    overload_next = False
    status_byte = 0

    def __init__(self) -> None:
        codes = np.arange(POINTS) % 50_000 + 1_000
        self._block = b"#8%08d" % (2 * POINTS) + codes.astype("<u2").tobytes()

    @property
    def core(self) -> "Record":
        return self

    def execute(self, message: str) -> bytes | None:
        """One line's answer."""
        return self._block if message == ":WAVeform:DATA?" else TOLD.get(message)


def main() -> None:
    """Serve until standard input ends."""
    loop = Loop()
    resources, _ = serve_instrument(loop, Record(), Faults(), Randomness("record", "ideal", 1), "record")
    loop.watch(sys.stdin.fileno(), loop.stop)
    sys.stdout.write(json.dumps(resources) + "\n")
    sys.stdout.flush()
    loop.run()


if __name__ == "__main__":
    main()
