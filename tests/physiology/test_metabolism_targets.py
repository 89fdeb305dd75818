"""Validation targets: what the model gives for them, and where published results are missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from betapod.engine.schedule import Dose, Schedule
from betapod.person import typical as people
from betapod.person.glucose_tests import clamp, mmtt, ogtt
from betapod.person.metabolic_state import follow, model_of, snapshot
from betapod.therapies.drug_switches import care

YEAR = 365.25
Printed = Callable[..., None]


def changed(name: str, **values: float):
    person = people.person(name)
    return replace(person, values={**person.values, **values})


@pytest.fixture(scope="module")
def diet_alone():
    return follow(people.person("t2d_early"), [0.0, 3 * YEAR, 6 * YEAR, 9 * YEAR]).table


def test_V15_diet_alone_for_three_years(diet_alone) -> None:
    """UKPDS: 7.6 %, 9.0 mmol/L; the model's fasting glucose is 0.2 higher."""
    row = diet_alone.iloc[1]
    assert [row["HbA1c"], row["FPG"]] == pytest.approx([7.62, 9.20], abs=0.0105)


def test_V17_V18_decline_over_nine_years(diet_alone) -> None:
    """UKPDS: about 4 points of HOMA-B a year (recalled); 7.9 % on average over nine years."""
    assert list(diet_alone["HOMA_B"]) == pytest.approx([78, 64, 50.5, 39.3], abs=0.55)
    assert diet_alone["HbA1c"].mean() == pytest.approx(7.96, abs=0.055)


@pytest.mark.parametrize(
    ("text", "years"), [("sulfonylurea 0.5 dose", 3), ("sulfonylurea 0.5 dose", 9), ("metformin 2 g", 9)]
)
def test_V16_V19_drugs_over_years(text: str, years: int, printed: Printed) -> None:
    """UKPDS at 3 years 6.8 %, at nine 7.0 % on average; a sulfonylurea fails before metformin, as in ADOPT."""
    person = people.person("t2d_early")
    table = follow(person, [0.0, years * YEAR], care([text], model_of(person))).table
    printed(f"{text}, {years} years", table["HbA1c"].iloc[-1], abs=0.0125)


def test_V11_fall_of_production_in_a_weak_clamp() -> None:
    """Measured 1.25, 0.75 and 0.58 mg/kg/min; right in health, too steep in glucose elsewhere (a known miss)."""
    printed = {"ngt": (1.284, None), "prediabetes": (0.485, 0.984), "t2d_early": (-0.766, 1.070)}
    for name, (held, own) in printed.items():
        person = people.person(name)
        rest = model_of(person).evaluate(["EGP_morning", "dawn_EGP", "FPG"], person.state)
        before = rest["EGP_morning"] * rest["dawn_EGP"] * 0.18
        at_5 = before - clamp(person, rate=0.25).indices["EGP"]
        assert at_5 == pytest.approx(held, abs=0.006), name
        if own is not None:
            fall = before - clamp(person, rate=0.25, glucose=rest["FPG"]).indices["EGP"]
            assert fall == pytest.approx(own, abs=0.006), name


def test_V14_half_a_pancreas() -> None:
    """Donors at one year: from 4.9 to 5.4 mmol/L fasting, from 6.5 to 8.7 at two hours, insulin area 0.69 of before; the area is a known miss."""
    person = people.person("ngt")
    half = replace(person, state={**person.state, "beta_mass": 0.5 * person.state["beta_mass"]})
    row = follow(half, [0.0, 365.0]).table.iloc[-1]
    before, after = ogtt(person), ogtt(snapshot(half, row))
    area = after.table.loc[:120, "insulin"].mean() / before.table.loc[:120, "insulin"].mean()
    found = [row["FPG"], after.indices["glucose_2h"], row["insulin_morning"], area]
    for value, number, digits in zip(found, (5.54, 8.2, 47, 0.84), (2, 1, 0, 2), strict=True):
        assert value == pytest.approx(number, abs=0.505 * 10.0**-digits)


def stimulated(name: str, days: list[float], **values: float) -> list[float]:
    person = changed(name, **values)
    table = follow(person, days).table
    return [mmtt(snapshot(person, row)).indices["stimulated_C_peptide"] for _, row in table.iterrows()]


