"""How much of a fit is due to choices of its likelihood: unknowns under other ones, by the linear model at the fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from .discrepancy import Discrepancy
from .fit_likelihood import Likelihood
from .linear_fit import solve_linear
from .stage_fit import StageFit

Numbers = NDArray[np.float64]


def _scaled(by: float) -> Callable[[Likelihood], Likelihood]:
    def other(law: Likelihood) -> Likelihood:
        family, row = law.discrepancy.family, law.discrepancy.row
        scaled = ({name: by * sd for name, sd in of.items()} for of in (family, row))
        return replace(law, discrepancy=Discrepancy(*scaled))

    return other


def _independent(law: Likelihood) -> Likelihood:
    family, row = law.discrepancy.family, law.discrepancy.row
    joined = {name: math.hypot(family.get(name, 0.0), row.get(name, 0.0)) for name in {*family, *row}}
    return replace(law, discrepancy=Discrepancy(dict.fromkeys(joined, 0.0), joined))


#: Name of a column -> the likelihood with another choice.
CHOICES: Mapping[str, Callable[[Likelihood], Likelihood]] = MappingProxyType({
    "half the discrepancy": _scaled(0.5),
    "twice the discrepancy": _scaled(2.0),
    "no heavy tails": lambda law: replace(law, nu=math.inf),
    "rows of a family independent": _independent,
})  # fmt: skip


def choices_table(stages: Sequence[StageFit]) -> dict[str, list[object]]:
    """Return the columns of ``choices.csv``: most probable values under the likelihood of the fit and under each of `CHOICES`.

    By the linear model at the most probable place, which costs no simulation; what the model lacks is not estimated anew. ``moved`` is the
    largest shift by any choice, in SDs of the posterior. An unknown of several stages has a line for each.

    Examples
    --------
    >>> from betapod.calibration.hidden_choices import CHOICES
    >>> list(CHOICES)[0]
    'half the discrepancy'
    """
    table: dict[str, list[object]] = {name: [] for name in ("stage", "unknown", "unit", "fitted", *CHOICES, "moved")}
    for stage in stages:
        best = stage.map
        solutions = [best.u, *(_solved(stage, choice(best.likelihood)) for choice in CHOICES.values())]
        # In places of the first priors, where each unknown has a value of its own.
        u = np.array([stage.prior.to_place(at) for at in solutions])
        root = stage.prior.root
        sd = np.sqrt(np.diag(root @ stage.covariance @ root.T))
        moved = np.abs(u[1:] - u[0]).max(axis=0) / sd
        for k, unknown in enumerate(stage.unknowns):
            values = [float(unknown.value(of[k])) for of in u]
            line = (stage.name, unknown.name, unknown.unit, *values, float(moved[k]))
            for column, value in zip(table.values(), line, strict=True):
                column.append(value)
    return table


def _solved(stage: StageFit, law: Likelihood) -> Numbers:
    best = stage.map
    use = best.use & np.isfinite(best.jacobian).all(axis=1)
    # One step of reweighting may end in a flat place of a likelihood with heavy tails: solved again from where it ended.
    u = solve_linear(law, best.u, best.predicted, best.jacobian, use, best.bounds)
    predicted = best.predicted + np.nan_to_num(best.jacobian) @ (u - best.u)
    return solve_linear(law, u, predicted, best.jacobian, use, best.bounds)


def choices_in_words(table: Mapping[str, Sequence[object]], most: int = 5) -> list[str]:
    """Return sentences on how far unknowns move by another choice, those that move most by name.

    Parameters
    ----------
    table
        As of `choices_table`.
    most
        Unknowns that are named.
    """
    moved = np.array(table["moved"], dtype=np.float64)
    far = int(np.sum(moved > 1.0))
    first = f"Under other choices of the likelihood {far} of {len(moved)} unknowns move by more than one SD of the posterior; half of all by less than {np.median(moved):.2f}."
    named = [f"{table['unknown'][k]} ({table['stage'][k]}) {moved[k]:.1f}" for k in np.argsort(-moved)[:most]]
    return [first, f"Those that move most, in SDs: {', '.join(named)}."]
