"""What is expected of records: the number that a study would print without any error, as a function of the parameters."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Problem
from ...evidence.records.study import Record
from .chosen_people import Choice
from .condition import Condition
from .event_chances import chance_on_visit
from .event_counts import counts_of, statistic
from .studies import StudyArm, arms, baseline_of, reason, sort
from .study_courses import Courses
from .study_groups import PEOPLE_PER_EVENT, CoursesByArm, StudyPlan, courses_together, groups_of, readout_for
from .study_people import PeopleUnder, people_under
from .study_readouts import Readout
from .visits import Numbers, seen_in

#: Errors of measurement per virtual person in an expectation, besides as many mirror images.
ERRORS_EACH = 25
#: Virtual people of a cohort, and seed, unless asked otherwise.
USUAL_PEOPLE, USUAL_SEED = 60, 1
#: Weight of who gets a course per kg, kg.
_WEIGHT = 80.0
#: Visits of people that are kept in memory at once.
_MOST_VISITS = 60_000
#: Places of a study's rows, and who is simulated for them.
StudyRows = tuple[list[int], list[StudyPlan]]
#: Makes standard normal numbers of a shape.
Draw = Callable[[Numbers], Numbers]


def expectations(
    records: Iterable[Record],
    conditions: Sequence[Condition],
    count: int = USUAL_PEOPLE,
    seed: int = USUAL_SEED,
    threads: int | None = None,
    among: Sequence[Record] = (),
    people: PeopleUnder = people_under,
) -> Numbers:
    """Return what is expected of rows under several conditions, those of one study integrated at once.

    The same numbers, bit for bit, as `row_predictions.predict` has as the expected value of each; their errors, which take most of its time, are
    left out. This is the objective of a calibration: random numbers do not change with the condition.

    Parameters
    ----------
    people
        Who is in a cohort under a condition; chosen anew under each unless given.

    Returns
    -------
    numpy.ndarray
        (conditions, rows) on the scale of comparison: logarithms of ratios and rates, shares, or as they are.

    Raises
    ------
    ConfigError
        Rows that cannot be simulated, each with its reason.
    SolverError
        A study could not be simulated.
    """
    rows = list(records)
    refuse_what_cannot_be_simulated(rows, among)
    return rows_expected(rows, conditions, count, seed, threads, among, people)


def rows_expected(
    rows: Sequence[Record],
    conditions: Sequence[Condition],
    count: int,
    seed: int,
    threads: int | None,
    among: Sequence[Record] = (),
    people: PeopleUnder = people_under,
) -> Numbers:
    """Return what is expected of rows that can be simulated, see `expectations`."""
    by_study: dict[str, list[int]] = {}
    for index, record in enumerate(rows):
        by_study.setdefault(record.study, []).append(index)
    studies = [(indices, plans_of([rows[index] for index in indices], count)) for indices in by_study.values()]
    expected = np.empty((len(conditions), len(rows)))
    for together in _at_once(studies, len(conditions)):
        simulated = courses_together(
            [plan for _, plans in together for plan in plans], conditions, seed, threads, people
        )
        by_plan = iter(simulated)
        for indices, plans in together:
            courses = list(itertools.islice(by_plan, len(plans)))
            of_study = [rows[index] for index in indices]
            expected[:, indices] = _study_expected(of_study, conditions, courses, seed, among)
    return expected


def _at_once(studies: Sequence[StudyRows], conditions: int) -> Iterator[list[StudyRows]]:
    """Give studies that are simulated at once, as many as are kept in memory."""
    together: list[StudyRows] = []
    visits = 0
    for study in studies:
        of_study = conditions * sum(plan.visits for plan in study[1])
        if together and visits + of_study > _MOST_VISITS:
            yield together
            together, visits = [], 0
        together.append(study)
        visits += of_study
    if together:
        yield together


def _study_expected(
    records: Sequence[Record],
    conditions: Sequence[Condition],
    courses: Sequence[Sequence[CoursesByArm]],
    seed: int,
    among: Sequence[Record],
) -> Numbers:
    """Return what is expected of rows of one study, given the courses of its plans under each condition."""
    readouts = {record.id: readout_for(record) for record in records}
    expected = np.empty((len(conditions), len(records)))
    for k, condition in enumerate(conditions):
        with condition.holding():
            for i, record in enumerate(records):
                arm, readout = arms()[record.study, record.arm], readouts[record.id]
                if readout.risk:
                    expected[k, i] = chance_of_harm(arm, readout.risk, condition)
                    continue
                groups = groups_of(record, arm, courses[int(readout.event is not None)][k])
                expected[k, i] = expected_value(record, readout, groups, seed, among)
    return expected


def plans_of(records: Sequence[Record], count: int) -> list[StudyPlan]:
    """Return who is simulated for rows of a study: for levels and the like, and for events."""
    readouts = {record.id: readout_for(record) for record in records}
    return [
        StudyPlan([r for r in records if not (readouts[r.id].event or readouts[r.id].risk)], readouts, count),
        StudyPlan([r for r in records if readouts[r.id].event], readouts, PEOPLE_PER_EVENT * count),
    ]


def usual_choices(records: Iterable[Record]) -> list[Choice]:
    """Return which people are in cohorts for rows, as many of them as there are unless asked otherwise."""
    by_study: dict[str, list[Record]] = {}
    for record in sort(records)[0]:
        by_study.setdefault(record.study, []).append(record)
    cohorts = {
        (arm.cohort, plan.count, USUAL_SEED)
        for of_study in by_study.values()
        for plan in plans_of(of_study, USUAL_PEOPLE)
        for arm in plan.arms.values()
    }
    return sorted(cohorts)


def refuse_what_cannot_be_simulated(records: Iterable[Record], among: Sequence[Record]) -> None:
    """Refuse rows that cannot be simulated.

    Raises
    ------
    ConfigError
        All of them, each with its reason.
    """
    refused = [(record, why) for record in records if (why := reason(record, among))]
    if refused:
        raise ConfigError([Problem("cannot-simulate", f"{r.id}: {why}", r.location) for r, why in refused])


def expected_value(
    record: Record, readout: Readout, groups: Sequence[Courses], seed: int, among: Sequence[Record] = ()
) -> float:
    """Return what is expected of a row, given the courses of its groups, on the scale of comparison."""
    key = [seed, *record.id.encode()]
    if readout.event is not None:
        counts = [counts_of(group, readout.event, record.weeks or 0.0, key) for group in groups]
        return float(statistic(readout.form, [group.sums() for group in counts]))
    if readout.condition:
        shares = [chances_of_condition(record, readout, group, seed).mean() for group in groups]
        return float(shares[0] - shares[1] if len(shares) == 2 else shares[0])
    anchored = anchor_of(record, readout, among) is not None
    # Everybody once, many errors of measurement each; both arms have the same random numbers, and their mirror images.
    everybody = [np.tile(np.arange(len(group)), (2 * ERRORS_EACH, 1)) for group in groups]
    drawn = [mirrored_draw(np.random.default_rng(key)) for _ in groups]
    # What life moves up and down would raise the mean of a skewed quantity, which it does not do in a population.
    values = statistic_of_groups(record, readout, groups, everybody, anchored, drawn, with_life=not readout.skewed)
    return float(np.mean(values))


def chances_of_condition(record: Record, readout: Readout, group: Courses, seed: int) -> Numbers:
    """Return everybody's chance to meet the condition of a row on its visit, (people,)."""
    return chance_on_visit(group, readout.condition, record.weeks or 0.0, [seed, *record.id.encode()])


