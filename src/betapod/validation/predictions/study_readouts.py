"""Readouts: how a published statistic is computed from the courses of virtual patients."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...base.constants import DAYS_PER_WEEK, DAYS_PER_YEAR
from ...evidence.records import vocabulary
from ...evidence.records.study import Record
from ...observables.outcomes import SHARES
from .study_events import FORMS, CountedEvent, event_of
from .visits import Numbers, Readings, compared, observable_of

#: Weeks between the visits through which a slope is laid, or of which an average is made.
_STEP = 26.0
#: Fewest visits that a slope is laid through, where there are as many.
_VISITS = 3
#: Week from which chronic slopes are laid; trials begin in week 3 or 4.
_CHRONIC = 4.0
#: Quantities of the registry that are another one in time: quantity, first week (below 0: before the last), whether relative to
#: the start.
_SLOPES = {
    "eGFR_slope": ("eGFR", 0.0, ""),
    "mGFR_slope": ("mGFR", 0.0, ""),
    "mGFR_slope_absolute": ("GFR_absolute", 0.0, ""),
    "GFR_slope_absolute": ("GFR_absolute", 0.0, ""),
    "GFR_slope": ("mGFR", 0.0, ""),
    "mGFR_slope_initial": ("mGFR", 0.0, ""),
    "mGFR_slope_sustained": ("mGFR", 13.0, ""),
    "eGFR_slope_initiation": ("eGFR", 0.0, ""),
    "eGFR_slope_cessation": ("eGFR", -4.0, ""),
    "eGFR_slope_pct": ("eGFR", 0.0, "percent"),
    "UAER_growth_pct": ("UAER", 0.0, "growth"),
    "C_peptide_slope": ("stimulated_C_peptide", 0.0, ""),
    "beta_cell_function_slope_pct": ("HOMA_B", 0.0, "percent"),
}
#: Statistics that are means over a time, not values at its end.
_AVERAGE = re.compile(r"\bduring (study|follow-up)\b|\bover \d+ y|\bphase\b")

#: Weeks between which a slope is laid, where the statistic says so in months.
_MONTHS = re.compile(r"\bmonths (\d+)-(\d+)\b")
_WEEKS_PER_MONTH = 52.0 / 12.0

_SERIOUS = ("p_thrombosis", "p_artery", "p_bleeding", "p_portal_clot")
_RELATED = ("p_fever", "p_reaction", *_SERIOUS)
#: Adverse events of the registry, and the risks of `therapies.cell_risks` of which a course has at least one. That fever and
#: reactions are never serious, and the others always, is assumed.
RISKS = {
    "adverse_event:transient_fever": ("p_fever",),
    "adverse_event:infusion_reaction": ("p_reaction",),
    "adverse_event:acute_infusion_AE": ("p_fever", "p_reaction"),
    "adverse_event:thrombophlebitis": ("p_thrombosis",),
    "adverse_event:donor_specific_antibody": ("p_antibody",),
    "adverse_event:persistent_donor_specific_antibody": ("p_antibody",),
    "adverse_event:procedural_bleeding": ("p_bleeding",),
    "adverse_event:bleed_requiring_transfusion": ("p_bleeding",),
    "adverse_event:any_MSC_related": _RELATED,
    "adverse_event:any_treatment_related": _RELATED,
    "adverse_event:treatment_related_SAE": _SERIOUS,
    "adverse_event:major_treatment_related": _SERIOUS,
}

#: Statistic of a group: numbers of people (..., people) -> (...).
Group = Callable[[Numbers], Numbers]


def _mean(x: Numbers) -> Numbers:
    return np.asarray(np.mean(x, axis=-1), dtype=np.float64)


def _median(x: Numbers) -> Numbers:
    return np.asarray(np.median(x, axis=-1), dtype=np.float64)


def _geometric_mean(x: Numbers) -> Numbers:
    return np.asarray(np.exp(np.mean(np.log(np.maximum(x, 1e-9)), axis=-1)), dtype=np.float64)


@dataclass(frozen=True)
class Readout:
    """How a row is made of people.

    Attributes
    ----------
    quantity, condition, risk, event
        One of them: an id of `visits.compared`, a key of `SHARES`, a value of `RISKS`, or what is counted until it happens.
    form
        ``level``, ``average``, ``change``, ``ratio`` (percent and ratios), ``slope``; ``share``, ``rate``, ``hazard ratio``,
        ``risk ratio``, ``odds ratio`` or ``difference`` of an event.
    median
        Whether the group is summarised by its median.
    geometric
        Whether the group is summarised by its geometric mean.
    scale
        ``linear``, ``log`` or ``share``: how observed and predicted are compared.
    start
        Week from which a slope is laid: a chronic slope leaves the acute effect of a drug out.
    relative_slope
        ``percent`` of the start per year, ``growth`` in percent per year of what grows by a factor.
    reduction
        Whether a contrast is the percentage by which the slope of the other group is reduced.
    """

    quantity: str = ""
    condition: str = ""
    form: str = "level"
    median: bool = False
    scale: str = "linear"
    start: float = 0.0
    risk: tuple[str, ...] = ()
    event: CountedEvent | None = None
    relative_slope: str = ""
    reduction: bool = False
    geometric: bool = False

    @property
    def group(self) -> Group:
        """The statistic of a group."""
        return _median if self.median else _geometric_mean if self.geometric else _mean

    @property
    def skewed(self) -> bool:
        """Whether it is an arithmetic mean of what is log-normal: errors of measurement would raise it."""
        ratio = self.form == "ratio" and self.scale == "log"
        return (
            bool(self.quantity)
            and compared()[self.quantity].compared != "linear"
            and not (self.median or self.geometric or ratio)
        )

    @property
    def relative(self) -> bool:
        """Whether the model has the course of the quantity but not its level."""
        return bool(self.quantity) and compared()[self.quantity].compared == "course"

    @property
    def note(self) -> str:
        """What stands for what."""
        if self.event is not None:
            return self.event.note
        return compared()[self.quantity].stands_for if self.quantity else ""

    def weeks(self, last: float) -> list[float]:
        """Return the weeks at which people must be known, besides the start."""
        if self.event is not None:
            return self.event.weeks(last)
        if self.form in ("slope", "average"):
            count = max(2, round((last - self.start) / _STEP) + 1)
            return [float(week) for week in np.linspace(self.start, last, count)]
        return [0.0, last]

    def known_until(self, last: float) -> float:
        """Return the week that people must reach without kidney failure: that of a slope's third visit, or the last."""
        weeks = self.weeks(last)
        return weeks[min(_VISITS, len(weeks)) - 1] if self.form == "slope" else last

    def people(self, observed: Readings, week: float, per_kg: bool) -> Numbers:
        """Return one number per person: on the scale of logarithms for `log`."""
        if self.condition:
            return SHARES[self.condition](observed, week).astype(np.float64)

        def value(at: float) -> Numbers:
            numbers = observed(self.quantity, at)
            return np.asarray(numbers / observed("body_weight", at) if per_kg else numbers, dtype=np.float64)

        if self.form == "slope":
            return self._slope(value, week)
        if self.form == "average" and week > 0:
            return np.asarray(np.mean([value(at) for at in self.weeks(week)], axis=0), dtype=np.float64)
        if self.form == "ratio" and self.scale == "log":
            ratio = np.maximum(value(week), 1e-9) / np.maximum(value(0.0), 1e-9)
            return np.asarray(np.log(ratio), dtype=np.float64)
        if self.form == "ratio":
            start = value(0.0)
            # The ratio of means, linearised at the group's mean: people near zero would rule a mean of ratios.
            mean = np.maximum(start.mean(axis=-1, keepdims=True), 1e-9)
            return np.asarray(100.0 * (value(week) - start) / mean, dtype=np.float64)
        numbers = value(week) - value(0.0) if self.form == "change" else value(week)
        return np.asarray(numbers, dtype=np.float64)

    def _slope(self, value: Callable[[float], Numbers], last: float) -> Numbers:
        weeks = np.array(self.weeks(last))
        table = np.stack([value(at) for at in weeks], axis=-1)
        if self.relative_slope == "growth":
            table = np.log(np.maximum(table, 1e-9))
        # People who reach kidney failure have the visits until then.
        finite = np.isfinite(table)
        middle = np.sum(finite * weeks, axis=-1, keepdims=True) / finite.sum(axis=-1, keepdims=True)
        years = finite * (weeks - middle) * DAYS_PER_WEEK / DAYS_PER_YEAR
        slope = np.asarray(np.sum(years * np.where(finite, table, 0.0), axis=-1) / np.sum(years**2, axis=-1))
        if self.relative_slope == "growth":
            # Linearised at the group's mean: errors of measurement would inflate a mean of exponentials.
            mean = slope.mean(axis=-1, keepdims=True)
            return np.asarray(100.0 * (np.exp(mean) * (1.0 + slope - mean) - 1.0), dtype=np.float64)
        return 100.0 * slope / np.maximum(value(0.0), 1e-9) if self.relative_slope else slope


