"""Small random changes of training pictures."""

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

__all__ = ["shifted"]


def shifted(x: Tensor, grid: tuple[int, int, int], largest_px: float, generator: torch.Generator) -> Tensor:
    """Pictures `x` [batch, pixel], each moved by up to `largest_px` pixels along rows and columns.

    `grid` is (channels, rows, columns); between pixels it is interpolated linearly, outside it is dark.
    """
    _, rows, columns = grid
    moves = torch.eye(2, 3).repeat(len(x), 1, 1)
    draw = 2 * torch.rand(len(x), 2, generator=generator) - 1
    moves[:, :, 2] = draw * (2 * largest_px) / torch.tensor([columns, rows])  # the grid spans -1 to 1
    pictures = x.view(-1, *grid)
    places = affine_grid(moves, list(pictures.shape), align_corners=False)
    return grid_sample(pictures, places, align_corners=False).view_as(x)
