"""Select library patients to match a cohort target by reweighting, with a report of the fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.display import Displayed
from ...base.errors import ConfigError, Problem
from ..library import Library
from ..population import Numbers
from .cohort_target import CohortTarget
from .comparison import CohortComparison, report_on
from .entropy_balancing import Balance, balance

if TYPE_CHECKING:
    import pandas as pd

#: Patients of one cohort.
MOST = 100_000
#: Weight relative to an even one below which a patient is not counted as kept.
NEGLIGIBLE = 0.01
#: Numbers that one exchange compares (candidates times moments), fewest candidates, leavers, exchanges tried per chosen patient, and failures in a row that end them.
_NUMBERS, _FEWEST, _LEAVERS, _ROUNDS, _VAIN = 20_000, 100, 12, 4, 200

#: Largest miss over tolerance at which exchanges end too.
_GOOD = 0.05
#: Parts of a table of places for each number in it.
_PARTS = 2


@dataclass(frozen=True, repr=False)
class SelectedCohort(Displayed):
    """Patients chosen from a library who together look like a target.

    Attributes
    ----------
    index
        (n,) rows of the library.
    weights
        (library,) balanced weights of all its patients, with sum 1; 0 for those not eligible.
    report
        How like the target they are.
    patients
        The chosen patients as a library of their own.

    Examples
    --------
    >>> import betapod
    >>> cohort = betapod.select_cohort("FLOW", patients=50)
    >>> len(cohort.patients), len(cohort.table)
    (50, 50)
    >>> round(float(cohort.weights.sum()), 6)
    1.0
    """

    index: NDArray[np.int64]
    weights: Numbers
    report: CohortComparison
    patients: Library

    @property
    def table(self) -> pd.DataFrame:
        """One row per chosen patient; columns as of `Library`."""
        return self.patients.table

    @property
    def units(self) -> dict[str, str]:
        """Unit of every column of `table`."""
        return self.patients.units


def weigh(
    library: Library, target: CohortTarget, slack: float = 1.0, base: Numbers | None = None
) -> tuple[NDArray[np.bool_], Balance]:
    """Return who is eligible, and balanced weights of these.

    Parameters
    ----------
    base
        (library,) weights that the balanced ones stay near to; even unless given.

    Raises
    ------
    ConfigError
        Nobody is eligible, or the target is out of reach.
    """
    eligible = target.eligible(library.table)
    if not eligible.any():
        ranges = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in target.ranges.items())
        hint = "Grow a larger library, or widen the ranges."
        raise ConfigError(
            Problem("nobody-eligible", f"nobody in the library fits {target.name}", found=ranges, hint=hint)
        )
    _reachable(library, eligible, target)
    columns, goal, tolerance = target.columns(library.table[eligible])
    return eligible, balance(columns, goal, tolerance, slack, None if base is None else base[eligible])


def _reachable(library: Library, eligible: NDArray[np.bool_], target: CohortTarget) -> None:
    """Refuse the distribution of real people where nobody in the library is within it, before the work.

    What is missed of single means and medians is said afterwards.
    """
    if not target.distributions:
        return
    table = library.table[eligible]
    inside = np.ones(len(table), dtype=bool)
    counts = []
    for name, real in target.distributions.items():
        values = table[name].to_numpy(dtype=float)
        fits = np.isnan(values) | ((values >= real.values[0]) & (values <= real.values[-1]))
        counts.append(f"{name} {real.values[0]:.3g} to {real.values[-1]:.3g}: {fits.sum()}")
        inside &= fits
    if not inside.any():
        apart = not any(count.endswith(": 0") for count in counts)
        message = f"nobody in the library is like {target.name}" + (" in everything at once" if apart else "")
        hint = "Check the units; else grow a library of such people."
        raise ConfigError(Problem("far-from-library", message, found="; ".join(counts), hint=hint))


def select_patients(
    library: Library, target: CohortTarget, n: int, seed: int = 1, slack: float = 1.0, base: Numbers | None = None
) -> SelectedCohort:
    """Choose `n` patients who together look like the target.

    Weights are balanced, patients are drawn by systematic sampling with these as chances, and then exchanged one by one for
    others as long as that brings the moments nearer. Nobody is taken twice, not even at another age, unless fewer than `n` people are eligible.

    Parameters
    ----------
    slack
        How loosely moments are matched: the square of a factor on all tolerances.
    base
        See `weigh`.

    Raises
    ------
    ConfigError
        Nobody is eligible, the target is out of reach, or `n` is below 1 or beyond `MOST`.
    """
    if n < 1:
        raise ConfigError(Problem("bad-number", "a cohort needs at least one patient", found=str(n)))
    if n > MOST:
        raise ConfigError(Problem("bad-number", "the cohort is too large", found=str(n), expected=f"at most {MOST}"))
    eligible, balanced = weigh(library, target, slack, base)
    rows = np.flatnonzero(eligible)
    table = library.table[eligible]
    columns, goal, tolerance = target.columns(table)
    generator = np.random.default_rng([seed, n])
    who = np.unique(table["person"].to_numpy(), return_inverse=True)[1]
    copies = _draw(balanced.weights, who, columns, n, generator)
    _exchange(copies, balanced.weights, who, columns, goal, tolerance, generator)
    index = np.repeat(rows, copies)
    weights = np.zeros(len(library))
    weights[eligible] = balanced.weights
    kept = int(np.sum(balanced.weights > NEGLIGIBLE / len(rows)))
    report = report_on(library, target, index, weights, balanced, kept, tolerance)
    rows_in_order = generator.permutation(index)
    return SelectedCohort(rows_in_order, weights, report, library.take(rows_in_order))


def _draw(
    weights: Numbers, who: NDArray[np.int64], columns: Numbers, n: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return copies per snapshot: one at random of each person, then people by systematic sampling.

    People are drawn along the first principal axis of the columns, so that chance hurts no corner of the cohort.
    """
    people = np.asarray(np.bincount(who, weights), dtype=np.float64)
    # Exponential races: the snapshot of a person that comes first is each with a chance in proportion to its weight.
    race = generator.exponential(size=len(weights)) / np.maximum(weights, 1e-300)
    order = np.lexsort((race, who))
    first = order[np.concatenate([[True], np.diff(who[order]) > 0])]
    expected = _capped(people * n, n)
    along = np.arange(len(first))
    if columns.shape[1]:
        spread = columns[first] - weights @ columns
        spread = spread / np.maximum(spread.std(axis=0), 1e-9)
        axis = np.linalg.eigh((spread * people[:, None]).T @ spread)[1][:, -1]
        along = np.argsort(spread @ axis, kind="stable")
    total = np.cumsum(expected[along])
    ticks = (generator.uniform() + np.arange(n)) * total[-1] / n
    drawn = np.searchsorted(total, ticks, side="right").clip(max=len(along) - 1)
    copies = np.zeros(len(weights), dtype=np.int64)
    np.add.at(copies, first[along[drawn]], 1)
    return copies


