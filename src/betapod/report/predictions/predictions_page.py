"""Model against published numbers as one self-contained HTML page: message, pictures, counts, every record, and what is excluded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ...therapies.scenarios import CURRENT_EVIDENCE, SCENARIOS
from ..common import svg
from ..common.pages import template
from . import predictions_view as confront_view
from .interval_shares import interval_shares, shares_picture

if TYPE_CHECKING:
    import pandas as pd

    from ...validation.predictions.campaign import Confrontation

TEMPLATE = "confront.html.jinja"
#: The scenario whose rows are shown first, where it was asked for.
FIRST = CURRENT_EVIDENCE
_GRID = "#e5e7eb"
#: Sides of a square, width of a column of families and height of a line, inch; the axes of a square as shares of it.
_PANEL, _COLUMN, _LINE = 2.9, 4.0, 0.178
_PLACE = (0.19, 0.14, 0.78, 0.78)


def write_predictions_page(
    confrontation: Confrontation, table: pd.DataFrame, to: Path, people: int, seed: int, remarks: Sequence[str] = ()
) -> Path:
    """Write the page to a file and return its path.

    Parameters
    ----------
    table
        `confront_view.view` of `confrontation`.
    people, seed
        Virtual people per cohort, and the seed: printed.
    remarks
        What a reader must know of the rows: a choice among them, overlays of what is published.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    from ...base.files import write_text

    return write_text(to, render_predictions_page(confrontation, table, people, seed, remarks))


def render_predictions_page(
    confrontation: Confrontation, table: pd.DataFrame, people: int, seed: int, remarks: Sequence[str] = ()
) -> str:
    """Return the page; see `write_predictions_page`."""
    from ... import __version__
    from .predictions_figure import MARKS, scenarios_of

    scenarios = scenarios_of(table)
    titles = confront_view.groups(table)
    marks = [
        {"name": name, "outline": _outline(shape), "colour": f"mark-{number}", "light": colour}
        for number, (name, (colour, shape)) in enumerate(MARKS.items())
    ]
    first = FIRST if FIRST in scenarios else scenarios[0] if scenarios else ""
    return template(TEMPLATE).render(
        message=predictions_message(table, first),
        overview=coverage_overview(table, first, {mark["name"]: f"var(--{mark['colour']})" for mark in marks}),
        scenarios=[(name, SCENARIOS[name].label if name in SCENARIOS else "") for name in scenarios],
        first=first,
        rows=_rows(table),
        remarks=remarks,
        published=int(table["record"].nunique()),
        studies=int(table["study"].nunique()),
        families=int(table["family"].nunique()),
        overall=confront_view.coverage_summary(table, "").to_dict("records"),
        interval=(lines := interval_shares(table, first)),
        interval_picture=shares_picture(lines),
        counts=[
            (title, _counts(table, by, scenarios))
            for title, by in (
                ("class of treatment", "treatment"),
                ("group of endpoints", "group"),
                ("endpoint", "endpoint"),
                ("family of studies", "family"),
            )
        ],
        marks=marks,
        present=set(table["treatment"]),
        groups=titles,
        treatments=[name for name in confront_view.CLASSES if name in set(table["treatment"])],
        panels=_panels(table, titles, scenarios),
        strips=_strips(table, scenarios),
        refused=_refused(confrontation),
        refusals=len(confrontation.refused),
        people=people,
        seed=seed,
        version=__version__,
    )


def predictions_message(table: pd.DataFrame, scenario: str) -> list[str]:
    """Return what came out under one scenario, in sentences: all records, then the classes of treatment at both ends."""
    counts = confront_view.coverage_summary(table, "")
    rows = counts[counts["scenario"] == scenario].to_dict("records")
    if not rows:
        return []
    (total,) = rows
    under = SCENARIOS[scenario].label if scenario in SCENARIOS else scenario
    sentences = [
        f"{total['inside']} of {total['rows']} published numbers ({100 * total['inside'] / total['rows']:.0f} %) lie inside the model's 90 % predictive "
        f"interval if {under}. A correct model would have about 90 % inside."
    ]
    classes = _classes(table, scenario)
    if len(classes) > 1:
        best, worst = (pick(classes, key=lambda row: row["inside"] / row["rows"]) for pick in (max, min))
        sentences.append(
            f"Best: {best['treatment']} ({best['inside']} of {best['rows']}); worst: {worst['treatment']} ({worst['inside']} of {worst['rows']})."
        )
    return sentences


