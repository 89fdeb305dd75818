"""Care of the time, at each of its thresholds: who is acted on, by what, and what stops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from betapod.observables import ckd_epi
from betapod.patients import population, prescribing
from betapod.therapies import drug_limits


class Sure(population.People):
    """People who always act, and take the drug of a given lot."""

    lot = 0.0

    def uniform(self, purpose: str) -> np.ndarray:
        lots = {"drug": self.lot, "pressure-drug": self.lot, "kidney-drug": self.lot, "insulin": 1.0}
        kind = next((name for name in sorted(lots, key=len, reverse=True) if purpose.startswith(f"{name}-")), "")
        return np.full(len(self), lots[kind] if kind else 0.0)


def person(lot: float = 0.0, **traits: float) -> Sure:
    some = population.sample(1, range(1))
    mine = {"T1D": 0.0, "care_inertia": 0.9, "care_from": 7.0, "pressure_care": 140.0, "glucose_insulin": 6.0} | traits
    made = Sure(some.seed, some.numbers, some.traits | {k: np.array([v]) for k, v in mine.items()}, some.model)
    made.__dict__["lot"] = lot
    return made


def visit(
    who: Sure, taken: tuple[str, ...] = (), year: float = 2015.0, diagnosed: bool = True, **seen: float
) -> set[str]:
    """Return the drugs after a visit."""
    labs = {"hba1c": 6.0, "sbp": 120.0, "egfr": 90.0, "uacr": 10.0} | seen
    drugs = prescribing.Prescriptions.none(1)
    for name in taken:
        drugs.current[name][:] = True
    values = {name: np.array([value]) for name, value in labs.items()}
    drugs.visit(who, 1, np.array([year]), values, np.array([diagnosed]))
    return {name for name, flags in drugs.current.items() if flags[0]}


def test_nobody_is_treated_at_target() -> None:
    assert visit(person()) == set()


@pytest.mark.parametrize(("egfr", "stays"), [(90.0, True), (45.0, True), (44.9, True), (30.0, True), (29.999, False)])
def test_metformin_stops_below_30(egfr: float, stays: bool) -> None:
    """Contraindicated below an eGFR of 30 mL/min/1.73 m2 since April 2016."""
    assert visit(person(), ("metformin",), year=2018.0, egfr=egfr) == ({"metformin"} if stays else set())


@pytest.mark.parametrize(
    ("egfr", "begun"), [(45.0, {"metformin"}), (44.999, {"sulfonylurea"}), (30.0, {"sulfonylurea"})]
)
def test_metformin_begins_from_45(egfr: float, begun: set[str]) -> None:
    """Not begun at an eGFR of 30 to 45: the label of April 2016."""
    assert visit(person(), year=2018.0, hba1c=7.1, egfr=egfr) == begun


@pytest.mark.parametrize(("female", "creatinine"), [(0.0, 1.5), (1.0, 1.4)])
def test_until_2016_metformin_has_a_limit_of_creatinine(female: float, creatinine: float) -> None:
    """1.5 mg/dL in men and 1.4 in women, at the age of the visit."""
    age, year = 70.0, 2016.0
    who = person(female=female, birth_year=year - age)
    limit = float(ckd_epi.ckd_epi_2021(np.array([creatinine]), np.array([age]), np.array([female]))[0])
    assert visit(who, ("metformin",), year=year, egfr=limit + 0.01) == {"metformin"}
    assert visit(who, ("metformin",), year=year, egfr=limit - 0.01) == set()
    assert visit(who, year=year, hba1c=7.1, egfr=limit + 0.01) == {"metformin"}
    assert visit(who, year=year, hba1c=7.1, egfr=limit - 0.01) == {"sulfonylurea"}


def test_the_limits_are_those_of_standard_care() -> None:
    limits = {(row["therapy"], row["severity"]): float(row["low"]) for row in drug_limits.drug_limits()}
    assert limits["metformin", "error"] == prescribing.METFORMIN_STOPS
    assert limits["metformin", "warning"] == prescribing.METFORMIN_STARTS
    assert limits["SGLT2 inhibitor", "warning"] == prescribing.SGLT2_STARTS


@pytest.mark.parametrize(("egfr", "begun"), [(30.0, True), (29.999, False)])
def test_sglt2_inhibitors_begin_from_30(egfr: float, begun: bool) -> None:
    """With the last lot before adding nothing: the last glucose drug of the list that is free."""
    weights = {drug.column: drug.weight for drug in prescribing.prescribed_drugs() if drug.kind == "glucose"}
    free = ["sulfonylurea", "dpp4", "semaglutide", "sglt2i"]
    taken = ("metformin",) if egfr >= 30 else ()
    # Below 45 metformin is not begun.
    # In 2018 pioglitazone and liraglutide are no longer begun.
    total = sum(weights[name] for name in free if name != "sglt2i" or begun)
    lot = (total - 1e-6) / (total + prescribing.RESTRAINT["glucose"])
    found = visit(person(lot), taken, year=2018.0, hba1c=7.1, egfr=egfr)
    assert ("sglt2i" in found) == begun
    assert len(found - set(taken)) == 1


@pytest.mark.parametrize(("hba1c", "count"), [(7.0, 0), (7.001, 1), (8.5, 1), (8.501, 2)])
def test_glucose_is_acted_on_above_the_own_threshold(hba1c: float, count: int) -> None:
    """One drug above the threshold, two more than 1.5 points above it."""
    assert len(visit(person(), hba1c=hba1c)) == count


def test_without_a_diagnosis_nothing_is_done_about_glucose() -> None:
    assert visit(person(), hba1c=12.0, diagnosed=False) == set()


@pytest.mark.parametrize(("taken", "insulin"), [(("metformin",), False), (("metformin", "sulfonylurea"), True)])
def test_insulin_after_two_drugs(taken: tuple[str, ...], insulin: bool) -> None:
    assert ("insulin" in visit(person(), taken, hba1c=8.0)) == insulin


@pytest.mark.parametrize(("hba1c", "insulin"), [(9.0, False), (9.001, True)])
def test_insulin_may_come_first_above_9(hba1c: float, insulin: bool) -> None:
    class Early(Sure):
        def uniform(self, purpose: str) -> np.ndarray:
            return np.zeros(len(self))

    who = person()
    early = Early(who.seed, who.numbers, who.traits, who.model)
    assert ("insulin" in visit(early, hba1c=hba1c)) == insulin


@pytest.mark.parametrize(("sbp", "treated"), [(140.0, False), (140.001, True)])
def test_pressure_is_acted_on_above_the_own_threshold(sbp: float, treated: bool) -> None:
    assert visit(person(), sbp=sbp) == ({"acei"} if treated else set())


@pytest.mark.parametrize(
    ("uacr", "year", "diagnosed", "treated"),
    [
        (29.999, 2015.0, True, False),
        (30.0, 2015.0, True, True),
        (30.0, 1994.0, True, True),
        (300.0, 1993.999, True, False),
        (300.0, 2015.0, False, False),
    ],
)
def test_albuminuria_is_acted_on_from_a2_and_1994_on(uacr: float, year: float, diagnosed: bool, treated: bool) -> None:
    assert visit(person(), year=year, diagnosed=diagnosed, uacr=uacr) == ({"acei"} if treated else set())


def test_nobody_takes_two_of_a_class_whatever_the_draws() -> None:
    """Many visits with the highest readings: one drug of each class, one blocker, one drug on GLP-1."""
    classes = {drug.column: drug.drug_class for drug in prescribing.prescribed_drugs()}
    most = 0
    for lot in np.linspace(0.0, 0.99, 12):
        taken: set[str] = set()
        for year in (1990.0, 2005.0, 2010.0, 2018.0, 2019.0, 2020.0, 2021.0):
            high = {"hba1c": 9.5, "sbp": 190.0, "uacr": 900.0}
            taken = visit(person(float(lot), glucose_insulin=30.0), tuple(taken), year=year, **high)
        drugs = [classes[name] for name in taken if name in classes]
        assert len(drugs) == len(set(drugs))
        most = max(most, len(drugs))
        assert not {"ACE inhibitor", "ARB"} <= set(drugs)
        assert not {"GLP-1 receptor agonist", "DPP-4 inhibitor"} <= set(drugs)
    assert most >= 4


def test_nobody_takes_two_blockers() -> None:
    assert visit(person(), ("arb",), uacr=1000.0) == {"arb"}
    assert visit(person(), ("arb",), sbp=180.0) == {"arb", "ccb"}


@pytest.mark.parametrize(("year", "known"), [(1994.999, False), (1995.0, True)])
def test_drugs_come_with_their_year(year: float, known: bool) -> None:
    assert ("metformin" in visit(person(), year=year, hba1c=7.1)) == known


@pytest.mark.parametrize(("year", "known"), [(2010.999, True), (2011.0, False)])
def test_drugs_go_with_their_year(year: float, known: bool) -> None:
    """Pioglitazone alone on the market: who can have nothing else takes it until 2011."""
    only = ("metformin", "sulfonylurea")
    who = person(0.0, glucose_insulin=30.0)
    drugs = [replace(drug) for drug in prescribing.prescribed_drugs() if drug.column == "tzd"]
    assert drugs[0].from_year <= year
    found = visit(who, (*only, "dpp4"), year=year, hba1c=7.1, egfr=60.0)
    assert ("tzd" in found) == known


def test_type_1_takes_insulin_from_the_diagnosis_on() -> None:
    assert visit(person(T1D=1.0)) == {"insulin"}
    assert visit(person(T1D=1.0), diagnosed=False) == set()
