"""A group whose people are looked at again in its light: two stages in turn until both agree (Lindstrom and Bates).

Two stages take each person's likelihood as normal around her own best fit. Where her data say only that a number is small, that place lies
far out and the normal curve there says nothing of what the data do say. Here each person is fitted again with the group as her prior, the
model is made linear there, and the group follows from all of that; until both are at rest. This is the alternating algorithm by which
mixed-effects models are fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .batched_search import FINE, ROUGH
from .error_model import ErrorModel
from .group_search import GroupSearch, PersonFit
from .person_information import inform
from .two_stage import GroupSummary, summarise_group

Numbers = NDArray[np.float64]
#: Turns that are taken, and the changes of mean and SD, in standard errors and as a share, at which both are at rest.
_TURNS, _REST = 60, 1e-2
#: Turns that are taken whole; later ones go half of their way.
_FREE = 3
#: Variance between people below which a prior is no narrower, as a share of that of the first guess.
_LEAST = 1e-6


def iterate_group(
    search: GroupSearch, people: Sequence[PersonFit], errors: Sequence[ErrorModel], start: GroupSummary
) -> GroupSummary:
    """Return the group after people were fitted again in its light.

    Parameters
    ----------
    people
        First fits of all people of the search, in its order; those who could not be simulated stay out.
    errors
        Error models with their sizes, which stay.
    start
        Group of the first fits.
    """
    numbers = [number for number, person in enumerate(people) if person.simulated]
    told = np.isfinite(start.mean)
    group, light, spreads = start, start, [person.spread for person in people]
    at = dict(zip(numbers, _within(search, start.shrunk, told), strict=True))
    tolerance, at_rest = ROUGH, False
    for turn in range(_TURNS):
        search.progress("people in the light of the group", turn, 0)
        prior = _prior(search, light, start, told)
        fits = search.searched({number: at[number][None, :] for number in numbers}, spreads, tolerance, prior)
        best = {number: fit for number, (_, fit) in zip(numbers, fits, strict=True) if np.all(np.isfinite(fit.at))}
        said, information = [], []
        for number in numbers:
            if number not in best:
                continue
            fit, person = best[number], search.problem.people[number]
            at[number] = fit.at
            spread = search.spread(person, errors, fit.predicted)
            spreads[number] = spread
            data = inform(fit.jacobian, spread, search.prior[:, 1]).data
            pull = fit.jacobian.T @ (np.where(np.isfinite(spread), person.values - fit.predicted, 0.0) / spread**2)
            information.append(data)
            said.append(data @ fit.at + pull)
        if len(said) < len(numbers):
            break
        nothing = np.full((len(said), len(told)), np.nan)
        new = summarise_group(np.array(said), np.array(information), nothing, group.spread)
        if not np.array_equal(np.isfinite(new.mean), told):
            break  # in the light of the group, people tell less than before: what was found before stays
        moved = _moved(light, new, told)
        group = new
        # What swings to and fro between two places comes to rest half-way.
        light = new if turn < _FREE else _halfway(light, new)
        if moved < _REST and tolerance == FINE:
            at_rest = True
            break
        tolerance = FINE if moved < 10.0 * _REST else tolerance
    return replace(group, uncorrected=start.uncorrected, at_rest=at_rest and group.at_rest)


def _halfway(first: GroupSummary, second: GroupSummary) -> GroupSummary:
    """Return a group between two."""
    mean, covariance = (first.mean + second.mean) / 2.0, (first.covariance + second.covariance) / 2.0
    return replace(second, mean=mean, covariance=covariance)


def _within(search: GroupSearch, shrunk: Numbers, told: NDArray[np.bool_]) -> list[Numbers]:
    """Return where searches begin: what group and person say together, within bounds."""
    return [np.clip(np.where(told, row, search.start), search.low, search.high) for row in shrunk]


def _prior(
    search: GroupSearch, group: GroupSummary, start: GroupSummary, told: NDArray[np.bool_]
) -> tuple[Numbers, Numbers]:
    """Return centre (p,) and root (r, p) of the group as a prior; parameters that nobody tells keep that of the problem."""
    count = len(told)
    centre = np.where(told, group.mean, search.prior[:, 0])
    least = _LEAST * np.maximum(np.diag(start.covariance)[told], 1e-6)
    covariance = group.covariance[np.ix_(told, told)] + np.diag(least)
    root = np.zeros((int(told.sum()), count))
    root[:, told] = np.linalg.inv(np.linalg.cholesky(covariance))
    others = np.diag(1.0 / search.prior[:, 1])[np.isfinite(search.prior[:, 1]) & ~told]
    return centre, np.concatenate([root, others])


def _moved(before: GroupSummary, after: GroupSummary, told: NDArray[np.bool_]) -> float:
    """Return the largest change: of a mean in its standard errors, of an SD as a share of the larger of itself and that error."""
    error = after.mean_error[told]
    means = np.abs(after.mean - before.mean)[told] / error
    spreads = np.abs(after.spread - before.spread)[told] / np.maximum(after.spread[told], error)
    return float(max(means.max(initial=0.0), spreads.max(initial=0.0)))
