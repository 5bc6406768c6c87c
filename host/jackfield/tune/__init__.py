"""Training with the board in the loop."""

from jackfield.tune.forward import HardwareForward, hardware_forward

__all__ = ["HardwareForward", "hardware_forward"]
