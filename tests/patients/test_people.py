"""Who is in the library: groups, histories, deaths, the slow deviation of albuminuria, and cohorts that ask for more than diabetes."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.engine.ensemble import Ensemble
from betapod.hazards.outcome_rates import death_rate
from betapod.observables import kdigo
from betapod.observables.variation import variations
from betapod.patients import history, library, life_course, population
from betapod.patients.cohorts import cohort_catalogue, nhanes, reweight
from betapod.patients.cohorts.cohort_target import CohortTarget, Moment
from betapod.patients.population import PIMA_FIRST
from betapod.physiology import whole_body


@pytest.fixture(scope="module")
def ready() -> library.Library:
    return library.default()


@pytest.fixture(scope="module")
def lives() -> library.Library:
    """People as they are grown, before any thinning or weighting."""
    return library.grow(1000, seed=3)


def test_groups_of_the_library(ready: library.Library) -> None:
    table = ready.table
    assert len(table) >= 20_000
    others, pima = table["diabetes"] == 0, table["segment"] == 1
    # The first rows have diabetes. Few of them may have been near the limits when the library was thinned, and be beyond with the model of today.
    first = table.iloc[: int((~others & ~pima).sum())]
    assert (first["diabetes"] == 1).mean() > 0.999 and (first["segment"] == 0).all()
    assert ((table["person"] >= PIMA_FIRST) == pima).all()
    assert (others & ~pima).sum() > 4000 and pima.sum() > 1000
    for name in ("diagnosed", "insulin", "metformin", "years_ill", "insulin_dose"):
        assert (table.loc[others, name] == 0).all(), name
    assert table.loc[others, "T1D"].sum() == 0
    assert (table.loc[table["age"] < 18, "T1D"] == 1).all()
    prediabetes = others & ((table["hba1c"] >= 5.7) | (table["fpg"] >= 5.6))
    assert prediabetes.sum() > 1000 and (others & ~prediabetes).sum() > 500


def test_people_at_diagnosis_have_their_own_autoimmunity(lives: library.Library) -> None:
    """What the last year of insulitis was lived with is not what is kept of them."""
    table = lives.table
    type_1 = ((table["T1D"] == 1) & (table["diabetes"] == 1)).to_numpy()
    new = type_1 & (table["years_ill"] == 0).to_numpy()
    assert new.sum() > 10
    drawn = population.sample(3, table["person"].to_numpy()[type_1]).model
    for name in ("killing_factor", "onset_age"):
        np.testing.assert_allclose(lives.parameters[name][type_1], drawn[name], rtol=1e-12)
    assert np.log(lives.parameters["killing_factor"][new]).std() > 0.5


def test_type_1_diabetes_has_the_young(ready: library.Library) -> None:
    table = ready.table[ready.table["T1D"] == 1]
    new = table[table["years_ill"] < 1]
    assert new["person"].nunique() > 200
    assert 17 < new["age"].median() < 25
    for low, high, fewest in ((30, 300, 250), (300, math.inf, 100)):
        young = table[(table["uacr"] >= low) & (table["uacr"] < high) & (table["age"] < 40)]
        assert len(young) > fewest
    # Insulin is wanted at once, and what is left of own secretion fades.
    assert (table["insulin"] == 1)[table["years_ill"] > 1].all()
    late = table[(table["years_ill"] > 10)]
    assert late["c_peptide"].median() < 0.2 * new["c_peptide"].median()


def test_pima_had_no_blockers_before_their_year(ready: library.Library) -> None:
    table = ready.table[ready.table["segment"] == 1]
    early = table[table["year"] < population.population_constant("blocker_from_pima")]
    assert len(early) > 100
    assert early[["acei", "arb"]].to_numpy().sum() == 0
    later = table[table["year"] >= 2000]
    assert later[["acei", "arb"]].to_numpy().sum() > 100


def test_pima_differ_as_the_table_says() -> None:
    n = 4000
    pima, others = population.sample(1, range(PIMA_FIRST, PIMA_FIRST + n)), population.sample(1, range(n))
    assert pima.traits["T1D"].sum() == 0 and (pima.traits["prone"] == 1).all()
    assert np.mean(pima.model["GFR0"]) == pytest.approx(120, abs=1)
    mine = others.traits["T1D"] == 0
    ratio = np.median(pima.model["xi"]) / np.median(others.model["xi"][mine])
    assert ratio == pytest.approx(population.population_constant("xi_factor_pima"), rel=0.06)


def test_people_as_grown_are_like_nhanes_before_any_weighting(lives: library.Library) -> None:
    """The KDIGO grid and C-peptide of the calibration half, within what a thousand lives can tell."""
    table = lives.table
    table = table[(table["diabetes"] == 1) & (table["T1D"] == 0) & (table["age"] >= 20) & (table["year"] < 2017)]
    real = nhanes.profile()["calibration"]["cells"]
    cells = kdigo.grid(table["egfr"].to_numpy(), table["uacr"].to_numpy())
    for cell, share in real.items():
        assert abs(float(np.mean(cells == cell)) - share) < (0.08 if cell == "G1A1" else 0.04), cell
    low = table[table["egfr"] < 60]
    assert 0.10 < len(low) / len(table) < 0.20
    assert 0.38 < float(np.mean(low["uacr"] < 30)) < 0.65
    oral = table[(table["diagnosed"] == 1) & (table["insulin"] == 0)]
    assert oral["c_peptide"].median() == pytest.approx(1.09, rel=0.15)
    assert abs(oral[["hba1c", "c_peptide"]].corr("spearman").iloc[0, 1]) < 0.25


def test_rows_that_go_together_do_so_in_people() -> None:
    people = population.sample(2, range(20_000))
    # Type 1 diabetes has a body-mass index of its own.
    kept = people.traits["T1D"] == 0
    drawn = {**people.traits, **people.model}
    for pair in population.population_correlations().pairs:
        if {pair.row_a, pair.row_b} & {"bmi_adult", "xi_theta", "xE"}:
            continue
        a, b = drawn[pair.row_a][kept], drawn[pair.row_b][kept]
        ranks = np.corrcoef(np.argsort(np.argsort(a)), np.argsort(np.argsort(b)))[0, 1]
        assert ranks == pytest.approx(6.0 / np.pi * np.arcsin(pair.rho / 2.0), abs=0.03), (pair.row_a, pair.row_b)


def test_histories_last_and_rise_with_age() -> None:
    people = population.sample(1, range(5000))
    ill = np.ones(5000, dtype=bool)
    ages = [history.cardiovascular_disease(people, np.full(5000, age), ill) for age in (40.0, 55.0, 70.0, 85.0)]
    for younger, older in itertools.pairwise(ages):
        assert (younger <= older).all() and older.sum() > younger.sum()
    age = np.full(5000, 65.0)
    healthy, kidneys = ({"egfr": np.full(5000, e), "uacr": np.full(5000, u)} for e, u in ((95.0, 5.0), (30.0, 500.0)))
    few, more = (history.heart_failure(people, age, ill, ages[2], true) for true in (healthy, kidneys))
    assert (few <= more).all() and more.sum() > 1.5 * few.sum()
    assert history.cardiovascular_disease(people, age, ~ill).sum() < ages[2].sum()


def test_as_many_die_as_the_hazard_says() -> None:
    n = 40_000
    people, ill = population.sample(1, range(n)), np.ones(n, dtype=bool)
    age, year = np.full(n, 78.0), np.full(n, 2010.0)
    true = {"egfr": np.full(n, 40.0), "uacr": np.full(n, 300.0)}
    cvd = history.cardiovascular_disease(people, age, ill)
    hf = history.heart_failure(people, age, ill, cvd, true)
    rate = death_rate(
        age, people.traits["female"], 40.0, 300.0, cvd.astype(float), hf.astype(float), np.ones(n), year=year
    )
    dead = history.deaths(people, age, year, ill, true, 3)
    assert dead.mean() == pytest.approx(float(np.mean(-np.expm1(-rate))), rel=0.06)
    # Another visit has its own draw.
    again = history.deaths(people, age, year, ill, true, 4)
    assert abs(np.corrcoef(dead, again)[0, 1]) < 0.1


def test_insulitis_leaves_what_is_drawn() -> None:
    people = population.sample(1, range(2000))
    people = people[people.traits["T1D"] == 1]
    onset = people.traits["onset_type_1"]
    years = population.population_constant("insulitis_years")
    rows = life_course._autoimmunity(people, onset - years / 2)
    fall = population.population_constant("left_per_onset") * (onset - 15.0)
    left = np.exp(-rows["autoimmune_killing"] * years * 365.25)
    np.testing.assert_allclose(left, people.traits["left_at_diagnosis"] * np.exp(-fall))
    assert (rows["killing_factor"] == 1).all() and (rows["onset_age"] == 15).all()
    after = life_course._autoimmunity(people, onset + 1.0)
    np.testing.assert_array_equal(after["killing_factor"], people.model["killing_factor"])
    np.testing.assert_array_equal(after["onset_age"], onset)
    assert (life_course._autoimmunity(people, onset - years - 1.0)["autoimmunity_floor"] == 0).all()


def test_who_does_not_lose_beta_cells_yet_begins_to_at_the_own_age() -> None:
    """Ten years without a visit are as ten years of life: nobody keeps the loss, or its absence, of the first day."""
    people = population.sample(1, range(4000))
    prone = people.traits["prone"] == 1
    rows = people.decline
    assert (rows["beta_decline"][~prone] == 0).all() and (rows["decline_age"][~prone] == 0).all()
    np.testing.assert_array_equal(rows["decline_age"][prone], people.traits["decline_age"][prone])
    assert set(rows["beta_decline"][prone]) == {population.population_constant("beta_decline")}
    begins = people[prone & (np.abs(people.traits["decline_age"] - 60.0) < 4.0)]
    columns = begins.model | begins.decline | {"age": np.full(len(begins), 50.0)}
    ensemble = Ensemble(whole_body.named_model("reference"), ("decline_begun",))
    begun = ensemble.run(columns, np.array([0.0, 20 * 365.25])).values[:, :, 0]
    # Some kidneys fail within twenty years without care.
    lived = np.isfinite(begun).all(axis=1)
    assert lived.mean() > 0.8
    assert (begun[lived, 0] < 1e-6).all() and (begun[lived, 1] > 1 - 1e-6).all()


def test_measured_albuminuria_has_its_slow_deviation(ready: library.Library, lives: library.Library) -> None:
    # The library that is carried has been chosen by measured albuminuria, too.
    assert lives.table["life_uacr"].mean() == pytest.approx(0.0, abs=0.06)
    assert lives.table["life_uacr"].std() == pytest.approx(1.0, abs=0.05)
    table = ready.table
    near = table[(table["true_uacr"] > 60) & (table["true_uacr"] < 150)]
    error = np.log(near["uacr"] / near["true_uacr"])
    slope = np.polyfit(near["life_uacr"], error, 1)[0]
    sd = variations()["UACR", "life"].share_at(np.array([95.0]))
    assert slope == pytest.approx(float(sd[0]), abs=0.05)
    left = error - slope * near["life_uacr"]
    assert left.std() == pytest.approx(variations()["UACR", "measurement"].sd, rel=0.08)


def test_targets_ask_for_adults_with_diabetes_unless_they_say_otherwise(ready: library.Library) -> None:
    table = ready.table
    plain = CohortTarget("plain", "", (Moment("mean", ("hba1c",), 8.0),))
    chosen = table[plain.eligible(table)]
    assert (chosen["diabetes"] == 1).all() and (chosen["segment"] == 0).all() and chosen["age"].min() >= 18
    assert len(chosen) == ((table["diabetes"] == 1) & (table["segment"] == 0) & (table["age"] >= 18)).sum()
    without = replace(plain, ranges={"diabetes": (0.0, 0.0)})
    assert (table[without.eligible(table)]["diabetes"] == 0).all()
    mixed = CohortTarget("mixed", "", (Moment("proportion", ("diabetes",), 0.5),))
    assert set(table[mixed.eligible(table)]["diabetes"]) == {0, 1}
    young = replace(plain, ranges={"age": (8.0, 30.0)})
    assert table[young.eligible(table)]["age"].min() < 15


@pytest.mark.parametrize(("name", "diabetes"), [("NHANES general", (0.08, 0.2)), ("NHANES prediabetes", (0.0, 0.0))])
def test_people_without_diabetes_can_be_chosen(
    ready: library.Library, name: str, diabetes: tuple[float, float]
) -> None:
    cohort = reweight.select_patients(ready, cohort_catalogue.load_target(name), 500)
    assert diabetes[0] <= cohort.table["diabetes"].mean() <= diabetes[1]
    assert cohort.table["age"].min() >= 20
    assert cohort.report.effective > 200
    assert cohort.report.distributions["miss_percent"].abs().max() < 6


def test_people_of_the_present(ready: library.Library) -> None:
    target = cohort_catalogue.load_target("NHANES", year=2020)
    assert target.name == "NHANES 2020" and "Limonte" in target.origin
    table = reweight.select_patients(ready, target, 500).table
    assert table["year"].min() >= 2017
    past = reweight.select_patients(ready, cohort_catalogue.load_target("NHANES"), 500).table
    for drug in ("sglt2i", "glp1ra"):
        assert table[drug].mean() == pytest.approx(target_share(target, drug), abs=0.03)
        assert table[drug].mean() > past[drug].mean()


def target_share(target: CohortTarget, name: str) -> float:
    return next(m.value for m in target.moments if m.kind == "proportion" and m.names == (name,))


def test_a_year_is_asked_of_any_cohort() -> None:
    target = cohort_catalogue.load_target("FLOW", year=2010)
    assert target.ranges["year"] == (2007.0, 2015.0)
    for year in (1998, 2025):
        with pytest.raises(ConfigError, match="no patients of that year"):
            cohort_catalogue.load_target("FLOW", year=year)


@pytest.mark.parametrize(("kind", "diabetes"), [("none", {0}), ("any", {1}), ("type 1", {1}), ("type 2", {1})])
def test_protocols_ask_for_adults_with_diabetes_unless_they_say_none(
    ready: library.Library, kind: str, diabetes: set[int]
) -> None:
    import betapod
    from betapod.trials.conduct.prescreening import may_be_eligible

    protocol = betapod.load_protocol("low_protein")
    population_of_kind = protocol.population.model_copy(update={"diabetes": kind, "confirmed": {}})
    anybody = protocol.model_copy(update={"population": population_of_kind, "eligibility": {}, "strata": {}})
    called = ready.table[may_be_eligible(anybody, ready)]
    assert set(called["diabetes"]) == diabetes
    assert called["age"].min() >= 18 and (called["segment"] == 0).all()
    if kind.startswith("type"):
        assert set(called["T1D"]) == {int(kind == "type 1")}
