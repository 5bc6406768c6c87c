"""What lanes, multipliers and integrators do: the equations of a board of integrators, differentiable, in batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from jackfield.board import BoardSpec, ConfigImage
from jackfield.compile.lane_known import KnownLanes

__all__ = ["LaneParameters", "LaneSettings", "lane_response"]


@dataclass(frozen=True)
class LaneParameters:
    """One board, as tensors: see KnownLanes; `speed[integrator]`, all others over cells, nodes or integrators."""

    gain: Tensor
    offset: Tensor
    input_offset: Tensor
    speed: Tensor
    reading_gain: Tensor
    reading_offset_V: Tensor

    @classmethod
    def of(cls, known: KnownLanes) -> "LaneParameters":
        """The same as `known` says."""
        return cls(
            *(
                torch.from_numpy(np.array(values))
                for values in (
                    known.gain,
                    known.offset,
                    known.input_offset,
                    known.speed,
                    known.reading_gain,
                    known.reading_offset_V,
                )
            )
        )


@dataclass(frozen=True)
class LaneSettings:
    """What images set, `[run, lane]`: nominal `value`s with upscaling, `source` and `destination` from 0, `on`.

    `constant` marks lanes from the constant giver; `rate[run]` is k0.
    """

    value: Tensor
    source: Tensor
    destination: Tensor
    on: Tensor
    constant: Tensor
    rate: Tensor

    @classmethod
    def of(cls, images: Sequence[ConfigImage], spec: BoardSpec) -> "LaneSettings":
        """From the codes of `images`."""
        group, k = spec.group("L"), spec.group("K")
        here, scales = group.members, group.parameters
        stacked = {
            name: np.stack([getattr(image, name)[0, here] for image in images])
            for name in ("source", "destination", "enable")
        }
        codes = {name: np.stack([image.codes[name][0, here] for image in images]) for name in scales}
        value = scales["coefficient"].value(codes["coefficient"]) * scales["upscale"].value(codes["upscale"])
        rates = np.stack([k.parameters["rate"].value(image.codes["rate"][0, k.first]) for image in images])
        on = stacked["enable"]
        constant = on & (stacked["source"] > spec.nodes.count - 2)
        return cls(
            torch.from_numpy(value),
            torch.from_numpy(np.maximum(stacked["source"] - 1, 0)),
            torch.from_numpy(np.maximum(stacked["destination"] - 1, 0)),
            torch.from_numpy(on),
            torch.from_numpy(constant),
            torch.from_numpy(rates),
        )

    def weights(self, board: LaneParameters) -> tuple[Tensor, Tensor]:
        """What each output adds to each input `[run, input, output]`, and what comes in besides `[run, input]`.

        Outputs are as read: an integrator's reading is gain x + offset.
        """
        runs, lanes = self.value.shape
        ports, integrators = len(board.input_offset), len(board.speed)
        value = self.value * board.gain[:lanes] * self.on
        gain = torch.cat([board.reading_gain[:integrators], board.reading_gain.new_ones(ports - integrators)])
        zero = torch.cat([board.reading_offset_V[:integrators], board.reading_gain.new_zeros(ports - integrators)])
        seen = torch.where(self.constant, torch.zeros_like(value), value) / gain[self.source]
        index = self.destination * ports + self.source
        weights = value.new_zeros(runs, ports * ports).scatter_add(1, index, seen).view(runs, ports, ports)
        besides = board.offset[:lanes] * self.on + torch.where(self.constant, value, -seen * zero[self.source])
        return weights, board.input_offset + value.new_zeros(runs, ports).scatter_add(1, self.destination, besides)


def lane_response(
    board: LaneParameters, settings: LaneSettings, start: Tensor, seconds: Tensor, steps: int, snapshots: int = 1
) -> Tensor:
    """Integrators as read `[snapshot, run, integrator]` at equal times, the last after `seconds[run]`.

    `start[run, integrator]` is what the integrators hold at the beginning, as read.
    """
    weights, besides = settings.weights(board)
    integrators, lanes = len(board.speed), settings.value.shape[1]
    multipliers = len(board.gain) - lanes - integrators
    speed = -board.speed * settings.rate[:, None]
    per_step = (seconds / steps)[:, None]
    chained = bool((weights[:, integrators:, integrators : integrators + multipliers] != 0).any())
    used = bool((weights[:, integrators:] != 0).any())

    def slope(x: Tensor) -> Tensor:
        outputs = torch.cat([x, x.new_zeros(len(x), weights.shape[1] - integrators)], dim=1)
        for _ in range((multipliers if chained else 1) if used else 0):
            ports = torch.einsum("rio,ro->ri", weights[:, integrators:], outputs) + besides[:, integrators:]
            product = ports[:, 0 : 2 * multipliers : 2] * ports[:, 1 : 2 * multipliers : 2]
            product = board.gain[lanes : lanes + multipliers] * product + board.offset[lanes : lanes + multipliers]
            outputs = torch.cat([x, product, outputs[:, integrators + multipliers :]], dim=1)
        inputs = torch.einsum("rio,ro->ri", weights[:, :integrators], outputs) + besides[:, :integrators]
        return speed * inputs

    x, seen = start, []
    for step in range(1, steps + 1):
        a = slope(x)
        b = slope(x + per_step / 2 * a)
        c = slope(x + per_step / 2 * b)
        x = x + per_step / 6 * (a + 2 * b + 2 * c + slope(x + per_step * c))
        if step % (steps // snapshots) == 0:
            seen.append(x)
    return torch.stack(seen)
