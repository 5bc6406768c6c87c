"""Which serial ports there are, and where an adapter is plugged in now."""

import os
from dataclasses import dataclass

from serial.tools import list_ports as pyserial_ports

__all__ = ["PortInfo", "adapter_of", "list_ports", "port_of"]


@dataclass(frozen=True)
class PortInfo:
    """A serial port: its path, what the operating system says of it, the adapter's serial number or ""."""

    path: str
    description: str
    serial_number: str

    def __str__(self) -> str:
        details = ", ".join(part for part in (self.description, self.serial_number) if part)
        return f"{self.path} ({details})" if details else self.path


def list_ports() -> tuple[PortInfo, ...]:
    """Serial ports in order of their paths; pseudo-terminals are never listed."""
    found = (PortInfo(p.device, p.description or "", p.serial_number or "") for p in pyserial_ports.comports())
    return tuple(sorted(found, key=lambda port: port.path))


def adapter_of(path: str) -> str:
    """The USB serial number of the adapter behind a port, "" where it has none."""
    here = os.path.realpath(path)
    return next((port.serial_number for port in list_ports() if os.path.realpath(port.path) == here), "")


def port_of(serial_number: str) -> str:
    """The port of the adapter with this USB serial number, "" where it is not plugged in."""
    return next((port.path for port in list_ports() if serial_number and port.serial_number == serial_number), "")
