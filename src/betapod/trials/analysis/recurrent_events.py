"""All events of the patients of a trial, their numbers and the time watched: what analyses of recurrent events compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.constants import DAYS_PER_YEAR
from ..protocol.endpoint_keys import KIDNEY_FAILURE
from ..protocol.recurrent_outcomes import counted_causes
from .endpoints import counts_all_values, endpoint_visit, outside_stratum
from .estimators import Array

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.endpoint_keys import Endpoint


@dataclass(frozen=True)
class EventHistories:
    """What happened to the patients of replicates (R, n).

    Attributes
    ----------
    days
        (R, n, most) whole days of events in order; NaN for none.
    kinds
        (R, n, most) what each event was, an index into `names`; -1 for none.
    names
        Causes, and kidney failure.
    watched
        (R, n) last day on which a patient is watched; NaN for empty places and for those outside of a principal stratum.
    """

    days: Array
    kinds: NDArray[np.intp]
    names: tuple[str, ...]
    watched: Array

    @property
    def counts(self) -> Array:
        """(R, n) number of events of each patient; NaN for those who are left out."""
        return np.where(np.isfinite(self.watched), np.isfinite(self.days).sum(-1), np.nan)

    @property
    def years(self) -> Array:
        """(R, n) years for which a patient is watched."""
        return self.watched / DAYS_PER_YEAR


def event_histories(data: TrialData, endpoint: Endpoint) -> EventHistories:
    """Return all events that an endpoint counts, and how long each patient is watched.

    Days are whole days, and the day of enrolment belongs to the first of them. Who leaves or dies is watched until then, others to the visit
    of the endpoint; where rescue ends counting, until rescue. Several components that come on one day are as many events.
    """
    watched = _watched(data, endpoint)
    names, parts = [], []
    for cause in counted_causes(endpoint):
        days = data.outcome_days[cause].astype(float)[..., None]
        if cause in data.later_days:
            days = np.concatenate([days, data.later_days[cause].astype(float)], axis=-1)
        names.append(cause)
        parts.append(days)
    if KIDNEY_FAILURE in endpoint.composite:
        names.append(KIDNEY_FAILURE)
        parts.append(data.kidney_failure.astype(float)[..., None])
    days = np.ceil(np.concatenate(parts, axis=-1))
    kinds = np.repeat(np.arange(len(names)), [part.shape[-1] for part in parts])
    with np.errstate(invalid="ignore"):
        days = np.where(days <= watched[..., None], np.maximum(days, 1.0), np.nan)
    order = np.argsort(days, axis=-1, kind="stable")
    most = max(int(np.isfinite(days).sum(-1).max(initial=0)), 1)
    days = np.take_along_axis(days, order, -1)[..., :most]
    kinds = np.where(np.isfinite(days), kinds[order][..., :most], -1)
    return EventHistories(days, kinds, tuple(names), watched)


def _watched(data: TrialData, endpoint: Endpoint) -> Array:
    end = float(data.days[data.visit(endpoint_visit(data.protocol, endpoint))])
    last = np.where(np.isfinite(data.disposition_day), np.fmin(data.disposition_day.astype(float), end), end)
    if not counts_all_values(endpoint):
        last = np.fmin(last, data.rescued.astype(float))
    counted = data.enrolled & ~outside_stratum(data, endpoint)
    return np.where(counted, np.maximum(np.ceil(last), 1.0), np.nan)
