"""Two fits against each other: row by row, unknown by unknown, and the verdicts of claims where both have them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..physiology.installed_fits import FitRecord


@dataclass(frozen=True)
class RowChange:
    """One published number under two fits; `z` is observed less predicted, in errors of the number alone."""

    record: str
    family: str
    endpoint: str
    row_class: str
    fitted_first: bool
    fitted_second: bool
    z_first: float
    z_second: float

    @property
    def gain(self) -> float:
        """How much nearer the second fit is, in errors; below 0 where it is farther away."""
        return abs(self.z_first) - abs(self.z_second)


@dataclass(frozen=True)
class UnknownChange:
    """One unknown under two fits; NaN where a fit does not have it.

    Attributes
    ----------
    apart
        Distance of the medians in SDs of both posteriors together, on the scale of the prior.
    """

    name: str
    unit: str
    first: float
    second: float
    contraction_first: float
    contraction_second: float
    apart: float


@dataclass(frozen=True)
class FitComparison:
    """What two fits have in common and what not.

    Attributes
    ----------
    only_first, only_second
        Records that only one of them has.
    verdicts
        Claims whose verdict differs: before, after; None where one of the fits has no verdicts.
    """

    first: str
    second: str
    rows: tuple[RowChange, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    unknowns: tuple[UnknownChange, ...]
    verdicts: dict[str, tuple[str, str]] | None

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Return by class of rows: how many there are, and how many the second fit brings nearer and moves away by half an error or more."""
        counted: dict[str, tuple[int, int, int]] = {}
        for row in self.rows:
            every, nearer, farther = counted.get(row.row_class, (0, 0, 0))
            counted[row.row_class] = (every + 1, nearer + (row.gain >= 0.5), farther + (row.gain <= -0.5))
        return counted


def compare_fits(first: FitRecord, second: FitRecord) -> FitComparison:
    """Return what changed from one fit to another."""
    at = [{str(record): k for k, record in enumerate(fit.rows["record"])} for fit in (first, second)]
    both = [record for record in at[0] if record in at[1]]
    rows = tuple(_row_change(first, at[0][record], second, at[1][record]) for record in both)
    return FitComparison(
        first.name,
        second.name,
        rows,
        tuple(record for record in at[0] if record not in at[1]),
        tuple(record for record in at[1] if record not in at[0]),
        _unknown_changes(first, second),
        _verdicts(first, second),
    )


def _row_change(first: FitRecord, i: int, second: FitRecord, j: int) -> RowChange:
    return RowChange(
        record=str(first.rows["record"][i]),
        family=str(first.rows["family"][i]),
        endpoint=str(first.rows["endpoint"][i]),
        row_class=str(first.rows["class"][i]),
        fitted_first=bool(first.rows["fitted"][i]),
        fitted_second=bool(second.rows["fitted"][j]),
        z_first=float(first.rows["z_after"][i]),
        z_second=float(second.rows["z_after"][j]),
    )


def _unknown_changes(first: FitRecord, second: FitRecord) -> tuple[UnknownChange, ...]:
    by_name = [{unknown.name: unknown for unknown in fit.unknowns} for fit in (first, second)]
    changes = []
    for name in dict.fromkeys([*by_name[0], *by_name[1]]):
        before, after = (of.get(name) for of in by_name)
        changes.append(
            UnknownChange(
                name=name,
                unit=before.unit if before else after.unit if after else "",
                first=before.median if before else math.nan,
                second=after.median if after else math.nan,
                contraction_first=before.contraction if before else math.nan,
                contraction_second=after.contraction if after else math.nan,
                apart=_apart(first, second, name),
            )
        )
    return tuple(changes)


def _apart(first: FitRecord, second: FitRecord, name: str) -> float:
    """Return the distance of weighted means of the draws in SDs of both."""
    if name not in first.names or name not in second.names:
        return math.nan
    moments = []
    for fit in (first, second):
        k = fit.names.index(name)
        mean = float(fit.weights @ fit.draws_u[:, k])
        moments.append((mean, float(fit.weights @ (fit.draws_u[:, k] - mean) ** 2)))
    (one_mean, one_variance), (other_mean, other_variance) = moments
    return abs(other_mean - one_mean) / float(np.sqrt(one_variance + other_variance))


def _verdicts(first: FitRecord, second: FitRecord) -> dict[str, tuple[str, str]] | None:
    before, after = (fit.identity.get("verdicts") for fit in (first, second))
    if not before or not after:
        return None
    claims = [claim for claim in before if claim in after]
    return {claim: (before[claim], after[claim]) for claim in claims if before[claim] != after[claim]}
