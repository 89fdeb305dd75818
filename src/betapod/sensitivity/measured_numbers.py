"""What measurements of outputs would tell of the numbers of a model: directions, collinearity, and what nobody could tell from them.

The model is taken as linear around its values. A number is known beforehand as well as its plausible range says (an SD is the quarter of it
that a normal distribution has, on the scale on which the range is even); measurements add information in units of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.errors import ConfigError, Location, Problem, did_you_mean
from ..engine.ensemble import Ensemble
from .factors import Factor
from .index_table import Numbers
from .model_function import ModelFunction
from .number_scales import NumberScale

#: Collinearity index (Brun, Reichert and Kuensch 2001) from which a set of numbers cannot be told apart: a choice.
COLLINEAR = 10.0
#: Contraction below which a number has stayed at what was known beforehand.
STAYED = 0.1
#: Share of the slopes of the number that shows most below which a number hardly shows.
_SHOWS = 1e-3
#: Share of its value from which the error of a measurement is refused as a mistake: ten times what is measured.
_MOST_ERROR = 10.0
#: Step of slopes, in SDs of what is known beforehand.
_STEP = 0.02


@dataclass(frozen=True)
class MeasuredNumbers:
    """What measurements tell.

    Attributes
    ----------
    factors
        The d numbers.
    slopes
        (n, d) of measured values, in SDs of their errors, per prior SD of each number.
    eigenvalues, directions
        (d,) of the information, falling, and (d, d), a direction a row. An eigenvalue of 1 says as much as what is known beforehand.
    contraction
        (d,) 1 less posterior over prior SD: 0 where measurements say nothing of a number.
    correlation
        (d, d) after the measurements.
    told
        Names of the largest set, built up from the number that shows most, that can be told apart; with the collinearity index of each step.
    """

    factors: Sequence[Factor]
    slopes: Numbers
    eigenvalues: Numbers
    directions: Numbers
    contraction: Numbers
    correlation: Numbers
    told: tuple[tuple[str, float], ...]

    @property
    def importance(self) -> Numbers:
        """(d,) root mean square of the slopes: how much a number shows."""
        return np.asarray(np.sqrt(np.mean(self.slopes**2, axis=0)))

    def alike(self, least: float = 0.9) -> list[tuple[str, str, float]]:
        """Return pairs whose slopes point the same or the opposite way, with the cosine between them, most alike first.

        Numbers that hardly show, and may be left aside, are in no pair.
        """
        length = np.sqrt(np.sum(self.slopes**2, axis=0))
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = np.where(length > _SHOWS * length.max(), self.slopes / length, 0.0)
        cosine = unit.T @ unit
        first, second = np.triu_indices(len(self.factors), 1)
        order = np.argsort(-np.abs(cosine[first, second]), kind="stable")
        return [
            (self.factors[first[k]].name, self.factors[second[k]].name, float(cosine[first[k], second[k]]))
            for k in order
            if abs(cosine[first[k], second[k]]) >= least
        ]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each number, best told first."""
        apart = dict(self.told)
        order = sorted(range(len(self.factors)), key=lambda k: -self.contraction[k])
        return [
            {
                "number": self.factors[k].name,
                "contraction": float(self.contraction[k]),
                "shows": float(self.importance[k]),
                "collinearity": apart.get(self.factors[k].name),
                "grade": self.factors[k].row.grade,
                "meaning": self.factors[k].row.label,
            }
            for k in order
        ]

    def in_words(self) -> list[str]:
        """Return sentences: how many directions are known, what can be told apart, what stays as it was."""
        d = len(self.factors)
        better, somewhat = (int(np.sum(self.eigenvalues > least)) for least in (1.0, 0.1))
        stayed = [f.name for f, c in zip(self.factors, self.contraction, strict=True) if c < STAYED]
        lines = [
            f"Of {d} directions the measurements know {better} better than their ranges do, {somewhat} at least a tenth as well.",
            f"Told apart (collinearity below {COLLINEAR:g}): {', '.join(name for name, _ in self.told) or 'none'}.",
        ]
        lines += [
            f"{first} and {second} cannot be told apart: {'one does what the other does' if cosine > 0 else 'one undoes the other'} "
            f"(cosine {cosine:.3f})."
            for first, second, cosine in self.alike(0.99)[:5]
        ]
        if stayed:
            lines.append(f"{len(stayed)} of {d} cannot be told from these measurements (contraction below {STAYED}).")
        return lines


