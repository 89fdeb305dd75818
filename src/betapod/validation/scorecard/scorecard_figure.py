"""Picture of the scorecard: each target's interval as a bar, the model as a marker, both scaled by the target's half-width."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.canvas import new_figure
from ...base.errors import ConfigError, Location, Problem
from ...base.files import replacing
from .agreement import interval
from .scorecard import Score, Scorecard
from .scorecard_text import scorecard_number, target_text, target_unit, use_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Blue, orange and vermilion that people with any colour vision can tell apart; markers differ too.
_COLOURS = {"inside": "#0072B2", "near": "#E69F00", "miss": "#D55E00"}
_MARKERS = {"inside": "o", "near": "D", "miss": "X"}
#: Half-widths shown; what lies beyond is drawn at the edge with its size beside it.
_EDGE = 6.0
_ROW_INCHES = 0.165
#: Rows up to which one and two columns are enough; beyond, three.
_ONE, _TWO = 50, 120


def draw_scorecard(card: Scorecard, path: Path) -> None:
    """Write the picture; the ending decides the format.

    Raises
    ------
    ConfigError
        matplotlib is not installed, nothing can be drawn, or the format is unknown.
    """
    figure = figure_of(card)
    formats = figure.canvas.get_supported_filetypes()
    if path.suffix.lstrip(".").lower() not in formats:
        raise ConfigError(
            Problem(
                "unknown-format",
                "the ending is no format of pictures",
                Location(str(path)),
                path.suffix,
                ", ".join(formats),
            )
        )
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=130)


def figure_of(card: Scorecard) -> Figure:
    """Return the picture.

    Raises
    ------
    ConfigError
        matplotlib is not installed, or nothing can be drawn.
    """
    scores = [score for score in card.scores if score.model is not None]
    if not scores:
        raise ConfigError(Problem("nothing-to-draw", "none of these targets is addressed"))
    columns = _columns(scores)
    tallest = max(len(lines) for lines in columns)
    height = 1.6 + _ROW_INCHES * tallest
    try:
        figure = new_figure(10.5 * len(columns), height)
    except ImportError:
        raise ConfigError(
            Problem("missing-package", "pictures need matplotlib", hint="Install betapod[plot].")
        ) from None
    axes = figure.subplots(1, len(columns), squeeze=False)[0]
    for ax, lines in zip(axes, columns, strict=True):
        _column(ax, lines, tallest)
    figure.suptitle(
        "Published numbers and the model: (model − target) in half-widths of the target's uncertainty", fontsize=12
    )
    _legend(figure, {s.status for s in scores})
    return figure


def _columns(scores: list[Score]) -> list[list[Score | str]]:
    """Split the rows into columns; a string is the heading of an organ, repeated where a column begins within it."""
    lines: list[Score | str] = []
    for score in scores:
        if not lines or (isinstance(lines[-1], Score) and lines[-1].target.organ != score.target.organ):
            lines.append(score.target.organ)
        lines.append(score)
    count = 1 if len(lines) <= _ONE else 2 if len(lines) <= _TWO else 3
    size = math.ceil(len(lines) / count)
    columns = [lines[k : k + size] for k in range(0, len(lines), size)]
    for column in columns:
        first = column[0]
        if isinstance(first, Score):
            column.insert(0, f"{first.target.organ}, continued")
    return columns


def _column(ax: Axes, lines: list[Score | str], tallest: int) -> None:
    labels, marks = [], []
    for y, line in enumerate(lines):
        if isinstance(line, str):
            labels.append(line)
            marks.append("")
            continue
        labels.append(_label(line))
        marks.append(_numbers(line))
        _row(ax, y, line)
    ax.set_ylim(tallest - 0.5, -0.7)
    ax.set_xlim(-_EDGE - 1.4, _EDGE + 1.4)
    ax.axvline(0, color="0.35", linewidth=0.8, zorder=0)
    ax.axvspan(-1, 1, color="0.93", zorder=-2)
    for x in (-2, 2):
        ax.axvline(x, color="0.8", linewidth=0.6, linestyle=":", zorder=-1)
    ax.set_xticks([-6, -4, -2, -1, 0, 1, 2, 4, 6])
    ax.tick_params(axis="x", labelsize=8)
    ax.set_xlabel("half-widths", fontsize=9)
    ax.set_yticks(range(len(lines)), labels, fontsize=7)
    for text, line in zip(ax.get_yticklabels(), lines, strict=True):
        if isinstance(line, str):
            text.set_fontweight("bold")
            text.set_fontsize(9)
        elif not line.target.counts:
            text.set_color("0.5")
    for y, mark in enumerate(marks):
        ax.annotate(
            mark, (1.01, y), xycoords=("axes fraction", "data"), va="center", fontsize=6.5, annotation_clip=False
        )
    ax.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)


def _label(score: Score) -> str:
    target = score.target
    text = f"{target.quantity} · {target.scenario}"
    short = text if len(text) <= 74 else text[:73].rstrip() + "…"
    return f"{short}  {target.id} {use_text(target)}"


def _numbers(score: Score) -> str:
    assert score.model is not None
    return f"{scorecard_number(score.model)} vs {target_text(score.target)} {target_unit(score.target)}"


def _row(ax: Axes, y: int, score: Score) -> None:
    verdict = score.verdict
    assert verdict is not None
    expected = interval(score.target)
    faint: dict[str, Any] = {"alpha": 1.0 if score.target.counts else 0.45}
    # The bar in half-widths: one to each side by definition; a bound is open-ended on one side and ends at 0 on the other.
    left = -1.0 if math.isfinite(expected.low) else -_EDGE - 1.4
    right = 1.0 if math.isfinite(expected.high) else _EDGE + 1.4
    if score.target.bounds == "bound":
        left, right = (left, 0.0) if math.isinf(expected.low) else (0.0, right)
    ax.plot([left, right], [y, y], color="0.55", linewidth=2.2, solid_capstyle="butt", zorder=1, **faint)
    size = verdict.size
    if math.isnan(size):
        size = math.copysign(_EDGE, verdict.difference) if math.isfinite(verdict.difference) else _EDGE
    x = max(-_EDGE, min(_EDGE, size))
    colour = _COLOURS[verdict.name]
    ax.plot([x], [y], _MARKERS[verdict.name], color=colour, markersize=5, zorder=3, markeredgewidth=0.3, **faint)
    if abs(verdict.size) > _EDGE:
        side = math.copysign(1.0, x)
        text = f"{verdict.size:+.0f}"
        ax.annotate(
            text, (x + 0.22 * side, y), va="center", ha="left" if side > 0 else "right", fontsize=6.5, color=colour
        )


def _legend(figure: Any, present: set[str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    entries: list[Any] = [
        Line2D([], [], color=_COLOURS[name], marker=_MARKERS[name], linestyle="", label=name)
        for name in _COLOURS
        if name in present
    ]
    entries.append(Line2D([], [], color="0.55", linewidth=2.2, label="target's uncertainty"))
    entries.append(Patch(color="0.93", label="inside: within 1 half-width; dotted: 2"))
    meaning = (
        "grey: not counted (mem: recalled, inp: a given of the model); fit: used to choose parameters; val: validation"
    )
    figure.legend(
        handles=entries,
        loc="outside lower center",
        ncols=len(entries),
        fontsize=7.5,
        frameon=False,
        title=meaning,
        title_fontsize=7.5,
    )
