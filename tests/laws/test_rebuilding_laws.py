"""Laws of what therapies are said to rebuild in the kidney: it fills what is missing, never more, and vanishes where nothing is."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.model import Model
from betapod.model.algebra.evaluate import compile_function
from betapod.physiology import whole_body
from betapod.therapies import cell_parameters

YEAR = 365.25
KIDNEY = whole_body.named_model("kidney")
HOOKS = {"r_N": 0.004, "r_I": 0.004, "r_S": 0.004, "r_end": 0.004, "r_mes": 0.004}
SLOW = ("W_GBM", "V_mes", "hyalinosis", "Vv_int", "ln_nephrons", "capillary_density", "capillaries_made")


@functools.cache
def whole() -> Model:
    return cell_parameters.parameterise(whole_body.named_model("reference"), "seed-claims")


@functools.cache
def compiled(name: str, states: tuple[str, ...]) -> tuple[object, dict[str, float]]:
    model = whole() if name == "reference" else whole_body.named_model(name)
    numbers = {"t": 0.0, **model.values(), **model.initial_values()}
    rates = {state.name: state.rate for state in model.states}
    return compile_function([rates[state] for state in states], [list(numbers)]), numbers


def rates(name: str, states: tuple[str, ...], changes: Mapping[str, float]) -> dict[str, float]:
    """Return rates per day at the initial state with some changes."""
    compute, numbers = compiled(name, states)
    found = compute(list({**numbers, **changes}.values()))  # type: ignore[operator]
    return dict(zip(states, found, strict=True))


def test_in_health_there_is_nothing_to_rebuild() -> None:
    assert rates("kidney", SLOW, HOOKS) == rates("kidney", SLOW, {})


ill = {
    "ln_nephrons": np.log(0.3),
    "W_GBM": 520.0,
    "V_mes": 0.45,
    "hyalinosis": 0.6,
    "Vv_int": 0.3,
    "capillary_density": 0.75,
    "G": 9.0,
}


def test_nephrons_are_rebuilt_up_to_what_there_would_be_without_disease() -> None:
    state = {
        **KIDNEY.initial_values(),
        **{key: value for key, value in ill.items() if key != "G"},
        "ln_nephrons": np.log(0.6),
        "hyalinosis": 0.1,
    }
    outputs = ["nephrons_surviving", "nephrons_present", "nephrons", "Vv_int", "W_GBM", "V_mes", "capillaries_made"]
    times = np.linspace(0, 8, 9) * YEAR
    # One kidney has been removed: half is the most there can be.
    model = KIDNEY.with_values({"G": 6.0, "u_nx": 0.5, **HOOKS})
    table = simulate(model, times, initial=state, outputs=outputs).table
    # Up to a balance with what little is lost meanwhile.
    assert table["nephrons_surviving"].iloc[:5].is_monotonic_increasing
    assert 0.99 < table["nephrons_surviving"].max() < 1.0
    assert table["nephrons_present"].max() < 0.5
    # What ageing takes does not come back.
    assert table["nephrons"].iloc[-1] < 0.5 * np.exp(-KIDNEY.parameters["h_N0"].value * 8)
    for name in ("Vv_int", "W_GBM", "V_mes"):
        assert table[name].iloc[-1] == pytest.approx(KIDNEY.initial_values()[name], rel=0.03)
    assert (table["capillaries_made"] >= 0).all()


def test_what_therapy_has_added_is_the_density_less_what_there_would_be_without_it() -> None:
    """The rest follows the equation of a kidney without therapy, whatever growth factor, scar and inflammation there are."""
    chance = np.random.default_rng(3)
    people = 50
    density = chance.uniform(0.3, 1, people)
    state = {
        "capillary_density": density,
        "capillaries_made": density * chance.uniform(0, 0.9, people),
        "Vv_int": chance.uniform(0.12, 0.5, people),
        "inflammation": chance.uniform(0, 2, people),
        "ln_nephrons": np.log(chance.uniform(0.2, 1, people)),
    }
    quantities = KIDNEY.evaluate(["VEGF", "rarefaction", "k_angiogenesis"], state)
    others = density - state["capillaries_made"]
    growth = quantities["k_angiogenesis"] * quantities["VEGF"] * others * (1 - others)
    expected = (growth - quantities["rarefaction"] * others) / YEAR
    for person in range(people):
        changes = {name: float(values[person]) for name, values in state.items()} | {"r_R": 0.003, "r_end": 0.001}
        found = rates("kidney", ("capillary_density", "capillaries_made"), changes)
        rest = found["capillary_density"] - found["capillaries_made"]
        assert rest == pytest.approx(expected[person], rel=1e-9, abs=1e-14)


def test_without_therapy_nothing_is_added_to_the_bit() -> None:
    found = rates("kidney", ("capillaries_made",), ill)
    assert found == {"capillaries_made": 0.0}


@pytest.mark.parametrize("lineage", ["end", "mes", "tub"])
def test_what_differentiates_is_what_arrives(lineage: str) -> None:
    """Cells that turn into a lineage, times their function, are the flux into the native number of the same lineage."""
    model = whole()
    state = {**ill, "G_K": 200.0, "ln_podocytes": np.log(400.0)}
    state = {key: value for key, value in state.items() if key in model.state_names}
    found = model.evaluate(
        [f"become_{lineage}", f"f_fun_{lineage}", f"count_{lineage}", "Vv_mes0", "V_mes", "nephrons_surviving"], state
    )
    flux = found[f"become_{lineage}"] * state["G_K"] * found[f"f_fun_{lineage}"] / found[f"count_{lineage}"]
    of = {"end": "capillary_density", "mes": "V_mes", "tub": "ln_nephrons"}[lineage]
    switch = f"sw_become_{lineage}"
    gained = rates("reference", (of,), state)[of] - rates("reference", (of,), {**state, switch: 0.0})[of]
    # From the rate of the state to that of the native number: density itself, Vv_mes0/V_mes, exp(ln_nephrons).
    slope = {"end": 1.0, "mes": -found["Vv_mes0"] / found["V_mes"] ** 2, "tub": found["nephrons_surviving"]}[lineage]
    assert gained * slope == pytest.approx(flux, rel=1e-6)
    # What has arrived is part of the native number and is not counted again.
    counted = model.evaluate([f"pool_{lineage}", f"native_{lineage}"], {**state, f"Z_{lineage}": 50.0})
    assert counted[f"pool_{lineage}"] == counted[f"native_{lineage}"]


def test_oxygen_and_new_vessels_never_slow_repair_and_hypoxia_is_never_negative() -> None:
    model = whole()
    chance = np.random.default_rng(5)
    people = 400
    state = {
        "capillary_density": chance.uniform(0.3, 1, people),
        "Vv_int": chance.uniform(0.1, 0.5, people),
        "ln_nephrons": np.log(chance.uniform(0.2, 1, people)),
        "V_E": chance.uniform(13, 18, people),
    }
    state["capillaries_made"] = state["capillary_density"] * chance.uniform(0, 0.9, people)
    found = model.evaluate(["repair_m", "perfusion_m", "hypoxia", "hypoxia_index", "capillary_gain"], state)
    assert found["hypoxia_index"].min() < -0.1
    assert found["hypoxia"].min() > 0
    assert found["repair_m"].min() >= 1
    assert found["perfusion_m"].min() >= 1
    assert found["capillary_gain"].min() >= 0


def test_hypoxia_is_driven_from_that_of_health() -> None:
    found = KIDNEY.evaluate(["hypoxia", "hypoxia0", "hypoxia_excess", "VEGF"])
    assert found["hypoxia"] == found["hypoxia0"] > 0
    assert found["hypoxia_excess"] == 0.0
    assert found["VEGF"] == 1.0


@settings(max_examples=20)
@given(st.floats(50, 400), st.floats(50, 400))
def test_size_of_protein_matters_only_where_it_is_not_digested(animal: float, vegetable: float) -> None:
    diet = {"protein_animal": 0.1, "protein_vegetable": 1.3, "mass_animal": animal, "mass_vegetable": vegetable}
    plain = KIDNEY.evaluate(["protein_excess"], {"protein_animal": 0.1, "protein_vegetable": 1.3})["protein_excess"]
    assert KIDNEY.evaluate(["protein_excess"], diet)["protein_excess"] == plain
    less = KIDNEY.evaluate(["protein_excess"], {**diet, "digestion": 0.9})["protein_excess"]
    assert (less > plain) == (vegetable > animal) or less == pytest.approx(plain, rel=1e-6)


def test_without_action_of_glycation_products_structure_is_as_if_there_were_none() -> None:
    states = ("W_GBM", "V_mes", "ln_podocytes", "effacement", "fenestration", "inflammation")
    with_products = {"AGE_early": 1.2, "AGE_late": 0.8}
    off = rates("kidney", states, {**with_products, "sw_AGE": 0.0})
    assert off == rates("kidney", states, {})
    assert off != rates("kidney", states, with_products)
    # The products themselves go on as they are.
    own = ("AGE_early", "AGE_late")
    assert rates("kidney", own, {**with_products, "sw_AGE": 0.0}) == rates("kidney", own, with_products)


@pytest.mark.parametrize("scenario", ["none", "current-evidence", "face-value"])
def test_what_is_only_claimed_has_no_gain_elsewhere_and_none_is_drawn(scenario: str) -> None:
    table = cell_parameters.cell_parameter_table(scenario)
    gains = ("r_N_max", "r_I_max", "r_S_max", "k_perfusion", "k_oxygen_repair", "k_insulin_vessel")
    neutral = dict.fromkeys((*gains, "arrive_end", "arrive_mes", "arrive_tub"), 0.0) | {"beta_stage": 1.0}
    assert {name: table[name].value for name in neutral} == neutral
    assert {table[name].distribution for name in neutral} == {"fixed"}


def test_the_stage_is_early_below_both_borders_and_late_above_either() -> None:
    model = whole()
    # Albuminuria of the initial state is normal; borders are moved instead.
    ratio = model.evaluate(["UACR"])["UACR"]

    def early(uacr: float, creatinine: float) -> float:
        return float(model.evaluate(["early_now"], {"S_cr": creatinine, "UACR_late": ratio * 300 / uacr})["early_now"])

    assert early(30, 0.9) > 0.99
    assert early(900, 0.9) < 0.01
    assert early(30, 2.1) < 0.01
    # Above the kink of creatinine it is the eGFR that the laboratory prints.
    found = model.evaluate(["eGFR", "eGFR_raised"], {"S_cr": 2.1})
    assert found["eGFR_raised"] == pytest.approx(found["eGFR"], rel=1e-12)


def test_a_late_stage_comes_within_months_and_goes_within_years() -> None:
    model = whole()
    for early, factor in ((1.0, model.parameters["beta_stage"].value), (0.0, 1.0)):
        assert model.evaluate(["stage_m"], {"early_stage": early})["stage_m"] == pytest.approx(factor, rel=1e-12)
    sick, well = {"S_cr": 3.0, "early_stage": 1.0}, {"early_stage": 0.0}
    assert rates("reference", ("early_stage",), sick)["early_stage"] == pytest.approx(-1 / 90, rel=0.01)
    assert rates("reference", ("early_stage",), well)["early_stage"] == pytest.approx(1 / (10 * YEAR), rel=0.01)
