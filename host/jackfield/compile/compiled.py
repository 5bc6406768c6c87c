"""A circuit ready for a board."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jackfield.board import BoardSpec, ConfigImage, RunProgram, hold_times
from jackfield.compile.jfi import ImageFile, read_image_file, write_image_file
from jackfield.compile.place import Placement
from jackfield.compile.report import QuantisationReport
from jackfield.compile.scaling import Scaling
from jackfield.errors import DesignError
from jackfield.units import format_quantity

__all__ = ["CompiledCircuit"]


@dataclass(frozen=True)
class CompiledCircuit:
    """The image, the program that runs it and what is needed to feed and read it.

    `inputs` and `outputs` are node numbers; `program` scans the outputs, shared out over the probes in order.
    `preset_gain` and `preset_offset_V` `[node]` are the corrections of the preset DACs, `droop_per_s` `[node]` that
    of what is read late; `record_id` names the record they and the codes come from, "" for none, and `record` is what
    that one's provenance says of the board (id, spec digest, time, temperature, fingerprint), empty for none.
    `placement` and `report` are None where the circuit was loaded from a file, which holds only what a board needs.
    """

    spec: BoardSpec
    image: ConfigImage
    program: RunProgram
    scaling: Scaling
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    preset_gain: NDArray[np.float64]
    preset_offset_V: NDArray[np.float64]
    droop_per_s: NDArray[np.float64]
    record_id: str
    record: Mapping[str, Any] = field(default_factory=dict)
    placement: Placement | None = None
    report: QuantisationReport | None = None

    def input_codes(self, x: ArrayLike) -> NDArray[np.int64]:
        """Preset codes `[batch, node]` for inputs `[batch, input]` in machine units; other nodes start at 0 V.

        Raises DesignError, naming input and node, where a voltage lies beyond its preset's range.
        """
        values = np.asarray(x, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.inputs):
            raise DesignError(f"inputs have shape {values.shape}; give [batch, {len(self.inputs)}]")
        volts, nominal = self._presets(values * self.scaling.volts_per_unit)
        scale = self.spec.nodes.preset
        beyond = ~((nominal >= scale.lo - scale.lsb / 2) & (nominal <= scale.hi + scale.lsb / 2))
        if beyond.any():
            row, node = (int(i) for i in np.argwhere(beyond)[0])
            raise DesignError(
                f"input {row} asks {format_quantity(float(volts[row, node]), 'V')} of node {node + 1}, whose preset "
                f"reaches {format_quantity(scale.lo, 'V')} to {format_quantity(scale.hi, 'V')}; "
                "scale the inputs or compile with a smaller --volts-per-unit"
            )
        return scale.code(nominal)

    def codes_at(self, volts: NDArray[np.float64]) -> NDArray[np.int64]:
        """Preset codes `[batch, node]` nearest to `volts[batch, input]`, which were read on the board.

        A reading beyond the presets, by its noise or near a rail, is brought into their range.
        """
        scale = self.spec.nodes.preset
        return scale.code(scale.clip(self._presets(volts)[1]))

    def _presets(self, at_inputs: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Volts that all nodes should start at, and nominal values of their presets, `[batch, node]` each."""
        volts = np.zeros((len(at_inputs), self.spec.nodes.count))
        volts[:, np.array(self.inputs, dtype=np.int64) - 1] = at_inputs
        return volts, (volts - self.preset_offset_V) / self.preset_gain

    def preset_volts(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """The node voltages, by the same corrections, that `codes[batch, node]` preset."""
        return np.asarray(self.spec.nodes.preset.value(codes) * self.preset_gain + self.preset_offset_V)

    @property
    def held_s(self) -> NDArray[np.float64]:
        """Seconds from HOLD to when each output is read, `[output]`."""
        return hold_times(self.spec, self.program)[np.array(self.outputs, dtype=np.int64) - 1]

    @property
    def held_share(self) -> NDArray[np.float64]:
        """What droop leaves of each output's voltage until it is read, `[output]`."""
        return np.asarray(np.exp(-self.droop_per_s[np.array(self.outputs, dtype=np.int64) - 1] * self.held_s))

    @property
    def header(self) -> dict[str, Any]:
        """What an image file says of this image."""
        return {
            "spec": self.spec.name,
            "spec_digest": self.spec.digest,
            "image_digest": self.image.digest(self.spec),
            "record": self.record_id,
            "record_provenance": json.dumps(dict(self.record)),
            "volts_per_unit": self.scaling.volts_per_unit,
            "seconds_per_unit": list(self.scaling.seconds_per_unit),
            "steps": [list(step) for step in self.program.steps],
            "scan": [list(nodes) for nodes in self.program.scan],
            "clamp": list(self.program.clamp),
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "preset_gain": self.preset_gain.tolist(),
            "preset_offset_V": self.preset_offset_V.tolist(),
            "droop_per_s": self.droop_per_s.tolist(),
        }

    def save(self, path: Path | str) -> Path:
        """Write the image file and return its name, which ends in .jfi; raises DesignError where it cannot."""
        return write_image_file(path, ImageFile((self.header,), (self.image.payload(self.spec),)))

    @classmethod
    def load(cls, path: Path | str, spec: BoardSpec) -> Self:
        """What `save` wrote, for board `spec`.

        Raises DesignError where the file is missing, damaged, of another format, for another board or for a
        circuit that runs in several passes.
        """
        file = read_image_file(path)
        if len(file.headers) > 1:
            raise DesignError(
                f"image {path} runs in {len(file.headers)} passes, one is possible here; "
                "`jackfield run` and `jackfield evaluate` play it"
            )
        return cls.from_header(file.headers[0], file.payloads[0], spec, path)

    @classmethod
    def from_header(cls, header: Mapping[str, Any], payload: bytes, spec: BoardSpec, path: Path | str) -> Self:
        """The image that `header` and `payload` of the file at `path` describe; raises DesignError as `load` does."""
        if header["spec_digest"] != spec.digest:
            raise DesignError(
                f"image {path} is for board {header['spec']} (spec {header['spec_digest'][:12]}), not for "
                f"{spec.name} (spec {spec.digest[:12]}); compile the circuit for this board"
            )
        image = ConfigImage.from_payload(spec, payload)
        if image.digest(spec) != header["image_digest"]:
            raise DesignError(f"image {path} is not the one that its header names; compile the circuit again")
        try:
            return cls(spec=spec, image=image, **_from_header(header, spec))
        except (TypeError, ValueError) as error:
            raise DesignError(f"image {path} has a damaged header ({error}); compile the circuit again") from error


def _from_header(header: Mapping[str, Any], spec: BoardSpec) -> dict[str, Any]:
    names = ("preset_gain", "preset_offset_V", "droop_per_s")
    at_nodes = {key: np.array(header[key], dtype=np.float64) for key in names}
    if any(values.shape != (spec.nodes.count,) for values in at_nodes.values()):
        raise ValueError(f"corrections for another number of nodes than {spec.nodes.count}")
    program = RunProgram(
        steps=tuple((int(bank), int(ticks)) for bank, ticks in header["steps"]),
        scan=tuple(tuple(int(node) for node in nodes) for nodes in header["scan"]),
        clamp=tuple(int(node) for node in header["clamp"]),
    )
    program.check(spec)
    return at_nodes | {
        "program": program,
        "scaling": Scaling(header["volts_per_unit"], tuple(float(tau) for tau in header["seconds_per_unit"])),
        "inputs": tuple(int(node) for node in header["inputs"]),
        "outputs": tuple(int(node) for node in header["outputs"]),
        "record_id": header["record"],
        "record": json.loads(header["record_provenance"]),
    }
