"""Tolerance tests and clamps of people with normal and impaired tolerance and type 2 diabetes, against the model's people in the same tests.

Virtual people without drugs for glucose take the same test: their slow states go into the minute layer, and production is settled such that the
fasting sample is the glucose of their library. They are balanced, group by group, by age, sex, body-mass index and fasting glucose. Quartiles of
samples are compared as measured once. Traits are compared as they are fitted: the six traits of `tolerance_fits` are fitted to virtual tests too, so
that whatever the six cannot tell apart is the same on both sides.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.errors import BetapodError
from ...base.randomness import Stream
from ...engine.ensemble import Ensemble
from ...observables.table import observables
from ...patients import library as libraries
from ...patients.cohorts.comparison import weighted_quantile
from ...patients.cohorts.entropy_balancing import balance
from ...patients.lived_again import live_again
from ...patients.reweighting import effective_share, weights
from ...physiology import whole_body
from ..fit_rows import FitRows
from .model_people import SEED, errors_of_people
from .target_rows import TargetRow, compared_scale, fit_rows_of, read_target_rows
from .tolerance_fits import MEASURED, MINUTES, TRAITS, WIDE, fit_traits, oral_tests, trait_start

if TYPE_CHECKING:
    from ...validation.predictions.condition import Condition

Numbers = NDArray[np.float64]
#: Groups, and virtual people who take the test: so many with diabetes, and up to four times as many without.
GROUPS, PEOPLE = ("NGT", "IGT", "T2DM"), 800
#: Drugs for glucose: nobody who takes one is tested.
_DRUGS = ("metformin", "sulfonylurea", "tzd", "dpp4", "semaglutide", "liraglutide", "sglt2i", "insulin")
#: Largest body-mass index, kg/m2: the people who were tested are lean.
_HEAVIEST = 33.0
#: Glucose (mmol/L) from which tolerance is impaired: fasting, and after two hours (Japanese and WHO criteria).
_IMPAIRED_FASTING, _IMPAIRED_2H = 6.1, 7.8
#: Rounds in which production is settled.
_ROUNDS = 6
#: Effective people in a group below which nothing is said; the error that so few bring is part of the row's.
_FEWEST = 4.0


@dataclass(frozen=True)
class VirtualTests:
    """Virtual people and their tests.

    Attributes
    ----------
    library
        The people.
    samples
        (n, 5, 3) as of `oral_tests`, without error.
    clamps
        Insulin (pmol/L) -> (n,) glucose infused in a clamp at that insulin, mg/kg/min.
    traits
        (n, 6) fitted.
    group
        (n,) place in `GROUPS`.
    """

    library: libraries.Library
    samples: Numbers
    clamps: Mapping[float, Numbers]
    traits: Numbers
    group: NDArray[np.int64]


_TESTS: OrderedDict[str, VirtualTests] = OrderedDict()
_KEPT = 16


class ToleranceTests:
    """Rows of tolerance tests, clamps and traits.

    Attributes
    ----------
    name
        ``tolerance tests``.
    rows
        Those of two thirds of the people are fitted, those of every third person are kept for validation.

    Examples
    --------
    >>> from betapod.calibration.real_data.tolerance_tests import ToleranceTests
    >>> ToleranceTests.name
    'tolerance tests'
    """

    name = "tolerance tests"

    def __init__(self, people: int = PEOPLE) -> None:
        self.targets: tuple[TargetRow, ...] = read_target_rows("tolerance_rows")
        self._people = people
        self._insulin = sorted({row.among["clamp insulin"] for row in self.targets if "clamp insulin" in row.among})
        tests = self.tests([None])[0]
        numbers = tests.library.table["person"].to_numpy(dtype=np.int64)

        def without(kept: NDArray[np.bool_]) -> Numbers:
            # Few people are no reason to say nothing of the error that they bring.
            return self._scaled(self._statistics(tests, kept.astype(np.float64), fewest=0.0))

        self.rows: FitRows = fit_rows_of(self.targets, errors_of_people(numbers, without))

    def predict(self, conditions: Sequence[Condition]) -> Numbers:
        """Return (K, n) what virtual people show, on the scale of the rows; NaN where too few are like what is asked."""
        return self._scaled(self.natural(conditions))

    def natural(self, conditions: Sequence[Condition | None]) -> Numbers:
        """Return (K, n) predictions on the natural scale; None stands for the package's tables."""
        result = np.full((len(conditions), len(self.targets)), np.nan)
        for k, (condition, tests) in enumerate(zip(conditions, self.tests(conditions), strict=True)):
            try:
                base = weights(tests.library, condition.weighted if condition is not None else {})
            except BetapodError as error:
                if "too-few-people" not in error.kinds:
                    raise
                continue
            if condition is None:
                result[k] = self._statistics(tests, base)
            else:
                with condition.holding():
                    result[k] = self._statistics(tests, base)
        return result

    def tests(self, conditions: Sequence[Condition | None]) -> list[VirtualTests]:
        """Return the tests of virtual people under each condition, lived under it where it says so."""
        values = [dict(condition.values) if condition is not None else {} for condition in conditions]
        keys = [
            f"{self._people} {sorted(of_condition.items())} {condition.life_change.key if condition is not None else ''}"
            if of_condition or (condition is not None and condition.lived)
            else f"{self._people}"
            for of_condition, condition in zip(values, conditions, strict=True)
        ]
        for key, condition, of_condition in zip(keys, conditions, values, strict=True):
            if key not in _TESTS:
                _TESTS[key] = tested(_lived(tested_people(self._people), condition), of_condition, self._insulin)
            _TESTS.move_to_end(key)
        tests = [_TESTS[key] for key in keys]
        while len(_TESTS) > _KEPT:
            _TESTS.popitem(last=False)
        return tests

    def _scaled(self, natural: Numbers) -> Numbers:
        return compared_scale([row.scale for row in self.targets], natural)

    def _statistics(self, tests: VirtualTests, base: Numbers, fewest: float | None = None) -> Numbers:
        of_group: dict[tuple[str, str], Numbers] = {}
        for row in self.targets:
            key = (row.family, row.group)
            if row.statistic == "quantile" and key not in of_group:
                of_group[key] = like_group(row, tests, base, _FEWEST if fewest is None else fewest)
        measured = _measured_once(tests)
        spread = _trait_numbers(tests, of_group, self.targets)
        return np.array([
            _quantile(row, tests, measured, of_group[row.family, row.group])
            if row.statistic == "quantile"
            else spread[row.statistic, row.endpoint, row.other or row.group]
            for row in self.targets
        ])  # fmt: skip


