"""Conduct on a pool of known courses: exact splits, regression to the mean against mathematics, shared random numbers."""

import numpy as np
import pytest
import small_trials as small
from scipy.stats import norm

from betapod.base.errors import ConfigError
from betapod.hazards.outcome_rates import DEATHS, death_rate
from betapod.observables.variation import variations
from betapod.trials.conduct import conduct, drawn_design
from betapod.trials.conduct.measurement import measurement_sd
from betapod.trials.conduct.parts_of_change import PARTS
from betapod.trials.conduct.trial_data import DISPOSITIONS

#: SD of the logarithm of one UACR, of the table.
SPOT_URINE = variations()["UACR", "measurement"].sd


@pytest.fixture(scope="module")
def trial():
    return small.protocol()


@pytest.fixture(scope="module")
def run(trial):
    return conduct.conduct_trial(trial, pool=small.pool(trial), threads=2)


def same(a, b):
    return all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True)
        for name in ("member", "arm", "stratum", "day", "disposition", "disposition_day", "rescued", "screened")
    ) and all(np.array_equal(a.observed[c], b.observed[c], equal_nan=True) for c in a.codes)


def test_parts_add_up_to_the_observed_change(run):
    for data in run.values():
        for code in data.codes:
            parts = data.parts(code)
            assert tuple(parts) == tuple(PARTS)
            whole, change = sum(parts.values()), data.change(code)
            assert np.array_equal(np.isnan(whole), np.isnan(change))
            assert np.nanmax(np.abs(whole - change)) < 1e-9


def test_nothing_comes_of_cells_that_do_nothing(run):
    assert not np.nan_to_num(run["single arm", "none"].effect("UACR")).any()
    for name in ("control",):
        data = run["randomised", "seed-claims"]
        mine = data.arm == data.arms.index(name)
        assert not np.nan_to_num(data.effect("UACR")[mine]).any()


def test_the_effect_of_cells_is_the_one_put_in(run):
    data = run["single arm", "seed-claims"]
    effect = data.effect("UACR")[:, :, data.visit("month 12")]
    assert np.nanmin(effect) == pytest.approx(np.log(0.5))
    assert np.nanmax(effect) == pytest.approx(np.log(0.5))
    ratio = data.true("UACR") / data.counterfactual("UACR")
    assert np.nanmax(np.abs(ratio[:, :, data.visit("month 12")] - 0.5)) < 1e-12


def test_regression_to_the_mean_is_what_mathematics_says():
    """Screening at 30 mg/g of log-normal people: the expected error of the baseline is a truncated normal's mean."""
    trial = small.protocol().model_copy(update={"strata": {}, "replicates": 200})
    people = small.pool(trial, people=20_000)
    data = conduct.conduct_trial(trial, ["single arm"], ["none"], pool=people)["single arm", "none"]
    error = float(np.nanmean(data.at("month 6").parts("UACR")["regression to the mean"]))
    noise, wide = measurement_sd(trial, "UACR")[0], 1.3
    whole = np.hypot(noise, wide)
    z = (np.log(30) - np.log(60)) / whole
    expected = -(noise**2) / whole * norm.pdf(z) / norm.sf(z)
    assert error == pytest.approx(expected, abs=0.012)


def test_a_baseline_measured_again_has_no_regression(run):
    data = run["randomised", "none"]
    error = data.at("month 6").parts("UACR")["regression to the mean"]
    assert abs(np.nanmean(error)) < 4 * SPOT_URINE / np.sqrt(np.isfinite(error).sum())


def test_scenarios_and_designs_share_people_and_random_numbers(run):
    a, b = run["single arm", "none"], run["single arm", "seed-claims"]
    assert np.array_equal(a.member, b.member)
    # Halved albuminuria delays deaths, so that few people have more visits; nobody has fewer.
    alive = (a.disposition == b.disposition) & (a.disposition != DISPOSITIONS.index("died"))
    assert np.array_equal(a.day[alive], b.day[alive], equal_nan=True)
    assert np.isfinite(b.day)[np.isfinite(a.day)].all() and alive.mean() > 0.95
    for name in ("screening", "enrolment"):
        v = a.visit(name)
        assert np.array_equal(a.observed["UACR"][:, :, v], b.observed["UACR"][:, :, v], equal_nan=True)
    v = a.visit("month 12")
    ratio = b.observed["UACR"][:, :, v] / a.observed["UACR"][:, :, v]
    assert np.nanmax(np.abs(ratio - 0.5)) < 1e-4
    assert np.array_equal(a.member, run["randomised", "none"].member)


