"""The analyses of a trial in words: those that were run, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...observables.quantities import code_of
from ...trials.analysis import endpoints
from ...trials.analysis.controlled import IMPUTATIONS
from ...trials.operating.sizing import title
from ...trials.operating.test_rules import rule_of
from ...trials.protocol.analysis_keys import COURSES, IMPUTED, SLOPES
from ..common import words

if TYPE_CHECKING:
    from ...trials.protocol.analysis_keys import Analysis
    from ...trials.protocol.endpoint_keys import Endpoint
    from ...trials.protocol.protocol import Protocol

_CONTROLLED = {
    "ANCOVA": "analysis of covariance on {covariates} ({errors})",
    "t test": "Student's t test of two groups",
    "MMRM": "a mixed model of all visits, as categories, on {covariates} by visit ({structure} covariance, {degrees} degrees of freedom)",
    **{
        name: f"covariance on baseline after multiple imputation ({how}; {{imputations}} completed trials per trial, Rubin's rules)"
        for name, how in IMPUTED.items()
    },
    "mixed slopes": "a mixed model of all visits with a random intercept and slope per patient on {covariates} ({lines})",
    "shared-parameter slopes": "a model of course and of kidney failure or death with shared random effects on {covariates} ({lines})",
    "risk difference": "the difference of proportions with Newcombe's interval and the score test",
    "stratified risk difference": "the difference of proportions within strata, weighted as Mantel and Haenszel have it",
    "log-rank": "the log-rank test, with the hazard ratio of Cox regression (Efron's ties){strata}",
    "Cox": "Cox regression on the group{more} (Efron's ties, Wald's test){strata}",
    "Fine-Gray": "Fine and Gray's regression on the group{more}, deaths competing{strata}",
    "RMST": "the difference of restricted mean times up to {horizon}",
    "negative binomial": "negative binomial regression of their numbers on the group{more}, with the time watched",
    "LWYY": "the rates of all events on the group{more} (Lin, Wei, Yang and Ying){strata}",
    "cumulative incidence": "the difference of cumulative incidences, deaths competing (Aalen and Johansen)",
    "win odds": "win odds of all pairs{wins}",
    "win ratio": "the win ratio of all pairs{wins}",
    "net benefit": "the net benefit of all pairs{wins}",
}
_KINDS = {
    "change": "changes",
    "ratio": "ratios",
    "slope": "slopes",
    "chronic slope": "chronic slopes",
    "acute change": "acute changes",
    "responders": "responders",
    "time to event": "times to events",
    "recurrent events": "recurrent events",
    "total": "totals",
    "crossover": "half the differences of two periods",
    "hierarchy": "the kidney hierarchical endpoint",
}


def analyses(protocol: Protocol) -> str:
    """Return sentences that say how the protocol's endpoints were analysed in its designs with and without a control."""
    asked = [protocol.endpoints.primary, *protocol.endpoints.secondary]
    text = []
    if any(not endpoints.has_comparator(design) for design in protocol.designs.values()):
        text.append(_alone(asked, len(protocol.designs) > 1))
    if any(endpoints.has_comparator(design) for design in protocol.designs.values()):
        text.append(_compared(protocol, asked, len(protocol.designs) > 1))
        text += _tests(protocol, asked)
    if any(endpoint.summary == "slope" and endpoint.method not in COURSES for endpoint in asked):
        text.append(
            "Slopes are total slopes, by least squares in each patient from the baseline and all visits up to that of the endpoint."
        )
    if any(endpoint.summary in SLOPES[1:] and endpoint.method not in COURSES for endpoint in asked):
        text.append(
            "Chronic slopes and acute changes are of each patient, by least squares, from the day on which the acute effect is complete."
        )
    if any(endpoint.summary == "time to event" and endpoint.outcome is None for endpoint in asked):
        text.append("Patients beyond the threshold of an event at baseline are not at risk of it, and are excluded.")
    if any(endpoint.summary == "hierarchy" for endpoint in asked):
        text.append(
            "The hierarchy ranks patients by death, kidney failure, eGFR below 15, falls by 57, 50 and 40 %, and the slope of eGFR."
        )
    if "EGFR" in protocol.codes and sum(visit.day > 0 for visit in protocol.visits) > 1:
        text.append("Curves of kidney events are Kaplan-Meier estimates.")
    return " ".join(text)


