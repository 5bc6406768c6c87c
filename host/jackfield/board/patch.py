"""Machines that are wired and set by hand, and what is plugged and set on one: data, as TOML text and as a page."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, Self

from jackfield.board.canonical import canonical_json, to_toml
from jackfield.board.section import Section
from jackfield.errors import DesignError

__all__ = ["Cable", "PatchList", "PatchedMachine"]

_ADVICE = "the-analog-thing.toml explains each key"
_MADE = "make the file again with `jackfield patch page`"
_CABLE = re.compile(r"(.+?) to (.+?)(?: through potentiometer (\d+), asked (\S+), dial (\S+))?")


@dataclass(frozen=True)
class PatchedMachine:
    """What a machine has, by the numbers on its front; `k0_per_s` fast and slow, `tolerance` of a coefficient."""

    name: str
    doc: str
    integrators: int
    inverters: int
    multipliers: int
    potentiometers: int
    k0_per_s: tuple[float, float]
    input_gains: tuple[float, float]
    outputs: tuple[str, ...]
    tolerance: float
    digest: str = field(repr=False)

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """The machine that `text` describes; DesignError, naming the key, where something is missing or unknown."""
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise DesignError(f"the machine is not TOML: {error}; {_ADVICE}") from error
        top = Section(values, "", _ADVICE)
        fast, slow = top.numbers("k0_per_s", 2)
        one, ten = top.numbers("input_gains", 2)
        machine = cls(
            name=top.take("name", str),
            doc=top.take("doc", str),
            integrators=top.count("integrators"),
            inverters=top.count("inverters"),
            multipliers=top.count("multipliers"),
            potentiometers=top.count("potentiometers"),
            k0_per_s=(fast, slow),
            input_gains=(one, ten),
            outputs=tuple(str(jack) for jack in top.take("outputs", list)),
            tolerance=top.positive("tolerance"),
            digest=hashlib.sha256(canonical_json(values)).hexdigest(),
        )
        top.close()
        return machine


@dataclass(frozen=True)
class Cable:
    """One connection from a jack to another, through potentiometer `pot` (0: none).

    `asked` is the share that the circuit wants of it, `dial` what its knob is set to for that.
    """

    source: str
    destination: str
    pot: int = 0
    asked: float = 1.0
    dial: float = 1.0

    def __str__(self) -> str:
        if not self.pot:
            return f"{self.source} to {self.destination}"
        return (
            f"{self.source} to {self.destination} through potentiometer {self.pot}, asked {self.asked!r}, "
            f"dial {self.dial!r}"
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` wrote; DesignError where it is none."""
        found = _CABLE.fullmatch(text)
        if found is None:
            raise DesignError(f"{text!r} is no cable; {_MADE}")
        source, destination, pot, asked, dial = found.groups()
        return cls(source, destination, int(pot), float(asked), float(dial)) if pot else cls(source, destination)


@dataclass(frozen=True)
class PatchList:
    """All cables of a circuit on `machine`; voltages in full scales of the machine.

    `nodes` integrators are used at `k0_per_s`, OP lasts `op_ms`; `start` is what each shows in IC; `shown` are the
    integrators on the output jacks `outputs`, in their order. A full scale is `units_per_scale` machine units of the
    circuit, and OP `duration` units of its time.
    """

    machine: str
    machine_digest: str
    nodes: int
    k0_per_s: float
    op_ms: int
    duration: float
    units_per_scale: float
    slow: bool
    start: tuple[float, ...]
    shown: tuple[int, ...]
    outputs: tuple[str, ...]
    cables: tuple[Cable, ...]

    def to_toml(self) -> str:
        """As a file; cables as sentences, which a person can read."""
        values = {name: getattr(self, name) for name in _KEYS} | {"cables": [str(cable) for cable in self.cables]}
        return to_toml(values)

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """What `to_toml` wrote; DesignError where it is something else."""
        try:
            values: Mapping[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise DesignError(f"the patch file is not TOML: {error}; {_MADE}") from error
        top = Section(values, "", _MADE)
        kinds = {"nodes": int, "op_ms": int, "slow": bool, "start": list, "shown": list, "outputs": list}
        kinds |= {"machine": str, "machine_digest": str}
        found: dict[str, Any] = {name: top.take(name, kinds.get(name, float)) for name in _KEYS}
        cables = tuple(Cable.parse(str(line)) for line in top.take("cables", list))
        top.close()
        rows = {name: tuple(found[name]) for name in ("start", "shown", "outputs")}
        return cls(**(found | rows), cables=cables)

    def turned(self, gains: Mapping[int, float]) -> Self:
        """With knobs turned so that potentiometers give what is asked, where each gives `gains[pot]` times its dial.

        Raises DesignError where a knob would have to go beyond its end.
        """
        cables = []
        for cable in self.cables:
            dial = cable.asked / gains.get(cable.pot, cable.asked / cable.dial) if cable.pot else cable.dial
            if dial > 1:
                raise DesignError(
                    f"potentiometer {cable.pot} would have to be set to {dial:.3f}, 1 is possible; "
                    "make the patch list again with more seconds a unit"
                )
            cables.append(replace(cable, dial=dial))
        return replace(self, cables=tuple(cables))

    def page(self, title: str) -> str:
        """A printable page: one row a cable with a box to tick, then the run and what to check before it."""
        rows = "".join(
            f"<tr><td>&#9744;</td><td>{escape(c.source)}</td><td>{escape(c.destination)}</td>"
            f"<td>{f'potentiometer {c.pot}' if c.pot else ''}</td><td>{f'{c.dial:.3f}' if c.pot else ''}</td></tr>"
            for c in (*self.cables, *self._extra())
        )
        head = "<tr><th></th><th>from</th><th>to</th><th>through</th><th>set to</th></tr>"
        starts = ", ".join(f"integrator {n} shows {volts:+.3f}" for n, volts in enumerate(self.start, start=1))
        run = (
            "Set each potentiometer with its cables plugged, by the panel meter in COEFF. "
            f"Then check in IC: {starts}; where the sign is wrong, take the other of the jacks +1 and -1. "
            f"IC, then OP for {self.op_ms} ms, then HALT."
        )
        return (
            f"<!doctype html><meta charset='utf-8'><title>{escape(title)}</title>"
            "<style>table{border-collapse:collapse}td,th{border:1px solid;padding:.2em .6em}</style>"
            f"<h1>{escape(title)}: {escape(self.machine)}</h1><table>{head}{rows}</table><p>{run}</p>"
        )

    def _extra(self) -> list[Cable]:
        """Cables that set the speed and show nodes: no part of the equations."""
        slow = [Cable(f"SLOW of integrator {n}", f"output of integrator {n}") for n in range(1, self.nodes + 1)]
        jacks = [
            Cable(f"integrator {n}", f"output jack {jack}") for n, jack in zip(self.shown, self.outputs, strict=False)
        ]
        return [*(slow if self.slow else ()), *jacks]


_KEYS = (
    *("machine", "machine_digest", "nodes", "k0_per_s", "op_ms", "duration", "units_per_scale", "slow"),
    *("start", "shown", "outputs"),
)