def test_threads_and_parts_change_nothing(trial, run, monkeypatch):
    people = small.pool(trial)
    monkeypatch.setattr(drawn_design, "SHARD", 7)
    again = conduct.conduct_trial(trial, pool=people, threads=3)
    assert all(same(run[key], again[key]) for key in run)
    other = conduct.conduct_trial(trial, pool=people, seed=6)
    assert not same(run["randomised", "none"], other["randomised", "none"])


def test_fewer_replicates_are_the_first_of_more(trial, run):
    few = conduct.conduct_trial(trial, pool=small.pool(trial), replicates=9)
    assert same(few["randomised", "none"], run["randomised", "none"].select(range(9)))


def test_everybody_enrolled_was_eligible_as_measured(run):
    data = run["randomised", "none"]
    seen = data.observed["UACR"][:, :, data.visit("screening")]
    assert data.enrolled.all()
    assert seen.min() >= 30
    assert np.all((seen < 300) == (data.stratum == 0))
    assert data.true("UACR")[:, :, 0].min() < 30, "some qualify by chance"
    assert np.all(data.screened >= data.patients)


def test_measurement_error_has_the_variation_of_repeated_examinations(run):
    data = run["randomised", "none"]
    v = data.visit("enrolment")
    error = np.log(data.observed["UACR"][:, :, v] / data.true("UACR")[:, :, v])
    assert np.nanstd(error) == pytest.approx(SPOT_URINE, rel=0.05)
    kidney = data.observed["EGFR"][:, :, v] / data.true("EGFR")[:, :, v]
    assert np.nanstd(np.log(kidney)) == pytest.approx(0.0727, rel=0.25)


def test_samples_are_averaged(trial):
    three = trial.model_copy(
        update={"measurements": {"UACR": trial.measurements["UACR"].model_copy(update={"samples": 3})}}
    )
    assert measurement_sd(three, "UACR")[0] == pytest.approx(SPOT_URINE / np.sqrt(3))
    cv = trial.measurements["UACR"].model_copy(update={"cv": 0.584873})
    assert measurement_sd(trial.model_copy(update={"measurements": {"UACR": cv}}), "UACR")[0] == pytest.approx(
        0.5424, abs=0.001
    )


def test_people_leave_at_the_rates_given(run):
    data = run["randomised", "none"]
    years = 379 / 365.25
    left = np.mean(data.disposition == DISPOSITIONS.index("discontinued"))
    assert left == pytest.approx(1 - np.exp(-0.2 * years), abs=0.03)
    died = np.mean(data.disposition == DISPOSITIONS.index("died"))
    v = data.visit("enrolment")
    age, female = (data.pool.people[name][data.member] for name in ("AGE", "FEMALE"))
    rate = death_rate(
        age + 0.5 * years, female, data.true("EGFR")[:, :, v], data.true("UACR")[:, :, v], year=2013 + 0.5 * years
    )
    # Of those who would die some leave before.
    expected = rate / (rate + 0.2) * (1 - np.exp(-(rate + 0.2) * years))
    assert died == pytest.approx(np.nanmean(expected), abs=0.005)
    assert 0 < died < 0.03
    assert not np.any(data.day > np.where(np.isnan(data.disposition_day), np.inf, data.disposition_day)[:, :, None])
    assert not np.isfinite(data.observed["UACR"][np.isnan(data.day)]).any()


def test_outcomes_come_before_people_leave_and_everybody_dies_once(run):
    data = run["randomised", "none"]
    last = np.where(np.isnan(data.disposition_day), np.inf, data.disposition_day)
    for day in data.outcome_days.values():
        assert not np.any(day > last)
    deaths = [np.isfinite(data.outcome_days[cause]) for cause in DEATHS]
    died = data.disposition == DISPOSITIONS.index("died")
    assert np.array_equal(deaths[0] | deaths[1], died) and not np.any(deaths[0] & deaths[1])
    both = np.fmin(*(data.outcome_days[cause] for cause in DEATHS))
    assert np.array_equal(both[died], data.disposition_day[died])
    assert np.array_equal(np.isfinite(data.outcome_day("death")), died)
    with pytest.raises(ConfigError, match="there is no outcome 'deth'"):
        data.outcome_day("deth")


def test_arms_share_the_random_numbers_of_outcomes(trial):
    """With the same course in both arms nobody's death depends on the arm."""
    one, other = (
        conduct.conduct_trial(trial.model_copy(update={"seed": 11}), ["randomised"], [name], pool=small.pool(trial))
        for name in ("none", "seed-claims")
    )
    first, second = one["randomised", "none"], other["randomised", "seed-claims"]
    control = first.arm == first.arms.index("control")
    assert np.array_equal(first.disposition_day[control], second.disposition_day[control], equal_nan=True)
    # Half of the albuminuria means fewer deaths, and each of them later in the same person.
    treated = ~control & np.isfinite(first.outcome_day("death")) & np.isfinite(second.outcome_day("death"))
    assert np.all(second.outcome_day("death")[treated] >= first.outcome_day("death")[treated])


