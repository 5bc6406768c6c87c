"""Puts an image on the board of a bench: `python hil_scripts/upload_image.py IMAGE.jfi BENCH`.

BENCH is a bench file or emulator://jf96?profile=cmos&seed=7. The board is left safe; it keeps the image.
"""

import sys

from jackfield.compile import CompiledCircuit
from jackfield.session import open_bench


def main(image: str, bench: str) -> None:
    """Upload, read back, say what was sent."""
    with open_bench(bench) as opened:
        report = opened.board.apply(CompiledCircuit.load(image, opened.spec).image)
    sys.stdout.write(f"{report.kind}: {report.bytes} bytes in {report.seconds:.2f} s, verified {report.verified}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