def tested_people(count: int) -> libraries.Library:
    """Return people of the package's library who take no drug for glucose and are not too heavy, evenly over body-mass index.

    Parameters
    ----------
    count
        At most so many with diabetes, and up to four times as many without.

    Returns
    -------
    Library
        Some of them at several ages.
    """
    library = libraries.default()
    table = library.table
    free = (table[list(_DRUGS)].sum(axis=1) == 0) & (table["segment"] == 0) & (table["T1D"] == 0)
    free &= (table["age"] >= 20) & (table["bmi"] < _HEAVIEST)
    untreated = table[free].sort_values("bmi", kind="stable")
    rows = []
    for ill in (0, 1):
        of_kind = untreated.index[untreated["diabetes"] == ill].to_numpy()
        wanted = min(count * (4 - 3 * ill), len(of_kind))
        rows.append(of_kind[np.linspace(0, len(of_kind) - 1, wanted).astype(np.int64)])
    return library.take(np.concatenate(rows))


def _lived(library: libraries.Library, condition: Condition | None) -> libraries.Library:
    change = condition.life_change if condition is not None else None
    if not change:
        return library
    return live_again(library, [change])[0].patients


def tested(library: libraries.Library, values: Mapping[str, float], insulin: Sequence[float]) -> VirtualTests:
    """Let people take the tests.

    Parameters
    ----------
    library
        Who.
    values
        Rows of the model that have one value for everybody.
    insulin
        Insulin of clamps, pmol/L.

    Returns
    -------
    VirtualTests
        Of everybody whose morning can be settled.
    """
    columns = _columns(library, values)
    fasting = library.table["true_fpg"].to_numpy(dtype=np.float64)
    production = np.ones(len(library))
    power = np.full(len(library), 0.7)
    samples = oral_tests(columns | {"dawn_EGP": production})
    for _ in range(_ROUNDS):
        # Newton's step on logarithms, with the slope that the last step showed.
        before = np.log(samples[:, 0, 0])
        step = np.clip((np.log(fasting) - before) / power, -0.5, 0.5)
        production = production * np.exp(step)
        samples = oral_tests(columns | {"dawn_EGP": production})
        slope = (np.log(samples[:, 0, 0]) - before) / np.where(np.abs(step) > 1e-6, step, np.nan)
        power = np.clip(np.where(np.isfinite(slope), slope, power), 0.2, 3.0)
    settled = np.flatnonzero(
        np.isfinite(samples).all(axis=(1, 2)) & (np.abs(np.log(samples[:, 0, 0] / fasting)) < 0.02)
    )
    library, samples = library.take(settled), samples[settled]
    known_columns = {name: columns[name][settled] for name in ("BW", "age")}
    middle = np.tile(trait_start(), (len(settled), 1))
    traits = fit_traits(samples, known_columns, middle, np.diag(WIDE**-2.0)).traits
    ill = (library.table["diabetes"] == 1).to_numpy()
    impaired = (samples[:, 0, 0] >= _IMPAIRED_FASTING) | (samples[:, -1, 0] >= _IMPAIRED_2H)
    group = np.where(ill, 2, np.where(impaired, 1, 0))
    return VirtualTests(_without_states(library), samples, _clamps(library, values, insulin), traits, group)


