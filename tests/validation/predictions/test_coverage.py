"""Intervals hold what they promise: numbers published of the model's own people lie in the 90 % interval nine times of ten."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from betapod.evidence.records import registry
from betapod.evidence.records.study import Dispersion, Record
from betapod.evidence.synthesis.reported_error import reported_error
from betapod.validation.predictions import event_counts, row_expectations, row_predictions, studies
from betapod.validation.predictions.prediction import (
    Errors,
    Prediction,
    compare_prediction,
    normal_score,
    share_of,
    student,
)
from betapod.validation.predictions.published_value import freedom
from betapod.validation.predictions.study_courses import Courses
from betapod.validation.predictions.study_readouts import Readout, readout_of
from betapod.validation.predictions.visits import seen_in

ARM = studies.StudyArm("MADE", "treated", "Packham")
WEEKS = np.array([0.0, 26.0, 52.0])
VISIT = 52.0


@pytest.fixture(scope="module")
def template() -> Record:
    found = registry.load_registry()["ZANG2022#7"]
    return replace(found, study="MADE", arm="treated", dispersion=None, p_value="", weeks=VISIT, statistic_text="mean")


def population(count: int, generator: np.random.Generator) -> Courses:
    """Return people whose filtration falls by 4 a year, each at a pace of their own, and whose albuminuria is log-normal."""
    years = WEEKS * 7.0 / 365.25
    normal = generator.standard_normal((4, count, 1))
    values = {
        "HbA1c": 8.0 + normal[0] - 0.2 * years,
        "eGFR": 50.0 + 12.0 * normal[1] + (-4.0 + 2.0 * normal[2]) * years,
        "UACR": np.exp(5.0 + normal[3] + 0.1 * years),
    }
    return Courses(WEEKS, values, np.arange(count), np.full(count, np.inf))


def spread_of(x: np.ndarray, kind: str) -> Dispersion:
    if kind == "IQR":
        return Dispersion("IQR", *(float(q) for q in np.quantile(x, [0.25, 0.75])))
    return Dispersion("SD", *[float(x.std(ddof=1))] * 2)


def made_up(
    template: Record, endpoint: str, kind: str, contrast: str, unit: str, n: int, spread: str, count: int,
    monkeypatch: pytest.MonkeyPatch, anchored: bool = False,
) -> list[Prediction]:  # fmt: skip
    """Return predictions of studies of n people, each by its own sixty virtual people of the same population."""
    generator = np.random.default_rng([7, n, *endpoint.encode()])
    luck = lambda x: generator.standard_normal(x.shape)  # noqa: E731
    found = []
    for number in range(count):
        record = replace(template, id=f"MADE#{number}", endpoint=endpoint, kind=kind, contrast=contrast, unit=unit, n=n)
        readout = readout_of(record)
        assert readout is not None
        people = population(n, generator)
        seen = seen_in(people.values, WEEKS, luck)

        def of(week: float, record=record, readout=readout, seen=seen) -> Record:
            x = readout.people(seen, week, False)
            value = float(readout.group(x))
            shown = 100.0 * math.expm1(value) if record.kind == "percent" and readout.scale == "log" else value
            return replace(record, value=shown, weeks=week, dispersion=spread_of(x, spread) if spread else None)

        first = of(0.0) if anchored else None
        monkeypatch.setattr(row_expectations, "baseline_of", lambda *_, first=first: first)
        found.append(row_predictions._prediction(of(VISIT), readout, [population(60, generator)], [], ARM, 1))
    return found


@pytest.mark.parametrize(
    ("endpoint", "kind", "contrast", "unit", "n", "spread", "anchored"),
    [
        ("HbA1c", "mean", "change", "%", 30, "", False),
        ("eGFR", "mean", "level", "mL/min/1.73m2", 12, "SD", True),
        ("eGFR_slope", "slope", "level", "mL/min/1.73m2/year", 8, "SD", False),
        ("HbA1c", "median", "level", "%", 12, "IQR", False),
        ("UACR", "percent", "change", "%", 20, "", False),
    ],
)
def test_nine_of_ten_numbers_are_inside(
    template: Record, endpoint: str, kind: str, contrast: str, unit: str, n: int, spread: str, anchored: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(row_predictions, "_TRIALS", 100)
    found = made_up(template, endpoint, kind, contrast, unit, n, spread, 200, monkeypatch, anchored)
    z = np.array([each.z for each in found])
    assert all(each.printed == (bool(spread) and not anchored) for each in found)
    # The standard error of 200 is 2 %; an error twice too wide or too narrow has 100 or 59 % inside.
    assert 0.84 <= np.mean([each.inside for each in found]) <= 0.96
    assert abs(z.mean()) < 0.25
    assert 0.82 < z.std() < 1.18
    assert all(each.inside == (each.low <= each.observed <= each.high) for each in found)


def test_a_printed_sd_of_few_people_is_itself_a_guess(template: Record) -> None:
    generator = np.random.default_rng(3)
    sample = 8.0 + generator.standard_normal((4000, 5))
    found = []
    for x in sample:
        record = replace(template, value=float(x.mean()), n=5, dispersion=spread_of(x, "SD"))
        readout = Readout("HbA1c")
        error = reported_error(record, readout.scale == "log").size
        assert error is not None
        errors = Errors(error, 0.0, printed=True, freedom=freedom(record, 5, 1))
        found.append(compare_prediction(record, readout, ARM, 8.0, float(x.mean()), errors, False))
    # With the quantile of the normal distribution 82.5 % would be inside.
    assert np.mean([each.inside for each in found]) == pytest.approx(0.9, abs=0.015)
    assert np.std([each.z for each in found]) == pytest.approx(1.0, abs=0.04)


def test_eight_sets_of_parameters_leave_their_scatter_uncertain(template: Record) -> None:
    generator = np.random.default_rng(4)
    inside = []
    for drawn, true in zip(generator.standard_normal((4000, 8)), generator.standard_normal(4000), strict=True):
        errors = Errors(0.0, 0.0, row_predictions._scatter(list(drawn)), draws=8)
        inside.append(compare_prediction(template, Readout("HbA1c"), ARM, 0.0, float(true), errors, False).inside)
    assert np.mean(inside) == pytest.approx(0.9, abs=0.015)


def test_parameters_whose_mean_effect_is_elsewhere_widen_the_interval() -> None:
    assert row_predictions._scatter([2.0, 2.0, 2.0]) == 2.0
    assert row_predictions._scatter([]) == 0.0


@pytest.mark.parametrize("left", [3.0, 7.0, 18.0, 200.0])
def test_normal_scores_are_those_of_students_distribution(left: float) -> None:
    for t in (0.5, 1.6, 3.0):
        assert normal_score(t, left) == pytest.approx(stats.norm.isf(stats.t.sf(t, left)), abs=0.02)
        assert normal_score(-t, left) == -normal_score(t, left)
        assert student(normal_score(t, left), left) == pytest.approx(t)
    assert normal_score(80.0, left) > normal_score(60.0, left)
    assert normal_score(1.7, math.inf) == student(1.7, math.inf) == 1.7


@pytest.mark.parametrize(("share", "n"), [(0.3, 10), (0.02, 12), (0.5, 400)])
def test_shares_are_inside_and_have_normal_scores(template: Record, share: float, n: int) -> None:
    generator = np.random.default_rng(5)
    readout = Readout(condition="HbA1c_lt7", scale="share")
    found = []
    for _ in range(200):
        known = float(generator.binomial(60, share)) / 60.0
        record = replace(template, kind="proportion", n=n, value=float(generator.binomial(n, share)) / n)
        found.append(share_of(record, readout, known, 60, ARM))
    # Counts jump, so that more than nine of ten are inside.
    assert np.mean([each.inside for each in found]) > 0.85
    assert np.mean([each.inside for each in found]) > 0.87
    z = np.array([each.z for each in found])
    assert abs(z.mean()) < 0.2 and 0.6 < z.std() < 1.12


def test_one_rare_event_is_no_great_surprise(template: Record) -> None:
    readout = Readout(condition="HbA1c_lt7", scale="share")
    one = share_of(replace(template, kind="proportion", n=10, value=0.1), readout, 0.01, 100_000, ARM)
    # One in ten where each has 1 %: the chance of one or more is 9.6 %, of which half of that of just one is left out.
    expected = stats.norm.isf(stats.binom.sf(1, 10, 0.01) + 0.5 * stats.binom.pmf(1, 10, 0.01))
    assert one.z == pytest.approx(expected, abs=0.01)
    assert one.inside
    none = share_of(replace(template, kind="proportion", n=10, value=1.0), readout, 0.0, 1e9, ARM)
    assert 15.0 < none.z < math.inf


def test_an_incidence_with_a_wide_interval_counts_fewer_people(template: Record) -> None:
    readout = Readout(condition="HbA1c_lt7", scale="share")
    plain = replace(template, kind="proportion", n=216, value=0.51)
    wide = replace(plain, dispersion=Dispersion("CI95", 0.42, 0.60))
    narrow = replace(plain, dispersion=Dispersion("CI95", 0.50, 0.52))
    errors = [share_of(each, readout, 0.5, 1e6, ARM).se_study for each in (plain, wide, narrow)]
    assert errors[1] == pytest.approx(0.18 / 3.92, rel=0.01)
    assert errors[0] == errors[2] == pytest.approx(math.sqrt(0.25 / 216), rel=0.001)


def test_chances_of_people_know_a_share_better_than_counts() -> None:
    chances = np.full(300, 0.2)
    chances[:150] = 0.1
    group = event_counts.Counts(np.ones(300), chances, np.full(300, 2.0))
    behind = event_counts.people_behind(group, np.random.default_rng(1))
    exact = 0.15 * 0.85 / (0.05**2 / 300.0)
    assert behind == pytest.approx(exact, rel=0.25)
    certain = event_counts.Counts(np.ones(300), (chances > 0.15).astype(float), np.full(300, 2.0))
    assert event_counts.people_behind(certain, np.random.default_rng(1)) == pytest.approx(300.0, rel=0.25)
    rare = event_counts.Counts(np.ones(300), np.repeat([0.001, 0.0], 150), np.ones(300))
    assert event_counts.people_behind(rare, np.random.default_rng(1)) == 300.0


def test_people_on_the_edge_of_a_condition_make_its_share_better_known(template: Record) -> None:
    group = population(60, np.random.default_rng(6))
    record = replace(template, id="MADE#2", endpoint="HbA1c_lt7", kind="proportion", contrast="level", value=0.3, n=40)
    readout = readout_of(record)
    assert readout is not None
    found = row_predictions._prediction(record, readout, [group], [], ARM, 1)
    chances = row_predictions._chances(record, readout, group, 1).events
    assert found.predicted == pytest.approx(chances.mean())
    assert found.se_cohort == pytest.approx(chances.std() / math.sqrt(60.0), rel=0.15)
    assert found.se_cohort < 0.9 * math.sqrt(found.predicted * (1.0 - found.predicted) / 60.0)


def test_a_rate_counts_everybody_and_its_events_only_those_at_risk() -> None:
    some = event_counts.Counts(np.repeat([1.0, 0.0], 50), np.repeat([0.2, 0.0], 50), np.repeat([2.0, 0.0], 50))
    # 400 people, half at risk, a fifth of those with the event: 40 events.
    assert event_counts.scatter_of_study("rate", [some], 400) == pytest.approx(1.0 / math.sqrt(40.0))


def test_a_slope_ends_with_the_kidney() -> None:
    readout = Readout("eGFR", form="slope")
    weeks = np.array(readout.weeks(104.0))
    line = 40.0 - 10.0 * weeks * 7.0 / 365.25
    courses = {"eGFR": np.stack([line, np.where(weeks > 60.0, np.nan, line)])}
    assert readout.people(seen_in(courses, weeks, None), 104.0, False) == pytest.approx([-10.0, -10.0])
    assert readout.known_until(104.0) == 52.0
    assert Readout("eGFR", form="change").known_until(104.0) == 104.0


def test_a_geometric_mean_is_one(template: Record) -> None:
    record = replace(
        template, endpoint="UAER", kind="geometric_mean", contrast="level", unit="mg/day", value=10.0, n=16,
        dispersion=Dispersion("tolerance_factor", 3.0, 3.0),
    )  # fmt: skip
    readout = readout_of(record)
    assert readout is not None
    assert readout.scale == "log" and not readout.skewed
    assert float(readout.group(np.array([1.0, 100.0]))) == pytest.approx(10.0)
    assert reported_error(record, readout.scale == "log").size == pytest.approx(math.log(3.0) / 4.0)


def test_what_life_moves_does_not_raise_a_skewed_mean(template: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    still = population(60, np.random.default_rng(2))
    still = replace(still, values={name: np.repeat(x[:, :1], len(WEEKS), axis=1) for name, x in still.values.items()})
    record = replace(template, id="MADE#1", endpoint="UACR", kind="mean", contrast="level", unit="mg/g", value=300.0)
    monkeypatch.setattr(row_expectations, "baseline_of", lambda *_: replace(record, weeks=0.0))
    readout = readout_of(record)
    assert readout is not None
    found = row_predictions._prediction(record, readout, [still], [], ARM, 1)
    # Measurement alone is left, alike at both ends; an SD of life of 0.4 would give 1.08.
    assert found.predicted == pytest.approx(1.0, abs=0.04)
    assert (found.unit, found.observed) == ("1", 1.0)


def test_numbers_without_a_logarithm_are_refused() -> None:
    known = registry.load_registry()
    rate = next(r for r in known if r.kind == "rate" and not studies.reason(studies.as_counted(r)))
    assert studies.reason(replace(studies.as_counted(rate), value=0.0)) == "nought has no logarithm"
    ratio = known["FIDELITY_stage4#1"]
    open_end = replace(ratio, n=None, dispersion=Dispersion("CI95", 0.0, 0.8))
    assert "neither" in studies.reason(open_end)


def test_people_of_an_exposure_are_those_who_have_it() -> None:
    known = registry.load_registry()
    exposed, allocated = known["BABAZONO2019#1"], known["RENAAL2001#7"]
    assert row_predictions._people_per_group(exposed, 2) == known["BABAZONO2019#6"].n == 823
    assert row_predictions._people_per_group(allocated, 2) == 1513 // 2
