"""Rows confronted with the model: reasons, scales, errors, the direction of misses, and resuming."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.base.intervals import normal_score
from betapod.evidence.records import registry
from betapod.evidence.synthesis.reported_error import reported_error
from betapod.observables.outcomes import SHARES
from betapod.observables.variation import variations
from betapod.patients.life_course import FIRST_INSULIN
from betapod.validation.predictions import row_expectations, row_predictions, studies
from betapod.validation.predictions.campaign import confront_records
from betapod.validation.predictions.published_value import error_of_change
from betapod.validation.predictions.study_courses import Condition, simulate_arms
from betapod.validation.predictions.study_people import people
from betapod.validation.predictions.study_readouts import Readout, readout_of
from betapod.validation.predictions.visits import compared, seen_in

FEW = 12


@pytest.fixture(scope="module")
def published() -> registry.Registry:
    return registry.load_registry()


def test_every_row_is_simulated_or_has_a_reason(published: registry.Registry) -> None:
    can, cannot = studies.sort(published)
    assert len(can) + len(cannot) == len(published)
    assert len(can) >= 100
    assert all(why for _, why in cannot)
    assert all(record.tag == "seen" and (record.weeks > 0 or record.endpoint.startswith("adverse")) for record in can)


def test_a_number_of_two_reports_is_compared_once(published: registry.Registry) -> None:
    family = [record for record in published if record.family == "MINNESOTA_T1D_BIOPSY"]
    reasons = {record.id: why for record, why in studies.sort(family)[1]}
    assert reasons["FIORETTO1998#3"] == "the same number as FIORETTO1998_PTX#9"
    assert reasons.get("FIORETTO1998_PTX#9", "") == ""
    skyler = [record for record in published if record.study == "SKYLER2015"]
    assert not any("same number" in why for _, why in studies.sort(skyler)[1])


def test_of_a_number_that_is_there_twice_the_one_with_an_error_is_compared(published: registry.Registry) -> None:
    can, cannot = studies.sort(published.select(study="FUNG2007_ISLET_GFR"))
    reasons = {record.id: why for record, why in cannot}
    assert "FUNG2007_ISLET_GFR#4" in {record.id for record in can}
    assert reasons["FUNG2007_ISLET_GFR#2"].startswith("the same number as FUNG2007_ISLET_GFR#4")


def test_marrow_without_conditioning_is_simulated_whatever_it_is_called(published: registry.Registry) -> None:
    assert studies.reason(published["BHANSALI2014_15M#1"]) == ""
    assert "haematopoietic" in studies.reason(published["GU_B2018_AHSCT#1"])


def test_two_drugs_are_compared_where_both_are_simulated(published: registry.Registry) -> None:
    assert studies.reason(published["DETAIL2004#3"]) == ""
    assert "active drug" in studies.reason(published["IDNT2001#2"])


def test_every_arm_belongs_to_the_registry_and_to_a_cohort(published: registry.Registry) -> None:
    known = {(record.study, record.arm) for record in published}
    for key, arm in studies.arms().items():
        assert key in known
        assert arm.cohort in studies.baseline_cohorts() or (not arm.cohort and arm.note)
        assert not arm.control[0] or arm.control[0] in studies.baseline_cohorts()


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("COURI2009_AHSCT#1", "haematopoietic"),
        ("ZANG2022#6", "baseline"),
        ("MA_LI2021_SCRT#1", "pooled"),
        ("SKYLER2015#5", "cannot be mapped: which of three doses"),
        ("ARAUJO_DANTAS_ASC#13", "baseline was not read"),
        ("BHANSALI2014_15M#4", "outcome"),
    ],
)
def test_reasons(published: registry.Registry, record: str, words: str) -> None:
    assert words in studies.reason(published[record])


@pytest.mark.parametrize(
    ("record", "form", "scale"),
    [
        ("PACKHAM2016#1", "change", "linear"),
        ("SKYLER2015#8", "level", "share"),
        ("CREDENCE_Oshima2020#1", "ratio", "log"),
        ("FLOW#5", "slope", "linear"),
        ("CAI2016#10", "ratio", "linear"),
        ("CAI2016#3", "ratio", "log"),
        ("DCCT_EDIC_GFR2011#5", "average", "linear"),
        ("RASS2009#1", "change", "linear"),
    ],
)
def test_read_outs(published: registry.Registry, record: str, form: str, scale: str) -> None:
    readout = readout_of(published[record])
    assert readout is not None
    assert (readout.form, readout.scale) == (form, scale)


def test_a_chronic_slope_leaves_the_acute_effect_out(published: registry.Registry) -> None:
    chronic, total = readout_of(published["EMPAREG_slope2018#3"]), readout_of(published["FLOW#5"])
    assert chronic is not None and total is not None
    assert (min(chronic.weeks(156.0)), min(total.weeks(177.0))) == (4.0, 0.0)


def test_a_slope_is_per_year() -> None:
    weeks = np.linspace(0.0, 104.0, 5)
    courses = {"eGFR": 60.0 - 3.0 * weeks[None, :] * 7.0 / 365.25}
    seen = seen_in(courses, weeks, None, False)
    slope = Readout("eGFR", form="slope").people(seen, 104.0, False)
    assert slope == pytest.approx([-3.0])


def test_shares_and_doses() -> None:
    weeks = np.array([0.0, 48.0])
    courses = {
        "HbA1c": np.array([[9.0, 6.5], [9.0, 6.5], [9.0, 7.5]]),
        "insulin_dose": np.array([[40, 10], [40, 30], [40, 1.0]]),
    }
    seen = seen_in(courses, weeks, None, False)
    assert list(SHARES["HbA1c_lt7"](seen, 48.0)) == [True, True, False]
    assert list(SHARES["HbA1c_lt7_and_insulin_reduction_ge50"](seen, 48.0)) == [True, False, False]
    assert not SHARES["insulin_independence"](seen, 48.0).any()


@pytest.mark.parametrize(("fasting", "after", "more"), [(0.12, 0.2, True), (0.1, 0.23, True), (0.109, 0.218, False)])
def test_a_tenth_more_of_either_c_peptide(fasting: float, after: float, more: bool) -> None:
    values = {"fasting_C_peptide": np.array([[0.1, fasting]]), "stimulated_C_peptide": np.array([[0.2, after]])}
    seen = seen_in(values, np.array([0.0, 52.0]), None)
    assert bool(SHARES["C_peptide_increase_ge10pct"](seen, 52.0)[0]) is more


def test_luck_moves_no_mean() -> None:
    generator = np.random.default_rng(0)
    seen = seen_in(
        {"HbA1c": np.full((200_000, 1), 8.0)}, np.array([48.0]), lambda x: generator.standard_normal(x.shape), False
    )
    found = seen("HbA1c", 48.0)
    assert found.mean() == pytest.approx(8.0, abs=0.01)
    years = 48.0 * 7.0 / 365.25
    expected = 8.0 * math.hypot(compared()["HbA1c"].relative_error, compared()["HbA1c"].life.share * math.sqrt(years))
    assert found.std() == pytest.approx(expected, rel=0.02)


def test_what_life_moves_lasts() -> None:
    generator = np.random.default_rng(0)
    weeks = np.array([0.0, 104.0, 117.0, 520.0])
    seen = seen_in({"body_weight": np.full((50_000, 4), 80.0)}, weeks, lambda x: generator.standard_normal(x.shape))
    shown = [seen("body_weight", week) for week in weeks[1:]]
    weight = compared()["body_weight"]
    share = weight.life.share**2 / (weight.life.share**2 + weight.relative_error**2)
    near, far = (float(np.corrcoef(shown[0], other)[0, 1]) for other in shown[1:])
    assert near == pytest.approx(share * math.exp(-13.0 * 7.0 / 365.25), abs=0.02)
    assert abs(far) < 0.02


def _albuminuria(people: int, weeks: tuple[float, ...], seed: int = 0) -> dict[str, np.ndarray]:
    """Return constant albuminuria of people who begin with a deviation of their own."""
    start = np.random.default_rng(seed).standard_normal(people)
    life = np.repeat(start[:, None], len(weeks), axis=1)
    return {"UACR": np.full((people, len(weeks)), 95.0), "UAER": np.full((people, len(weeks)), 95.0), "life_uacr": life}


def test_a_deviation_of_albuminuria_is_there_from_the_start_and_keeps_its_size() -> None:
    weeks = (0.0, 26.0, 130.45, 520.0)
    values, generator = _albuminuria(100_000, weeks), np.random.default_rng(1)
    seen = seen_in(values, np.array(weeks), lambda x: generator.standard_normal(x.shape), samples={"UACR": 10**9})
    logs = [np.log(seen("UACR", week) / 95.0) for week in weeks]
    life = compared()["UACR"].life
    assert [float(x.std()) for x in logs] == pytest.approx([life.share] * 4, rel=0.01)
    # Two and a half years on, a deviation is remembered by exp(-1).
    found = [float(np.corrcoef(logs[0], x)[0, 1]) for x in logs]
    assert found == pytest.approx([math.exp(-week * 7.0 / 365.25 / life.lasts) for week in weeks], abs=0.01)


def test_normal_albuminuria_deviates_less() -> None:
    life = compared()["UACR"].life
    low, high = (variations()["UACR", f"life at {level} values"].sd for level in ("low", "high"))
    expected = [low, low, life.share, high, high]
    assert life.share_at(np.array([3.0, 10.0, 95.0, 900.0, 5000.0])) == pytest.approx(expected)
    assert low < float(life.share_at(np.array(30.0))) < life.share
    assert compared()["HbA1c"].life.share_at(np.array([5.0, 9.0])) == compared()["HbA1c"].life.share
    normal = {
        name: table if name == "life_uacr" else table / 20.0 for name, table in _albuminuria(50_000, (0.0,)).items()
    }
    seen = seen_in(normal, np.zeros(1), lambda x: np.zeros(x.shape))
    assert float(np.log(seen("UACR", 0.0)).std()) == pytest.approx(low, rel=0.02)


def test_people_selected_for_much_albumin_regress() -> None:
    weeks = np.array([0.0, 260.9])
    values, generator = _albuminuria(100_000, (0.0, 260.9)), np.random.default_rng(1)
    high = values["life_uacr"][:, 0] > 1.0
    chosen = {name: table[high] for name, table in values.items()}
    seen = seen_in(chosen, weeks, lambda x: generator.standard_normal(x.shape))
    first, last = (float(np.log(seen("UACR", week) / 95.0).mean()) for week in weeks)
    deviation = compared()["UACR"].life.share * float(chosen["life_uacr"][:, 0].mean())
    assert (first, last) == pytest.approx((deviation, deviation * math.exp(-2.0)), abs=0.03)


def test_without_luck_a_group_moves_as_is_expected_of_it() -> None:
    weeks = (0.0, 104.0)
    values = _albuminuria(200_000, weeks)
    expected = seen_in(values, np.array(weeks), None)
    # Everybody together keeps the mean, although each moves towards the true value.
    assert expected("UACR", 104.0).mean() == pytest.approx(expected("UACR", 0.0).mean(), rel=0.01)
    assert expected("UACR", 104.0).std() < expected("UACR", 0.0).std()
    with_errors = seen_in(values, np.array(weeks), lambda x: np.zeros(x.shape), with_life=False)
    assert with_errors("UACR", 104.0) == pytest.approx(expected("UACR", 104.0))
    assert expected("UACR", 104.0) == pytest.approx(expected("UAER", 104.0)), "one kidney has one deviation"


def test_actuarial_shares_have_fewer_people_behind_them(published: registry.Registry) -> None:
    counted = {record.id: studies.as_counted(record) for record in published if record.study == "CIT08_RICKELS2022"}
    assert (counted["CIT08_RICKELS2022#2"].n, counted["CIT08_RICKELS2022#4"].n) == (20, 12)
    assert counted["CIT08_RICKELS2022#6"].n == 48
    assert set(studies._at_risk()) <= {record.id for record in published}


def test_errors_that_the_source_prints(published: registry.Registry) -> None:
    def printed(name: str) -> float | None:
        record = published[name]
        readout = readout_of(record)
        assert readout is not None
        return reported_error(record, readout.scale == "log").size

    assert printed("PACKHAM2016#1") == pytest.approx(2.16)
    assert printed("ZANG2022#7") == pytest.approx(1.07 / math.sqrt(45))
    assert printed("FIDELITY_stage4#1") == pytest.approx(math.log(0.77 / 0.63) / 3.919928, rel=1e-5)
    # An exact two-sided p of 0.0081 lies 2.648 standard errors from zero.
    assert printed("ZANG2022#12") == pytest.approx(0.68 / 2.648, rel=1e-3)
    assert printed("ZANG2022#4") is None
    # An exact p value is an error too, where two groups are compared: 0.02 is 2.326 standard errors.
    assert printed("LOOKAHEAD_eGFR#2") == pytest.approx(1.25 / 2.326, rel=1e-3)
    assert not studies.reason(published["LOOKAHEAD_eGFR#2"])


def test_nothing_happens_without_effect_and_too_much_under_the_claims(published: registry.Registry) -> None:
    records = [published[f"PACKHAM2016#{k}"] for k in (1, 3)] + [published["ZANG2022#12"]]
    none = row_predictions.predict(records, Condition("none"), FEW)
    claims = row_predictions.predict(records, Condition("seed-claims"), FEW)
    assert [each.record for each in none] == [record.id for record in records]
    for each in none:
        assert abs(each.predicted) < 0.3 * each.se_study
        assert each.low < each.predicted < each.high
        distance = (each.observed - each.predicted) / math.hypot(each.se_study, each.se_cohort)
        assert each.z == pytest.approx(normal_score(distance, each.freedom or math.inf))
        assert each.inside == (each.low <= each.observed <= each.high)
    assert claims[0].predicted > 10.0 and not claims[0].inside
    assert claims[2].predicted < -2.0 and claims[2].z > 5.0


def test_predictions_are_a_function_of_parameters(published: registry.Registry) -> None:
    records = [published["PACKHAM2016#1"]]
    evidence = Condition("current-evidence")
    first, again = (row_predictions.predict(records, evidence, FEW)[0] for _ in range(2))
    assert first == again
    silent = row_predictions.predict(
        records, Condition("current-evidence", {"potency_BM": 0.0, "potency_MPC": 0.0}), FEW
    )[0]
    none = row_predictions.predict(records, Condition("none"), FEW)[0]
    assert abs(silent.predicted - none.predicted) < abs(first.predicted - none.predicted)


def test_a_campaign_resumes_and_sees_changed_rows(published: registry.Registry, tmp_path) -> None:
    records = [published["PACKHAM2016#1"], published["ZANG2022#6"]]
    begun: list[str] = []

    def run(rows):
        return confront_records(rows, ["none"], FEW, folder=tmp_path, progress=lambda what, *_: begun.append(what))

    first, second = run(records), run(records)
    assert begun == ["PACKHAM2016, none"]
    assert first.predictions == second.predictions
    assert [why for _, why in first.refused] == ["a baseline, no result"]
    run([replace(records[0], value=9.0)])
    assert len(begun) == 2
    next(iter(tmp_path.glob("confront/*.json"))).write_text("{broken")
    run(records), run([replace(records[0], value=9.0)])
    assert len(begun) == 3


def test_adverse_events_are_chances_of_the_course(published: registry.Registry) -> None:
    records = [published["LIAN2022#7"], published["SKYLER2015#20"], published["RYAN2005_EDMONTON#9"]]
    assert not any(studies.reason(record) for record in records)
    fever, antibody, bleeding = row_predictions.predict(records, Condition("current-evidence"), FEW)
    # Three infusions: at least one event, from the chance of each.
    single = 1.0 - (1.0 - fever.predicted) ** (1.0 / 3.0)
    assert 0.01 < single < 0.2
    assert antibody.predicted == pytest.approx(0.115, abs=0.05)
    assert bleeding.inside and 0.02 < bleeding.predicted < 0.2
    assert all(each.scale == "share" and each.se_cohort < 0.01 for each in (fever, antibody, bleeding))


def test_adverse_events_of_several_kinds_add_up(published: registry.Registry) -> None:
    names = ("LIU2014#2", "HU2013#4", "ARAUJO2020#9")
    serious, related, clot = row_predictions.predict(
        [published[name] for name in names], Condition("current-evidence"), FEW
    )
    # Thrombosis of 0.004 and the artery of 0.02; fever, reactions and thrombosis of two infusions.
    assert serious.predicted == pytest.approx(1.0 - 0.996 * 0.98, abs=1e-6)
    assert related.predicted == pytest.approx(1.0 - (0.968 * 0.9768 * 0.996) ** 2, abs=1e-6)
    assert clot.observed == 0.5
    assert clot.predicted == pytest.approx(0.004, abs=1e-6)


def test_stimulated_c_peptide_counts_a_graft_once() -> None:
    arm = studies.arms()["REICHMAN2025_VX880", "parts B+C full dose"]
    course = simulate_arms([arm], [0.0, 52.0], Condition("none"), FEW, 1, 1)[0].values
    graft = course["graft_C_peptide"] / 1000.0
    assert np.all(course["fasting_C_peptide"][:, 1] > 0.08)
    assert np.all(
        course["stimulated_C_peptide"][:, 1] - graft[:, 1] <= 1.1 * course["stimulated_C_peptide"][:, 0] + 1e-12
    )


def test_whoever_begins_insulin_in_a_study_has_a_dose() -> None:
    begins = studies.arms()["GREENBAUM2012", "all"]
    dose, never = (
        each.values["insulin_dose"]
        for each in simulate_arms([begins, replace(begins, inputs=())], [0.0, 104.0], Condition("none"), FEW, 1, 1)
    )
    new = people(begins.cohort, FEW, 1).parameters["insulin_titration"] == 0
    assert new.any()
    assert np.all(dose[new, 0] == pytest.approx(FIRST_INSULIN))
    assert np.mean(dose[new, 1]) > 10.0
    assert np.all(never[new, 1] == 0.0)


def test_a_slope_between_months_begins_there(published: registry.Registry) -> None:
    first, second = readout_of(published["GREENBAUM2012#1"]), readout_of(published["GREENBAUM2012#2"])
    assert first is not None and second is not None
    assert (first.start, second.start) == (0.0, 52.0)


def test_a_change_has_the_errors_of_both_ends() -> None:
    # People move by 0.5, however much they differ from each other.
    assert error_of_change(2.0, 2.0, 0.5) == error_of_change(2.0, None, 0.5) == error_of_change(9.0, 9.0, 0.5) == 0.5
    # Spreads that differ are a change too; two ends of other people are the worst that can be.
    assert error_of_change(1.0, 3.0, 0.5) == pytest.approx(math.hypot(2.0, 0.5))
    assert error_of_change(1.0, 1.0, 5.0) == pytest.approx(math.sqrt(2.0))
    # Nothing known of how people move: equal errors and a correlation of a half.
    assert error_of_change(2.0, 2.0, math.nan) == pytest.approx(2.0)


def test_studies_side_by_side_give_what_they_give_one_by_one(published: registry.Registry, tmp_path) -> None:
    can, _ = studies.sort(published)
    first = {record.study: record for record in can if record.weeks and record.weeks < 60.0 and record.kind == "mean"}
    records = list(first.values())[:8]
    assert len(records) == 8
    seen: list[tuple[int, int]] = []
    run = lambda threads, name, tell=None: confront_records(  # noqa: E731
        records, ["none"], 4, threads=threads, folder=tmp_path / name, progress=tell, draws=0
    )
    together = run(2, "together", lambda what, done, jobs: seen.append((done, jobs)))
    assert together.predictions == run(1, "alone").predictions
    assert seen == [(done, 8) for done in range(1, 9)]


def test_a_baseline_of_ones_own_anchors_the_change(published: registry.Registry, tmp_path) -> None:
    level, baseline = published["ZANG2022#7"], published["ZANG2022#6"]
    assert studies.baseline_of(level) == baseline and baseline.value is not None
    moved = replace(baseline, value=baseline.value + 1.0)
    run = lambda start: confront_records([level, start], ["none"], 4, draws=0, folder=tmp_path).predictions["none"][0]  # noqa: E731
    as_published, as_moved = run(baseline), run(moved)
    assert as_moved.observed == pytest.approx(as_published.observed - 1.0)
    assert as_moved.predicted == pytest.approx(as_published.predicted)


def test_rows_that_cannot_be_simulated_are_refused_together(published: registry.Registry) -> None:
    with pytest.raises(ConfigError) as raised:
        row_predictions.predict([published["ZANG2022#6"], published["COURI2009_AHSCT#1"]], Condition("none"), 4)
    assert len(raised.value.problems) == 2
    assert "a baseline" in str(raised.value) and "haematopoietic" in str(raised.value)


def test_what_happens_during_an_infusion_is_no_baseline(published: registry.Registry) -> None:
    assert studies.reason(published["PACKHAM2016#5"]) == ""
    (found,) = row_predictions.predict([published["PACKHAM2016#5"]], Condition("current-evidence"), FEW)
    # Fever or a reaction in one infusion; nobody of ten had any.
    assert 0.0 < found.predicted < 0.3 and found.observed == 0.0
    assert "a baseline" in studies.reason(published["ZANG2022#6"])


def test_expectations_are_those_of_predictions_bit_for_bit(published: registry.Registry) -> None:
    """Many conditions at once give what each gives alone: rows of levels, slopes, events and cells."""
    names = ("PACKHAM2016", "DAPACKD_UACR", "ATIRMA2014")
    records = studies.sort(published.select(study=list(names)))[0]
    stronger = Condition("none", drugs={"SGLT2 inhibitor e_S": 1.3}, visits={"UACR life": 0.6}, care={"dMAP": -2.0})
    conditions = [Condition("none"), stronger]
    expected = row_expectations.expectations(records, conditions, FEW, 1, 1)
    for condition, row in zip(conditions, expected, strict=True):
        predictions = row_predictions.predict(records, condition, FEW, 1, 1)
        for record, prediction, number in zip(records, predictions, row, strict=True):
            natural = math.exp(number) if prediction.scale == "log" else number
            if record.kind == "percent" and prediction.scale == "log":
                natural = 100.0 * (natural - 1.0)
            assert natural == prediction.predicted, record.id
    assert np.any(expected[0] != expected[1])
