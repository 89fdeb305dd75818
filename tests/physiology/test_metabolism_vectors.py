"""Every verification vector of the metabolic specification, at the reference adult q0, to four significant digits.

The vectors were printed by another program, with the parameter values of its time: they test equations, so they keep those values.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from betapod.base.constants import MINUTES_PER_DAY
from betapod.engine.schedule import Dose, Schedule
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.person.glucose_tests import RELAXATION, clamp, ogtt
from betapod.person.metabolic_state import at_rest, model_of
from betapod.person.typical import Person
from betapod.physiology import whole_body

PRINTED_WITH = {
    "secretion_exponent": 3.5,
    "incretin_gain": 1.4,
    "uptake_other": 0.70,
    "renal_threshold": 10.5,
    "capacity_compensation": 1.0,
    "insulin_bioavailability": 0.6,
}
REFERENCE = PRINTED_WITH | {
    "BW_start": 75,
    "GFR": 100,
    "first_phase_start": 1,
    "HbA1c_start": 5.1,
    "insulin_dose_start": 1e-9,
}


def four_digits(value: float) -> float:
    """Half a unit of the fourth significant digit, or of the last digit printed where fewer are printed."""
    return 0.5 * 10.0 ** (math.floor(math.log10(abs(value))) - 3)


def reference_state(model) -> dict[str, float]:
    names = list(model.values())
    start = {s.name: s.initial for s in model.states}
    from betapod.model.algebra.evaluate import compile_function

    found = compile_function(list(start.values()), [names])([model.values()[n] for n in names])
    return dict(zip(start, found, strict=True))


SLOW = whole_body.named_model("metabolism").with_values(REFERENCE)
STATE = reference_state(SLOW)
Q0 = Person("q0", "reference adult of the vectors", REFERENCE, at_rest(SLOW, STATE))
#: Rows of the minute layer alone are no values of a person.
FAST = model_of(Q0, "metabolism_fast", {"k_muscle_insulin": 0.033, "k_absorption": 0.080, "gastric_emptying_max": 0.7})


def minute(names, state, **changes) -> list[float]:
    """Quantities of the minute layer at q0."""
    rest = {s.name: 0.0 for s in FAST.states} | {
        "G": 5.0,
        "insulin": 50.0,
        "insulin_muscle": 50.0,
        "insulin_liver": 80.0,
    }
    return list(FAST.evaluate(names, {**rest, **state}, changes).values())


@pytest.mark.parametrize(
    ("insulin", "surface", "effect"),
    [
        (25, 0.000716, 0.035268),
        (50, 0.002667, 0.068142),
        (100, 0.009291, 0.127624),
        (200, 0.028659, 0.226465),
        (400, 0.072716, 0.369581),
        (1000, 0.168333, 0.595304),
        (3000, 0.274577, 0.817103),
    ],
)
def test_signalling_chain(insulin: float, surface: float, effect: float) -> None:
    # The vector's argument is insulin as the receptor feels it, six decimals are printed.
    found = minute(["GLUT4_surface", "insulin_effect"], {"insulin_muscle": insulin / 2.5})
    assert found == pytest.approx([surface, effect], abs=6e-7)


@pytest.mark.parametrize(("insulin", "surface"), [(50, 0.037708), (400, 0.174241), (3000, 0.315818)])
def test_chain_of_isolated_cells(insulin: float, surface: float) -> None:
    found = minute(["GLUT4_surface"], {"insulin_muscle": insulin}, insulin_potency=1, exocytosis_exponent=1)
    assert found == pytest.approx([surface], abs=6e-7)


@pytest.mark.parametrize(
    ("changes", "surface"),
    [({"nR_m": 0.5}, 0.026250), ({"aR_m": 0.5}, 0.028659), ({"sI_m": 0.5}, 0.026250), ({"tau4_m": 0.5}, 0.037789)],
)
def test_each_step_halved(changes: dict[str, float], surface: float) -> None:
    assert minute(["GLUT4_surface"], {"insulin_muscle": 160}, **changes) == pytest.approx([surface], abs=6e-7)


@pytest.mark.parametrize(
    ("insulin_nM", "whole_model"),
    [(0.05, 7.76), (0.1, 10.80), (0.4, 21.32), (1, 29.06), (3, 35.26), (10, 38.20)],
)
def test_chain_agrees_with_the_whole_signalling_model(insulin_nM: float, whole_model: float) -> None:
    # Total surface GLUT4 of the whole model after 60 minutes; the reduction claims an error below 2 %.
    (surface,) = minute(
        ["GLUT4_surface"], {"insulin_muscle": 1000 * insulin_nM}, insulin_potency=1, exocytosis_exponent=1
    )
    assert 100 * (surface + 0.04) == pytest.approx(whole_model, rel=0.02)


@pytest.mark.parametrize(("G", "insulin", "expected"), [(5, 50, (5.6, 3.5, 2.73976)), (9, 300, (6.048, 6.3, 36.1926))])
def test_uptake(G: float, insulin: float, expected: tuple[float, ...]) -> None:
    names = ["brain_glucose_uptake", "other_glucose_uptake", "GLUT4_uptake"]
    for found, value in zip(minute(names, {"G": G, "insulin_muscle": insulin}), expected, strict=True):
        assert found == pytest.approx(value, abs=four_digits(value) / 10)


@pytest.mark.parametrize(("G", "Z", "expected"), [(5.1, 85, 12.70114), (9, 150, 5.80095), (3, 60, 32.22761)])
def test_production(G: float, Z: float, expected: float) -> None:
    assert minute(["EGP"], {"G": G, "insulin_liver": Z}) == pytest.approx([expected], abs=6e-6)


@pytest.mark.parametrize(("G", "phiS", "expected"), [(8, 0, 0.007889), (14, 0, 0.352975), (8, 0.42, 0.340576)])
def test_renal_loss(G: float, phiS: float, expected: float) -> None:
    assert minute(["renal_glucose"], {"G": G}, phiS=phiS) == pytest.approx([expected], abs=6e-7)


@pytest.mark.parametrize(("GFR", "expected"), [(120, 1.16623), (100, 1.1), (60, 0.95572), (30, 0.80371), (15, 0.67467)])
def test_insulin_clearance(GFR: float, expected: float) -> None:
    assert minute(["insulin_clearance"], {}, GFR=GFR) == pytest.approx([expected], abs=6e-6)


@pytest.mark.parametrize(("G", "expected"), [(4, 0.037621), (5, 0.078649), (8, 0.306650), (12, 0.646411)])
def test_secretion_curve(G: float, expected: float) -> None:
    (found,) = minute(["static_secretion"], {"G": G})
    assert found / 1320 == pytest.approx(expected, abs=6e-7)


def test_secretion_with_a_meal() -> None:
    Q_gut = 20 * 180 * 75 / 1e6 / (0.9 * 0.08)  # gives a flux of 20 umol/kg/min
    found = minute(["Ra_meal", "static_secretion"], {"G": 8, "Q_gut": Q_gut})
    assert found == pytest.approx([20, 656.6395], abs=6e-5)


def test_C_peptide_kinetics() -> None:
    found = minute(["CP_k12", "CP_k21", "CP_k01", "CP_V"], {})
    assert found == pytest.approx([0.048159, 0.055344, 0.055674, 4.2496], abs=6e-7)


@pytest.mark.parametrize(
    ("phase", "changes", "expected"),
    [
        ("fasting", {}, (5.17449, 47.4128, 115.898, 0, 92.4843)),
        ("fed", {"carbohydrate_intake": 18 * 180 * 75 * 720 / 0.9e6}, (6.02907, 120.887, 295.501, 0, 235.804)),
        # 100 pmol/min from outside, all of it basal.
        ("fasting", {"insulin_prescribed": 40, "insulin_basal_fraction": 1}, (3.63886, 105.653, 36.0418, 0, 119.670)),
    ],
)
def test_steady_state(phase: str, changes: dict[str, float], expected: tuple[float, ...]) -> None:
    model = SLOW.with_values(changes)
    names = [f"{n}_{phase}" for n in ("G", "insulin", "secretion", "extra_islet_secretion", "insulin_liver")]
    found = model.evaluate(names, at_rest(model, STATE))
    for value, number in zip(found.values(), expected, strict=True):
        assert value == pytest.approx(number, rel=1e-5, abs=1e-9)


OGTT = {
    0: (5.1216, 47.81, 0.4939),
    15: (6.2097, 155.61, 1.0011),
    30: (7.5290, 265.28, 1.6921),
    45: (8.1018, 313.57, 2.2014),
    60: (7.9776, 308.16, 2.4404),
    90: (6.9285, 225.58, 2.3218),
    120: (6.0740, 146.86, 1.8784),
    180: (5.0121, 66.10, 1.0862),
}


@pytest.fixture(scope="module")
def reference_ogtt():
    """The minute layer left alone before the drink: glucose of the sample is its own, not that of a morning."""
    minutes = np.array(list(OGTT), dtype=float)
    drink = Schedule(doses=[Dose("Q_stomach", 75.0, RELAXATION / MINUTES_PER_DAY)])
    times = (RELAXATION + minutes) / MINUTES_PER_DAY
    table = simulate(FAST, times, drink, rtol=1e-8, atol=1e-8, outputs=["G", "insulin", "C_peptide"]).table
    table.index = minutes
    return table


@pytest.mark.parametrize("time", OGTT)
def test_ogtt(reference_ogtt, time: int) -> None:
    found = reference_ogtt.loc[time, ["G", "insulin", "C_peptide"]]
    for value, number, digits in zip(found, OGTT[time], (4, 2, 4), strict=True):
        assert value == pytest.approx(number, abs=0.6 * 10.0**-digits)


def test_clamp() -> None:
    # The vector is the endless clamp; the minute layer comes to within 0.1 % of it in five hours.
    endless = SLOW.evaluate(["clamp_M", "clamp_EGP", "insulin_clamp"], Q0.state)
    for value, number, digits in zip(endless.values(), (8.1898, 0.1721, 454.35), (4, 4, 2), strict=True):
        assert value == pytest.approx(number, abs=0.6 * 10.0**-digits)
    run = clamp(Q0).indices
    assert [run["M"], run["EGP"], run["insulin"]] == pytest.approx([8.1898, 0.1721, 454.35], rel=1e-3)


@pytest.mark.parametrize(
    ("HbA1c", "printed"), [(5.1, 1.0), (7.1, 1.095), (8.1, 1.175), (9.0, 1.251), (10.5, 1.383), (12, 1.390)]
)
def test_glucose_of_the_morning_over_that_of_the_fasting_phase(HbA1c: float, printed: float) -> None:
    G = math.log((HbA1c - 1.627) / 0.6277)
    state = {**Q0.state, "ln_G_fasting": G, "ln_G_fed": G}
    found = SLOW.evaluate(["FPG", "G_fasting", "HbA1c_settled"], state)
    assert found["FPG"] / found["G_fasting"] == pytest.approx(printed, abs=5.1e-4)
    assert found["HbA1c_settled"] == pytest.approx(HbA1c, rel=1e-9)


@pytest.mark.parametrize("dose", [1e-9, 1.0, 5.0, 40.0])
def test_the_rise_of_the_morning_weakens_with_the_dose(dose: float) -> None:
    G = math.log(12.0)
    state = {**Q0.state, "ln_G_fasting": G, "ln_G_fed": G, "ln_insulin_dose": math.log(dose)}
    found = SLOW.evaluate(["FPG", "dawn_excess"], state)
    expected = 0.07 * found["dawn_excess"] * 20.0 / (20.0 + dose)
    assert math.log(found["FPG"] / 12.0) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("dose", [1e-9, 1.0, 5.0, 40.0])
def test_users_of_insulin_differ_more_in_the_morning(dose: float) -> None:
    """A person's own shift counts once without insulin and 3.3 times with it; a dose of 1 U/day lies midway."""
    state = {**Q0.state, "ln_insulin_dose": math.log(dose)}
    high, usual = (SLOW.evaluate(["FPG"], state, {"dawn_shift": shift})["FPG"] for shift in (0.1, 0.0))
    assert math.log(high / usual) == pytest.approx(0.1 * (1.0 + 2.3 * dose**2 / (dose**2 + 1.0)), rel=1e-9)


