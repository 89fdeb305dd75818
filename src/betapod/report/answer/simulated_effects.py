"""What the model says of a course of cells in a typical person, under each scenario; kept as results of claims are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...base.constants import DAYS_PER_YEAR
from ...claims.claim_comparisons import COMPARISONS
from ...claims.claim_people import describe_person
from ...claims.claim_simulation import simulate_outcomes
from ...claims.claim_uncertainty import EffectInterval, effect_interval
from ...claims.typical_effects import GRAFTED, INFUSED, YEARS, typical_outcomes
from ...claims.uncertainty_words import parts_in_words
from ...therapies.scenarios import SCENARIOS as BY_NAME
from ..common.words import MINUS, written_number
from .traced_numbers import NumberBook, TracedNumber

#: Scenario -> where `SimulatedOutcome` has its effect.
SCENARIOS = {name: field for field, name in COMPARISONS.items()}
#: Quantity -> what it is called, unit of the change, and its decimals.
PRINTED = {
    "eGFR": ("eGFR", "mL/min", 1),
    "UACR": ("albumin in urine", "%", 1),
    "HbA1c": ("HbA1c", "points", 2),
    "insulin_dose": ("daily insulin", "units", 0),
}


@dataclass(frozen=True)
class SimulatedEffect:
    """One simulated effect, treated against untreated; `ends` are those of its 95 % interval, empty where nothing was drawn."""

    key: str
    person: str
    label: str
    course: str
    scenario: str
    quantity: str
    value: float
    text: str
    ends: str = ""


def simulate_effects(courses: Sequence[tuple[str, str]], book: NumberBook) -> tuple[SimulatedEffect, ...]:
    """Simulate courses in people for a year, or read what was simulated before, and enter the numbers into the book.

    Parameters
    ----------
    courses
        Person and order of each.

    Raises
    ------
    ConfigError
        No such person, or an order that is not understood.
    """
    outcomes = typical_outcomes(courses)
    results = simulate_outcomes(outcomes)

    def interval(name: str, field: str) -> EffectInterval | None:
        return effect_interval(outcomes[name], results[name], field)

    for person in dict.fromkeys(person for person, _ in courses):
        name = f"typical {person}: eGFR"
        _enter_level(person, float(results[name].off or 0.0), interval(name, "off"), book)
    effects = []
    for person, course in dict.fromkeys(courses):
        for quantity in PRINTED:
            name = f"typical {person}, {course}: {quantity}"
            for scenario, field in SCENARIOS.items():
                value = float(getattr(results[name], field))
                effects.append(_entered(person, course, scenario, quantity, value, interval(name, field), book))
    return tuple(effects)


def _enter_level(person: str, value: float, interval: EffectInterval | None, book: NumberBook) -> None:
    book.add(
        TracedNumber(
            f"eGFR-{person}",
            f"{value:.0f}",
            value,
            f"eGFR after a year without benefit of cells, mL/min/1.73m2; {describe_person(person)}",
            "simulated",
            f"betapod simulate reference --person {person} --days {YEARS * DAYS_PER_YEAR:g} --outputs eGFR",
            certainty="a simulation",
            interval=parts_in_words(interval),
        )
    )


def _entered(
    person: str,
    course: str,
    scenario: str,
    quantity: str,
    value: float,
    interval: EffectInterval | None,
    book: NumberBook,
) -> SimulatedEffect:
    label, unit, digits = PRINTED[quantity]
    key = f"sim-{person}-{course_key(course)}-{scenario}-{quantity}"
    text = f"{signed(value, digits)}\u00a0{unit}"
    name = describe_person(person)
    book.add(
        TracedNumber(
            key,
            text,
            value,
            f"{label} after a year, {course} against none; {name}; {BY_NAME[scenario].label}",
            "simulated, with all mechanisms of cells at work; the same without --cells is what it is compared with",
            f"betapod simulate reference --person {person} --cells '{course}' --scenario {scenario} "
            f"--days {YEARS * DAYS_PER_YEAR:g} --outputs {quantity}",
            certainty="a simulation",
            interval=parts_in_words(interval),
        )
    )
    ends = "" if interval is None else f"{signed(interval.low, digits)} to {signed(interval.high, digits)}"
    return SimulatedEffect(key, person, name, course, scenario, quantity, value, text, ends)


def course_key(course: str) -> str:
    """Return a name for a course in keys and anchors: that of the product for the two that are always shown."""
    return course.split()[0] if course in (INFUSED, GRAFTED) else re.sub(r"[^\w-]+", "-", course)


def signed(value: float, digits: int) -> str:
    """Return a change with its sign and a true minus; 0 alone where nothing of it would be seen."""
    text = written_number(value, digits, sign=True)
    return "0" if float(text.replace(MINUS, "-")) == 0 else text
