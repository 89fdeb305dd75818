"""Standard care: the printed table of HbA1c changes, courses, combination, adherence, contraindications, read-outs."""

from __future__ import annotations

import functools
import itertools
import math
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from betapod.base.errors import ConfigError
from betapod.engine.schedule import Dose, Schedule
from betapod.person import typical as people
from betapod.person.clinical_status import diabetes_remission, insulin_independent, without_drugs
from betapod.person.glucose_tests import mmtt
from betapod.person.metabolic_state import follow, model_of, snapshot
from betapod.physiology import whole_body
from betapod.therapies import standard_care
from betapod.therapies.drug_limits import contraindications
from betapod.therapies.drug_switches import CautionWarning, care
from betapod.therapies.input_courses import input_courses
from betapod.therapies.standard_care import catalogue, therapy

WEEKS_26 = 182.0
Printed = Callable[..., None]
STAGES = ("t2d_early", "t2d", "t2d_late")


@functools.cache
def after(name: str, text: str = "", days: float = WEEKS_26, changes: tuple[tuple[str, float], ...] = ()):
    person = people.person(name)
    changed = replace(person, values={**person.values, **dict(changes)})
    schedule = care([text], model_of(changed)) if text else None
    return follow(changed, [0.0, days], schedule).table.iloc[-1]


# HbA1c against no therapy after 26 weeks, from 7.1, 8.1 and 9.0 %.
THERAPIES = (
    "metformin 2 g", "sulfonylurea", "DPP-4 inhibitor", "liraglutide 1.2 mg", "semaglutide 1 mg", "SGLT2 inhibitor", "thiazolidinedione", "lifestyle 5 kg",
)  # fmt: skip


@pytest.mark.parametrize(("text", "stage"), list(itertools.product(THERAPIES, STAGES)))
def test_HbA1c_of_each_therapy(text: str, stage: str, printed: Printed) -> None:
    change = after(stage, text)["HbA1c"] - after(stage)["HbA1c"]
    printed(f"{text}, {stage}", change, abs=0.005)


# Change against placebo as published, from about 8 %, and the trial's days. These made the strength of each drug.
TRIALS = [
    ("liraglutide 1.2 mg", 210, -1.00, "SUSTAIN 10"),
    ("liraglutide 1.8 mg", 182, -1.15, "LEAD-2 and LEAD-3"),
    ("semaglutide 1 mg", 210, -1.53, "SUSTAIN 1"),
    ("dulaglutide 1.5 mg", 182, -1.05, "AWARD-1"),
    ("tirzepatide 5 mg", 280, -1.91, "SURPASS-1"),
    ("tirzepatide 10 mg", 280, -1.93, "SURPASS-1"),
    ("tirzepatide 15 mg", 280, -2.11, "SURPASS-1"),
    ("empagliflozin 10 mg", 168, -0.74, "EMPA-REG MONO"),
    ("empagliflozin 25 mg", 168, -0.85, "EMPA-REG MONO"),
    ("canagliflozin 100 mg", 182, -0.91, "Stenlof 2013"),
]


@pytest.mark.parametrize(("text", "days", "published", "trial"), TRIALS)
def test_a_drug_does_what_made_it(text: str, days: float, published: float, trial: str) -> None:
    change = after("t2d", text, float(days))["HbA1c"] - after("t2d", days=float(days))["HbA1c"]
    assert change == pytest.approx(published, abs=0.03), trial


def test_the_largest_dose_of_canagliflozin_falls_short() -> None:
    """-1.17 % is published (Stenlof 2013); half of the filtered glucose is the most that can be left."""
    change = after("t2d", "canagliflozin 300 mg")["HbA1c"] - after("t2d")["HbA1c"]
    assert change == pytest.approx(-0.99, abs=0.02)


@pytest.mark.parametrize("units", [10, 20, 30, 47])
def test_HbA1c_of_basal_insulin(units: int, printed: Printed) -> None:
    """At 0.48 U/kg, 47 U, -1.6 % was recalled: half of what is injected acts, which trials of type 1 diabetes need."""
    change = after("t2d", f"basal insulin {units} U")["HbA1c"] - after("t2d")["HbA1c"]
    printed(f"{units} U", change, abs=0.0055)


