"""Hardware forward, model backward: outputs come from the board, gradients from its twin at what was measured.

Wright et al., "Deep physical neural networks trained with backpropagation", Nature 601, 549 (2022).
"""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, final

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from jackfield.bench import Bench
from jackfield.board import ConfigImage, Measurement
from jackfield.compile import CompiledCircuit, LaneTwin, Twin
from jackfield.device import AbstractBoard
from jackfield.errors import DesignError, InstrumentError, LinkError
from jackfield.tune.twin_gradient import TwinGradient

__all__ = ["HardwareForward", "Readings", "hardware_forward"]

TRIES = 4

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


class Readings(Protocol):
    """Where readings are kept before they are used, such as `jackfield.journal.Run`."""

    def store(self, key: str, arrays: dict[str, NDArray[np.float64]]) -> None: ...
    def reading(self, key: str) -> dict[str, NDArray[np.float64]] | None: ...


@final
class HardwareForward(nn.Module):
    """Output voltages `[batch, output]` in machine units from inputs `[batch, input]`, run on a board.

    Trainable are all codes of the cells that the twin's image uses, and the trims: `values`, in full scales of their
    DACs. Each call applies the rounded codes (RAM only, changes alone travel), plays the whole batch and reads the
    outputs. `passes` counts input vectors that were run, `read` holds the last Measurement.
    """

    def __init__(
        self,
        bench: Bench[AbstractBoard],
        twin: Twin | LaneTwin,
        *,
        nodes: Sequence[int] = (),
        journal: Readings | None = None,
    ) -> None:
        super().__init__()
        if isinstance(twin, LaneTwin):
            raise DesignError("the twin of a board of lanes gives no gradients; tune on a board of cells")
        if twin.compiled.spec.digest != bench.spec.digest:
            raise DesignError(
                f"the twin is that of a board {twin.compiled.spec.name}, the bench has a {bench.spec.name} of another "
                "spec; compile for the board on the bench"
            )
        self._bench, self._gradient, self._journal = bench, TwinGradient(twin), journal
        self._nodes = tuple(nodes)
        self._calls = 0
        self.passes = 0
        self.read: Measurement | None = None
        self.values = nn.ParameterDict({key: nn.Parameter(value) for key, value in self._gradient.start().items()})

    @property
    def compiled(self) -> CompiledCircuit:
        """The circuit with the codes as they are now, for evaluation or for a file.

        It belongs to the board on the bench: its record says so.
        """
        compiled, hello = self._gradient.twin.compiled, self._bench.board.hello
        image = self.image
        record = dict(compiled.record) | {"board_id": hello.board_id, "spec_digest": compiled.spec.digest}
        name = f"{hello.board_id}:tuned {image.digest(compiled.spec)[:16]}"
        return replace(compiled, image=image, record=record, record_id=name, placement=None, report=None)

    @property
    def image(self) -> ConfigImage:
        """The values as they are now, rounded to codes."""
        return self._gradient.image(dict(self.values.items()))

    def confine(self) -> None:
        """Bring every value back into the range of its DAC; call it after each step of an optimiser."""
        self._gradient.confine(dict(self.values.items()))

    def forward(self, x: ArrayLike) -> Tensor:
        """See the class; readings that the instrument clipped are replaced by the twin's, nodes at a rail pass no
        gradient. Raises LinkError and InstrumentError only where several tries failed, else as the bench does."""
        compiled, image = self._gradient.twin.compiled, self.image
        codes = compiled.input_codes(np.asarray(x))
        shown, clipped, railed = self._measured(image, codes)
        ends = self._gradient.ends(image, dict(self.values.items()), codes)
        predicted = ends[:, torch.tensor(compiled.outputs) - 1]
        measured = torch.from_numpy(shown / compiled.held_share).to(predicted.dtype)
        free = torch.where(torch.from_numpy(railed), predicted.detach(), predicted)
        gap = torch.where(torch.from_numpy(clipped), torch.zeros_like(free), (measured - free).detach())
        return (free + gap) / compiled.scaling.volts_per_unit

    def _measured(self, image: ConfigImage, codes: NDArray[np.int64]) -> tuple[Floats, Mask, Mask]:
        """Volts, clipped and railed `[batch, output]`, from the journal where this call was made before."""
        key, print_ = f"forward {self._calls:06d}", _fingerprint(image, codes)
        kept = self._journal.reading(key) if self._journal is not None else None
        if kept is not None and int(kept["asked"][0]) != print_:
            raise DesignError(
                f"call {self._calls} asks other codes or inputs than the one that was interrupted; resume the same "
                "training with the same data and seed, or begin a new run"
            )
        if kept is None:
            kept = self._taken(image, codes) | {"asked": np.array([float(print_)])}
            if self._journal is not None:
                self._journal.store(key, kept)
        self._calls += 1
        self.passes += len(codes)
        return kept["values_V"], kept["clipped"] > 0, kept["railed"] > 0

    def _taken(self, image: ConfigImage, codes: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        self.read = measured = self._patiently(image, codes)
        order = [measured.nodes.index(node) for node in self._gradient.twin.compiled.outputs]
        flags = {"clipped": measured.clipped, "railed": measured.railed}
        return {"values_V": measured.values_V[:, order]} | {
            name: flag[:, order].astype(np.float64) for name, flag in flags.items()
        }

    def _patiently(self, image: ConfigImage, codes: NDArray[np.int64]) -> Measurement:
        board, program = self._bench.board, self._gradient.twin.compiled.program
        extra = tuple(node for node in self._nodes if node not in {n for scan in program.scan for n in scan})
        shares = np.array_split(np.array(extra, dtype=np.int64), len(program.scan))
        scan = tuple((*seen, *map(int, more)) for seen, more in zip(program.scan, shares, strict=True))
        for left in reversed(range(TRIES)):
            try:
                board.apply(image)
                return self._bench.measure(codes, replace(program, scan=scan), 1 + self._calls)
            except LinkError:
                if not left:
                    raise
                board.reconnect()
            except InstrumentError:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")


def hardware_forward(
    board: Bench[AbstractBoard], twin: Twin | LaneTwin, *, nodes: Sequence[int] = (), journal: Readings | None = None
) -> HardwareForward:
    """A layer for PyTorch that runs the image of `twin` on `board`, a bench, and trains its codes.

    `nodes` are read beside the outputs (`HardwareForward.read`). With a `journal` every reading is on disk before it is
    used: the same loop begun again takes them from there and goes on where it ended. Raises DesignError where the
    twin is that of another kind of board.
    """
    return HardwareForward(board, twin, nodes=nodes, journal=journal)


def _fingerprint(image: ConfigImage, codes: NDArray[np.int64]) -> int:
    crc = zlib.crc32(np.ascontiguousarray(codes).data)
    for array in (*image.codes.values(), image.trim):
        crc = zlib.crc32(np.ascontiguousarray(array).data, crc)
    return crc
