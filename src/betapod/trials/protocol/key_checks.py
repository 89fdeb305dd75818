"""Protocol keys without effect in their context, reported as errors instead of being ignored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...base.config import Document, Where
from ...base.errors import Problem
from ...hazards.outcome_rates import DEATHS, OUTCOMES
from ...observables.quantities import code_of
from .endpoint_keys import trial_outcome
from .value_checks import list_of, mapping_of, unknown


def idle(document: Document) -> Iterator[Problem]:
    """Return the keys without effect."""
    data = document.data
    for k, item in enumerate(list_of(mapping_of(data, "run_in"), "therapies")):
        for key in ("start", "stop"):
            if isinstance(item, dict) and key in item:
                yield _idle(
                    document,
                    ("run_in", "therapies", k, key),
                    "therapies of the run-in begin with it and go on",
                    "the duration of the run-in",
                )
    for name, design in mapping_of(data, "designs").items():
        yield from _randomised(document, design, ("designs", name))
        yield from _control(document, design, ("designs", name))
    for name, how in mapping_of(data, "measurements").items():
        yield from _computed(document, name, how)
    endpoints = mapping_of(data, "endpoints")
    yield from _never(document, endpoints.get("primary"), ("endpoints", "primary"))
    for k, endpoint in enumerate(list_of(endpoints, "secondary")):
        yield from _never(document, endpoint, ("endpoints", "secondary", k))


def _never(document: Document, endpoint: Any, where: Where) -> Iterator[Problem]:
    """Refuse strategies for events that never come in this trial; the usual ones may be written down."""
    rules = mapping_of(endpoint, "intercurrent") if isinstance(endpoint, dict) else {}
    conduct = mapping_of(document.data, "conduct")
    if rules.get("rescue", "treatment policy") != "treatment policy" and not conduct.get("rescue"):
        yield _idle(document, (*where, "intercurrent", "rescue"), "the protocol has no rescue", "a rescue in conduct")
    if rules.get("death", "missing") != "missing" and conduct.get("deaths") is False:
        yield _idle(document, (*where, "intercurrent", "death"), "deaths are switched off", "deaths: true in conduct")
    if conduct.get("deaths") is False and isinstance(endpoint, dict):
        for key, names in (("quantity", [endpoint.get("quantity")]), ("also", list_of(endpoint, "also"))):
            outcomes = [outcome for name in names if (outcome := trial_outcome(name)) is not None]
            deadly = [outcome for outcome in outcomes if set(OUTCOMES.get(outcome, ())) & set(DEATHS)]
            if deadly:
                yield document.problem(
                    "no-deaths",
                    f"{' and '.join(deadly)} cannot be counted: deaths are switched off",
                    (*where, key),
                    expected="deaths: true in conduct, or an endpoint without deaths",
                )


def _randomised(document: Document, design: Any, where: Where) -> Iterator[Problem]:
    randomisation = design.get("randomisation") if isinstance(design, dict) else None
    how = {"method": randomisation} if isinstance(randomisation, str) else randomisation
    arms = mapping_of(design, "arms")
    if isinstance(randomisation, dict | str) and len(arms) == 1:
        yield _idle(document, (*where, "randomisation"), "there is only one arm", "two arms or more")
        return
    if not isinstance(how, dict):
        return
    method = how.get("method", "blocks")
    if method in ("simple", "minimisation") and how.get("block") is not None:
        yield _idle(document, (*where, "randomisation", "block"), f"{method} has no blocks", "method: blocks")
    if "stratified" in how and method == "simple":
        yield _idle(
            document,
            (*where, "randomisation", "stratified"),
            "simple randomisation is not stratified",
            "method: blocks or minimisation",
        )
    elif "stratified" in how and not mapping_of(document.data, "strata"):
        yield _idle(document, (*where, "randomisation", "stratified"), "there are no strata", "strata")


def _control(document: Document, design: Any, where: Where) -> Iterator[Problem]:
    control = design.get("control") if isinstance(design, dict) else None
    arms = mapping_of(design, "arms")
    if control is None or not arms:
        return
    if len(arms) == 1:
        yield _idle(document, (*where, "control"), "there is one arm", "two arms or more")
    elif control not in arms:
        yield unknown(document, "arm", control, arms, (*where, "control"))


def _computed(document: Document, name: str, how: Any) -> Iterator[Problem]:
    """Refuse the error of eGFR, which has none of its own."""
    if code_of(name) != "EGFR" or not isinstance(how, dict):
        return
    if how.get("cv") is not None:
        yield _idle(
            document,
            ("measurements", name, "cv"),
            "eGFR is computed from creatinine, whose variation applies",
            "creatinine: {cv: ...}",
        )
    others = {code_of(measured_name) for measured_name in mapping_of(document.data, "measurements")}
    if "samples" in how and "CREAT" in others:
        yield _idle(
            document,
            ("measurements", name, "samples"),
            "eGFR is computed from creatinine",
            "creatinine: {samples: ...}",
        )


def _idle(document: Document, where: Where, reason: str, instead: str) -> Problem:
    return document.problem("useless-key", f"{where[-1]} has no effect: {reason}", where, True, expected=instead)
