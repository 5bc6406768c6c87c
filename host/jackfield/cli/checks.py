"""The checks of `jackfield doctor`, one function each."""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

__all__ = ["Finding", "all_checks"]

ROOM_MB = 500


@dataclass(frozen=True)
class Finding:
    """What one check found; `needed` means that no board works without it."""

    name: str
    ok: bool
    found: str
    cure: str = ""
    needed: bool = True

    @property
    def mark(self) -> str:
        """A word for the first column."""
        return "ok" if self.ok else ("MISSING" if self.needed else "absent")


def all_checks(runs: Path) -> list[Finding]:
    """All findings on this machine; a check that fails in a way of its own is a finding too."""
    checks: tuple[Callable[[], Finding], ...] = (
        _python,
        _packages,
        _torch,
        _kernel,
        _ngspice,
        _ports,
        _port_rights,
        _visa,
        lambda: _folder(runs),
        lambda: _disk(runs),
    )
    return [_guarded(check) for check in checks]


def _guarded(check: Callable[[], Finding]) -> Finding:
    try:
        finding = check()
        return replace(finding, cure="") if finding.ok else finding
    except Exception as error:  # a doctor that dies of what it looks for helps nobody
        name = check.__name__.strip("_")
        return Finding(name, False, f"{type(error).__name__}: {error}", "install jackfield anew: pip install -e .")


def _python() -> Finding:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Finding("python", sys.version_info >= (3, 11), found, "install Python 3.11 or newer")


def _packages() -> Finding:
    wanted = [line for line in metadata.requires("jackfield") or [] if "extra ==" not in line]
    missing = [line for line in wanted if not _installed(line)]
    cure = "pip install " + " ".join(f"'{line}'" for line in missing)
    return Finding("packages", not missing, ", ".join(missing) or "all there", cure)


def _installed(requirement: str) -> bool:
    name, _, least = requirement.partition(">=")
    try:
        version = metadata.version(name.strip())
    except metadata.PackageNotFoundError:
        return False
    return _numbers(version) >= _numbers(least)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version.partition("+")[0])]


def _torch() -> Finding:
    import torch

    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU build"
    return Finding("torch", True, f"{torch.__version__}, {build}, {torch.get_num_threads()} threads")


def _kernel() -> Finding:
    import torch

    from jackfield.physics import Circuit, EdgeSet, Slice, integrate

    ones = torch.ones(1, dtype=torch.float64)
    edges = EdgeSet("conductance", torch.tensor([1]), torch.tensor([0]), {"gain": ones})
    circuit = Circuit(1, (Slice(1.0, (edges,)),), ones, torch.zeros_like(ones))
    begin = time.monotonic()
    answer = float(integrate(circuit, torch.ones(1, 1, dtype=torch.float64), steps=50)[-1, 0, 0])
    error = abs(answer - 0.36787944117144233)
    found = f"RC discharge off by {error:.1e}, first call {time.monotonic() - begin:.1f} s"
    return Finding("kernel", error < 1e-6, found, "remove the numba cache (NUMBA_CACHE_DIR or __pycache__) and repeat")


def _ngspice() -> Finding:
    path = shutil.which("ngspice")
    cure = "apt install ngspice, or brew install ngspice; only to run what `jackfield spice` writes"
    if path is None:
        return Finding("ngspice", False, "not on the path", cure, needed=False)
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    line = next((line for line in answer.stdout.splitlines() if "ngspice" in line.lower()), path)
    return Finding("ngspice", True, line.strip("* :"), needed=False)


def _ports() -> Finding:
    from jackfield.link import list_ports

    found = [str(port) for port in list_ports()]
    cure = "plug the board in, or use --bench 'emulator://jf96?profile=cmos&seed=7'"
    return Finding("serial ports", bool(found), ", ".join(found) or "none", cure, needed=False)


def _port_rights() -> Finding:
    devices = [path for pattern in ("ttyUSB*", "ttyACM*") for path in Path("/dev").glob(pattern)]
    barred = [str(path) for path in devices if not os.access(path, os.R_OK | os.W_OK)]
    cure = "sudo usermod -aG dialout $USER, then log in again"
    return Finding("port rights", not barred, ", ".join(barred) or "nothing barred", cure, needed=False)


def _visa() -> Finding:
    from jackfield.bench import visa_library

    found = f"pyvisa {metadata.version('pyvisa')} with pyvisa-py {metadata.version('pyvisa-py')}"
    return Finding("visa", True, f"{found} ({visa_library()})")


def _folder(runs: Path) -> Finding:
    there = runs.absolute()
    while not there.exists():
        there = there.parent
    try:
        with tempfile.TemporaryFile(dir=there):
            return Finding("run folder", True, f"{there} can be written")
    except OSError as error:
        return Finding("run folder", False, f"{there}: {error.strerror}", "change its rights or use --runs DIR")


def _disk(runs: Path) -> Finding:
    there = runs.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free / 1e6
    return Finding("disk", free > ROOM_MB, f"{free:,.0f} MB free", f"free {ROOM_MB} MB or use --runs DIR")
