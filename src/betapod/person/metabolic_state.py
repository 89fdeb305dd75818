"""Metabolic states of a person: simulated history, snapshots, states at rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..base.constants import DAYS_PER_YEAR
from ..base.errors import ConfigError, Location, Problem
from ..engine.one_patient import simulate_one
from ..engine.schedule import Schedule
from ..engine.scipy.simulation_result import Result
from ..model import Model
from ..model.algebra.evaluate import compile_function
from ..model.parameters.table import parameter_quantity
from ..physiology import whole_body
from .begins_today import lifelong_and_today
from .typical import Person

if TYPE_CHECKING:
    import pandas as pd


def model_of(person: Person, name: str = "metabolism", changes: Mapping[str, float] | None = None) -> Model:
    """Return a metabolic assembly with a person's values.

    Parameters
    ----------
    name
        ``metabolism``, or an assembly of the minute layer, which takes the person's slow states as inputs.
    changes
        Further values, which override the person's.
    """
    base = whole_body.named_model(name)
    model_names = set(base.parameters) | set(base.inputs)
    person_values = {**person.values, **(person.state if name != "metabolism" else {})}
    values = {key: value for key, value in person_values.items() if key in model_names}
    return base.with_values({**values, **(changes or {})}, f"person {person.name}")


def follow(
    person: Person, days: Sequence[float], schedule: Schedule | None = None, rtol: float = 1e-6, atol: float = 1e-9
) -> Result:
    """Simulate the day layer from a person's state on."""
    return simulate_one(model_of(person), days, schedule, person.state, rtol=rtol, atol=atol)


def snapshot(person: Person, row: pd.Series[float], name: str = "", label: str = "") -> Person:
    """Return the person as a row of a simulation of the day layer shows them, drugs included."""
    model = whole_body.named_model("metabolism")
    return Person(
        name or person.name,
        label or person.label,
        {**person.values, **{key: float(row[key]) for key in model.inputs if key in row}},
        {key: float(row[key]) for key in model.state_names},
        person.history,
        person.until,
    )


def grown(person: Person, step: float = 5.0, years: float = 40.0) -> Person:
    """Return the person at the end of their history: after so many years, or when HbA1c reaches its mark.

    Raises
    ------
    ConfigError
        HbA1c does not reach the mark within `years`.
    """
    model = model_of(person)
    if person.history == "years":
        table = simulate_one(model, [0.0, max(person.until, 0.01) * DAYS_PER_YEAR], rtol=1e-9, atol=1e-11).table
        if person.until > 0:
            return snapshot(person, table.iloc[-1])
        # At diagnosis all but glucose stands where the history begins.
        return replace(person, state=at_rest(model, {key: float(table[key].iloc[0]) for key in model.state_names}))
    times = np.arange(0.0, years * DAYS_PER_YEAR, step)
    table = simulate_one(model, times, rtol=1e-9, atol=1e-11).table
    # The start of a history may lie above the mark; the last year-long rise to it counts.
    above = np.flatnonzero((table["HbA1c"].to_numpy() >= person.until) & (times > DAYS_PER_YEAR))
    if not above.size:
        raise ConfigError(
            Problem("unreachable", f"HbA1c does not reach {person.until:g} % within {years:g} years", hint=person.label)
        )
    last = int(above[0])
    a, b = (float(table["HbA1c"].iloc[k]) for k in (last - 1, last))
    share = (person.until - a) / (b - a)
    row = table.iloc[last - 1] + share * (table.iloc[last] - table.iloc[last - 1])
    return snapshot(person, row)


def with_values(person: Person, values: Mapping[str, float | str]) -> Person:
    """Return a person with other values.

    Parameters
    ----------
    values
        Parameters and inputs of the assembly ``metabolism``. What the person is holds for the whole history, which is simulated
        anew up to the same mark; treatments and experiments (`begins_today`) hold today, and so do states. Numbers in the model's
        units, or text with a unit.

    Raises
    ------
    ParameterError, UnitError
        Unknown names, values that cannot be read or cannot be; all at once.
    ConfigError
        With such values HbA1c does not reach the person's mark.
    """
    model = model_of(person)
    states = {name: value for name, value in values.items() if name in model.state_names}
    others = {name: value for name, value in values.items() if name not in states}
    numbers = model.with_values(others).values()
    lifelong, today = lifelong_and_today({name: numbers[name] for name in others})
    state = {
        name: value if isinstance(value, float) else parameter_quantity(str(value), model.units[name], Location(name))
        for name, value in states.items()
    }
    who = grown(replace(person, values={**person.values, **lifelong})) if lifelong else person
    return replace(who, values={**who.values, **today}, state={**who.state, **state})


def at_rest(model: Model, state: Mapping[str, float]) -> dict[str, float]:
    """Return the state with fasting and fed glucose at the root of their balance, all else unchanged.

    The balance falls strictly with glucose, so a bracket of 0.1 to 300 mmol/L holds exactly one root.
    """
    from scipy.optimize import brentq

    rest = dict(state)
    values = {"t": 0.0, **model.values(), **state}
    keys = list(values)
    for name in ("ln_G_fasting", "ln_G_fed"):
        rate = next(s.rate for s in model.states if s.name == name)
        compute = compile_function([rate], [keys])
        index = keys.index(name)
        numbers = [values[key] for key in keys]

        def balance(x: float, numbers: list[float] = numbers, index: int = index, compute: object = compute) -> float:
            assert callable(compute)
            return float(compute([*numbers[:index], x, *numbers[index + 1 :]])[0])

        rest[name] = float(brentq(balance, np.log(0.1), np.log(300.0), xtol=1e-13, rtol=1e-13))
    return rest
