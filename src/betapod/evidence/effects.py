"""From records to independent effects: what may enter a pooled estimate, what may not and why, one effect per family."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from .study import SOURCE_RANK, Record

#: The 97.5 % point of the normal distribution: published 95 % intervals are taken to be symmetric with it.
Z975 = 1.959963984540054

#: Measures and whether they are analysed as logarithm or logit.
MEASURES = {
    "difference": "",
    "mean_change": "",
    "smd": "",
    "percent": "",
    "slope": "",
    "hazard_ratio": "log",
    "risk_ratio": "log",
    "odds_ratio": "log",
    "geometric_ratio": "log",
    "rate": "log",
    "proportion": "logit",
}


@dataclass(frozen=True)
class Refusal:
    """A record that was not used, with the reason."""

    record: str
    reason: str


@dataclass(frozen=True)
class Effect:
    """One estimate with its variance on the scale of analysis (logarithm for ratios and rates, logit for proportions).

    Attributes
    ----------
    measure
        One of :data:`MEASURES`.
    contrast
        between, change or level.
    y, v
        Estimate and its variance.
    n
        People behind it, None where not stated.
    records
        Ids of the rows that it was made of.
    how
        How it was made of them.
    controls
        People in the control group, where `n` counts them and it is known.
    """

    study: str
    family: str
    measure: str
    contrast: str
    endpoint: str
    unit: str
    arm: str
    weeks: float | None
    y: float
    v: float
    n: int | None
    records: tuple[str, ...]
    how: str
    rank: tuple[int, int]
    wording: str = ""
    events: float | None = None
    controls: int | None = None


_CIRCULAR = re.compile(r"outcome-defined|responders|insulin-independent|insulin-free|remitters", re.I)
#: Arms that are part of another arm.
SUBGROUP = re.compile(r"subgroup|^SCr |, (T2D|no diabetes|UACR|eGFR|no SGLT2i|with SGLT2i|T1D)\b|eGFR 30-", re.I)
_ACTIVE = re.compile(r" vs (amlodipine|enalapril|captopril|glyburide|metformin)\b", re.I)
_CONTROLLED = ("RCT", "controlled-trial", "nonrandomised-controlled")
_NO_OUTCOME = {
    "eligibility": "an entry criterion, no result",
    "range": "the end of a range, no estimate",
    "qualitative": "a direction without a number",
    "correlation": "a correlation, no effect",
    "variance_explained": "a share of variance, no effect",
    "coefficient": "a coefficient of an equation, no effect",
    "count": "a count without its denominator's model",
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


def candidates(records: Iterable[Record]) -> tuple[list[Effect], list[Refusal]]:
    """Return every effect that can be made of the records, several of a family perhaps, and the records that give none."""
    refused: list[Refusal] = []
    usable: list[Record] = []
    for record in records:
        reason = unusable(record)
        if reason:
            refused.append(Refusal(record.id, reason))
        else:
            usable.append(record)
    made: list[Effect] = []
    waiting: list[Record] = []
    treated = any(record.product != "control" for record in usable)
    for record in usable:
        if record.contrast == "change" and record.product == "control" and treated:
            refused.append(Refusal(record.id, "a control group's own course"))
            continue
        effect, reason = _direct(record)
        if effect is not None:
            made.append(effect)
        elif record.contrast == "level":
            waiting.append(record)
        else:
            refused.append(Refusal(record.id, reason))
    pairs, alone = _pairs(waiting)
    made += pairs
    for record in alone:
        effect, reason = _level(record)
        if effect is None:
            refused.append(Refusal(record.id, reason))
        else:
            made.append(effect)
    return made, refused


def _effect(record: Record, measure: str, y: float, v: float, how: str) -> Effect:
    return Effect(
        study=record.study,
        family=record.family,
        measure=measure,
        contrast=record.contrast,
        endpoint=record.endpoint,
        unit=record.unit,
        arm=record.arm,
        weeks=record.weeks,
        y=y,
        v=v,
        n=record.n,
        records=(record.id,),
        how=how,
        rank=(SOURCE_RANK.get(record.source_level, 99), -(record.n or 0)),
        wording=record.statistic_text,
    )


def _direct(record: Record) -> tuple[Effect | None, str]:
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
    error, how = _standard_error(record, MEASURES[measure] == "log")
    if error is None:
        return None, how
    return _effect(record, measure, y, error**2, how), ""


def _standard_error(record: Record, log: bool) -> tuple[float | None, str]:
    spread = record.dispersion
    if spread is not None and spread.type == "CI95":
        low, high = spread.low, spread.high
        if log:
            if low <= 0.0:
                return None, "the interval of a ratio reaches zero"
            low, high = math.log(low), math.log(high)
        return _positive((high - low) / (2.0 * Z975), "as stated, standard error from the 95 % interval")
    if spread is not None and spread.type == "SE" and not log:
        return _positive(spread.low, "as stated, with its standard error")
    if spread is not None and spread.type == "SD" and not log and record.contrast == "change":
        if not record.n:
            return None, "no number of people to go with the SD"
        return _positive(spread.low / math.sqrt(record.n), "as stated, standard error from SD and n")
    if spread is not None:
        return None, f"no standard error can be had from {spread.text or spread.type}"
    exact = re.fullmatch(r"0?\.\d+", record.p_value)
    null = record.value in (0.0, None) or (log and record.value == 1.0)
    if record.contrast == "between" and exact and not null and 0.0 < float(record.p_value) < 1.0:
        from scipy import stats

        assert record.value is not None
        y = math.log(record.value) if log else record.value
        z = float(stats.norm.isf(float(record.p_value) / 2.0))
        return _positive(abs(y) / z, "as stated, standard error from the exact p value")
    return None, "no dispersion was read: no standard error"


def _positive(error: float, how: str) -> tuple[float | None, str]:
    return (error, how) if error > 0.0 and math.isfinite(error) else (None, "the standard error is not positive")


_CONTROL_ARM = re.compile(
    r"\b(placebo|sham|saline)\b|^(control|usual|conventional|standard|insulin only|intensive insulin)\b", re.I
)


def _is_control(record: Record) -> bool:
    return record.product == "control" or bool(_CONTROL_ARM.search(record.arm))


def _pairs(records: Sequence[Record]) -> tuple[list[Effect], list[Record]]:
    """Return contrasts of arms of one controlled study at one time, and the rows that found no partner."""
    found: list[Effect] = []
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        groups.setdefault((record.study, record.endpoint, record.unit, record.weeks, record.kind), []).append(record)
    alone: list[Record] = []
    for members in groups.values():
        controls = [r for r in members if _is_control(r) and not SUBGROUP.search(r.arm)]
        treated = [r for r in members if not _is_control(r)]
        controlled = members[0].design in _CONTROLLED and "crossover" not in members[0].design_text
        if len(controls) != 1 or not treated or not controlled:
            alone += members
            continue
        for record in treated:
            effect = _contrast(record, controls[0])
            if effect is None:
                alone.append(record)
            else:
                found.append(effect)
        if not any(controls[0].id in effect.records for effect in found):
            alone.append(controls[0])
    return found, alone


def _contrast(treated: Record, control: Record) -> Effect | None:
    if treated.value is None or control.value is None or not treated.n or not control.n:
        return None
    base = replace(treated, contrast="between", n=treated.n + control.n)
    if treated.kind in ("mean", "slope"):
        variances = [_variance(record) for record in (treated, control)]
        if variances[0] is None or variances[1] is None:
            return None
        made = _effect(
            base, "difference", treated.value - control.value, variances[0] + variances[1], "difference of the arms"
        )
    elif treated.kind == "proportion":
        a, b = treated.value * treated.n, control.value * control.n
        if any(abs(count - round(count)) > 0.25 for count in (a, b)):
            return None
        a, b = float(round(a)), float(round(b))
        if a == b == 0.0 or (a == treated.n and b == control.n):
            return None
        n1, n2 = float(treated.n), float(control.n)
        how = "risk ratio of the arms"
        if a == 0.0 or b == 0.0 or a == n1 or b == n2:
            a, b, n1, n2 = a + 0.5, b + 0.5, n1 + 1.0, n2 + 1.0
            how += ", 1/2 added to each cell"
        made = _effect(base, "risk_ratio", math.log((a / n1) / (b / n2)), 1 / a - 1 / n1 + 1 / b - 1 / n2, how)
        made = replace(made, unit="1")
    else:
        return None
    return replace(made, records=(treated.id, control.id), wording="arms", controls=control.n)


def _variance(record: Record) -> float | None:
    """Return the squared standard error of an arm's mean."""
    spread = record.dispersion
    if spread is None or not record.n:
        return None
    if spread.type == "SD":
        return spread.low**2 / record.n
    if spread.type == "SE":
        return spread.low**2
    if spread.type == "CI95":
        return ((spread.high - spread.low) / (2.0 * Z975)) ** 2
    return None


