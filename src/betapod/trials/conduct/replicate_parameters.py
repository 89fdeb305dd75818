"""Sets of parameters that a trial is simulated under: draws of the posterior of a fit, and of what cells do.

A draw belongs to a replicate, with all its arms and people: replicate r has draw r modulo their number. Were every person drawn by
herself, what nobody knows of the body would become a difference between people, and average out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Problem
from ...health.courses import drawn_rows
from ...physiology import whole_body
from ...physiology.installed_fits import list_fits, load_fit
from ...therapies.effect_factors import scaled_effects
from ...therapies.scenarios import CURRENT_EVIDENCE

if TYPE_CHECKING:
    from ...physiology.installed_fits import FitRecord
    from ..protocol.protocol import Protocol

Numbers = NDArray[np.float64]
#: The word for no fit, so that cells alone are drawn.
NO_FIT = "none"


@dataclass(frozen=True)
class ParameterDraw:
    """One set of parameters, the same for all people and arms of a replicate.

    Attributes
    ----------
    values
        Rows of the model -> value; rows in which people differ keep each person's own.
    drugs
        Factors on effects of drugs, see `therapies.effect_factors`.
    cells
        Scenario -> rows of cell therapy -> value.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    drugs: Mapping[str, float] = field(default_factory=dict)
    cells: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of(self, scenario: str) -> dict[str, float]:
        """Return the rows that differ under a scenario."""
        return {**self.values, **self.cells.get(scenario, {})}

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Let drugs that are read meanwhile be those of the draw."""
        with scaled_effects(self.drugs):
            yield


#: Parameters as the package's tables have them.
AS_IN_THE_TABLES = ParameterDraw()


def draws_of(protocol: Protocol) -> tuple[ParameterDraw, ...]:
    """Return the sets of parameters of a trial; one that changes nothing where the protocol asks for none.

    Raises
    ------
    ConfigError
        No such fit is installed.
    """
    count = protocol.fit_draws
    name = fit_of(protocol)
    if not count:
        return (AS_IN_THE_TABLES,)
    fitted: Sequence[Mapping[str, Mapping[str, float]]] = [{}] * count
    if name:
        fit = load_fit(name)
        fitted = [_of_fit(fit, int(draw)) for draw in equal_draws(fit.weights, count)]
    rows = {str(scenario): drawn_rows(scenario, count, protocol.seed) for scenario in protocol.scenarios}
    draws = []
    for k in range(count):
        cells = {scenario: {row: float(x[k]) for row, x in columns.items()} for scenario, columns in rows.items()}
        # Published trials of cells say what cells do by current evidence, and nothing of what is claimed.
        cells |= {CURRENT_EVIDENCE: {**cells.get(CURRENT_EVIDENCE, {}), **fitted[k].get("cells", {})}}
        draws.append(ParameterDraw(fitted[k].get("values", {}), fitted[k].get("drugs", {}), cells))
    return tuple(draws)


def fit_of(protocol: Protocol) -> str:
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


def _of_fit(fit: FitRecord, draw: int) -> dict[str, dict[str, float]]:
    """Return what of a draw acts within a trial: rows of the model and of cells, and effects of drugs.

    Who people are, what their visits show and how their care goes on are as the package has them.
    """
    rows = whole_body.named_model("reference").parameters
    kinds, values = fit.kinds, fit.relative(draw)
    return {
        "values": {name: x for name, x in values.items() if kinds[name] == "row" and name in rows},
        "drugs": {name: x for name, x in values.items() if kinds[name] == "drug"},
        "cells": {name: x for name, x in values.items() if kinds[name] == "cells"},
    }


def check_draws(protocol: Protocol) -> list[Problem]:
    """Return what is wrong with the draws that a protocol asks for."""
    problems = []
    if protocol.fit_draws > protocol.replicates:
        numbers = f"{protocol.fit_draws} draws, {protocol.replicates} replicates"
        hint = "Ask for fewer draws or more replicates: each draw has replicates of its own."
        problems.append(Problem("too-many-draws", "there are more draws than replicates", found=numbers, hint=hint))
    try:
        fit_of(protocol)
    except ConfigError as error:
        problems += error.problems
    return problems
