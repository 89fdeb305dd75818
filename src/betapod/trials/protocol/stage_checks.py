"""Checks of adaptations at looks: selection of arms, enrichment by a stratum, sizes set anew, and what goes with none of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...base.config import Document, Where
from ...base.errors import BetapodError, Problem
from ...base.nouns import with_noun
from ...observables.quantities import code_of, visit_observables
from .analysis_checks import margin_size
from .analysis_keys import CONTROLLED, method_of
from .look_keys import Looks
from .value_checks import mapping_of, short, unknown

#: Keys of looks that say how boundaries are chosen.
_BOUNDARIES = ("boundaries", "parameter", "spent", "efficacy", "power")
_FUTILITY = ("futility", "futility_parameter", "futility_spent", "binding")


def check_stages(document: Document, design: dict[str, Any], looks: Looks, where: Where) -> Iterator[Problem]:
    """Yield the problems of what adapts at the looks of a design."""
    here = (*where, "looks")
    adapting = [name for name in ("select", "enrich", "resize", "allocate") if getattr(looks, name) is not None]
    if not looks.staged:
        yield from _without(document, here, mapping_of(design, "looks"), ("intersections",), "nothing adapts")
        return
    if len(adapting) > 1:
        yield document.problem(
            "not-supported",
            "a trial adapts one thing at its looks",
            (*here, adapting[1]),
            True,
            found=", ".join(adapting),
            expected=" or ".join(adapting),
        )
        return
    yield from _of_endpoint(document, looks, where)
    yield from _of_claims(document, design, looks, here)
    if looks.allocate is not None:
        yield from _of_allocation(document, design, looks, here)
    if looks.enrich is not None:
        yield from _of_enrichment(document, looks, here)
    if looks.resize is not None:
        yield from _of_size(document, design, looks, here)


def _of_endpoint(document: Document, looks: Looks, where: Where) -> Iterator[Problem]:
    """At times to an event stages are gains of the log-rank statistic: nothing else is independent of what a look has shown."""
    primary = mapping_of(mapping_of(document.data, "endpoints"), "primary")
    if primary.get("summary") != "time to event":
        return
    name = "resize" if looks.resize is not None else "allocate" if looks.allocate is not None else ""
    if name:
        yield document.problem(
            "not-supported",
            f"{name} is not for times to an event: who is enrolled before a look has events after it",
            (*where, "looks", name),
            True,
            expected="an endpoint that is judged at a visit, or combine, select or enrich",
        )
    analysis = primary.get("analysis")
    method = method_of(analysis) or CONTROLLED["time to event"][0]
    covariates = isinstance(analysis, dict) and analysis.get("covariates")
    if not name and (method not in ("log-rank", "Cox") or covariates):
        yield document.problem(
            "not-supported",
            "stages at times to an event are gains of the log-rank statistic, which has no covariates and no rival events",
            ("endpoints", "primary", "analysis"),
            True,
            found=f"{method} with covariates" if covariates else str(method),
            expected="log-rank or Cox, without covariates",
        )


def _of_claims(document: Document, design: dict[str, Any], looks: Looks, where: Where) -> Iterator[Problem]:
    arms = mapping_of(design, "arms")
    written = mapping_of(design, "looks")
    if looks.select is not None and len(arms) < 3:
        yield document.problem(
            "useless-key", "select has no effect: there is one arm besides the control", (*where, "select"), True, expected="three arms or more"
        )  # fmt: skip
    if (looks.enrich is not None or looks.resize is not None) and len(arms) > 2:
        name = "enrich" if looks.enrich is not None else "resize"
        yield document.problem(
            "not-supported", f"{name} is for one comparison", (*where, name), True, found=with_noun(len(arms), "arm"), expected="two arms"
        )  # fmt: skip
    if len(arms) > 9:
        yield document.problem(
            "not-supported", "a closed test is of 8 claims at most", where, True, found=with_noun(len(arms), "arm")
        )
    if looks.resize is None and (looks.futility is not None or looks.boundaries == "PT"):
        yield document.problem(
            "not-supported",
            "stages that are combined for several claims have no boundaries of futility; arms stop by the rule of selection",
            (*where, "futility" if looks.futility is not None else "boundaries"),
            True,
            expected="looks without futility",
        )
    if looks.combine == "Fisher":
        yield from _without(
            document, where, written, _BOUNDARIES, "Fisher's combination has critical products of its own"
        )
    several = looks.enrich is not None or len(arms) > 2
    if not several:
        yield from _without(document, where, written, ("intersections",), "there is one claim")
    shares = {share for share in arms.values() if isinstance(share, int)}
    if looks.intersections == "Dunnett" and looks.enrich is None and len(shares) > 1:
        yield document.problem(
            "not-supported", "Dunnett's test is for arms of one size", (*where, "intersections"), found="Dunnett", expected="Simes, or equal arms"
        )  # fmt: skip


def _of_enrichment(document: Document, looks: Looks, where: Where) -> Iterator[Problem]:
    assert looks.enrich is not None
    strata = mapping_of(document.data, "strata")
    if looks.enrich.stratum not in strata:
        yield unknown(document, "stratum", looks.enrich.stratum, strata, (*where, "enrich", "stratum"))
    elif len(strata) < 2:
        yield document.problem(
            "useless-key", "all patients are in this stratum", (*where, "enrich", "stratum"), expected="two strata or more"
        )  # fmt: skip
    yield from _two_looks(document, looks, where, "enrich")


def _two_looks(document: Document, looks: Looks, where: Where, name: str) -> Iterator[Problem]:
    count = looks.information if isinstance(looks.information, int) else len(looks.information)
    if count != 2:
        yield document.problem(
            "not-supported", f"{name} has two looks: one at which the trial adapts, and the end", (*where, "information"), True, found=str(count), expected="2"
        )  # fmt: skip


def _of_allocation(document: Document, design: dict[str, Any], looks: Looks, where: Where) -> Iterator[Problem]:
    assert looks.allocate is not None
    written = mapping_of(design, "looks")
    yield from _without(
        document, where, written, ("information", "combine", *_BOUNDARIES), "the trial is tested once, at its end"
    )
    arms = len(mapping_of(design, "arms"))
    patients = design.get("patients") if design.get("patients") is not None else document.data.get("patients")
    least = 4 * arms
    if isinstance(patients, int) and patients // looks.allocate.blocks < least:
        yield document.problem(
            "out-of-range",
            "a block is too small for its arms",
            (*where, "allocate"),
            True,
            found=f"{patients} patients in {looks.allocate.blocks} blocks",
            expected=f"{least} patients or more in each",
        )
    if not looks.allocate.cap > 1 / max(arms, 1):
        yield document.problem(
            "out-of-range", "the greatest share of an arm is above the even one", (*where, "allocate", "cap"), found=short(looks.allocate.cap), expected=f"above {1 / max(arms, 1):.3g}"
        )  # fmt: skip
    rules = mapping_of(mapping_of(mapping_of(document.data, "endpoints"), "primary"), "intercurrent")
    if "composite" in rules.values():
        yield document.problem(
            "not-supported",
            "allocation follows outcomes of patients, and the worst outcome of a trial, which stands for failures, is none",
            ("endpoints", "primary", "intercurrent"),
            True,
            expected="another strategy, or looks without allocate",
        )
    if len(set(mapping_of(design, "arms").values())) > 1:
        yield document.problem(
            "useless-key", "the first block is even, and what follows adapts: the ratio would do nothing", (*where[:-1], "arms"), True, expected="arms of one size"
        )  # fmt: skip


def _of_size(document: Document, design: dict[str, Any], looks: Looks, where: Where) -> Iterator[Problem]:
    resize, here = looks.resize, (*where, "resize")
    assert resize is not None
    written = mapping_of(design, "looks")
    yield from _two_looks(document, looks, where, "resize")
    if looks.combine == "Fisher":
        yield document.problem(
            "not-supported", "sizes are set anew for the inverse normal combination", (*where, "combine"), found="Fisher", expected="inverse normal"
        )  # fmt: skip
    patients = design.get("patients") if design.get("patients") is not None else document.data.get("patients")
    if isinstance(patients, int) and resize.planned >= patients:
        yield document.problem(
            "out-of-range",
            "the patients of the design are the most that can be enrolled, and must be more than planned",
            (*here, "planned"),
            found=str(resize.planned),
            expected=f"below {patients}",
        )
    if resize.rule == "blinded":
        why = "at a blinded look nothing is tested"
        yield from _without(document, where, written, (*_BOUNDARIES, *_FUTILITY), why)
        if resize.effect is None:
            yield document.problem(
                "missing-key", "a size by the scatter of outcomes needs the effect to be shown", here, True, expected="effect"
            )  # fmt: skip
    if resize.rule != "promising zone":
        yield from _without(document, here, mapping_of(written, "resize"), ("zone",), f"{resize.rule} has no zone")
    elif not 0 < resize.zone[0] < resize.zone[1] < 1:
        yield document.problem(
            "out-of-range", "the promising zone is between two chances", (*here, "zone"), found=short(resize.zone), expected="such as [0.36, 0.9]"
        )  # fmt: skip
    if resize.effect is not None:
        yield from _effect(document, resize.effect, (*here, "effect"))


def _effect(document: Document, effect: Any, where: Where) -> Iterator[Problem]:
    primary = mapping_of(mapping_of(document.data, "endpoints"), "primary")
    summary = primary.get("summary", "change")
    code = code_of(str(primary.get("quantity", "")))
    if summary not in CONTROLLED:
        return
    method = method_of(primary.get("analysis")) or CONTROLLED[str(summary)][0]
    try:
        size = margin_size(effect, str(summary), method, code if code in visit_observables() else None)
    except BetapodError as error:
        yield from (document.moved(problem, where) for problem in error.problems)
        return
    if not size > 0:
        yield document.problem(
            "out-of-range", "an effect is a size above 0, or a ratio other than 1", where, found=short(effect)
        )


def _without(
    document: Document, where: Where, written: dict[str, Any], names: tuple[str, ...], why: str
) -> Iterator[Problem]:
    """Refuse keys that would do nothing."""
    for name in names:
        if name in written:
            yield document.problem("useless-key", f"{name} has no effect: {why}", (*where, name), True)
