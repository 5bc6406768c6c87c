"""One code for one target: a noisy binary search, and a fit of the same reads.

The peer sets a code, reads it, goes up or down by half as much each time, ends with steps of one, and takes the code
where it ends. Its reads say more than their signs: a curve through them, fitted by the calibration's own Gauss-Newton,
crosses the target between codes.
"""

from dataclasses import dataclass

import numpy as np
import torch
from benchmarks._rows import Row
from numpy.typing import NDArray

from jackfield_calibration.gauss_newton import fit_each

__all__ = ["rows"]

Floats = NDArray[np.float64]
BITS, STEPS, NOISE = 10, 13, 2.0  # LSB rms a read
SLOPE, BEND = 0.18, 1.0  # relative spread of gains; LSB rms of the second and third Legendre term


@dataclass(frozen=True)
class _Curves:
    """What codes (real numbers) of many instances give, in LSB, and the targets."""

    gain: Floats
    offset: Floats
    bends: Floats
    target: Floats

    @classmethod
    def draw(cls, count: int, random: np.random.Generator) -> "_Curves":
        half = 2 ** (BITS - 1)
        return cls(
            1 + SLOPE * random.standard_normal(count),
            20 * random.standard_normal(count),
            BEND * random.standard_normal((count, 2)),
            random.uniform(-0.6, 0.6, count) * half * (1 - 2 * SLOPE),
        )

    def __call__(self, codes: Floats) -> Floats:
        x = np.clip(codes / 2 ** (BITS - 1) - 1, -1, 1)
        line = self.gain * (codes - 2 ** (BITS - 1)) + self.offset
        second, third = np.sqrt(5) * (3 * x**2 - 1) / 2, np.sqrt(7) * (5 * x**3 - 3 * x) / 2
        return np.asarray(line + self.bends[:, 0] * second + self.bends[:, 1] * third)


def rows(quick: bool) -> list[Row]:
    """At 13 and 65 reads an instance."""
    return [_row(reads, bar, 400 if quick else 4000) for reads, bar in ((1, 0.55), (5, 0.45))]


def _row(reads: int, bar: float, count: int) -> Row:
    random = np.random.default_rng(reads)
    curves = _Curves.draw(count, random)
    codes, values, found = _searched(curves, reads, random)
    fitted = _fitted(codes, values, reads, curves.target)
    theirs, ours = (float(np.sqrt(np.mean((curves(code) - curves.target) ** 2))) for code in (found, fitted))
    ratio = ours / theirs
    return {
        "name": "residual", "workload": f"{count} curves, {BITS} bits, {STEPS * reads} reads of {NOISE:g} LSB noise",
        "against": "noisy_binary_search", "ours": ours, "theirs": theirs, "unit": "LSB rms, before rounding",
        "ratio": ratio, "error": None, "asked": f"at most {bar:g} of theirs", "holds": ratio <= bar,
    }  # fmt: skip


def _searched(curves: _Curves, reads: int, random: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Codes and mean readings `[instance, step]`, and where the search ends."""
    code = np.full(len(curves.target), float(2 ** (BITS - 1)))
    codes, values = [], []
    for number in range(STEPS):
        mean = curves(code) + NOISE / np.sqrt(reads) * random.standard_normal(len(code))
        codes.append(code)
        values.append(mean)
        step = max(2 ** (BITS - 2 - number), 1) if number < BITS - 1 else 1
        code = np.clip(code + step * np.sign(curves.target - mean), 0, 2**BITS - 1)
    return np.stack(codes, 1), np.stack(values, 1), code


def _fitted(codes: Floats, values: Floats, reads: int, target: Floats) -> Floats:
    """Where a cubic through the readings, with prior widths as the curves have them, meets the target."""
    half = 2.0 ** (BITS - 1)
    x = torch.from_numpy(codes / half - 1)
    shapes = torch.stack(
        [torch.ones_like(x), x * half, 5**0.5 * (3 * x**2 - 1) / 2, 7**0.5 * (5 * x**3 - 3 * x) / 2], -1
    )
    width = torch.tensor([50.0, SLOPE, BEND, BEND], dtype=torch.float64).expand(len(x), -1)
    start = torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64).repeat(len(x), 1)

    def model(p: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return (shapes[rows] @ p[:, :, None])[..., 0], shapes[rows]

    weight = torch.full_like(x, reads / NOISE**2)
    value = fit_each(model, torch.from_numpy(values), weight, start, start, width).value.numpy()
    fit = _Curves(value[:, 1], value[:, 0], value[:, 2:], target)
    code = np.full(len(target), half)
    for _ in range(30):  # the bends move it little: a few steps are enough
        code = np.clip(code + (target - fit(code)) / fit.gain, 0, 2 * half - 1)
    return code