def anchor_of(record: Record, readout: Readout, among: Sequence[Record]) -> Record | None:
    """Return the study's own baseline where a level is compared as a change from it."""
    levels = readout.form in ("level", "average")
    return baseline_of(record, among) if levels and readout.quantity and (record.weeks or 0.0) > 0 else None


def statistic_of_groups(
    record: Record,
    readout: Readout,
    groups: Sequence[Courses],
    indices: Sequence[NDArray[np.int64]],
    anchored: bool,
    draws: Sequence[Draw | None],
    frozen: bool = False,
    with_life: bool = True,
) -> Numbers:
    """Return the number of a row, of one group or the contrast of two, in samples of their people."""
    per_kg = "/kg" in record.unit and record.endpoint == "insulin_dose"
    parts = [
        _statistic(record, readout, group, index, anchored, per_kg, draw, frozen, with_life)
        for group, index, draw in zip(groups, indices, draws, strict=True)
    ]
    if len(parts) == 2 and readout.reduction:
        return 100.0 * (1.0 - parts[0] / parts[1])
    return parts[0] - parts[1] if len(parts) == 2 else parts[0]


def chance_of_harm(arm: StudyArm, names: Sequence[str], condition: Condition) -> float:
    """Return the chance of at least one of some adverse events in the course of an arm."""
    from ...physiology import whole_body
    from ...therapies import cell_parameters
    from ...therapies.cell_dosing import regimen
    from ...therapies.cell_risks import course_risks

    model = cell_parameters.parameterise(whole_body.named_model("cells"), condition.scenario)
    model = model.with_values({key: value for key, value in condition.values.items() if key in model.parameters})
    course = regimen(arm.cells, _WEIGHT, model, condition.scenario, where=arm.study)
    return 1.0 - math.prod(1.0 - risk.at_least_one for risk in course_risks(course, model) if risk.name in names)


def free_draw(generator: np.random.Generator) -> Draw:
    return lambda x: np.asarray(generator.standard_normal(x.shape), dtype=np.float64)


def mirrored_draw(generator: np.random.Generator) -> Draw:
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
