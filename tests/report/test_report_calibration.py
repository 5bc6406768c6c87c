"""The page of a calibration: every part, the same for the same results, and what it says is what was given."""

import re

import numpy as np
import pytest

from jackfield.report import BudgetLine, CalibrationContent, CellMap, Outputs, Residuals, Spread, render_calibration
from jackfield.report.calibration import residual_figure


def content() -> CalibrationContent:
    rng = np.random.default_rng(0)
    measured, code = rng.normal(size=400), rng.uniform(-1, 1, 400)
    return CalibrationContent(
        title="Calibration of <b1>",
        facts={"board": "b1 & friends"},
        budget=(BudgetLine("nodes-measure", 5, 2816, 5, 2816), BudgetLine("cells-more", None, None, 3, 96)),
        spreads=(Spread("gain", np.full(100, 2.0), np.full(100, 0.5)),),
        cells=CellMap(np.ones(48, dtype=bool), ("ok",) * 40 + ("dead",) * 5 + ("noisy",) * 3),
        residuals=(Residuals("gain", code, 0.1 * rng.normal(size=400), np.full(400, 0.1)),),
        outputs=Outputs(measured, np.full(400, 0.1), measured + 0.1 * rng.normal(size=400)),
    )


def test_every_part_is_shown_and_nothing_comes_from_elsewhere() -> None:
    page = render_calibration(content())
    assert page == render_calibration(content())
    assert page.count("<img") == 4
    assert "5 dead, 3 noisy" in page
    assert "Calibration of &lt;b1&gt;" in page
    assert not re.search(r"https?://|<script", page)


def test_spread_and_budget_stand_in_numbers() -> None:
    page = render_calibration(content())
    assert "2.000 &plusmn; 0.000 %" in page
    assert "0.250" in page  # after over before
    assert re.search(r"cells-more</th><td[^>]*>-</td><td[^>]*>-</td><td[^>]*>3</td><td[^>]*>96", page)
    assert re.search(r"in all</th><td[^>]*>5</td><td[^>]*>2816</td><td[^>]*>8</td><td[^>]*>2912", page)


def test_a_curve_that_the_model_lacks_shows_in_the_binned_means() -> None:
    code = np.linspace(-1, 1, 4800)
    bent = Residuals("gain", code, 0.2 * code**3, np.full(4800, 0.1))
    (panel,) = residual_figure((bent,)).axes
    means = panel.containers[0].lines[0].get_ydata()
    assert means[-1] == pytest.approx(2.0 * np.mean(code[-200:] ** 3), rel=1e-6)
    assert means[0] < -1.5


def test_a_page_without_cells_has_the_budget_alone() -> None:
    page = render_calibration(CalibrationContent("nodes", {}, content().budget))
    assert "<img" not in page
    assert "nodes-measure" in page
