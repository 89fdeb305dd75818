"""Plugging, islet grafts, labels and risks of cell therapy."""

from __future__ import annotations

import math

import pytest

from betapod.engine.schedule import Dose, Schedule
from betapod.engine.scipy.reference import simulate
from betapod.model import Model
from betapod.physiology import whole_body
from betapod.physiology.cells.routes import ORGANS


def rest(model: Model) -> dict[str, float]:
    return dict.fromkeys(model.state_names, 0.0) | {"rho_c": 0.5}


# -- plugging ------------------------------------------------------------------------------------------------------------


def test_plugging_recovers_with_its_half_life_and_lowers_gfr_and_flow() -> None:
    model = whole_body.named_model("cells")
    table = simulate(
        model,
        [1e-6, 7.0, 14.0],
        Schedule([Dose("plugged", 0.2)]),
        rtol=1e-9,
        outputs=["plug_loss", "gfr_m", "perfusion"],
    ).table
    assert table["plug_loss"].to_numpy() == pytest.approx([0.2, 0.1, 0.05], rel=1e-5)
    assert table["gfr_m"].iloc[0] == pytest.approx(0.8, rel=1e-5)
    assert table["perfusion"].iloc[0] == pytest.approx(0.8, rel=1e-5)


# -- islet graft ---------------------------------------------------------------------------------------------------------

REICHMAN = {90.0: 424.0, 180.0: 1036.0, 365.0: 1274.0}


def c_peptide(**changes: float) -> dict[float, float]:
    """Return C-peptide after a full dose of stem-cell islets into the portal vein."""
    model = whole_body.named_model("cells").with_values({"adherence_IS": 1.0, **changes})
    taken = model.evaluate(["graft_taken"], dict.fromkeys(model.state_names, 0.0))["graft_taken"]
    table = simulate(
        model, list(REICHMAN), Schedule([Dose("I_1", 800.0 * taken)]), rtol=1e-9, outputs=["graft_C_peptide"]
    ).table
    return dict(table["graft_C_peptide"])


def test_four_stages_follow_c_peptide_of_stem_cell_islets() -> None:
    # The fit of the maturation rate had no losses of its own; then every point is within 13 pmol/L.
    found = c_peptide(del_e=0.0, del_on=0.0)
    assert max(abs(found[day] - value) for day, value in REICHMAN.items()) < 13


def test_losses_of_the_specification_bend_the_curve() -> None:
    # With death in maturation and failure under immunosuppression the same constants miss by up to 200 pmol/L at one year.
    found = c_peptide()
    assert max(abs(found[day] - value) for day, value in REICHMAN.items()) == pytest.approx(201, abs=15)


def test_unprotected_graft_is_lost_and_a_hidden_one_is_not() -> None:
    left = {}
    for name, changes in {
        "protected": {"adherence_IS": 1.0},
        "unprotected": {"adherence_IS": 0.0},
        "hidden": {"adherence_IS": 0.0, "graft_hidden": 1.0},
    }.items():
        model = whole_body.named_model("cells").with_values(changes)
        left[name] = simulate(model, [365.0], Schedule([Dose("I_4", 600.0)]), outputs=["I_f"]).table["I_f"].iloc[0]
    assert left["unprotected"] < 1
    assert left["hidden"] > left["protected"] > 500


def test_failure_over_the_edmonton_follow_up_is_of_the_right_size() -> None:
    # 36 % over 7.4 years gives 0.060 per year; the value in use, 0.07, was chosen between two sources.
    model = whole_body.named_model("cells").with_values({"adherence_IS": 1.0, "del_e": 0.0})
    table = simulate(model, [365.0, 7.4 * 365.25], Schedule([Dose("I_4", 600.0)]), outputs=["I_f"]).table
    assert 1 - table["I_f"].iloc[1] / 600 == pytest.approx(1 - math.exp(-0.07 * 7.4), abs=0.01)


