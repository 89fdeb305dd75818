"""Random-effects pooling (PyMARE) with Knapp-Hartung interval, prediction interval and heterogeneity; refusals with reasons."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import EvidenceError, Problem, not_among
from .effects import MEASURES, Effect, Refusal, candidates
from .families import one_per_family
from .heterogeneity import tau2_interval, tau2_of
from .registry import Registry
from .study import Record

METHODS = ("REML", "DL", "ML")
#: As metafor names them: Knapp and Hartung's, the same but never narrower than the normal one, the normal one.
INTERVALS = ("knha", "adhoc", "normal")
#: What may differ among records that are pooled, where somebody says so knowingly.
MAY_DIFFER = ("population", "product")
_CONTRASTS = {"between": "controlled", "change": "before/after", "level": "single groups"}


@dataclass(frozen=True)
class Pooled:
    """A pooled estimate. Ratios, rates and proportions are on their own scale, `mu` and `se` on the scale of analysis.

    Attributes
    ----------
    estimate, ci
        With the 95 % interval: by default Knapp and Hartung's with t on k - 1 degrees of freedom; for one study the normal one.
    prediction_interval
        Where 95 % of the true effects of such studies are expected; None for one study.
    tau2, tau2_ci
        Variance between studies on the scale of analysis, with the Q-profile interval (infinite where it has no end).
    i2
        Share of the variance that is between studies, %, from `tau2` (as metafor).
    q, q_p
        Cochran's Q and its p value.
    k, n
        Independent studies, people in them as far as stated.
    reasons
        What was refused or must be known, one sentence each.
    """

    estimate: float
    ci: tuple[float, float]
    prediction_interval: tuple[float, float] | None
    tau2: float | None
    i2: float | None
    k: int
    reasons: tuple[str, ...]
    measure: str
    contrast: str
    endpoint: str
    unit: str
    method: str
    mu: float
    se: float
    p: float
    q: float | None
    q_p: float | None
    tau2_ci: tuple[float, float] | None
    n: int
    effects: tuple[Effect, ...]
    weights: tuple[float, ...]
    refused: tuple[Refusal, ...]
    interval: str = "knha"

    @property
    def null(self) -> float:
        """The value of no effect, nan for a proportion, a rate or a slope of one group."""
        if self.contrast == "level":
            return math.nan
        return 1.0 if MEASURES[self.measure] == "log" else 0.0

    @property
    def crosses_null(self) -> bool:
        """Whether the interval contains no effect."""
        return self.ci[0] <= self.null <= self.ci[1]


def pool(
    records: Iterable[Record],
    *,
    contrast: str | None = None,
    measure: str | None = None,
    weeks: float | None = None,
    method: str = "REML",
    interval: str = "knha",
    across: Sequence[str] = (),
) -> Pooled:
    """Pool records of one question: one population, one treatment, one endpoint, one measure.

    Parameters
    ----------
    contrast
        ``between`` (controlled), ``change`` (before/after) or ``level`` (groups by themselves). By default the first of these
        that any study offers; the others are then refused, never mixed in.
    measure
        One of ``effects.MEASURES``, where the records offer several.
    weeks
        Follow-up asked for, week: the nearest of each family; by default the longest of each family's largest report.
    method
        REML, DL (DerSimonian and Laird, never negative) or ML.
    interval
        knha (Knapp and Hartung), adhoc (the same, but with an error never below the normal one) or normal.
    across
        ``population`` or ``product``: may differ, knowingly; the reasons say so.

    Raises
    ------
    EvidenceError
        What must not be pooled, or nothing left to pool, with every reason.
    """
    records = list(records)
    problems = _unknown_names(method, interval, across, contrast, measure)
    if problems:
        raise EvidenceError(problems)
    refused, records = _one_kind_of_source(records)
    effects, more = candidates(records)
    refused += more
    effects, more = _one_contrast(effects, contrast)
    refused += more
    by_id = {record.id: record for record in records}
    problems = _mixtures(effects, by_id, across, measure)
    if problems:
        raise EvidenceError(problems)
    if measure is not None:
        refused += [
            Refusal(name, f"a {e.measure}, not a {measure}")
            for e in effects
            if e.measure != measure
            for name in e.records
        ]
        effects = [e for e in effects if e.measure == measure]
    effects, more = one_per_family(effects, weeks)
    refused += more
    if not effects:
        raise EvidenceError(_nothing_left(refused))
    notes = [
        f"{name}s differ: {', '.join(sorted(_values(effects, by_id, name)))}"
        for name in across
        if len(_values(effects, by_id, name)) > 1
    ]
    return _pooled(effects, method, interval, refused, notes)


def pool_effects(effects: Sequence[Effect], method: str = "REML", interval: str = "knha") -> Pooled:
    """Pool effects that are known to be independent and of one measure."""
    return _pooled(list(effects), method, interval, [], [])


def _unknown_names(
    method: str, interval: str, across: Sequence[str], contrast: str | None, measure: str | None
) -> list[Problem]:
    named: list[tuple[str, Iterable[str], Sequence[str | None]]] = [
        ("method", METHODS, [method]),
        ("interval", INTERVALS, [interval]),
        ("contrast", _CONTRASTS, [contrast]),
        ("measure", MEASURES, [measure]),
        ("class that may differ", MAY_DIFFER, across),
    ]
    return [
        not_among(known, f"unknown-{what.split()[0]}", f"there is no {what} {name!r}", name)
        for what, known, names in named
        for name in names
        if name is not None and name not in known
    ]


def _one_kind_of_source(records: list[Record]) -> tuple[list[Refusal], list[Record]]:
    """Set meta-analyses aside: they hold the same trials as the studies, and as each other."""
    reviews = [record for record in records if record.design in ("meta-analysis", "review")]
    if not reviews:
        return [], records
    if len({record.family for record in records}) == 1:
        return [], records
    reason = "a meta-analysis: its trials overlap with the studies and with other meta-analyses"
    return [Refusal(record.id, reason) for record in reviews], [r for r in records if r not in reviews]


def _one_contrast(effects: list[Effect], wanted: str | None) -> tuple[list[Effect], list[Refusal]]:
    present = [name for name in ("between", "change", "level") if any(e.contrast == name for e in effects)]
    if wanted is None:
        wanted = present[0] if present else "between"
    refused = [
        Refusal(name, f"{_CONTRASTS[e.contrast]} data are never pooled with {_CONTRASTS[wanted]} data")
        for e in effects
        if e.contrast != wanted
        for name in e.records
    ]
    used = {name for e in effects if e.contrast == wanted for name in e.records}
    return [e for e in effects if e.contrast == wanted], [r for r in refused if r.record not in used]


def _values(effects: Sequence[Effect], by_id: dict[str, Record], name: str) -> set[str]:
    return {str(getattr(by_id[effect.records[0]], name)) for effect in effects}


def _mixtures(
    effects: Sequence[Effect], by_id: dict[str, Record], across: Sequence[str], measure: str | None
) -> list[Problem]:
    problems = []
    same = [effect for effect in effects if measure is None or effect.measure == measure]
    for name in ("endpoint", "population", "product"):
        found = _values(same, by_id, name)
        if len(found) > 1 and name not in across:
            hint = f"Select one {name}" + (
                f", or allow several knowingly: across=({name!r},), --across {name}." if name != "endpoint" else "."
            )
            problems.append(
                Problem(
                    f"mixed-{name}",
                    f"several {name}s must not be pooled unasked",
                    found=", ".join(sorted(found)),
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
                hint="Choose one: measure=..., --measure ...",
            )
        )
    units = sorted({effect.unit for effect in effects if effect.measure == (measure or effect.measure)})
    if len(measures) <= 1 and len(units) > 1:
        problems.append(Problem("mixed-unit", "these are not in one unit", found=", ".join(units)))
    return problems


def _nothing_left(refused: Sequence[Refusal]) -> Problem:
    reasons: dict[str, list[str]] = {}
    for one in refused:
        reasons.setdefault(one.reason, []).append(one.record)
    text = "; ".join(
        f"{reason} ({len(names)}: {names[0]}{' ...' if len(names) > 1 else ''})" for reason, names in reasons.items()
    )
    return Problem("nothing-to-pool", "no record of these can be pooled", found=text or "no records")


def _pooled(effects: list[Effect], method: str, interval: str, refused: list[Refusal], notes: list[str]) -> Pooled:
    import numpy as np
    from scipy import stats

    effects = sorted(effects, key=lambda e: (e.study, e.arm))
    y, v = np.array([e.y for e in effects]), np.array([e.v for e in effects])
    k = len(effects)
    tau2 = tau2_of(y, v, method) if k > 1 else 0.0
    weights = 1.0 / (v + tau2)
    mu = float(weights @ y / weights.sum())
    se = float(1.0 / math.sqrt(weights.sum()))
    quantile = float(stats.norm.isf(0.025))
    q = q_p = i2 = None
    tau2_ci = None
    spread: tuple[float, float] | None = None
    if k > 1:
        normal = se
        if interval != "normal":
            quantile = float(stats.t.isf(0.025, k - 1))
            scatter = math.sqrt(float(weights @ (y - mu) ** 2) / (k - 1))
            if scatter < 1e-9:
                notes.append("the studies are identical: Knapp and Hartung's error would be 0, the normal one is kept")
            else:
                se *= scatter if interval == "knha" else max(1.0, scatter)
            if se * quantile < normal * float(stats.norm.isf(0.025)):
                notes.append("the Knapp-Hartung interval is narrower than the normal one: the studies agree by chance")
        half = quantile * math.sqrt(tau2 + se**2)
        spread = (mu - half, mu + half)
        fixed = 1.0 / v
        q = float(fixed @ (y - fixed @ y / fixed.sum()) ** 2)
        q_p = float(stats.chi2.sf(q, k - 1))
        typical = (k - 1) * fixed.sum() / (fixed.sum() ** 2 - (fixed**2).sum())
        i2 = float(100.0 * tau2 / (tau2 + typical))
        tau2_ci = tau2_interval(y, v)
        if k < 5:
            notes.append(f"{k} studies: the variance between studies is hardly known")
    else:
        notes.append("one independent study: nothing is pooled, the interval is its own")
    statistic = abs(mu) / se
    p = 2.0 * float(stats.t.sf(statistic, k - 1) if interval != "normal" and k > 1 else stats.norm.sf(statistic))
    back = back_to_scale(effects[0].measure)
    return Pooled(
        estimate=back(mu),
        ci=(back(mu - quantile * se), back(mu + quantile * se)),
        prediction_interval=None if spread is None else (back(spread[0]), back(spread[1])),
        tau2=tau2 if k > 1 else None,
        i2=i2,
        k=k,
        reasons=(*notes, *_summary(refused)),
        measure=effects[0].measure,
        contrast=effects[0].contrast,
        endpoint=effects[0].endpoint,
        unit=effects[0].unit,
        method=method,
        mu=mu,
        se=se,
        p=p,
        q=q,
        q_p=q_p,
        tau2_ci=tau2_ci,
        n=sum(effect.n or 0 for effect in effects),
        effects=tuple(effects),
        weights=tuple(float(w) for w in 100.0 * weights / weights.sum()),
        refused=tuple(refused),
        interval=interval,
    )


def _summary(refused: Sequence[Refusal]) -> list[str]:
    counts: dict[str, int] = {}
    for one in refused:
        counts[one.reason] = counts.get(one.reason, 0) + 1
    return [f"refused {count}: {reason}" for reason, count in counts.items()]


def back_to_scale(measure: str) -> Any:
    """Return the function from the scale of analysis back to the measure's own."""
    scale = MEASURES[measure]
    if scale == "log":
        return math.exp
    if scale == "logit":
        return lambda x: 1.0 / (1.0 + math.exp(-x))
    return float