def readout_of(record: Record) -> Readout | None:
    """Return how a row is made of people, or None where the model does not have it."""
    name, kind = observable_of(record.endpoint), record.kind
    if name == "eGFR" and "mGFR" in record.statistic_text:
        name = "mGFR"
    if record.endpoint_text in RISKS and kind == "proportion":
        return Readout(risk=RISKS[record.endpoint_text], scale="share")
    if name in SHARES:
        scale = {"proportion": "share", "difference": "linear"}.get(kind)
        return Readout(condition=name, scale=scale) if scale else None
    event = event_of(record)
    if event is not None and kind in FORMS:
        form = FORMS[kind]
        return Readout(event=event, form=form, scale={"share": "share", "difference": "linear"}.get(form, "log"))
    if name in _SLOPES:
        return _slope_of(record, name)
    if name not in compared():
        return None
    observable = compared()[name]
    scale = "linear" if observable.compared == "linear" else "log"
    if kind == "geometric_ratio":
        return Readout(name, form="ratio", scale="log")
    if kind == "percent":
        # By how many percent two groups differ is a ratio; what one group moved by is a mean of its own where it is not skewed.
        return Readout(name, form="ratio", scale="log" if record.contrast == "between" else scale)
    if kind in ("mean", "median", "difference", "geometric_mean"):
        if not _in_its_unit(record):
            return None
        form = "change" if record.contrast in ("change", "between") else "level"
        if observable.compared == "course" and form == "change":
            return None
        # Arms that were allocated began alike: the difference of their averages is that of the changes.
        if record.contrast != "change" and _AVERAGE.search(record.statistic_text):
            form = "average"
        if form != "change":
            geometric = kind == "geometric_mean"
            return Readout(
                name, form=form, median=kind == "median", scale="log" if geometric else scale, geometric=geometric
            )
        return Readout(name, form=form, median=kind == "median")
    return None


def _in_its_unit(record: Record) -> bool:
    """Return whether a number is in a unit of its quantity: percentages and ratios of what is measured in mg/g are none."""
    usual_unit = vocabulary.endpoints().get(record.endpoint_text, vocabulary.EvidenceEndpoint(record.endpoint)).unit
    return usual_unit in ("", "1", "%") or record.unit not in ("%", "1", "")


def _slope_of(record: Record, name: str) -> Readout | None:
    quantity, start, relative = _SLOPES[name]
    if "chronic" in record.statistic_text:
        start = _CHRONIC
    months = _MONTHS.search(record.statistic_text)
    if months is not None:
        start = float(months[1]) * _WEEKS_PER_MONTH
    if start < 0.0:
        start += record.weeks or 0.0
    if record.kind == "percent" and record.contrast == "between":
        return Readout(quantity, form="slope", start=start, reduction=True)
    if record.kind not in ("slope", "median", "mean", "difference"):
        return None
    return Readout(
        quantity,
        form="slope",
        median=record.kind == "median" or "median" in record.statistic_text,
        start=start,
        relative_slope=relative,
    )
