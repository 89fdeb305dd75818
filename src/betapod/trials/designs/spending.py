"""How much of an error may be spent by when: spending functions of Lan and DeMets, and of those who came after."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, Problem, not_among

Array = NDArray[np.float64]

#: Families of boundaries: code, what it is called.
FAMILIES = {
    "OF": "O'Brien-Fleming",
    "P": "Pocock",
    "WT": "Wang-Tsiatis",
    "HP": "Haybittle-Peto",
    "PT": "Pampallona-Tsiatis",
    "asOF": "spending like O'Brien-Fleming",
    "asP": "spending like Pocock",
    "asKD": "spending of Kim and DeMets",
    "asHSD": "spending of Hwang, Shih and DeCani",
    "asUser": "spending as given",
    "user": "boundaries as given",
}
#: What a family needs to know, its default, and between which values it lies.
PARAMETERS = {
    "WT": ("exponent", 0.25, -5.0, 1.0),
    "HP": ("bound before the last look", 3.0, 0.0, 20.0),
    "PT": ("exponent", 0.0, -5.0, 1.0),
    "asKD": ("power of the information", 2.0, 0.01, 50.0),
    "asHSD": ("gamma", -4.0, -100.0, 50.0),
}
#: Spending functions.
SPENDING = ("asOF", "asP", "asKD", "asHSD")


def spent_error(
    family: str, information: ArrayLike, error: float, parameter: float | None = None, sides: int = 1
) -> Array:
    """Return the error that a spending function has spent.

    With t the share of the information and a the error (of one side), these are

    - asOF: 2 - 2 Phi(z(1 - a/2) / sqrt(t)) (Lan and DeMets 1983);
    - asP: a ln(1 + (e - 1) t) (Lan and DeMets 1983);
    - asKD: a t^rho (Kim and DeMets 1987);
    - asHSD: a (1 - exp(-gamma t)) / (1 - exp(-gamma)), and a t for gamma 0 (Hwang, Shih and DeCani 1990).

    Parameters
    ----------
    family
        ``asOF``, ``asP``, ``asKD`` or ``asHSD``.
    information
        Shares of the information of the last look, 0 to 1; any shape.
    error
        All that may be spent: alpha, or beta.
    parameter
        rho of ``asKD`` (2 by default), gamma of ``asHSD`` (-4 by default).
    sides
        2 where the error is that of two sides; each side then spends half.

    Returns
    -------
    numpy.ndarray
        Error spent, shape of `information`.

    Raises
    ------
    ConfigError
        There is no such function, or numbers are outside their range.

    Examples
    --------
    >>> from betapod import designs
    >>> [round(float(x), 6) for x in designs.spent_error("asOF", [1 / 3, 2 / 3, 1], 0.025)]
    [0.000104, 0.006048, 0.025]
    """
    from scipy.special import ndtr, ndtri

    if family not in SPENDING:
        raise ConfigError(not_among(SPENDING, "unknown-family", f"{family!r} is no spending function", str(family)))
    t = np.asarray(information, dtype=float)
    problems = []
    if not 0 < error < 1:
        problems.append(Problem("out-of-range", "an error is a chance", found=str(error), expected="above 0, below 1"))
    if not np.all((t >= 0) & (t <= 1 + 1e-12)):
        problems.append(Problem("out-of-range", "information is a share", found=str(t.tolist()), expected="0 to 1"))
    value = math.nan
    if family in PARAMETERS:
        value = PARAMETERS[family][1] if parameter is None else parameter
        problems += parameter_problems(family, value)
    if problems:
        raise ConfigError(problems)
    if family == "asOF":
        side = error / sides
        with np.errstate(divide="ignore"):
            return np.asarray(2 * sides * ndtr(ndtri(side / 2) / np.sqrt(t)))
    if family == "asP":
        return np.asarray(error * np.log1p((math.e - 1) * t))
    if family == "asKD":
        return np.asarray(error * t**value)
    return np.asarray(error * (t if value == 0 else np.expm1(-value * t) / np.expm1(-value)))


def parameter_problems(family: str, value: float) -> list[Problem]:
    """Return what is wrong with the parameter of a family; nothing where it has none."""
    if family not in PARAMETERS:
        return []
    name, _, low, high = PARAMETERS[family]
    if isinstance(value, (int, float)) and low <= value <= high:
        return []
    message = f"the {name} of {FAMILIES[family]} cannot be this"
    return [Problem("out-of-range", message, found=str(value), expected=f"{low:g} to {high:g}")]


def spent_problems(spent: Sequence[float], looks: int, error: float) -> list[Problem]:
    """Return what is wrong with errors that were given as spent by each look."""
    rising = all(first <= second for first, second in itertools.pairwise(spent))
    right = len(spent) == looks and rising and all(x >= 0 for x in spent) and abs(spent[-1] - error) <= 1e-9
    if right:
        return []
    expected = f"{looks} numbers of 0 or more that never fall and end with {error:g}"
    return [
        Problem("bad-spending", "errors spent by each look cannot be these", found=str(list(spent)), expected=expected)
    ]
