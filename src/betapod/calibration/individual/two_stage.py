"""A group from its people: medians, spreads and correlations between people, corrected for how far each person's estimates are off.

Global two-stage method (Steimer and colleagues; Davidian and Giltinan): person i has parameters ``theta_i ~ N(mu, D)`` on the scale of
the search, and her measurements say ``N(estimate_i, H_i^-1)`` of them. `D` has the largest restricted likelihood, in which the mean
counts as unknown: found by expectation and maximisation, then by quasi-Newton steps, which get to a boundary too. So without errors of estimation it is the usual sample covariance. Information
is used, not its inverse: a person whose data leave a direction open speaks in the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .person_information import inverse_information

Numbers = NDArray[np.float64]
#: Rounds of expectation and maximisation before and after the quasi-Newton steps.
_ROUNDS, _LAST = 60, 20
#: Logarithm of an SD between people relative to the first guess: at the lower end it counts as none.
_LEAST, _MOST = -14.0, 9.0
#: Largest information of a person, in units of the first guess of the SD between people.
_SUREST = 1e10
#: Share of the largest information of a person below which a direction counts as not told.
_NOTHING = 1e-12
#: Least SD between people at which a search begins.
_SMALLEST = 1e-3


@dataclass(frozen=True)
class GroupSummary:
    """A group on the scale of the search.

    Attributes
    ----------
    mean, covariance
        (p,), (p, p) of people's parameters.
    mean_error
        (p,) SE of the mean.
    spread_error
        (p,) SE of the SD between people, as if the other parameters were known: approximate.
    shrunk, shrunk_error
        (people, p) what the group and her own data together say of each person.
    uncorrected
        (p,) SD of the estimates as they are, which holds their errors too; NaN where fewer than two people have one.
    people
        How many took part.
    at_rest
        Whether the largest likelihood was reached.
    diagonal
        Whether correlations were left out, since there are too few people.
    """

    mean: Numbers
    covariance: Numbers
    mean_error: Numbers
    spread_error: Numbers
    shrunk: Numbers
    shrunk_error: Numbers
    uncorrected: Numbers
    people: int
    at_rest: bool
    diagonal: bool

    @property
    def spread(self) -> Numbers:
        """(p,) SD between people."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def correlation(self) -> Numbers:
        """(p, p) between people; 0 where there is no spread."""
        spread = np.where(self.spread > 0.0, self.spread, np.where(np.isnan(self.spread), np.nan, np.inf))
        off = self.covariance / np.outer(spread, spread)
        return np.asarray(off * (1.0 - np.eye(len(spread))) + np.eye(len(spread)))


def summarise_group(
    said: Numbers, information: Numbers, estimates: Numbers, guess: Numbers | None = None
) -> GroupSummary:
    """Return the group of at least two people; what nobody tells is NaN.

    Parameters
    ----------
    said
        (people, p) information times estimate, of the data alone.
    information
        (people, p, p) of the data alone, on the scale of the search.
    estimates
        (people, p) estimates where data alone give one, else NaN.
    guess
        (p,) SD between people at which the search begins; by default that of the estimates.

    Examples
    --------
    Without errors of estimation the group has the mean and the SD of its people:

    >>> import numpy as np
    >>> from betapod.calibration.individual.two_stage import summarise_group
    >>> estimates = np.array([[1.0], [2.0], [4.0]])
    >>> sure = np.full((3, 1, 1), 1e12)
    >>> group = summarise_group(estimates * 1e12, sure, estimates)
    >>> group.mean.round(6), group.spread.round(6), estimates.std(ddof=1).round(6)
    (array([2.333333]), array([1.527525]), np.float64(1.527525))
    """
    told = np.isfinite(np.diag(inverse_information(information.sum(axis=0))))
    if not np.any(told):
        nothing, people = np.full(len(told), np.nan), len(said)
        nobody = np.full(said.shape, np.nan)
        matrix = np.full((len(told), len(told)), np.nan)
        return GroupSummary(nothing, matrix, nothing, nothing, nobody, nobody, nothing, people, False, True)
    inner = information[:, told][:, :, told]
    group = _summarised(said[:, told], inner, estimates[:, told], None if guess is None else guess[told])
    if np.all(told):
        return group
    return _filled(group, told)


