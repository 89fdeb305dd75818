"""Options compared for one person: laws, words, equations beside, the command line."""

from __future__ import annotations

import json
import math
import sys

import pytest

import betapod
from betapod.base.errors import BetapodError
from betapod.cli.main import main
from betapod.twins.equations_beside import equation_risks
from betapod.twins.option_labs import labs_from_options
from betapod.twins.option_order import tried_options
from betapod.twins.patient_forecast import PatientForecast
from betapod.twins.plain_answer import of_ten, plain_answer

DOCTOR = {"age": 61, "egfr": 52, "uacr": 380, "hba1c": 8.4}


@pytest.fixture(scope="module")
def forecast() -> PatientForecast:
    options = ["SGLT2 inhibitor", "UC-MSC 1e6/kg iv x3 q28d"]
    return betapod.forecast_patient(
        DOCTOR, options, sex="male", diabetes="2", drugs=["ramipril"], people=100, scenarios=["none", "seed-claims"]
    )


def test_options_are_compared_in_the_same_people(forecast: PatientForecast) -> None:
    now, sglt2, none, claimed = forecast.outcomes.options
    assert [option.scenario for option in forecast.outcomes.options] == ["", "", "none", "seed-claims"]
    assert len({option.egfr[0.0] for option in forecast.outcomes.options}) == 1
    # Cells that do no good change nothing; an SGLT2 inhibitor lowers eGFR at once and slows its fall.
    assert none.egfr[5.0] == pytest.approx(now.egfr[5.0], abs=1e-3) and none.better_egfr == none.worse_egfr == 0.0
    assert sglt2.egfr[5.0][1] > now.egfr[5.0][1] + 3 and sglt2.uacr[1.0][1] < 0.8 * now.uacr[1.0][1]
    assert sglt2.decline <= now.decline and sglt2.death < now.death and sglt2.reached > 0.95
    assert claimed.better_egfr > sglt2.better_egfr
    assert 0 < now.death < 1 and now.kidney_failure_alive <= now.kidney_failure[5.0]
    assert now.kidney_failure[2.0] <= now.kidney_failure[5.0]


def test_six_sentences_with_numbers_and_no_promise(forecast: PatientForecast) -> None:
    sentences = plain_answer(forecast)
    assert len(sentences) == 6
    assert "With SGLT2 inhibitor" in sentences[2] and "If cells do no good" in sentences[3]
    assert "KFRE 4 variables" in sentences[4] and "no medical device" in sentences[5]


def test_the_document_is_json(forecast: PatientForecast) -> None:
    document = forecast.document()
    assert document["person"]["kdigo"] == "G3aA3, very high risk"
    assert len(document["options"]) == 4 and json.dumps(document)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.81, "8 of 10"),
        (1.0, "10 of 10"),
        (0.1, "1 of 10"),
        (0.026, "3 of 100"),
        (0.0, "fewer than 1 of 100"),
        (math.nan, "nobody knows how many"),
    ],
)
def test_shares_as_people_count(share: float, words: str) -> None:
    assert of_ten(share) == words


def test_equations_are_told_with_their_range_and_flagged() -> None:
    labs = labs_from_options(DOCTOR, "male", "2", ["ramipril"])
    rows = {(row.name, row.years): row for row in equation_risks(labs, {2.0: 0.0, 5.0: 0.2}, 0.1)}
    five = rows["KFRE 4 variables, North America", 5]
    assert five.in_range and five.differs and five.risk == pytest.approx(0.02614, abs=1e-5)
    assert not rows["KFRE 4 variables, North America", 2].differs
    assert "albumin" in rows["KFRE 8 variables, elsewhere", 5].why
    decline = rows["CKD-PC, 40 % decline", 3]
    assert not decline.in_range and not decline.differs and "sbp" in decline.why


def test_options_that_cannot_be_read_are_all_told() -> None:
    with pytest.raises(BetapodError) as error:
        tried_options(["SGLT3 inhibitor", "XX-MSC 1e6/kg iv", "metformin 2 g", "metformin 2 g"], ["nothing"])
    assert {"given-twice", "unknown-scenario"} <= set(error.value.kinds) and len(error.value.problems) >= 4
    assert "SGLT2 inhibitor" in str(error.value)
    names = [option.name for option in tried_options(["SGLT2 inhibitor + UC-MSC 1e6/kg iv"], ["none"])]
    assert names == ["as now", "SGLT2 inhibitor + UC-MSC 1e6/kg iv; no benefit"]


def run(line: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["betapod", "patient", *line])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_the_command_line_prints_one_document(
    forecast: PatientForecast, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The same options as those of the fixture, whose courses are kept.
    line = [
        "--age",
        "61",
        "--sex",
        "male",
        "--egfr",
        "52",
        "--uacr",
        "380",
        "--hba1c",
        "8.4",
        "--diabetes",
        "2",
        "--on",
        "ramipril",
        "--twins",
        "100",
        "--json",
    ]
    line += [
        "--try",
        "SGLT2 inhibitor",
        "--try",
        "UC-MSC 1e6/kg iv x3 q28d",
        "--scenario",
        "none",
        "--scenario",
        "seed-claims",
    ]
    assert run(line, monkeypatch) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["options"][1]["death"] == pytest.approx(forecast.outcomes.options[1].death, rel=1e-6)
    assert len(document["sentences"]) == 6 and document["trust"].startswith("Of ")
    assert document["options"][0]["name"] == "as now" and document["equations"][1]["risk"] == pytest.approx(
        0.02614, abs=1e-5
    )


def test_everything_wrong_on_the_command_line_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--hba1c", "68", "--sex", "x", "--has", "hart failure", "--lab", "zzz=1"], monkeypatch) == 2
    told = capsys.readouterr().err
    for words in ("impossible-value", "unknown-sex", "Did you mean 'heart failure'", "unknown-quantity", "4 problems"):
        assert words in told
