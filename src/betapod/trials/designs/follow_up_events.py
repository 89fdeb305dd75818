"""Events expected while patients are enrolled and followed: exponential times, uniform enrolment, exponential loss."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, Problem

Array = NDArray[np.float64]


def hazard_of_share(share: float, time: float) -> float:
    """Return the constant hazard under which a share has had the event by a time."""
    return -math.log1p(-share) / time


@dataclass(frozen=True)
class FollowedArms:
    """Two arms of a trial of times to events.

    Attributes
    ----------
    treated, control
        Hazards per unit of time.
    ratio
        Patients of the treated arm for one of the control.
    accrual
        Time over which patients are enrolled evenly.
    loss
        Hazard of being lost, the same in both arms.
    """

    treated: float
    control: float
    ratio: float
    accrual: float
    loss: float = 0.0

    def share(self, time: ArrayLike) -> Array:
        """Return events per patient of the whole trial, enrolled in the end, by a time since the first enrolment."""
        weights = (self.ratio / (1 + self.ratio), 1 / (1 + self.ratio))
        shares = [w * self._arm(hazard, time) for w, hazard in zip(weights, (self.treated, self.control), strict=True)]
        return np.asarray(shares[0] + shares[1])

    def _arm(self, hazard: float, time: ArrayLike) -> Array:
        total = hazard + self.loss
        t = np.asarray(time, dtype=float)
        if self.accrual <= 0:
            return np.asarray(hazard / total * -np.expm1(-total * t))
        # Enrolled until the time, of those who will be; the integral of 1 - exp(-total s) over their times in the trial.
        open_for = np.minimum(t, self.accrual)
        last = np.exp(-total * (t - open_for)) * -np.expm1(-total * open_for) / total
        return np.asarray(hazard / total * (open_for - last) / self.accrual)

    def time_of(self, share: float) -> float:
        """Return the time by which a share of all patients has had an event.

        Raises
        ------
        ConfigError
            It never comes to that, because patients are lost before.
        """
        from scipy.optimize import brentq

        high = max(self.accrual, 1.0)
        while self.share(high) < share:
            high *= 2
            if high > 1e9:
                most = f"{100 * float(self.share(high)):.3g} % of patients at most"
                message = "so many events never happen"
                raise ConfigError(Problem("no-size", message, found=f"{100 * share:.3g} % of patients", expected=most))
        return float(brentq(lambda t: float(self.share(t)) - share, 0.0, high, xtol=1e-10, rtol=1e-13))
