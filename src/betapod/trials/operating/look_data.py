"""What a trial knows on a day before its end: who is enrolled by then, what was measured of them, what has happened to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.constants import DAYS_PER_MONTH
from ..analysis import endpoints
from ..analysis.estimators import Array
from ..conduct.trial_data import DISPOSITIONS
from ..protocol.analysis_keys import COURSES
from ..protocol.look_design import counts_of_looks, shares_of_looks
from ..protocol.randomise import numbers

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.endpoint_keys import Endpoint
    from ..protocol.protocol import Protocol

#: Code of `TrialData.disposition` for those who are still followed on the day of a look; their last day is how long they were.
ONGOING = len(DISPOSITIONS)


def enrolment_days(data: TrialData) -> Array:
    """Return (R, n) day from the opening of the trial on which each patient is enrolled; infinite where a place stayed empty.

    Patients come evenly over the recruitment of the design, each trial with random numbers of its own that nothing else uses.
    """
    protocol = data.protocol
    uniform = numbers(protocol.seed, "trial:enrolment day", range(data.replicates), data.patients)
    days = np.sort(uniform, axis=1) * protocol.designs[data.design].recruitment
    return np.where(data.enrolled, days, np.inf)


def judged_day(protocol: Protocol, endpoint: Endpoint) -> float:
    """Return the day from enrolment by which a patient's endpoint is known: the end of the window of its visit."""
    name = endpoints.endpoint_visit(protocol, endpoint)
    return next(float(visit.day + visit.window) for visit in protocol.visits if visit.name == name)


def looks_in_words(protocol: Protocol, design: str) -> str:
    """Return when the looks of a design are expected, and who is enrolled by then; empty where it has none.

    Examples
    --------
    >>> import betapod
    >>> from betapod.trials.operating.look_data import looks_in_words
    >>> looks_in_words(betapod.load_protocol("dn61"), "randomised")
    ''
    """
    looks, recruitment = protocol.designs[design].looks, protocol.designs[design].recruitment
    if looks is None:
        return ""
    if looks.allocate is not None:
        return f"allocation by what is known, in {looks.allocate.blocks} blocks"
    shares = shares_of_looks(looks)
    if looks.events is not None:
        return f"looks at {_listed(counts_of_looks(shares, looks.events))} events"
    total = protocol.size(design)
    counts = counts_of_looks(shares, total if looks.resize is None else looks.resize.planned)
    days = [recruitment * count / total + judged_day(protocol, protocol.endpoints.primary) for count in counts]
    enrolled = [min(counts[-1], round(total * day / recruitment)) for day in days]
    months = _listed([f"{day / DAYS_PER_MONTH:.0f}" for day in days])
    return f"looks at about months {months}, when {_listed(enrolled)} patients are enrolled and {_listed(counts)} known"


def _listed(items: Iterable[object]) -> str:
    *first, last = map(str, items)
    return f"{', '.join(first)} and {last}" if first else last


def needs_whole_course(endpoint: Endpoint) -> bool:
    """Whether only those whose visit of the endpoint is over tell something at a look; models of all visits use what there is of a course."""
    if endpoint.summary == "time to event":
        return False
    partly = endpoint.method == "MMRM" or endpoint.method in COURSES
    return not (partly and endpoint.intercurrent.rescue in ("treatment policy", "hypothetical"))


def known_at(data: TrialData, endpoint: Endpoint, followed: Array) -> TrialData:
    """Return the trial as it is known when each patient was followed for some days.

    Parameters
    ----------
    endpoint
        That is looked at; where it needs whole courses, patients whose visit is still to come are left out.
    followed
        (R, n) days since the patient's enrolment; below 0 for those who are not enrolled yet.
    """
    needed = judged_day(data.protocol, endpoint) if needs_whole_course(endpoint) else 0.0
    with np.errstate(invalid="ignore"):
        member = np.where(followed >= needed, data.member, -1).astype(data.member.dtype)
        hidden = ~(data.day <= followed[:, :, None])
        # Nobody's course goes on beyond the last visit.
        ended = np.where(np.isnan(data.disposition_day), _last_day(data), data.disposition_day.astype(float))
        ongoing = followed < ended
    nothing = np.float32(np.nan)
    return replace(
        data,
        member=member,
        day=np.where(hidden, nothing, data.day),
        observed={code: np.where(hidden, nothing, values) for code, values in data.observed.items()},
        disposition=np.where(ongoing, ONGOING, data.disposition).astype(np.int8),
        disposition_day=np.where(ongoing, np.maximum(followed, 0.0), data.disposition_day).astype(np.float32),
        rescued=_until(data.rescued, followed),
        rescue_rule=np.where(data.rescued <= followed, data.rescue_rule, -1).astype(np.int8),
        outcome_days={name: _until(day, followed) for name, day in data.outcome_days.items()},
        later_days={name: _until(day, followed[:, :, None]) for name, day in data.later_days.items()},
    )


def _last_day(data: TrialData) -> float:
    last = data.protocol.visits[-1]
    return float(last.day + last.window)


def _until(day: NDArray[np.float32], followed: Array) -> NDArray[np.float32]:
    """Return days with NaN where they are still to come."""
    with np.errstate(invalid="ignore"):
        return np.where(day <= followed, day, np.float32(np.nan))


def days_of_events(data: TrialData, endpoint: Endpoint) -> Array:
    """Return (R, n) day from enrolment on which the event of a patient becomes known; infinite without.

    Outcomes are known on their day. An event at a visit is known when the next one has confirmed it.
    """
    time, event = endpoints.times(data, endpoint)
    if endpoint.outcome is not None:
        return np.where(event, time, np.inf)
    visit_day = np.where(np.isfinite(data.day), data.day.astype(float), data.days)
    ends = np.array([visit.day + visit.window for visit in data.protocol.visits])
    learnt = np.full(time.shape, np.inf)
    for v in np.flatnonzero(data.days > 0):
        _, by_now = endpoints.times(known_at(data, endpoint, visit_day[:, :, v]), endpoint)
        before = ends[v - 1]
        # What is dated after the visit before is dated by day, and known on it.
        dated = np.where((time > before) & (time <= visit_day[:, :, v]), time, visit_day[:, :, v])
        learnt = np.where(event & by_now & np.isinf(learnt), dated, learnt)
    # What comes after the last visit attended, such as a death, is dated by day too.
    return np.where(event & np.isinf(learnt), time, learnt)
