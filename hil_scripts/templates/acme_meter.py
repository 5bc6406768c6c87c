"""A driver for an instrument that jackfield does not know, whole in one file: copy it and change what is marked.

A driver is a class that is made of (session, entry) and has an `idn_pattern`. Register it in your package's
pyproject.toml and it can stand in a bench file as `driver = "acme-4000"`; `jackfield bench init` knows it too:

    [project.entry-points."jackfield.instrument"]
    acme-4000 = "acme_meter:Acme4000"

The session brings deadlines, a lock, a log and getting into step again after a fault. Three rules are yours:

- settings are known only for the `session.generation` in which they were sent: send them again in another one;
- after settings read the error queue, which `session.configure` does;
- what is no reading (overload, out of range, not a number) is an InstrumentError and never a value.

A scope derives from AbstractScpiScope, a scanner from AbstractScanner, a source from AbstractSource. Whether a driver
keeps the rules is found out by the suite, on an instrument that you emulate in a few lines:

    python acme_meter.py
"""

import sys
from typing import ClassVar, final

from jackfield.bench import AbstractVoltmeter, MeterEntry, VisaSession
from jackfield.errors import InstrumentError

__all__ = ["Acme4000"]

OVERLOAD_V = 1e9  # CHANGE: what the manual says it sends on overload


@final
class Acme4000(AbstractVoltmeter):
    """CHANGE: the instrument; its manual and chapter."""

    idn_pattern: ClassVar[str] = r"^acme,\s*4000"  # CHANGE: matched against *IDN?, whatever the case

    def __init__(self, session: VisaSession, entry: MeterEntry) -> None:
        self._session = session
        self._entry = entry
        self._configured = 0
        session.identify(self.idn_pattern)

    @property
    def identity(self) -> str:
        """The answer to `*IDN?`."""
        return self._session.identity

    def read_volts(self) -> float:
        """One reading in volts; raises InstrumentError on overload."""
        if self._configured != self._session.generation:
            self._session.configure("RANGE 1", f"NPLC {self._entry.nplc:g}")  # CHANGE
            self._configured = self._session.generation
        volts = self._session.query_number("VOLT?")  # CHANGE
        if not abs(volts) < OVERLOAD_V:
            raise InstrumentError(f"the meter on jack {self._entry.jack!r} is overloaded; check its cable")
        return volts

    def close(self) -> None:
        """Leave the instrument; never raises."""
        self._session.close()


class _Emulated:
    """CHANGE: the instrument for the suite, in a few lines; each reading carries the number of its jack's look."""

    def __init__(self) -> None:
        from jackfield.emulator import Command, ScpiCore
        from jackfield.testing.numbered import NumberedVolts

        self.overload_next = False
        self.jack = NumberedVolts()
        commands = {
            "RANGe": Command(lambda suffixes, arguments: None, 1, 1),
            "NPLC": Command(lambda suffixes, arguments: None, 1, 1),
            "VOLT?": Command(lambda suffixes, arguments: self._reading()),
        }
        self.core = ScpiCore("ACME,4000,SN1,1.0", commands, lambda: None)

    def _reading(self) -> str:
        volts, _ = self.jack()
        overloaded, self.overload_next = self.overload_next, False
        return f"{OVERLOAD_V if overloaded else volts:.6e}"


def main() -> int:
    """Hold the driver against the suite; exit status 1 where something is wrong."""
    from jackfield.testing.driver_suite import TIMEOUT_S, DriverCase, check_driver

    emulated, entry = _Emulated(), MeterEntry("acme-4000", "", "@py", TIMEOUT_S, "reference", 1.0)
    case = DriverCase(
        name="acme-4000",
        instrument=emulated,
        make=lambda session: Acme4000(session, entry),
        read=lambda meter: emulated.jack.number_of(meter.read_volts()),
        issued=lambda: emulated.jack.number,
    )
    problems = check_driver(case)
    sys.stdout.write("".join(f"{problem}\n" for problem in problems) or "the driver passes the suite\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