def test_graft_cells_are_conserved() -> None:
    model = whole_body.named_model("cells").with_values({"adherence_IS": 0.5})
    names = ["I_1", "I_2", "I_3", "I_4", "I_f", "I_dead"]
    table = simulate(model, [10.0, 100.0, 1000.0], Schedule([Dose("I_1", 400.0, 0, 50, 1)]), outputs=names).table
    assert table.sum(axis=1).to_numpy() == pytest.approx([400.0, 800.0, 800.0], rel=1e-9)


# -- label ---------------------------------------------------------------------------------------------------------------

#: Ranges over four patients with cirrhosis: fraction of the label at once and on day 10.
GHOLAMREZANEZHAD = {
    "scan_L": ((0.270, 0.335), (0.020, 0.054)),
    "scan_H": ((0, 0.028), (0.130, 0.174)),
    "scan_S": ((0.020, 0.102), (0.301, 0.422)),
}


def label_course() -> tuple[Model, Schedule]:
    # Eightfold splenic flow, at the expense of everything that is not portal.
    model = whole_body.named_model("cells_tracer").with_values(
        {"phi_S": 0.24, "phi_portal": 0.391, "damage_K": 0.0, "damage_P": 0.0, "label_dose": 300.0}
    )
    shares = model.evaluate([f"iv_{o}" for o in ORGANS], dict.fromkeys(model.state_names, 0.0))
    doses = [
        Dose(f"{pool}_{o}", part * 300.0 * shares[f"iv_{o}"])
        for o in ORGANS
        for pool, part in (("N", 0.85), ("Y", 0.15))
    ]
    return model, Schedule(doses)


def test_label_lies_in_the_observed_ranges() -> None:
    model, schedule = label_course()
    table = simulate(model, [1e-6, 10.0], schedule, outputs=list(GHOLAMREZANEZHAD)).table
    for name, ranges in GHOLAMREZANEZHAD.items():
        for value, (low, high) in zip(table[name], ranges, strict=True):
            assert low <= value <= high


def test_label_is_conserved() -> None:
    model, schedule = label_course()
    model = model.with_values({"sw_engraftment": 0.0})
    names = [f"{pool}_{o}" for pool in "NY" for o in ORGANS] + ["Y_out"]
    table = simulate(model, [0.1, 1.0, 10.0, 100.0], schedule, outputs=names).table
    assert table.sum(axis=1).to_numpy() == pytest.approx(300.0, rel=1e-9)


# -- risks ---------------------------------------------------------------------------------------------------------------


def test_risks_have_their_published_size() -> None:
    model = whole_body.named_model("cells").with_values({"HLA_mm": 1.0})
    names = [
        "p_fever",
        "p_fever_control",
        "p_thrombosis",
        "p_antibody",
        "p_bleeding",
        "p_portal_clot",
        "infection_m",
        "malignancy_m",
    ]
    f = model.evaluate(names, rest(model))
    assert f["p_fever"] == pytest.approx(4 / 125)
    assert f["p_fever"] / f["p_fever_control"] == pytest.approx(2.48)
    assert f["p_antibody"] == pytest.approx(0.1151, abs=5e-4)
    assert f["p_bleeding"] == pytest.approx(20 / 203, abs=5e-5)
    assert f["p_portal_clot"] == pytest.approx(5 / 128, abs=5e-4)
    assert (f["infection_m"], f["malignancy_m"]) == (0.99, 0.93)
    sick = model.evaluate(["p_thrombosis"], rest(model), {"CKD": 1.0, "TF_source": 2.0})
    assert sick["p_thrombosis"] == pytest.approx(3 * f["p_thrombosis"])


def test_serious_events_accrue_under_immunosuppression_only() -> None:
    for adherence, kidney, rate in ((0.0, 0.0, 0.0), (1.0, 0.0, 0.31), (1.0, 1.0, 0.43)):
        model = whole_body.named_model("cells").with_values({"adherence_IS": adherence, "kidney_recipient": kidney})
        table = simulate(model, [730.5], outputs=["SAE_expected"]).table
        assert table["SAE_expected"].iloc[0] == pytest.approx(2 * rate, rel=1e-6)
