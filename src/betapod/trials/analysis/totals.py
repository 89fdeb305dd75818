"""Totals from enrolment to a visit: quality-adjusted life-years."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...base.errors import ConfigError, Problem
from ..conduct.trial_data import DISPOSITIONS
from .estimators import Array

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData


def total_at(data: TrialData, visit: str) -> Array:
    """Return (R, n) quality-adjusted life-years from enrolment to a visit; NaN for those who left alive before it.

    Raises
    ------
    ConfigError
        No endpoint of the protocol asks for them, so that none were counted.
    """
    if data.qalys is None:
        hint = "Add an endpoint with quantity: quality of life, summary: total."
        raise ConfigError(
            Problem("not-counted", "quality-adjusted life-years were not counted in this trial", hint=hint)
        )
    v = data.visit(visit)
    left = (data.disposition == DISPOSITIONS.index("discontinued")) & (data.disposition_day < data.days[v])
    return np.where(left | ~data.enrolled, np.nan, data.qalys[:, :, v].astype(float))
