"""Pooling of one question, with the model that its studies call for (`models`); exclusions with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...base.arguments import as_list, wrong
from ...base.errors import EvidenceError, Problem, not_among
from ..records.registry import Registry
from ..records.study import Record
from .arm_pairs import NO_RATIO
from .candidate_effects import ALONE, MEASURES, EffectSize, Exclusion, candidates
from .models import CHOICES, DISAGREE, INTERVALS, METHODS, fit
from .overlapping_reports import one_per_family
from .pooled import Pooled, back_to_scale
from .rare_events import mantel_haenszel, peto

__all__ = [
    "CHOICES",
    "DISAGREE",
    "INTERVALS",
    "METHODS",
    "PooledQuestion",
    "pool",
    "pool_effects",
    "synthesise",
]

#: What may differ among records that are pooled, where somebody says so knowingly.
MAY_DIFFER = ("population", "product")
_CONTRASTS = {"between": "controlled", "change": "before/after", "level": "single groups"}


def pool(
    records: Iterable[Record],
    *,
    contrast: str | None = None,
    measure: str | None = None,
    weeks: float | None = None,
    method: str = "auto",
    interval: str = "auto",
    across: Sequence[str] = (),
) -> Pooled:
    """Pool records of one question: one population, one treatment, one endpoint, one measure.

    Parameters
    ----------
    records
        Of a registry, chosen by `Registry.select`.
    contrast
        ``between`` (controlled), ``change`` (before/after) or ``level`` (groups by themselves). By default the first of these
        that any study offers; the others are then excluded, never mixed in.
    measure
        One of ``effects.MEASURES``, where the records offer several.
    weeks
        Follow-up asked for, week: the nearest of each family; by default the longest of each family's largest report.
    method
        auto (see `models`), REML, DL (DerSimonian and Laird, never negative), ML, common (inverse variance), MH (Mantel and
        Haenszel), Peto or GLMM (logistic regression).
    interval
        Of random effects: knha (Knapp and Hartung), adhoc (the same, but with an error never below the normal one) or normal.
    across
        ``population`` or ``product``: may differ, knowingly; the reasons say so.

    Returns
    -------
    Pooled
        Estimate with 95 % interval, heterogeneity, and every record that was excluded with the reason.

    Raises
    ------
    EvidenceError
        What must not be pooled, or nothing left to pool, with every reason.

    References
    ----------
    Knapp G, Hartung J. Stat Med 2003;22:2693-2710. DerSimonian R, Laird N. Control Clin Trials 1986;7:177-188. Viechtbauer W. Stat Med
    2007;26:37-52 (Q-profile interval).

    Examples
    --------
    >>> import betapod
    >>> trials = betapod.load_evidence().select(endpoint="HbA1c", product="UC-MSC", controls=True)
    >>> betapod.pool(trials, contrast="between", across=["population"]).unit
    '%'
    """
    listed_records = as_list(records)
    if listed_records is None or not all(isinstance(record, Record) for record in listed_records):
        raise EvidenceError(wrong("records", records, "records, such as those of load_evidence().select(...)"))
    records = listed_records
    problems = _unknown_names(method, interval, across, contrast, measure)
    if problems:
        raise EvidenceError(problems)
    excluded, records = _one_kind_of_source(records)
    effects, more = candidates(records)
    excluded += more
    effects, more = _one_contrast(effects, contrast)
    excluded += more
    by_id = {record.id: record for record in records}
    problems = _mixtures(effects, by_id, across, measure)
    if problems:
        raise EvidenceError(problems)
    if measure is not None:
        excluded += [
            Exclusion(name, f"a {e.measure}, not a {measure}")
            for e in effects
            if e.measure != measure
            for name in e.records
        ]
        effects = [e for e in effects if e.measure == measure]
    effects, more = one_per_family(effects, weeks)
    excluded += more
    excluded += [Exclusion(name, NO_RATIO) for e in effects if e.empty for name in e.records]
    effects = [e for e in effects if not e.empty]
    if not effects:
        raise EvidenceError(_nothing_left(excluded))
    notes = [
        f"{name}s differ: {', '.join(sorted(_values(effects, by_id, name)))}"
        for name in across
        if len(_values(effects, by_id, name)) > 1
    ]
    notes += [
        f"{e.study} is a summary of others' studies: they must not be counted beside it"
        for e in effects
        if by_id[e.records[0]].summarises
    ]
    notes += [f"{e.study}: an arm of a controlled study{ALONE}" for e in effects if ALONE in e.how]
    if problems := _unfit(effects, method, interval):
        raise EvidenceError(problems)
    return _pooled(effects, method, interval, excluded, notes)


def pool_effects(effects: Sequence[EffectSize], method: str = "REML", interval: str = "auto") -> Pooled:
    """Pool effects that are known to be independent and of one measure; EvidenceError where there is no such method or interval."""
    if problems := _unknown_names(method, interval, (), None, None):
        raise EvidenceError(problems)
    return _pooled(list(effects), method, interval, [], [])


def _unknown_names(
    method: str, interval: str, across: Sequence[str], contrast: str | None, measure: str | None
) -> list[Problem]:
    named: list[tuple[str, Iterable[str], Sequence[str | None]]] = [
        ("method", CHOICES, [method]),
        ("interval", INTERVALS, [interval]),
        ("contrast", _CONTRASTS, [contrast]),
        ("measure", MEASURES, [measure]),
        ("class that may differ", MAY_DIFFER, across),
    ]
    return [
        not_among(allowed, f"unknown-{kind.split()[0]}", f"there is no {kind} {name!r}", name)
        for kind, allowed, names in named
        for name in names
        if name is not None and name not in allowed
    ]


def _unfit(effects: Sequence[EffectSize], method: str, interval: str) -> list[Problem]:
    """Return why a method cannot be used with these effects, or an interval with this method."""
    problems = []
    if method not in ("auto", *METHODS) and interval not in ("auto", "normal"):
        message = f"the interval {interval!r} belongs to random effects, not to {method}"
        problems.append(Problem("wrong-interval", message, expected=f"{', '.join(METHODS)}, or no interval"))
    if method in ("MH", "Peto") and any(e.counts is None for e in effects):
        message = f"{method} needs the events of both groups of every study"
        names = ", ".join(e.study for e in effects if e.counts is None)
        problems.append(Problem("no-counts", message, found=f"no counts: {names}", hint="Leave the method out."))
    elif method == "MH" and mantel_haenszel([e.counts for e in effects if e.counts is not None]) is None:
        problems.append(Problem("no-counts", "one side has no event at all: no ratio of risks", hint="Try Peto."))
    if method == "GLMM" and any(e.events is None for e in effects):
        problems.append(Problem("no-counts", "GLMM is for shares of single groups", hint="Leave the method out."))
    return problems


def _one_kind_of_source(records: list[Record]) -> tuple[list[Exclusion], list[Record]]:
    """Set meta-analyses aside: they hold the same trials as the studies, and as each other."""
    reviews = [record for record in records if record.design in ("meta-analysis", "review")]
    if not reviews:
        return [], records
    if len({record.family for record in records}) == 1:
        return [], records
    reason = "a meta-analysis: its trials overlap with the studies and with other meta-analyses"
    return [Exclusion(record.id, reason) for record in reviews], [r for r in records if r not in reviews]


def _one_contrast(effects: list[EffectSize], wanted: str | None) -> tuple[list[EffectSize], list[Exclusion]]:
    present = [name for name in ("between", "change", "level") if any(e.contrast == name for e in effects)]
    if wanted is None:
        wanted = present[0] if present else "between"
    excluded = [
        Exclusion(
            name,
            NO_RATIO
            if NO_RATIO in e.how
            else f"{_CONTRASTS[e.contrast]} data are never pooled with {_CONTRASTS[wanted]} data",
        )
        for e in effects
        if e.contrast != wanted
        for name in e.records
    ]
    used = {name for e in effects if e.contrast == wanted for name in e.records}
    return [e for e in effects if e.contrast == wanted], [r for r in excluded if r.record not in used]


def _values(effects: Sequence[EffectSize], by_id: dict[str, Record], name: str) -> set[str]:
    return {str(getattr(by_id[effect.records[0]], name)) for effect in effects}


def _mixtures(
    effects: Sequence[EffectSize], by_id: dict[str, Record], across: Sequence[str], measure: str | None
) -> list[Problem]:
    problems = []
    same = [effect for effect in effects if measure is None or effect.measure == measure]
    for name in ("endpoint", "population", "product"):
        values = _values(same, by_id, name)
        if len(values) > 1 and name not in across:
            hint = f"Select one {name}" + (
                f", or allow several knowingly: across {name} (option --across, argument across)."
                if name != "endpoint"
                else "."
            )
            problems.append(
                Problem(
                    f"mixed-{name}",
                    f"several {name}s must not be pooled unasked",
                    found=", ".join(sorted(values)),
                    hint=hint,
                )
            )
    measures = sorted({effect.measure for effect in effects})
    if len(measures) > 1 and measure is None:
        problems.append(
            Problem(
                "mixed-measure",
                "these are not the same measure",
                found=", ".join(measures),
                hint="Choose one measure (option --measure, argument measure).",
            )
        )
    units = sorted({effect.unit for effect in effects if effect.measure == (measure or effect.measure)})
    if len(measures) <= 1 and len(units) > 1:
        problems.append(Problem("mixed-unit", "these are not in one unit", found=", ".join(units)))
    return problems


def _nothing_left(excluded: Sequence[Exclusion]) -> Problem:
    reasons: dict[str, list[str]] = {}
    for exclusion in excluded:
        reasons.setdefault(exclusion.reason, []).append(exclusion.record)
    text = "; ".join(
        f"{reason} ({len(names)}: {names[0]}{' ...' if len(names) > 1 else ''})" for reason, names in reasons.items()
    )
    return Problem("nothing-to-pool", "no record of these can be pooled", found=text or "no records")


def _pooled(
    effects: list[EffectSize], method: str, interval: str, excluded: list[Exclusion], notes: list[str]
) -> Pooled:
    effects = sorted(effects, key=lambda e: (e.study, e.arm))
    fitted = fit(effects, method, interval)
    measure = fitted.measure or effects[0].measure
    if measure != effects[0].measure:
        effects = [_as_odds(effect) for effect in effects]
    back = back_to_scale(measure)
    estimate, low, high = fitted.exact or (back(fitted.mu), back(fitted.ci[0]), back(fitted.ci[1]))
    prediction = fitted.prediction
    return Pooled(
        estimate=estimate,
        ci=(low, high),
        prediction_interval=None if prediction is None else (back(prediction[0]), back(prediction[1])),
        tau2=fitted.tau2,
        i2=fitted.i2,
        k=len(effects),
        reasons=(*notes, *fitted.notes, *_summary(excluded)),
        measure=measure,
        contrast=effects[0].contrast,
        endpoint=effects[0].endpoint,
        unit=effects[0].unit,
        method=fitted.method,
        mu=fitted.mu,
        se=fitted.se,
        p=fitted.p,
        q=fitted.q,
        q_p=fitted.q_p,
        tau2_ci=fitted.tau2_ci,
        n=sum(effect.n or 0 for effect in effects),
        effects=tuple(effects),
        weights=fitted.weights,
        excluded=tuple(excluded),
        interval=fitted.interval,
    )


def _as_odds(effect: EffectSize) -> EffectSize:
    """Return a comparison of counts as Peto's odds ratio, so that studies stand beside their pooled estimate on one scale."""
    odds = None if effect.counts is None else peto([effect.counts])
    if odds is None:
        return effect
    return replace(effect, measure="odds_ratio", y=odds[0], v=odds[1] ** 2, how="Peto's odds ratio of the arms")