def measurement_errors(
    outputs: Sequence[str], shares: float | str | Mapping[str, float | str], where: str = "error"
) -> list[float]:
    """Return the SD of one measurement of each output, as a share of its value.

    Parameters
    ----------
    shares
        One for all outputs or one for each, such as 0.1 or ``10 %``.
    where
        What errors name as their place.

    Raises
    ------
    ConfigError
        What is no share above 0; an output that is not measured, or of which nothing is said; all at once.
    """
    location = Location(where)
    problems: list[Problem] = []

    def share(given_share: float | str) -> float:
        text = str(given_share).strip()
        try:
            number = float(text.removesuffix("%")) / (100.0 if text.endswith("%") else 1.0)
        except ValueError:
            number = -1.0
        if not 0.0 < number < _MOST_ERROR:
            problems.append(
                Problem("bad-option", "this is no error of a measurement", location, text, "such as '10 %'")
            )
        return number

    if isinstance(shares, Mapping):
        problems += [
            Problem(
                "unknown-name",
                f"{name!r} is not measured here",
                location,
                expected=", ".join(outputs),
                hint=did_you_mean(name, outputs),
            )
            for name in shares
            if name not in outputs
        ]
        if missing := [name for name in outputs if name not in shares]:
            problems.append(Problem("bad-option", f"{where} says nothing of {', '.join(missing)}", location))
        errors = [share(shares[name]) for name in outputs if name in shares]
    else:
        errors = [share(shares)] * len(outputs)
    if problems:
        raise ConfigError(problems)
    return errors


def measured_numbers(function: ModelFunction, errors: Sequence[float]) -> MeasuredNumbers:
    """Return what measurements of every output of a function at all its times would tell.

    Parameters
    ----------
    errors
        SD of one measurement of each output, as a share of its value (such as 0.1), or of its largest where it is near 0.
    """
    factors = function.factors
    rows = 1 + 2 * len(factors)
    columns: dict[str, Numbers] = {}
    distances = np.empty(len(factors))
    for number, factor in enumerate(factors):
        scale = NumberScale.of(factor)
        low, high = scale.bounds
        ends = np.array([max(-_STEP, low), min(_STEP, high)])
        column = np.full(rows, factor.row.value)
        column[1 + 2 * number : 3 + 2 * number] = scale.values(ends)
        columns[factor.name] = column
        distances[number] = ends[1] - ends[0]
    courses = measured_courses(function, errors, columns)
    slopes = (courses[2::2] - courses[1::2]) / distances[:, None]
    return from_slopes(factors, np.nan_to_num(slopes).T)


def measured_courses(function: ModelFunction, errors: Sequence[float], columns: Mapping[str, Numbers]) -> Numbers:
    """Return measured values (K, times x outputs) in SDs of their errors, of numbers (K,); those of the model's values tell the errors."""
    # A row at the model's values, by which errors are shares, is simulated with the others.
    rows = {f.name: np.append(columns[f.name], f.row.value) for f in function.factors}
    ensemble = Ensemble(function.model, list(function.outputs), rtol=1e-9, threads=function.threads)
    courses = ensemble.run(rows, list(function.times), function.schedule, dict(function.initial)).values
    base = courses[-1]
    size = np.maximum(np.abs(base), 0.01 * np.nanmax(np.abs(base), axis=0))
    sds = np.where(size > 0, size, 1.0) * np.asarray(errors)
    return np.asarray((courses[:-1] / sds).reshape(len(courses) - 1, -1))


def from_slopes(factors: Sequence[Factor], slopes: Numbers) -> MeasuredNumbers:
    """Return what measurements tell, of slopes (n, d) in SDs of errors per prior SD."""
    information = slopes.T @ slopes
    values, vectors = np.linalg.eigh(information)
    order = np.argsort(-values, kind="stable")
    directions = vectors[:, order].T
    directions *= np.sign(directions[np.arange(len(order)), np.abs(directions).argmax(axis=1)])[:, None]
    covariance = np.linalg.inv(information + np.eye(len(values)))
    sd = np.sqrt(np.diag(covariance))
    return MeasuredNumbers(
        factors,
        slopes,
        np.maximum(values[order], 0.0),
        directions,
        1.0 - sd,
        covariance / np.outer(sd, sd),
        _told_apart([factor.name for factor in factors], slopes),
    )


def _told_apart(names: Sequence[str], slopes: Numbers) -> tuple[tuple[str, float], ...]:
    """Return numbers in the order in which each adds most that is new, while their collinearity index stays below the limit."""
    length = np.sqrt(np.sum(slopes**2, axis=0))
    showing = [k for k in range(len(names)) if length[k] > 1e-6 * max(length.max(), 1e-300)]
    chosen_columns: list[int] = []
    told: list[tuple[str, float]] = []
    rest = slopes.copy()
    while showing:
        left = np.sqrt(np.sum(rest[:, showing] ** 2, axis=0))
        column = showing[int(np.argmax(left))]
        unit = slopes[:, [*chosen_columns, column]] / length[[*chosen_columns, column]]
        least = float(np.linalg.eigvalsh(unit.T @ unit)[0])
        index = 1.0 / np.sqrt(max(least, 1e-300))
        if index > COLLINEAR:
            break
        chosen_columns.append(column)
        told.append((names[column], index))
        showing.remove(column)
        direction = rest[:, column] / np.sqrt(np.sum(rest[:, column] ** 2))
        rest -= np.outer(direction, direction @ rest)
    return tuple(told)
