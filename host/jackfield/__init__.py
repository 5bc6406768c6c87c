"""jackfield: analog circuits trained in PyTorch, run on a programmable analog board."""

__all__ = ["__version__"]

__version__ = "0.1.0"
