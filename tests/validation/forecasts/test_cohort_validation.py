"""A cohort of simulated people against the model and the equations, in Python and on the command line."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import betapod
from betapod.base.errors import ConfigError
from betapod.cli.main import main
from betapod.twins.cohort_risks import LEAST_FOR_MEMBER
from betapod.validation.forecasts.cohort_validation import CohortValidation

MEMBERS = 40


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Members whose events come at the rates of KFRE: the worse their kidneys, the sooner."""
    random = np.random.default_rng(3)
    egfr, uacr = random.uniform(18.0, 70.0, MEMBERS), 10 ** random.uniform(1.0, 3.3, MEMBERS)
    risks = betapod.kidney_risks({"age": 62.0, "female": 0.0, "egfr": egfr, "uacr": uacr})["kfre4_2y"].to_numpy()
    time = random.exponential(-2.0 / np.log1p(-np.clip(4.0 * risks, 0.002, 0.95)))
    rows = ["age,sex,diabetes,egfr [mL/min/1.73m2],uacr [mg/g],time [day],event"]
    rows += [
        f"62,m,2,{a:.1f},{b:.1f},{min(t, 2.5) * 365.25:.2f},{int(t < 2.5)}"
        for a, b, t in zip(egfr, uacr, time, strict=True)
    ]
    rows.append("25,f,1,9,20,365.25,0")
    path = tmp_path_factory.mktemp("cohort") / "cohort.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="module")
def found(table: Path) -> CohortValidation:
    return betapod.validate_forecasts(table, years=2, people=20)


def test_model_and_equations_stand_beside_each_other_in_the_same_people(found: CohortValidation) -> None:
    model, first, second = found.scores
    assert [item.predictor for item in found.scores] == [
        "the model", "KFRE 4 variables, North America", "KFRE 4 variables, elsewhere"
    ]  # fmt: skip
    assert first.beside is not None and first.beside.people == first.score.people < model.score.people <= MEMBERS
    assert first.score.events == second.score.events > 3
    # Events came by the equation: it tells who is first, and so does a model of the same kidneys.
    assert first.score.concordance.value > 0.75 and first.beside.concordance.value > 0.5
    assert first.score.concordance == second.score.concordance and first.score.expected > second.score.expected
    assert 0.0 < model.score.expected < 1.0 and found.twins.simulated > MEMBERS


def test_members_of_whom_nothing_is_said_are_told(found: CohortValidation) -> None:
    assert np.isnan(found.risks["the model"][-1]) and found.twins.effective[-1] < LEAST_FOR_MEMBER
    nobody = int(np.isnan(found.risks["the model"]).sum())
    assert any(f"of {nobody} of {MEMBERS + 1} members the model says nothing" in note for note in found.notes)
    assert any("8 variables" in note for note in found.notes)


def test_the_command_line_says_the_same(
    found: CohortValidation, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = table.with_name("risks.csv")
    line = ["betapod", "patient", "validate", str(table), "--years", "2", "--twins", "20", "--csv", str(out), "--json"]
    monkeypatch.setattr(sys, "argv", line)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    document = json.loads(capsys.readouterr().out)
    assert document["scores"][1]["score"]["concordance"]["value"] == found.scores[1].score.concordance.value
    head, *rows = csv.reader(out.read_text().splitlines())
    assert (
        head[:6] == ["person", "years", "event", "effective people", "widened", "the model"]
        and len(rows) == MEMBERS + 1
    )
    assert rows[-1][0] == "line 42" and rows[-1][5] == ""


def test_what_cannot_be_compared_is_refused(table: Path) -> None:
    with pytest.raises(ConfigError) as error:
        betapod.validate_forecasts(table, outcome="deaht")
    assert error.value.kinds == ("unknown-outcome",) and "death" in str(error.value)
    with pytest.raises(ConfigError) as error:
        betapod.validate_forecasts(table, years=0.5, people=5)
    assert set(error.value.kinds) <= {"no-events", "bad-number"}


def test_options_before_the_verb_are_refused(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["betapod", "patient", "--age", "61", "validate", str(table)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2 and "--age stands before the verb 'validate'" in capsys.readouterr().err
