"""Mean time free of an event up to a horizon: the area under the curve of Kaplan and Meier, for one trial or thousands at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .estimators import Array, Estimate, as_estimate
from .survival import event_counts, read_times


def restricted_mean(
    time: ArrayLike, event: ArrayLike, horizon: float, member: ArrayLike | None = None
) -> tuple[Array, Array]:
    """Return the mean time free of the event up to a horizon, and its standard error: the area under the curve of Kaplan and Meier.

    Parameters
    ----------
    time, event
        Day of event or censoring, and whether it was an event; shape (..., patients).
    horizon
        In days, or the unit of `time`; the curve goes on level after the last patient.
    member
        Who belongs to the group; everybody by default.

    Notes
    -----
    Variance: sum over days of (area beyond the day)^2 d / (n (n - d)), with d events among n at risk, as `survfit` of the R package survival has it.
    """
    t, e, m = read_times(time, event, member)
    inside = m & (t <= horizon)
    days = np.unique(t[inside])
    died, risk = event_counts(t, e & inside, m, days)
    with np.errstate(divide="ignore", invalid="ignore"):
        free = np.cumprod(np.where(risk > 0, 1 - died / risk, 1.0), -1)
        hazard = np.where(risk > died, died / (risk * (risk - died)), 0.0)
    widths = np.diff(np.concatenate([days, [float(horizon)]]))
    pieces = free * widths
    beyond = pieces[..., ::-1].cumsum(-1)[..., ::-1]
    first = days[0] if len(days) else float(horizon)
    mean = np.where(m.any(-1), first + pieces.sum(-1), np.nan)
    return mean, np.where(m.any(-1), np.sqrt((beyond**2 * hazard).sum(-1)), np.nan)


def restricted_mean_difference(
    time: ArrayLike, event: ArrayLike, treated: ArrayLike, horizon: float, level: float = 0.95
) -> Estimate:
    """Return how much longer the treated are free of the event, up to a horizon, by the normal distribution; shape (...).

    Parameters
    ----------
    time, event
        Day of event or censoring, and whether it was an event; shape (..., patients).
    treated
        1 or True in the treated arm.
    horizon
        In the unit of `time`.
    level
        Of the interval, such as 0.95.

    Returns
    -------
    Estimate
        Treated less control, shape (...).

    Raises
    ------
    ValueError
        The shapes do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.trials.analysis.restricted_means import restricted_mean_difference
    >>> longer = restricted_mean_difference([2.0, 4, 5, 1, 2, 3], np.ones(6), [1, 1, 1, 0, 0, 0], horizon=4.0)
    >>> round(float(longer.effect), 6)
    1.333333
    """
    t, _, m = read_times(time, event, None)
    arm = np.broadcast_to(np.asarray(treated, dtype=float), t.shape) > 0.5
    (long, error1), (short, error0) = (restricted_mean(t, event, horizon, m & group) for group in (arm, ~arm))
    return as_estimate(np.asarray(long - short), np.hypot(error1, error0), np.inf, m.sum(-1), level)
