"""What is said of one person, as texts and tables: for the terminal, the page and the printed document alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...twins.lab_quantities import lab_quantities
from ...twins.plain_answer import of_ten, plain_answer
from ..common.document import Table

if TYPE_CHECKING:
    from ...twins.patient_forecast import PatientForecast
    from ...twins.person_labs import PersonLabs

#: What stands on every page.
PATIENT_WARNING = "No medical device and no medical advice. A simulation is no evidence that a treatment works. Please discuss treatment with your doctors."
_SEXES = {0: "male", 1: "female"}


@dataclass(frozen=True)
class PatientContents:
    """Texts and tables of one person.

    Attributes
    ----------
    stage
        Category of KDIGO, and whether it has lasted.
    person
        Name and value of what is known.
    sentences
        Six, as of `plain_answer`.
    cautions
        What contradicts each other in the labs.
    notes
        How labs were read, what was left out or assumed.
    likeness, options, equations
        Who the people are beside the person; what becomes of them; what equations say.
    trust
        How far published numbers bear the model out.
    """

    stage: str
    person: tuple[tuple[str, str], ...]
    sentences: tuple[str, ...]
    cautions: tuple[str, ...]
    notes: tuple[str, ...]
    likeness: Table
    options: Table
    equations: Table
    trust: str


def patient_contents(forecast: PatientForecast, trust: str = "") -> PatientContents:
    """Return what is said of one person.

    Parameters
    ----------
    trust
        A sentence on how far published numbers bear the model out; empty for none.
    """
    labs = forecast.labs
    return PatientContents(
        f"KDIGO {labs.kdigo_stage}{_lasting(labs)}",
        _person(labs),
        plain_answer(forecast),
        labs.contradictions,
        (*labs.notes, *forecast.notes, *(f"left out: {text}" for text in labs.left_out)),
        likeness_table(forecast),
        options_table(forecast),
        equations_table(forecast),
        trust,
    )


def _lasting(labs: PersonLabs) -> str:
    if labs.chronic is None:
        return "; whether it has lasted three months is not known"
    return "; it has lasted three months" if labs.chronic else "; not shown to have lasted three months"


def _person(labs: PersonLabs) -> tuple[tuple[str, str], ...]:
    rows = [("age", f"{labs.age:.0f} years")] if labs.age is not None else []
    rows += [("sex", _SEXES[labs.female])] if labs.female is not None else []
    rows += [("diabetes", labs.diabetes)] if labs.diabetes else []
    rows += [("takes", ", ".join(labs.drugs))] if labs.drugs else []
    for name, lab in labs.used.items():
        item = lab_quantities()[name]
        when = f", {lab.measurement.date}" if lab.measurement.date else ""
        mean = f", mean of {lab.count}" if lab.count > 1 else ""
        rows.append((item.label, f"{lab.value:.3g} {item.unit}{mean}{when}"))
    return tuple(rows)


def likeness_table(forecast: PatientForecast) -> Table:
    """Return who the people are beside the person."""
    quantities = lab_quantities()
    rows = [
        (quantities[name].label, f"{value:.3g} {quantities[name].unit}", f"{middle:.3g} ({low:.3g} to {high:.3g})")
        for name, (value, middle, low, high) in forecast.like.labs.items()
    ]
    return Table(
        "The person, and the people who are like them: median and 5 to 95 %",
        ("lab", "the person", "people like them"),
        rows,
    )


def _band(band: Sequence[float]) -> str:
    low, middle, high = band
    return f"{middle:.0f} ({low:.0f} to {high:.0f})"


def options_table(forecast: PatientForecast) -> Table:
    """Return what becomes of the people under each option."""
    header = (
        "option",
        "eGFR 1 y",
        "eGFR 5 y",
        "UACR 5 y",
        "eGFR better",
        "kidney failure 5 y",
        "40 % decline 3 y",
        "death 5 y",
    )
    now = forecast.outcomes.options[0]
    rows = [
        (
            option.name, _band(option.egfr[1.0]), _band(option.egfr[5.0]), _band(option.uacr[5.0]),
            "" if option is now else of_ten(option.better_egfr),
            of_ten(option.kidney_failure[5.0]), of_ten(option.decline), of_ten(option.death),
        )
        for option in forecast.outcomes.options
    ]  # fmt: skip
    caption = "Options in the same people: eGFR in mL/min/1.73m2 and UACR in mg/g with 5 to 95 % of the people, and of how many"
    return Table(caption, header, rows)


def equations_table(forecast: PatientForecast) -> Table:
    """Return what published equations say, beside the model."""
    rows = [
        (
            row.name, row.outcome, str(row.years), _percent(row.risk), _percent(row.model),
            "DIFFERS by more than a factor of 2" if row.differs else row.why,
        )
        for row in forecast.equations
    ]  # fmt: skip
    header = ("equation", "of", "years", "its risk, %", "the model, %", "remark")
    return Table("Published risk equations, learned from patients, beside the model", header, rows, words=2)


def _percent(value: float) -> str:
    return "" if not math.isfinite(value) else f"{100.0 * value:.1f}"