def test_V32_V46_C_peptide_in_new_T1D(printed: Printed) -> None:
    """Measured slopes -0.0245 and -0.0079 nmol/L a month: the second is a known miss of the typical person, who is not the mean of people
    of many ages. Half the killing prevented keeps 84 % instead of 59 % in a year.
    """
    start, first, second = stimulated("t1d_new", [0.0, 365.0, 730.0])
    printed("first year", (first - start) / 12, abs=6e-5)
    printed("second year", (second - first) / 12, abs=6e-5)
    (protected,) = stimulated("t1d_new", [365.0], eta_X=0.5)
    printed("left, half of the killing prevented", protected / start, abs=0.0055)
    printed("left", first / start, abs=0.0055)


def test_V36_V37_islet_grafts_in_T1D(printed: Printed) -> None:
    """Zimislecel: 424, 1036, 1274 pmol/L at days 90, 180, 365 (day 90 is a known miss); target of titration 7.4 mmol/L."""
    person = changed("t1d", insulin_target=7.4)
    table = follow(person, [90.0, 180.0, 365.0], Schedule(doses=[Dose("graft_infused", 0.45)])).table
    found = [1000 * mmtt(snapshot(person, row)).indices["stimulated_C_peptide"] for _, row in table.iterrows()]
    for day, number in zip((90, 180, 365), found, strict=True):
        printed(f"day {day}", number, abs=5.5)
    smaller = follow(person, [0.0, 365.0], Schedule(doses=[Dose("graft_infused", 0.35)])).table
    printed("HbA1c, smaller graft", smaller["HbA1c"].iloc[-1], abs=0.0055)


@pytest.mark.parametrize(
    ("dJ", "day", "printed"), [(-0.5, 56, -0.134), (-0.5, 84, -0.208), (-0.3, 56, -0.077), (-0.3, 84, -0.118)]
)
def test_V42_less_inflammation_in_T2D(dJ: float, day: float, printed: float) -> None:
    """Mesenchymal precursor cells: -0.1 to -0.4 at 8 weeks, 0.0 to -0.3 at 12 weeks."""
    treated, control = (follow(changed("t2d", dJ=x), [0.0, day]).table["HbA1c"].iloc[-1] for x in (dJ, 0.0))
    assert treated - control == pytest.approx(printed, abs=0.0055)


@pytest.mark.parametrize(("dJ", "printed"), [(-0.5, 27.8), (-0.7, 42.5)])
def test_V41_disposal_with_less_inflammation(dJ: float, printed: float) -> None:
    """UC-MSC in T2D: infusion rate of the clamp 3.12 to 4.76 mg/kg/min."""
    treated, control = (follow(changed("t2d", dJ=x), [0.0, 336.0]).table["clamp_M"].iloc[-1] for x in (dJ, 0.0))
    assert 100 * (treated / control - 1) == pytest.approx(printed, abs=0.8)


def test_V48_HbA1c_reads_low_on_haemodialysis() -> None:
    """Mean glucose 164.5 mg/dL with HbA1c 5.85 %: a red-cell age of 0.74 gives 5.87."""
    table = follow(changed("t2d", rRBC=0.74), [0.0, 700.0]).table.iloc[-1]
    line = 1.627 + 0.6277 * 0.74 * 164.5 / 18.016
    assert line == pytest.approx(5.87, abs=0.0055)
    assert table["HbA1c"] == pytest.approx(1.627 + 0.6277 * 0.74 * table["G"], abs=0.02)


def test_a_drug_that_slows_the_stomach_is_felt_in_an_OGTT() -> None:
    person = people.person("t2d")
    table = follow(person, [0.0, 30.0], care(["semaglutide 1 mg"], model_of(person))).table
    treated = snapshot(person, table.iloc[-1])
    assert treated.values["Ra_m"] == 0.8
    fast = ogtt(replace(treated, values={**treated.values, "Ra_m": 1.0})).table
    slow = ogtt(treated).table
    assert slow["Ra_meal"].loc[30] < fast["Ra_meal"].loc[30]


def test_V25_insulin_early_and_hard_leaves_no_mark() -> None:
    """Known failure, kept: two weeks of insulin in new T2D change nothing six months later (in trials half are in remission)."""
    person = people.person("t2d_late")
    model = model_of(person)
    from betapod.therapies.standard_care import therapy

    course = care([therapy("basal insulin 60 U", stop=14.0)], model)
    with_insulin, without = (follow(person, [0.0, 180.0], s).table["HbA1c"].iloc[-1] for s in (course, None))
    assert abs(with_insulin - without) < 0.15