def _without_states(library: libraries.Library) -> libraries.Library:
    return libraries.Library(library.table, library.parameters, np.zeros((len(library), 0)), (), library.origin)


def _columns(
    library: libraries.Library, values: Mapping[str, float], name: str = "metabolism_fast"
) -> dict[str, Numbers]:
    """Return people as a layer of metabolism takes them."""
    model = whole_body.named_model(name)
    names = set(model.parameters) | set(model.inputs)
    columns = {name: column for name, column in library.parameters.items() if name in names}
    columns |= {name: column for name, column in library.initial.items() if name in names}
    columns["GFR"] = library.table["true_gfr"].to_numpy(dtype=np.float64)
    shared = {name: np.full(len(library), value) for name, value in values.items() if name in names}
    return columns | shared


def _clamps(library: libraries.Library, values: Mapping[str, float], insulin: Sequence[float]) -> dict[float, Numbers]:
    """Return glucose infused in clamps at given insulin, mg/kg/min: rates of insulin are scaled until it is there."""
    model = whole_body.named_model("metabolism")
    ensemble = Ensemble(model, ("clamp_M", "insulin_clamp"))
    usual = model.values()["clamp_insulin_rate"]
    columns = _columns(library, values, "metabolism")
    states = {name: column for name, column in library.initial.items() if name in model.state_names}

    def at(rate: Numbers) -> Numbers:
        run = ensemble.run(columns | {"clamp_insulin_rate": rate}, [0.0], initial=states)
        return np.asarray(run.values[:, 0], dtype=np.float64)

    rate = np.full(len(library), usual)
    infused: dict[float, Numbers] = {}
    for level in insulin:
        for _ in range(3):
            rate = rate * level / at(rate)[:, 1]
        infused[level] = at(rate)[:, 0]
    return infused


