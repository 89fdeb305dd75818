"""Draws of a fit as conditions: how far predictions move with parameters that are not known better."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...evidence.records.study import Record
from ...physiology.fit_changes import FitChanges, fit_in_tables
from ...physiology.installed_fits import FitRecord, list_fits, load_fit
from ...therapies.scenarios import CURRENT_EVIDENCE
from ...trials.conduct.replicate_parameters import NO_FIT, equal_draws
from .condition import Condition

#: Sets of parameters behind an interval: the SD of 16 numbers is known to 18 %.
FIT_DRAWS = 16


@dataclass(frozen=True)
class FitDraws:
    """So many draws, of equal weight, of an installed fit."""

    name: str
    count: int = FIT_DRAWS

    @property
    def record(self) -> FitRecord:
        """The fit."""
        return load_fit(self.name)

    @property
    def index(self) -> tuple[int, ...]:
        """Which of the draws of the record."""
        return tuple(int(draw) for draw in equal_draws(self.record.weights, self.count))


def draws_of_fit(name: str | None, count: int = FIT_DRAWS) -> FitDraws | None:
    """Return draws of a fit by name, of the newest installed where none is given; None for ``none``, see `without_fit`, and where there is no fit.

    Raises
    ------
    ConfigError
        There is no fit of that name.
    """
    if name == NO_FIT or count < 1:
        return None
    newest = list_fits()
    if name is None and not newest:
        return None
    return FitDraws(load_fit(name or newest[-1]).name, count)


def under_draw(condition: Condition, fit: FitRecord, draw: int) -> Condition:
    """Return a condition under one draw of a fit that the tables have in them; what the condition itself says stays."""
    return _moved(condition, fit, fit.relative(draw))


def at_start(condition: Condition, fit: FitRecord) -> Condition:
    """Return a condition under the values that the tables had before a fit; what the condition itself says stays.

    It is the condition itself where the tables do not have the fit: they still have those values.
    """
    changes = fit.at_start()
    return _moved(condition, fit, changes) if changes else condition


def without_fit(condition: Condition) -> Condition:
    """Return a condition under the values that the tables had before the fit that they have: what ``--fit none`` means everywhere.

    It is the condition itself where the tables have no fit.
    """
    fit = fit_in_tables()
    return condition if fit is None else at_start(condition, fit)


def _moved(condition: Condition, fit: FitRecord, changes: Mapping[str, float]) -> Condition:
    """Return a condition with other values of unknowns of a fit, under which people live again."""
    parts = FitChanges.sorted_by(fit.kinds, changes)
    cells = parts.cells if condition.scenario == CURRENT_EVIDENCE else {}
    return replace(
        condition,
        values={**parts.values, **cells, **condition.values},
        drugs={**parts.drugs, **condition.drugs},
        people={**parts.people, **condition.people},
        visits={**parts.visits, **condition.visits},
        care={**parts.care, **condition.care},
        lived=True,
    )


def joined_draws(condition: Condition, cells: Sequence[Condition], fit: FitDraws | None) -> list[Condition]:
    """Return conditions of draws: those of cells, those of a fit, or both, joined by their number."""
    if fit is None:
        return list(cells)
    joined = []
    for number, draw in enumerate(fit.index):
        of_cells = cells[number % len(cells)].values if cells else {}
        fitted = under_draw(condition, fit.record, draw)
        # What the fit says of a row of cells counts, not its scenario.
        joined.append(replace(fitted, values={**of_cells, **fitted.values}))
    return joined


def kept_moves(fit: FitDraws, record: Record, scale: str) -> list[float] | None:
    """Return by how much each draw of a fit moves a row of its record, on the scale of comparison.

    None where the record does not have the row, or has it under fewer than half of these draws.

    Parameters
    ----------
    scale
        Of the prediction: ``linear``, ``log`` or ``share``.
    """
    row = _rows(fit.name).get(record.id)
    if row is None:
        return None
    draws = np.asarray(fit.record.row_draws[row, list(fit.index)], dtype=np.float64)
    fitted = float(fit.record.rows["after"][row])
    if scale == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.log(draws) - fitted
    elif scale == "share":
        moved = draws - math.sin(min(max(fitted, 0.0), math.pi) / 2.0) ** 2
    else:
        moved = draws - fitted
    finite = [float(move) for move in moved if math.isfinite(move)]
    return finite if 2 * len(finite) >= len(moved) else None


@functools.lru_cache(maxsize=4)
def _rows(name: str) -> Mapping[str, int]:
    return {str(record): row for row, record in enumerate(load_fit(name).rows["record"])}
