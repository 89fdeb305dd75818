"""Sets of parameters that a trial is simulated under: draws of the posterior of a fit, and of what cells do.

A draw belongs to a replicate, with all its arms and people: replicate r has draw r modulo their number. Were every person drawn by
herself, what nobody knows of the body would become a difference between people, and average out.

Who may come to screening is chosen once. The same people live again under every draw, up to the day on which they are met; those whose
kidneys fail before are no candidates under it. Drugs, errors of visits and what care moves are those of the draw throughout the trial.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Problem
from ...health.courses import drawn_rows
from ...patients.lived_again import (
    LifeChange,
    PeopleAgain,
    joined_people,
    library_again,
    live_again,
    parameters_held,
    with_going_care,
)
from ...patients.population import population_table
from ...physiology.fit_changes import FitChanges, fit_in_tables
from ...physiology.installed_fits import list_fits, load_fit
from ...therapies.scenarios import CURRENT_EVIDENCE

if TYPE_CHECKING:
    from ...patients.library import Library
    from ..protocol.protocol import Protocol

Numbers = NDArray[np.float64]
#: The word for no fit: parameters are those that the tables had before the fit that they have, and cells alone are drawn.
NO_FIT = "none"
#: Sets of parameters under which people live again at once.
_AT_ONCE = 8


@dataclass(frozen=True)
class DrawsAsked:
    """Which sets of parameters are asked for where there is no trial.

    Attributes
    ----------
    fit, fit_draws
        Installed fit, ``none`` or empty, and how many sets of its posterior.
    scenarios
        Of cell therapy.
    seed
        Of draws of cells.
    """

    fit: str
    fit_draws: int
    scenarios: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class ParameterDraw:
    """One set of parameters, the same for all people and arms of a replicate.

    Attributes
    ----------
    values
        Rows of the model, or of the table of people -> value; rows of the model in which people differ keep each person's own.
    drugs
        Factors on effects of drugs, see `therapies.effect_factors`.
    cells
        Scenario -> rows of cell therapy -> value.
    people
        Medians and spreads between people, see `patients.population.moved_traits`.
    visits
        SDs of one measurement and of a year of life, see `observables.variation.varied_by`.
    care
        Inputs that care moves during the trial -> by how much.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    drugs: Mapping[str, float] = field(default_factory=dict)
    cells: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    people: Mapping[str, float] = field(default_factory=dict)
    visits: Mapping[str, float] = field(default_factory=dict)
    care: Mapping[str, float] = field(default_factory=dict)

    def of(self, scenario: str) -> dict[str, float]:
        """Return the rows that differ in a course under a scenario; what stands in the table of people acted in their lives."""
        rows = {name: value for name, value in self.values.items() if name not in population_table()}
        return {**rows, **self.cells.get(scenario, {})}

    @property
    def life_change(self) -> LifeChange:
        """What differs in the lives of people until they are met."""
        return LifeChange.among(self.values, self.drugs, self.people, self.visits)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Let drugs, visits and people that are read meanwhile be those of the draw."""
        with parameters_held(self.drugs, self.visits, self.life_change):
            yield


#: Parameters as the package's tables have them.
AS_IN_THE_TABLES = ParameterDraw()


def start_of_trial(protocol: Protocol | DrawsAsked) -> ParameterDraw:
    """Return the parameters under which people are chosen: those of the tables, or those before their fit where the protocol says ``none``."""
    fit = fit_in_tables() if protocol.fit == NO_FIT else None
    return AS_IN_THE_TABLES if fit is None else _as_draw(FitChanges.sorted_by(fit.kinds, fit.at_start()), {})


def undone_fit(protocol: Protocol | DrawsAsked) -> str:
    """Return the fit before which the tables had the values of a trial; empty where it has those of the tables."""
    fit = fit_in_tables() if protocol.fit == NO_FIT else None
    return "" if fit is None else fit.name


@contextmanager
def trial_start(protocol: Protocol, library: Library) -> Iterator[Library]:
    """Let the parameters of `start_of_trial` hold, and give the people who lived under them."""
    start = start_of_trial(protocol)
    with start.holding():
        yield library_again(start.life_change, library)


def draws_of(protocol: Protocol | DrawsAsked) -> tuple[ParameterDraw, ...]:
    """Return the sets of parameters of a trial; that of `start_of_trial` alone where the protocol asks for none.

    Raises
    ------
    ConfigError
        No such fit is installed.
    """
    count, start = protocol.fit_draws, start_of_trial(protocol)
    name = fit_of(protocol)
    if not count:
        return (start,)
    rows = {str(scenario): drawn_rows(scenario, count, protocol.seed) for scenario in protocol.scenarios}
    cells = [
        {scenario: {row: float(x[k]) for row, x in columns.items()} for scenario, columns in rows.items()}
        for k in range(count)
    ]
    if not name:
        return tuple(replace(start, cells=_with_rows(of_draw, start.cells)) for of_draw in cells)
    fit = load_fit(name)
    return tuple(
        _as_draw(FitChanges.sorted_by(fit.kinds, fit.relative(int(draw))), of_draw)
        for draw, of_draw in zip(equal_draws(fit.weights, count), cells, strict=True)
    )


def _as_draw(changes: FitChanges, cells: Mapping[str, Mapping[str, float]]) -> ParameterDraw:
    """Return what a fit changes with the rows of cells that are drawn besides; correlations between people stay as they are."""
    return ParameterDraw(
        changes.values,
        changes.drugs,
        # Published trials of cells say what cells do by current evidence, and nothing of what is claimed.
        _with_rows(cells, {CURRENT_EVIDENCE: changes.cells}),
        {name: value for name, value in changes.people.items() if " with " not in name},
        changes.visits,
        changes.care,
    )


def _with_rows(
    cells: Mapping[str, Mapping[str, float]], others: Mapping[str, Mapping[str, float]]
) -> dict[str, Mapping[str, float]]:
    """Return rows of cells by scenario, those of `others` counting first; a scenario without any is left out."""
    names = dict.fromkeys((*cells, *others))
    joined = {name: {**cells.get(name, {}), **others.get(name, {})} for name in names}
    return {name: rows for name, rows in joined.items() if rows}


@dataclass(frozen=True)
class PeopleMet:
    """The candidates of a trial as they are met under a set of parameters.

    Attributes
    ----------
    patients
        All of them, in one order.
    reached
        (n,) whether they are there; those whose kidneys failed before stand as they were chosen.
    """

    patients: Library
    reached: NDArray[np.bool_]


def people_of_draws(people: Library, start: ParameterDraw, draws: Sequence[ParameterDraw]) -> list[PeopleMet]:
    """Return candidates as they are under each draw, after lives under it; lives that differ in nothing are not lived again.

    Parameters
    ----------
    start
        Under which those who were chosen lived.

    Raises
    ------
    ConfigError
        Lives differ, and the library does not say with which seed its people were drawn.
    """
    changes = {draw.life_change.key: draw.life_change for draw in draws if draw.life_change != start.life_change}
    keys = list(changes)
    met = {start.life_change.key: PeopleMet(people, np.ones(len(people), dtype=bool))}
    for first in range(0, len(keys), _AT_ONCE):
        some = keys[first : first + _AT_ONCE]
        lived = live_again(people, [changes[key] for key in some])
        met |= {key: _in_place(people, again) for key, again in zip(some, lived, strict=True)}
    return [_cared_for(met[draw.life_change.key], draw) for draw in draws]


def _in_place(people: Library, again: PeopleAgain) -> PeopleMet:
    reached = np.zeros(len(people), dtype=bool)
    reached[again.rows] = True
    if reached.all():
        return PeopleMet(again.patients, reached)
    together = joined_people([again.patients, people.take(np.flatnonzero(~reached))])
    order = np.argsort(np.concatenate([again.rows, np.flatnonzero(~reached)]))
    return PeopleMet(together.take(order), reached)


def _cared_for(met: PeopleMet, draw: ParameterDraw) -> PeopleMet:
    return replace(met, patients=with_going_care(met.patients, draw.care))


def fit_of(protocol: Protocol | DrawsAsked) -> str:
    """Return the fit whose posterior a trial draws from: the newest that is installed unless the protocol names one; empty for none.

    Raises
    ------
    ConfigError
        No such fit is installed.
    """
    if not protocol.fit_draws or protocol.fit == NO_FIT:
        return ""
    return load_fit(protocol.fit).name if protocol.fit else (list_fits() or [""])[-1]


def equal_draws(weights: Numbers, count: int) -> NDArray[np.int64]:
    """Return so many draws of equal weight, by systematic sampling: a draw of twice the weight stands twice as often.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.trials.conduct.replicate_parameters import equal_draws
    >>> equal_draws(np.array([0.5, 0.0, 0.25, 0.25]), 4).tolist()
    [0, 0, 2, 3]
    """
    edges = np.cumsum(weights) / np.sum(weights)
    at = (np.arange(count) + 0.5) / count
    return np.asarray(np.minimum(np.searchsorted(edges, at, side="right"), len(edges) - 1), dtype=np.int64)


def check_draws(protocol: Protocol) -> list[Problem]:
    """Return what is wrong with the draws that a protocol asks for."""
    problems = []
    if protocol.fit_draws > protocol.replicates:
        numbers = f"{protocol.fit_draws} draws, {protocol.replicates} replicates"
        hint = "Ask for fewer draws or more replicates: each draw has replicates of its own."
        problems.append(Problem("too-many-draws", "there are more draws than replicates", found=numbers, hint=hint))
    try:
        # A fit that nothing is drawn of is behind the sentence on trust, which comes after the run.
        if protocol.fit and protocol.fit != NO_FIT:
            load_fit(protocol.fit)
    except ConfigError as error:
        problems += error.problems
    return problems
