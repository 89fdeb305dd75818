"""A typical person with all organs: the history is simulated first, then the treatment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ..base.constants import DAYS_PER_YEAR
from ..base.errors import ConfigError, Problem, not_among
from ..engine.one_patient import simulate_one
from ..model import Model
from ..physiology import whole_body
from ..therapies.input_courses import input_courses
from ..therapies.plan import Plan, plan
from ..therapies.standard_care import therapy
from . import typical as people
from .begins_today import lifelong_and_today
from .kept_histories import History, kept_history
from .older import OLDER

if TYPE_CHECKING:
    from .typical import Person

#: Longest history that is simulated in search of a mark of HbA1c, years.
LONGEST_HISTORY = 40.0


@dataclass(frozen=True)
class Patient:
    """Someone whose whole body is known.

    Attributes
    ----------
    model
        An assembly with the person's values.
    state
        Every state today.
    history
        Simulated years that led to it; `model` counts age from today.
    """

    name: str
    label: str
    model: Model
    state: Mapping[str, float] = field(repr=False)
    history: float


def typical_patient(
    name: str, assembly: str = "reference", changes: Mapping[str, float | str] | None = None
) -> Patient:
    """Return a typical person as an assembly sees them, grown through the history that the person is the end of.

    Kidney, vessels and beta cells live through the same years: a person with 15 years of diabetes has kidneys with 15 years
    of diabetes. Long-standing type 1 diabetes has as many years as its profile says.

    Parameters
    ----------
    changes
        Values that differ: of what the person is in the whole life, of treatments and experiments (`begins_today`) from today on.

    Raises
    ------
    ConfigError
        No such person, a model without metabolism (or kidneys, for who is known by them), HbA1c does not reach the person's mark, or
        somebody younger than the diabetes.
    ParameterError, UnitError
        Everything wrong with `changes`.
    """
    if name not in person_names():
        message = f"there is no typical person {name!r}"
        raise ConfigError(not_among(person_names(), "unknown-person", message, name))
    lifelong, today = lifelong_and_today(changes or {})
    if not today:
        return _with_history(name, assembly, lifelong)
    # Checked with the rest, before a history is simulated.
    whole_body.named_model(assembly).with_values(dict(changes or {}))
    who = _with_history(name, assembly, lifelong)
    return replace(who, model=who.model.with_values(today))


def _with_history(name: str, assembly: str, changes: Mapping[str, float | str]) -> Patient:
    """Let somebody live up to today with values that differ in the whole life."""
    if name in OLDER:
        return _later(name, assembly, changes)
    person = people.person(name)
    if "HbA1c" not in whole_body.named_model(assembly).state_names:
        message = f"the model {assembly!r} has no metabolism, by whose history a person is known"
        raise ConfigError(Problem("no-metabolism", message, hint="Use the models reference or metabolism."))
    model = _with_person(whole_body.named_model(assembly), person).with_values(changes)
    years, state = _grow(person, model)
    if "age" in model.inputs:
        # The age is today's; the history happened before, and its length depends little on age.
        years, state = _grow(person, _earlier(model, years, name))
    return Patient(name, person.label, model, state, years)


def person_names() -> tuple[str, ...]:
    """Return the names of all whom `typical_patient` knows; those who are older need an assembly with kidneys."""
    return (*people.typical_names(), *OLDER)


def person_label(name: str) -> str:
    """Return who a person is, in words."""
    return OLDER[name].kidney if name in OLDER else people.person(name).label


def metabolism_today(name: str, changes: Mapping[str, float | str] | None = None) -> Person:
    """Return the metabolism of any typical person today, those with kidney disease included, as glucose tests take it.

    Those who are known by their kidneys live up to today in the whole body; what the kidneys do to glucose and insulin then stands still.

    Parameters
    ----------
    changes
        As of `typical_patient`.

    Raises
    ------
    ConfigError, ParameterError, UnitError
        As of `typical_patient`.
    """
    who = typical_patient(name, "reference", changes)
    base = whole_body.named_model("metabolism")
    wanted = [*base.parameters, *base.inputs]
    values_now = who.model.values()
    computed = [key for key in wanted if key not in values_now and key in who.model.assignments]
    values = {key: values_now[key] for key in wanted if key in values_now}
    # The whole body knows height, and with it the surface that the volume of C-peptide goes by.
    values |= who.model.evaluate([*computed, "BSA_person"], {**who.state})
    values["BSA"] = values.pop("BSA_person")
    return people.Person(
        name, who.label, values, {key: who.state[key] for key in base.state_names}, "years", who.history
    )


def _later(name: str, assembly: str, changes: Mapping[str, float | str]) -> Patient:
    """Let a typical person live on under the care of their later years."""
    older = OLDER[name]
    present = whole_body.named_model(assembly).names
    if "UACR" not in present or "HbA1c" not in present:
        lacks = "kidneys" if "UACR" not in present else "metabolism"
        message = f"the model {assembly!r} has no {lacks}: {name} is known by kidneys that diabetes made ill"
        raise ConfigError(Problem(f"no-{lacks}", message, hint="Use the model reference."))
    today = whole_body.named_model(assembly).with_values({**older.values, "age": older.age}).with_values(changes)
    before = _earlier(today, older.years, name)
    then = {key: before.values()[key] for key in ("age", "S_cr0")}
    young = _with_history(older.start, assembly, {**older.values, **changes, **then})
    base = {key: young.model.inputs[key].value for key in young.model.inputs}
    # Of a drug that has acted for years only its full effect is seen.
    care = {key: steps[-1].after for key, steps in input_courses([therapy(text) for text in older.care], base).items()}
    treated = young.model.with_values(care)
    names = list(treated.state_names)

    def live() -> History:
        lived = simulate_one(treated, [0.0, older.years * DAYS_PER_YEAR], initial=young.state, outputs=names)
        return older.years, lived.courses.at(-1)

    _, state = kept_history(treated, ["later", older.years, young.state], live)
    model = treated.with_values({key: today.values()[key] for key in then})
    return Patient(name, older.kidney, model, state, young.history + older.years)


def _earlier(model: Model, years: float, name: str) -> Model:
    """Return the model of a person so many years younger, who had more muscle and so more creatinine."""
    values = model.values()
    if values["age"] < years:
        message = f"{name} has {years:.1f} years of history: too many at the age of {values['age']:g}"
        raise ConfigError(
            Problem("too-young", message, hint="Choose a higher age, or a person with a shorter history.")
        )
    earlier = {"age": values["age"] - years}
    if "S_cr0" in model.parameters:
        earlier["S_cr0"] = values["S_cr0"] * math.exp(values["creatinine_fall"] * years)
    return model.with_values(earlier)


def _with_person(model: Model, person: Person) -> Model:
    model_names = set(model.parameters) | set(model.inputs)
    values: dict[str, float | str] = {key: value for key, value in person.values.items() if key in model_names}
    if "T1D" in model_names:
        values["T1D"] = float(person.name.startswith("t1d"))
    return model.with_values(values, f"person {person.name}")


def _grow(person: Person, model: Model) -> History:
    """Return the length of the history in years and the state at its end."""
    return kept_history(model, ["grow", person.history, person.until], lambda: _simulated(person, model))


def _simulated(person: Person, model: Model) -> History:
    names = list(model.state_names)
    if person.history == "years":
        years = person.until
        return years, simulate_one(model, [0.0, max(years, 0.01) * DAYS_PER_YEAR], outputs=names).courses.at(-1)
    times = np.arange(0.0, LONGEST_HISTORY * DAYS_PER_YEAR, 15.0)
    courses = simulate_one(model, times, outputs=names).courses
    above = np.flatnonzero((courses.values["HbA1c"] >= person.until) & (times > DAYS_PER_YEAR))
    if not above.size:
        raise ConfigError(
            Problem(
                "unreachable",
                f"HbA1c does not reach {person.until:g} % within {LONGEST_HISTORY:g} years",
                hint="Such values hold for the person's whole life: change fewer, or choose a person with lower HbA1c. "
                "What shall begin later is a switch of an input.",
            )
        )
    return float(times[above[0]]) / DAYS_PER_YEAR, courses.at(int(above[0]))


def treat_patient(
    who: Patient, drugs: Iterable[str] = (), cells: Iterable[str] = (), scenario: str | None = None
) -> Plan:
    """Return what a patient is given, with the patient's model under the scenario; see `therapies.plan.plan`.

    Parameters
    ----------
    drugs
        Such as ``"metformin 2 g"``.
    cells
        Such as ``"UC-MSC 1e6/kg iv x3 q28d"``.
    scenario
        What cells do, one of `therapies.scenarios.SCENARIOS`.

    Raises
    ------
    ConfigError
        Everything wrong with drugs and cells at once.
    """
    return plan(who.model, who.state, drugs, cells, scenario)
