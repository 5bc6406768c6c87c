"""The page and the picture about phasor networks: whole, self-contained, the same for the same results."""

import re

import numpy as np
import pytest

from jackfield.report import PhasorContent, Raster, Scatter, Sensitivity, render_phasors, sensitivity_picture
from jackfield.report.phasor import raster_figure, scatter_figure


def content() -> PhasorContent:
    random = np.random.default_rng(0)
    times = random.uniform(0, 3, (5, 4))
    times[2, 3] = np.nan
    wanted = random.uniform(-1, 1, (20, 10))
    return PhasorContent(
        title="Digits <by phases>",
        facts={"board": "one & only"},
        rungs=(("float", 0.98, (0.97, 0.99), 540), ("in_time", 0.97, (0.96, 0.98), 540)),
        raster=Raster((("input", times), ("layer 1", times)), (0.0, 0.25), 3.0, 2),
        scatters=(Scatter("by spikes", wanted, wanted + 0.01),),
        detuning=0.03 * random.normal(size=6),
        quality_ratio=1 + 0.05 * random.normal(size=6),
    )


def test_page_shows_every_part_without_network() -> None:
    page = render_phasors(content())
    assert page.count("<img") == 4
    assert "Digits &lt;by phases&gt;" in page
    assert not re.search(r"https?://|<script", page)
    assert page == render_phasors(content())


def test_the_answers_spikes_alone_are_marked_and_missing_ones_left_out() -> None:
    first, second = raster_figure(content().raster).axes
    assert [len(points.get_offsets()) for points in first.collections] == [19, 0]
    assert [len(points.get_offsets()) for points in second.collections] == [16, 3]


def test_distances_go_round_the_circle() -> None:
    wanted = np.array([[0.99, -0.5]])
    (axes,) = scatter_figure((Scatter("x", wanted, np.array([[-0.99, -0.5]])),)).axes
    assert "rms 0.014 pi" in axes.get_title()
    assert axes.lines[1].get_ydata() == pytest.approx([1.01, -0.5])


def test_one_panel_an_axis() -> None:
    rows = (("Q", "raw", 6.0, 0.9), ("Q", "raw", 16.0, 0.95), ("weights (bits)", "raw", 8.0, 0.95))
    picture = sensitivity_picture(Sensitivity(rows, 0.96))
    assert picture.startswith(b"\x89PNG")
    assert picture == sensitivity_picture(Sensitivity(rows, 0.96))
