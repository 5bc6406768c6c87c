"""Small random changes of training pictures."""

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

__all__ = ["moved"]


def moved(
    x: Tensor, grid: tuple[int, int, int], shift_px: float, rotate_deg: float, generator: torch.Generator
) -> Tensor:
    """Pictures `x` [batch, pixel], each shifted by up to `shift_px` pixels along rows and columns and turned about
    its middle by up to `rotate_deg` degrees.

    `grid` is (channels, rows, columns); between pixels it is interpolated linearly, outside it is dark.
    """
    _, rows, columns = grid
    moves = torch.eye(2, 3).repeat(len(x), 1, 1)
    draw = 2 * torch.rand(len(x), 2, generator=generator) - 1
    moves[:, :, 2] = draw * (2 * shift_px) / torch.tensor([columns, rows])  # the grid spans -1 to 1
    if rotate_deg > 0:
        angle = math.radians(rotate_deg) * (2 * torch.rand(len(x), generator=generator) - 1)
        moves[:, 0, 0] = moves[:, 1, 1] = angle.cos()
        moves[:, 0, 1] = -angle.sin() * (rows / columns)
        moves[:, 1, 0] = angle.sin() * (columns / rows)
    pictures = x.view(-1, *grid)
    places = affine_grid(moves, list(pictures.shape), align_corners=False)
    return grid_sample(pictures, places, align_corners=False).view_as(x)
