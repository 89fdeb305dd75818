"""The analysis that an endpoint names, for all replicates at once: which function runs on which numbers of the trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...base.constants import DAYS_PER_YEAR
from ...base.errors import ConfigError, not_among
from ...observables.quantities import code_of
from ..operating.replicate_summaries import selected_patients
from ..protocol.analysis_keys import CONTROLLED, COURSES, IMPUTED, WINS, Analysis
from . import endpoints, survival
from . import estimators as analysis
from .cox_regression import cox_regression, fine_gray, recurrent_cox
from .endpoints import Comparison
from .estimators import Array, Estimate
from .event_rates import negative_binomial
from .mmrm import mmrm
from .recurrent_events import event_histories
from .reference_imputation import reference_based
from .restricted_means import restricted_mean_difference
from .shared_slopes import shared_slopes
from .slope_contrasts import SlopeContrasts
from .slope_model import best_knot, slope_model
from .win_statistics import win_statistics

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.endpoint_keys import Endpoint

#: Completed trials per trial where the protocol does not say.
IMPUTATIONS = 20


@dataclass(frozen=True)
class _Compared:
    """Two groups of patients, and what an analysis takes from the trial besides what is compared.

    Attributes
    ----------
    keep, treated
        (R, n) who is in either group, and 1 for those of the first.
    strata
        (R, n) strata; None where there is one, or where one of them is looked at.
    settings
        As the endpoint has them.
    """

    data: TrialData
    endpoint: Endpoint
    keep: np.ndarray
    treated: Array
    strata: np.ndarray | None
    settings: Analysis
    level: float

    def stratified(self, usually: bool) -> np.ndarray | None:
        """Return the strata if they are part of the analysis."""
        asked = self.settings.stratified
        return self.strata if (usually if asked is None else asked) else None

    @property
    def covariates(self) -> list[Array]:
        """(R, n) each covariate that the endpoint names."""
        return [_covariate(self.data, name) for name in self.settings.covariates]

    def kept(self, values: Array) -> Array:
        """Return values with NaN for those of other groups."""
        keep = self.keep if values.ndim == 2 else self.keep[:, :, None]
        return np.where(keep, values, np.nan)


def analyse(
    data: TrialData, endpoint: Endpoint, comparison: Comparison, stratum: str | None = None, level: float = 0.95
) -> Estimate:
    """Return the estimate of every replicate by the protocol's analysis.

    A design with one arm is analysed before and after, whatever the protocol asks of those with a control.

    Raises
    ------
    ConfigError
        The analysis does not fit what is compared.
    """
    if comparison.control is None:
        if endpoint.summary in ("responders", "time to event"):
            return _share(data, endpoint, comparison, stratum)
        values = endpoints.outcome(data, endpoint)
        return analysis.mean_change(
            np.where(selected_patients(data, comparison.treated, stratum), values, np.nan), level
        )
    check_method(endpoint)
    first = selected_patients(data, comparison.treated, stratum)
    both = first | selected_patients(data, comparison.control, stratum)
    strata = np.asarray(data.stratum) if stratum is None and len(data.strata) > 1 else None
    return analyse_groups(_Compared(data, endpoint, both, first.astype(float), strata, endpoint.settings, level))


def check_method(endpoint: Endpoint) -> None:
    """Refuse an analysis that is for something else.

    Raises
    ------
    ConfigError
        It is.
    """
    able = CONTROLLED[endpoint.summary]
    if endpoint.method not in able:
        message = f"{endpoint.method} does not apply to a {endpoint.summary} against a control"
        raise ConfigError(not_among(able, "wrong-analysis", message, endpoint.method))


def analyse_groups(groups: _Compared) -> Estimate:
    """Return the estimate of two groups by the method of the endpoint."""
    method = groups.settings.method
    if groups.endpoint.summary == "time to event":
        return _of_times(groups)
    if groups.endpoint.summary == "recurrent events":
        return _of_rates(groups)
    if method == "MMRM":
        return _of_visits(groups)
    if method in IMPUTED:
        return _imputed(groups)
    if method in COURSES:
        return _of_courses(groups)
    outcomes = groups.kept(endpoints.outcome(groups.data, groups.endpoint))
    if method in WINS:
        return _of_wins(groups, outcomes)
    if method == "risk difference":
        return analysis.risk_difference(outcomes, groups.treated, groups.level)
    if method == "stratified risk difference":
        codes = np.zeros(outcomes.shape) if groups.strata is None else groups.strata
        return analysis.stratified_risk_difference(outcomes, groups.treated, codes, groups.level)
    if method == "t test":
        return analysis.ancova(outcomes, None, groups.treated, level=groups.level)
    return analysis.ancova(
        outcomes,
        _baseline(groups),
        groups.treated,
        groups.stratified(True),
        groups.covariates,
        groups.level,
        groups.settings.robust,
    )


def _baseline(groups: _Compared) -> Array:
    name = endpoints.endpoint_code(groups.endpoint)
    return np.asarray(groups.data.quantity(name).forward(groups.data.base[name].astype(float)))


def _covariate(data: TrialData, name: str) -> Array:
    """Return (R, n) a quantity at baseline, on its scale, or a characteristic."""
    code = code_of(name)
    if code in data.base:
        return np.asarray(data.quantity(code).forward(data.base[code].astype(float)))
    values = np.asarray(data.pool.people[code], dtype=float)[np.maximum(data.member, 0)]
    return np.where(data.enrolled, values, np.nan)


def _of_visits(groups: _Compared) -> Estimate:
    values, base, _ = endpoints.courses(groups.data, groups.endpoint)
    return mmrm(
        groups.kept(values),
        base,
        groups.treated,
        groups.stratified(True),
        groups.level,
        covariates=groups.covariates,
        structure=groups.settings.structure or "unstructured",
        adjustment=groups.settings.degrees or "Satterthwaite",
    )


def _imputed(groups: _Compared) -> Estimate:
    values, base, _ = endpoints.courses(groups.data, groups.endpoint)
    return reference_based(
        values,
        np.where(groups.keep, base, np.nan),
        groups.treated,
        IMPUTED[groups.settings.method],
        draws=groups.settings.imputations or IMPUTATIONS,
        seed=groups.data.protocol.seed,
        level=groups.level,
    )


def _of_courses(groups: _Compared) -> Estimate:
    """Return a slope, or the acute change, by a model of all visits; visits are on the days on which they took place."""
    changes, base, visits = endpoints.courses(groups.data, groups.endpoint)
    years = np.where(np.isfinite(groups.data.day), groups.data.day, np.nan)[:, :, visits].astype(float) / DAYS_PER_YEAR
    values = groups.kept(changes + base[:, :, None])
    last = float(groups.data.days[visits[-1]]) / DAYS_PER_YEAR
    knots = _knots(groups, years, values, base, visits)
    parts: list[tuple[np.ndarray, Estimate]] = []
    for knot in np.unique(knots):
        rows = np.flatnonzero(knots == knot) if np.isfinite(knot) else np.flatnonzero(np.isnan(knots))
        fit = _course_model(groups, rows, years, values, base, float(knot) if np.isfinite(knot) else None)
        parts.append((rows, _slope_of(fit, groups.endpoint.summary, last, groups.level)))
    return _in_order(parts)


def _knots(groups: _Compared, years: Array, values: Array, base: Array, visits: np.ndarray) -> Array:
    """Return (R,) the knot of each replicate in years; NaN for one line, which a total slope has unless the endpoint says otherwise."""
    knot = groups.settings.knot
    if knot == "free":
        # Two visits at least stand after the knot, or the chronic slope is that of one visit.
        candidates = groups.data.days[visits[:-2]] / DAYS_PER_YEAR
        return best_knot(years, values, base, groups.treated, list(candidates), treated_at_start=False)
    if knot is None and groups.endpoint.summary == "slope":
        return np.full(len(values), np.nan)
    return np.full(len(values), groups.endpoint.acute_days / DAYS_PER_YEAR)


def _course_model(
    groups: _Compared, rows: np.ndarray, years: Array, values: Array, base: Array, knot: float | None
) -> SlopeContrasts:
    data = groups.data
    strata = groups.stratified(True)
    levels = [] if strata is None else [(strata == code).astype(float)[rows] for code in range(1, len(data.strata))]
    # A stratum that nobody is in would be a column of zeros.
    more = [*(column[rows] for column in groups.covariates), *(column for column in levels if column.any())]
    # Two lines meet at randomisation, where groups do not differ; one line may be moved by an acute effect.
    at_start = knot is None
    arm = groups.treated[rows]
    if groups.settings.method == "mixed slopes":
        by_arm = bool(groups.settings.scatter_by_arm)
        return slope_model(
            years[rows],
            values[rows],
            base[rows],
            arm,
            knot,
            treated_at_start=at_start,
            scatter_by_arm=by_arm,
            covariates=more,
        )
    end, ended = _end_of_course(groups)
    return shared_slopes(
        years[rows],
        values[rows],
        base[rows],
        arm,
        end[rows],
        ended[rows],
        knot,
        treated_at_start=at_start,
        covariates=more,
    )


def _end_of_course(groups: _Compared) -> tuple[Array, np.ndarray]:
    """Return (R, n) years until kidney failure or death end a course, or until a patient was last watched, and whether they did."""
    data = groups.data
    last = float(data.days[data.visit(endpoints.endpoint_visit(data.protocol, groups.endpoint))])
    died = np.where(data.disposition == 2, data.disposition_day, np.nan).astype(float)
    event = np.fmin(died, data.kidney_failure.astype(float))
    left = np.fmin(np.fmin(data.disposition_day.astype(float), last), np.inf)
    watched = np.where(np.isfinite(left), left, last)
    ended = event <= watched
    end = np.where(ended, event, watched) / DAYS_PER_YEAR
    return np.where(groups.keep, np.maximum(end, 1e-3), np.nan), ended & groups.keep


def _slope_of(fit: SlopeContrasts, summary: str, years: float, level: float) -> Estimate:
    if summary == "acute change":
        return fit.acute(level)
    return fit.chronic(level) if summary == "chronic slope" else fit.total(years, level)


def _in_order(parts: list[tuple[np.ndarray, Estimate]]) -> Estimate:
    """Return estimates of some replicates each as one, replicates in their order."""
    order = np.argsort(np.concatenate([rows for rows, _ in parts]), kind="stable")
    names = Estimate.__dataclass_fields__
    return Estimate(**{name: np.concatenate([getattr(part, name) for _, part in parts])[order] for name in names})


def _of_wins(groups: _Compared, outcomes: Array) -> Estimate:
    """Return a statistic of wins: of the score, or of what is compared, turned so that higher is better."""
    score = endpoints.direction(groups.endpoint) * outcomes
    wins = win_statistics(score, groups.treated, groups.stratified(False), groups.level)
    statistics: Mapping[str, Estimate] = {
        "win odds": wins.log_win_odds,
        "win ratio": wins.log_win_ratio,
        "net benefit": wins.net_benefit,
    }
    return statistics[groups.settings.method]


def _of_times(groups: _Compared) -> Estimate:
    """Return the comparison of times to an event."""
    data, endpoint, method = groups.data, groups.endpoint, groups.settings.method
    time, event = endpoints.times(data, endpoint)
    time, event = groups.kept(time), event & groups.keep
    strata, covariates = groups.stratified(False), groups.covariates
    last = float(data.days[data.visit(endpoints.endpoint_visit(data.protocol, endpoint))])
    if method == "RMST":
        horizon = last if groups.settings.horizon is None else groups.settings.horizon
        return restricted_mean_difference(time, event, groups.treated, horizon, groups.level)
    if method in ("Fine-Gray", "cumulative incidence"):
        death = np.ceil(endpoints.death_times(data, endpoint))
        rival = np.isfinite(death) & ~event & groups.keep
        time = np.where(rival, np.fmax(death, time), time)
        if method == "cumulative incidence":
            return _incidence(groups, time, event, rival)
        return fine_gray(time, event, rival, [groups.treated, *covariates], strata).estimate(level=groups.level)
    if method == "log-rank" and strata is None:
        return survival.hazard_ratio(time, event, groups.treated, groups.level)
    fit = cox_regression(time, event, [groups.treated, *covariates], strata).estimate(level=groups.level)
    if method == "Cox":
        return fit
    _, p = survival.log_rank(time, event, groups.treated, strata)
    return Estimate(fit.effect, fit.standard_error, fit.degrees, p, fit.low, fit.high, fit.n)


def _of_rates(groups: _Compared) -> Estimate:
    """Return the logarithm of the ratio of rates of recurrent events."""
    strata, covariates = groups.stratified(False), groups.covariates
    histories = event_histories(groups.data, groups.endpoint)
    if groups.settings.method == "LWYY":
        fit = recurrent_cox(histories.days, groups.kept(histories.watched), [groups.treated, *covariates], strata)
        return fit.estimate(robust=True, level=groups.level)
    columns = [groups.treated, *covariates]
    if strata is not None:
        columns += [np.asarray(strata == code, dtype=float) for code in range(1, len(groups.data.strata))]
    return negative_binomial(groups.kept(histories.counts), histories.years, columns).estimate(level=groups.level)


def _incidence(groups: _Compared, time: Array, event: np.ndarray, rival: np.ndarray) -> Estimate:
    """Return the difference of cumulative incidences at the last day, deaths competing, by the normal distribution."""
    keep = groups.keep & (time > 0)
    first = groups.treated > 0.5
    curves = [
        survival.cumulative_incidence(time, event, rival, keep & group, groups.level) for group in (first, ~first)
    ]
    (share1, error1), (share0, error0) = ((curve.share[..., -1], curve.error[..., -1]) for curve in curves)
    n1, n0 = ((keep & group).sum(-1) for group in (first, ~first))
    effect = np.where((n1 > 0) & (n0 > 0), share1 - share0, np.nan)
    return analysis.as_estimate(effect, np.hypot(error1, error0), np.inf, n1 + n0, groups.level)


def _share(data: TrialData, endpoint: Endpoint, comparison: Comparison, stratum: str | None) -> Estimate:
    """Return the share of one group with a response or event; there is nothing to test it against, so p is NaN.

    Responses are counted (Wilson's interval); events are those of Kaplan and Meier at the last visit, in those seen after baseline.
    """
    keep = selected_patients(data, comparison.treated, stratum)
    if endpoint.summary == "time to event":
        return _share_with_event(*endpoints.times(data, endpoint), np.ceil(endpoints.death_times(data, endpoint)), keep)
    hit = endpoints.outcome(data, endpoint)
    evaluable = keep & np.isfinite(hit)
    n = evaluable.sum(-1).astype(float)
    count = np.where(evaluable, hit, 0.0).sum(-1)
    low, high = analysis.wilson(count, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = count / n
        error = np.sqrt(share * (1 - share) / n)
    return _untested(share, error, low, high, n)


def _share_with_event(time: Array, event: np.ndarray, death: Array, keep: np.ndarray) -> Estimate:
    """Return the share with the event at the last visit; deaths that are no event compete with it (Aalen and Johansen)."""
    keep = keep & (time > 0)
    rival = np.isfinite(death) & ~event & keep
    time = np.where(rival, np.fmax(death, time), time)
    n = keep.sum(-1).astype(float)
    curve = survival.cumulative_incidence(time, event, rival, keep)
    share, inner = curve.share[..., -1], (curve.share[..., -1] > 0) & (curve.share[..., -1] < 1)
    low, high = analysis.wilson(np.where(share > 0, n, 0.0), n)
    low, high = np.where(inner, curve.low[..., -1], low), np.where(inner, curve.high[..., -1], high)
    share, error, low, high = (np.where(n > 0, values, np.nan) for values in (share, curve.error[..., -1], low, high))
    return _untested(share, error, low, high, n)


def _untested(share: Array, error: Array, low: Array, high: Array, n: Array) -> Estimate:
    return Estimate(share, error, np.full_like(n, np.inf), np.full_like(n, np.nan), low, high, n)