def _classes(table: pd.DataFrame, scenario: str) -> list[dict[Any, Any]]:
    """Return records and records inside for every class of treatment, in the order of reading."""
    counts = confront_view.in_order(confront_view.coverage_summary(table, "treatment"), table, "treatment")
    return list(counts[counts["scenario"] == scenario].to_dict("records"))


def coverage_overview(table: pd.DataFrame, scenario: str, colours: Mapping[str, str]) -> Markup:
    """Return an SVG: the share of records inside their interval for every class of treatment, beside the 90 % of a correct model."""
    row, left, width = 24, 172, 340
    classes = _classes(table, scenario)
    scale = (width - left - 44) / 100
    bottom = row * len(classes) + 8
    parts = [svg.svg_line(left + 90 * scale, 4, left + 90 * scale, bottom, "var(--ink)", "4 3")]
    for number, counts in enumerate(classes):
        y, share = 6 + row * number, 100 * counts["inside"] / counts["rows"]
        parts.append(svg.svg_text(left - 6, y + 13, counts["treatment"], "var(--ink)", "end"))
        parts.append(svg.svg_bar(left, y, max(share * scale, 1.5), row - 7, colours[counts["treatment"]]))
        parts.append(svg.svg_text(width, y + 13, f"{counts['inside']}/{counts['rows']}", "var(--ink)", "end"))
    parts.append(svg.svg_text(left + 90 * scale, bottom + 14, "90 %", "var(--ink)", "middle"))
    words = "; ".join(f"{counts['treatment']}: {counts['inside']} of {counts['rows']} inside" for counts in classes)
    return svg.svg(width, bottom + 20, words, parts)


def _outline(shape: str) -> str:
    """Return the mark of a picture as an SVG path within 12 by 12, so that no font need have it."""
    from matplotlib.markers import MarkerStyle
    from numpy import asarray

    style = MarkerStyle(shape)
    path = style.get_path().transformed(style.get_transform())
    points = asarray(path.to_polygons(closed_only=False)[0], dtype=float)
    reach = max(float(abs(points).max()), 1e-9)
    return "M" + "L".join(f"{6 + 5 * x / reach:.1f} {6 - 5 * y / reach:.1f}" for x, y in points.tolist()) + "Z"


def _number(value: float) -> str:
    """Return a number with three digits and a true minus."""
    return f"{value + 0.0:.3g}".replace("-", "\u2212")  # -0.0 + 0.0 is 0.0


def _rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    records = []
    for number, row in zip(table.index, table.to_dict("records"), strict=True):
        unit = "ratio" if row["log"] and row["anchored"] else confront_view.UNITS.get(row["unit"], row["unit"])
        endpoint, form = row["endpoint"].replace("_", " "), row["form"]
        records.append(
            {
                **row,
                "number": number,
                "what": endpoint.replace(":", ": ") if form in endpoint else f"{endpoint.replace(':', ': ')}, {form}",
                "seen": _number(row["observed"]),
                "shown_unit": unit,
                # What is 0 but for the tolerance of the integration is 0.
                "told": _number(row["predicted"] if abs(row["predicted"]) > 1e-4 * (row["high"] - row["low"]) else 0.0),
                "limits": f"{_number(row['low'])} to {_number(row['high'])}",
                "distance": _number(round(row["z"], 1)),
                "miss": abs(row["z"]),
                "people": "" if row["n"] is None or row["n"] != row["n"] else f"{row['n']:.0f}",
                "verdict": "yes" if row["inside"] else "no",
            }
        )
    return records


