"""How certain a pooled result is: GRADE's five reasons to go down, each as a written rule with numbers.

Randomised evidence starts high, controlled but not randomised evidence low, groups without a control very low. A step down is
taken for each rule below that is met, with its reason; three reasons to go up do not apply to trials and are left to the reader,
except a large effect in controlled but not randomised studies that have no step down.

The rules follow the GRADE guidance (Guyatt et al., J Clin Epidemiol 2011;64:380-382 and the series that follows); where the
guidance asks for a judgement, the threshold here is ours and is printed with the reason.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..records.study import Record
from .candidate_effects import MEASURES
from .pool import METHODS, pool_effects
from .pooled import Pooled
from .small_studies import small_studies

LEVELS = ("very low", "low", "moderate", "high")

#: People below which an estimate is imprecise whatever its interval (GRADE's rule of thumb for continuous outcomes).
ENOUGH_PEOPLE = 400
#: People below which it is very imprecise: two steps.
FEW_PEOPLE = 100
#: Share of the weight, %, from which a weakness of the studies counts as one of the estimate.
MAJORITY = 50.0
#: Weeks below which a follow-up is short for diseases that last for life.
SHORT_FOLLOW_UP = 26.0

_WEAK_SOURCES = ("press_release", "secondary_summary", "secondary_table", "secondary_review", "congress_abstract")


@dataclass(frozen=True)
class Judgement:
    """One step (or two) up or down, with its reason."""

    domain: str
    steps: int
    reason: str


@dataclass(frozen=True)
class Certainty:
    """The certainty of one pooled estimate.

    Attributes
    ----------
    level
        very low, low, moderate or high.
    start
        The level that the design starts from.
    downgrades, upgrades
        Each with domain, steps and reason.
    """

    level: str
    downgrades: tuple[Judgement, ...]
    start: str = "high"
    upgrades: tuple[Judgement, ...] = ()


def grade(records: Iterable[Record], pooled: Pooled) -> Certainty:
    """Grade a pooled estimate by the written rules.

    Parameters
    ----------
    records
        The records that were given to `pool`.
    pooled
        What `pool` made of them.

    Returns
    -------
    Certainty
        ``level`` (very low, low, moderate or high) with the reason of every step down or up.

    Raises
    ------
    KeyError
        A record that was pooled is not among the records.

    References
    ----------
    Guyatt GH et al. BMJ 2008;336:924-926 (GRADE).

    Examples
    --------
    >>> import betapod
    >>> trials = betapod.load_evidence().select(endpoint="HbA1c", product="UC-MSC", controls=True)
    >>> pooled = betapod.pool(trials, contrast="between", across=["population"])
    >>> betapod.grade(trials, pooled).level
    'low'
    """
    by_id = {record.id: record for record in records}
    rows = [by_id[effect.records[0]] for effect in pooled.effects]
    shares = dict(zip((row.id for row in rows), pooled.weights, strict=True))
    randomised = sum(shares[row.id] for row in rows if row.design in ("RCT", "pooled-IPD", "meta-analysis"))
    start = "very low" if pooled.contrast != "between" else "high" if randomised >= 100.0 - 1e-9 else "low"
    downgrades = [
        judgement
        for judgement in (
            _bias(rows, shares),
            _inconsistency(pooled) or _within_summaries(rows, shares),
            _indirectness(rows, shares),
            _imprecision(pooled),
            _publication(pooled),
        )
        if judgement is not None
    ]
    raised = _large_effect(pooled, start, downgrades)
    level = LEVELS.index(start) - sum(step.steps for step in downgrades) + sum(step.steps for step in raised)
    return Certainty(LEVELS[max(0, min(level, 3))], tuple(downgrades), start, tuple(raised))


def _bias(rows: list[Record], shares: dict[str, float]) -> Judgement | None:
    weak = [row for row in rows if row.grade[:1] in ("C", "D")]
    retold = [row for row in rows if row.source_level in _WEAK_SOURCES]
    weak_share = sum(shares[row.id] for row in weak)
    heard = sum(shares[row.id] for row in retold)
    steps, reasons = 0, []
    if weak_share >= MAJORITY:
        steps += 1
        reasons.append(f"{weak_share:.0f} % of the weight from studies graded C or D ({_names(weak)})")
    open_label = [row for row in rows if re.search(r"\bopen\b", row.design_text) and row not in weak]
    exposed = weak_share + sum(shares[row.id] for row in open_label)
    if open_label and weak_share < MAJORITY <= exposed:
        steps += 1
        reasons.append(f"{exposed:.0f} % of the weight from open or weak studies")
    if heard >= MAJORITY:
        steps += 1
        reasons.append(
            f"{heard:.0f} % of the weight read in press releases, abstracts of congresses or secondary sources ({_names(retold)})"
        )
    unseen = {row.study: words for row in rows if (words := _not_read(row))}
    share = sum(shares[row.id] for row in rows if row.study in unseen)
    if share >= MAJORITY:
        steps += 1
        named = "; ".join(f"{study}: {words}" for study, words in unseen.items())
        reasons.append(f"a summary of others' studies cannot be surer than what was read of them ({named})")
    return Judgement("risk of bias", min(steps, 2), "; ".join(reasons)) if steps else None


def _not_read(row: Record) -> str:
    """Say what was not read of a summary of others' studies; empty for studies, and for summaries of which both is known."""
    if not row.summarises:
        return ""
    unknown = [] if row.grade[:1].isalpha() else ["risk of bias"]
    unknown += [] if printed_i2(row) is not None else ["I2"]
    return f"{' and '.join(unknown)} not read" if unknown else ""


