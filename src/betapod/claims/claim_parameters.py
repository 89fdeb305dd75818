"""Under which parameters claims are simulated: the tables, what they had before a fit, and draws of a fit joined with draws of cells.

A draw belongs to a whole simulation: those who are compared in it, treated and untreated, have the same. It moves the history of a typical person as
well, by the rows of the model and the effects of drugs. What a fit says of differences between people, of care and of visits moves no
typical person: she is described by her own values, and nobody's measurement errs.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..base.errors import ConfigError, Problem
from ..health.courses import drawn_rows
from ..patients.population import population_table
from ..person.older import OLDER
from ..person.typical import person as typical_person
from ..physiology import whole_body
from ..physiology.fit_changes import FitChanges
from ..physiology.installed_fits import FitRecord, list_fits, load_fit
from ..therapies.effect_factors import sized_effects
from ..therapies.scenarios import CURRENT_EVIDENCE, SCENARIOS
from ..trials.conduct.replicate_parameters import NO_FIT, equal_draws

#: Draws behind intervals of claims where nobody says how many, and the most that a record of a fit holds.
USUAL_DRAWS, MOST_DRAWS = 16, 64
#: Seed of the draws of cells.
_SEED = 1


@dataclass(frozen=True, eq=False)
class ClaimParameters:
    """One set of parameters; each is equal to itself alone.

    Attributes
    ----------
    name
        What it is, in words; results are kept by it.
    rows
        Rows of the coupled model -> value, for everybody who has none of their own.
    drugs
        Factors on effects of drugs, see `therapies.effect_factors`.
    cells
        Scenario -> rows of cell therapy -> value.
    """

    name: str
    rows: Mapping[str, float] = field(default_factory=dict)
    drugs: Mapping[str, float] = field(default_factory=dict)
    cells: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return what it is, in words."""
        return self.name

    def of_person(self, person: str) -> dict[str, float]:
        """Return the rows in which a typical person has no value of her own."""
        own_rows = own_values(person)
        return {name: value for name, value in self.rows.items() if name not in own_rows}

    def of_cells(self, scenario: str) -> Mapping[str, float]:
        """Return the rows of cell therapy under a scenario."""
        return self.cells.get(scenario, {})

    def value(self, row: str, scenario: str) -> float | None:
        """Return the value of a row under a scenario; None where it is that of the tables."""
        return self.of_cells(scenario).get(row, self.rows.get(row))

    @functools.cached_property
    def input_factors(self) -> dict[str, float]:
        """Factors on inputs that a claim gives as the strength of a drug, where one class of drugs alone has such an effect."""
        inputs = Counter(name.rpartition(" ")[2] for name in self.drugs)
        return {
            effect: factor
            for name, factor in self.drugs.items()
            if inputs[effect := name.rpartition(" ")[2]] == 1 and sized_effects(name)
        }


AS_IN_TABLES = ClaimParameters("tables")


@functools.cache
def own_values(person: str) -> frozenset[str]:
    """Return the parameters and inputs in which a typical person differs from the tables."""
    if person in OLDER:
        older = OLDER[person]
        return own_values(older.start) | frozenset(older.values)
    return frozenset(typical_person(person).values)


@dataclass(frozen=True)
class FitChoice:
    """Which fit speaks in claims.

    Attributes
    ----------
    fit
        Name of an installed fit; ``none`` for the values that the tables had before it; empty where none is installed.
    draws
        How many of its draws, joined by number with as many of cells; with 0 nothing is drawn.
    """

    fit: str = ""
    draws: int = 0

    @property
    def in_words(self) -> str:
        """What it is, for messages."""
        if self.fit == NO_FIT:
            return "the hand-tuned values without a fit"
        if not self.fit:
            return "the tables alone, without a fit"
        return f"the fit {self.fit} with {self.draws} draws"

    @property
    def record(self) -> FitRecord | None:
        """The fit; None where none speaks."""
        return None if self.fit in ("", NO_FIT) else load_fit(self.fit)

    @property
    def digest(self) -> str:
        """Text by which results are kept: another one as soon as a file of the fit differs; empty where no fit is installed."""
        if not self.fit:
            return ""
        record = self.record or load_fit(list_fits()[-1])
        return repr((self.fit, self.draws, record.name, sorted(record.identity["files"].items())))

    @property
    def centre(self) -> ClaimParameters:
        """The set of parameters that a simulated number itself has."""
        return _before(list_fits()[-1]) if self.fit == NO_FIT else AS_IN_TABLES

    @property
    def sets(self) -> tuple[ClaimParameters, ...]:
        """The draws."""
        return _drawn(self.fit, self.draws) if self.record is not None and self.draws else ()

    @property
    def without_draws(self) -> FitChoice:
        """The same without draws."""
        return FitChoice(self.fit)


def choose_fit(name: str | None = None, draws: int | None = None) -> FitChoice:
    """Return which fit speaks: the newest that is installed, unless one is named; ``none`` for the hand-tuned values, without draws.

    Raises
    ------
    ConfigError
        No such fit is installed, or a number of draws that no fit holds.

    Examples
    --------
    >>> from betapod.claims.claim_parameters import choose_fit
    >>> choose_fit("none").draws
    0
    """
    problems = []
    if draws is not None and not 0 <= draws <= MOST_DRAWS:
        expected = f"from 0 to {MOST_DRAWS}"
        problems.append(
            Problem("out-of-range", "a fit does not hold so many draws", found=str(draws), expected=expected)
        )
    installed, fit = list_fits(), ""
    try:
        if name == NO_FIT:
            # Without an installed fit the tables have those values.
            fit = NO_FIT if installed else ""
        else:
            fit = load_fit(name).name if name else (installed or [""])[-1]
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems)
    return FitChoice(fit, (USUAL_DRAWS if draws is None else draws) if fit not in ("", NO_FIT) else 0)


@functools.lru_cache(maxsize=8)
def _drawn(fit: str, count: int) -> tuple[ClaimParameters, ...]:
    record = load_fit(fit)
    of_cells = {name: drawn_rows(name, count, _SEED) for name in SCENARIOS}
    sets = []
    for number, draw in enumerate(equal_draws(record.weights, count)):
        cells = {
            scenario: {row: float(column[number]) for row, column in columns.items()}
            for scenario, columns in of_cells.items()
        }
        sets.append(_split(f"{fit}, draw {number + 1} of {count}", record, record.relative(int(draw)), cells))
    return tuple(sets)


@functools.lru_cache(maxsize=4)
def _before(fit: str) -> ClaimParameters:
    record = load_fit(fit)
    return _split(f"before {fit}", record, record.at_start(), {})


def _split(
    name: str, record: FitRecord, values: Mapping[str, float], cells: Mapping[str, Mapping[str, float]]
) -> ClaimParameters:
    """Return a set of parameters with what a fit says joined to drawn rows of cells; where both say something of a row the fit counts."""
    changes = FitChanges.sorted_by(record.kinds, values)
    model_rows = whole_body.model_parameters("reference")
    # A row of the table of people is the middle of many, and not that of somebody who is described by her own values.
    rows = {row: x for row, x in changes.values.items() if row in model_rows and row not in population_table()}
    # Published trials of cells say what cells do by current evidence, and nothing of what is claimed.
    of_evidence = {**cells.get(CURRENT_EVIDENCE, {}), **changes.cells}
    return ClaimParameters(name, rows, changes.drugs, {**cells, CURRENT_EVIDENCE: of_evidence})
