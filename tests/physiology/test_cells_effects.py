"""Effects of cells on their targets, grafts, hypoxia, labels and risks, one relation at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.engine.draw import draw_parameters
from betapod.engine.schedule import Dose, Schedule
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.model import Model, ParameterTable
from betapod.physiology import whole_body
from betapod.physiology.cells.routes import ORGANS
from betapod.therapies import cell_parameters
from betapod.therapies.cell_dosing import dose

#: Every multiplier, which is 1 when cells do no good, and every hook, which is 0.
ONES = [
    "stage_m",
    "auto_m",
    "apo_m",
    "rep_m",
    "fn_m",
    "kre_m",
    "tox_m",
    "SI_m",
    "receptor_m",
    "GLUT4_m",
    "end_m",
    "pod_m",
    "tub_m",
    "fib_m",
    "inf_m",
    "gfr_m",
    "perfusion_m",
    "repair_m",
    "slope_m",
    "nR_m",
    "aR_m",
    "tau4_m",
    "a4_m",
    "sI_m",
    "prog_m",
    "sHd",
    "infection_m",
    "malignancy_m",
]
ZEROS = [
    "eta_X",
    "neogenesis",
    "ectopic",
    "dHbA1c_reduced",
    "gain_end",
    "fib_add",
    "j",
    "r_R",
    "r_F",
    "r_E",
    "r_P",
    "r_N",
    "r_I",
    "r_S",
    "r_end",
    "r_mes",
    "r_tub",
    "insulin_dilatation",
    "dJ",
    "kneo",
    "Esrc",
]

#: What each switch turns off, and its neutral value.
SWITCHES = {
    "sw_autoimmunity": {"eta_X": 0, "auto_m": 1},
    "sw_survival": {"apo_m": 1, "prog_m": 1},
    "sw_replication": {"rep_m": 1},
    "sw_neogenesis": {"neogenesis": 0},
    "sw_function": {"fn_m": 1},
    "sw_recovery": {"kre_m": 1, "tox_m": 1},
    "sw_ectopic": {"ectopic": 0, "Esrc": 0, "turn_ins": 0},
    "sw_ectopic_repair": {"secreting_ins": 0, "ectopic": 0, "Esrc": 0},
    "sw_sensitivity": {"SI_m": 1, "nR_m": 1, "aR_m": 1, "sI_m": 1, "tau4_m": 1, "a4_m": 1, "sHd": 1},
    "sw_receptor_number": {"nR_m": 1},
    "sw_receptor_binding": {"aR_m": 1},
    "sw_post_receptor": {"sI_m": 1},
    "sw_GLUT4": {"tau4_m": 1},
    "sw_glucose_bond": {"a4_m": 1},
    "sw_liver_sensitivity": {"sHd": 1},
    "sw_indirect": {"dJ": 0},
    "sw_HbA1c": {"dHbA1c_reduced": 0},
    "sw_endothelium": {"end_m": 1, "r_R": 0, "r_F": 0},
    "sw_podocyte": {"pod_m": 1, "r_E": 0},
    "sw_rebuild_interstitium": {"r_I": 0},
    "sw_rebuild_glomeruli": {"r_S": 0},
    "sw_perfusion": {"perfusion_m": 1},
    "sw_oxygen_repair": {"repair_m": 1},
    "sw_insulin_vessel": {"insulin_dilatation": 0},
    "sw_stage": {"stage_m": 1},
    "sw_tubule": {"tub_m": 1},
    "sw_fibrosis": {"fib_m": 1},
    "sw_inflammation": {"inf_m": 1, "j": 0},
    "sw_filtration": {"gfr_m": 1},
    "sw_slope": {"slope_m": 1},
    "sw_homing": {"homing_K": 1, "homing_P": 1},
    "sw_engraftment": {"k_settle": 0},
    "sw_renewal": {"births_K": 0, "births_P": 0},
    "sw_differentiation": {"become_pod": 0, "become_beta": 0, "r_P": 0},
    **{f"sw_become_{lineage}": {f"become_{lineage}": 0} for lineage in ("end", "pod", "mes", "tub", "beta", "ins")},
    "sw_hypoxia": {"hypoxic_drive": 0},
}


def claims(**changes: float) -> Model:
    return cell_parameters.parameterise(whole_body.named_model("cells"), "seed-claims").with_values(changes)


def full(model: Model) -> dict[str, float]:
    """Return a state in which every programme is half on and cells sit everywhere."""
    state = dict.fromkeys(model.state_names, 0.0)
    state |= dict.fromkeys(("E_A", "E_TK", "E_TP", "E_M", "E_MK", "E_M30", "rho_c", "R_allo"), 0.5)
    return state | {name: 10.0 for name in model.state_names if name[:2] in ("N_", "G_", "Z_", "I_")}


@pytest.mark.parametrize("switch", SWITCHES)
def test_each_mechanism_has_its_switch(switch: str) -> None:
    names = list(SWITCHES[switch])
    model = claims(hyp_0=0.12, capillary_gain=0.1, early_stage=0.5)
    state = full(model)
    on = model.evaluate(names, state, {switch: 1.0})
    off = model.evaluate(names, state, {switch: 0.0})
    for name, neutral in SWITCHES[switch].items():
        assert off[name] == neutral
        assert on[name] != neutral


@pytest.mark.parametrize(
    "switch",
    ["sw_angiogenic", "sw_trophic_K", "sw_trophic_P", "sw_immune", "sw_sensitisation", "sw_maldifferentiation"],
)
def test_switched_off_programmes_never_start(switch: str) -> None:
    state = {
        "sw_angiogenic": "E_A",
        "sw_trophic_K": "E_TK",
        "sw_trophic_P": "E_TP",
        "sw_immune": "E_M",
        "sw_sensitisation": "R_allo",
        "sw_maldifferentiation": "Z_mal",
    }[switch]
    doses = [Dose("N_K", 50.0), Dose("N_P", 50.0)]
    model = whole_body.named_model("cells").with_values({"HLA_mm": 1.0})
    for value in (0.0, 1.0):
        table = simulate(model.with_values({switch: value}), [5.0, 50.0], Schedule(doses), outputs=[state]).table
        assert (table[state] > 0).all() == bool(value)
        if not value:
            assert (table[state] == 0).all()


def test_none_is_exactly_no_benefit_and_the_same_harm() -> None:
    model = cell_parameters.parameterise(whole_body.named_model("cells"), "none").with_values(
        {"HLA_mm": 1.0, "early_stage": 1.0, "sw_indirect": 1.0}
    )
    state = {name: 0.0 if name.startswith("Z_") else value for name, value in full(model).items()}
    found = model.evaluate([*ONES, *ZEROS], state)
    assert {name: found[name] for name in ONES} == dict.fromkeys(ONES, 1.0)
    assert {name: found[name] for name in ZEROS} == dict.fromkeys(ZEROS, 0.0)
    harms = model.evaluate(["p_fever", "p_antibody", "plug_gain_one"], state)
    assert min(harms.values()) > 0


def test_none_after_real_doses() -> None:
    model = cell_parameters.parameterise(whole_body.named_model("cells"), "none").with_values({"renal_delivery": 0.0})
    doses = [Dose(f"N_{organ}", 30.0, 0.0, 28.0, 2) for organ in ORGANS]
    names = [*ONES, *ZEROS]
    table = simulate(model, np.linspace(1, 365, 20), Schedule(doses), outputs=[*names, "E_M", "Z_total"]).table
    assert table["E_M"].max() > 0.3
    assert (table["Z_total"] == 0).all()
    assert (table[ONES] == 1.0).all().all()
    assert (table[ZEROS] == 0.0).all().all()
    # Into the kidney itself cells do harm: some turn into scar, as under current evidence.
    into_kidney = model.with_values({"renal_delivery": 1.0})
    scar = simulate(into_kidney, [365.0], Schedule(doses), outputs=["Z_mal", "fib_add"]).table
    assert (scar > 0).all().all()


def test_no_cells_no_effect_in_any_scenario() -> None:
    for name in cell_parameters.SCENARIOS:
        model = cell_parameters.parameterise(whole_body.named_model("cells"), name)
        table = simulate(
            model,
            [10.0, 365.0],
            outputs=[n for n in (*ONES, *ZEROS) if n not in ("infection_m", "malignancy_m", "ectopic", "Esrc")],
        ).table
        for column in table:
            assert (table[column] == (1.0 if column in ONES else 0.0)).all(), (name, column)


def test_claims_at_an_early_stage_keep_multipliers_positive() -> None:
    model = claims(early_stage=1.0)
    state = full(model) | {"E_M": 1.0, "E_MK": 1.0, "E_TP": 1.0, "E_TK": 1.0}
    found = model.evaluate(["auto_m", "apo_m", "pod_m", "fib_m", "inf_m", "tox_m"], state)
    assert all(0 < value < 1 for value in found.values())


def test_sensitivity_is_split_without_loss() -> None:
    model = claims()
    f = model.evaluate(["SI_m", "receptor_m", "GLUT4_m", "nR_m", "aR_m", "tau4_m"], full(model))
    assert f["receptor_m"] * f["GLUT4_m"] == pytest.approx(f["SI_m"], rel=1e-14)
    assert f["nR_m"] * f["aR_m"] * f["tau4_m"] == pytest.approx(f["SI_m"], rel=1e-14)


def test_reprogramming_fades_at_the_rate_of_what_it_acts_on() -> None:
    late = {}
    for t1d in (0.0, 1.0):
        model = whole_body.named_model("cells").with_values({"T1D": t1d})
        table = simulate(model, [100.0, 465.0], Schedule([Dose("N_L", 80.0)]), rtol=1e-9, outputs=["E_M", "E_MK"]).table
        late[t1d] = -np.log(table.iloc[1] / table.iloc[0]) / 365.0
    values = whole_body.named_model("cells").values()
    assert late[0.0]["E_M"] == pytest.approx(values["koff_M_metabolic"], rel=1e-3)
    assert late[1.0]["E_M"] == pytest.approx(values["koff_M_autoimmune"], rel=1e-3)
    for rates in late.values():
        assert rates["E_MK"] == pytest.approx(values["koff_M_renal"], rel=1e-3)


def test_effects_on_the_kidney_answer_to_its_own_programme() -> None:
    model = claims()
    of_kidney, others = ["fib_m", "j", "gfr_m", "slope_m"], ["SI_m", "sHd", "eta_X"]
    state = full(model)
    before = model.evaluate([*of_kidney, *others], state)
    for changed, moved, kept in (("E_MK", of_kidney, others), ("E_M", others, of_kidney)):
        after = model.evaluate([*of_kidney, *others], state | {changed: 0.8})
        assert all(after[name] != before[name] for name in moved)
        assert all(after[name] == before[name] for name in kept)


def test_cells_that_do_not_act_on_sensitivity_act_on_neither_muscle_nor_liver() -> None:
    model = whole_body.named_model("cells")
    muscle, liver = (model.parameters[name].value for name in ("Emax_SI", "Emax_SH"))
    half = {"SI_m": 1.0 + 0.5 * muscle, "sHd": 1.0 + 0.5 * liver}
    assert model.evaluate(["SI_m", "sHd"], full(model)) == pytest.approx(half)
    assert model.with_values({"acts_SI": 0.0}).evaluate(["SI_m", "sHd"], full(model)) == {"SI_m": 1.0, "sHd": 1.0}


def test_a_draw_may_say_that_cells_do_not_act_on_sensitivity() -> None:
    table = cell_parameters.cell_parameter_table("current-evidence")
    drawn = draw_parameters(table, 3, np.arange(4000), ["acts_SI", "Emax_SI", "Emax_SH"])
    assert set(drawn["acts_SI"]) == {0.0, 1.0}
    assert np.mean(drawn["acts_SI"] == 0) == pytest.approx(0.15, abs=0.015)
    muscle, liver = drawn["acts_SI"] * drawn["Emax_SI"], drawn["acts_SI"] * drawn["Emax_SH"]
    assert ((muscle == 0) == (liver == 0)).all()
    assert np.median(muscle[muscle > 0]) == pytest.approx(table["Emax_SI"].value, rel=0.03)


def test_deficit_gate_stops_replacement_at_health() -> None:
    model = claims(sw_deficit_gate=1.0)
    state = dict.fromkeys(model.state_names, 0.0)
    healthy = model.evaluate(["become_pod"], state)["become_pod"]
    half = model.evaluate(["become_pod"], state, {"native_pod": 0.5})["become_pod"]
    xi = model.parameters["xi_pod"].value
    assert healthy == pytest.approx(xi * 0.001 * math.log(2))
    assert half == pytest.approx(0.5 * xi, rel=1e-6)


def test_neogenesis_fills_what_is_missing() -> None:
    names = ["neogenesis", "kneo"]
    state = full(claims()) | {"Z_beta": 0.0, "G_P": 0.0}
    open_gate = claims().evaluate(names, state)
    gated = claims(sw_deficit_gate=1.0, native_beta=0.4).evaluate(names, state)
    healthy = claims(sw_deficit_gate=1.0).evaluate(names, state)
    assert open_gate["neogenesis"] == pytest.approx(2 * 0.5)
    assert gated["neogenesis"] == pytest.approx(0.6 * open_gate["neogenesis"])
    assert healthy["kneo"] < 1e-3 * open_gate["kneo"]


def test_replication_fills_what_is_missing() -> None:
    state = full(claims()) | {"Z_beta": 0.0}
    gain = claims().evaluate(["rep_m"], state)["rep_m"] - 1
    half = claims(sw_deficit_gate=1.0, native_beta=0.5).evaluate(["rep_m"], state)["rep_m"] - 1
    healthy = claims(sw_deficit_gate=1.0).evaluate(["rep_m"], state)["rep_m"] - 1
    assert half == pytest.approx(0.5 * gain)
    assert healthy < 1e-3 * gain


def test_a_gain_of_the_bond_is_a_lower_half_saturation_of_transport() -> None:
    model = whole_body.named_model("metabolism")
    state = model.initial_values()
    names = ["GLUT4_uptake_fed", "transporter_affinity_fed"]
    bound = model.evaluate(names, state, {"a4_m": 1.3})
    lower = model.with_values({"Km_GLUT4": model.parameters["Km_GLUT4"].value / 1.3}).evaluate(names, state)
    assert bound["transporter_affinity_fed"] == pytest.approx(1.3 * lower["transporter_affinity_fed"])
    assert bound["GLUT4_uptake_fed"] == pytest.approx(lower["GLUT4_uptake_fed"], rel=1e-12)
    assert bound["GLUT4_uptake_fed"] > model.evaluate(names, state)["GLUT4_uptake_fed"]


REPAIRED = ["SI_m", "sI_m", "a4_m", "sHd", "fn_m", "gain_ins"]


def test_claimed_repair_ends_where_glucose_is_normal() -> None:
    model = claims()
    state = full(model)
    high, half, normal = (model.evaluate(REPAIRED, state, {"glucose_above_normal": left}) for left in (1.0, 0.5, 0.0))
    neutral = dict.fromkeys(REPAIRED, 1.0) | {"gain_ins": 0.0}
    assert normal == neutral
    for name in REPAIRED:
        assert half[name] - neutral[name] == pytest.approx(0.5 * (high[name] - neutral[name]))


@pytest.mark.parametrize("scenario", ["current-evidence", "face-value"])
def test_what_was_measured_is_a_gain_at_any_glucose(scenario: str) -> None:
    model = cell_parameters.parameterise(whole_body.named_model("cells"), scenario)
    state = full(model)
    assert model.evaluate(REPAIRED, state, {"glucose_above_normal": 0.0}) == model.evaluate(REPAIRED, state)


def test_glucose_above_normal_of_the_whole_person() -> None:
    model = whole_body.named_model("reference").with_values({"hold_glucose": 1.0})
    found = [
        model.evaluate(["glucose_above_normal"], model.initial_values(), {"glucose_held": glucose})[
            "glucose_above_normal"
        ]
        for glucose in (4.0, 5.2, 5.7, 9.0)
    ]
    assert found == pytest.approx([0.0, 0.069, 0.5, 1.0], abs=2e-3)


def test_product_that_lives_in_the_host_is_not_counted_twice() -> None:
    model = claims(sw_deficit_gate=1.0, native_beta=0.6, native_pod=0.6)
    state = full(model) | {"Z_beta": 400.0, "Z_pod": 480.0}
    here = model.evaluate(["pool_beta", "pool_pod"], state)
    hosted = model.evaluate(["pool_beta", "pool_pod"], state, {"product_hosted": 1.0})
    assert here == pytest.approx({"pool_beta": 1.0, "pool_pod": 1.0})
    assert hosted == pytest.approx({"pool_beta": 0.6, "pool_pod": 0.6})


def test_podocyte_hook_is_the_flux_of_replacement() -> None:
    # The kidney adds r_P*(P0/P - 1) to d ln P/dt; with deficit 1 - P/P0 that is xi*deficit*G*f/n over P/P0.
    model = claims(sw_deficit_gate=1.0, native_pod=0.7)
    state = full(model) | {"Z_pod": 0.0}
    f = model.evaluate(["r_P", "become_pod"], state)
    flux = f["become_pod"] * state["G_K"] * model.parameters["f_fun_pod"].value / model.parameters["count_pod"].value
    assert f["r_P"] * (1 / 0.7 - 1) == pytest.approx(flux / 0.7, rel=1e-6)


def test_hypoxic_fraction_follows_flow_as_in_renovascular_disease() -> None:
    model = whole_body.named_model("cells").with_values({"hyp_0": 0.121, "RBF_rel": 185.5 / 151.8})
    found = model.evaluate(["hyp_fraction"], full(model) | {"rho_c": 0.5, "plugged": 0.0})
    assert found["hyp_fraction"] == pytest.approx(0.068, abs=5e-4)


@pytest.mark.parametrize(("name", "density"), [("current-evidence", 0.5), ("seed-claims", 1.2 * (1 - 0.003 / 0.02))])
def test_capillaries_rest_at_health_and_are_rescaled_to_1(name: str, density: float) -> None:
    model = cell_parameters.parameterise(whole_body.named_model("cells"), name)
    table = simulate(model, [1.0, 3650.0], outputs=["rho_c", "rho_rel"]).table
    assert table["rho_c"].to_numpy() == pytest.approx(density, rel=1e-9)
    assert table["rho_rel"].to_numpy() == pytest.approx(1.0, rel=1e-9)


def test_plasma_vegf_is_negligible_next_to_tens_of_picograms() -> None:
    model = whole_body.named_model("cells").with_values({"BW": 70.0, "s_VEGF": 1.2})
    state = dict.fromkeys(model.state_names, 0.0) | {"N_L": 100.0, "rho_c": 0.5}
    assert model.evaluate(["VEGF_rise"], state)["VEGF_rise"] == pytest.approx(0.06, abs=0.005)


# -- the whole person ----------------------------------------------------------------------------------------------------


def test_claims_restore_beta_cells_of_the_whole_person_without_overgrowth() -> None:
    model = cell_parameters.parameterise(whole_body.named_model("reference"), "seed-claims")
    schedule = dose("UC-MSC 1e6/kg iv x3 q28d", weight=75, model=model, scenario="seed-claims")
    outputs = ["beta_mass", "pool_beta", "r_R", "end_m", "VEGF"]
    table = simulate(model, [365.0], schedule, initial={"beta_mass": 0.4}, outputs=outputs).table
    assert table["beta_mass"].iloc[0] == pytest.approx(1.0, abs=0.1)
    assert (table["pool_beta"] == table["beta_mass"]).all()
    growth = model.parameters["k_angiogenesis"].value / 365.25 * table["VEGF"].iloc[0]
    assert table["r_R"].iloc[0] == pytest.approx(growth * (table["end_m"].iloc[0] - 1), rel=1e-12)


# -- tables --------------------------------------------------------------------------------------------------------------


def test_overlays_change_what_they_name_and_nothing_else() -> None:
    base = cell_parameters.cell_parameter_table("current-evidence")
    for name in cell_parameters.SCENARIOS:
        rows = cell_parameters.overlay(name)
        table = cell_parameters.cell_parameter_table(name)
        assert set(rows) <= set(base)
        assert all(table[key].value == (rows[key].value if key in rows else base[key].value) for key in base)
        assert not table.implausible()


def test_scenarios_replace_one_another_whatever_the_order() -> None:
    model = whole_body.named_model("cells")
    there = cell_parameters.parameterise(cell_parameters.parameterise(model, "seed-claims"), "face-value")
    assert there.values() == cell_parameters.parameterise(model, "face-value").values()
    back = cell_parameters.parameterise(there, "current-evidence")
    assert back.values() == model.values()


def test_unknown_scenario_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="seed-claims"):
        cell_parameters.overlay("seed-claim")


def test_every_claimed_number_is_marked_as_assumed() -> None:
    rows: ParameterTable = cell_parameters.overlay("seed-claims")
    assert {(row.role, row.source) for row in rows.values()} == {("assumed", "")}
