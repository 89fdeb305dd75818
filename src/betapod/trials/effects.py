"""What acts on patients beyond the simulated courses: being in a trial, and rescue treatment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..config import quantity as read_quantity
from .quantities import Numbers, code_of, label_of, unit_of

if TYPE_CHECKING:
    from .data import TrialData
    from .protocol import Effect, Protocol


def size(effect: Effect) -> float:
    """Return the mean of an effect on the scale of its quantity: a difference of logarithms, or in the unit."""
    code = code_of(effect.quantity)
    if effect.factor is not None:
        return math.log(effect.factor)
    return read_quantity(effect.change, unit_of(code), label_of(code), bare=unit_of(code) == "1", kind="difference")


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
        mine = size(effect) + effect.spread * luck[str(number)].astype(np.float64)
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
