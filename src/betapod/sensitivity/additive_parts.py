"""The part of an output that is a sum of curves of single numbers: its shares are known exactly, so that chance acts on the rest alone.

Of a sum of curves of independent numbers every index is known from the curves. What a design estimates is the difference between the output's
index and that of the sum (a control variate); any curves leave it without bias, and good ones make its interval narrow. Curves are polynomials,
fitted to half of the repetitions and used for the other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .index_table import Numbers

#: Degree of the curves: enough for a saturating effect, few enough for some hundred runs. A choice.
DEGREE = 3
#: A coefficient counts from so many of its standard errors on; and there is at most one for so many runs.
_CLEAR, _RUNS_OF_EACH = 4.0, 8
#: Rounds in which coefficients are looked for in what is left.
_ROUNDS = 3


@dataclass(frozen=True)
class AdditivePart:
    """A sum of curves of single numbers.

    Attributes
    ----------
    coefficients
        (columns, degree, outputs) of orthonormal polynomials on the unit interval.
    """

    coefficients: Numbers

    @property
    def shares(self) -> Numbers:
        """(columns, outputs) the variance of each curve."""
        return np.asarray(np.sum(self.coefficients**2, axis=1))

    def curves(self, u: Numbers) -> Numbers:
        """Return the curves (n, columns, outputs) at places (n, columns) of the unit cube."""
        return np.asarray(np.einsum("nkl,klm->nkm", legendre(u), self.coefficients, optimize=True))


def legendre(u: Numbers) -> Numbers:
    """Return orthonormal polynomials (..., degree) of mean 0 on the unit interval."""
    x = 2.0 * u - 1.0
    values = [x, 0.5 * (3 * x**2 - 1), 0.5 * (5 * x**3 - 3 * x)]
    return np.stack([np.sqrt(2 * degree + 1) * value for degree, value in enumerate(values, 1)], axis=-1)


def fitted_part(u: Numbers, values: Numbers) -> AdditivePart:
    """Return the curves that places (n, columns) and centred values (n, outputs) show clearly; none where there is none."""
    count, columns = u.shape
    features = legendre(u).reshape(count, -1)
    coefficients = np.zeros((features.shape[1], values.shape[1]))
    for output in range(values.shape[1]):
        there = np.isfinite(values[:, output])
        coefficients[:, output] = _coefficients(features[there], values[there, output])
    return AdditivePart(coefficients.reshape(columns, DEGREE, -1))


def _coefficients(features: Numbers, y: Numbers) -> Numbers:
    coefficients = np.zeros(features.shape[1])
    counted = np.zeros(features.shape[1], dtype=bool)
    rest = y
    for _ in range(_ROUNDS):
        if len(y) < 4 * _RUNS_OF_EACH or not np.any(rest):
            break
        projected = np.abs(features.T @ rest) / len(y)
        clear = projected > _CLEAR * rest.std() / np.sqrt(len(y))
        most = np.argsort(-projected, kind="stable")[: max(len(y) // _RUNS_OF_EACH - int(counted.sum()), 0)]
        fresh = [column for column in most if clear[column] and not counted[column]]
        if not fresh:
            break
        counted[fresh] = True
        coefficients[counted] = np.linalg.lstsq(features[:, counted], y)[0]
        rest = y - features[:, counted] @ coefficients[counted]
    return coefficients


def additive_parts(points: Sequence[Numbers], values: Numbers) -> list[AdditivePart]:
    """Return for each repetition the curves that the repetitions of the other half show.

    Parameters
    ----------
    points
        Of each repetition, (n, columns) of a and of b beside each other.
    values
        (repetitions, n, 2, outputs) centred, at a and at b.
    """
    columns = points[0].shape[1] // 2
    halves = [list(range(first, len(points), 2)) for first in (0, 1)]
    parts = []
    for half in halves:
        u = np.concatenate([points[k].reshape(len(points[k]), 2, columns).reshape(-1, columns) for k in half])
        parts.append(fitted_part(u, np.concatenate([values[k].reshape(-1, values.shape[-1]) for k in half])))
    return [parts[1 - number % 2] for number in range(len(points))]
