"""Laws of the metabolic layers: one root, balances, signs, conservation, positivity."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.base.constants import MINUTES_PER_DAY
from betapod.engine.schedule import Dose, Schedule
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.model.algebra.evaluate import compile_function
from betapod.person import typical as people
from betapod.person.glucose_tests import meal_day, ogtt
from betapod.person.metabolic_state import at_rest, follow, model_of, snapshot
from betapod.person.typical import Person
from betapod.physiology import whole_body

MODEL = whole_body.named_model("metabolism")
PHASES = ("fasting", "fed")


@functools.cache
def balances():
    """The balance of both phases as a function of values of all names, printed once."""
    keys = ["t", *MODEL.values(), *MODEL.state_names]
    rates = [next(s.rate for s in MODEL.states if s.name == f"ln_G_{p}") for p in PHASES]
    return keys, compile_function(rates, [keys])


def varied(**extra):
    """Metabolic people of all kinds: inherited traits, weight, beta cells, insulin, kidneys, drugs."""
    factor = st.floats(0.4, 2.2)
    return st.fixed_dictionaries(
        {
            "capacity_inherited": factor,
            "sIg": factor,
            "sHg": factor,
            "xE": st.floats(0.7, 1.6),
            "hepatic_extraction": st.floats(0.35, 0.75),
            "Vmax_GLUT4": st.floats(250, 700),
            "GFR": st.floats(5, 180),
            "phiS": st.floats(0, 0.5),
            "met": st.floats(0, 0.6),
            "dKs": st.floats(-2, 1),
            "pincd": st.floats(1, 5),
            "carbohydrate_intake": st.floats(80, 350),
            "BW": st.floats(45, 180),
            "HbA1c": st.floats(4.5, 13),
            "ectopic_fat": st.floats(0, 3),
            "systemic_inflammation": st.floats(0, 3),
            "nR": st.floats(0.6, 1.2),
            "beta_mass": st.floats(1e-4, 1.5),
            "secretory_capacity": st.floats(0.3, 2),
            "first_phase": st.floats(0.02, 1.05),
            "graft_functional": st.floats(0, 1),
            "extra_islet_insulin": st.floats(0, 0.3),
            "ln_insulin_dose": st.floats(-8, 5),
            **extra,
        }
    )


def numbers(person: dict[str, float]) -> tuple[list[float], list[str]]:
    keys, _ = balances()
    rest = dict.fromkeys(MODEL.state_names, 0.0)
    values = {"t": 0.0, **MODEL.values(), **rest, **person}
    return [values[k] for k in keys], keys


@settings(max_examples=60, deadline=None)
@given(varied())
def test_balance_falls_strictly_with_glucose(person: dict[str, float]) -> None:
    values, keys = numbers(person)
    _, compute = balances()
    grid = np.log(np.geomspace(1, 60, 60))
    flux = []
    for x in grid:
        for phase in PHASES:
            values[keys.index(f"ln_G_{phase}")] = x
        # The states relax at flux over glucose; the flux itself is what must fall.
        flux.append(np.array(compute(values)) * np.exp(x))
    assert np.all(np.diff(np.array(flux), axis=0) < 0)


@settings(max_examples=8, deadline=None)
@given(varied())
def test_relaxed_glucose_is_the_root_of_the_balance(person: dict[str, float]) -> None:
    """Freeze the slow states, let the two glucose states relax from far away, compare with a bracketing root finder."""
    from scipy.integrate import solve_ivp
    from scipy.optimize import brentq

    values, keys = numbers(person)
    _, compute = balances()
    places = [keys.index(f"ln_G_{p}") for p in PHASES]

    def rates(t: float, y: np.ndarray) -> list[float]:
        for place, x in zip(places, y, strict=True):
            values[place] = x
        return compute(values)

    relaxed = solve_ivp(rates, (0, 40.0), np.log([20.0, 3.0]), method="Radau", rtol=1e-8, atol=1e-10).y[:, -1]
    for k, found in enumerate(relaxed):

        def balance(x: float, k: int = k) -> float:
            y = list(relaxed)
            y[k] = x
            return rates(0.0, np.array(y))[k]

        exact = brentq(balance, np.log(0.1), np.log(500), xtol=1e-14, rtol=1e-14)
        assert np.exp(found) == pytest.approx(np.exp(exact), rel=1e-8)


@pytest.mark.parametrize("name", people.typical_names())
def test_moving_states_keep_glucose_at_its_root(name: str) -> None:
    """Along a year the two glucose states trail the moving root by less than 1e-4 mmol/L."""
    person = people.person(name)
    table = follow(person, np.linspace(0, 365, 13), rtol=1e-8, atol=1e-10).table
    model = model_of(person)
    for day in table.index[1:]:
        state = {n: float(table.loc[day, n]) for n in model.state_names}
        root = at_rest(model, state)
        for phase in PHASES:
            assert np.exp(state[f"ln_G_{phase}"]) == pytest.approx(np.exp(root[f"ln_G_{phase}"]), abs=1e-4)


@pytest.mark.parametrize(("name", "rRBC"), [("ngt", 1.0), ("t2d", 1.0), ("t2d", 0.8)])
def test_HbA1c_of_steady_glucose_is_the_ADAG_line(name: str, rRBC: float) -> None:
    """Hold everything but HbA1c: it settles where 28.7 A1c - 46.7 is the mean glucose in mg/dL, scaled by red-cell age."""
    from betapod.model import ParameterTable, assemble
    from betapod.model.parameters.table import Parameter
    from betapod.physiology.metabolism.glycated_haemoglobin import GlycatedHaemoglobin

    person = people.person(name)
    G = model_of(person).evaluate(["G"], person.state)["G"]
    rows = [*whole_body.model_parameters("metabolism").values(), Parameter("G", "held", G, "mmol/L", role="input")]
    model = assemble("held", [GlycatedHaemoglobin], ParameterTable(rows)).with_values({"rRBC": rRBC})
    settled = simulate(model, [0.0, 2000.0]).table["HbA1c"].iloc[-1]
    assert settled == pytest.approx((46.7 + 18.016 * G * rRBC) / 28.7, abs=1e-3)


def test_meal_is_absorbed_whole() -> None:
    """Stomach and intestine give to plasma all that was eaten, times bioavailability."""
    person = people.person("ngt")
    model = model_of(person, "metabolism_fast")
    start = {"Q_stomach": 75.0}
    days = np.linspace(0, 600, 6001) / MINUTES_PER_DAY
    table = simulate(model, days, None, start, rtol=1e-9, atol=1e-9, outputs=["Q_stomach", "Q_gut", "Ra_meal"]).table
    grams = table["Ra_meal"] * person.state["BW"] * 180e-6
    appeared = float(np.trapezoid(grams, days * MINUTES_PER_DAY))
    left = float(table["Q_stomach"].iloc[-1] + table["Q_gut"].iloc[-1])
    assert appeared / 0.9 + left == pytest.approx(75.0, rel=1e-5)


def test_C_peptide_area_is_proportional_to_secretion() -> None:
    """Beyond rest, area of C-peptide times clearance is what was secreted, whatever the shape."""
    for name in ("ngt", "t2d"):
        person = people.person(name)
        model = model_of(person, "metabolism_fast")
        rates = model.evaluate(["CP_V", "CP_k01"])
        table = ogtt(person, minutes=1500.0, step=2.0).table
        secreted = np.trapezoid(table["secretion"] - table["secretion"].iloc[-1], table.index)
        area = np.trapezoid(table["C_peptide"] - table["C_peptide"].iloc[-1], table.index) * 1000
        assert area * rates["CP_V"] * rates["CP_k01"] == pytest.approx(secreted, rel=5e-3)


def after(name: str, days: float = 180.0, **changes: float) -> dict[str, float]:
    person = people.person(name)
    changed = Person(name, "", {**person.values, **changes}, person.state)
    return follow(changed, [0.0, days]).table.iloc[-1].to_dict()


@pytest.mark.parametrize(
    ("changes", "signs"),
    [
        ({"GFR": 130.0}, {"insulin_morning": -1, "C_peptide_fasting": -1}),
        ({"phiS": 0.3}, {"G": -1, "glucose_excretion": 1}),
        ({"dJ": 0.3}, {"clamp_M": -1, "HbA1c": 1}),
        ({"dJ": -0.3}, {"clamp_M": 1, "HbA1c": -1}),
        ({"dWt": -8.0}, {"HbA1c": -1, "ectopic_fat": -1}),
        ({"nR_m": 1.2}, {"HbA1c": -1, "clamp_M": 1}),
        ({"Esrc": 0.001}, {"HbA1c": -1}),
        ({"rRBC": 0.8}, {"HbA1c": -1}),
        ({"kneo": 2e-4}, {"beta_mass": 1}),
    ],
)
def test_signs(changes: dict[str, float], signs: dict[str, int]) -> None:
    before, then = after("t2d"), after("t2d", **changes)
    for name, sign in signs.items():
        assert np.sign(then[name] - before[name]) == sign, name


def test_graft_is_conserved_without_loss() -> None:
    person = people.person("t1d")
    kept = Person("t1d", "", {**person.values, "graft_loss": 0.0, "autoimmune_killing": 0.0}, person.state)
    schedule = Schedule(doses=[Dose("graft_infused", 0.45, 10.0)])
    table = follow(kept, np.linspace(0, 700, 36), schedule, rtol=1e-9, atol=1e-11).table
    total = table[["graft_infused", "graft_engrafting", "graft_functional"]].sum(axis=1)
    assert np.allclose(total[table.index > 10.0], 0.45, rtol=1e-7)
    assert np.all(total[table.index <= 10.0] == 0.0)


@settings(max_examples=12, deadline=None)
@given(varied())
def test_states_stay_positive_and_finite(person: dict[str, float]) -> None:
    model = MODEL.with_values({k: v for k, v in person.items() if k not in MODEL.state_names})
    start = {k: v for k, v in person.items() if k in MODEL.state_names}
    table = simulate(model, np.linspace(0, 3650, 11), None, start, method="BDF").table[list(MODEL.state_names)]
    assert np.all(np.isfinite(table))
    assert np.all(table.drop(columns=["ln_G_fasting", "ln_G_fed", "ln_insulin_dose"]) > -1e-9)


def test_snapshot_goes_on_where_it_was_taken() -> None:
    person = people.person("t2d")
    whole = follow(person, [0.0, 100.0, 300.0], rtol=1e-9, atol=1e-11).table
    later = follow(snapshot(person, whole.loc[100.0]), [0.0, 200.0], rtol=1e-9, atol=1e-11).table
    for name in MODEL.state_names:
        assert later[name].iloc[-1] == pytest.approx(whole[name].iloc[-1], rel=1e-6, abs=1e-8)


def test_a_day_of_meals_is_the_same_from_the_second_day_on() -> None:
    person = people.person("t2d")
    second, third = (meal_day(person, days=n).indices["mean_glucose"] for n in (2, 3))
    assert second == pytest.approx(third, abs=2e-3)


@pytest.fixture(scope="module")
def drawn():
    """Two hundred people with T2D from the individual distributions, over 20 years."""
    from betapod.engine.draw import draw_parameters
    from betapod.engine.ensemble import Ensemble

    model = model_of(people.person("t2d"))
    traits = draw_parameters(model.parameters, 1, range(200))
    times = np.linspace(0, 20 * 365.25, 41)
    return model, traits, times, Ensemble(model).run(traits, times)


def test_two_hundred_random_people_live_twenty_years(drawn) -> None:
    _, _, _, result = drawn
    assert set(result.status) == {0} and np.all(np.isfinite(result.values))
    positive = [k for k, n in enumerate(result.names) if not n.startswith("ln_")]
    assert np.all(result.values[:, :, positive] > -1e-9)
    FPG = np.exp(result.values[:, 1:, result.names.index("ln_G_fasting")])
    assert FPG.min() > 2.5 and FPG.max() < 40


def test_ensemble_agrees_with_the_reference_integrator(drawn) -> None:
    model, traits, times, result = drawn
    for k in (0, 50, 100, 199):
        one = model.with_values({name: float(values[k]) for name, values in traits.items()})
        table = simulate(one, times, rtol=1e-9, atol=1e-12, outputs=list(result.names)).table
        assert np.allclose(result.values[k], table.to_numpy(), rtol=1e-5, atol=1e-8)
