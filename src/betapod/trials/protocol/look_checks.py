"""Checks of looks: boundaries that exist, endpoints that can be looked at, recruitment by which a look sees part of the trial."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from ...base.config import Document, Where
from ...base.errors import BetapodError, Problem
from ...base.nouns import with_noun
from .analysis_keys import CONTROLLED, method_of
from .look_design import counts_of_looks, look_design, shares_of_looks, stage_design
from .look_keys import Looks
from .stage_checks import check_stages
from .value_checks import day_of, mapping_of

#: Analyses that say nothing before the whole time is watched -> what there is instead.
_WHOLE_TIME = {"RMST": "log-rank or Cox", "cumulative incidence": "Fine-Gray"}
#: Patients, or events, with which a look can tell anything; assumed.
_FEWEST = 4


def check_looks(document: Document) -> Iterator[Problem]:
    """Yield the problems of the looks of all designs."""
    for name, design in mapping_of(document.data, "designs").items():
        if isinstance(design, dict):
            yield from _of_design(document, design, ("designs", name))


def _of_design(document: Document, design: dict[str, Any], where: Where) -> Iterator[Problem]:
    if design.get("looks") is None:
        if "recruitment" in design:
            yield document.problem(
                "useless-key",
                "recruitment has no effect: nobody looks at the trial before its end",
                (*where, "recruitment"),
                True,
                expected="looks",
            )
        return
    here = (*where, "looks")
    endpoints = mapping_of(document.data, "endpoints")
    primary = mapping_of(endpoints, "primary")
    yield from _of_comparison(document, design, endpoints, primary, here)
    yield from _of_timing(document, design, primary, where)
    try:
        looks = Looks.model_validate(design["looks"])
    except ValidationError:
        # What is wrong with a single key is said with the other keys.
        return
    alpha, sides = endpoints.get("alpha", 0.05), endpoints.get("sides", 2)
    if not isinstance(alpha, float) or not 0 < alpha < 0.5 or sides not in (1, 2):
        return
    superiority = primary.get("objective", "superiority") == "superiority"
    try:
        if looks.staged:
            stage_design(looks, alpha, int(sides))
        else:
            look_design(looks, alpha, int(sides), superiority)
    except BetapodError as error:
        yield from (document.moved(problem, here) for problem in error.problems)
        return
    yield from check_stages(document, design, looks, where)
    yield from _of_numbers(document, design, looks, shares_of_looks(looks), where)


def _of_comparison(
    document: Document, design: dict[str, Any], endpoints: dict[str, Any], primary: dict[str, Any], where: Where
) -> Iterator[Problem]:
    arms = mapping_of(design, "arms")
    if len(arms) == 1:
        yield document.problem(
            "no-control", "looks compare two arms, and the design has one", where, True, expected="two arms"
        )
    adapting = {"select", "combine", "allocate"} & set(mapping_of(design, "looks"))
    if len(arms) > 2 and not adapting:
        yield document.problem(
            "not-supported",
            "looks are at one comparison, and the design has several",
            where,
            True,
            found=with_noun(len(arms), "arm"),
            expected="two arms, or select with the rule by which arms go on",
        )
    if endpoints.get("multiplicity") is not None:
        yield document.problem(
            "not-supported",
            "a trial that is looked at tests its primary endpoint alone: several tests would need boundaries each",
            ("endpoints", "multiplicity"),
            True,
            expected="looks or multiplicity",
        )
    if primary.get("objective") == "equivalence":
        yield document.problem(
            "not-supported",
            "looks have no boundaries for equivalence",
            ("endpoints", "primary", "objective"),
            found="equivalence",
            expected="superiority or non-inferiority",
        )
    summary = primary.get("summary", "change")
    method = method_of(primary.get("analysis")) or (
        CONTROLLED[summary][0] if isinstance(summary, str) and summary in CONTROLLED else ""
    )
    if method in _WHOLE_TIME:
        yield document.problem(
            "not-supported",
            f"{method} needs everybody watched to its last day, and cannot be looked at before",
            ("endpoints", "primary", "analysis"),
            found=method,
            expected=_WHOLE_TIME[method],
        )


def _of_timing(document: Document, design: dict[str, Any], primary: dict[str, Any], where: Where) -> Iterator[Problem]:
    looks = mapping_of(design, "looks")
    if primary.get("summary") == "time to event":
        if looks.get("events") is None:
            yield document.problem(
                "missing-key",
                "looks at times to an event come at shares of a number of events",
                (*where, "looks"),
                True,
                expected="events, such as events: 120",
            )
        return
    if looks.get("events") is not None:
        yield document.problem(
            "useless-key",
            "the primary endpoint has no events: looks come at shares of the patients",
            (*where, "looks", "events"),
            True,
            expected="summary: time to event",
        )
    recruitment = day_of(design.get("recruitment", 0))
    if recruitment is not None and not recruitment > 0:
        yield document.problem(
            "missing-key",
            "without a time of recruitment all patients reach the endpoint together, and there is nothing to look at before",
            (*where, "recruitment") if "recruitment" in design else where,
            True,
            expected="recruitment, such as recruitment: 18 month",
        )


def _of_numbers(
    document: Document, design: dict[str, Any], looks: Looks, information: tuple[float, ...], where: Where
) -> Iterator[Problem]:
    """Find looks at nobody, looks that come together, and more events than patients."""
    patients = design.get("patients") if design.get("patients") is not None else document.data.get("patients")
    if not isinstance(patients, int) or isinstance(patients, bool) or patients < 1:
        return
    if looks.events is not None and looks.events > patients:
        yield document.problem(
            "out-of-range",
            "there cannot be more first events than patients",
            (*where, "looks", "events"),
            found=str(looks.events),
            expected=f"at most {patients}",
        )
        return
    total = patients if looks.events is None else looks.events
    if looks.resize is not None:
        total = min(total, looks.resize.planned)
    counts = counts_of_looks(information, total)
    if counts[0] < _FEWEST or len(set(counts)) < len(counts):
        unit = "patients" if looks.events is None else "events"
        yield document.problem(
            "too-few-patients",
            f"looks cannot tell anything new by so few {unit}",
            (*where, "looks"),
            True,
            found=f"looks at {', '.join(map(str, counts))} {unit}",
            expected=f"{_FEWEST} {unit} at the first look, and more at each that follows",
        )
