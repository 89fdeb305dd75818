"""What acts on patients beyond the simulated courses: being in a trial, and rescue treatment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...base.config import quantity as read_quantity
from ...base.units import split_quantity
from ...observables.quantities import Numbers, code_of, label_of, unit_of

if TYPE_CHECKING:
    from ..protocol.protocol import Protocol, TrialEffect
    from .trial_data import TrialData


def effect_size(effect: TrialEffect) -> float:
    """Return the mean of an effect on the scale of its quantity: a difference of logarithms, or in the unit."""
    code = code_of(effect.quantity)
    if effect.factor is not None:
        return math.log(effect.factor)
    return read_quantity(effect.change, unit_of(code), label_of(code), bare=unit_of(code) == "1", kind="difference")


def effect_spread(given: Any, change: Any, code: str, what: str = "") -> float:
    """Return the SD of an effect between people on the scale of its quantity, from text or a number.

    Parameters
    ----------
    given, change
        As in the protocol. A bare number is in the unit that the change has; without a change it is of the logarithm.
    what
        Name under which a conversion is told.
    """
    if change is None:
        return read_quantity(given, "1", bare=True)
    unit, bare, of_change = unit_of(code), split_quantity(str(given)), split_quantity(str(change))
    if bare is not None and not bare[1] and of_change is not None:
        given = f"{given} {of_change[1]}"
    return read_quantity(given, unit, label_of(code), unit == "1", "difference", what)


def trial_shift(
    protocol: Protocol,
    arms: Sequence[str],
    code: str,
    arm: NDArray[np.int8],
    when: Numbers,
    luck: Mapping[str, NDArray[np.float32]],
) -> Numbers:
    """Return (R, n, V) how far the trial itself has moved a quantity by the days `when`; 0 before enrolment.

    Parameters
    ----------
    luck
        Number of the effect -> (R, n) standard normal numbers of the patients.
    """
    shift = np.zeros(when.shape)
    for number, effect in enumerate(protocol.conduct.effects):
        if code_of(effect.quantity) != code:
            continue
        mine = effect_size(effect) + effect_spread(effect.spread, effect.change, code) * luck[str(number)].astype(
            np.float64
        )
        if effect.arms is not None:
            chosen = [index for index, name in enumerate(arms) if name in effect.arms]
            mine = np.where(np.isin(arm, chosen), mine, 0.0)
        elapsed = np.maximum(when, 0.0)
        grown = 1.0 - np.exp(-elapsed / effect.time) if effect.time > 0 else (elapsed > 0).astype(np.float64)
        shift += mine[:, :, None] * grown
    return shift


def rescue_shift(data: TrialData, code: str, when: Numbers) -> Numbers:
    """Return (R, n, V) how far rescue has moved a quantity.

    The effect is that of the same therapy in the same person begun at enrolment, moved to the day of rescue.
    """
    shift = np.zeros(when.shape)
    for rule in range(len(data.protocol.conduct.rescue)):
        mine = (data.rescue_rule == rule) & np.isfinite(data.rescued) & data.enrolled
        if mine.any():
            elapsed = np.maximum(when[mine] - data.rescued[mine][:, None], 0.0)
            shift[mine] = data.pool.rescue_effect(rule, code, data.member[mine], elapsed)
    return shift
