"""Fits of people of an event data set in the form of NONMEM: the same answers as from a plain table, and resets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import carry_out

from betapod import evaluate_petab, read_petab
from betapod.base.errors import BetapodError
from betapod.calibration.individual.individual_fit import fit_individuals
from betapod.calibration.individual.individual_problem import IndividualProblem, read_individual_problem
from betapod.calibration.individual.person_simulations import PersonSimulations

MODEL = """dGut/dt = -ka*Gut [mg/day] drug in the gut
Gut(0) = nothing [mg] drug in the gut
dBody/dt = ka*Gut - k*WT/usual*Body [mg/day] drug in the body
Body(0) = nothing [mg] drug in the body
level = Body/V [mg/L] drug in plasma
"""
NUMBERS = "id,value,unit\nnothing,0,mg\nka,20,1/day\nk,2,1/day\nV,30,L\nWT,70,kg\nusual,70,kg\n"
PROBLEM = """kind: individual
model: drug.txt
table: TABLE
observables: {level: {error: {proportional: 10 %}}}
fit: {k: {}, V: {}}
group: none
"""


def levels(dose: float, k: float, times: np.ndarray, ka: float = 20.0, volume: float = 30.0) -> np.ndarray:
    return dose * ka / (ka - k) * (np.exp(-k * times) - np.exp(-ka * times)) / volume


TIMES = np.array([1.0, 2.0, 4.0, 8.0, 14.0, 24.0])
#: Rates and volumes of the people whom the tables are made of.
TRUTH = {"a": (2.4, 27.0), "b": (1.7, 35.0)}


def read(folder: Path, table: str, more: str = "") -> IndividualProblem:
    (folder / "drug.txt").write_text(MODEL)
    (folder / "drug.csv").write_text(NUMBERS)
    (folder / "seen.csv").write_text(table)
    path = folder / "fit.yaml"
    path.write_text(PROBLEM.replace("TABLE", "seen.csv") + more)
    return read_individual_problem(path)


def records() -> str:
    """Twelve measurements after a tablet; a second one, after a reset, has the clock begin anew."""
    rows = ["ID,TIME [h],EVID,CMT,AMT,DV"]
    for name, (k, volume) in TRUTH.items():
        rows.append(f"{name},0,1,1,100,.")
        rows += [
            f"{name},{t:g},0,2,.,{float(x)!r}"
            for t, x in zip(TIMES, levels(100, k, TIMES / 24, volume=volume), strict=True)
        ]
        rows.append(f"{name},0,4,1,300,.")
        rows += [
            f"{name},{t:g},0,2,.,{float(x)!r}"
            for t, x in zip(TIMES, levels(300, k, TIMES / 24, volume=volume), strict=True)
        ]
    return "\n".join(rows) + "\n"


def test_a_fit_of_records_with_a_reset_finds_the_truth(tmp_path: Path) -> None:
    problem = read(tmp_path, records(), "nonmem: {}\n")
    assert [len(person) for person in problem.people] == [12, 12]
    assert [len(person.parts) for person in problem.people] == [2, 2]
    found = fit_individuals(problem, 1)
    for person, (k, volume) in zip(found.people, TRUTH.values(), strict=True):
        np.testing.assert_allclose(np.exp(person.at), [k, volume], rtol=1e-5)


def test_records_and_a_plain_table_are_the_same_people(tmp_path: Path) -> None:
    rows = ["ID,TIME,AMT,DV,WT", "a,0,100,.,70", "a,0.1,.,2.5,70", "a,0.5,.,1.5,70"]
    recorded = read(tmp_path, "\n".join(rows) + "\n", "nonmem: {}\n").people[0]
    plain = read(
        tmp_path, "id,time [day],dose Gut [mg],level [mg/L],WT [kg]\na,0,100,,70\na,0.1,,2.5,70\na,0.5,,1.5,70\n"
    )
    other = plain.people[0]
    np.testing.assert_array_equal(recorded.times, other.times)
    np.testing.assert_array_equal(recorded.values, other.values)
    assert recorded.covariates == other.covariates == {"WT": 70.0}
    assert recorded.schedule.doses == other.schedule.doses


def test_weight_that_changes_becomes_an_input(tmp_path: Path) -> None:
    rows = ["ID,TIME,AMT,DV,WT", "a,0,100,.,70", "a,0.1,.,2.5,70", "a,0.5,.,1.5,90"]
    problem = read(tmp_path, "\n".join(rows) + "\n", "nonmem: {}\n")
    assert "WT" in problem.model.inputs and "WT" not in problem.model.parameters
    [switch] = problem.people[0].schedule.switches
    assert (switch.input, switch.value) == ("WT", 90.0) and switch.time == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("table", "more", "words"),
    [
        ("ID,TIME,AMT,DVID,DV\na,0,5,.,.\na,1,.,2,3\n", "nonmem: {measured: {1: level}}\n", "which observable 2 is"),
        ("ID,TIME,AMT,DVID,DV\na,0,5,.,.\na,1,.,1,3\n", "nonmem: {measured: {1: lvl}}\n", "not among the observables"),
        ("ID,TIME,AMT,RATE,SS,DV\na,0,0,5,1,.\na,1,.,.,.,3\n", "nonmem: {}\n", "simulated and not fitted"),
        ("ID,TIME,AMT,DV\na,0,5,.\na,1,.,3\n", "nonmem: {}\nbegin: 1 h\n", "say when people begin"),
        ("ID,TIME,AMT,DV\na,0,5,.\n", "nonmem: {}\n", "no measurement"),
        ("ID,TIME,AMT,CMT,DV\na,0,5,3,.\na,1,.,1,3\n", "nonmem: {}\n", "no such compartment"),
    ],
)
def test_what_is_refused(tmp_path: Path, table: str, more: str, words: str) -> None:
    with pytest.raises(BetapodError, match=words):
        read(tmp_path, table, more)


def test_doses_have_a_place_in_petab_2(tmp_path: Path) -> None:
    """Doses, an infusion and a change of an input go out as periods and come in again: the same predictions."""
    rows = [
        "ID,TIME,EVID,CMT,AMT,RATE,DV,WT", "a,0,0,1,.,.,0.01,70", "a,0,1,1,100,.,.,70", "a,0.1,0,1,.,.,2.5,70", "a,0.5,0,1,.,.,1.5,90",
        "a,0.5,1,2,30,120,.,90", "a,0.6,0,1,.,.,1.5,90", "b,0,1,2,60,.,.,80", "b,1,0,1,.,.,0.7,80",
    ]  # fmt: skip
    problem = read(tmp_path, "\n".join(rows) + "\n", "nonmem: {}\n")
    done = carry_out("fit", "export", tmp_path / "fit.yaml", "--petab", tmp_path / "p", "--format", 2, "--quiet")
    assert done.returncode == 0, done.stderr
    at = evaluate_petab(read_petab(tmp_path / "p" / "problem.yaml"), threads=1)
    simulations = PersonSimulations(problem.model, problem.observables, problem.parameters, problem.people, 1)
    start = np.array([[float(row.searched(row.start)) for row in problem.parameters]])
    expected = np.concatenate([values[0] for values in simulations({0: start, 1: start}).values()])
    np.testing.assert_allclose(at.simulated, expected, rtol=1e-7, atol=1e-9)
    done = carry_out("fit", "export", tmp_path / "fit.yaml", "--petab", tmp_path / "q")
    assert done.returncode == 2 and "--format 2" in done.stderr
