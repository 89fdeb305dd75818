"""Trial (placebo, Hawthorne) effects and effects of rescue therapy, added to the simulated courses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...base.config import read_quantity
from ...base.units import split_quantity
from ...observables.quantities import Numbers, code_of, label_of, observable_unit
from .patient_pool import ONE_KIDNEY

if TYPE_CHECKING:
    from ..protocol.protocol import Protocol, TrialEffect
    from .patient_pool import Pool


#: Days of kidneys lost to cells, among the days of outcomes: one removed after an injection, both failed.
KIDNEY_REMOVED, KIDNEYS_FAILED = "kidney_removed", "kidneys_failed"


def effect_size(effect: TrialEffect) -> float:
    """Return the mean of an effect on the scale of its quantity: a difference of logarithms, or in the unit."""
    code = code_of(effect.quantity)
    if effect.factor is not None:
        return math.log(effect.factor)
    return read_quantity(
        effect.change, observable_unit(code), label_of(code), bare=observable_unit(code) == "1", kind="difference"
    )


def effect_spread(spread: Any, change: Any, code: str, name: str = "") -> float:
    """Return the SD of an effect between people on the scale of its quantity, from text or a number.

    Parameters
    ----------
    spread, change
        As in the protocol. A bare number is in the unit that the change has; without a change it is of the logarithm.
    name
        Name under which a unit conversion is reported.
    """
    if change is None:
        return read_quantity(spread, "1", bare=True)
    unit, bare, of_change = observable_unit(code), split_quantity(str(spread)), split_quantity(str(change))
    if bare is not None and not bare[1] and of_change is not None:
        spread = f"{spread} {of_change[1]}"
    return read_quantity(spread, unit, label_of(code), unit == "1", "difference", name)


def trial_shift(
    protocol: Protocol,
    arms: Sequence[str],
    code: str,
    arm: NDArray[np.int8],
    when: Numbers,
    draws: Mapping[str, NDArray[np.float32]],
) -> Numbers:
    """Return (R, n, V) how far the trial itself has moved a quantity by the days `when`; 0 before enrolment.

    Parameters
    ----------
    draws
        Number of the effect -> (R, n) standard normal numbers of the patients.
    """
    shift = np.zeros(when.shape)
    for number, effect in enumerate(protocol.conduct.effects):
        if code_of(effect.quantity) != code:
            continue
        plateau = effect_size(effect) + effect_spread(effect.spread, effect.change, code) * draws[str(number)].astype(
            np.float64
        )
        if effect.arms is not None:
            affected = [index for index, name in enumerate(arms) if name in effect.arms]
            plateau = np.where(np.isin(arm, affected), plateau, 0.0)
        elapsed = np.maximum(when, 0.0)
        grown = 1.0 - np.exp(-elapsed / effect.time) if effect.time > 0 else (elapsed > 0).astype(np.float64)
        shift += plateau[:, :, None] * grown
    return shift


def rescue_shift(
    pool: Pool,
    member: NDArray[np.int32],
    rescue_rule: NDArray[np.int8],
    rescued: NDArray[np.float32],
    code: str,
    when: Numbers,
) -> Numbers:
    """Return (R, n, V) how far rescue has moved a quantity.

    The effect is that of the same therapy in the same person begun at enrolment, moved to the day of rescue.

    Parameters
    ----------
    member, rescue_rule, rescued
        (R, n) virtual person (below 0: none), rule of rescue (below 0: none) and day of rescue, as of `TrialData`.
    """
    shift = np.zeros(when.shape)
    for rule in np.unique(rescue_rule[rescue_rule >= 0]):
        treated = (rescue_rule == rule) & np.isfinite(rescued) & (member >= 0)
        if treated.any():
            elapsed = np.maximum(when[treated] - rescued[treated][:, None], 0.0)
            shift[treated] = pool.effect_since(f"rescue {int(rule)}", code, member[treated], elapsed)
    return shift


def kidney_loss(
    pool: Pool, member: NDArray[np.int32], days: Mapping[str, NDArray[np.float32]], code: str, when: Numbers
) -> Numbers:
    """Return (R, n, V) how far a kidney that was lost to cells has moved a quantity; NaN once both have failed by them.

    The effect is that of one kidney in the same person from enrolment on, moved to the day of its removal.

    Parameters
    ----------
    member, days
        (R, n) virtual person (below 0: none), and days of losses, as of `TrialData.outcome_days`.
    """
    shift = np.zeros(when.shape)
    removed = np.isfinite(days[KIDNEY_REMOVED]) & (member >= 0)
    if removed.any():
        elapsed = np.maximum(when[removed] - days[KIDNEY_REMOVED][removed][:, None], 0.0)
        shift[removed] = pool.effect_since(ONE_KIDNEY, code, member[removed], elapsed)
    with np.errstate(invalid="ignore"):
        return np.where(when > days[KIDNEYS_FAILED][:, :, None], np.nan, shift)


def failed_by_cells(pool: Pool, member: NDArray[np.int32], days: Mapping[str, NDArray[np.float32]]) -> Numbers:
    """Return (R, n) day on which kidneys fail by what cells did, at once or with the one left; NaN without, or where none are drawn."""
    if KIDNEYS_FAILED not in days:
        return np.full(member.shape, np.nan)
    day = days[KIDNEYS_FAILED].astype(np.float64)
    if ONE_KIDNEY in pool.failed:
        day = np.fmin(day, days[KIDNEY_REMOVED] + pool.failed[ONE_KIDNEY][np.maximum(member, 0)])
    return day
