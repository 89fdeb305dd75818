"""Simulation-based calibration: whether the intervals of a fit are honest where the truth is known.

A truth is drawn from the prior, rows are invented around what the model says there, with effects of families, deviations of rows and
printed errors, and fitted as real ones are. Over many invented data sets a 90 % interval has to hold the truth in 90 % of them (Talts and
others, arXiv:1804.06788).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .coverage_curve import NOMINAL, RowPredictions, coverage_curve
from .discrepancy import TAILS, Discrepancy, discrepancy_blocks, printed_variance, scale_of
from .fit_likelihood import Likelihood
from .fit_rows import FitRows
from .gauss_newton import EstimatedDiscrepancy, LikelihoodMaker, SameLikelihood, fit_map
from .objective_protocol import Objective, bounds_of
from .posterior import Gaussian, draw_gaussian, laplace, sample_posterior
from .unknown import Unknown

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class LinearObjective:
    """The linear model of a fit as an objective of its own; costs nothing.

    Attributes
    ----------
    centre, base, jacobian
        (d,), (n,) and (n, d): place, predictions and slopes there.
    """

    unknowns: tuple[Unknown, ...]
    rows: FitRows
    centre: Numbers
    base: Numbers
    jacobian: Numbers

    def predict(self, u: Numbers) -> Numbers:
        """Return predictions (K, n) at places (K, d)."""
        return np.asarray(self.base + (np.atleast_2d(u) - self.centre) @ self.jacobian.T, dtype=np.float64)


@dataclass(frozen=True)
class SimulatedTruth:
    """What came of invented data sets.

    Attributes
    ----------
    names
        Of the d unknowns.
    nominal
        (L,) of intervals.
    inside
        (L, d) share of data sets in which intervals hold the truth.
    ranks
        (data sets, d) share of the posterior below the truth: even between 0 and 1 if posteriors are honest.
    error, contraction
        Root mean square of most probable less true, in SDs of the prior; mean of 1 less posterior SD.
    set_aside
        (L,) share of rows that were set aside inside their intervals, with parameters and discrepancy; NaN without such rows.
    """

    names: tuple[str, ...]
    nominal: tuple[float, ...]
    inside: Numbers
    ranks: Numbers
    error: float
    contraction: float
    set_aside: Numbers

    def in_words(self) -> list[str]:
        """Return one sentence for each finding."""
        count = len(self.ranks)
        worst = int(np.argmin(self.inside[self.nominal.index(0.9)])) if 0.9 in self.nominal else 0
        lines = [
            f"{100 * share:g} % intervals hold the truth in {100 * np.mean(row):.0f} % of {count} invented data sets."
            for share, row in zip(self.nominal, self.inside, strict=True)
        ]
        if 0.9 in self.nominal:
            lines.append(
                f"Worst unknown: {self.names[worst]}, {100 * self.inside[self.nominal.index(0.9), worst]:.0f} % at 90 %."
            )
        lines.append(f"Error {self.error:.2f} SDs of the prior; contraction claimed {self.contraction:.2f}.")
        return lines


@dataclass(frozen=True)
class InventedData:
    """How rows are invented.

    Attributes
    ----------
    discrepancy, nu
        SDs and tails of the effects.
    estimate
        Whether the fit has to estimate the discrepancy, rather than being told it.
    prior_scale
        Of that estimate, see `estimate_discrepancy`.
    weights
        Whether posteriors are corrected by importance weights (64 evaluations a data set), or are the normal approximation.
    """

    discrepancy: Discrepancy
    nu: float = TAILS
    estimate: bool = True
    prior_scale: dict[str, float] = field(default_factory=dict)
    weights: bool = False


def simulate_truth(
    objective: Objective,
    data: InventedData,
    datasets: int = 50,
    seed: int = 1,
    nominal: Sequence[float] = NOMINAL,
    progress: Callable[[int], None] | None = None,
) -> SimulatedTruth:
    """Fit invented data sets whose truth is drawn from the prior, and return how often intervals hold it.

    With a `LinearObjective` or an `Emulator` it costs no simulation; with the true model a whole fit for each data set.
    """
    low, high = bounds_of(objective.unknowns)
    size = len(objective.unknowns)
    rng = np.random.default_rng(seed)
    truths = draw_gaussian(Gaussian(np.zeros(size), np.eye(size), low, high), datasets, seed).u
    # Not in the order of the Sobol points, which are not independent of each other.
    truths = truths[rng.permutation(datasets)]
    ranks, errors, widths, aside = np.empty((datasets, size)), [], [], []
    for number, truth in enumerate(truths):
        rows = invent_rows(objective.rows, objective.predict(truth[None])[0], data.discrepancy, data.nu, rng)
        ranks[number], mode, sd, inside = _one(objective, rows, data, truth, seed + number, nominal)
        errors.append(mode - truth)
        widths.append(sd)
        aside.append(inside)
        if progress:
            progress(number + 1)
    distance = np.abs(ranks - 0.5)
    return SimulatedTruth(
        tuple(unknown.name for unknown in objective.unknowns),
        tuple(nominal),
        np.array([np.mean(distance <= share / 2.0, axis=0) for share in nominal]),
        ranks,
        float(np.sqrt(np.mean(np.square(errors)))),
        float(1.0 - np.mean(widths)),
        np.mean(aside, axis=0),
    )


def invent_rows(
    rows: FitRows, predicted: Numbers, discrepancy: Discrepancy, nu: float, rng: np.random.Generator
) -> FitRows:
    """Return rows whose observed numbers are predictions (n,) with effects of families, of rows, and printed errors."""
    block = discrepancy_blocks(rows)
    family, row = (scale_of(tau, nu) for tau in discrepancy.at(rows))

    def student(freedom: Numbers | float, count: int) -> Numbers:
        normal = rng.standard_normal(count)
        bounded = np.minimum(freedom, 1e9)
        return np.asarray(normal / np.sqrt(rng.chisquare(bounded, count) / bounded), dtype=np.float64)

    shared = student(nu, int(block.max(initial=-1)) + 1)[block]
    printed = student(printed_variance(rows)[1], len(rows))
    observed = predicted + family * shared + row * student(nu, len(rows)) + rows.se * printed
    return replace(rows, observed=observed)


@dataclass(frozen=True)
class _WithObserved:
    objective: Objective
    rows: FitRows

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        return self.objective.unknowns

    def predict(self, u: Numbers) -> Numbers:
        return self.objective.predict(u)


def _one(
    objective: Objective, rows: FitRows, data: InventedData, truth: Numbers, seed: int, nominal: Sequence[float]
) -> tuple[Numbers, Numbers, Numbers, list[float]]:
    """Return the rank of the truth, the most probable place, posterior SDs, and coverage of rows set aside."""
    from scipy.stats import norm

    maker: LikelihoodMaker = (
        EstimatedDiscrepancy(rows, data.prior_scale, data.nu)
        if data.estimate
        else SameLikelihood(Likelihood(rows, data.discrepancy, data.nu))
    )
    fitted = _WithObserved(objective, rows)
    result = fit_map(fitted, maker)
    gaussian = laplace(result)
    sd = np.sqrt(np.diag(gaussian.covariance))
    if data.weights:
        weighted = sample_posterior(fitted, result, seed=seed)
        rank = weighted.weights @ (weighted.u < truth)
        mean = weighted.weights @ weighted.u
        sd = np.sqrt(weighted.weights @ (weighted.u - mean) ** 2)
        predicted, spread = weighted.moments()
    else:
        rank = np.asarray(norm.cdf((truth - result.u) / sd))
        predicted = result.predicted
        slopes = np.nan_to_num(result.jacobian)
        spread = np.sqrt(np.einsum("id,de,ie->i", slopes, gaussian.covariance, slopes))
    state = RowPredictions(predicted, spread, result.likelihood.discrepancy)
    curve = coverage_curve(rows, state, ~rows.fitted, nominal, data.nu)
    return rank, result.u, sd, [point.rows for point in curve]
