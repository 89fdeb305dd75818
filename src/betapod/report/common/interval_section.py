"""What intervals are made of: one table and one picture of chance, parameters and what studies differ by, each alone and all together."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...base.interval_parts import INTERVAL_PARTS, IntervalParts
from .document import Table
from .drawing import Drawing, drawing, wrap_label
from .figures import GREY, PALETTE
from .words import counted, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...physiology.study_differences import StudyDifferences

#: Colours of parts, and of all together.
PART_COLOURS = {"chance": PALETTE[0], "parameters": PALETTE[1], "studies": PALETTE[2]}
ALL_TOGETHER = "all together"
#: Most lines of a picture.
_LINES = 8
#: Kinds of published numbers in words.
_KINDS = {
    "share": "shares",
    "event ratio": "ratios of events",
    "ratio": "ratios, levels on the log scale",
    "slope": "slopes",
    "level": "levels and changes",
}


@dataclass(frozen=True)
class PartedInterval:
    """A number with what its interval is made of.

    Attributes
    ----------
    labels
        Words that say which number it is, one for each column.
    mean
        The number, on the scale on which the parts add up.
    """

    labels: tuple[str, ...]
    mean: float
    parts: IntervalParts


def parts_table(
    caption: str,
    head: Sequence[str],
    rows: Sequence[PartedInterval],
    written: Callable[[float, float], str],
    level: float = 0.95,
) -> Table:
    """Return the table: the interval if each part were alone, and that of all parts that are there.

    Parameters
    ----------
    head
        Names of the columns of labels.
    written
        Writes the ends of an interval.
    level
        Share that intervals hold.
    """
    cells = [
        [
            *row.labels,
            *(_ends(written, row.parts.interval(row.mean, level, [name])) for name in INTERVAL_PARTS),
            _ends(written, row.parts.interval(row.mean, level)),
        ]
        for row in rows
    ]
    header = [*head, *(f"{words} alone" for words in INTERVAL_PARTS.values()), ALL_TOGETHER]
    return Table(caption, header, cells, len(head))


def _ends(written: Callable[[float, float], str], ends: tuple[float, float]) -> str:
    return written(*ends) if all(map(math.isfinite, ends)) else "not in it"


def draw_interval_parts(
    name: str,
    title: str,
    rows: Sequence[PartedInterval],
    value: Callable[[float], float],
    axis: str,
    written: Callable[[float, float], str],
    level: float = 0.95,
) -> Drawing | None:
    """Draw the parts of intervals below each other, a line for each number; None where no interval has an end.

    Parameters
    ----------
    value
        Returns a number as it is drawn.
    axis
        What is drawn, with its unit.
    written
        Writes the ends of an interval.
    """
    drawn = [row for row in rows if row.parts.held and math.isfinite(row.mean)][:_LINES]
    if not drawn:
        return None

    def paint(axes: Axes) -> None:
        for height, row in enumerate(drawn):
            low, high = (value(end) for end in row.parts.interval(row.mean, level))
            label = ALL_TOGETHER if height == 0 else None
            axes.plot(
                [low, high], [-height, -height], color="black", linewidth=1.2, marker="|", markersize=7, label=label
            )
            axes.plot([value(row.mean)], [-height], color="black", marker="o", markersize=4)
            for position, part in enumerate(INTERVAL_PARTS, start=1):
                ends = [value(end) for end in row.parts.interval(row.mean, level, [part])]
                if all(map(math.isfinite, ends)):
                    at, first = -height - 0.17 * position, _is_first(drawn, row, part)
                    axes.plot(
                        ends, [at, at], color=PART_COLOURS[part], linewidth=4, solid_capstyle="butt",
                        label=INTERVAL_PARTS[part] if first else None,
                    )  # fmt: skip
        axes.set_yticks(
            [-k - 0.25 for k in range(len(drawn))], [wrap_label(", ".join(row.labels), 18) for row in drawn]
        )
        axes.tick_params(axis="y", length=0)
        axes.grid(False, axis="y")
        axes.set_ylim(-len(drawn) + 0.25, 0.3)
        axes.set_xlabel(axis)
        axes.margins(x=0.06)
        axes.spines["left"].set_color(GREY)
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=9)

    numbers = "; ".join(
        f"{', '.join(row.labels) or 'the estimate'}: "
        + ", ".join(
            f"{INTERVAL_PARTS[part]} {_ends(written, row.parts.interval(row.mean, level, [part]))}"
            for part in row.parts.held
        )
        + f", {ALL_TOGETHER} {_ends(written, row.parts.interval(row.mean, level))}"
        for row in drawn
    )
    return drawing(
        name,
        title,
        f"{100 * level:.0f} % intervals: in black all together, below it each part as if it were alone.",
        f"Parts of intervals. {numbers}.",
        1.3 + 0.72 * len(drawn),
        paint,
    )


def _is_first(rows: Sequence[PartedInterval], row: PartedInterval, part: str) -> bool:
    return next(other for other in rows if part in other.parts.held) is row


def holds_in_words(parts: Sequence[IntervalParts]) -> str:
    """Return which parts intervals hold, as a sentence; those that some of them lack are not named."""
    nouns = {
        "chance": "chance",
        "parameters": "what nobody knows of the parameters",
        "studies": "what studies of the kind differ by",
    }
    held = [nouns[name] for name in INTERVAL_PARTS if parts and all(name in held_parts.held for held_parts in parts)]
    if not held:
        return ""
    return f"The interval holds {listed(held)}{'' if len(held) > 1 else ' alone'}."


def parameters_in_words(sets: int, fit: str) -> str:
    """Return where the part of parameters comes from, or why there is none.

    Parameters
    ----------
    sets
        Sets of parameters; fewer than two are none.
    fit
        That they were drawn from; empty for parameters of cells alone.
    """
    if sets < 2:
        return "All have the same parameters: what nobody knows of them is not in the interval."
    source = (
        f"the fit {fit}, and of what is known of cells"
        if fit
        else "what is known of cells; those of the body are fixed"
    )
    return f"Parameters: {sets} sets, drawn from {source}."


def studies_in_words(differences: StudyDifferences | None, fit: str, kind: str) -> str:
    """Return where the part of studies comes from, or why there is none.

    Parameters
    ----------
    fit
        Whose estimate it is; empty where no fit is in the tables.
    kind
        Of published numbers, see `study_differences.kind_of_numbers`; empty where there are none like it.
    """
    if differences is not None:
        numbers = counted(differences.rows, "fitted number")
        return (
            f"What studies differ by: as the fit {fit} found {numbers} of the kind "
            f"({kind_in_words(differences.kind)}) to lie from the model beyond their own errors."
        )
    return why_no_studies(fit, kind)


def why_no_studies(fit: str, kind: str) -> str:
    """Return why what studies differ by is not in an interval; `fit` and `kind` as of `studies_in_words`."""
    if not fit:
        return "What studies of the kind differ by is not in it: no fit says how much that is."
    if not kind:
        return "What studies differ by is not in it: no published numbers are of this kind."
    return f"What studies differ by is not in it: the fit {fit} had no number of the kind ({kind_in_words(kind)})."


def row_unit_text(unit: Any) -> str:
    """Return a unit as it stands behind a number; nothing where there is none."""
    text = str(unit).replace("1.73m2", "1.73\u00a0m²").replace("*", "·")
    return "" if text in ("1", "", "nan") else text


def kind_in_words(kind: str) -> str:
    """Return a kind of published numbers in words: ``level % HbA1c`` is levels and changes, HbA1c %; see `kind_of_numbers`."""
    for name in sorted(_KINDS, key=len, reverse=True):
        if kind == name or kind.startswith(f"{name} "):
            unit, _, endpoint = kind[len(name) :].strip().partition(" ")
            more = " ".join(text for text in (endpoint.replace("_", " "), row_unit_text(unit)) if text)
            return f"{_KINDS[name]}, {more}" if more else _KINDS[name]
    return kind