@pytest.mark.parametrize("shift", [-0.2, 0.0, 0.3])
def test_tests_of_the_morning_begin_at_its_glucose(shift: float) -> None:
    """Fasting samples of both layers agree, and the clamp of five hours with the endless one."""
    q = Person("q", "", {**REFERENCE, "dawn_shift": shift}, Q0.state)
    day = model_of(q).evaluate(["FPG", "insulin_morning", "C_peptide_fasting", "clamp_M", "clamp_EGP"], q.state)
    sample = ogtt(q, minutes=5.0).table.iloc[0]
    assert sample["G"] == pytest.approx(day["FPG"], rel=1e-5)
    # The minute layer's response to rising glucose has a smooth foot: some pmol/min more at rest.
    assert sample["insulin"] == pytest.approx(day["insulin_morning"], abs=3.0)
    assert sample["C_peptide"] == pytest.approx(day["C_peptide_fasting"], abs=0.03)
    run = clamp(q).indices
    assert [run["M"], run["EGP"]] == pytest.approx([day["clamp_M"], day["clamp_EGP"]], rel=2e-3)


T2D = PRINTED_WITH | {
    "capacity_inherited": 0.82,
    "hepatic_extraction": 0.5,
    "first_phase_inherited": 0.5,
    "beta_decline": 1.4e-4,
    "sIg": 0.95,
    "Wt": 95,
    "xE": 1.28,
    "GFR": 95,
    "BW_start": 95,
    "ectopic_fat_start": 0.8,
    "secretory_capacity_start": 0.8,
    "first_phase_start": 0.5,
}
RATES = {
    "HbA1c": 0.0155717,
    "BW": 0.0,
    "ectopic_fat": 0.00667303,
    "systemic_inflammation": 0.0186667,
    "nR": -0.00170463,
    "beta_mass": -1.31422e-4,
    "beta_dedifferentiated": -1.62726e-5,
    "secretory_capacity": 0.00118732,
    "first_phase": -0.0114426,
    # Nobody without type 1 diabetes has autoimmune activity: none appears.
    "autoimmunity": 0.0,
    "graft_infused": 0.0,
    "graft_engrafting": 0.0,
    "graft_functional": 0.0,
    "extra_islet_insulin": 0.0,
    "ln_insulin_dose": 0.0,
}


