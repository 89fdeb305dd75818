"""Care that goes on: drugs of the years, two rules, glucose that a study decides on, and stretches that join without a seam."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.engine.ensemble import Ensemble
from betapod.engine.ensemble_result import ENDED
from betapod.engine.schedule import Schedule, Switch
from betapod.patients import library
from betapod.patients.follow_up import (
    CLINIC_ADHERENCE,
    FollowedPeople,
    GoingCare,
    Library,
    _continued,
    _Lives,
    follow_patients,
    integrate_failures_again,
)
from betapod.patients.prescribing import prescribed_drugs
from betapod.physiology import whole_body

DAYS = (0.0, 200.0, 365.25, 800.0)
OUTPUTS = ("UACR", "HbA1c", "MAP", "eGFR")


@pytest.fixture(scope="module")
def albuminuric() -> Library:
    """People with albuminuria who take no blocker of the renin system yet."""
    everybody = library.default()
    table = everybody.table
    chosen = (
        (table["T1D"] == 0)
        & (table["uacr"] > 30)
        & (table["acei"] == 0)
        & (table["arb"] == 0)
        & (table["diagnosed"] == 1)
    )
    return everybody.take(np.flatnonzero(chosen.to_numpy())[:24])


def _nothing(people: Library) -> list[Schedule]:
    return [Schedule()] * len(people)


def _follow(people: Library, care: GoingCare) -> FollowedPeople:
    return follow_patients(people, DAYS, OUTPUTS, care, _nothing, threads=1)


def test_the_same_people_are_followed_alike(albuminuric: Library) -> None:
    care = GoingCare("usual", 2005)
    first, again = _follow(albuminuric, care), _follow(albuminuric, care)
    assert first.values.shape == (len(albuminuric), len(DAYS), len(OUTPUTS))
    assert np.array_equal(first.values, again.values, equal_nan=True)
    some = _follow(albuminuric.take([5, 3]), care)
    assert some.values == pytest.approx(first.values[[5, 3]], rel=1e-9, nan_ok=True)
    assert np.isfinite(first.values[:, 0]).all()


def test_a_clinic_treats_albuminuria_and_pressure(albuminuric: Library) -> None:
    def last(care: GoingCare, name: str) -> float:
        return float(np.nanmean(np.log(_follow(albuminuric, care).values[:, -1, OUTPUTS.index(name)])))

    assert last(GoingCare("clinic", 2005), "UACR") < last(GoingCare("usual", 2005), "UACR")
    assert last(GoingCare("clinic", 2005), "MAP") < last(GoingCare("clinic", 1975), "MAP")


def _visited(people: Library, care: GoingCare, years: int) -> _Lives:
    lives = _Lives(people, care, dict(people.initial))
    for year in range(years):
        lives.visit(year)
    return lives


@pytest.mark.parametrize(("year", "marketed"), [(1970, ()), (1985, ("acei",)), (2005, ("acei", "arb"))])
def test_only_drugs_of_the_time_are_added(albuminuric: Library, year: int, marketed: tuple[str, ...]) -> None:
    lives = _visited(albuminuric, GoingCare("clinic", year), 4)
    before = {drug.column: albuminuric.table[drug.column].to_numpy() > 0 for drug in prescribed_drugs()}
    added = {name for name, had in before.items() if (lives.drugs.current[name] & ~had).any()}
    late = {drug.column for drug in prescribed_drugs() if drug.from_year >= year + 4}
    assert not added & late
    assert {name for name in ("acei", "arb") if name in added} <= set(marketed)
    assert set(marketed[:1]) <= added


def test_a_study_that_decides_on_glucose_leaves_doctors_pressure_and_albuminuria(albuminuric: Library) -> None:
    lives = _visited(albuminuric, GoingCare("clinic", 2005, glucose=False), 3)
    table = albuminuric.table
    for drug in prescribed_drugs():
        if drug.kind == "glucose" and drug.column != "metformin":
            assert np.array_equal(lives.drugs.current[drug.column], table[drug.column].to_numpy() > 0)
    assert np.array_equal(lives.drugs.current["insulin"], table["insulin"].to_numpy() > 0)
    assert lives.drugs.current["acei"].any()
    assert np.array_equal(lives.states["ln_insulin_dose"], albuminuric.initial["ln_insulin_dose"])


def test_a_library_without_a_seed_has_no_doctors(albuminuric: Library) -> None:
    unknown = Library(albuminuric.table, albuminuric.parameters, albuminuric.states, albuminuric.state_names, {})
    with pytest.raises(ConfigError, match="seed"):
        _follow(unknown, GoingCare("usual", 2005))


def test_a_clinic_has_its_own_thresholds(albuminuric: Library) -> None:
    lives = _Lives(albuminuric, GoingCare("clinic", 1990), dict(albuminuric.initial))
    before, after = lives._under(1990), lives._under(1996)
    assert before.traits["pressure_care"].max() <= 140 and before.traits["care_from"].max() <= 8
    assert after.traits["pressure_care"].max() <= 130 and after.traits["care_from"].max() <= 7
    assert after.traits["adherence"].min() >= CLINIC_ADHERENCE
    usual = _Lives(albuminuric, GoingCare("usual", 1990), dict(albuminuric.initial))._under(1996)
    assert usual.traits["adherence"].min() < CLINIC_ADHERENCE


def test_schedules_are_cut_without_a_seam(albuminuric: Library) -> None:
    """A ramp that is under way when a year ends goes on in the next."""
    person = albuminuric.take([0, 1])
    schedule = Schedule(
        switches=(Switch("N_in", 250.0, 10.0), Switch("dMAP", 15.0, 300.0, 200.0), Switch("N_in", 100.0, 390.0, 5.0))
    )
    ensemble = Ensemble(whole_body.named_model("reference"), (*person.state_names, "MAP"), 1e-8, threads=1)
    whole = ensemble.run(person.parameters, [300.0, 365.25, 420.0, 700.0], schedule, person.initial)
    first = ensemble.run(person.parameters, [300.0, 365.25], schedule, person.initial)
    left, switched = _continued([schedule] * 2, person, 365.25)
    assert switched["N_in"] == pytest.approx([250.0, 250.0])
    states = {name: first.values[:, -1, i] for i, name in enumerate(person.state_names)}
    # The model's own time begins anew: people are so much older, their muscle so much less, and their own change of weight so far.
    columns = person.parameters | switched
    table = whole_body.model_parameters("reference")
    columns = columns | {
        "age": columns["age"] + 1.0,
        "S_cr0": columns["S_cr0"] * np.exp(-table["creatinine_fall"].value),
    }
    own, stays = columns["dWt_own"], np.exp(-365.25 / table["tau_own_weight"].value)
    columns = columns | {"Wt": columns["Wt"] + own * (1.0 - stays), "dWt_own": own * stays}
    second = ensemble.run(columns, [420.0 - 365.25, 700.0 - 365.25], left, states)
    pressure = whole.names.index("MAP")
    assert second.values[:, :, pressure] == pytest.approx(whole.values[:, 2:, pressure], rel=1e-5)


def test_who_fails_is_integrated_again_at_finer_tolerances() -> None:
    """Here for want of steps: others keep their numbers, and those who failed get the finer ones."""
    model = whole_body.named_model("kidney")
    hurried = Ensemble(model, ["GFR"], 1e-4, 1e-7, threads=1, max_steps=34)
    people = {"G": np.linspace(5.0, 14.0, 24)}
    result = hurried.run(people, [0.0, 3652.5])
    failed = result.status > ENDED
    assert 0 < failed.sum() < len(failed)
    before = result.values.copy()
    integrate_failures_again(result, 1e-6, 1e-9)
    assert np.all(result.status <= ENDED)
    fine = Ensemble(model, ["GFR"], 1e-6, 1e-9, threads=1).run(people, [0.0, 3652.5])
    np.testing.assert_array_equal(result.values[failed], fine.values[failed])
    np.testing.assert_array_equal(result.values[~failed], before[~failed])
