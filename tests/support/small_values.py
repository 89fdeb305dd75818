"""A comparison of strategies with made-up numbers: the shape of a result and laws that its numbers keep, nothing that was simulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from betapod.value.value_result import ValueParameter, ValueResult

STRATEGIES = ("no cells", "current evidence", "as claimed", "SGLT2 inhibitor")
CELLS = "UC-MSC 1e6/kg iv x3 q28d"
RUN: Mapping[str, Any] = {
    "title": "A made-up comparison",
    "people": {"protocol": "dn61", "size": 40},
    "comparator": "no cells",
    "strategies": {
        "no cells": {},
        "current evidence": {"cells": CELLS, "scenario": "current-evidence"},
        "as claimed": {"cells": CELLS, "scenario": "seed-claims"},
        "SGLT2 inhibitor": {
            "therapies": [{"therapy": "SGLT2 inhibitor", "start": 0.0, "stop": None, "adherence": 1.0}]
        },
    },
    "horizon": "life",
    "care": "frozen",
    "draws": 400,
    "replicates": 2,
    "seed": 3,
    "discount": {"costs": 0.035, "effects": 0.035},
    "utilities": {"set": "made-up", "combine": "additive"},
    "country": "made-up.yaml",
    "willingness to pay": [20_000, 50_000, 100_000],
    "budget": {"eligible": 1000, "uptake": [0.1, 0.2, 0.3], "years": 3},
}
#: What each strategy adds, made up: QALYs per unit of its parameter, costs without the price of cells.
_GAIN = np.array([0.0, 0.02, 1.2, 0.5])
_SPENT = np.array([0.0, 300.0, -9000.0, 4000.0])


def made_up(draws: int = 400, costs: bool = True, structures: tuple[str, ...] = ("own", "ukpds-om2")) -> ValueResult:
    """Return a result; every number of it is made up."""
    rng = np.random.default_rng(5)
    effect, decisive, idle = rng.normal(1, 0.3, draws), rng.normal(0, 0.05, draws), rng.normal(0, 1, draws)
    drawn = {"effect": effect, "utility_dialysis": decisive, "idle": idle}
    if costs:
        drawn["cost_dialysis"] = rng.lognormal(np.log(40_000), 0.2, draws)
    found: dict[str, dict[str, Any]] = {name: {} for name in ("years", "life_years", "qalys", "costs")}
    items, events, free, central, one_way, monte_carlo, people, yearly = ({} for _ in range(8))
    for number, structure in enumerate(structures):
        scale = 1 - 0.25 * number
        gain = scale * _GAIN[:, None] * effect + _GAIN[:, None] * decisive
        found["qalys"][structure] = 8.0 - number + gain
        found["life_years"][structure] = 10.0 - number + 0.8 * gain
        found["years"][structure] = 14.0 - number + 1.1 * gain
        if costs:
            dialysis = drawn["cost_dialysis"] * (1 - 0.2 * gain)
            other = 30_000 + _SPENT[:, None] + 0 * gain
            items[structure] = {"dialysis": dialysis, "drugs": other}
            found["costs"][structure] = dialysis + other
        events[structure] = {
            "mi": 0.3 - 0.02 * gain,
            "cv_death": 0.4 - 0.02 * gain,
            "dialysis": 0.2 - 0.05 * gain,
            "serious_infection": 0.5 + 0 * gain,
        }
        free[structure] = {"dialysis_free": 13.0 + gain, "healthy": 1.0 + 0.2 * gain}
        central[structure] = {
            name: np.asarray(values[structure].mean(axis=1)) for name, values in found.items() if structure in values
        }
        one_way[structure] = {
            name: _moved(central[structure], size) for name, size in zip(drawn, (0.3, 0.1, 0.0, 0.05), strict=False)
        }
        monte_carlo[structure] = {
            "qalys": np.full(4, 0.01),
            "costs": np.full(4, 90.0),
            "incremental_qalys": np.array([0, 0.004, 0.01, 0.006]),
            "incremental_costs": np.array([0, 20.0, 60.0, 30.0]),
        }
        frail = rng.uniform(0.4, 1.6, 40)
        people[structure] = 8.0 * frail + scale * _GAIN[:, None] * (2 - frail)
        yearly[structure] = np.outer(1000 + _SPENT / 10, np.ones(5))
    if not costs:
        found["costs"] = {}
    return ValueResult(
        run=RUN if costs else {**RUN, "country": None},
        strategies=STRATEGIES,
        comparator="no cells",
        structures=structures,
        items=items,
        events=events,
        free_years=free,
        person_qalys=people,
        person_costs={name: 3000 * values for name, values in people.items()} if costs else {},
        person_years={name: 1.3 * values for name, values in people.items()},
        weights=np.full(40, 1 / 40),
        drawn=drawn,
        parameters={name: _parameter(name) for name in drawn},
        central=central,
        one_way=one_way,
        scenarios={
            "no discounting": {
                name: {key: 1.4 * values for key, values in found_.items()} for name, found_ in central.items()
            }
        },
        monte_carlo=monte_carlo,
        cell_courses=np.array([0.0, 1.0, 1.0, 0.0]),
        yearly_costs=yearly if costs else {},
        currency="EUR" if costs else None,
        price_year=2024 if costs else None,
        missing=("the country pack has no cost of foot ulcers: they cost nothing here",) if costs else (),
        **found,
    )


def _moved(central: Mapping[str, Any], size: float) -> Any:
    """Return a parameter at its low and high value: gains move by its size."""
    qalys, costs = central["qalys"], central.get("costs", np.full(4, np.nan))
    return np.array([[qalys + sign * size * (qalys - qalys[0]), costs] for sign in (-1, 1)])


def _parameter(name: str) -> ValueParameter:
    kind = {"utility_dialysis": "utility", "cost_dialysis": "cost"}.get(name, "rate")
    source = {"effect": "Hayes2013", "cost_dialysis": "tariff 2024"}.get(name, "")
    return ValueParameter(
        name, name.replace("_", " "), kind, 1.0, 0.4, 1.6, "1", "normal(1, 0.3)", source, "", "B" if source else "D"
    )


def without(result: ValueResult, **changes: Any) -> ValueResult:
    """Return the result with other parts."""
    return replace(result, **changes)