@pytest.mark.parametrize(
    ("GFR", "HbA1c", "glucose"),
    [(95, -0.786, 82.85), (75, -0.635, 66.66), (52, -0.455, 46.97), (38, -0.343, 34.48), (22, -0.217, 19.88)],
)
def test_SGLT2_inhibitor_by_filtration(GFR: float, HbA1c: float, glucose: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CautionWarning)
        treated = after("t2d", "SGLT2 inhibitor", changes=(("GFR", GFR),))
    control = after("t2d", changes=(("GFR", GFR),))
    assert treated["HbA1c"] - control["HbA1c"] == pytest.approx(HbA1c, abs=0.0055)
    assert treated["glucose_excretion"] - control["glucose_excretion"] == pytest.approx(glucose, abs=0.55)


@pytest.mark.parametrize(("target", "printed"), [(8.8, 7.16), (11.9, 9.1)])
def test_titrated_insulin_in_T1D(target: float, printed: float) -> None:
    person = people.person("t1d")
    untitrated = replace(person, values={k: v for k, v in person.values.items() if not k.startswith("insulin_t")})
    schedule = care([f"titrated insulin {target} mmol/L"], model_of(untitrated))
    found = follow(untitrated, [0.0, 1095.0], schedule).table["HbA1c"].iloc[-1]
    # 7.16 is printed for the target 8.8, whose ADAG value is 7.151.
    assert found == pytest.approx(printed, abs=0.012)


LEVERAGE = [
    ({"nR_m": 1.2}, -0.315, 22.8),
    ({"sI_m": 1.2}, -0.315, 22.8),
    ({"nR_m": 1.5}, -0.740, None),
    ({"nR_m": 2.0}, -1.291, None),
    ({"aR_m": 1.2}, -0.281, 15.8),
    ({"aR_m": 2.0}, -1.148, None),
    ({"tau4_m": 1.2}, -0.178, 16.3),
    ({"tau4_m": 2.0}, -0.740, None),
    ({"a4_m": 1.2}, -0.057, 8.7),
    ({"a4_m": 2.0}, -0.192, None),
    ({"nR_m": 1.2, "aR_m": 1.2, "tau4_m": 1.2, "a4_m": 1.2}, -0.922, 78.8),
    ({"dJ": -0.25}, -0.173, None),
    ({"dJ": -0.5}, -0.380, 27.8),
    ({"dJ": -0.85}, -0.736, None),
    ({"sHd": 1.2}, -0.377, None),
    ({"sHd": 1.5}, -0.825, None),
    ({"tox_m": 0.0}, -0.578, None),
    ({"kre_m": 5.0}, -0.001, None),
    ({"prog_m": 0.0}, -0.098, None),
]


@pytest.mark.parametrize(("changes", "HbA1c", "M"), LEVERAGE)
def test_leverage_of_claimed_mechanisms(changes: dict[str, float], HbA1c: float, M: float | None) -> None:
    found, control = after("t2d", days=365.0, changes=tuple(changes.items())), after("t2d", days=365.0)
    assert found["HbA1c"] - control["HbA1c"] == pytest.approx(HbA1c, abs=0.0065)
    if M is not None:
        assert 100 * (found["clamp_M"] / control["clamp_M"] - 1) == pytest.approx(M, abs=0.6)


def graft(name: str, dose: float, days: list[float], **changes: float):
    person = people.person(name)
    changed = replace(person, values={**person.values, **changes})
    return changed, follow(changed, days, Schedule(doses=[Dose("graft_infused", dose)])).table


@pytest.mark.parametrize(("dose", "printed"), [(0.1, -0.666), (0.2, -1.157), (0.4, -1.809)])
def test_leverage_of_an_islet_graft(dose: float, printed: float) -> None:
    _, table = graft("t2d", dose, [0.0, 365.0])
    assert table["HbA1c"].iloc[-1] - after("t2d", days=365.0)["HbA1c"] == pytest.approx(printed, abs=0.0065)


