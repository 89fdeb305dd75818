"""Predictions of records as a function of parameters: expected value, errors, predictive interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...evidence.records.study import Record
from ...evidence.synthesis.reported_error import reported_error
from ...hazards.risk import hazard_values
from .condition import Condition
from .event_counts import (
    Counts,
    counts_of,
    people_behind,
    scatter_of_cohort,
    scatter_of_study,
    statistic,
    without_events,
)
from .fit_conditions import FitDraws
from .prediction import Errors, Prediction, compare_prediction, share_of
from .published_value import error_of_change, freedom, published_value
from .row_expectations import (
    Draw,
    anchor_of,
    chance_of_harm,
    chances_of_condition,
    expected_value,
    free_draw,
    plans_of,
    refuse_what_cannot_be_simulated,
    statistic_of_groups,
)
from .studies import StudyArm, arms
from .study_courses import Courses
from .study_draws import DrawnCourses, KeptForScenarios
from .study_groups import groups_of, paired, readout_for
from .study_readouts import Readout
from .visits import Numbers

#: Virtual trials per row, and people of one of them at most; the scatter of larger ones follows by the root of n.
_TRIALS, _LARGEST = 300, 300
#: Virtual people behind a chance that is computed and not counted.
_CERTAIN = 100_000


def predict(
    records: Iterable[Record],
    condition: Condition,
    count: int = 60,
    seed: int = 1,
    threads: int | None = None,
    draws: int = 0,
    among: Sequence[Record] = (),
    fit: FitDraws | None = None,
) -> list[Prediction]:
    """Return predictions for rows that `studies.sort` lets through, in their order.

    The same arguments give the same numbers; random numbers and errors of measurement do not change with `condition`. What is expected alone, for many
    conditions at once, is `row_expectations.expectations`.

    Parameters
    ----------
    count
        Virtual people per cohort; five times as many where events are counted.
    draws
        Sets of parameters of the cells, drawn from the scenario's distributions, that the expectation is computed for
        besides; how far they lie from it widens the interval (`se_parameters`). Without cells nothing is drawn.
    among
        Rows with baselines that count before those of the package.
    fit
        Draws of a fit of the body, for the same purpose: people live again under each, but for rows that the record of the fit has already.

    Raises
    ------
    ConfigError
        Rows that cannot be simulated, each with its reason.
    SolverError
        A study could not be simulated.
    """
    rows = list(records)
    refuse_what_cannot_be_simulated(rows, among)
    by_study: dict[str, list[Record]] = {}
    for record in rows:
        by_study.setdefault(record.study, []).append(record)
    by_record: dict[str, Prediction] = {}
    for of_study in by_study.values():
        for prediction in predict_study(of_study, condition, count, seed, threads, draws, among, fit):
            by_record[prediction.record] = prediction
    return [by_record[record.id] for record in rows if record.id in by_record]


def predict_study(
    records: Sequence[Record],
    condition: Condition,
    count: int,
    seed: int,
    threads: int | None,
    draws: int = 0,
    among: Sequence[Record] = (),
    fit: FitDraws | None = None,
    kept: KeptForScenarios | None = None,
) -> list[Prediction]:
    """Return predictions for rows of one study, see `predict`; `kept` is handed to other scenarios of the same study."""
    plans, kept = plans_of(records, count), kept or KeptForScenarios()
    simulated = [kept.courses(plan, condition, seed, threads) for plan in plans]
    drawn = [
        DrawnCourses.of(plan, courses, condition, draws, seed, threads, fit, kept)
        for plan, courses in zip(plans, simulated, strict=True)
    ]
    predictions = []
    with condition.holding():
        for record in records:
            arm, readout = arms()[record.study, record.arm], readout_for(record)
            if readout.risk:
                harm = chance_of_harm(arm, readout.risk, condition)
                predictions.append(share_of(record, readout, harm, _CERTAIN, arm))
                continue
            number = int(readout.event is not None)
            groups = groups_of(record, arm, simulated[number])
            moves = drawn[number].moves(record, readout, seed, among)
            if readout.event:
                predictions.append(_counted(record, readout, groups, moves, arm, seed))
            else:
                predictions.append(_prediction(record, readout, groups, moves, arm, seed, among))
    return predictions


def _prediction(
    record: Record,
    readout: Readout,
    groups: Sequence[Courses],
    moves: Sequence[float],
    arm: StudyArm,
    seed: int,
    among: Sequence[Record] = (),
) -> Prediction:
    assert record.value is not None and record.weeks is not None
    start = anchor_of(record, readout, among)
    base = start.value if start is not None else None
    anchored = base is not None
    generator = np.random.default_rng([seed, *record.id.encode()])
    n = _people_per_group(record, len(groups))

    def statistic(
        indices: Sequence[NDArray[np.int64]], draws_of: Sequence[Draw | None], frozen: bool = False
    ) -> Numbers:
        return statistic_of_groups(record, readout, groups, indices, anchored, draws_of, frozen)

    sizes = [len(group) for group in groups]
    size = min(n or _LARGEST, _LARGEST)
    drawn = [generator.integers(k, size=(_TRIALS, size)) for k in sizes]
    # Where a treatment takes a quantity to nothing, its scatter is that of people as they were.
    scatter = max(
        float(np.std(statistic(drawn, [free_draw(generator)] * len(groups), frozen)))
        for frozen in ((False,) if readout.reduction else (False, True))
    )
    shared = [generator.integers(k, size=(_TRIALS, k)) for k in sizes]
    if paired(arm, groups):
        shared = [shared[0], shared[0]]
    cohort = statistic(shared, [None] * len(groups))
    expected = expected_value(record, readout, groups, seed, among)
    sampled = scatter * math.sqrt(size / n) if n else math.nan
    parameters = _scatter(moves)
    if readout.scale == "share":
        behind = people_behind(_chances(record, readout, groups[0], seed), generator)
        return share_of(record, readout, expected, behind, arm, parameters, len(moves))
    printed = reported_error(record, readout.scale == "log").size
    degrees = math.inf if printed is None else freedom(record, n, len(groups))
    if printed is not None and start is not None:
        sampled = error_of_change(printed, reported_error(start, readout.scale == "log").size, sampled)
        # What people move by is not printed with the errors of both ends.
        printed, degrees = None, math.inf
    errors = Errors(
        printed if printed is not None else sampled, float(np.std(cohort)), parameters, printed is not None, degrees,
        len(moves),
    )  # fmt: skip
    return compare_prediction(record, readout, arm, expected, published_value(record, readout, base), errors, anchored)


def _counted(
    record: Record,
    readout: Readout,
    groups: Sequence[Courses],
    moves: Sequence[float],
    arm: StudyArm,
    seed: int,
) -> Prediction:
    """Return the prediction of a row that counts people with an event."""
    event = readout.event
    assert event is not None
    key = [seed, *record.id.encode()]
    counts = [counts_of(group, event, record.weeks or 0.0, key) for group in groups]
    expected = float(statistic(readout.form, [group.sums() for group in counts]))
    parameters = math.hypot(_scatter(moves), _between_studies(record, readout, groups, key))
    if readout.scale == "share":
        behind = people_behind(counts[0], np.random.default_rng(key))
        return share_of(record, readout, expected, behind, arm, parameters, len(moves))
    printed = reported_error(record, readout.scale == "log").size
    n = _people_per_group(record, len(groups))
    error = printed if printed is not None else scatter_of_study(readout.form, counts, n or 1)
    spread = scatter_of_cohort(readout.form, counts, paired(arm, groups), np.random.default_rng(key))
    errors = Errors(error, spread, parameters, printed is not None, draws=len(moves))
    prediction = compare_prediction(
        record, readout, arm, expected, published_value(record, readout, None), errors, False
    )
    rare = without_events(counts, record)
    return replace(prediction, note="; ".join(filter(None, (prediction.note, rare)))) if rare else prediction


def _between_studies(record: Record, readout: Readout, groups: Sequence[Courses], key: Sequence[int]) -> float:
    """Return how far absolute rates of outcomes differ between studies of like people, on the scale of the row; 0 for contrasts."""
    event = readout.event
    if event is None or len(groups) > 1 or not (event.outcomes or event.free):
        return 0.0
    spread = hazard_values()["between_studies"]
    low, high = (
        float(statistic(readout.form, [counts_of(groups[0], event, record.weeks or 0.0, key, study).sums()]))
        for study in (math.exp(-spread), math.exp(spread))
    )
    return 0.5 * abs(high - low)


def _scatter(moves: Sequence[float]) -> float:
    """Return how far drawn parameters move an expectation, as a root mean square; 0 without.

    Not their SD: where the model bends, their mean is elsewhere.
    """
    return math.sqrt(float(np.mean(np.square(moves)))) if len(moves) else 0.0


def _chances(record: Record, readout: Readout, group: Courses, seed: int) -> Counts:
    """Return everybody's chance to meet a condition on a visit, over errors of measurement."""
    certain = np.ones(len(group))
    return Counts(certain, chances_of_condition(record, readout, group, seed), certain)


def _people_per_group(record: Record, groups: int) -> int | None:
    """Return the people in a group: half of an allocated comparison; of an exposure those who have it."""
    if record.n is None:
        return None
    halved = groups == 2 and " vs " in record.arm and record.contrast == "between"
    return max(1, record.n // 2) if halved else record.n
