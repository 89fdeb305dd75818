"""Predictions of records as a function of parameters: expected value, errors, predictive interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Problem
from ...evidence.records.study import Record
from ...evidence.synthesis.reported_error import reported_error
from ...hazards.risk import hazard_values
from .event_counts import (
    Counts,
    counts_of,
    people_behind,
    scatter_of_cohort,
    scatter_of_study,
    statistic,
    without_events,
)
from .prediction import Errors, Prediction, compare_prediction, share_of
from .published_value import error_of_change, freedom, published_value
from .studies import StudyArm, arms, baseline_of, reason
from .study_courses import Condition, Courses
from .study_groups import PEOPLE_PER_EVENT, StudyPlan, drawn, groups_of, paired, readout_for
from .study_readouts import Readout
from .visits import Numbers, seen_in

#: Virtual trials per row, and people of one of them at most; the scatter of larger ones follows by the root of n.
_TRIALS, _LARGEST = 300, 300
#: Errors of measurement per virtual person in an expectation, besides as many mirror images.
_LUCKS = 25
#: Virtual people behind a chance that is computed and not counted; weight of who gets a course per kg, kg.
_CERTAIN, _WEIGHT = 100_000, 80.0
#: Makes standard normal numbers of a shape.
Draw = Callable[[Numbers], Numbers]


def predict(
    records: Iterable[Record],
    condition: Condition,
    count: int = 60,
    seed: int = 1,
    threads: int | None = None,
    draws: int = 0,
    among: Sequence[Record] = (),
) -> list[Prediction]:
    """Return predictions for rows that `studies.sort` lets through, in their order.

    The same arguments give the same numbers; as a function of `condition` this is the objective of a calibration: people, random numbers and
    measurement errors do not change with it, so that it is as smooth as the model.

    Parameters
    ----------
    count
        Virtual people per cohort; five times as many where events are counted.
    draws
        Sets of parameters of the cells, drawn from the scenario's distributions, that the expectation is computed for
        besides; how far they lie from it widens the interval (`se_parameters`). Without cells nothing is drawn.
    among
        Rows with baselines that count before those of the package.

    Raises
    ------
    ConfigError
        Rows that cannot be simulated, each with its reason.
    SolverError
        A study could not be simulated.
    """
    rows = list(records)
    refused = [(record, why) for record in rows if (why := reason(record, among))]
    if refused:
        raise ConfigError([Problem("cannot-simulate", f"{r.id}: {why}", r.location) for r, why in refused])
    by_study: dict[str, list[Record]] = {}
    for record in rows:
        by_study.setdefault(record.study, []).append(record)
    by_record: dict[str, Prediction] = {}
    for of_study in by_study.values():
        for prediction in predict_study(of_study, condition, count, seed, threads, draws, among):
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
) -> list[Prediction]:
    """Return predictions for rows of one study, see `predict`."""
    readouts = {record.id: readout_for(record) for record in records}
    plans = [
        StudyPlan([r for r in records if not (readouts[r.id].event or readouts[r.id].risk)], readouts, count),
        StudyPlan([r for r in records if readouts[r.id].event], readouts, PEOPLE_PER_EVENT * count),
    ]
    simulated = [plan.courses(condition, seed, threads) for plan in plans]
    moved = [
        [plan.courses(varied, seed, threads, only_cells=True) for varied in drawn(condition, draws, seed)]
        if plan.has_cells
        else []
        for plan in plans
    ]
    predictions = []
    for record in records:
        arm, readout = arms()[record.study, record.arm], readouts[record.id]
        if readout.risk:
            predictions.append(share_of(record, readout, _chance(arm, readout.risk, condition), _CERTAIN, arm))
            continue
        number = int(readout.event is not None)
        groups = groups_of(record, arm, simulated[number])
        others = [groups_of(record, arm, {**simulated[number], **varied}) for varied in moved[number]]
        if readout.event:
            predictions.append(_counted(record, readout, groups, others, arm, seed))
        else:
            predictions.append(_prediction(record, readout, groups, others, arm, seed, among))
    return predictions


def _chance(arm: StudyArm, names: Sequence[str], condition: Condition) -> float:
    """Return the chance of at least one of some adverse events in the course of an arm."""
    from ...physiology import whole_body
    from ...therapies import cell_parameters
    from ...therapies.cell_dosing import regimen
    from ...therapies.cell_risks import course_risks

    model = cell_parameters.parameterise(whole_body.named_model("cells"), condition.scenario)
    model = model.with_values({key: value for key, value in condition.values.items() if key in model.parameters})
    course = regimen(arm.cells, _WEIGHT, model, condition.scenario, where=arm.study)
    return 1.0 - math.prod(1.0 - risk.at_least_one for risk in course_risks(course, model) if risk.name in names)


def _prediction(
    record: Record,
    readout: Readout,
    groups: Sequence[Courses],
    moved: Sequence[Sequence[Courses]],
    arm: StudyArm,
    seed: int,
    among: Sequence[Record] = (),
) -> Prediction:
    assert record.value is not None and record.weeks is not None
    levels = readout.form in ("level", "average")
    start = baseline_of(record, among) if levels and readout.quantity and record.weeks > 0 else None
    base = start.value if start is not None else None
    anchored = base is not None
    per_kg = "/kg" in record.unit and record.endpoint == "insulin_dose"
    generator = np.random.default_rng([seed, *record.id.encode()])
    n = _people_per_group(record, len(groups))

    def statistic(
        of: Sequence[Courses],
        indices: Sequence[NDArray[np.int64]],
        draws_of: Sequence[Draw | None],
        frozen: bool = False,
        with_life: bool = True,
    ) -> Numbers:
        parts = [
            _statistic(record, readout, group, index, anchored, per_kg, draw, frozen, with_life)
            for group, index, draw in zip(of, indices, draws_of, strict=True)
        ]
        if len(parts) == 2 and readout.reduction:
            return 100.0 * (1.0 - parts[0] / parts[1])
        return parts[0] - parts[1] if len(parts) == 2 else parts[0]

    def expectation(of: Sequence[Courses]) -> float:
        # Everybody once, many errors of measurement each; both arms have the same random numbers, and their mirror images.
        everybody = [np.tile(np.arange(len(group)), (2 * _LUCKS, 1)) for group in of]
        mirrored = [_mirrored(np.random.default_rng([seed, *record.id.encode()])) for _ in of]
        # What life moves up and down would raise the mean of a skewed quantity, which it does not do in a population.
        return float(np.mean(statistic(of, everybody, mirrored, with_life=not readout.skewed)))

    sizes = [len(group) for group in groups]
    size = min(n or _LARGEST, _LARGEST)
    drawn = [generator.integers(k, size=(_TRIALS, size)) for k in sizes]
    # Where a treatment takes a quantity to nothing, its scatter is that of people as they were.
    scatter = max(
        float(np.std(statistic(groups, drawn, [_free(generator)] * len(groups), frozen)))
        for frozen in ((False,) if readout.reduction else (False, True))
    )
    shared = [generator.integers(k, size=(_TRIALS, k)) for k in sizes]
    if paired(arm, groups):
        shared = [shared[0], shared[0]]
    cohort = statistic(groups, shared, [None] * len(groups))
    expected = expectation(groups)
    sampled = scatter * math.sqrt(size / n) if n else math.nan
    parameters = _scatter(expected, [expectation(of) for of in moved])
    if readout.scale == "share":
        behind = people_behind(_chances(record, readout, groups[0], seed), generator)
        return share_of(record, readout, expected, behind, arm, parameters, len(moved))
    printed = reported_error(record, readout.scale == "log").size
    degrees = math.inf if printed is None else freedom(record, n, len(groups))
    if printed is not None and start is not None:
        sampled = error_of_change(printed, reported_error(start, readout.scale == "log").size, sampled)
        # What people move by is not printed with the errors of both ends.
        printed, degrees = None, math.inf
    errors = Errors(
        printed if printed is not None else sampled, float(np.std(cohort)), parameters, printed is not None, degrees,
        len(moved),
    )  # fmt: skip
    return compare_prediction(record, readout, arm, expected, published_value(record, readout, base), errors, anchored)


def _counted(
    record: Record,
    readout: Readout,
    groups: Sequence[Courses],
    moved: Sequence[Sequence[Courses]],
    arm: StudyArm,
    seed: int,
) -> Prediction:
    """Return the prediction of a row that counts people with an event."""
    event = readout.event
    assert event is not None
    key = [seed, *record.id.encode()]
    counts = [counts_of(group, event, record.weeks or 0.0, key) for group in groups]
    expected = float(statistic(readout.form, [group.sums() for group in counts]))
    others = [
        float(statistic(readout.form, [counts_of(g, event, record.weeks or 0.0, key).sums() for g in of]))
        for of in moved
    ]
    parameters = math.hypot(_scatter(expected, others), _between_studies(record, readout, groups, key))
    if readout.scale == "share":
        behind = people_behind(counts[0], np.random.default_rng(key))
        return share_of(record, readout, expected, behind, arm, parameters, len(others))
    printed = reported_error(record, readout.scale == "log").size
    n = _people_per_group(record, len(groups))
    error = printed if printed is not None else scatter_of_study(readout.form, counts, n or 1)
    spread = scatter_of_cohort(readout.form, counts, paired(arm, groups), np.random.default_rng(key))
    errors = Errors(error, spread, parameters, printed is not None, draws=len(others))
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


def _scatter(expected: float, drawn: Sequence[float]) -> float:
    """Return how far expectations under drawn parameters lie from the one that is compared, as a root mean square; 0 without.

    Not their SD: where the model bends, their mean is elsewhere.
    """
    return math.sqrt(float(np.mean((np.asarray(drawn) - expected) ** 2))) if len(drawn) else 0.0


def _chances(record: Record, readout: Readout, group: Courses, seed: int) -> Counts:
    """Return everybody's chance to meet a condition on a visit, over errors of measurement."""
    draw = _mirrored(np.random.default_rng([seed, *record.id.encode()]))
    everybody = np.tile(np.arange(len(group)), (2 * _LUCKS, 1))
    met = readout.people(seen_in(group.values, group.weeks, draw, index=everybody), record.weeks or 0.0, False)
    certain = np.ones(len(group))
    return Counts(certain, np.asarray(met.mean(axis=0)), certain)