def logit(events: float, n: int) -> tuple[float, float, str]:
    """Return the logit of a share of so many people, its variance, and how they were made."""
    x, rest, how = events, n - events, "logit of the proportion"
    if x == 0.0 or rest == 0.0:
        x, rest, how = x + 0.5, rest + 0.5, how + ", 1/2 added to each cell"
    return math.log(x / rest), 1 / x + 1 / rest, how


def _level(record: Record) -> tuple[Effect | None, str]:
    """Return the effect of a group by itself: a proportion or a rate; a mean is none."""
    if record.kind == "median":
        return None, "a median: skewed, and no standard error"
    if _is_control(record) and record.design in (*_CONTROLLED, "cross-sectional"):
        return None, "a control group without a treated group to compare with"
    if record.design in _CONTROLLED and record.kind in ("mean", "slope"):
        return None, "an arm of a controlled study whose partner has no mean, dispersion and n at this time"
    if record.kind == "proportion" and record.value is not None:
        if not record.n:
            return None, "a proportion without the number of people"
        events = record.value * record.n
        if abs(events - round(events)) > 0.25:
            return None, "the proportion is no whole number of people: another denominator"
        y, v, how = logit(float(round(events)), record.n)
        return replace(_effect(record, "proportion", y, v, how), events=float(round(events))), ""
    if record.kind == "rate" and record.value:
        error, how = _standard_error(record, log=True)
        return (None, how) if error is None else (_effect(record, "rate", math.log(record.value), error**2, how), "")
    if record.kind == "slope":
        variance = _variance(record)
        if variance is None or record.value is None:
            return None, "no dispersion was read: no standard error"
        return _effect(record, "slope", record.value, variance, "slope of one group"), ""
    return None, "a group's own course without a comparison"