def _summary(excluded: Sequence[Exclusion]) -> list[str]:
    counts: dict[str, int] = {}
    for exclusion in excluded:
        counts[exclusion.reason] = counts.get(exclusion.reason, 0) + 1
    return [f"excluded {count}: {reason}" for reason, count in counts.items()]


@dataclass(frozen=True)
class PooledQuestion:
    """One question put to the registry, and its answer: a pooled estimate, or why there is none."""

    population: str
    product: str
    endpoint: str
    measure: str
    contrast: str
    pooled: Pooled | None
    problem: Problem | None


def synthesise(registry: Registry, method: str = "auto") -> list[PooledQuestion]:
    """Pool everything that may be pooled, by population, product, endpoint, contrast and measure; say of the rest why not.

    Raises
    ------
    EvidenceError
        There is no such method.
    """
    if problems := _unknown_names(method, "auto", (), None, None):
        raise EvidenceError(problems)
    groups: list[PooledQuestion] = []
    questions = dict.fromkeys((r.population, r.product, r.endpoint) for r in registry.records if r.product != "control")
    for population, product, endpoint in questions:
        records = registry.select(population=population, product=product, endpoint=endpoint, tag=None, controls=True)
        aside, rest = _one_kind_of_source(records)
        effects, excluded = candidates(rest)
        kinds = dict.fromkeys((e.contrast, e.measure) for e in effects)
        if not kinds:
            groups.append(
                PooledQuestion(population, product, endpoint, "", "", None, _nothing_left([*aside, *excluded]))
            )
        for contrast, measure in kinds:
            try:
                pooled = pool(records, contrast=contrast, measure=measure, method=method)
            except EvidenceError as error:
                groups.append(PooledQuestion(population, product, endpoint, measure, contrast, None, error.problems[0]))
            else:
                groups.append(PooledQuestion(population, product, endpoint, measure, contrast, pooled, None))
    return groups