def _alone(asked: list[Endpoint], several: bool) -> str:
    shares = any(endpoint.summary in ("responders", "time to event") for endpoint in asked)
    changes = any(endpoint.summary not in ("responders", "time to event") for endpoint in asked)
    parts = ["paired t test of the change"] if changes else []
    parts += (
        ["the share with a response (Wilson's interval) or event (Aalen-Johansen: deaths compete), without a test"]
        if shares
        else []
    )
    return f"{'Designs with one group' if several else 'Analysis'}: {'; '.join(parts)}."


def _compared(protocol: Protocol, asked: list[Endpoint], several: bool) -> str:
    kinds: dict[str, list[str]] = {}
    for endpoint in asked:
        names = kinds.setdefault(_named(protocol, endpoint), [])
        if _KINDS[endpoint.summary] not in names:
            names.append(_KINDS[endpoint.summary])
    parts = [f"{', '.join(names)} by {kind}" for kind, names in kinds.items()]
    return f"{'Designs with a control group' if several else 'Analysis'}: {'; '.join(parts)}."


def _tests(protocol: Protocol, asked: list[Endpoint]) -> list[str]:
    """Say how endpoints are tested, where that is not superiority at two-sided 5 %, and what is adjusted for."""
    text = []
    rules = {title(endpoint, protocol): rule_of(protocol.endpoints, endpoint) for endpoint in asked}
    unusual = [f"{name} by {rule.words}" for name, rule in rules.items() if not rule.usual]
    if unusual:
        text.append(f"Tests: {'; '.join(unusual)}.")
    if protocol.endpoints.multiplicity is not None:
        text.append(f"Several tests: {protocol.endpoints.multiplicity.procedure} procedure.")
    return text


def _named(protocol: Protocol, endpoint: Endpoint) -> str:
    """Return how an endpoint is analysed, in words, with its settings."""
    settings = endpoint.settings
    several = len(protocol.strata) > 1
    usual = settings.stratified is not False and several
    more = [words.short_name(code_of(name)) for name in settings.covariates]
    events = settings.stratified is True and several
    last = endpoints.endpoint_visit(protocol, endpoint)
    return _CONTROLLED[endpoint.method].format(
        covariates=words.listed(["baseline", *(["stratum"] if usual else []), *more]),
        errors=f"robust errors, {settings.robust}" if settings.robust else "least squares",
        structure=settings.structure or "unstructured",
        degrees=f"{settings.degrees or 'Satterthwaite'}'s".replace("Kenward-Roger's", "Kenward and Roger's"),
        imputations=settings.imputations or IMPUTATIONS,
        lines=_lines(endpoint, settings),
        strata=(", within strata" if events else ", without strata") if several else "",
        more=f" and {words.listed(more)}" if more else "",
        horizon=f"{settings.horizon:g} days" if settings.horizon is not None else last,
        wins=" within strata" if events else "",
    )


def _lines(endpoint: Endpoint, settings: Analysis) -> str:
    """Return what course a mixed model has: one line, or two that meet at a knot."""
    if settings.knot == "free":
        return "two lines that meet at the visit with the highest likelihood"
    if endpoint.summary == "slope" and settings.knot is None:
        return "one line"
    return f"two lines that meet on day {endpoint.acute_days:g}"


def compared_by(protocol: Protocol) -> str:
    """Return how groups are compared by the primary endpoint, as half a sentence."""
    endpoint = protocol.endpoints.primary
    verb = "is" if endpoint.summary == "hierarchy" else "are"
    return f"{_KINDS[endpoint.summary]} {verb} compared by {_named(protocol, endpoint)}"
