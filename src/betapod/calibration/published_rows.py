"""Published rows as data of a fit: what studies printed, with errors, and what the model expects of each under any condition."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from ..evidence.records.study import Record
from ..validation.predictions.campaign import confront_records
from ..validation.predictions.condition import Condition
from ..validation.predictions.kept_people import KeptPeople
from ..validation.predictions.prediction import Prediction
from ..validation.predictions.row_expectations import plans_of, rows_expected
from ..validation.predictions.study_tables import NO_TABLES, StudyTables, using_tables
from .fit_rows import FitRows

Numbers = NDArray[np.float64]
#: Forms of events whose numbers are ratios or rates.
_EVENT_RATIOS = ("rate", "hazard ratio", "risk ratio", "odds ratio")
#: Shares nearer to 0 or 1 are taken to be known as well as these, on the scale of angles.
_LEAST_SHARE = 0.03


class PublishedRows:
    """A `RowSource` over rows of the registry.

    Parameters
    ----------
    records
        Rows that `validation.predictions.studies.sort` lets through.
    fitted
        Whether each row may speak in the fit, by record.
    base
        Condition at the start.
    anchor
        Attribute: the condition under which people are chosen, `base` at first; set it to have cohorts balanced anew.
    count, seed
        Virtual people per cohort (five times as many where events are counted), and of random numbers.
    tables
        Arms, cohorts and events of a user's own.
    levels
        Virtual people per cohort who set the level, `count` unless given. A few people tell how a number moves with a parameter; how high it
        is they tell badly, and a fit would be to whom chance has chosen. So predictions are moved by what `levels` people differ by from
        `count` at the anchor, once for each anchor; errors are those of `levels` people.
    """

    name = "published rows"

    def __init__(
        self,
        records: Sequence[Record],
        fitted: Mapping[str, bool],
        base: Condition,
        count: int = 16,
        seed: int = 1,
        threads: int | None = None,
        progress: Callable[[str, int, int], None] | None = None,
        tables: StudyTables = NO_TABLES,
        levels: int | None = None,
    ) -> None:
        self.count, self.seed, self.tables = count, seed, tables
        self.levels = max(levels or count, count)
        by_study: dict[str, list[Record]] = {}
        for record in records:
            by_study.setdefault(record.study, []).append(record)
        self.studies = by_study
        self.records = tuple(record for of_study in by_study.values() for record in of_study)
        compared = confront_records(
            self.records, [base.scenario], self.levels, seed, threads, progress=progress, draws=0, tables=tables
        )
        predictions = {p.record: p for p in compared.predictions[base.scenario]}
        self.rows = rows_of(self.records, [predictions[record.id] for record in self.records], fitted)
        self._places = {record.id: index for index, record in enumerate(self.records)}
        self._people: KeptPeople | None = None
        self._moved: Numbers | None = None
        self.anchor = base

    def predict(self, conditions: Sequence[Condition]) -> Numbers:
        """Return what is expected (K, n) on the scale of the fit; the same people under all conditions, living again where these shape lives."""
        with using_tables(self.tables):
            return self._predicted(conditions)

    def _predicted(self, conditions: Sequence[Condition]) -> Numbers:
        if self._people is None or self._people.anchor != self.anchor:
            self._people = KeptPeople(self.anchor, self._cohorts(self.count))
            self._moved = self._level_of_more() if self.levels > self.count else None
        expected = self._expected(conditions, self.count, self._people)
        return expected if self._moved is None else expected + self._moved

    def _expected(self, conditions: Sequence[Condition], count: int, people: KeptPeople) -> Numbers:
        people.live(conditions)
        expected = np.full((len(conditions), len(self.records)), np.nan)
        rows = [record for of_study in self.studies.values() for record in of_study]
        index = [self._places[record.id] for record in rows]
        expected[:, index] = rows_expected(rows, conditions, count, self.seed, 1, people=people)
        return on_scale(self.rows, expected)

    def _level_of_more(self) -> Numbers:
        """Return by how much (n,) numbers of more people lie from those of a few at the anchor."""
        assert self._people is not None
        many = self._expected([self.anchor], self.levels, KeptPeople(self.anchor, self._cohorts(self.levels)))[0]
        return np.asarray(many - self._expected([self.anchor], self.count, self._people)[0])

    def parts(self, count: int) -> list[tuple[PublishedRows, NDArray[np.int64], float]]:
        """Return parts of about even cost, with the rows of each and its cost: studies that share cohorts stay together where they can."""
        if count == 1:
            return [(self, np.arange(len(self.records)), 1.0)]
        with using_tables(self.tables):
            costs = {study: _cost(of_study, self.count) for study, of_study in self.studies.items()}
        order = sorted(self.studies, key=lambda study: -costs[study])
        loads, studies = [0.0] * count, [list[str]() for _ in range(count)]
        for study in order:
            lightest = int(np.argmin(loads))
            loads[lightest] += costs[study]
            studies[lightest].append(study)
        total = sum(loads)
        return [
            (
                self._only(of_part),
                np.array([self._places[r.id] for s in of_part for r in self.studies[s]]),
                load / total,
            )
            for of_part, load in zip(studies, loads, strict=True)
            if of_part
        ]

    def _only(self, studies: Sequence[str]) -> PublishedRows:
        """Return the source with some studies alone."""
        part = copy(self)
        part.studies = {study: self.studies[study] for study in studies}
        part.records = tuple(record for of_study in part.studies.values() for record in of_study)
        part.rows = self.rows.take(np.array([self._places[record.id] for record in part.records]))
        part._places = {record.id: index for index, record in enumerate(part.records)}
        part._people = part._moved = None
        return part

    def _cohorts(self, count: int) -> list[tuple[str, int, int]]:
        return [
            (arm.cohort, plan.count, self.seed)
            for of_study in self.studies.values()
            for plan in plans_of(of_study, count)
            for arm in plan.arms.values()
        ]


def _cost(records: Sequence[Record], count: int) -> float:
    """Return how long a study takes, in person-years, those of people whose care goes on thrice."""
    cost = 0.0
    for plan in plans_of(records, count):
        weeks = max((plan.readouts[r.id].weeks(r.weeks or 0.0)[-1] for r in plan.records), default=0.0)
        for arm in plan.arms.values():
            cost += plan.count * (1.0 + weeks / 52.0) * (1.0 if arm.care_rule == "frozen" else 3.0)
    return cost


def on_scale(rows: FitRows, expected: Numbers) -> Numbers:
    """Return expectations of rows on the scale of the fit: shares become angles."""
    result = np.array(expected, dtype=np.float64)
    shares = np.array([scale == "angle" for scale in rows.scale])
    result[..., shares] = angle(result[..., shares])
    return result


def angle(share: Numbers | float) -> Numbers:
    """Return 2*asin(sqrt p), on which the error of a count does not depend on the share."""
    return np.asarray(2.0 * np.arcsin(np.sqrt(np.clip(share, 0.0, 1.0))))


def rows_of(records: Sequence[Record], predictions: Sequence[Prediction], fitted: Mapping[str, bool]) -> FitRows:
    """Return rows of the registry as those of a fit; errors are those of their predictions, which stay the same throughout."""
    scales = [_SCALES[p.scale] for p in predictions]
    errors = [_error(p) for p in predictions]
    return FitRows(
        record=tuple(p.record for p in predictions),
        study=tuple(p.study for p in predictions),
        family=tuple(p.family for p in predictions),
        endpoint=tuple(p.endpoint for p in predictions),
        unit=tuple(p.unit for p in predictions),
        row_class=tuple(map(row_class_of, predictions)),
        scale=tuple(scales),
        fitted=np.array([fitted[p.record] for p in predictions], dtype=bool),
        observed=np.array([_observed(r, p) for r, p in zip(records, predictions, strict=True)], dtype=np.float64),
        se=np.array(errors, dtype=np.float64),
        freedom=np.array([math.inf if p.freedom is None else p.freedom for p in predictions], dtype=np.float64),
    )


_SCALES = {"share": "angle", "log": "log", "linear": "linear"}


def row_class_of(prediction: Prediction) -> str:
    """Return the class within which what the model lacks is taken to be alike, one of `fit_rows.ROW_CLASSES`."""
    form = prediction.form.removesuffix(", between")
    if prediction.scale == "share":
        return "share"
    if form in _EVENT_RATIOS:
        return "event ratio"
    if form == "slope":
        return "slope"
    return "ratio" if prediction.scale == "log" else "level"


def _observed(record: Record, prediction: Prediction) -> float:
    """Return what was published on the scale of the fit."""
    if prediction.scale == "share":
        return float(angle(prediction.observed))
    if prediction.scale == "log":
        percent = record.kind == "percent"
        return math.log1p(prediction.observed / 100.0) if percent else math.log(prediction.observed)
    return prediction.observed


def _error(prediction: Prediction) -> float:
    """Return the error of study and virtual people on the scale of the fit.

    What absolute rates of events differ by between like studies is not: a fit estimates it, as the discrepancy of their class.
    """
    of_people = prediction.se_cohort
    if prediction.scale != "share":
        return math.hypot(prediction.se_study, of_people)
    share = min(max(prediction.predicted, _LEAST_SHARE), 1.0 - _LEAST_SHARE)
    n = float(max(prediction.n or 1, 1))
    if prediction.se_study > 0.0:
        # Fewer where people were lost on the way.
        n = min(n, max(prediction.predicted * (1.0 - prediction.predicted) / prediction.se_study**2, 1.0))
    return math.sqrt(1.0 / n + of_people**2 / (share * (1.0 - share)))
