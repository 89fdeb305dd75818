"""One estimate with its variance: what a row, or a pair of arms, says on the scale on which studies are pooled."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..records.study import SOURCE_RANK, Record
from .reported_error import reported_error

#: Measures and whether they are analysed as logarithm or logit. `percent_points` is the difference of two groups' changes in
#: percent; `percent` of a comparison is by how many percent the groups differ.
MEASURES = {
    "difference": "",
    "mean_change": "",
    "smd": "",
    "percent": "",
    "percent_points": "",
    "slope": "",
    "hazard_ratio": "log",
    "risk_ratio": "log",
    "odds_ratio": "log",
    "geometric_ratio": "log",
    "rate": "log",
    "rate_ratio": "log",
    "proportion": "logit",
}


@dataclass(frozen=True)
class Exclusion:
    """A record that was not used, with the reason."""

    record: str
    reason: str


@dataclass(frozen=True)
class EffectSize:
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
    shared
        The control group's part of `v`, where it is known: arms against one control have it in common.
    counts
        Events and people of the treated, events and people of the control group, where a ratio was made of them.
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
    shared: float | None = None
    counts: tuple[float, float, float, float] | None = None

    @property
    def treated(self) -> int | None:
        """People in the treated group, where known: half of a stated comparison whose groups are not."""
        if self.contrast != "between" or not self.n:
            return self.n
        if self.controls is not None:
            return self.n - self.controls
        return self.n - self.n // 2 if " vs " in self.arm else self.n

    @property
    def people(self) -> str:
        """Whom `n` counts: ``both groups`` of a comparison, the ``treated`` alone where the source says no more, or the ``group``."""
        if self.contrast != "between" or not self.n:
            return "group" if self.n else ""
        return "both groups" if self.controls is not None or " vs " in self.arm else "treated"

    @property
    def empty(self) -> bool:
        """Whether nobody, or everybody, had the event in both groups: then it says nothing of a ratio."""
        if self.counts is None:
            return False
        a, n1, b, n2 = self.counts
        return (a == 0.0 and b == 0.0) or (a == n1 and b == n2)


#: Arms that are part of another arm.
SUBGROUP = re.compile(r"subgroup|^SCr |, (T2D|no diabetes|UACR|eGFR|no SGLT2i|with SGLT2i|T1D)\b|eGFR 30-", re.I)
#: Designs with a control group of their own.
CONTROLLED = ("RCT", "controlled-trial", "nonrandomised-controlled")


def effect_of(record: Record, measure: str, y: float, v: float, how: str) -> EffectSize:
    """Return an estimate of a row with its variance."""
    return EffectSize(
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


_CONTROL_ARM = re.compile(
    r"\b(placebo|sham|saline|vehicle|dummy|untreated|wait(ing)?[- ]?list)\b"
    r"|\bno (treatment|therapy|cells|infusion|intervention)\b"
    r"|^(controls?|usual|conventional|standard|best supportive|observation|insulin only|intensive insulin)\b",
    re.I,
)


def is_control(record: Record) -> bool:
    """Return whether a row is about a control group."""
    return record.product == "control" or bool(_CONTROL_ARM.search(record.arm))


def variance_of(record: Record) -> float | None:
    """Return the squared standard error of an arm's number on its own scale: of the logarithm for ratios, rates, geometric means."""
    error = reported_error(record, log=record.log or record.kind == "rate").size
    return None if error is None else error**2


def risk_ratio(a: float, n1: float, b: float, n2: float) -> tuple[float, float, str]:
    """Return the logarithm of a ratio of risks, its variance, and how they were made.

    An empty cell gets 1/2 added to it and to the three others, so that both groups grow by one (Gart; Cochrane Handbook 10.4.4.2):
    good for showing one study, not for pooling rare events, see `rare`.
    """
    how = "risk ratio of the arms"
    if a in (0.0, n1) or b in (0.0, n2):
        a, b, n1, n2 = a + 0.5, b + 0.5, n1 + 1.0, n2 + 1.0
        how += ", 1/2 added to each cell"
    return math.log((a / n1) / (b / n2)), 1 / a - 1 / n1 + 1 / b - 1 / n2, how


def logit(events: float, n: int) -> tuple[float, float, str]:
    """Return the logit of a share of so many people, its variance, and how they were made."""
    x, rest, how = events, n - events, "logit of the proportion"
    if x == 0.0 or rest == 0.0:
        x, rest, how = x + 0.5, rest + 0.5, how + ", 1/2 added to each cell"
    return math.log(x / rest), 1 / x + 1 / rest, how