@dataclass(frozen=True)
class Group:
    """One question put to the registry, and its answer: a pooled estimate, or why there is none."""

    population: str
    product: str
    endpoint: str
    measure: str
    contrast: str
    pooled: Pooled | None
    problem: Problem | None


def synthesise(registry: Registry, method: str = "REML") -> list[Group]:
    """Pool everything that may be pooled, by population, product, endpoint, contrast and measure; say of the rest why not.

    Raises
    ------
    EvidenceError
        There is no such method.
    """
    if problems := _unknown_names(method, INTERVALS[0], (), None, None):
        raise EvidenceError(problems)
    groups: list[Group] = []
    questions = dict.fromkeys((r.population, r.product, r.endpoint) for r in registry.records if r.product != "control")
    for population, product, endpoint in questions:
        records = registry.select(population=population, product=product, endpoint=endpoint, tag=None, controls=True)
        aside, rest = _one_kind_of_source(records)
        effects, refused = candidates(rest)
        kinds = dict.fromkeys((e.contrast, e.measure) for e in effects)
        if not kinds:
            groups.append(Group(population, product, endpoint, "", "", None, _nothing_left([*aside, *refused])))
        for contrast, measure in kinds:
            try:
                pooled = pool(records, contrast=contrast, measure=measure, method=method)
            except EvidenceError as error:
                groups.append(Group(population, product, endpoint, measure, contrast, None, error.problems[0]))
            else:
                groups.append(Group(population, product, endpoint, measure, contrast, pooled, None))
    return groups