def test_islet_graft_in_T1D(printed: Printed) -> None:
    """HbA1c 7.78 to 6.17; dose -98 % at one year and -99 % at two, titrated to 7.4 mmol/L after the graft."""
    person, table = graft("t1d", 0.45, [0.0, 365.0, 730.0], insulin_target=7.4)
    printed("HbA1c", table["HbA1c"].iloc[1], abs=0.0055)
    one, two = table["insulin_dose"].iloc[1:] / table["insulin_dose"].iloc[0]
    printed("dose at one year", one, abs=0.0055)
    printed("dose at two years", two, abs=0.0055)
    before, after = (mmtt(snapshot(person, table.loc[day])).indices["stimulated_C_peptide"] for day in (0.0, 365.0))
    printed("C-peptide before", before, abs=0.015)
    printed("C-peptide", after, abs=0.015)
    assert list(insulin_independent(table)) == [False, True, True]


@pytest.mark.parametrize(("GFR", "printed"), [(45, -22.7), (30, -28.5), (15, -35.3)])
def test_insulin_need_in_kidney_disease(GFR: float, printed: float) -> None:
    # The printed percentages are against a filtration of 110 mL/min, that of the person at diagnosis.
    need, full = (after("t1d", days=1095.0, changes=(("GFR", g),))["insulin_dose"] for g in (GFR, 110.0))
    assert 100 * (need / full - 1) == pytest.approx(printed, abs=0.6)


@pytest.mark.parametrize(("kg", "printed"), [(5, 6.854), (10, 6.075), (15, 5.615)])
def test_total_diet_replacement(kg: int, printed: float) -> None:
    from betapod.person.metabolic_state import grown

    person = grown(replace(people.person("t2d"), until=7.5))
    table = follow(person, np.linspace(0, 365, 25), care([f"total diet replacement {kg} kg"], model_of(person))).table
    assert table["HbA1c"].iloc[-1] == pytest.approx(printed, abs=0.012)
    assert bool(diabetes_remission(table).iloc[-1]) is (kg >= 10)


@pytest.mark.xfail(
    strict=True, reason="known failure V-14: stimulated secretion compensates too well for half a pancreas"
)
def test_half_a_pancreas_under_load() -> None:
    from betapod.person.glucose_tests import ogtt

    person = people.person("ngt")
    half = replace(person, state={**person.state, "beta_mass": 0.5 * person.state["beta_mass"]})
    later = snapshot(half, follow(half, [0.0, 365.0]).table.iloc[-1])
    area = [ogtt(p).table.loc[:120, "insulin"].mean() for p in (person, later)]
    assert area[1] / area[0] == pytest.approx(0.69, abs=0.1)


@functools.cache
def stimulated_C_peptide(*texts: str) -> tuple[float, float]:
    """At one and two years after the diagnosis of type 1 diabetes at 15."""
    person = people.person("t1d_new")
    person = replace(person, values={**person.values, "onset_age": 15.0})
    table = follow(person, [0.0, 365.0, 730.0], care(texts, model_of(person))).table
    first, second = (mmtt(snapshot(person, table.loc[day])).indices["stimulated_C_peptide"] for day in (365.0, 730.0))
    return first, second


@pytest.mark.parametrize(
    ("drug", "published", "printed"),
    [("teplizumab", (1.48, 1.63), (1.46, 1.64)), ("low-dose ATG", (1.55, 2.03), (1.52, 2.14))],
)
def test_immune_drugs_keep_C_peptide(drug: str, published: tuple[float, ...], printed: tuple[float, ...]) -> None:
    """Over control at one and two years; published as +48 and +63 %, +55 and +103 % (Jacobsen 2020)."""
    ratios = [
        with_drug / without
        for with_drug, without in zip(stimulated_C_peptide(drug), stimulated_C_peptide(), strict=True)
    ]
    assert ratios == pytest.approx(printed, abs=0.015)
    assert ratios == pytest.approx(published, rel=0.06)


# -- texts, courses, combination ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["metformin 2 g", "metformin 2 g/day", "metformin 2000 mg", "Metformin 2000 mg/day"])
def test_doses_are_read_with_their_units(text: str) -> None:
    found = therapy(text)
    assert (found.name, found.dose, found.dose_unit) == ("metformin", 2.0, "g/day")


