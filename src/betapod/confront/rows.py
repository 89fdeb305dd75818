"""From parameters to a prediction for every row: expected value, interval, distance of what was observed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..evidence.study import Record
from .courses import Courses, Setting, simulate
from .readouts import QUANTITIES, Numbers, Readout, readout_of, seen_in
from .studies import Arm, arms, baseline_of

#: Virtual trials per row, and people of one of them at most; the scatter of larger ones follows by the root of n.
_TRIALS, _LARGEST = 300, 300
#: Errors of measurement per virtual person in an expectation, besides as many mirror images.
_LUCKS = 25
#: Virtual people behind a chance that is computed and not counted; weight of who gets a course per kg, kg.
_CERTAIN, _WEIGHT = 100_000, 80.0
#: Makes standard normal numbers of a shape.
Luck = Callable[[Numbers], Numbers]
#: Standard normal 95 % and 97.5 % points.
Z95, _Z975 = 1.6448536269514722, 1.959963984540054
_IQR_PER_SD, _MEDIAN_EFFICIENCY = 1.3489795003921634, 1.2533141373155001


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
    se_study, se_cohort
        On `scale`: error of the study, and of the finite number of virtual people.
    printed
        Whether `se_study` was made of what the source printed: an interval, SE, SD with n, or an exact p value.
    z
        (observed - predicted) / sqrt(se_study^2 + se_cohort^2), on `scale`.
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
    printed: bool
    z: float
    inside: bool
    note: str = ""


def predict(
    records: Iterable[Record], setting: Setting, count: int = 60, seed: int = 1, threads: int | None = None
) -> list[Prediction]:
    """Return predictions for rows that `studies.sort` lets through, in their order.

    The same arguments give the same numbers; as a function of `setting` this is the objective of a calibration: people, luck and
    measurement errors do not change with it, so that it is as smooth as the model.

    Parameters
    ----------
    count
        Virtual people per cohort.

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
        for prediction in predict_study(mine, setting, count, seed, threads):
            found[prediction.record] = prediction
    return [found[record.id] for record in rows if record.id in found]


def predict_study(
    records: Sequence[Record], setting: Setting, count: int, seed: int, threads: int | None
) -> list[Prediction]:
    """Return predictions for rows of one study."""
    readouts = {record.id: readout_of(record) for record in records}
    wanted: dict[tuple[object, ...], Arm] = {}
    weeks = {0.0}
    for record in records:
        readout, arm = readouts[record.id], arms()[record.study, record.arm]
        assert readout is not None and record.weeks is not None
        if readout.risk:
            continue
        weeks |= set(readout.weeks(record.weeks))
        for each in (arm, arm.other) if record.contrast == "between" else (arm,):
            wanted[_key(each)] = each
    grid = sorted(weeks)
    courses = simulate(list(wanted.values()), grid, setting, count, seed, threads) if wanted else []
    known = dict(zip(wanted, courses, strict=True))
    found = []
    for record in records:
        arm, readout = arms()[record.study, record.arm], readouts[record.id]
        assert readout is not None
        if readout.risk:
            found.append(_share(record, readout, _chance(arm, readout.risk, setting), _CERTAIN, arm))
            continue
        groups = [known[_key(arm)]] + ([known[_key(arm.other)]] if record.contrast == "between" else [])
        found.append(_prediction(record, readout, groups, arm, seed))
    return found


def _key(arm: Arm) -> tuple[object, ...]:
    return (arm.cohort, arm.cells, arm.care, arm.inputs)


def _chance(arm: Arm, name: str, setting: Setting) -> float:
    """Return the chance of at least one adverse event in the course of an arm."""
    from ..physiology import cell_parameters, whole_body
    from ..procedures.cell_dosing import regimen
    from ..procedures.cell_risks import risks

    model = cell_parameters.parameterise(whole_body.model("cells"), setting.parameterisation)
    model = model.with_values({key: value for key, value in setting.values.items() if key in model.parameters})
    course = regimen(arm.cells, _WEIGHT, model, setting.parameterisation, where=arm.study)
    return next((risk.at_least_one for risk in risks(course, model) if risk.name == name), 0.0)


