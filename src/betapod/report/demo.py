"""The demonstration: a kidney in health, in type 1 and in type 2 diabetes, over twenty years, with and without treatment."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.schedule import Schedule, Switch

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ..engine.reference import Result
    from ..model import Model

DAYS_PER_YEAR = 365.25
YEARS = 20
TREATMENT_YEAR = 5
OUTPUTS = ("GFR", "UACR", "P_GC", "MAP", "W_GBM", "podocytes", "S_cr")

#: The reference people of the kidney: what differs from the healthy default.
PEOPLE: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "healthy": ("healthy, from age 45", {}),
    "T1D": ("type 1 diabetes, from age 15", {"G": 11.3, "age": 15.0}),
    "T2D": ("type 2 diabetes, from age 52", {"G": 9.3, "dMAP": 6.0, "N_in": 170.0, "age": 52.0}),
}

#: Treatments as inputs: effective means over the day.
ARMS: Mapping[str, Mapping[str, float]] = {
    "untreated": {},
    "ARB": {"e_ARB": 0.6},
    "SGLT2 inhibitor": {"e_S": 0.65},
    "both": {"e_ARB": 0.6, "e_S": 0.65},
}

DISCLAIMER = (
    "A simulation shows what follows from a model's assumptions. It is no evidence that a treatment works, and betapod is no "
    "medical device. The parameters of structural damage are hand-tuned starting values, not yet calibrated."
)


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration computed: one result per person and arm, and the table of all."""

    model: Model
    results: Mapping[tuple[str, str], Result]
    table: pd.DataFrame


def run(progress: Callable[[str, int, int], None] | None = None) -> Demonstration:
    """Simulate every person and arm.

    Parameters
    ----------
    progress
        Called before each simulation with what comes, how many are done, and how many there are.
    """
    import numpy as np

    from ..engine.reference import simulate
    from ..physiology import whole_body

    model = whole_body.model("kidney")
    cases = [(person, arm) for person in PEOPLE for arm in ARMS if person != "healthy" or arm == "untreated"]
    # Quarters of years, and closer together where glucose rises and where treatment begins.
    near = np.array([7.0, 14.0, 30.0, 60.0])
    begin = TREATMENT_YEAR * DAYS_PER_YEAR
    times = np.unique(np.concatenate([np.linspace(0.0, YEARS, 4 * YEARS + 1) * DAYS_PER_YEAR, near, begin + near]))
    results = {}
    for number, (person, arm) in enumerate(cases):
        if progress is not None:
            progress(f"{PEOPLE[person][0]}, {arm}", number, len(cases))
        switches = tuple(Switch(name, value, TREATMENT_YEAR * DAYS_PER_YEAR) for name, value in ARMS[arm].items())
        patient = model.with_values(dict(PEOPLE[person][1]))
        results[person, arm] = simulate(patient, times, Schedule(switches=switches), outputs=OUTPUTS)
    return Demonstration(model, results, _table(results))


def _at(result: Result, name: str, year: float) -> float:
    return float(result.table[name].loc[year * DAYS_PER_YEAR])


