"""Families left out one at a time: what a fit says of studies that it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .coverage_curve import RowPredictions, interval_half_width, predictive_deviation
from .fit_likelihood import Likelihood
from .fit_rows import FitRows
from .gauss_newton import EstimatedDiscrepancy, LikelihoodMaker, MapResult, fit_map
from .linear_fit import leverage_of, solve_linear
from .objective_protocol import Evaluate, Objective
from .posterior import information_of
from .unknown import Unknown

Numbers = NDArray[np.float64]
#: Share of the interval by which a table says inside or not.
_NOMINAL = 0.9


@dataclass(frozen=True)
class LeftOutFits:
    """What the fit without its family says of each row.

    Attributes
    ----------
    predicted, sd_parameters
        (n,) predictions and their SD by parameters; NaN for families that were not left out.
    tau_family, tau_row
        (n,) what the model lacks, estimated without the family.
    places
        Family -> (d,) most probable unknowns without it.
    """

    rows: FitRows
    predicted: Numbers
    sd_parameters: Numbers
    tau_family: Numbers
    tau_row: Numbers
    places: dict[str, Numbers]

    @property
    def state(self) -> RowPredictions:
        """As `coverage_table` takes it."""
        return RowPredictions(self.predicted, self.sd_parameters, (self.tau_family, self.tau_row))


def leave_families_out(
    result: MapResult,
    maker: Callable[[FitRows], LikelihoodMaker] | None = None,
    families: Sequence[str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> LeftOutFits:
    """Return what the linear model at the most probable place says of each family when it is fitted without it; no evaluation.

    Parameters
    ----------
    maker
        Gives the likelihood maker for rows without the family, so that the discrepancy does not know it either; without it that of
        the whole fit is used.
    families
        Which; all with a row that spoke by default.
    """
    rows = result.likelihood.rows
    left = _Collected.of(rows)
    names = np.array(rows.family, dtype=object)
    for family in families if families is not None else sorted(set(names[result.use])):
        of_family = names == family
        use = result.use & ~of_family
        law, u = result.likelihood, result.u
        if maker is not None:
            make = maker(replace(rows, fitted=rows.fitted & ~of_family))
            # What the fit drew to itself differs little by one family: its leverage is kept.
            law = make(result.predicted, leverage_of(law, result.predicted, result.jacobian, use))
        u = solve_linear(law, result.u, result.predicted, result.jacobian, use, result.bounds)
        predicted = result.predicted + np.nan_to_num(result.jacobian) @ (u - result.u)
        left.take(family, of_family & np.isfinite(result.jacobian).all(axis=1), law, u, predicted, result.jacobian, use)
        if progress:
            progress(family)
    return left.fits()


def refit_without_families(
    objective: Objective,
    result: MapResult,
    families: Sequence[str],
    prior_scale: dict[str, float],
    max_iterations: int = 3,
    evaluate: Evaluate | None = None,
    progress: Callable[[str], None] | None = None,
) -> LeftOutFits:
    """Return what whole fits without each family say of it: evaluated in truth, from the most probable place on."""
    left = _Collected.of(objective.rows)
    names = np.array(objective.rows.family, dtype=object)
    for family in families:
        of_family = names == family
        rows = replace(objective.rows, fitted=objective.rows.fitted & ~of_family)
        fit = fit_map(
            _WithRows(objective, rows),
            EstimatedDiscrepancy(rows, prior_scale, result.likelihood.nu),
            result.u,
            max_iterations=max_iterations,
            evaluate=evaluate,
        )
        usable = of_family & np.isfinite(fit.jacobian).all(axis=1)
        left.take(family, usable, fit.likelihood, fit.u, fit.predicted, fit.jacobian, fit.use)
        if progress:
            progress(family)
    return left.fits()


@dataclass(frozen=True)
class _WithRows:
    """An objective with other rows set aside."""

    objective: Objective
    rows: FitRows

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        return self.objective.unknowns

    def predict(self, u: Numbers) -> Numbers:
        return self.objective.predict(u)


@dataclass
class _Collected:
    """Families left out so far."""

    rows: FitRows
    columns: Numbers
    places: dict[str, Numbers]

    @classmethod
    def of(cls, rows: FitRows) -> _Collected:
        return cls(rows, np.full((4, len(rows)), np.nan), {})

    def take(
        self, family: str, of: NDArray[np.bool_], law: Likelihood, u: Numbers, predicted: Numbers, jacobian: Numbers,
        use: NDArray[np.bool_],
    ) -> None:  # fmt: skip
        covariance = np.linalg.inv(information_of(jacobian, law.information(predicted, use)) + np.eye(len(u)))
        slopes = jacobian[of]
        self.columns[0, of] = predicted[of]
        self.columns[1, of] = np.sqrt(np.einsum("id,de,ie->i", slopes, covariance, slopes))
        for column, tau in zip(self.columns[2:], law.discrepancy.at(self.rows), strict=True):
            column[of] = tau[of]
        self.places[family] = u

    def fits(self) -> LeftOutFits:
        predicted, sd, family, row = self.columns
        return LeftOutFits(self.rows, predicted, sd, family, row, self.places)


def left_out_table(left: LeftOutFits, result: MapResult) -> dict[str, list[Any]]:
    """Return ``left_out.csv``: rows inside their 90 % interval before any fit and by the fit without the family, and minus log densities.

    `inside_before` is by errors and the discrepancy of the whole fit, `inside_after` by errors, parameters and discrepancy without the family.
    """
    law, rows = result.likelihood, left.rows
    columns: dict[str, list[Any]] = {
        name: [] for name in ("family", "rows", "inside_before", "inside_after", "loss_before", "loss_after")
    }
    sides = []
    for predicted, sd, lacking in (
        (result.predicted_start, None, law.discrepancy),
        (left.predicted, left.sd_parameters, left.state.lacking),
    ):
        half = interval_half_width(*predictive_deviation(rows, sd, lacking, law.nu), _NOMINAL)
        sides.append(np.abs(rows.observed - predicted) <= half)
    names = np.array(rows.family, dtype=object)
    for family in left.places:
        of = (names == family) & np.isfinite(left.predicted) & np.isfinite(result.predicted_start)
        if not of.any():
            continue
        line: tuple[Any, ...] = (family, int(of.sum()), *(float(side[of].mean()) for side in sides))
        line += tuple(-float(law.log_density(at, of)[0]) for at in (result.predicted_start, left.predicted))
        for column, value in zip(columns.values(), line, strict=True):
            column.append(value)
    return columns