def _summarised(said: Numbers, information: Numbers, estimates: Numbers, guess: Numbers | None) -> GroupSummary:
    """Return the group of parameters that the people together tell."""
    people, count = said.shape
    diagonal = people <= count + 1
    start = _first_guess(estimates, information) if guess is None else np.maximum(guess, _SMALLEST)
    # In units of the first guess, so that sums and inverses are of numbers of like size.
    measured, root = _roots(said * start, information * np.outer(start, start))
    covariance = np.eye(count)
    for _ in range(_ROUNDS):
        covariance = _next(measured, root, covariance, diagonal)
    covariance, at_rest = _climbed(measured, root, covariance, diagonal)
    for _ in range(_LAST):
        covariance = _next(measured, root, covariance, diagonal)
    mean, mean_covariance, inner, shrunk, gain = _expected(measured, root, covariance)
    moved = np.einsum("nij,jk,nlk->nil", np.eye(count) - gain, mean_covariance, np.eye(count) - gain)
    weight = np.einsum("nji,njk,nki->ni", root, _inverses(root, covariance), root)
    spread = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance_error = np.sqrt(2.0 / np.sum(weight**2, axis=0))
        spread_error = variance_error / (2.0 * spread)
    # Near 0 an SD has no standard error: the slope of a root has no end there.
    spread_error = np.where(spread_error < spread, spread_error, np.nan)
    told = np.isfinite(estimates)
    uncorrected = [
        float(np.std(column[row], ddof=1)) if row.sum() > 1 else np.nan
        for column, row in zip(estimates.T, told.T, strict=True)
    ]
    errors = np.sqrt(np.maximum(np.einsum("nii->ni", inner + moved), 0.0))
    return GroupSummary(
        mean * start, covariance * np.outer(start, start), np.sqrt(np.diag(mean_covariance)) * start, spread_error * start,
        shrunk * start, errors * start, np.array(uncorrected), people, at_rest, diagonal,
    )  # fmt: skip


def _roots(said: Numbers, information: Numbers) -> tuple[Numbers, Numbers]:
    """Return measurements (people, p) with errors of 1 that say the same, and what they measure (people, p, p).

    Nobody knows anything better than to a hundred-thousandth of the first guess.
    """
    values, vectors = np.linalg.eigh(information)
    told = values > _NOTHING * np.maximum(values[:, -1:], 1e-300)
    sizes = np.sqrt(np.where(told, np.minimum(values, _SUREST), 0.0))
    along = np.einsum("nik,ni->nk", vectors, said)
    estimates = np.where(told, along / np.where(told, values, 1.0), 0.0)
    return sizes * estimates, sizes[:, :, None] * np.swapaxes(vectors, 1, 2)


def _filled(group: GroupSummary, told: NDArray[np.bool_]) -> GroupSummary:
    """Return a group of some parameters as one of all, with NaN for what nobody tells."""
    count, people = len(told), group.people

    def line(values: Numbers) -> Numbers:
        full = np.full((*values.shape[:-1], count), np.nan)
        full[..., told] = values
        return full

    covariance = np.full((count, count), np.nan)
    covariance[np.ix_(told, told)] = group.covariance
    return GroupSummary(
        line(group.mean), covariance, line(group.mean_error), line(group.spread_error), line(group.shrunk),
        line(group.shrunk_error), line(group.uncorrected), people, group.at_rest, group.diagonal,
    )  # fmt: skip


def _next(measured: Numbers, root: Numbers, covariance: Numbers, diagonal: bool) -> Numbers:
    """Return the covariance after one round of expectation and maximisation."""
    mean, mean_covariance, inner, shrunk, gain = _expected(measured, root, covariance)
    deviation = shrunk - mean
    moved = np.einsum("nij,jk,nlk->nil", gain, mean_covariance, gain)
    new = np.mean(inner + moved + deviation[:, :, None] * deviation[:, None, :], axis=0)
    return np.diag(np.diag(new)) if diagonal else (new + new.T) / 2.0