def _table(results: Mapping[tuple[str, str], Result]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for (person, arm), result in results.items():
        # The acute haemodynamic effect of a drug is over within a year; what follows is the chronic slope.
        chronic = TREATMENT_YEAR + 1
        rows.append(
            {
                "person": person,
                "treatment from year 5": arm,
                "GFR at 5 y (mL/min)": _at(result, "GFR", TREATMENT_YEAR),
                "GFR at 20 y (mL/min)": _at(result, "GFR", YEARS),
                "GFR slope, years 6-20 (mL/min/year)": (_at(result, "GFR", YEARS) - _at(result, "GFR", chronic))
                / (YEARS - chronic),
                "UACR at 20 y (mg/g)": _at(result, "UACR", YEARS),
                "P_GC at 20 y (mmHg)": _at(result, "P_GC", YEARS),
                "MAP at 20 y (mmHg)": _at(result, "MAP", YEARS),
                "kidney failure (year)": math.nan if result.ended is None else result.ended[1] / DAYS_PER_YEAR,
            }
        )
    return pd.DataFrame(rows)


def write(demonstration: Demonstration, folder: Path) -> list[Path]:
    """Write figure (png, svg), plotted data and table (csv), table (md) and page (html); returns the files."""
    from ..errors import ConfigError, Location, Problem
    from ..files import write_text
    from .figures import save
    from .tables import markdown_table

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(Problem("cannot-write", f"cannot make the folder: {reason}", Location(str(folder)))) from None
    figure = _figure(demonstration)
    written = save(figure, folder / "kidney", _plotted(demonstration), _alt(demonstration))
    table = demonstration.table
    written.append(
        write_text(folder / "summary.csv", table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
    )
    markdown = markdown_table(list(table.columns), rounded(table))
    written.append(write_text(folder / "summary.md", f"{markdown}\n{DISCLAIMER}\n"))
    written.append(write_text(folder / "index.html", _page(demonstration, (folder / "kidney.svg").read_text("utf-8"))))
    return written


def rounded(table: pd.DataFrame) -> list[list[str]]:
    """Return the rows of the table as text with the digits that mean something."""

    def text(name: str, value: object) -> str:
        if not isinstance(value, float):
            return str(value)
        if math.isnan(value):
            return "-"
        return f"{value:.2f}" if "slope" in name else f"{value:.3g}" if "UACR" in name else f"{value:.1f}"

    return [[text(name, row[name]) for name in table.columns] for row in table.to_dict("records")]


def _figure(demonstration: Demonstration) -> Figure:
    from .figures import Curve, Panel, panel_figure

    model = demonstration.model
    colours = dict(zip(ARMS, (6, 0, 1, 2), strict=True))
    rows = []
    for name, label, logarithmic in (
        ("GFR", "GFR", False),
        ("UACR", "albuminuria, UACR", True),
        ("P_GC", "glomerular pressure", False),
    ):
        panels = []
        for person, (about, _) in PEOPLE.items():
            curves = []
            for (who, arm), result in demonstration.results.items():
                if who == person:
                    # Before treatment all arms are the untreated one.
                    course = result.table[name].loc[TREATMENT_YEAR * DAYS_PER_YEAR if ARMS[arm] else 0.0 :]
                    curves.append(
                        Curve(arm, [float(day) / DAYS_PER_YEAR for day in course.index], list(course), colours[arm])
                    )
            marks = [(float(TREATMENT_YEAR), "treatment")] if person != "healthy" and name == "GFR" else []
            panels.append(
                Panel(about if name == "GFR" else "", f"{label} ({model.units[name]})", curves, logarithmic, marks)
            )
        rows.append(panels)
    return panel_figure(rows)


def _plotted(demonstration: Demonstration) -> pd.DataFrame:
    import pandas as pd

    pieces = []
    for (person, arm), result in demonstration.results.items():
        piece = result.table.copy()
        piece.insert(0, "treatment", arm)
        piece.insert(0, "person", person)
        piece.insert(0, "year", piece.index / DAYS_PER_YEAR)
        pieces.append(piece.reset_index(drop=True))
    data = pd.concat(pieces)
    units = demonstration.model.units
    data = data.rename(columns={name: f"{name} [{units[name]}]" for name in OUTPUTS})
    return data.set_index("person")


def _alt(demonstration: Demonstration) -> str:
    parts = []
    for person in ("T1D", "T2D"):
        numbers = ", ".join(
            f"{arm} GFR {_at(result, 'GFR', YEARS):.0f} mL/min and UACR {_at(result, 'UACR', YEARS):.0f} mg/g"
            for (who, arm), result in demonstration.results.items()
            if who == person
        )
        parts.append(f"{PEOPLE[person][0]} at 20 years: {numbers}")
    return (
        "Simulated courses over 20 years of glomerular filtration rate, urinary albumin-creatinine ratio and glomerular capillary "
        f"pressure in a healthy person, in type 1 and in type 2 diabetes; treatment begins in year 5. {'; '.join(parts)}."
    )


def _page(demonstration: Demonstration, svg: str) -> str:
    from .. import __version__
    from ..model.render_html import page

    table = demonstration.table
    header = "".join(f"<th>{html.escape(name)}</th>" for name in table.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rounded(table)
    )
    model = demonstration.model
    first = next(iter(demonstration.results.values()))
    inputs = "".join(
        f"<li><strong>{html.escape(about)}</strong>: "
        + (", ".join(_given(model, name, value) for name, value in values.items()) or "every input at its default")
        + "</li>"
        for about, values in PEOPLE.values()
    )
    arms = "".join(
        f"<li><strong>{html.escape(arm)}</strong>: {', '.join(_given(model, name, value) for name, value in values.items())}, "
        f"effective means over the day, from year {TREATMENT_YEAR}</li>"
        for arm, values in ARMS.items()
        if values
    )
    drawing = svg[svg.index("<svg") :].replace("<svg ", '<svg style="max-width:100%;height:auto;background:#fff" ', 1)
    content = (
        "<h1>Twenty years of a kidney</h1>"
        f"<p>{html.escape(DISCLAIMER)}</p>"
        f'<figure style="margin:1rem 0">{drawing}</figure>'
        '<h2 id="table">Table</h2>'
        f'<div class="scroll"><table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table></div>'
        '<h2 id="how">How this was computed</h2>'
        f"<ul>{inputs}</ul><ul>{arms}</ul>"
        f"<p class='count'>Model kidney ({len(model.states)} states), fingerprint {model.fingerprint[:16]}; {first.method}, "
        f"relative tolerance {first.rtol:g}; betapod {__version__}. The plotted numbers stand in kidney.csv, this table in "
        "summary.csv.</p>"
    )
    links = '<li><a href="#table">Table</a></li><li><a href="#how">How this was computed</a></li>'
    return page("betapod: twenty years of a kidney", f'<nav aria-label="Contents"><ol>{links}</ol></nav>', content)


def _given(model: Model, name: str, value: float) -> str:
    unit = model.units[name]
    return html.escape(f"{model.labels[name]} = {value:g}" + (f" {unit}" if unit != "1" else ""))
