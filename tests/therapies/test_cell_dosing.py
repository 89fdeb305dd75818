"""Orders for cells: what they do to a model, and what is said of those that make no sense."""

from __future__ import annotations

import math

import pytest

from betapod.base.errors import ConfigError
from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.physiology import whole_body
from betapod.therapies import cell_parameters
from betapod.therapies.cell_dosing import dose, regimen
from betapod.therapies.cell_order import read_order
from betapod.therapies.cell_population import regimens
from betapod.therapies.cell_products import PRODUCTS, ROUTES
from betapod.therapies.cell_risks import ceilings, course_risks


def test_order_of_the_manual() -> None:
    course = regimen("UC-MSC 1e6/kg iv x3 q28d", weight=75)
    assert course.order.times == [0.0, 28.0, 56.0]
    assert course.ordered == pytest.approx(75.0)
    assert course.viable == pytest.approx(75.0 * 0.95 * 0.85)
    assert sum(course.fractions.values()) == pytest.approx(1.0, abs=1e-12)
    assert sum(d.amount for d in course.doses) == pytest.approx(course.viable)
    assert {(d.ii, d.addl) for d in course.doses} == {(28.0, 2)}
    switched = {s.input: s.value for s in course.switches}
    assert switched == {
        "pi_A": 1.3,
        "pi_T": 1.3,
        "pi_M": 1.3,
        "commitment_K": 1.0,
        "commitment_P": 1.0,
        "HLA_mm": 1.0,
        "TF_source": 2.0,
        "renal_delivery": 0.0,
    }
    course.schedule.check(whole_body.named_model("cells"))


def test_dose_is_the_schedule_of_the_regimen() -> None:
    text = "AD-MSC 20 million ra autologous"
    assert dose(text) == regimen(text).schedule


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("route", ROUTES)
def test_every_product_takes_its_routes_and_no_other(product: str, route: str) -> None:
    text = f"{product} 50e6 {route}"
    if route in PRODUCTS[product].routes:
        assert regimen(text).doses
    else:
        with pytest.raises(ConfigError, match=route) as caught:
            regimen(text)
        assert caught.value.kinds == ("wrong-route",)


@pytest.mark.parametrize(
    ("amount", "cells"),
    [
        *((text, 80.0) for text in ("80e6", "80 million", "80 Mcell", "8e7 cells")),
        *((text, 80.0) for text in ("1e6/kg", "1 million/kg", "1e6 cells/kg", "1e6 cells per kg")),
        ("0.5M/kg", 40.0),
    ],
)
def test_amounts(amount: str, cells: float) -> None:
    assert regimen(f"MPC {amount} iv", weight=80).ordered == pytest.approx(cells)


@pytest.mark.parametrize("name", ["renal artery", "RA", "ra", "Renal Artery"])
def test_routes_have_several_names(name: str) -> None:
    assert read_order(f"BM-MSC 20e6 {name} @7").route.name == "ra"


@pytest.mark.parametrize(
    ("name", "product"),
    [("ucmsc", "UC-MSC"), ("WJ MSC", "UC-MSC"), ("zimislecel", "SC-islets"), ("islets", "donor-islets")],
)
def test_products_have_several_names(name: str, product: str) -> None:
    assert read_order(f"{name} 100e6 {'pv' if 'slet' in product else 'iv'}").product.name == product


