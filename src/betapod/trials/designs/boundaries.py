"""Boundaries of group-sequential designs: solved look by look from the error that may be spent, or as a family with a constant."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.arguments import floats, wrong
from ...base.errors import ConfigError, Problem, not_among
from .bounds_by_look import (
    FARTHEST,
    boundary_root,
    crossing_under_null,
    lower_by_look,
    no_boundary,
    upper_by_look,
)
from .crossing import CrossingChances
from .sequential_design import SequentialDesign
from .spending import FAMILIES, PARAMETERS, SPENDING, parameter_problems, spent_error, spent_problems

Array = NDArray[np.float64]

_NONE = float("-inf")


def group_sequential(
    family: str = "asOF",
    information: int | Sequence[float] = 3,
    alpha: float = 0.025,
    sides: int = 1,
    power: float = 0.9,
    *,
    parameter: float | None = None,
    spent: Sequence[float] | None = None,
    efficacy: Sequence[float] | None = None,
    futility: str | Sequence[float] | None = None,
    futility_parameter: float | None = None,
    futility_spent: Sequence[float] | None = None,
    binding: bool = False,
) -> SequentialDesign:
    """Return a group-sequential design.

    ``OF``, ``P`` and ``WT`` have boundaries c t^(D - 1/2) with D of 0, 1/2 and the parameter; ``HP`` has a fixed bound
    (3 by default) until the last look; ``PT`` has c1 t^(D - 1/2) above and drift sqrt(t) - c2 t^(D - 1/2) below, which meet at the last look;
    ``asOF``, ``asP``, ``asKD``, ``asHSD`` and ``asUser`` spend alpha (see `spent_error`); with ``user`` the boundaries are given.

    Parameters
    ----------
    family
        Code of the family.
    information
        Number of looks at equal steps, or shares of the information (the last is 1).
    alpha
        Type I error of all sides together.
    sides
        1, or 2 for boundaries on either side (without futility).
    power
        Under the drift that futility, characteristics and sizes are for.
    parameter
        D of ``WT`` and ``PT``, the bound of ``HP``, rho of ``asKD``, gamma of ``asHSD``.
    spent
        Of ``asUser``: alpha spent by each look.
    efficacy
        Of ``user``: boundaries as Z, one per look; alpha is then what they spend.
    futility
        None; a spending function of beta (``asOF``, ``asP``, ``asKD``, ``asHSD``, ``asUser``); or boundaries as Z, one per look but the last.
    futility_parameter, futility_spent
        Of the spending function of beta; of ``PT`` the exponent D' (0 by default).
    binding
        Whether the trial must stop below a boundary of futility: alpha then counts on it, and efficacy boundaries are lower.

    Returns
    -------
    SequentialDesign
        Its ``table`` has a row per look.

    Raises
    ------
    ConfigError
        Everything that does not make a design.

    Notes
    -----
    O'Brien and Fleming 1979; Pocock 1977; Wang and Tsiatis 1987; Haybittle 1971 and Peto et al. 1976; Pampallona and Tsiatis 1994; Lan and
    DeMets 1983; Kim and DeMets 1987; Hwang, Shih and DeCani 1990. Boundaries, spent alpha, inflation and expected sizes of 64 designs agree with rpact 3.3.4 to 1e-6.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("OF", 3)
    >>> [round(z, 4) for z in design.efficacy]
    [3.4711, 2.4544, 2.004]
    >>> designs.group_sequential("asOF", [0.5, 1], futility="asOF").table.round(4)[["efficacy", "futility"]].values.tolist()
    [[2.9626, 0.267], [1.9686, 1.9686]]
    """
    rates = _rates(information)
    lists = {"spent": spent, "efficacy": efficacy, "futility_spent": futility_spent}
    lists |= {} if isinstance(futility, str) else {"futility": futility}
    for name, numbers in lists.items():
        if numbers is not None and np.isnan(floats(name, numbers)).any():
            raise ConfigError(wrong(name, numbers, "numbers, such as [2.5, 2]"))
    wish = _Wish(
        family,
        rates,
        alpha,
        sides,
        power,
        _parameter(family, parameter),
        spent,
        efficacy,
        futility,
        futility_parameter,
        futility_spent,
        binding,
    )
    if problems := wish.problems():
        raise ConfigError(problems)
    return wish.design()


def _rates(information: int | Sequence[float]) -> tuple[float, ...]:
    """Return shares of information; of a number of looks equal steps."""
    if isinstance(information, (int, np.integer)) and not isinstance(information, bool):
        return tuple((k + 1) / int(information) for k in range(int(information)))
    try:
        return tuple(float(x) for x in information)  # type: ignore[union-attr]
    except (TypeError, ValueError):
        return ()


def _parameter(family: str, value: float | None) -> float | None:
    return PARAMETERS[family][1] if value is None and family in PARAMETERS else value


@dataclass(frozen=True)
class _Wish:
    """A design as it was asked for."""

    family: str
    rates: tuple[float, ...]
    alpha: float
    sides: int
    power: float
    parameter: float | None
    spent: Sequence[float] | None
    efficacy: Sequence[float] | None
    futility: str | Sequence[float] | None
    futility_parameter: float | None
    futility_spent: Sequence[float] | None
    binding: bool

    # -- what is wrong ---------------------------------------------------------------------------------------------------

    def problems(self) -> list[Problem]:
        """Return everything that does not make a design."""
        return [*self._problems_of_family(), *self._problems_of_numbers(), *self._problems_of_futility()]

    def _problems_of_family(self) -> list[Problem]:
        problems = []
        if self.family not in FAMILIES:
            message = f"there is no family of boundaries {self.family!r}"
            problems.append(not_among(FAMILIES, "unknown-family", message, str(self.family)))
        elif self.family in PARAMETERS:
            problems += parameter_problems(self.family, math.nan if self.parameter is None else self.parameter)
        elif self.parameter is not None:
            message = f"{FAMILIES[self.family]} has no parameter"
            problems.append(Problem("useless-option", message, found=str(self.parameter)))
        for name, value, wanted in (("spent", self.spent, "asUser"), ("efficacy", self.efficacy, "user")):
            if (value is not None) != (self.family == wanted) and (value is not None or self.family == wanted):
                message = f"{name} goes with the family {wanted}, and with no other"
                problems.append(Problem("bad-design", message, found=f"{self.family}, {name} {value}"))
        if self.spent is not None and self.rates and not problems:
            problems += spent_problems(self.spent, len(self.rates), self.alpha)
        if self.efficacy is not None and len(self.efficacy) != len(self.rates):
            message = "there is one efficacy boundary per look"
            problems.append(Problem("bad-design", message, found=f"{len(self.efficacy)} for {len(self.rates)} looks"))
        return problems

    def _problems_of_numbers(self) -> list[Problem]:
        problems = []
        rates = self.rates
        rising = all(first < second for first, second in itertools.pairwise(rates))
        if not (1 <= len(rates) <= 100 and rates[0] > 0 and rising and abs(rates[-1] - 1) < 1e-12):
            expected = "a number of looks, 1 to 100, or shares that rise from above 0 to 1, such as [0.5, 1]"
            problems.append(
                Problem(
                    "bad-information", "information of looks cannot be this", found=str(list(rates)), expected=expected
                )
            )
        for name, value, most in (("alpha", self.alpha, 0.5), ("power", self.power, 1.0)):
            if not (isinstance(value, (int, float)) and 0 < value < most):
                problems.append(
                    Problem(
                        "out-of-range", f"{name} is a chance", found=str(value), expected=f"above 0, below {most:g}"
                    )
                )
        if self.sides not in (1, 2):
            problems.append(
                Problem("out-of-range", "a test has one side or two", found=str(self.sides), expected="1 or 2")
            )
        if not problems and self.power <= self.alpha / self.sides:
            problems.append(
                Problem("out-of-range", "power must be above alpha", found=f"{self.power:g} with alpha {self.alpha:g}")
            )
        return problems

    def _problems_of_futility(self) -> list[Problem]:
        problems = []
        futility = self.futility
        if isinstance(futility, str):
            if futility not in (*SPENDING, "asUser"):
                message = f"{futility!r} is no spending function of beta"
                problems.append(not_among((*SPENDING, "asUser"), "unknown-family", message, futility))
            elif self.futility_parameter is not None:
                problems += parameter_problems(futility, self.futility_parameter)
            if futility == "asUser":
                problems += spent_problems(self.futility_spent or (), len(self.rates), 1 - self.power)
        elif futility is not None and len(futility) != len(self.rates) - 1:
            message = "there is one boundary of futility per look but the last"
            problems.append(Problem("bad-design", message, found=f"{len(futility)} for {len(self.rates)} looks"))
        if self.futility is not None and self.sides == 2:
            message = "boundaries of futility are for one-sided designs"
            problems.append(Problem("not-supported", message, hint="Use sides 1 with half of alpha."))
        if self.family == "PT" and (self.futility is not None or self.sides == 2):
            message = "Pampallona-Tsiatis has boundaries of futility of its own, and one side"
            problems.append(Problem("bad-design", message))
        return problems

    # -- the design ------------------------------------------------------------------------------------------------------

    def design(self) -> SequentialDesign:
        """Return the design."""
        if self.family == "PT":
            upper, lower = self._pampallona_tsiatis()
        elif isinstance(self.futility, str):
            upper, lower = self._beta_spending()
        else:
            lower = [_NONE] * (len(self.rates) - 1) if self.futility is None else [float(x) for x in self.futility]
            upper = self._upper(lower if self.binding else [_NONE] * len(lower))
        lower = [*(min(a, b) for a, b in zip(lower, upper, strict=False)), upper[-1]]
        spent = self._spent(upper, lower)
        alpha = spent[-1] if self.family == "user" else self.alpha
        if abs(spent[-1] - alpha) > 1e-8:
            raise no_boundary()
        name = self.futility if isinstance(self.futility, str) else "" if self.futility is None else "user"
        return SequentialDesign(
            self.family, self.rates, tuple(upper), tuple(lower), alpha, self.sides, self.power, self.binding, tuple(spent),
            self.parameter, "PT" if self.family == "PT" else name,
        )  # fmt: skip

    def _spent(self, upper: list[float], lower: list[float]) -> list[float]:
        below = lower[:-1] if self.binding else [_NONE] * (len(upper) - 1)
        low = [-x for x in upper] if self.sides == 2 else [*below, upper[-1]]
        above = CrossingChances.of(self.rates, low, upper).crossed(0.0)[0][0]
        return [float(x) for x in np.cumsum(above) * self.sides]

    def _upper(self, lower: list[float]) -> list[float]:
        """Return the efficacy boundaries with lower boundaries as they are."""
        if self.family == "user":
            return [float(x) for x in self.efficacy or ()]
        if self.family.startswith("as"):
            targets = self._spending(self.family, self.parameter, self.spent, self.alpha, self.sides)
            return upper_by_look(self.rates, np.diff(targets, prepend=0.0) / self.sides, lower, self.sides)
        shape = self._shape()

        def too_much(c: float) -> float:
            return crossing_under_null(self.rates, shape(c), lower, self.sides) - self.alpha

        # Under a drift that is too large nearly everybody stops for futility, and no constant spends alpha: the search goes on.
        return shape(-FARTHEST if too_much(-FARTHEST) < 0 else boundary_root(too_much, -FARTHEST, FARTHEST))

    def _shape(self) -> Callable[[float], list[float]]:
        """Return what makes boundaries from one constant."""
        rates = np.asarray(self.rates)
        if self.family == "HP":
            before = [float(self.parameter or 0.0)] * (len(rates) - 1)
            return lambda c: [*before, c]
        exponent = {"OF": 0.0, "P": 0.5}.get(self.family, self.parameter or 0.0)
        scale = rates ** (exponent - 0.5)
        return lambda c: [float(x) for x in c * scale]

    def _spending(
        self, family: str, parameter: float | None, spent: Sequence[float] | None, error: float, sides: int
    ) -> Array:
        given_errors = np.asarray(spent or (), dtype=float)
        return given_errors if family == "asUser" else spent_error(family, self.rates, error, parameter, sides)

    def _beta_spending(self) -> tuple[list[float], list[float]]:
        """Return boundaries of which those of futility spend beta under the drift at which they meet at the last look.

        At the drift that is sought, beta is what all looks spend when the last boundary of futility is that of efficacy.
        """
        beta = 1 - self.power
        steps = np.diff(
            self._spending(str(self.futility), self.futility_parameter, self.futility_spent, beta, 1), prepend=0.0
        )
        free = self._upper([_NONE] * (len(self.rates) - 1)) if not self.binding else None

        def bounds(drift: float) -> tuple[list[float], list[float], float]:
            return self._meeting(drift, steps, free)

        drift = boundary_root(lambda drift: bounds(drift)[2] - beta, 0.05, 30.0)
        upper, lower, _ = bounds(drift)
        return upper, lower

    def _meeting(self, drift: float, steps: Array, free: list[float] | None) -> tuple[list[float], list[float], float]:
        """Return boundaries for a drift, and the type II error of all looks."""
        lower = lower_by_look(self.rates, steps, free, drift) if free is not None else []
        if free is None:
            # Binding: the efficacy boundary of a look depends on the futility before it, and the other way round.
            for k in range(len(self.rates) - 1):
                upper = self._upper([*lower, *[_NONE] * (len(self.rates) - 1 - k)])
                lower = lower_by_look(self.rates[: k + 2], steps, upper, drift)
            upper = self._upper(lower)
        else:
            upper = free
        chances = CrossingChances.of(self.rates, [*lower, upper[-1]], upper, drift)
        return upper, lower, float(chances.crossed(drift)[1].sum())

    def _pampallona_tsiatis(self) -> tuple[list[float], list[float]]:
        rates = np.asarray(self.rates)
        scale = rates ** ((self.parameter or 0.0) - 0.5)
        scale_below = rates ** ((self.futility_parameter or 0.0) - 0.5)

        def lower(first: float, second: float) -> list[float]:
            bounds = (first + second) * np.sqrt(rates) - second * scale_below
            return [float(min(a, b)) for a, b in zip(bounds, first * scale, strict=True)][:-1]

        def upper(first: float) -> list[float]:
            return [float(x) for x in first * scale]

        def spent(first: float, below: list[float]) -> float:
            return crossing_under_null(self.rates, upper(first), below, 1) - self.alpha

        def second_of(first: float) -> float:
            return boundary_root(
                lambda c: self._missed(upper(first), lower(first, c), first + c) - (1 - self.power), 0.0, 12.0
            )

        if self.binding:
            first = boundary_root(lambda c: spent(c, lower(c, second_of(c))), 0.2, FARTHEST)
        else:
            first = boundary_root(lambda c: spent(c, [_NONE] * (len(rates) - 1)), 0.0, FARTHEST)
        return upper(first), lower(first, second_of(first))

    def _missed(self, upper: list[float], lower: list[float], drift: float) -> float:
        chances = CrossingChances.of(self.rates, [*lower, upper[-1]], upper, drift)
        return 1.0 - float(chances.crossed(drift)[0].sum())
