"""The picture of a density in the plane: data, samples and the density itself, side by side on the same axes."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from jackfield.report.figures import BLUE, ORANGE

__all__ = ["density_figure"]

Floats = NDArray[np.floating]


def density_figure(name: str, data: Floats, samples: Floats, edges: Floats, density: Floats) -> Figure:
    """`data` and `samples` [point, 2], `density` [row, column] on the cells between `edges` along both axes.

    Voltages are in machine units, the density is per square machine unit.
    """
    figure = Figure(figsize=(11.5, 4.0), layout="constrained")
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    for axes, points, colour, title in (
        (panels[0], data, BLUE, f"{name}: held-out data"),
        (panels[1], samples, ORANGE, "samples of the circuit"),
    ):
        axes.plot(points[:, 0], points[:, 1], ".", ms=2, color=colour, alpha=0.6)
        axes.set_title(f"{title} ({len(points):,} points)", fontsize=10)
    shown = panels[2].pcolormesh(edges, edges, density, cmap="cividis", rasterized=True)
    panels[2].set_title("density of the circuit", fontsize=10)
    figure.colorbar(shown, ax=panels[2], label="density (1 per square machine unit)")
    for axes in panels:
        axes.set_aspect("equal")
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(edges[0], edges[-1])
        axes.set_xlabel("node 1 (machine units)")
    panels[0].set_ylabel("node 2 (machine units)")
    return figure
