"""The reference page of observables, written from the table: ``python tests/support/observables_page.py`` writes it anew."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from betapod.observables.table import (
    bounds_for,
    known_characteristics,
    names_for,
    observables,
    observables_and_characteristics,
)
from betapod.observables.variation import Variation, variations

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "observables.md"

HEAD = """# What is measured

Everything that betapod measures of people, or compares with what others measured, stands once in the tables of `betapod.observables`. Trials,
virtual patients, tables of people, the registry of evidence, comparisons with published results and reports read them there. This page is written
from them.

```python
import betapod

betapod.list_observables().loc["UACR", ["unit", "loinc", "error"]]
```

- *Code* is the PARAMCD of CDISC ADaM that protocols and data of trials use. A code of LOINC names the same component in the same unit; where none
  fits there is none.
- *Change* says whether changes are counted as ratios (log) or differences (linear), *better* which direction is an improvement, *least* the
  smallest value that is reported.
- *Model* is computed from the coupled model; `person.` marks what belongs to a person and not to the model: age at that time, sex, height,
  stiffness of arteries.
- *Compared*: published groups are compared by means (linear) or geometric means (log), or as ratios to the start where the model has the course of
  an observable but not its level (course).

"""

ERRORS = """
## One measurement, and a year of life

*Error* is the SD of one measurement about a person's own value: of the logarithm where no unit is given. Variation between days and that of the
assay are one number where people were examined twice. Trials compute eGFR from the creatinine that they measure; its own error is used where no
creatinine is measured. *Life* is the SD by which a year of changing care, diet, season and illness moves people besides the model, and after how
many years that is forgotten; only comparisons with published results use it. It grows from nothing within a year, except for albuminuria: its
slow deviation is there on the day on which people are selected (column `life_uacr` of a library), so that those chosen for a high value regress.
Grade A is measured, D assumed.
"""

BOUNDS = """
## Which values can be

*Reportable* is what a laboratory, a scale or a calendar can give: protocols refuse thresholds beyond it. *Possible* is what an adult can have:
tables of people refuse what lies beyond. Beyond *usual* a value is kept and mentioned. *Virtual* patients have true values within their range;
where none is given, within the usual one. Means of *groups* in the registry lie within their range or, without one, within the possible one.
"""

NAMES = """
## Other names

Protocols and tables of people also know these names; case does not matter.
"""


RECIPE = """
## A new observable

1. `observables/observables.csv`: its id, label, unit, direction, and the expression of the model. A PARAMCD (at most eight letters) makes it
   something that trials measure; `compared` makes it something that predictions are compared in. Functions of expressions are those of
   `observables/formulas.py`.
2. `observables/variation.csv`: the error of one measurement with role, source and grade, or the observable that it is `like`.
3. `observables/bounds.csv` and `observables/names.csv`: which values can be, and what protocols, tables of people and the registry call it.
4. `python tests/support/observables_page.py` writes this page; `tests/observables` checks codes, units, expressions, errors and bounds, and that no
   other file defines what is measured.
"""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', ',') for cell in line)} |" for line in lines) + "\n"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _spread(variation: Variation | None, unit: str) -> str:
    if variation is None:
        return ""
    return f"{variation.sd:g} {unit}" if variation.scale == "linear" else f"{variation.sd:g}"


def _life(life: Variation | None) -> tuple[str, str]:
    if life is None:
        return "", ""
    sizes = ", ".join(f"{sd:g} at {at:g}" for at, sd in life.levels) or f"{life.share:g}"
    return sizes, f"{life.lasts:g}"


def _span(whose: str, name: str) -> str:
    own = bounds_for(whose).get(name)  # type: ignore[arg-type]
    return "" if own is None else f"{own[0]:g} to {own[1]:,.10g}".replace(",", " ")


def page() -> str:
    """Return the page in Markdown."""
    parts = [HEAD]
    rows = [
        (
            _code(each.id),
            each.label,
            each.paramcd,
            each.unit,
            each.ucum,
            each.loinc,
            each.link,
            {1: "higher", -1: "lower", 0: ""}[each.better],
            "" if math.isnan(each.floor) else f"{each.floor:g}",
            _code(each.model),
            each.compared,
        )
        for each in observables().values()
    ]
    parts.append(
        _table(
            ("observable", "", "code", "unit", "UCUM", "LOINC", "change", "better", "least", "model", "compared"), rows
        )
    )
    parts.append("\n## What does not change in a trial\n\n")
    parts.append(
        _table(
            ("characteristic", "", "code", "unit", "UCUM", "LOINC", "column of tables of people"),
            [
                (_code(c.id), c.label, c.paramcd, c.unit, c.ucum, c.loinc, _code(c.cohort))
                for c in known_characteristics().values()
            ],
        )
    )
    parts.append(ERRORS + "\n")
    parts.append(
        _table(
            ("observable", "error", "grade", "from", "life", "years"),
            [
                (
                    _code(name) + cause.removeprefix("measurement"),
                    _spread(error, observables()[name].unit),
                    error.grade,
                    "; ".join(filter(None, (error.source, error.note))) or error.role,
                    *_life(observables()[name].life if cause == "measurement" else None),
                )
                for (name, cause), error in variations().items()
                if not cause.startswith("life")
            ],
        )
    )
    parts.append(BOUNDS + "\n")
    whose = ("reportable", "possible", "usual", "virtual", "group")
    parts.append(
        _table(
            ("", "unit", *whose),
            [
                (_code(name), each.unit, *(_span(which, name) for which in whose))
                for name, each in observables_and_characteristics().items()
                if any(name in bounds_for(which) for which in whose)
            ],
        )
    )
    parts.append(NAMES + "\n")
    called: dict[str, list[str]] = {}
    for where in ("protocol", "cohort"):
        for name, row in names_for(where).items():
            called.setdefault(row.means, []).append(name)
    parts.append(_table(("", "also called"), [(_code(name), ", ".join(others)) for name, others in called.items()]))
    parts.append(RECIPE)
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
