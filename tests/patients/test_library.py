"""The library: what it holds, that its people go on living where they stand, that anybody can be grown again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.observables import formulas
from betapod.patients import library, life_course, observe, plausibility, population
from betapod.physiology import whole_body


@pytest.fixture(scope="module")
def grown() -> library.Library:
    return library.grow(60, seed=5)


def test_default_has_people_with_and_without_kidney_disease() -> None:
    ready = library.default()
    table = ready.table
    assert len(table) >= 5000
    assert ready.states.shape == (len(table), len(ready.state_names))
    assert np.isfinite(ready.states).all()
    assert all(len(values) == len(table) for values in ready.parameters.values())
    assert {"age", "female", "duration", "bmi", "hba1c", "fpg", "sbp", "egfr", "uacr", "metformin", "insulin"} <= set(
        table
    )
    assert table["duration"].isna().equals(table["diagnosed"] == 0)
    assert (table["uacr"] > 300).sum() > 300
    assert (table["egfr"] < 45).sum() > 300
    assert table["T1D"].sum() > 100
    assert plausibility.plausibility(table).plausible.all()


def test_inputs_are_the_inputs_of_the_model() -> None:
    ready = library.default()
    assert {"age", "female", "dMAP", "met", "e_ACE", "insulin_titration"} <= set(ready.inputs)
    assert "xi" not in ready.inputs
    assert "xi" in ready.parameters


def test_people_go_on_where_they_stand() -> None:
    """States and parameters reproduce the labs of the table at once, and the coupled model goes on from there."""
    some = library.default().take(np.arange(0, 10000, 500))
    result = life_course.life_course_ensemble().run(some.parameters, [0.0, 30.0], initial=some.initial)
    values = {name: result.values[:, :, i] for i, name in enumerate(result.names)}
    for name, source in (("egfr", "eGFR"), ("uacr", "UACR"), ("hba1c", "HbA1c"), ("MAP", "MAP"), ("gfr", "GFR")):
        np.testing.assert_allclose(values[source][:, 0], some.table[f"true_{name}"], rtol=1e-4)
        # Nothing jumps within a month; albuminuria is the fastest.
        assert np.nanmedian(np.abs(np.log(values[source][:, 1] / values[source][:, 0]))) < 0.03


def test_hidden_structure_goes_with_labs() -> None:
    """Albuminuria without lost podocytes, or low filtration without lost nephrons, would be structure made up afterwards."""
    ready = library.default()
    state = ready.initial
    podocytes, uacr = state["ln_podocytes"], np.log(ready.table["true_uacr"].to_numpy())
    assert np.corrcoef(podocytes, uacr)[0, 1] < -0.5
    nephrons, gfr = state["ln_nephrons"], np.log(ready.table["true_gfr"].to_numpy())
    assert np.corrcoef(nephrons, gfr)[0, 1] > 0.5


def test_saved_and_loaded(grown: library.Library, tmp_path: Path) -> None:
    again = library.read_library(grown.save(tmp_path / "some.npz"))
    assert list(again.table) == list(grown.table)
    for name in grown.table:
        np.testing.assert_allclose(again.table[name], grown.table[name], rtol=1e-6, atol=1e-30)
    np.testing.assert_allclose(again.states, grown.states, rtol=1e-6, atol=1e-30)
    assert again.origin == grown.origin
    assert again.current


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 broken"])
def test_what_is_no_library_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="not-a-library"):
        library.read_library(path)
    with pytest.raises(ConfigError, match="not-a-library"):
        library.read_library(tmp_path / "none.npz")


def test_people_depend_on_seed_and_number_alone(grown: library.Library) -> None:
    part = library.grow(20, seed=5, first=30)
    mine = part.table.merge(grown.table, on=["person", "age"], suffixes=("", "_whole"))
    assert len(mine) == len(part.table) > 0
    for name in ("hba1c", "egfr", "uacr", "sbp", "bmi"):
        np.testing.assert_array_equal(mine[name], mine[f"{name}_whole"])
    other = library.grow(20, seed=6, first=30)
    assert not set(np.round(other.table["age"], 6)) & set(np.round(part.table["age"], 6))


def test_no_lives_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least one life"):
        library.grow(0)


def test_drawn_people_follow_their_distributions() -> None:
    people = population.sample(3, range(20000))
    for name in ("beta_decline_factor", "xi", "MAP0"):
        assert np.isfinite(people.model[name]).all()
    others = people.traits["T1D"] == 0
    shape = whole_body.model_parameters("reference")["xi"].shape
    assert shape is not None
    type_1 = population.population_constant("xi_factor_type_1")
    assert np.median(people.model["xi"][others]) == pytest.approx(shape[1], rel=0.03)
    assert np.median(people.model["xi"][~others]) == pytest.approx(type_1 * shape[1], rel=0.05)
    assert people.traits["female"].mean() == pytest.approx(0.49, abs=0.01)
    men = people.traits["height"][people.traits["female"] == 0]
    assert men.mean() == pytest.approx(174.1, abs=0.2)


def test_weight_and_pressure_follow_age() -> None:
    people = population.sample(3, range(500))
    young, grown_up, old = (people.weight(np.full(500, age)) for age in (20.0, 55.0, 85.0))
    assert (young <= grown_up + 1e-9).all()
    assert (old <= grown_up + 1e-9).all()
    assert (people.pressure_shift(np.full(500, 20.0)) == 0).all()
    np.testing.assert_allclose(people.pressure_shift(np.full(500, 60.0)), people.traits["dMAP_60"])


def test_creatinine_keeps_the_estimate_true_in_normal_ageing() -> None:
    """What `creatinine_ageing` is derived from: in a healthy person the estimate goes with filtration for thirty years."""
    import betapod

    kidney = betapod.load_model("kidney")
    assert population.population_constant("creatinine_ageing") == kidney.parameters["creatinine_fall"].value
    for female, level in ((0.0, 0.917), (1.0, 0.72)):
        person = {"female": [female], "S_cr0": [level]}
        years = np.array([0.0, 15.0, 30.0])
        result = betapod.Ensemble(kidney, ["GFR", "eGFR"]).run(person, 365.25 * years)
        gfr, estimate = result.values[0, :, 0], result.values[0, :, 1]
        # Per body surface of 1.73 m2, as the nominal person has it.
        np.testing.assert_allclose(estimate / gfr, (estimate / gfr)[0], rtol=0.02)
        assert gfr[2] < 0.9 * gfr[0]


def test_measurement_has_the_stated_error_and_no_bias() -> None:
    n = 40000
    true = {name: np.full(n, 100.0) for name in ("hba1c", "fpg", "egfr", "uacr", "MAP")}
    person = {"age": np.full(n, 60.0), "female": np.zeros(n), "stiffness": np.zeros(n)}
    seen = observe.measure_once(true, person, np.arange(n), 1, "a")
    for name, sd in observe.measurement_noise().items():
        if name in true:
            logs = np.log(seen[name] / 100.0)
            assert logs.std() == pytest.approx(sd, rel=0.03)
            assert np.median(logs) == pytest.approx(0.0, abs=0.02 * max(1.0, logs.std() / 0.3))
    assert np.all(seen["sbp"] > seen["dbp"])
    again = observe.measure_once(true, person, np.arange(n), 1, "b")
    assert abs(np.corrcoef(seen["uacr"], again["uacr"])[0, 1]) < 0.02


def test_pressures_add_up() -> None:
    MAP, age = np.array([80.0, 93.0, 110.0]), np.array([30.0, 60.0, 85.0])
    pulse = formulas.pulse_pressure(MAP, age, np.zeros(3), np.zeros(3))
    assert pulse[1] == pytest.approx(np.exp(4.004))
    assert np.all(np.diff(pulse) > 0)
    np.testing.assert_allclose(formulas.systolic(MAP, age, np.zeros(3), np.zeros(3)) - pulse * 2 / 3, MAP)


def test_diastolic_pressure_is_a_third_of_the_pulse_below_the_mean() -> None:
    """MAP = DBP + pulse pressure / 3, the definition by which the regression on NHANES was made."""
    n = 40000
    true = {"MAP": np.full(n, 100.0)}
    person = {"age": np.full(n, 60.0), "female": np.zeros(n), "stiffness": np.zeros(n)}
    seen = observe.measure_once(true, person, np.arange(n), 1, "a")
    mean = seen["dbp"] + (seen["sbp"] - seen["dbp"]) / 3.0
    assert mean.mean() == pytest.approx(100.0, abs=0.1)
    assert np.median(seen["sbp"] - seen["dbp"]) == pytest.approx(np.exp(4.004 + 0.00691 * 7.0), rel=0.01)


@pytest.mark.parametrize(("name", "span"), sorted(plausibility.RANGES.items()))
def test_bounds_of_plausibility_are_themselves_plausible(name: str, span: tuple[float, float]) -> None:
    import pandas as pd

    middle = {each: (low + high) / 2.0 for each, (low, high) in plausibility.RANGES.items()}
    low, high = span
    values = np.array([low, high, np.nextafter(low, -np.inf), np.nextafter(high, np.inf), np.nan])
    table = pd.DataFrame({each: np.full(5, value) for each, value in middle.items()})
    table["weight"] = 64.0
    table["insulin_dose"] = 64.0 * (values if name == "insulin_dose_per_kg" else 1.0)
    if name != "insulin_dose_per_kg":
        table[name] = values
    verdict = plausibility.plausibility(table)
    assert verdict.plausible.tolist() == [True, True, False, False, False]
    assert verdict.counts == {name: 3}


@pytest.mark.parametrize("name", sorted(plausibility.POSSIBLE))
def test_what_is_unusual_is_possible(name: str) -> None:
    (least, most), (low, high) = plausibility.POSSIBLE[name], plausibility.UNUSUAL[name]
    assert least <= low < high <= most


@pytest.mark.parametrize(
    ("given", "written"), [("a", "a.npz"), ("a.npz", "a.npz"), ("a.v1", "a.v1.npz"), ("a.NPZ", "a.NPZ")]
)
def test_names_of_saved_libraries(tmp_path: Path, given: str, written: str) -> None:
    path = library.default().take(range(3)).save(tmp_path / given)
    assert path == tmp_path / written
    assert len(library.read_library(path)) == 3
    assert [each.name for each in tmp_path.iterdir()] == [written]


def test_patients_of_a_library_are_planned_as_their_recipients_are() -> None:
    import betapod

    model, few = betapod.load_model("reference"), betapod.load_library().take(range(40))
    ours = betapod.plan(model, few, drugs=["SGLT2 inhibitor"], cells="UC-MSC 1e6/kg iv x3 q28d")
    theirs = betapod.plan(model, few.recipients(), drugs=["SGLT2 inhibitor"], cells="UC-MSC 1e6/kg iv x3 q28d")
    assert ours.schedules == theirs.schedules and ours.drugs == theirs.drugs
    assert len(set(map(id, ours.schedules))) > 1