@pytest.fixture(scope="module")
def t2d_rates():
    from betapod.model.algebra.evaluate import compile_function

    model = whole_body.named_model("metabolism").with_values(T2D)
    values = {"t": 0.0, **model.values(), **at_rest(model, reference_state(model))}
    keys = list(values)
    found = compile_function([s.rate for s in model.states], [keys])([values[k] for k in keys])
    return dict(zip(model.state_names, found, strict=True))


@pytest.mark.parametrize("state", RATES)
def test_slow_rates(t2d_rates, state: str) -> None:
    assert t2d_rates[state] == pytest.approx(RATES[state], rel=1e-5, abs=1e-12)


def test_glucose_states_are_the_only_further_ones(t2d_rates) -> None:
    assert set(t2d_rates) - set(RATES) == {"ln_G_fasting", "ln_G_fed"}
    assert max(abs(t2d_rates[n]) for n in ("ln_G_fasting", "ln_G_fed")) < 1e-8


TRAJECTORY = {
    365: (6.1331, 0.95335, 0.94723, 0.019938, 0.94426, 0.29569),
    1825: (6.4140, 0.96204, 0.75741, 0.023652, 0.96396, 0.24236),
    3650: (7.0007, 0.97863, 0.55407, 0.040455, 0.92833, 0.14788),
    5475: (7.8379, 1.0025, 0.38690, 0.060617, 0.87674, 0.074107),
    7300: (8.8617, 1.0336, 0.26054, 0.071837, 0.83870, 0.047077),
}
SHOWN = ("HbA1c", "nR", "beta_mass", "beta_dedifferentiated", "secretory_capacity", "first_phase")


@pytest.fixture(scope="module")
def trajectory():
    model = whole_body.named_model("metabolism").with_values(T2D)
    return simulate(model, [0.0, *TRAJECTORY], rtol=1e-8, atol=1e-10, outputs=SHOWN).table


@pytest.mark.parametrize("quantity", SHOWN)
@pytest.mark.parametrize("day", TRAJECTORY)
def test_trajectory(trajectory, day: int, quantity: str) -> None:
    number = TRAJECTORY[day][SHOWN.index(quantity)]
    # The printed run has rtol 1e-6 and jumps of 30 days at most, hence four digits rather than all printed.
    assert trajectory.loc[day, quantity] == pytest.approx(number, abs=four_digits(number))


@pytest.mark.parametrize("method", ["LSODA", "BDF", "Radau"])
def test_integrators_agree(method: str) -> None:
    model = whole_body.named_model("metabolism").with_values(T2D)
    table = simulate(model, [0.0, 3650.0], method=method, rtol=1e-6, atol=1e-9, outputs=SHOWN).table
    assert np.allclose(table.loc[3650.0], TRAJECTORY[3650], rtol=1e-4)