def test_every_listed_therapy_can_be_given() -> None:
    known = {**whole_body.model_parameters("metabolism"), **whole_body.model_parameters("kidney")}
    for name, doses in catalogue().items():
        for dose in doses:
            for effect in therapy(f"{name} {dose.replace('any', '1')}").effects:
                row = known[effect.quantity]
                assert row.role == "input" and effect.rule in standard_care.RULES
                from betapod.base.units import parse_unit

                assert parse_unit(row.unit).same(parse_unit(effect.unit)), effect.quantity


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("metformim 2 g", "unknown-therapy", "'metformin'"),
        ("metformin", "missing-dose", "metformin 2 g/day"),
        ("metformin 1.8 g", "unknown-dose", "nearest is metformin 2 g/day"),
        ("metformin 2 kg", "unknown-dose", "2000 g/day"),
        ("metformin 2 mmHg", "wrong-unit", "g/day"),
        ("metformin 2 blobs", "unknown-unit", "blobs"),
        ("sulfonylurea 0.4 dose", "unknown-dose", "sulfonylurea 0.5 dose"),
        ("SGLT2 inhibitor 10 mg", "wrong-unit", "relative"),
        ("basal insulin -5 U", "out-of-range", "positive"),
        ("", "unknown-therapy", "betapod drugs"),
    ],
)
def test_bad_therapies_are_refused(text: str, kind: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        therapy(text)
    assert kind in caught.value.kinds
    assert says in str(caught.value)


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        therapy("metformin 3 g", start=-1, adherence=1.5, onset=-2)
    assert len(caught.value.problems) == 4


METFORMIN = therapy("metformin 2 g").effects[0].value
BASE = {name: row.value for name, row in whole_body.named_model("metabolism").inputs.items()}


def value_at(therapies, quantity: str, time: float) -> float:
    steps = input_courses(therapies, BASE)[quantity]
    if time >= steps[-1].time:
        return steps[-1].after
    k = max(i for i, step in enumerate(steps) if step.time <= time)
    a, b = steps[k], steps[k + 1]
    return a.after + (b.before - a.after) * (time - a.time) / (b.time - a.time)


def test_course_rises_holds_and_falls() -> None:
    given = [therapy("metformin 2 g", start=10, stop=100, onset=20, offset=10)]
    times = [0, 10, 20, 30, 99, 105, 110, 400]
    assert [value_at(given, "met", t) / METFORMIN for t in times] == pytest.approx([0, 0, 0.5, 1, 1, 0.5, 0, 0])


def test_course_that_stops_while_rising() -> None:
    given = [therapy("metformin 2 g", start=0, stop=5, onset=20, offset=10)]
    assert [value_at(given, "met", t) / METFORMIN for t in (5, 10, 15, 25)] == pytest.approx([0.25, 0.125, 0, 0])


def test_adherence_scales_every_rule_but_policies() -> None:
    given = [therapy("SGLT2 inhibitor", adherence=0.5), therapy("total diet replacement 10 kg", adherence=0.5)]
    share = next(effect.value for effect in given[0].effects if effect.quantity == "phiS")
    assert value_at(given, "phiS", 50) == pytest.approx(share / 2)
    assert value_at(given, "xEd", 50) == pytest.approx(1.025)
    assert value_at(given, "dWt", 50) == pytest.approx(-6.0)
    assert value_at(given, "weight_response_time", 50) == 60.0


def test_combination_multiplies_adds_and_takes_the_strongest() -> None:
    given = [
        therapy("semaglutide 1 mg"),
        therapy("sulfonylurea"),
        therapy("SGLT2 inhibitor"),
        therapy("DPP-4 inhibitor"),
    ]
    alone = [{effect.quantity: effect.value for effect in drug.effects} for drug in given]
    assert value_at(given, "xEd", 50) == pytest.approx(math.prod(drug.get("xEd", 1.0) for drug in alone))
    assert value_at(given, "dKs", 50) == pytest.approx(sum(drug.get("dKs", 0.0) for drug in alone))
    assert value_at(given, "dKs", 50) < alone[0]["dKs"] < 0
    assert value_at([*given, therapy("SGLT2 inhibitor")], "phiS", 50) == alone[2]["phiS"]
    order = [therapy("SGLT2 inhibitor"), *given]
    assert value_at(order, "dWt", 50) == pytest.approx(value_at(list(reversed(order)), "dWt", 50), rel=1e-12)


def test_two_targets_clash_unless_one_stops_first() -> None:
    first, second = "titrated insulin 8.8 mmol/L", "titrated insulin 11.9 mmol/L"
    with pytest.raises(ConfigError, match="both set 'insulin_target'"):
        input_courses([therapy(first), therapy(second)], BASE)
    input_courses([therapy(first, stop=100), therapy(second, start=200)], BASE)


def test_therapy_for_an_organ_that_the_model_lacks_is_refused() -> None:
    with pytest.raises(ConfigError, match="acts on nothing that this model has"):
        care(["ARB"], whole_body.named_model("metabolism"))
    kidney = whole_body.named_model("kidney")
    assert {s.input for s in care(["ARB", "SGLT2 inhibitor", "MRA"], kidney).switches} == {
        "e_ARB",
        "e_S",
        "e_MRA",
        "dMAP",
    }


def test_schedule_follows_the_course() -> None:
    model = model_of(people.person("t2d"))
    given = [therapy("metformin 2 g", start=10, stop=100, onset=20, offset=0), therapy("basal insulin 20 U", start=30)]
    schedule = care(given, model)
    schedule.check(model)
    table = follow(people.person("t2d"), [5.0, 20.0, 60.0, 101.0, 150.0], schedule).table
    assert table["met"].to_numpy() == pytest.approx([0, METFORMIN / 2, METFORMIN, 0, 0], abs=1e-9)
    assert table["insulin_basal_fraction"].to_numpy() == pytest.approx([0.5, 0.5, 1, 1, 1])
    assert table["insulin_dose"].iloc[-1] == pytest.approx(20.001, abs=1e-6)


def test_no_therapy_changes_nothing() -> None:
    person = people.person("t2d")
    bare = follow(person, [0.0, 100.0]).table
    with_none = follow(person, [0.0, 100.0], care([], model_of(person))).table
    assert np.array_equal(bare.to_numpy(), with_none.to_numpy())


def test_contraindications_by_filtration() -> None:
    low = model_of(people.person("t2d")).with_values({"GFR": 25})
    with pytest.raises(ConfigError, match="contraindicated below a GFR of 30"):
        care(["metformin 2 g"], low)
    with pytest.warns(CautionWarning, match="starting is not recommended"):
        care(["metformin 2 g"], low.with_values({"GFR": 40}))
    assert contraindications([therapy("metformin 2 g")], {"GFR": 80}) == ([], [])
    errors, cautions = contraindications([therapy("ACE inhibitor"), therapy("ARB")], {"GFR": 80})
    assert not errors and len(cautions) == 1 and "avoid" in cautions[0]


def test_implausible_courses_are_pointed_out() -> None:
    with pytest.warns(CautionWarning, match="protein_animal goes to -0.35 g/kg/day"):
        care(["vegetable for animal protein 1 g/kg/day"], whole_body.named_model("kidney"))


def test_every_therapy_acts_in_the_whole_person() -> None:
    # Somebody who titrates insulin, so that a rule for it has something to act on.
    model = whole_body.named_model("reference").with_values({"insulin_titration": 1})
    usual = {"sodium intake": "90", "protein intake": "0.8", "vegetable for animal protein": "0.3"}
    for name, doses in catalogue().items():
        for dose in doses:
            given = therapy(f"{name} {dose.replace('any', usual.get(name, '9'))}")
            switched = {s.input for s in care([given], model).switches}
            already = {"insulin_titration"} if name == "titrated insulin" else set()
            assert switched == {e.quantity for e in given.effects} - already, name


def test_drugs_and_diet_are_told_apart() -> None:
    person = people.person("t2d_early")
    model = model_of(person)
    diet = follow(person, [1.0, 50.0], care(["lifestyle 5 kg"], model)).table
    drug = follow(person, [1.0, 50.0], care(["metformin 2 g"], model)).table
    assert list(without_drugs(diet)) == [True, True]
    assert list(without_drugs(drug)) == [False, False]


def test_remission_needs_three_months() -> None:
    person = people.person("ngt")
    table = follow(person, [0.0, 30.0, 60.0, 90.0, 92.0, 120.0]).table
    assert list(diabetes_remission(table)) == [False, False, False, False, True, True]
    assert math.isfinite(table["HbA1c"].iloc[-1])
