"""The page is whole, self-contained and the same for the same results."""

import re

import numpy as np

from jackfield.report import CellMap, Outputs, ReportContent, Spread, Trace, render


def content() -> ReportContent:
    rng = np.random.default_rng(0)
    time = np.linspace(0, 2e-4, 50)
    measured = rng.normal(size=(40, 10))
    return ReportContent(
        title="Digits on jf96 <cmos>",
        facts={"board": "jf96 & friends"},
        rungs=(("float", 0.98, (0.97, 0.99), 540), ("board_raw", 0.88, (0.85, 0.91), 540)),
        confusion=np.diag(np.arange(10)),
        traces=(Trace(3, time, np.sin(1e4 * time), time, np.sin(1e4 * time)),),
        spreads=(Spread("gain", rng.normal(size=99), 0.1 * rng.normal(size=99)),),
        cells=CellMap(np.arange(48) < 20, ("ok",) * 40 + ("dead",) * 8),
        outputs=Outputs(measured + 0.1, np.full_like(measured, 0.1), measured),
    )


def test_page_shows_every_part_without_network() -> None:
    page = render(content())
    assert page.count("<img") == 6
    assert "8 dead" in page
    assert "Digits on jf96 &lt;cmos&gt;" in page
    assert not re.search(r"https?://|<script", page)


def test_parts_without_results_are_left_out() -> None:
    page = render(ReportContent("raw", {}, content().rungs))
    assert page.count("<img") == 1


def test_same_results_same_page() -> None:
    assert render(content()) == render(content())
