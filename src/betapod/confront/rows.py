"""From parameters to a prediction for every row: expected value, interval, distance of what was observed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..evidence.study import Record
from .counted import counts_of, scatter_of_cohort, scatter_of_study, statistic, without_events
from .courses import Courses, Setting, simulate
from .printed import error_of_change, observed, printed_error
from .quantities import Numbers, seen_in
from .readouts import Readout, readout_of
from .studies import Arm, arms, baseline_of

#: Virtual trials per row, and people of one of them at most; the scatter of larger ones follows by the root of n.
_TRIALS, _LARGEST = 300, 300
#: Errors of measurement per virtual person in an expectation, besides as many mirror images.
_LUCKS = 25
#: Virtual people behind a count of events, as a multiple of those behind other numbers.
_PEOPLE_PER_EVENT = 5
#: Digits of a week: visits of two rows that differ by rounding are one.
_WEEK_DIGITS = 6
#: Virtual people behind a chance that is computed and not counted; weight of who gets a course per kg, kg.
_CERTAIN, _WEIGHT = 100_000, 80.0
#: Least sum of the two numbers of a beta law: nearly everybody or nobody.
_LEAST_WEIGHT = 0.1
#: Makes standard normal numbers of a shape.
Luck = Callable[[Numbers], Numbers]
#: Standard normal 95 % point.

Z95 = 1.6448536269514722


@dataclass(frozen=True)
class Prediction:
    """A row and what the model says of it.

    Attributes
    ----------
    scale
        ``linear``, ``log`` or ``share``; `observed` to `high` are on the natural scale of the row nevertheless.
    observed, predicted
        In the row's unit; a change where the study's own baseline anchors a level.
    low, high
        90 % predictive interval of the observed number.
    se_study, se_cohort, se_parameters
        On `scale`: error of the study, of the finite number of virtual people, and of the parameters of the cells.
    printed
        Whether `se_study` was made of what the source printed: an interval, SE, SD with n, or an exact p value.
    z
        (observed - predicted) / sqrt(se_study^2 + se_cohort^2 + se_parameters^2), on `scale`.
    inside
        Whether the observed number is in the interval.
    """

    record: str
    study: str
    family: str
    endpoint: str
    arm: str
    form: str
    weeks: float
    unit: str
    n: int | None
    scale: str
    anchored: bool
    observed: float
    predicted: float
    low: float
    high: float
    se_study: float
    se_cohort: float
    se_parameters: float
    printed: bool
    z: float
    inside: bool
    note: str = ""


def predict(
    records: Iterable[Record],
    setting: Setting,
    count: int = 60,
    seed: int = 1,
    threads: int | None = None,
    draws: int = 0,
) -> list[Prediction]:
    """Return predictions for rows that `studies.sort` lets through, in their order.

    The same arguments give the same numbers; as a function of `setting` this is the objective of a calibration: people, luck and
    measurement errors do not change with it, so that it is as smooth as the model.

    Parameters
    ----------
    count
        Virtual people per cohort; five times as many where events are counted.
    draws
        Sets of parameters of the cells, drawn from the parameterisation's distributions, that the expectation is computed for
        besides; their scatter widens the interval (`se_parameters`). Without cells nothing is drawn.

    Raises
    ------
    SolverError
        A study could not be simulated.
    """
    rows = list(records)
    by_study: dict[str, list[Record]] = {}
    for record in rows:
        by_study.setdefault(record.study, []).append(record)
    found: dict[str, Prediction] = {}
    for mine in by_study.values():
        for prediction in predict_study(mine, setting, count, seed, threads, draws):
            found[prediction.record] = prediction
    return [found[record.id] for record in rows if record.id in found]


def predict_study(
    records: Sequence[Record], setting: Setting, count: int, seed: int, threads: int | None, draws: int = 0
) -> list[Prediction]:
    """Return predictions for rows of one study, see `predict`."""
    readouts = {record.id: _readout(record) for record in records}
    plans = [
        _Plan([r for r in records if not (readouts[r.id].event or readouts[r.id].risk)], readouts, count),
        _Plan([r for r in records if readouts[r.id].event], readouts, _PEOPLE_PER_EVENT * count),
    ]
    known = [plan.courses(setting, seed, threads) for plan in plans]
    moved = [
        [plan.courses(each, seed, threads, only_cells=True) for each in _drawn(setting, draws, seed)]
        if plan.has_cells
        else []
        for plan in plans
    ]
    found = []
    for record in records:
        arm, readout = arms()[record.study, record.arm], readouts[record.id]
        if readout.risk:
            found.append(_share(record, readout, _chance(arm, readout.risk, setting), _CERTAIN, arm))
            continue
        number = int(readout.event is not None)
        judge = _counted if readout.event else _prediction
        groups = _groups(record, arm, known[number])
        others = [_groups(record, arm, {**known[number], **each}) for each in moved[number]]
        found.append(judge(record, readout, groups, others, arm, seed))
    return found


@dataclass(frozen=True)
class _Plan:
    """Rows that are made of the same virtual people."""

    records: Sequence[Record]
    readouts: Mapping[str, Readout]
    count: int

    @property
    def arms(self) -> dict[tuple[object, ...], Arm]:
        found: dict[tuple[object, ...], Arm] = {}
        for record in self.records:
            arm = arms()[record.study, record.arm]
            for each in (arm, arm.other) if _contrasts(record) else (arm,):
                found[_key(each)] = each
        return found

    @property
    def has_cells(self) -> bool:
        return any(arm.cells for arm in self.arms.values())

    def courses(
        self, setting: Setting, seed: int, threads: int | None, only_cells: bool = False
    ) -> dict[tuple[object, ...], Courses]:
        weeks = {0.0}
        for record in self.records:
            weeks |= {round(week, _WEEK_DIGITS) for week in self.readouts[record.id].weeks(record.weeks or 0.0)}
        wanted = {key: arm for key, arm in self.arms.items() if arm.cells or not only_cells}
        if not wanted:
            return {}
        found = simulate(list(wanted.values()), sorted(weeks), setting, self.count, seed, threads)
        return dict(zip(wanted, found, strict=True))


def _readout(record: Record) -> Readout:
    readout = readout_of(record)
    assert readout is not None
    return readout


def _contrasts(record: Record) -> bool:
    return record.contrast in ("between", "association")


def _drawn(setting: Setting, draws: int, seed: int) -> list[Setting]:
    """Return settings whose parameters are drawn; what the setting fixes stays."""
    from ..engine.draw import draw
    from ..physiology import cell_parameters

    if draws < 1 or setting.parameterisation == "none":
        return []
    table = draw(cell_parameters.table(setting.parameterisation), seed, np.arange(draws))
    each = [{name: float(values[k]) for name, values in table.items()} for k in range(draws)]
    return [Setting(setting.parameterisation, {**values, **setting.values}) for values in each]


def _groups(record: Record, arm: Arm, known: Mapping[tuple[object, ...], Courses]) -> list[Courses]:
    """Return the groups of a row: everybody for events, completers otherwise, the same in both groups of one cohort."""
    groups = [known[_key(each)] for each in ((arm, arm.other) if _contrasts(record) else (arm,))]
    paired = _paired(arm, groups)
    if _readout(record).event is None:
        groups = [group.completers(record.weeks or 0.0) for group in groups]
    if paired:
        both = np.intersect1d(groups[0].member, groups[1].member)
        groups = [group.members(both) for group in groups]
    return groups


def _paired(arm: Arm, groups: Sequence[Courses]) -> bool:
    return len(groups) == 2 and arm.cohort == arm.other.cohort


def _key(arm: Arm) -> tuple[object, ...]:
    return (arm.cohort, arm.cells, arm.care, arm.inputs)


def _chance(arm: Arm, names: Sequence[str], setting: Setting) -> float:
    """Return the chance of at least one of some adverse events in the course of an arm."""
    from ..physiology import cell_parameters, whole_body
    from ..procedures.cell_dosing import regimen
    from ..procedures.cell_risks import risks

    model = cell_parameters.parameterise(whole_body.model("cells"), setting.parameterisation)
    model = model.with_values({key: value for key, value in setting.values.items() if key in model.parameters})
    course = regimen(arm.cells, _WEIGHT, model, setting.parameterisation, where=arm.study)
    return 1.0 - math.prod(1.0 - risk.at_least_one for risk in risks(course, model) if risk.name in names)


def _prediction(
    record: Record,
    readout: Readout,
    groups: Sequence[Courses],
    moved: Sequence[Sequence[Courses]],
    arm: Arm,
    seed: int,
) -> Prediction:
    assert record.value is not None and record.weeks is not None
    levels = readout.form in ("level", "average")
    start = baseline_of(record) if levels and readout.quantity and record.weeks > 0 else None
    base = start.value if start is not None else None
    anchored = base is not None
    per_kg = "/kg" in record.unit and record.endpoint == "insulin_dose"
    generator = np.random.default_rng([seed, *record.id.encode()])
    n = _people_per_group(record, len(groups))

    def statistic(
        of: Sequence[Courses], indices: Sequence[NDArray[np.int64]], luck: Sequence[Luck | None], frozen: bool = False
    ) -> Numbers:
        parts = [
            _statistic(record, readout, group, index, anchored, per_kg, mine, frozen)
            for group, index, mine in zip(of, indices, luck, strict=True)
        ]
        if len(parts) == 2 and readout.reduction:
            return 100.0 * (1.0 - parts[0] / parts[1])
        return parts[0] - parts[1] if len(parts) == 2 else parts[0]

    def expectation(of: Sequence[Courses]) -> float:
        # Everybody once, many errors of measurement each; both arms have the same luck, and its mirror image.
        everybody = [np.tile(np.arange(len(group)), (2 * _LUCKS, 1)) for group in of]
        mirrored = [_mirrored(np.random.default_rng([seed, *record.id.encode()])) for _ in of]
        return float(np.mean(statistic(of, everybody, mirrored)))

    sizes = [len(group) for group in groups]
    size = min(n or _LARGEST, _LARGEST)
    drawn = [generator.integers(k, size=(_TRIALS, size)) for k in sizes]
    # Where a treatment takes a quantity to nothing, its scatter is that of people as they were.
    scatter = max(
        float(np.std(statistic(groups, drawn, [_free(generator)] * len(groups), frozen)))
        for frozen in ((False,) if readout.reduction else (False, True))
    )
    shared = [generator.integers(k, size=(_TRIALS, k)) for k in sizes]
    if _paired(arm, groups):
        shared = [shared[0], shared[0]]
    cohort = statistic(groups, shared, [None] * len(groups))
    expected = expectation(groups)
    sampled = scatter * math.sqrt(size / n) if n else math.nan
    if readout.scale == "share":
        return _share(record, readout, expected, len(groups[0]), arm, _scatter([expectation(of) for of in moved]))
    printed = printed_error(record, readout)
    if printed is not None and start is not None:
        printed = error_of_change(printed, printed_error(start, readout))
    error = printed if printed is not None else sampled
    return _judged(
        record, readout, arm, expected, observed(record, readout, base), error, float(np.std(cohort)),
        _scatter([expectation(of) for of in moved]), printed is not None, anchored,
    )  # fmt: skip


def _counted(
    record: Record,
    readout: Readout,
    groups: Sequence[Courses],
    moved: Sequence[Sequence[Courses]],
    arm: Arm,
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
    if readout.scale == "share":
        at_risk = max(round(float(counts[0].sums()[0])), 1)
        return _share(record, readout, expected, at_risk, arm, _scatter(others))
    printed = printed_error(record, readout)
    n = _people_per_group(record, len(groups))
    error = printed if printed is not None else scatter_of_study(readout.form, counts, n or 1)
    spread = scatter_of_cohort(readout.form, counts, _paired(arm, groups), np.random.default_rng(key))
    found = _judged(
        record, readout, arm, expected, observed(record, readout, None), error, spread, _scatter(others),
        printed is not None, False,
    )  # fmt: skip
    rare = without_events(counts, record)
    return replace(found, note="; ".join(filter(None, (found.note, rare)))) if rare else found


def _scatter(expected: Sequence[float]) -> float:
    """Return the SD of expectations under drawn parameters, 0 without."""
    return float(np.std(expected, ddof=1)) if len(expected) > 1 else 0.0


def _judged(
    record: Record, readout: Readout, arm: Arm, expected: float, seen: float, error: float, spread: float,
    parameters: float, printed: bool, anchored: bool,
) -> Prediction:  # fmt: skip
    total = math.sqrt(error**2 + spread**2 + parameters**2)
    z = (seen - expected) / total if total > 0 else math.nan
    bounds = (expected, expected - Z95 * total, expected + Z95 * total, seen)
    predicted, low, high, shown = (_natural(x, record, readout) for x in bounds)
    form = "change" if anchored else readout.form
    if _contrasts(record) and readout.event is None:
        form += ", between"
    return Prediction(
        record.id, record.study, record.family, record.endpoint, record.arm, form, record.weeks or 0.0, record.unit,
        record.n, readout.scale, anchored, shown, predicted, low, high, error, spread, parameters, printed, z,
        abs(z) <= Z95, _note(arm, readout),
    )  # fmt: skip


def _free(generator: np.random.Generator) -> Luck:
    return lambda x: np.asarray(generator.standard_normal(x.shape), dtype=np.float64)


def _mirrored(generator: np.random.Generator) -> Luck:
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
    luck: Luck | None,
    frozen: bool,
) -> Numbers:
    assert record.weeks is not None
    seen = seen_in(group.values, group.weeks, luck, frozen, index=index)
    found = readout.group(readout.people(seen, record.weeks, per_kg))
    if readout.form not in ("level", "average") or not readout.quantity:
        return found
    if anchored:
        start = readout.group(readout.people(seen, 0.0, per_kg))
        if readout.scale == "log":
            return np.asarray(np.log(np.maximum(found, 1e-9)) - np.log(np.maximum(start, 1e-9)), dtype=np.float64)
        return found - start
    return np.asarray(np.log(np.maximum(found, 1e-9)), dtype=np.float64) if readout.scale == "log" else found


def _people_per_group(record: Record, groups: int) -> int | None:
    if record.n is None:
        return None
    return max(1, record.n // 2) if groups == 2 and " vs " in record.arm else record.n


def _natural(x: float, record: Record, readout: Readout) -> float:
    if readout.scale != "log":
        return x
    return 100.0 * (math.exp(x) - 1.0) if record.kind == "percent" else math.exp(x)


def _share(
    record: Record, readout: Readout, share: float, people: int, arm: Arm, parameters: float = 0.0
) -> Prediction:
    """Compare counts: the predictive interval is beta-binomial, for the share is known from so many virtual people."""
    from scipy import stats

    n = record.n or 1
    mean = (share * people + 0.5) / (people + 1.0)
    spread = math.sqrt(mean * (1.0 - mean) / (people + 2.0))
    # A beta law with this mean, as wide as the cohort and the parameters leave the share uncertain.
    weight = max(mean * (1.0 - mean) / (spread**2 + parameters**2) - 1.0, _LEAST_WEIGHT)
    count = round((record.value or 0.0) * n)
    law = stats.betabinom(n, mean * weight, (1.0 - mean) * weight)
    low, high = (float(law.ppf(level)) / n for level in (0.05, 0.95))
    error = math.sqrt(mean * (1.0 - mean) / n)
    z = (count / n - mean) / math.sqrt(error**2 + spread**2 + parameters**2)
    return Prediction(
        record.id, record.study, record.family, record.endpoint, record.arm, "share", record.weeks or 0.0, record.unit,
        record.n, "share", False, count / n, share, low, high, error, spread, parameters, False, z,
        low - 1e-9 <= count / n <= high + 1e-9, _note(arm, readout),
    )  # fmt: skip


def _note(arm: Arm, readout: Readout) -> str:
    return "; ".join(text for text in (arm.note, readout.note) if text)