def _most(people: int, n: int) -> int:
    """Return the largest number of copies of one person in a cohort."""
    return max(1, -(-n // people))


def _capped(expected: Numbers, n: int) -> Numbers:
    """Cap the copies per person, and redistribute the excess in proportion."""
    most = float(_most(len(expected), n))
    for _ in range(100):
        over = expected > most
        rest = float(expected[~over].sum())
        if not over.any() or rest <= 0:
            break
        expected = np.where(over, most, expected * (n - most * over.sum()) / rest)
    return np.minimum(expected, most)


class _Places:
    """Places of numbers from 0 to below 1 among increasing ones, as `numpy.searchsorted` has them.

    A table says where to begin for numbers of each of many equal parts: almost all stand there or one further.
    """

    def __init__(self, increasing: Numbers) -> None:
        self._increasing = np.append(increasing, np.inf)
        # A power of two: the part of a number, and where it begins, are exact.
        self._parts = 2 ** int(_PARTS * len(increasing)).bit_length()
        self._begin = np.searchsorted(increasing, np.arange(self._parts) / self._parts)

    def of(self, numbers: Numbers) -> NDArray[np.int64]:
        """Return the first place whose number is not below each of some numbers."""
        found_at = self._begin[(numbers * self._parts).astype(np.int64)]
        found_at += self._increasing[found_at] < numbers
        behind = np.flatnonzero(self._increasing[found_at] < numbers)
        found_at[behind] = np.searchsorted(self._increasing, numbers[behind])
        return np.asarray(found_at, dtype=np.int64)


def _exchange(
    copies: NDArray[np.int64],
    weights: Numbers,
    who: NDArray[np.int64],
    columns: Numbers,
    goal: Numbers,
    tolerance: Numbers,
    generator: np.random.Generator,
) -> None:
    """Exchange chosen patients for others, in place, as long as the misses over tolerance fall."""
    n = int(copies.sum())
    people = np.bincount(who, copies).astype(np.int64)
    most = _most(len(people), n)
    scaled = columns / (tolerance * n)
    miss = copies @ scaled - goal / tolerance
    chance = np.sqrt(weights) + 1e-12
    places = _Places(np.cumsum(chance) / chance.sum())
    squares = np.sum(scaled**2, axis=1)
    looked = max(_FEWEST, _NUMBERS // max(len(goal), 1))
    vain = 0
    for _ in range(_ROUNDS * max(n, 200)):
        selected = np.flatnonzero(copies)
        out = selected[generator.integers(len(selected), size=_LEAVERS)]
        candidates = places.of(generator.uniform(size=looked)).clip(max=len(copies) - 1)
        left, joined = miss - scaled[out], scaled[candidates]
        cost = np.sum(left**2, axis=1)[:, None] + squares[candidates] + 2.0 * left @ joined.T
        full = people[who[candidates]] - (who[candidates] == who[out][:, None]) >= most
        cost[full] = np.inf
        i, j = np.unravel_index(int(np.argmin(cost)), cost.shape)
        if cost[i, j] < (1.0 - 1e-9) * float(miss @ miss):
            leaving, joining = out[i], candidates[j]
            copies[leaving] -= 1
            copies[joining] += 1
            people[who[leaving]] -= 1
            people[who[joining]] += 1
            miss = miss - scaled[leaving] + scaled[joining]
            vain = 0
        else:
            vain += 1
        if vain > _VAIN or float(np.abs(miss).max(initial=0.0)) < _GOOD:
            return
