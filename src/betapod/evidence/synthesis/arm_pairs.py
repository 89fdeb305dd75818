"""Arms of one controlled study, printed one by one, set against their control group."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from ..records.study import Record
from .effect_size import CONTROLLED, SUBGROUP, EffectSize, effect_of, is_control, risk_ratio, variance_of

#: Why counts of two groups give no ratio.
NO_RATIO = "no event in either group, or nothing but events: it says nothing of a ratio"
#: How an arm's number and its control's become a contrast: (kind, contrast of the rows) -> (measure, in words).
_FORMS = {
    ("mean", "level"): ("difference", "difference of the arms"),
    ("slope", "level"): ("difference", "difference of the arms"),
    ("geometric_mean", "level"): ("geometric_ratio", "ratio of the arms' geometric means"),
    ("rate", "level"): ("rate_ratio", "ratio of the arms' rates"),
    ("mean", "change"): ("difference", "difference of the arms' changes"),
    ("slope", "change"): ("difference", "difference of the arms' changes"),
    ("difference", "change"): ("difference", "difference of the arms' changes"),
    ("percent", "change"): ("percent_points", "difference of the arms' changes in percent, in points"),
    ("geometric_ratio", "change"): ("geometric_ratio", "ratio of the arms' changes"),
}


#: Trials whose arms are the same people, one after the other.
_CROSSOVER = re.compile(r"cross[- ]?over|within[- ](subject|patient|person)", re.I)


def has_control_group(record: Record) -> bool:
    """Return whether a row is of a study with a control group of other people."""
    return record.design in CONTROLLED and not _CROSSOVER.search(record.design_text)


def pairs(records: Sequence[Record]) -> tuple[list[EffectSize], list[Record], dict[str, str]]:
    """Return contrasts of arms of one controlled study at one time, rows without a partner, and why rows with one make none.

    Changes are set against changes and levels against levels. A study whose groups have no event at all, or nothing but events,
    has no ratio: its arms stay groups by themselves.
    """
    pair_effects: list[EffectSize] = []
    alone: list[Record] = []
    without: dict[str, str] = {}
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        key = (record.study, record.endpoint, record.unit, record.weeks, record.kind, record.contrast)
        groups.setdefault(key, []).append(record)
    for members in groups.values():
        controls = [r for r in members if is_control(r) and not SUBGROUP.search(r.arm)]
        treated = [r for r in members if not is_control(r)]
        if len(controls) != 1 or not treated or not has_control_group(members[0]):
            alone += members
            if len(controls) > 1 and treated and has_control_group(members[0]):
                without |= {r.id: "an arm of a study with several control groups: which is its own?" for r in members}
            continue
        contrasts = [(record, _contrast(record, controls[0])) for record in treated]
        effects = [effect for _, effect in contrasts if effect is not None]
        if effects and all(effect.empty for effect in effects):
            alone += members
            without |= {r.id: NO_RATIO for r in members}
            continue
        pair_effects += effects
        lost = [record for record, effect in contrasts if effect is None] + ([] if effects else controls)
        alone += lost
        without |= {
            r.id: "an arm of a controlled study: it or its control group has no usable spread or n at this time"
            for r in lost
        }
    return pair_effects, alone, without


def _contrast(treated: Record, control: Record) -> EffectSize | None:
    if treated.value is None or control.value is None or not treated.n or not control.n:
        return None
    base = replace(treated, contrast="between", n=treated.n + control.n)
    shared, counts = None, None
    if treated.kind == "proportion":
        a, b = treated.value * treated.n, control.value * control.n
        if any(abs(count - round(count)) > 0.25 for count in (a, b)):
            return None
        counts = (float(round(a)), float(treated.n), float(round(b)), float(control.n))
        effect = replace(effect_of(base, "risk_ratio", *risk_ratio(*counts)), unit="1")
    elif (treated.kind, treated.contrast) in _FORMS:
        measure, how = _FORMS[treated.kind, treated.contrast]
        variance, shared = variance_of(treated), variance_of(control)
        log = measure in ("geometric_ratio", "rate_ratio")
        if variance is None or shared is None or (log and min(treated.value, control.value) <= 0.0):
            return None
        y = math.log(treated.value / control.value) if log else treated.value - control.value
        effect = effect_of(base, measure, y, variance + shared, how)
        effect = replace(effect, unit="1") if log else effect
    else:
        return None
    return replace(
        effect,
        records=(treated.id, control.id),
        wording="arms",
        controls=control.n,
        shared=shared,
        counts=counts,
    )
