"""jackfield: analog circuits trained in PyTorch, run on a programmable analog board."""

import os

__all__ = ["__version__"]

__version__ = "0.1.0"

# PyTorch's OpenMP threads spin while they wait and starve the kernel's own threads, threefold on busy cores.
# They read this once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
