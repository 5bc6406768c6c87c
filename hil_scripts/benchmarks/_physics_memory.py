"""Peak memory of one forward and backward run, each side in a process of its own."""

import subprocess
import sys
from pathlib import Path

import torch
from benchmarks._physics_peers import ours, problem, published
from benchmarks._rows import Row

from jackfield.physics import fully_connected, mixed

__all__ = ["memory_row"]

SIDES = {"ours": ours, "published": published}


def memory_row(quick: bool) -> Row:
    """Bytes by which a run raises the peak of its process."""
    mine, theirs = (_measured(side, quick) for side in SIDES)
    bar = 2 if quick else 40
    topology = "48 nodes, fully connected" if quick else "794 nodes, 57306 edges"
    return {
        "name": "memory of forward and backward",
        "workload": f"{topology}, 4 steps of the 3/8 rule, batch 128, float32",
        "against": "published_layer_rk4",
        "ours": mine,
        "theirs": theirs,
        "unit": "bytes",
        "ratio": theirs / mine,
        "error": None,
        "asked": f"ratio >= {bar}",
        "holds": theirs / mine >= bar,
    }


def _measured(side: str, quick: bool) -> float:
    command = [sys.executable, "-m", "benchmarks._physics_memory", side, "quick" if quick else "full"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True)
    return float(done.stdout)


def _resident(peak: bool) -> int:
    """Bytes of this process in memory, now or at its peak since `_forget_peak`; Linux alone tells."""
    field = "VmHWM:" if peak else "VmRSS:"
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _main(side: str, size: str) -> None:
    torch.set_num_threads(2)
    SIDES[side](problem("warm", fully_connected(4, (1, 0)), 128, 1))()  # compiled code and pools are not the run's
    topology = fully_connected(48, (1, 0)) if size == "quick" else mixed(1, 28, 28, 3, 10, (1, 0))
    job = SIDES[side](problem("measured", topology, 128, 4))
    _forget_peak()
    before = _resident(peak=False)
    job()
    sys.stdout.write(f"{max(_resident(peak=True) - before, 4096)}\n")


if __name__ == "__main__":
    _main(*sys.argv[1:])