def like_group(row: TargetRow, tests: VirtualTests, base: Numbers, fewest: float = _FEWEST) -> Numbers:
    """Return weights under which virtual people of a group are like those who were measured.

    Parameters
    ----------
    row
        With age, sex, body-mass index and fasting glucose of its group.
    tests
        Of virtual people.
    base
        (n,) weights to begin from.
    fewest
        Effective people that are needed.

    Returns
    -------
    numpy.ndarray
        (n,) with sum 1; NaN where fewer are like that.
    """
    among = row.among
    rows = np.flatnonzero((tests.group == GROUPS.index(row.group)) & (base > 0.0))
    if len(rows) < 10:
        return np.full(len(tests.group), np.nan)
    table = tests.library.table.iloc[rows]
    log_bmi = np.log(table["bmi"].to_numpy(dtype=np.float64))
    age, fasting = table["age"].to_numpy(dtype=np.float64), np.log(tests.samples[rows, 0, 0])
    columns, goal, tolerance = [], [], []
    for name, values in (("age", age), ("log BMI", log_bmi), ("log fasting glucose", fasting)):
        mean, sd = among[name], among[f"{name} SD"]
        columns += [values, (values - mean) ** 2]
        goal += [mean, sd**2]
        tolerance += [0.2 * sd, 0.6 * sd**2]
    columns.append(table["female"].to_numpy(dtype=np.float64))
    goal.append(among["women"])
    tolerance.append(0.05)
    balanced = balance(np.column_stack(columns), np.array(goal), np.array(tolerance), base=base[rows]).weights
    if effective_share(balanced) * len(balanced) < fewest:
        return np.full(len(tests.group), np.nan)
    result = np.zeros(len(tests.group))
    result[rows] = balanced
    return result


def _measured_once(tests: VirtualTests) -> Numbers:
    """Return samples with the variation of one test about the person's own: one factor for all samples of glucose after the first, one for hormones."""
    numbers = tests.library.table["person"].to_numpy(dtype=np.int64)
    glucose = observables()["glucose_2h"].relative_error * Stream(SEED, "real data: test glucose").normal(numbers)
    hormones = observables()["fasting_C_peptide"].relative_error * Stream(SEED, "real data: test hormones").normal(
        numbers
    )
    moved = tests.samples.copy()
    moved[:, 1:, 0] *= np.exp(glucose)[:, None]
    moved[:, :, 1:] *= np.exp(hormones)[:, None, None]
    return moved


def _quantile(row: TargetRow, tests: VirtualTests, measured: Numbers, weighting: Numbers) -> float:
    if not np.isfinite(weighting).all():
        return float("nan")
    if row.endpoint == "clamp_M":
        values = tests.clamps[row.among["clamp insulin"]]
    else:
        values = measured[:, MINUTES.index(row.among["minute"]), MEASURED.index(row.endpoint)]
    used = weighting > 0.0
    return float(weighted_quantile(values[used], weighting[used], row.level))


def _trait_numbers(
    tests: VirtualTests, of_group: Mapping[tuple[str, str], Numbers], targets: Sequence[TargetRow]
) -> dict[tuple[str, str, str], float]:
    """Return SDs and correlations of traits given group and body-mass index, and ratios of groups."""
    wanted = [row for row in targets if row.statistic != "quantile"]
    counts = wanted[0].among
    total = np.zeros(len(tests.group))
    for (family, group), weighting in of_group.items():
        if "two thirds" in family:
            total = total + counts[group] * weighting
    nothing = {(row.statistic, row.endpoint, row.other or row.group): float("nan") for row in wanted}
    if not np.isfinite(total).all():
        return nothing
    used = total > 0.0
    log_bmi = np.log(tests.library.table["bmi"].to_numpy(dtype=np.float64)[used] / 25.0)
    design = np.column_stack([*(tests.group[used] == k for k in range(len(GROUPS))), log_bmi]).astype(np.float64)
    root = np.sqrt(total[used])[:, None]
    coefficients = np.linalg.lstsq(design * root, tests.traits[used] * root, rcond=None)[0]
    away = tests.traits[used] - design @ coefficients
    covariance = (away * total[used][:, None]).T @ away / total[used].sum()
    sd = np.sqrt(np.diag(covariance))
    names = list(TRAITS)
    numbers = dict(nothing)
    for row in wanted:
        i, key = names.index(row.endpoint), (row.statistic, row.endpoint, row.other or row.group)
        if row.statistic == "SD":
            numbers[key] = float(sd[i])
        elif row.statistic == "correlation":
            j = names.index(row.other)
            numbers[key] = float(covariance[i, j] / sd[i] / sd[j])
        else:
            numbers[key] = float(np.exp(coefficients[GROUPS.index(row.group), i] - coefficients[0, i]))
    return numbers
