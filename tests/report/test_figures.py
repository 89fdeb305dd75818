"""Figures and small tables."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from betapod.base.errors import ConfigError
from betapod.report.common.figures import PALETTE, Curve, Panel, axis_label, panel_figure, save
from betapod.report.common.terminal_tables import markdown_table, sparkline


def contrast(colour: str) -> float:
    """Contrast against white by the formula of WCAG 2."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_the_palette_is_visible_on_white() -> None:
    assert len(set(PALETTE)) == len(PALETTE)
    assert all(contrast(colour) > 2.0 for colour in PALETTE)


def panel(**more: object) -> Panel:
    return Panel("title", "GFR (mL/min)", [Curve("a", [0, 1, 2], [1, 10, 100]), Curve("b", [0, 1], [3, 4], 1)], **more)  # type: ignore[arg-type]


def test_saved_pictures_carry_alt_text_and_data(tmp_path: Path) -> None:
    data = pd.DataFrame({"GFR [mL/min]": [1.0, 10.0]}, index=pd.Index([0.0, 1.0], name="year"))
    figure = panel_figure([[panel(logarithmic=True, marks=[(1.0, "drug")]), panel()]], "Title")
    written = save(figure, tmp_path / "fig", data, "Rises < tenfold")
    assert [path.suffix for path in written] == [".png", ".svg", ".csv"]
    assert b"Rises < tenfold" in (tmp_path / "fig.png").read_bytes()
    root = ElementTree.parse(tmp_path / "fig.svg").getroot()
    assert root.get("role") == "img"
    assert root[0].text == "Rises < tenfold"
    assert (tmp_path / "fig.plot.csv").read_text() == "year,GFR [mL/min]\n0,1\n1,10\n"
    assert len(list(tmp_path.iterdir())) == 3


def test_the_same_figure_gives_the_same_file(tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b"):
        save(panel_figure([[panel()]]), tmp_path / f"{name}.svg")
        texts.append((tmp_path / f"{name}.svg").read_bytes())
    assert texts[0] == texts[1]


def test_the_legend_stands_outside_the_axes() -> None:
    figure = panel_figure([[panel(), panel()], [panel(), panel()]])
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    (legend,) = figure.legends
    box = legend.get_window_extent(renderer)
    assert not any(box.overlaps(axes.get_tightbbox(renderer)) for axes in figure.axes)


def test_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="png or"):
        save(panel_figure([[panel()]]), tmp_path / "fig.pdf")


def test_axis_labels_have_units() -> None:
    assert axis_label("R_A", "mmHg*min/L") == "R_A (mmHg·min/L)"
    assert axis_label("FF", "1") == "FF"


def test_sparklines() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([5.0, 5.00001, 5.0]) == "▄▄▄"
    assert sparkline([1, math.nan, 2]) == "▁ █"
    assert sparkline([]) == ""
    assert sparkline([0.0, 0.0]) == "▄▄"
    assert len(sparkline(range(1000))) == 24


def test_markdown_tables() -> None:
    assert markdown_table(["a", "b"], [["1", "x|y"]]).splitlines()[1].count("-") >= 4


@pytest.mark.parametrize(
    "text",
    [r"a $\frac{$ b", " $$ ", "cost $5", r"$\badcommand$", "100 % of $x_$", "糖尿病", "a\x07b", "half \ud800 pair", ""],
)
def test_other_peoples_text_is_drawn_as_it_is(text: str, tmp_path: Path) -> None:
    """Breaker 15: a dollar is no formula; what no font and no file can hold is replaced."""
    figure = panel_figure([[Panel(text, text, [Curve(text, [0, 1], [1, 2]), Curve("b", [0, 1], [2, 1])])]], text)
    written = save(figure, tmp_path / "fig", alt=text)
    root = ElementTree.parse(written[1]).getroot()
    if text.isascii() and text.isprintable() and text.strip():
        assert text in (tmp_path / "fig.svg").read_text(encoding="utf-8")
    assert root.tag.endswith("svg")
