"""Sizes of trials with group-sequential looks: means, shares, times to events, with any allocation ratio."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...base.errors import Problem
from .fixed_sizes import fixed_events, fixed_means_total, fixed_rates_total, null_shares
from .follow_up_events import FollowedArms, hazard_of_share
from .sequential_design import SequentialDesign
from .size_of_design import (
    DesignSize,
    counted_by_look,
    no_effect_problems,
    number_problems,
    positive_problems,
    raise_problems,
    size_result,
)

Array = NDArray[np.float64]


def means_size(
    effect: float,
    sd: float,
    design: SequentialDesign,
    *,
    ratio: float = 1.0,
    null: float = 0.0,
    normal: bool = False,
) -> DesignSize:
    """Return the size of a trial that compares two means.

    The size with one look is that of the t test (noncentral t), times the inflation of the design. Boundaries on the scale of the effect
    are those of the t test with the patients of the look, at the nominal level of the look.

    Parameters
    ----------
    effect
        Expected difference of the means, treated - control; its sign does not matter but for `null`.
    sd
        Standard deviation within arms, after adjustment for covariates if there is one; unit of `effect`.
    design
        With its alpha, sides and power.
    ratio
        Patients of the treated arm for one of the control.
    null
        Difference under the null: a margin of non-inferiority, or 0.
    normal
        Whether the standard deviation counts as known (z test).

    Returns
    -------
    DesignSize
        ``total`` patients, ``by_look``, expected ones, boundaries on the scale of the difference.

    Raises
    ------
    ConfigError
        No effect beside the null, no scatter, no ratio.

    Examples
    --------
    >>> from betapod import designs
    >>> size = designs.means_size(0.3, 1.0, designs.group_sequential("asOF", 3))
    >>> round(size.total, 3), round(size.fixed, 3), [round(x, 3) for x in size.efficacy]
    (474.484, 468.926, [0.604, 0.284, 0.183])
    """
    problems = number_problems(effect=effect, null=null) + positive_problems(sd=sd, ratio=ratio)
    raise_problems(problems or no_effect_problems(effect - null))
    level = design.alpha / design.sides
    fixed = fixed_means_total(effect - null, sd, level, design.power, ratio, normal)
    size = counted_by_look(design, fixed)
    errors = sd * (1 + ratio) / np.sqrt(ratio * size)
    direction = math.copysign(1.0, effect - null)

    def on_scale(bounds: tuple[float, ...]) -> tuple[float, ...]:
        z = np.asarray(bounds)
        return tuple(float(x) for x in null + direction * errors * (z if normal else _t_of_z(z, size - 2)))

    return size_result("patients", design, fixed, size, on_scale, "difference", float(size[-1]), ratio)


def rates_size(
    treated: float, control: float, design: SequentialDesign, *, ratio: float = 1.0, null: float = 0.0
) -> DesignSize:
    """Return the size of a trial that compares two shares.

    The size with one look is that of the score test: variance of the null with the pooled share (with a margin that of
    Farrington and Manning), that of the alternative with both shares. Boundaries on the scale of the effect are differences at which the
    statistic is at the boundary when the control has its expected share.

    Parameters
    ----------
    treated, control
        Expected shares, 0 to 1.
    design
        With its alpha, sides and power.
    ratio, null
        As of `means_size`.

    Returns
    -------
    DesignSize
        ``total`` patients, ``by_look``, expected ones, boundaries on the scale of the difference of shares.

    Raises
    ------
    ConfigError
        Shares are none, or do not differ beside the null.

    Examples
    --------
    >>> from betapod import designs
    >>> round(designs.rates_size(0.25, 0.4, designs.group_sequential("asOF", 3)).total, 4)
    410.4267
    """
    problems = positive_problems(ratio=ratio)
    problems += [
        Problem("out-of-range", f"{name} is a share", found=str(x), expected="above 0, below 1")
        for name, x in (("treated", treated), ("control", control))
        if not 0 < x < 1
    ]
    if not -1 < null < 1:
        problems.append(
            Problem("out-of-range", "null is a difference of shares", found=str(null), expected="between -1 and 1")
        )
    raise_problems(problems or no_effect_problems(treated - control - null))
    level = design.alpha / design.sides
    fixed = fixed_rates_total(treated, control, level, design.power, ratio, null)
    size = counted_by_look(design, fixed)
    direction = math.copysign(1.0, treated - control - null)

    def on_scale(bounds: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(
            _share_difference(z, n, control, ratio, null, direction) for z, n in zip(bounds, size, strict=True)
        )

    return size_result("patients", design, fixed, size, on_scale, "difference of shares", float(size[-1]), ratio)


def survival_size(
    hazard_ratio: float,
    design: SequentialDesign,
    *,
    ratio: float = 1.0,
    null: float = 1.0,
    control_share: float | None = None,
    by: float = 12.0,
    accrual: float | None = None,
    follow_up: float | None = None,
    patients: float | None = None,
    loss: float = 0.0,
    loss_by: float | None = None,
) -> DesignSize:
    """Return the size of a trial of times to events: events, and patients where the course of the trial is given.

    Events with one look are those of Schoenfeld, (z(1 - alpha) + z(power))^2 (1 + r)^2 / (r ln(HR)^2), times the inflation. Patients
    follow from exponential times, even enrolment and exponential loss.

    Parameters
    ----------
    hazard_ratio
        Expected, treated over control.
    design
        With its alpha, sides and power.
    ratio
        Patients of the treated arm for one of the control.
    null
        Hazard ratio under the null: 1, or a margin.
    control_share, by
        Share of the control arm with an event by a time (any unit of time, such as months).
    accrual
        Time over which patients are enrolled, in that unit.
    follow_up, patients
        One of them: the time from the end of enrolment to the last look, from which the patients follow; or the patients, from which the
        times of the looks follow.
    loss, loss_by
        Share of patients lost by a time (`by` by default), in both arms.

    Returns
    -------
    DesignSize
        ``total`` events, ``by_look``, ``patients`` and ``times`` where the course is given, boundaries on the scale of the hazard ratio.

    Raises
    ------
    ConfigError
        Numbers outside their range, no effect, or a course that is half given.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("asOF", 3)
    >>> size = designs.survival_size(0.7, design, control_share=0.3, by=36, accrual=24, follow_up=24)
    >>> round(size.total, 4), round(size.patients, 4)
    (334.2938, 1289.7282)
    """
    problems = positive_problems(hazard_ratio=hazard_ratio, ratio=ratio, null=null, by=by)
    problems += _course_problems(control_share, accrual, follow_up, patients, loss)
    raise_problems(problems)
    raise_problems(no_effect_problems(math.log(hazard_ratio / null)))
    fixed = fixed_events(hazard_ratio, design.alpha / design.sides, design.power, ratio, null)
    events = counted_by_look(design, fixed)
    direction = math.copysign(1.0, math.log(hazard_ratio / null))

    def on_scale(bounds: tuple[float, ...]) -> tuple[float, ...]:
        errors = (1 + ratio) / np.sqrt(ratio * events)
        with np.errstate(over="ignore"):
            return tuple(float(x) for x in null * np.exp(direction * errors * np.asarray(bounds)))

    times: tuple[float, ...] = ()
    enrolled = math.nan if patients is None else float(patients)
    if control_share is not None and accrual is not None:
        hazard = hazard_of_share(control_share, by)
        arms = FollowedArms(hazard * hazard_ratio, hazard, ratio, accrual, hazard_of_share(loss, loss_by or by))
        enrolled = float(events[-1] / arms.share(accrual + follow_up)) if follow_up is not None else enrolled
        times = tuple(arms.time_of(float(count) / enrolled) for count in events)
    return size_result("events", design, fixed, events, on_scale, "hazard ratio", enrolled, ratio, times)


def _t_of_z(z: Array, degrees: Array) -> Array:
    """Return the quantile of t with the one-sided level of z."""
    from scipy.special import ndtr, stdtrit

    with np.errstate(invalid="ignore"):
        return np.asarray(-np.sign(z) * stdtrit(np.maximum(degrees, 1e-9), ndtr(-np.abs(z))))


def _share_difference(z: float, total: float, control: float, ratio: float, null: float, direction: float) -> float:
    """Return the difference of shares at which the score statistic is z, NaN where no share is so far away."""
    from scipy.optimize import brentq

    if not np.isfinite(z):
        return math.nan

    def statistic(treated: float) -> float:
        first, second = (float(x) for x in null_shares(treated, control, ratio, null))
        variance = (first * (1 - first) + second * (1 - second) * ratio) * (1 + ratio) / ratio / total
        return direction * (treated - control - null) / math.sqrt(max(variance, 1e-300)) - z

    low, high = 1e-9, 1 - 1e-9
    if statistic(low) * statistic(high) > 0:
        return math.nan
    return float(brentq(statistic, low, high, xtol=1e-12)) - control


def _course_problems(
    control_share: float | None, accrual: float | None, follow_up: float | None, patients: float | None, loss: float
) -> list[Problem]:
    """Return what is wrong with the course of a trial of times to events."""
    problems = []
    last = [x for x in (follow_up, patients) if x is not None]
    parts = [x is not None for x in (control_share, accrual)] + [bool(last)]
    if any(parts) and (not all(parts) or len(last) == 2):
        message = "the course of a trial is control_share, accrual, and either follow_up or patients"
        given_names = {"control_share": control_share, "accrual": accrual, "follow_up": follow_up, "patients": patients}
        there = ", ".join(name for name, value in given_names.items() if value is not None)
        problems.append(Problem("bad-design", message, found=there))
    if control_share is not None and not 0 < control_share < 1:
        problems.append(
            Problem("out-of-range", "control_share is a share", found=str(control_share), expected="above 0, below 1")
        )
    if not 0 <= loss < 1:
        problems.append(Problem("out-of-range", "loss is a share", found=str(loss), expected="0 or more, below 1"))
    if any(x is not None and not x >= 0 for x in (accrual, follow_up)) or (accrual == 0 and follow_up == 0):
        message = "accrual and follow_up are times of 0 or more, one of them above 0"
        problems.append(Problem("out-of-range", message, found=f"{accrual} and {follow_up}"))
    return problems + (positive_problems(patients=patients) if patients is not None else [])