WRONG = {
    "UC-MSC -1e6/kg iv": (["bad-dose"], ["dose:1:8", "-1e6/kg"]),
    "UC-MCS 1e6 iv": (["unknown-product"], ["dose:1:1", "'UC-MSC'"]),
    "UC-MSC 1e6 depot": (["wrong-route"], ["dose:1:12", "iv, ra, pa, sa, pv, ir"]),
    "SC-islets 8e8 iv": (["wrong-route"], ["pv, depot"]),
    "UC-MSC 1e6/kg iv": (["missing-weight"], ["weight="]),
    "UC-MSC 5 mg iv": (["wrong-unit"], ["mg", "million"]),
    "MPC 1e6/m2 iv": (["wrong-unit"], ["/m2"]),
    "UC-MSC 8e5 IEQ pv": (["wrong-unit"], ["islet equivalents"]),
    "UC-MSC 1e6 ivv": (["missing-route"], ["'iv'"]),
    "UC-MSC 1e6 iv thawd": (["unknown-word"], ["'thawed'", "dose:1:15"]),
    "UC-MSC 1e6 iv x3": (["missing-interval"], ["q28d"]),
    "UC-MSC 1e6 iv q28d": (["missing-repeat"], ["x3"]),
    "UC-MSC 1e6 iv x3 q4y": (["wrong-unit"], ["q4y"]),
    "UC-MSC 1e6 iv x0 q4w": (["bad-repeat"], ["x0"]),
    "UC-MSC 1e6 iv @-3": (["bad-time"], ["@-3"]),
    "UC-MSC 1e6 iv autologous": (["wrong-donor"], ["allogeneic"]),
    "BM-MSC 1e6 iv autologous allogeneic": (["bad-word"], ["one donor"]),
    "MPC 1e6 iv bilateral": (["bad-word"], ["renal artery"]),
    "UC-MSC 1e6 iv fresh thawed": (["bad-word"], ["fresh or thawed"]),
    "UC-MSC 1e6 iv induced": (["unknown-word"], ["induced-kidney", "induced-islet"]),
    "UC-MSC 1e6 iv induced-kidney induced-islet": (["bad-word"], ["not both"]),
    "SC-islets 8e8 pv preconditioned": (["bad-word"], ["as they were made", "dose:1:18"]),
    "renal-cells 50e6 ir induced-islet": (["bad-word"], ["kidney cells already", "dose:1:21"]),
    "UC-MSC iv": (["missing-dose"], ["80e6"]),
    "": (["missing-product", "missing-dose", "missing-route"], []),
    "UC-MCS -5 mg foo x2": (["unknown-product", "bad-dose", "wrong-unit", "missing-route", "missing-interval"], []),
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_orders_say_what_where_and_what_to_do(text: str) -> None:
    kinds, parts = WRONG[text]
    with pytest.raises(ConfigError) as caught:
        regimen(text)
    assert list(caught.value.kinds) == kinds
    assert all(part in str(caught.value) for part in parts)


def commitments(text: str, scenario: str) -> dict[str, float]:
    switches = regimen(text, scenario=scenario).switches
    return {s.input[-1]: s.value for s in switches if s.input.startswith("commitment_")}


@pytest.mark.parametrize("scenario", ["none", "current-evidence", "face-value"])
@pytest.mark.parametrize("product", [name for name in PRODUCTS if PRODUCTS[name].kind == "infused"])
def test_no_evidence_says_that_source_or_condition_changes_what_cells_become(product: str, scenario: str) -> None:
    route = PRODUCTS[product].routes[0]
    for words in ("", "preconditioned", "induced-kidney", "preconditioned induced-kidney"):
        assert commitments(f"{product} 50e6 {route} {words}", scenario) == {"K": 1.0, "P": 1.0}


def test_the_right_condition_where_it_is_claimed() -> None:
    assert commitments("UC-MSC 50e6 iv", "seed-claims") == {"K": 1.0, "P": 1.0}
    assert commitments("UC-MSC 50e6 iv preconditioned", "seed-claims") == {"K": 1.25, "P": 1.25}
    assert commitments("UC-MSC 50e6 iv induced-kidney", "seed-claims") == {"K": 1.5, "P": 0.0}
    assert commitments("UC-MSC 50e6 iv preconditioned induced-islet", "seed-claims") == {"K": 0.0, "P": 1.875}
    assert commitments("renal-cells 50e6 ir", "seed-claims") == {"K": 1.0, "P": 0.0}


def test_a_condition_without_effect_is_said() -> None:
    course = regimen("UC-MSC 50e6 iv induced-islet")
    assert "induced-islet" in course.words
    assert any("no human evidence" in warning for warning in course.warnings)
    assert not any(
        "no human evidence" in w for w in regimen("UC-MSC 50e6 iv induced-islet", scenario="seed-claims").warnings
    )


@pytest.mark.parametrize("weight", [0.0, -70.0, math.nan, math.inf])
def test_weight_that_is_none(weight: float) -> None:
    with pytest.raises(ConfigError, match="bad-weight"):
        regimen("MPC 1e6/kg iv", weight=weight)


def test_negative_lot() -> None:
    with pytest.raises(ConfigError, match="bad-lot"):
        regimen("MPC 1e6 iv", batch=-1)


def test_nothing_ordered_is_nothing_done() -> None:
    course = regimen("UC-MSC 0 iv x3 q28d")
    assert course.doses == ()
    assert course.switches == ()
    assert all(risk.events == 0 for risk in course_risks(course))


def test_claims_lose_no_cell() -> None:
    course = regimen("UC-MSC 80e6 iv", scenario="seed-claims")
    assert course.viable == 80.0
    assert course.fractions["L"] == pytest.approx(0.0554, abs=5e-5)


def test_first_pass_is_the_patients_own() -> None:
    model = whole_body.named_model("cells").with_values({"eps_L": 0.28})
    course = regimen("MPC 80e6 iv", model=model)
    assert course.fractions["L"] < 0.4 < regimen("MPC 80e6 iv").fractions["L"]


def test_thawed_cells_are_weak_for_a_day() -> None:
    course = regimen("BM-MSC 80e6 iv x2 q28d thawed")
    values = [(s.time, s.value) for s in course.switches if s.input == "pi_M"]
    assert values == [(0.0, 0.7), (1.0, 1.0), (28.0, 0.7), (29.0, 1.0)]


def test_cells_of_a_diabetic_donor_and_of_a_weak_lot() -> None:
    course = regimen("BM-MSC 80e6 iv autologous diabetic-donor", batch=0.5)
    switched = {s.input: s.value for s in course.switches}
    assert switched["pi_M"] == pytest.approx(0.3)
    assert switched["HLA_mm"] == 0.0


@pytest.mark.parametrize(
    ("text", "harm"),
    [
        ("BM-MSC 20e6 ra", 0.0),
        ("BM-MSC 300e6 ra bilateral", 0.3 * (300 * 0.95 / 150 - 1)),
        ("BM-MSC 300e6 ra", 0.3 * (300 * 0.95 / 75 - 1) / 2),
        ("BM-MSC 300e6 iv", 0.0),
    ],
)
def test_too_many_cells_obstruct_the_kidney(text: str, harm: float) -> None:
    assert sum(d.amount for d in regimen(text).doses if d.state == "plugged") == pytest.approx(harm)


def test_grafts_enter_by_maturity_and_set_immunosuppression() -> None:
    full = regimen("zimislecel 800e6 pv")
    assert [(d.state, round(d.amount, 6)) for d in full.doses] == [("I_1", 390.0)]
    assert {s.input: s.value for s in full.switches} == {"graft_hidden": 0.0, "adherence_IS": 1.0}
    assert full.doses[0].amount * 0.55 == pytest.approx(215, abs=1)
    edmonton = regimen("donor-islets 799912 IEQ pv")
    assert edmonton.doses[0].state == "I_4"
    # Cells of donor islets count by their function, which is half.
    kept = 1.0 - cell_parameters.cell_parameter_table()["f_ibmir"].value
    assert edmonton.doses[0].amount / kept * 0.65 * 0.55 == pytest.approx(0.5 * 335, abs=1)
    own = regimen("SC-islets 800e6 depot autologous")
    assert {s.input: s.value for s in own.switches} == {"graft_hidden": 1.0, "adherence_IS": 0.0}
    assert any("depot" in warning for warning in own.warnings)


def test_label_comes_with_dead_cells_too() -> None:
    course = regimen("BM-MSC 300e6 iv", model=whole_body.named_model("cells_tracer"))
    labelled = sum(d.amount for d in course.doses)
    assert labelled == pytest.approx(300 * 0.95)
    assert sum(d.amount for d in course.doses if d.state.startswith("Y_")) == pytest.approx(300 * 0.95 * 0.15)


def test_warnings() -> None:
    assert any("outside" in w for w in regimen("UC-MSC 9e6/kg iv", weight=80).warnings)
    assert any("weighs 80 kg" in w for w in regimen("UC-MSC 1e6/kg iv", weight=60).warnings)
    assert any("thirty times" in w for w in regimen("MNC 100e6 pa").warnings)
    assert regimen("UC-MSC 1e6/kg iv", weight=80).warnings == ()


def test_course_reaches_the_programme_of_its_potency() -> None:
    best = {}
    for batch in (0.5, 1.0):
        schedule = dose("BM-MSC 1e6/kg iv", weight=80, batch=batch)
        best[batch] = (
            simulate(whole_body.named_model("cells"), [2.0, 5.0, 10.0], schedule, outputs=["E_M"]).table["E_M"].max()
        )
    assert 0 < best[0.5] < best[1.0]


def test_risks_belong_to_the_route_and_count_events() -> None:
    def names(text: str) -> dict[str, int]:
        return {risk.name: risk.events for risk in course_risks(regimen(text))}

    common = {"p_fever": 3, "p_reaction": 3, "p_thrombosis": 3, "p_antibody": 1}
    assert names("UC-MSC 80e6 iv x3 q28d") == common
    assert names("UC-MSC 80e6 pa x3 q28d") == common | {"p_artery": 3}
    assert "p_lesion" in names("renal-cells 100e6 ir")
    assert names("SC-islets 800e6 pv") == {"p_bleeding": 1, "p_portal_clot": 1, "p_growth": 1}
    fever = course_risks(regimen("UC-MSC 80e6 iv x3 q28d"))[0]
    assert fever.at_least_one == pytest.approx(1 - (1 - 0.032) ** 3)
    assert course_risks(regimen("AD-MSC 20e6 iv autologous"))[3].chance == 0.0


def test_replacement_ceiling_of_100_million_viable_cells() -> None:
    # Without homing: 0.27 % of podocytes, 0.003 % of tubular cells, 0.018 % of beta cells.
    model = cell_parameters.parameterise(whole_body.named_model("cells"), "current-evidence").with_values(
        {"sw_homing": 0.0}
    )
    given = 100 / (0.95 * 0.85)
    found = {c.lineage: c for c in ceilings(regimen(f"BM-MSC {given:.12g}e6 iv", model=model))}
    assert found["pod"].share == pytest.approx(0.0027, abs=5e-5)
    assert found["tub"].share == pytest.approx(3.2e-5, abs=5e-7)
    assert found["beta"].share == pytest.approx(1.8e-4, abs=5e-6)
    assert found["pod"].doublings == pytest.approx(7.6, abs=0.06)
    assert found["tub"].doublings == pytest.approx(13.9, abs=0.05)
    assert found["beta"].doublings == pytest.approx(11.4, abs=0.05)


@pytest.mark.parametrize(
    "text", ["UC-MSC 1e6/kg iv x3 q28d", "BM-MSC 300e6 ra", "SC-islets 800e6 pv", "donor-islets 11900 IEQ/kg pv"]
)
def test_a_population_gets_the_courses_of_its_members(text: str) -> None:
    model = whole_body.named_model("cells")
    patients = {
        "BW": [60.0, 80.0, 110.0],
        "eps_L": [0.28, 0.8, 0.95],
        "O50": [0.2, 0.5, 1.0],
        "f_ibmir": [0.1, 0.35, 0.6],
        "f_proc_shift": [-0.5, 0.0, 0.5],
        "viability": [0.7, 0.85, 0.95],
    }
    together = regimens(text, patients, batches=[0.5, 1.0, 2.0], model=model)
    for k, batch in enumerate((0.5, 1.0, 2.0)):
        values = {name: column[k] for name, column in patients.items() if name != "viability"}
        alone = regimen(text, values["BW"], model.with_values(values), batch=batch)
        scale = 1.0 if together[k].order.product.kind == "graft" else patients["viability"][k] / 0.85
        assert together[k].viable == pytest.approx(alone.viable * scale)
        assert together[k].switches == alone.switches
        assert together[k].warnings == alone.warnings
        amounts = {d.state: d.amount * (1.0 if d.state == "plugged" else scale) for d in alone.doses}
        assert {d.state: d.amount for d in together[k].doses} == pytest.approx(amounts)


def test_columns_of_different_lengths() -> None:
    with pytest.raises(ConfigError, match="wrong-length"):
        regimens("MPC 1e6/kg iv", {"BW": [60.0, 70.0], "eps_L": [0.5]})
    with pytest.raises(ConfigError, match="wrong-length"):
        regimens("MPC 1e6 iv", {})
