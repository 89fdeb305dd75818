"""Numbers of the whole-body model and of cell therapy that verdicts of claims may rest on, and lives in which one or all of them differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..claims.claim_comparisons import comparisons_of
from ..claims.claim_levers import TABLES, lever_range
from ..claims.claim_lives import Effect, Life, effect, live_through, whole_body_model
from ..claims.claim_outcome import Outcome
from ..claims.claim_parameters import AS_IN_TABLES, ClaimParameters, own_values
from ..model import Parameter
from ..therapies.cell_parameters import cell_parameter_table, overlay
from ..therapies.scenarios import CURRENT_EVIDENCE, FACE_VALUE, SCENARIOS
from .factors import Factor, usable

#: Scenarios of what evidence allows: in these a number of the cells has the range that the scenario's own table gives it.
_ALLOWED = (CURRENT_EVIDENCE, FACE_VALUE)
#: Name of the effect with a lever at its limit, with the other rows of a table.
_AT_LIMIT = "lever at its limit, "
#: How names of effects begin that are within what evidence allows.
_EVIDENCE = ("allowed", "face", "variant ", _AT_LIMIT)


@dataclass(frozen=True)
class ClaimNumber:
    """A number that is tried.

    Attributes
    ----------
    row
        Under current evidence, where it is one of cell therapy.
    by_scenario
        Scenario -> its row there, for a number in which scenarios differ; what claims need is left as it is claimed.
    in_model
        Whether equations use it; if not it is of an order of cells, and shapes its doses.
    """

    row: Parameter
    by_scenario: Mapping[str, Parameter]
    in_model: bool

    @property
    def name(self) -> str:
        """Its id."""
        return self.row.id

    def at(self, u: float, scenario: str) -> float | None:
        """Return its value at a place of the unit interval under a scenario; None where it stays."""
        row = self.by_scenario.get(scenario) if self.by_scenario else self.row
        if row is None or not usable(row):
            return None
        low, high = Factor(row).range
        # At the ends of the range, whatever its distribution; it is even between them.
        even = Factor(replace(row, distribution="fixed"))
        return {0.0: low, 1.0: high}[u] if u in (0.0, 1.0) else float(even.at(np.array([u]))[0])


def claim_numbers(grades: Iterable[str] = ("D",), names: Sequence[str] = ()) -> list[ClaimNumber]:
    """Return the numbers of some grades that have a range, in the order of the tables."""
    model = whole_body_model()
    of_cells = cell_parameter_table(CURRENT_EVIDENCE)
    varied = {key for scenario in SCENARIOS for key in overlay(scenario)}
    wanted = set(grades)
    numbers = []
    rows = {**model.parameters, **{key: row for key, row in of_cells.items() if key not in model.inputs}}
    for key, row in rows.items():
        if row.role == "input" or row.grade not in wanted or not usable(row) or (names and key not in names):
            continue
        tables = {name: cell_parameter_table(name)[key] for name in _ALLOWED} if key in varied else {}
        numbers.append(ClaimNumber(row, tables, key in model.parameters))
    return numbers


def outcome_effects(outcome: Outcome) -> dict[str, Effect]:
    """Return everything that decides whether an outcome is reached within what evidence allows."""
    effects = comparisons_of(outcome)
    if outcome.lever and outcome.course:
        limit = lever_range(outcome).limit
        effects |= {f"{_AT_LIMIT}{table}": effect(outcome, table, {outcome.lever: limit}) for table in TABLES}
    return effects


@dataclass(frozen=True)
class NumberChange:
    """Numbers at places of their ranges.

    Attributes
    ----------
    places
        Each number with its place between 0, the low end, and 1.
    parameters
        Numbers of orders of cells, for all scenarios.
    """

    places: tuple[tuple[ClaimNumber, float], ...]
    parameters: ClaimParameters

    @classmethod
    def of(cls, name: str, places: Iterable[tuple[ClaimNumber, float]]) -> NumberChange:
        """Return a change by a name."""
        pairs = tuple(places)
        cells = {
            scenario: {
                number.name: value
                for number, u in pairs
                if not number.in_model and (value := number.at(u, scenario)) is not None
            }
            for scenario in SCENARIOS
        }
        return cls(pairs, ClaimParameters(name, cells=cells) if any(cells.values()) else AS_IN_TABLES)

    def of_life(self, life: Life) -> Life:
        """Return a life under the change, from today on; what somebody is described by, and what the claim itself sets, stays."""
        fixed = own_values(life.person) | {name for name, _ in life.values}
        values = {
            number.name: value
            for number, u in self.places
            if number.in_model and number.name not in fixed and (value := number.at(u, life.scenario)) is not None
        }
        return (life.changed(values) if values else life).under(self.parameters)

    def of_effect(self, item: Effect) -> Effect:
        """Return an effect whose lives are under the change."""
        return replace(item, terms=tuple((w, self.of_life(a), self.of_life(b)) for w, a, b in item.terms))


def changed_effects(
    outcomes: Mapping[str, Outcome],
    changes: Sequence[NumberChange],
    only: Mapping[str, Sequence[str]] | None = None,
) -> list[dict[str, dict[str, float]]]:
    """Return, for each change, outcome -> name of an effect -> the effect; not a number where a life did not come to its end.

    Parameters
    ----------
    only
        Outcome -> names of the effects that are wanted; all by default.
    """
    effects = {name: outcome_effects(outcome) for name, outcome in outcomes.items()}
    if only is not None:
        effects = {name: {key: named[key] for key in only[name]} for name, named in effects.items()}
    items = {
        (number, name, key): change.of_effect(item)
        for number, change in enumerate(changes)
        for name, named in effects.items()
        for key, item in named.items()
    }
    values = live_through(items.values())
    results: list[dict[str, dict[str, float]]] = [{name: {} for name in outcomes} for _ in changes]
    for (number, name, key), item in items.items():
        results[number][name][key] = item.of(values)
    return results


def best_effect(outcome: Outcome, effects: Mapping[str, float]) -> str:
    """Return the name of the effect, of those that evidence allows, that is nearest to what is claimed, or beyond it."""
    allowed = {name: x for name, x in effects.items() if name.startswith(_EVIDENCE) and math.isfinite(x)}
    return outcome.best_of(allowed)
