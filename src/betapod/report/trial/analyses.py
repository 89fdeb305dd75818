"""The analyses of a trial in words: those that were run, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...trials.analysis import endpoints

if TYPE_CHECKING:
    from ...trials.protocol.endpoint_keys import Endpoint
    from ...trials.protocol.protocol import Protocol

_CONTROLLED = {
    "ANCOVA": "analysis of covariance on {covariates} (least squares)",
    "t test": "Student's t test of two groups",
    "risk difference": "the difference of proportions with Newcombe's interval and the score test",
    "log-rank": "the log-rank test, with the hazard ratio of Cox regression (Efron's ties){unstratified}",
    "Cox": "Cox regression on the group (Efron's ties, Wald's test){unstratified}",
}
_KINDS = {"change": "changes", "ratio": "ratios", "slope": "slopes", "responders": "responders", "time to event": "times to events", "total": "totals"}  # fmt: skip


def analyses(protocol: Protocol) -> str:
    """Return sentences that say how the protocol's endpoints were analysed in its designs with and without a control."""
    asked = [protocol.endpoints.primary, *protocol.endpoints.secondary]
    text = []
    if any(not endpoints.has_comparator(design) for design in protocol.designs.values()):
        text.append(_alone(asked, len(protocol.designs) > 1))
    if any(endpoints.has_comparator(design) for design in protocol.designs.values()):
        text.append(_compared(asked, len(protocol.strata) > 1, len(protocol.designs) > 1))
    if any(endpoint.summary == "slope" for endpoint in asked):
        text.append(
            "Slopes are total slopes, by least squares in each patient from the baseline and all visits up to that of the endpoint."
        )
    if any(endpoint.summary == "time to event" and endpoint.outcome is None for endpoint in asked):
        text.append("Patients beyond the threshold of an event at baseline are not at risk of it, and are excluded.")
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


def _compared(asked: list[Endpoint], strata: bool, several: bool) -> str:
    kinds: dict[str, list[str]] = {}
    for endpoint in asked:
        names = kinds.setdefault(endpoints.controlled_analysis(endpoint), [])
        if _KINDS[endpoint.summary] not in names:
            names.append(_KINDS[endpoint.summary])
    parts = [f"{', '.join(names)} by {_named(kind, strata)}" for kind, names in kinds.items()]
    return f"{'Designs with a control group' if several else 'Analysis'}: {'; '.join(parts)}."


def _named(kind: str, strata: bool) -> str:
    covariates = "baseline and stratum" if strata else "baseline"
    return _CONTROLLED[kind].format(covariates=covariates, unstratified=", without strata" if strata else "")


def compared_by(protocol: Protocol) -> str:
    """Return how groups are compared by the primary endpoint, as half a sentence."""
    endpoint = protocol.endpoints.primary
    return f"{_KINDS[endpoint.summary]} are compared by {_named(endpoints.controlled_analysis(endpoint), len(protocol.strata) > 1)}"
