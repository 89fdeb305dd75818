"""Draw virtual patients from the distributions of a parameter table, each by its number alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, ParameterError, Problem, did_you_mean
from ..base.randomness import Patients
from ..model.parameters.possible_values import drawn_range
from ..model.parameters.table import Parameter, ParameterTable
from .correlations import Correlations

Numbers: TypeAlias = NDArray[np.float64]

#: Names that vary everything that has a distribution, or nothing.
ALL, NONE = "all", "none"


def varied(table: ParameterTable, names: str | Iterable[str] = ALL) -> tuple[str, ...]:
    """Return the ids of the rows to draw, in table order.

    Parameters
    ----------
    names
        Ids; or ``all``, every row that has a distribution; or ``none``.

    Raises
    ------
    ConfigError
        Unknown ids and rows without a distribution, all at once.
    """
    spread = [row.id for row in table.values() if _spreads(row)]
    if isinstance(names, str):
        if names == ALL:
            return tuple(spread)
        if names == NONE:
            return ()
        names = [part.strip() for part in names.split(",") if part.strip()]
    ids = list(names)
    problems = []
    for name in ids:
        if name not in table:
            problems.append(
                Problem("unknown-parameter", f"there is no parameter {name!r}", hint=did_you_mean(name, table))
            )
        elif not _spreads(table[name]):
            problems.append(
                Problem(
                    "no-distribution",
                    f"{name!r} has no distribution to draw from",
                    table[name].location,
                    found=table[name].distribution,
                    expected="normal, lognormal, uniform, logitnormal or bernoulli",
                )
            )
    if problems:
        raise ConfigError(problems)
    return tuple(row for row in table if row in set(ids))


def draw_parameters(
    table: ParameterTable,
    seed: int,
    patients: Patients,
    names: str | Iterable[str] = ALL,
    replicate: int = 0,
    correlations: Correlations | None = None,
) -> dict[str, Numbers]:
    """Return the parameters of virtual patients, ``{id: array (n,)}`` in the rows' own units.

    A patient's values depend on the seed, the replicate, the patient's number and the row alone: not on which other patients or
    rows are drawn with it. Rows are drawn by inverting their distribution function, truncated to the plausible range `low` to `high`
    of the row and to what is possible at all; independently of each other, but for those that `correlations` lists.

    Parameters
    ----------
    patients
        Their numbers, from 0.
    names
        What to draw, see `varied`.
    correlations
        Of rows, of this table or another; rows without an entry are drawn as without it, to the last bit.

    Raises
    ------
    ConfigError
        Unknown ids, or rows without a distribution.
    ParameterError
        Distributions that cannot be drawn from: no spread, no finite range, values outside the domain; all at once.
    """
    together = correlations or Correlations()
    inverses = _inverses(table, varied(table, names))
    return {name: inverse(together.uniform(name, seed, patients, replicate)) for name, inverse in inverses.items()}


def parameters_at(table: ParameterTable, uniform: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Return the parameters of virtual patients at numbers of the distribution functions of rows, instead of random ones.

    Parameters
    ----------
    uniform
        Row -> (n,) between 0 and 1.

    Raises
    ------
    ConfigError, ParameterError
        As of `draw_parameters`.
    """
    return {name: inverse(uniform[name]) for name, inverse in _inverses(table, varied(table, uniform)).items()}


def _inverses(table: ParameterTable, ids: Iterable[str]) -> dict[str, Callable[[Numbers], Numbers]]:
    inverses: dict[str, Callable[[Numbers], Numbers]] = {}
    problems: list[Problem] = []
    for name in ids:
        try:
            inverses[name] = _inverse(table[name])
        except ParameterError as error:
            problems.extend(error.problems)
    if problems:
        raise ParameterError(problems)
    return inverses


def _spreads(row: Parameter) -> bool:
    """Whether a row has a distribution, be it one that can be drawn from or not."""
    return not row.distribution.startswith("fixed")


def _inverse(row: Parameter) -> Callable[[Numbers], Numbers]:
    """Return the inverse distribution function of a row, truncated to its range."""

    def bad(message: str, value_text: str, hint: str = "") -> ParameterError:
        return ParameterError(
            Problem("bad-distribution", f"{row.id}: {message}", row.location, found=value_text, hint=hint)
        )

    try:
        shape = row.shape
    except (ValueError, ZeroDivisionError):
        shape = ("", math.nan, math.nan)
    assert shape is not None
    name, first, second = shape
    described = f"{row.distribution}, value {row.value:g}, low {row.low:g}, high {row.high:g}"
    low, high = drawn_range(row)
    if not (math.isfinite(first) and math.isfinite(second)):
        raise bad(
            "the distribution has no finite spread",
            described,
            "Give low and high, or write the arguments, such as lognormal(1, 0.3).",
        )
    if name == "bernoulli":
        if not 0.0 <= first <= 1.0:
            raise bad("the chance is not between 0 and 1", described)
        if not low <= 0.0 <= 1.0 <= high:
            raise bad("the range does not hold both 0 and 1", described)
        # The upper end of the numbers is 1, as for every other distribution: correlated rows go the same way.
        return lambda u: np.where(u < 1.0 - first, 0.0, 1.0)
    if name == "uniform":
        low, high = max(first, low), min(second, high)
        if not low < high:
            raise bad("the bounds leave nothing to draw", described)
        return lambda u: low + u * (high - low)
    if not second > 0:
        raise bad("the spread is not above 0", described)
    if (name == "lognormal" and first <= 0) or (name == "logitnormal" and not 0 < first < 1):
        raise bad("the centre is outside the domain of the distribution", described)
    to_line, from_line = _TRANSFORMS[name]
    centre = to_line(first)
    z_low, z_high = (to_line(low) - centre) / second, (to_line(high) - centre) / second
    if not z_low < z_high:
        raise bad("the range leaves nothing to draw", described)
    truncated = _truncated_normal(z_low, z_high)
    if truncated is None:
        raise bad("the plausible range is too far out in the tail to draw from", described)
    # Rounding must not carry a draw over the edge of its range.
    return lambda u: np.clip(from_line(centre + second * truncated(u)), low, high)


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _logit(x: float) -> float:
    if x >= 1:
        return math.inf
    return math.log(x) - math.log1p(-x) if x > 0 else -math.inf


def _expit(x: Numbers) -> Numbers:
    from scipy.special import expit

    result: Numbers = expit(x)
    return result


_TRANSFORMS: dict[str, tuple[Callable[[float], float], Callable[[Numbers], Numbers]]] = {
    "normal": (float, lambda x: x),
    "lognormal": (_log, np.exp),
    "logitnormal": (_logit, _expit),
}


def _truncated_normal(low: float, high: float) -> Callable[[Numbers], Numbers] | None:
    """Return the inverse distribution function of a standard normal between two bounds; None where no mass is left."""
    from scipy.special import ndtr, ndtri

    # In the upper tail the distribution function is too near 1 to be told apart: work in the mirror image.
    sign = -1.0 if low > 0 else 1.0
    if sign < 0:
        low, high = -high, -low
    below, above = float(ndtr(low)), float(ndtr(high))
    if not above > below:
        return None

    def inverse(u: Numbers) -> Numbers:
        share = u if sign > 0 else 1.0 - u
        result: Numbers = sign * ndtri(below + share * (above - below))
        return result

    return inverse