def _counts(table: pd.DataFrame, by: str, scenarios: list[str]) -> list[dict[str, Any]]:
    """Return one line for each name in a column: its rows, and for each scenario those inside and the median |z|."""
    lines: dict[str, dict[str, Any]] = {}
    counts = confront_view.in_order(confront_view.coverage_summary(table, by), table, by)
    for row in counts.to_dict("records"):
        line = lines.setdefault(row[by], {"name": row[by], "rows": 0, "cells": dict.fromkeys(scenarios)})
        line["rows"] = max(line["rows"], row["rows"])
        line["cells"][row["scenario"]] = row
    return list(lines.values())


def _refused(confrontation: Confrontation) -> list[tuple[str, list[str]]]:
    """Return reasons, the most frequent first, each with its rows in words."""
    groups: dict[str, list[str]] = {}
    for row in confrontation.refusals().to_dict("records"):
        reason, _, detail = (
            row["reason"].partition(" for ") if "no read-out" in row["reason"] else (row["reason"], "", "")
        )
        week = "" if row["weeks"] is None or row["weeks"] != row["weeks"] else f", week {row['weeks']:g}"
        groups.setdefault(reason, []).append(
            f"{row['record']}: {row['arm']}, {row['endpoint']}{week}" + (f" ({detail})" if detail else "")
        )
    return sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))


# -- pictures --------------------------------------------------------------------------------------------------------


def _panels(table: pd.DataFrame, titles: list[str], scenarios: list[str]) -> list[dict[str, Any]]:
    from ..common.figures import new_figure
    from .predictions_figure import draw_panel, panels_alt

    panels = []
    for number, title in enumerate(titles):
        group = table[table["group"] == title]
        drawn = []
        for name in scenarios:
            rows = group[group["scenario"] == name]

            def paint(group: pd.DataFrame = group, name: str = name) -> Any:
                figure = new_figure(_PANEL, _PANEL)
                figure.set_layout_engine("none")
                axes = figure.add_axes(_PLACE)
                draw_panel(axes, group, name, size=8.0, counted=False)
                axes.set_xlabel("predicted", fontsize=8.0, labelpad=1)
                axes.set_ylabel("observed", fontsize=8.0, labelpad=1)
                return figure

            drawn.append(
                (
                    name,
                    int(rows["inside"].sum()),
                    len(rows),
                    _svg(paint, f"p{number}-{name}", panels_alt(rows, [title]), rows),
                )
            )
        panels.append({"title": title, "drawn": drawn})
    return panels


def _strips(table: pd.DataFrame, scenarios: list[str]) -> list[tuple[str, Markup]]:
    from ..common.figures import new_figure
    from .predictions_figure import draw_families, families_alt

    lines = [(name, family) for name, rows in confront_view.families(table).items() for family in rows]
    strips = []
    for name in scenarios:
        rows = table[table["scenario"] == name]

        def paint(rows: pd.DataFrame = rows) -> Any:
            figure = new_figure(_COLUMN, 0.8 + _LINE * (len(lines) + 1.25 * len(confront_view.CLASSES)))
            axes = figure.add_subplot()
            draw_families(axes, rows, lines, size=8.0)
            return figure

        strips.append((name, _svg(paint, f"f-{name}", families_alt(rows, lines), rows)))
    return strips


def _svg(paint: Any, name: str, alt: str, rows: pd.DataFrame) -> Markup:
    """Draw and return SVG in the colours of the page, with a title on every point."""
    from ..common.themed import themed_svg
    from .predictions_figure import INK, MARKS, PAPER

    colours = {INK: "ink", PAPER: "paper", _GRID: "grid", "#000000": "ink"}
    colours |= {colour: f"mark-{number}" for number, (colour, _) in enumerate(MARKS.values())}
    text = themed_svg(paint, name, alt, colours)
    titles = {
        str(
            number
        ): f"{row['record']}, {row['arm']}, week {row['weeks']:g}: observed {_number(row['observed'])}, predicted "
        f"{_number(row['predicted'])} ({_number(row['low'])} to {_number(row['high'])}), z {_number(round(row['z'], 1))}"
        for number, row in zip(rows.index, rows.to_dict("records"), strict=True)
    }
    titled = Markup("<g><title>{}</title>")
    return Markup(
        re.sub(rf'<g id="{name}-(?:row|line)-(\d+)">', lambda match: str(titled.format(titles[match[1]])), text)
    )