def _free(generator: np.random.Generator) -> Draw:
    return lambda x: np.asarray(generator.standard_normal(x.shape), dtype=np.float64)


def _mirrored(generator: np.random.Generator) -> Draw:
    def draw(x: Numbers) -> Numbers:
        half = generator.standard_normal((len(x) // 2, *x.shape[1:]))
        return np.concatenate([half, -half])

    return draw


def _statistic(
    record: Record,
    readout: Readout,
    group: Courses,
    index: NDArray[np.int64],
    anchored: bool,
    per_kg: bool,
    draw: Draw | None,
    frozen: bool,
    with_life: bool = True,
) -> Numbers:
    assert record.weeks is not None
    observed = seen_in(group.values, group.weeks, draw, frozen, index=index, with_life=with_life)
    numbers = readout.group(readout.people(observed, record.weeks, per_kg))
    if readout.form not in ("level", "average") or not readout.quantity:
        return numbers
    if anchored:
        start = readout.group(readout.people(observed, 0.0, per_kg))
        if readout.scale == "log":
            return np.asarray(np.log(np.maximum(numbers, 1e-9)) - np.log(np.maximum(start, 1e-9)), dtype=np.float64)
        return numbers - start
    return np.asarray(np.log(np.maximum(numbers, 1e-9)), dtype=np.float64) if readout.scale == "log" else numbers


def _people_per_group(record: Record, groups: int) -> int | None:
    """Return the people in a group: half of an allocated comparison; of an exposure those who have it."""
    if record.n is None:
        return None
    halved = groups == 2 and " vs " in record.arm and record.contrast == "between"
    return max(1, record.n // 2) if halved else record.n