def printed_i2(row: Record) -> float | None:
    """Return the I2 that a summary of studies prints with a number, %, or None."""
    match = re.search(r"\bI\s*(?:2|\u00b2)\s*[=:]?\s*(\d+(?:\.\d+)?)\s*%", row.quote)
    return float(match[1]) if match else None


def _within_summaries(rows: list[Record], shares: dict[str, float]) -> Judgement | None:
    """Judge how the studies inside a summary agree, from the I2 that it prints."""
    mixed = [row for row in rows if row.summarises and (printed_i2(row) or 0.0) >= 50.0]
    if sum(shares[row.id] for row in mixed) < MAJORITY:
        return None
    words = ", ".join(f"{row.study} {printed_i2(row):.0f} %" for row in mixed)
    return Judgement("inconsistency", 1, f"I2 of 50 or more among the studies of a summary ({words})")


def _inconsistency(pooled: Pooled) -> Judgement | None:
    if pooled.k < 2 or pooled.i2 is None or pooled.q_p is None:
        return None
    low, high = pooled.prediction_interval or (math.nan, math.nan)
    opposed = not pooled.crosses_null and low <= pooled.null <= high
    if pooled.i2 >= 75.0 and pooled.q_p < 0.1:
        return Judgement(
            "inconsistency", 2 if opposed else 1, f"I2 {pooled.i2:.0f} % (75 or more), p of Q {pooled.q_p:.2g}"
        )
    if pooled.i2 >= 50.0 and pooled.q_p < 0.1:
        return Judgement("inconsistency", 1, f"I2 {pooled.i2:.0f} % (50 or more), p of Q {pooled.q_p:.2g}")
    if pooled.k >= 3 and opposed:
        return Judgement("inconsistency", 1, "the interval excludes no effect, the prediction interval does not")
    return None


def _indirectness(rows: list[Record], shares: dict[str, float]) -> Judgement | None:
    reasons = []
    for name in ("population", "product"):
        values = sorted({str(getattr(row, name)) for row in rows})
        if len(values) > 1:
            reasons.append(f"{name}s differ ({', '.join(values)})")
    short = sum(shares[row.id] for row in rows if row.weeks is not None and row.weeks < SHORT_FOLLOW_UP)
    if short >= MAJORITY:
        reasons.append(f"{short:.0f} % of the weight from follow-ups under {SHORT_FOLLOW_UP:.0f} weeks")
    return Judgement("indirectness", min(len(reasons), 2), "; ".join(reasons)) if reasons else None


def _imprecision(pooled: Pooled) -> Judgement | None:
    steps, reasons = 0, []
    # Few studies that agree by chance make Knapp and Hartung's interval too narrow, so the judgement takes the wider one.
    random = pooled.k > 1 and pooled.method in METHODS
    wide = pool_effects(pooled.effects, pooled.method, "adhoc") if random else pooled
    if wide.crosses_null:
        steps += 1
        reasons.append(f"the interval {wide.ci[0]:.3g} to {wide.ci[1]:.3g} contains no effect")
    if pooled.n < ENOUGH_PEOPLE:
        limit = FEW_PEOPLE if pooled.n < FEW_PEOPLE else ENOUGH_PEOPLE
        steps += 2 if limit == FEW_PEOPLE else 1
        reasons.append(f"{pooled.n} people, fewer than {limit}")
    return Judgement("imprecision", min(steps, 2), "; ".join(reasons)) if steps else None


def _publication(pooled: Pooled) -> Judgement | None:
    largest = max((effect.n or 0) for effect in pooled.effects)
    small = small_studies(pooled)
    if small.egger_p is not None and pooled.k >= 10 and small.egger_p < 0.1:
        return Judgement("publication bias", 1, f"small studies differ from large ones (Egger p {small.egger_p:.2g})")
    if largest < 50:
        return Judgement(
            "publication bias",
            1,
            f"only small studies (the largest has {largest} people), whose silence would not be noticed",
        )
    return None


def _large_effect(pooled: Pooled, start: str, downgrades: list[Judgement]) -> list[Judgement]:
    if start != "low" or downgrades or MEASURES[pooled.measure] != "log" or pooled.crosses_null:
        return []
    size = max(pooled.estimate, 1.0 / pooled.estimate)
    if size < 2.0:
        return []
    return [
        Judgement("large effect", 2 if size >= 5.0 else 1, f"a ratio of {pooled.estimate:.2g} with nothing against it")
    ]


def _names(rows: list[Record]) -> str:
    return ", ".join(sorted({row.study for row in rows}))
