"""From records to independent effects: what may enter a pooled estimate, what may not and why, one effect per family."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace

from ..records.study import Record
from .arm_pairs import NO_RATIO, has_control_group, pairs
from .effect_size import (
    CONTROLLED,
    MEASURES,
    SUBGROUP,
    EffectSize,
    Exclusion,
    effect_of,
    is_control,
    logit,
    variance_of,
)
from .reported_error import reported_error

__all__ = ["MEASURES", "SUBGROUP", "EffectSize", "Exclusion", "candidates", "logit", "unusable"]

#: Said of what an arm of a controlled study moved by, where no control group stands beside it.
ALONE = "; read as before and after: its control group does not stand beside it"
_CIRCULAR = re.compile(r"outcome-defined|responders|insulin-independent|insulin-free|remitters", re.I)
_ACTIVE = re.compile(r" vs (amlodipine|enalapril|captopril|glyburide|metformin)\b", re.I)
_NO_OUTCOME = {
    "eligibility": "an entry criterion, no result",
    "range": "the end of a range, no estimate",
    "qualitative": "a direction without a number",
    "correlation": "a correlation, no effect",
    "variance_explained": "a share of variance, no effect",
    "coefficient": "a coefficient of an equation, no effect",
    "count": "a count: give it as a share of n (statistic proportion) to have it pooled",
    "value": "one person's value",
    "time": "a time without its distribution",
}


def unusable(record: Record) -> str:
    """Return why a record cannot enter any pooled estimate, or an empty string."""
    if record.tag != "seen":
        return "recalled, not read in the source"
    if record.species != "human":
        return "animal data are never pooled with human data"
    if record.kind in _NO_OUTCOME:
        return _NO_OUTCOME[record.kind]
    if record.source_level == "author_manuscript_discrepant":
        return "the deposited manuscript differs from the published abstract"
    if record.design == "case-report":
        return "a case report"
    # A study that splits its people by outcome still has groups of all of them.
    if _CIRCULAR.search(record.arm):
        return "the group is defined by its outcome: circular"
    if record.contrast == "association":
        return "an association with an exposure, not an allocated treatment"
    if record.contrast == "unclear":
        return "the source mixes or does not say controlled and before/after"
    if _ACTIVE.search(record.arm):
        return "compared with another active drug, not with control"
    # What happens during an infusion happens in week 0 too.
    if record.weeks == 0.0 and record.contrast == "level" and not record.endpoint_text.startswith("adverse_event:"):
        return "a baseline, no result"
    return ""


def candidates(records: Iterable[Record]) -> tuple[list[EffectSize], list[Exclusion]]:
    """Return every effect that can be made of the records, several of a family perhaps, and the records that give none."""
    excluded: list[Exclusion] = []
    usable: list[Record] = []
    for record in records:
        reason = unusable(record)
        if reason:
            excluded.append(Exclusion(record.id, reason))
        else:
            usable.append(record)
    effects: list[EffectSize] = []
    arms = [record for record in usable if record.contrast == "level" or _own_course(record)]
    # Changes come first: they are free of who began higher.
    arms.sort(key=lambda record: record.contrast != "change")
    paired, waiting, without = pairs(arms)
    effects += paired
    used = {name for effect in paired for name in effect.records}
    treated = any(record.product != "control" for record in usable)
    for record in usable:
        if record.contrast == "level" or record.id in used:
            continue
        if record.contrast == "change" and record.product == "control" and treated:
            excluded.append(Exclusion(record.id, "a control group's own course"))
            continue
        if record.id in without:
            excluded.append(Exclusion(record.id, without[record.id]))
            continue
        effect, reason = _direct(record)
        if effect is not None:
            alone = ALONE if _own_course(record) else ""
            effects.append(replace(effect, how=f"{effect.how}{alone}"))
        else:
            excluded.append(Exclusion(record.id, reason))
    for record in waiting:
        if record.contrast != "level":
            continue
        effect, reason = _level(record)
        if effect is None:
            excluded.append(Exclusion(record.id, without.get(record.id, reason)))
        elif without.get(record.id) == NO_RATIO:
            effects.append(replace(effect, how=f"{effect.how}; {NO_RATIO}"))
        else:
            effects.append(effect)
    return effects, excluded


def _own_course(record: Record) -> bool:
    """Return whether a row is what one arm of a controlled study moved by."""
    return record.contrast == "change" and has_control_group(record) and record.value is not None


def _direct(record: Record) -> tuple[EffectSize | None, str]:
    """Return the effect that a row states by itself, or why it states none."""
    if record.contrast == "level":
        return None, ""
    if record.value is None:
        return None, "no number"
    if record.kind == "median":
        return None, "a median: skewed, and no standard error"
    measure = {"mean": "mean_change"}.get(record.kind, record.kind)
    if measure not in MEASURES:
        return None, f"a {record.kind} is not pooled"
    y = math.log(record.value) if MEASURES[measure] == "log" else record.value
    error = reported_error(record, MEASURES[measure] == "log")
    if error.size is None:
        return None, error.how
    return effect_of(record, measure, y, error.size**2, f"as stated, {error.how}"), ""


def _level(record: Record) -> tuple[EffectSize | None, str]:
    """Return the effect of a group by itself: a proportion or a rate; a mean is none."""
    if record.kind == "median":
        return None, "a median: skewed, and no standard error"
    if is_control(record) and record.design in (*CONTROLLED, "cross-sectional"):
        return None, "a control group without a treated group to compare with"
    if record.design in CONTROLLED and record.kind in ("mean", "slope"):
        return None, "an arm of a controlled study whose partner has no mean, dispersion and n at this time"
    if record.kind == "proportion" and record.value is not None:
        if not record.n:
            return None, "a proportion without the number of people"
        events = record.value * record.n
        if abs(events - round(events)) > 0.25:
            return None, "the proportion is no whole number of people: another denominator"
        y, v, how = logit(float(round(events)), record.n)
        return replace(effect_of(record, "proportion", y, v, how), events=float(round(events))), ""
    if record.kind == "rate" and record.value:
        error = reported_error(record, log=True)
        if error.size is None:
            return None, error.how
        return effect_of(record, "rate", math.log(record.value), error.size**2, f"as stated, {error.how}"), ""
    if record.kind == "slope":
        variance = variance_of(record)
        if variance is None or record.value is None:
            return None, "no dispersion was read: no standard error"
        return effect_of(record, "slope", record.value, variance, "slope of one group"), ""
    return None, "a group's own course without a comparison"
