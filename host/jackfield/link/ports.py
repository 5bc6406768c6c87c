"""Which serial ports there are."""

from dataclasses import dataclass

from serial.tools import list_ports as pyserial_ports

__all__ = ["PortInfo", "list_ports"]


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