def _prediction(record: Record, readout: Readout, groups: Sequence[Courses], arm: Arm, seed: int) -> Prediction:
    assert record.value is not None and record.weeks is not None
    base = baseline_of(record) if readout.form == "level" and readout.quantity and record.weeks > 0 else None
    anchored = base is not None
    per_kg = "/kg" in record.unit and record.endpoint == "insulin_dose"
    generator = np.random.default_rng([seed, *record.id.encode()])
    n = _people_per_group(record, len(groups))

    def statistic(indices: Sequence[NDArray[np.int64]], luck: Sequence[Luck | None], frozen: bool = False) -> Numbers:
        parts = [
            _statistic(record, readout, group, index, anchored, per_kg, mine, frozen)
            for group, index, mine in zip(groups, indices, luck, strict=True)
        ]
        return parts[0] - parts[1] if len(parts) == 2 else parts[0]

    sizes = [len(group) for group in groups]
    size = min(n or _LARGEST, _LARGEST)
    drawn = [generator.integers(k, size=(_TRIALS, size)) for k in sizes]
    # Where a treatment takes a quantity to nothing, its scatter is that of people as they were.
    scatter = max(float(np.std(statistic(drawn, [_free(generator)] * len(groups), frozen))) for frozen in (False, True))
    shared = generator.integers(min(sizes), size=(_TRIALS, min(sizes)))
    cohort = statistic([shared] * len(groups), [None] * len(groups))
    # Expectation: everybody once, many errors of measurement each; both arms have the same luck, and its mirror image.
    everybody = [np.tile(np.arange(k), (2 * _LUCKS, 1)) for k in sizes]
    mirrored = [_mirrored(np.random.default_rng([seed, *record.id.encode()])) for _ in groups]
    expected = float(np.mean(statistic(everybody, mirrored)))
    sampled = scatter * math.sqrt(size / n) if n else math.nan
    if readout.scale == "share":
        return _share(record, readout, expected, len(groups[0]), arm)
    observed = _observed(record, readout, base)
    printed = _printed(record, readout)
    error = printed if printed is not None else sampled
    spread = float(np.std(cohort))
    total = math.hypot(error, spread)
    z = (observed - expected) / total if total > 0 else math.nan
    bounds = (expected, expected - Z95 * total, expected + Z95 * total, observed)
    predicted, low, high, shown = (_natural(x, record, readout, anchored) for x in bounds)
    return Prediction(
        record.id, record.study, record.family, record.endpoint, record.arm,
        "change" if anchored else f"{readout.form}{', between' if len(groups) == 2 else ''}",
        record.weeks, record.unit, record.n, readout.scale, anchored, shown, predicted, low, high,
        error, spread, printed is not None, z, abs(z) <= Z95, _note(arm, readout),
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
    seen = seen_in(
        {name: values[index] for name, values in group.values.items() if name in _columns()},
        group.weeks,
        luck,
        frozen,
    )
    found = readout.group(readout.people(seen, record.weeks, per_kg))
    if readout.form != "level" or not readout.quantity:
        return found
    if anchored:
        start = readout.group(readout.people(seen, 0.0, per_kg))
        if readout.scale == "log":
            return np.asarray(np.log(np.maximum(found, 1e-9)) - np.log(np.maximum(start, 1e-9)), dtype=np.float64)
        return found - start
    return np.asarray(np.log(np.maximum(found, 1e-9)), dtype=np.float64) if readout.scale == "log" else found


def _columns() -> set[str]:
    return {quantity.column for quantity in QUANTITIES.values()}


def _people_per_group(record: Record, groups: int) -> int | None:
    if record.n is None:
        return None
    return max(1, record.n // 2) if groups == 2 and " vs " in record.arm else record.n


def _observed(record: Record, readout: Readout, base: float | None) -> float:
    value = record.value
    assert value is not None
    if readout.scale == "log":
        return math.log(_ratio(value, record, base))
    return value - base if base is not None else value


def _ratio(value: float, record: Record, base: float | None = None) -> float:
    if record.kind == "percent":
        return max(1e-3, 1.0 + value / 100.0)
    return value / base if base else value


def _natural(x: float, record: Record, readout: Readout, anchored: bool) -> float:
    if readout.scale != "log":
        return x
    return 100.0 * (math.exp(x) - 1.0) if record.kind == "percent" else math.exp(x)


def _printed(record: Record, readout: Readout) -> float | None:
    """Return the standard error that the source allows to compute, on the scale of comparison."""
    spread, n, value = record.dispersion, record.n, record.value
    log = readout.scale == "log"
    if value is None:
        return None
    if spread is None or spread.type not in ("CI95", "SE", "SD", "IQR"):
        return _from_p(record, math.log(_ratio(value, record)) if log else value)
    if spread.type == "CI95":
        low, high = (math.log(_ratio(b, record)) if log else b for b in (spread.low, spread.high))
        return (high - low) / (2.0 * _Z975)
    error: float | None = None
    if spread.type == "SE":
        error = spread.low
    elif spread.type == "SD" and n:
        error = spread.low / math.sqrt(n)
    elif spread.type == "IQR" and n:
        error = spread.width / _IQR_PER_SD * _MEDIAN_EFFICIENCY / math.sqrt(n)
    if error is not None and log:
        error /= abs(value) if record.kind != "percent" else 100.0 + value
    return error


def _from_p(record: Record, effect: float) -> float | None:
    """Return the standard error of a contrast that an exact two-sided p value implies."""
    from statistics import NormalDist

    match = re.fullmatch(r"(?:p\s*=\s*)?(0?\.\d+)", record.p_value.strip(), re.IGNORECASE)
    if record.contrast != "between" or match is None or not 0.0 < float(match[1]) < 1.0:
        return None
    return abs(effect) / NormalDist().inv_cdf(1.0 - float(match[1]) / 2.0)


def _share(record: Record, readout: Readout, share: float, people: int, arm: Arm) -> Prediction:
    """Compare counts: the predictive interval is beta-binomial, for the share is known from so many virtual people."""
    from scipy import stats

    n = record.n or 1
    a, b = share * people + 0.5, (1.0 - share) * people + 0.5
    mean = a / (a + b)
    count = round((record.value or 0.0) * n)
    law = stats.betabinom(n, a, b)
    low, high = (float(law.ppf(level)) / n for level in (0.05, 0.95))
    error, spread = math.sqrt(mean * (1.0 - mean) / n), math.sqrt(mean * (1.0 - mean) / (people + 2.0))
    z = (count / n - mean) / math.hypot(error, spread)
    return Prediction(
        record.id, record.study, record.family, record.endpoint, record.arm, "share", record.weeks or 0.0, record.unit,
        record.n, "share", False, count / n, share, low, high, error, spread, False, z,
        low - 1e-9 <= count / n <= high + 1e-9, _note(arm, readout),
    )  # fmt: skip


def _note(arm: Arm, readout: Readout) -> str:
    return "; ".join(text for text in (arm.note, readout.note) if text)
