"""The page is whole, self-contained and the same for the same results."""

import re

import numpy as np

from jackfield.report import CellMap, Outputs, ReportContent, Spread, Trace, render
from jackfield.report.figures import confusion_figure, spread_figure, trace_figure


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


def test_spread_says_what_lies_off_the_axis() -> None:
    before = np.linspace(-1, 1, 101)
    after = np.append(0.01 * before, 1500.0)  # one cell without a meaningful value
    axes = spread_figure((Spread("threshold", before, after),)).axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert labels[1] == "after: 68 % within 0.01 %, 1 off the axis"


def test_requested_line_lies_over_its_measured_dots() -> None:
    time = np.linspace(0, 2e-4, 50)
    traces = tuple(Trace(node, time, time, time, time) for node in range(1, 7))
    dots, line, *_ = trace_figure(traces).axes[0].lines
    assert line.get_zorder() > dots.get_zorder()
    assert line.get_path_effects()


def test_counts_can_be_read_on_dark_squares() -> None:
    texts = confusion_figure(np.array([[9, 4], [1, 9]])).axes[0].texts
    assert {text.get_text(): text.get_color() for text in texts} == {"9": "black", "4": "white", "1": "black"}