def test_without_deaths_nobody_dies(trial):
    alive = trial.model_copy(update={"conduct": trial.conduct.model_copy(update={"deaths": False}), "replicates": 40})
    data = conduct.conduct_trial(alive, pool=small.pool(alive), threads=1)["randomised", "none"]
    assert not (data.disposition == DISPOSITIONS.index("died")).any()
    assert np.isnan(data.outcome_day("death")).all() and np.isfinite(data.outcome_day("aki")).any()


def test_rescue_acts_after_it_is_given(run, trial):
    data = run["randomised", "none"]
    rescued = np.isfinite(data.rescued)
    assert 0 < rescued.mean() < 0.5
    assert np.nanmin(data.rescued) > 0
    moved = data.parts("HBA1C")["rescue"]
    assert not np.nan_to_num(moved[~rescued]).any()
    late = data.day > data.rescued[:, :, None]
    assert np.nanmin(moved[late]) == pytest.approx(-1.0)
    assert np.isnan(data.aval("HBA1C", "hypothetical")[late]).all()
    above = data.observed["HBA1C"][:, :, data.visit("month 6")] > 9
    assert np.array_equal(above, rescued & (data.rescued < 200))


def test_the_trial_effect_grows_to_its_size(run):
    data = run["randomised", "none"]
    effect = data.at("month 12").parts("HBA1C")["trial effect"]
    assert np.nanmean(effect) == pytest.approx(-0.3 * (1 - np.exp(-365 / 60)), abs=0.01)
    assert np.nanstd(effect) == pytest.approx(0.1, rel=0.1)


def test_tables_hold_every_patient_and_visit(run):
    data = run["randomised", "seed-claims"]
    table = data.frame([3, 4], ["UACR"])
    assert len(table) == 2 * data.patients * len(data.visits)
    row = table[(table["replicate"] == 4) & (table["patient"] == 2) & (table["visit"] == "month 6")].iloc[0]
    v = data.visit("month 6")
    assert row["AVAL"] == pytest.approx(float(data.observed["UACR"][4, 2, v]), nan_ok=True)
    assert row["TRUE"] == pytest.approx(float(data.true("UACR")[4, 2, v]), nan_ok=True)
    people = data.people([3, 4])
    assert len(people) == 2 * data.patients
    assert set(people["arm"]) == {"cells", "control"}
    truth = run.truth("randomised", "seed-claims", "UACR", "month 6")
    assert len(truth) == data.replicates * data.patients


def test_a_place_that_cannot_be_filled_stays_empty():
    trial = small.protocol(patients=12)
    people = small.pool(trial, people=40)
    people.values["natural"][:, :, 0] = 6.0
    data = conduct.conduct_trial(trial, ["single arm"], ["none"], 3, pool=people)["single arm", "none"]
    assert data.enrolled.mean() < 0.7
    assert np.isnan(data.observed["UACR"][~data.enrolled]).all()


def test_nothing_is_measured_after_kidney_failure(trial):
    known = small.pool(trial, people=400)
    known.failed["natural"][:] = 100.0
    known.values["natural"][:, known.times > 100, :] = np.nan
    data = conduct.conduct_trial(trial, ["randomised"], ["none"], 5, pool=known)["randomised", "none"]
    assert not np.isfinite(data.observed["EGFR"][:, :, data.days > 100]).any()
    stayed = ~(data.disposition_day < 100)
    assert np.all(data.kidney_failure[stayed] == 100)
    assert np.isnan(data.kidney_failure[~stayed]).all()
    assert np.isfinite(data.observed["EGFR"][:, :, data.visit("enrolment")]).all()


def test_the_summary_has_a_row_per_arm(run):
    document = run.summary
    assert len(document["rows"]) == 2 + 4
    single = next(row for row in document["rows"] if row["scenario"] == "none" and row["design"] == "single arm")
    assert sum(single["parts"].values()) == pytest.approx(single["change"], abs=0.01)


def test_unknown_designs_and_scenarios_are_told_together(trial):
    with pytest.raises(ConfigError) as caught:
        conduct.conduct_trial(trial, ["single arn"], ["nothing"], pool=small.pool(trial))
    assert caught.value.kinds == ("unknown-design", "unknown-scenario")
    with pytest.raises(ConfigError):
        conduct.conduct_trial(trial, replicates=0, pool=small.pool(trial))