def _climbed(measured: Numbers, root: Numbers, covariance: Numbers, diagonal: bool) -> tuple[Numbers, bool]:
    """Return the covariance with the largest restricted likelihood, over its Cholesky factor, and whether it was reached."""
    from scipy.optimize import minimize

    count = covariance.shape[0]
    below = np.tril_indices(count, -1)

    def covariance_at(x: Numbers) -> Numbers:
        factor = np.diag(np.exp(x[:count]))
        if not diagonal:
            factor[below] = x[count:]
        return np.asarray(factor @ factor.T)

    def loss(x: Numbers) -> float:
        return -_restricted_likelihood(measured, root, covariance_at(x))

    factor = np.linalg.cholesky(covariance + np.eye(count) * 1e-10 * float(np.trace(covariance)))
    logs = np.clip(np.log(np.diag(factor)), _LEAST, _MOST)
    x = logs if diagonal else np.concatenate([logs, factor[below]])
    bounds = [(_LEAST, _MOST)] * count + [(None, None)] * (len(x) - count)
    end = minimize(loss, x, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-10, "gtol": 1e-4, "maxfun": 20_000})
    best = end.x if end.fun <= loss(x) else x
    return covariance_at(best), bool(end.success)


def _restricted_likelihood(measured: Numbers, root: Numbers, covariance: Numbers) -> float:
    """Return the logarithm of the restricted likelihood of a covariance, but for a constant."""
    mean, mean_covariance, *_ = _expected(measured, root, covariance)
    rest = measured - root @ mean
    inverses = _inverses(root, covariance)
    quadratic = float(np.einsum("ni,nij,nj->", rest, inverses, rest))
    sizes = float(np.sum(np.linalg.slogdet(inverses)[1]))
    return 0.5 * (sizes - quadratic + float(np.linalg.slogdet(mean_covariance)[1]))


def _first_guess(estimates: Numbers, information: Numbers) -> Numbers:
    """Return a first SD between people, above 0: of the estimates without those far out, else of the usual error."""
    error = 1.0 / np.sqrt(np.maximum(np.mean(np.einsum("nii->ni", information), axis=0), 1e-300))
    guess = np.minimum(error, 1.0)
    for k, column in enumerate(estimates.T):
        known_ones = column[np.isfinite(column)]
        if len(known_ones) > 1:
            spread = 1.4826 * float(np.median(np.abs(known_ones - np.median(known_ones))))
            guess[k] = spread if spread > 0.0 else guess[k]
    return np.asarray(np.maximum(guess, _SMALLEST))


def _inverses(root: Numbers, covariance: Numbers) -> Numbers:
    """Return (people, p, p) the inverse covariance of what is measured: errors of 1 and people's differences."""
    total = np.eye(covariance.shape[0]) + root @ covariance @ np.swapaxes(root, 1, 2)
    values, vectors = np.linalg.eigh((total + np.swapaxes(total, 1, 2)) / 2.0)
    # Errors are 1, so nothing is below that but by rounding.
    return np.asarray(np.einsum("nik,nk,njk->nij", vectors, 1.0 / np.maximum(values, 1.0), vectors))


def _expected(measured: Numbers, root: Numbers, covariance: Numbers) -> tuple[Numbers, ...]:
    """Return the mean, its covariance, and of each person: variance given the mean, expected parameters, share of her own data."""
    inverses = _inverses(root, covariance)
    half = np.swapaxes(root, 1, 2) @ inverses
    total = np.sum(half @ root, axis=0)
    # A direction that only rounding speaks of stays open instead of failing.
    mean_covariance = np.linalg.inv(total + np.eye(len(total)) * (_NOTHING * float(np.trace(total)) + 1e-300))
    mean = mean_covariance @ np.einsum("nij,nj->i", half, measured)
    gain = covariance @ half @ root
    inner = covariance - gain @ covariance
    shrunk = mean + np.einsum("ij,njk,nk->ni", covariance, half, measured - root @ mean)
    return mean, mean_covariance, inner, shrunk, gain
