"""Sets of parameters behind claims: who is moved by a draw of a fit, joined with draws of cells, and by the values before the fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from claims_fit import UNKNOWNS, install_claims_record

from betapod.base.errors import ConfigError
from betapod.claims import claim_parameters
from betapod.claims.claim_lives import Life, _values
from betapod.claims.claim_parameters import AS_IN_TABLES, FitChoice, choose_fit
from betapod.claims.claim_people import ledger_patient
from betapod.health.courses import drawn_rows
from betapod.person.coupled_person import typical_patient
from betapod.therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE, FACE_VALUE, NONE


@pytest.fixture
def four(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FitChoice:
    install_claims_record(monkeypatch, tmp_path)
    return choose_fit(None, 4)


def test_without_an_installed_fit_the_tables_speak_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_parameters, "list_fits", list)
    assert choose_fit() == choose_fit("none") == FitChoice("", 0)
    assert choose_fit().centre is AS_IN_TABLES and choose_fit().sets == () and choose_fit().digest == ""


def test_what_is_wrong_with_a_choice_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_fit("2999.1", 65)
    assert [problem.kind for problem in caught.value.problems] == ["out-of-range", "unknown-fit"]


def test_the_newest_fit_speaks_with_sixteen_draws(four: FitChoice) -> None:
    assert choose_fit() == FitChoice("2000.1", 16)
    assert choose_fit("none") == FitChoice("none", 0), "hand-tuned values are no distribution"
    assert len({choice.digest for choice in (choose_fit(), four, choose_fit("none"), choose_fit(None, 0))}) == 4


def test_a_draw_of_the_fit_is_joined_by_number_with_one_of_cells(four: FitChoice) -> None:
    sets = four.sets
    assert [parameters.rows for parameters in sets] == [{"h_N0": x} for x in UNKNOWNS[0][5]]
    for scenario in (CURRENT_EVIDENCE, FACE_VALUE, AS_CLAIMED):
        of_cells = drawn_rows(scenario, 4, 1)
        assert of_cells
        for number, parameters in enumerate(sets):
            rows = {row: column[number] for row, column in of_cells.items()}
            # What published trials of cells say is current evidence, and nothing of what is claimed.
            fitted = {"Emax_SI": UNKNOWNS[4][5][number]} if scenario == CURRENT_EVIDENCE else {}
            assert parameters.of_cells(scenario) == pytest.approx({**rows, **fitted})
    assert sets[0].of_cells(NONE) == {}, "cells that do no good have nothing to draw"


def test_a_draw_changes_drugs_by_a_factor_wherever_a_claim_gives_them(four: FitChoice) -> None:
    assert four.sets[0].drugs == pytest.approx({"ARB e_ARB": 0.75})
    life = Life("t1d_new", (("e_ARB", 0.6), ("sw_AGE", 0.0)), "", NONE, 1.0, four.sets[0])
    values = _values(life)
    assert values["e_ARB"] == pytest.approx(0.45) and values["sw_AGE"] == 0.0
    assert values["h_N0"] == 0.007
    # What a claim fixes, such as a lever, is not drawn.
    assert _values(life.changed({"h_N0": 0.02}))["h_N0"] == 0.02


def test_two_classes_with_one_effect_leave_what_a_claim_gives(four: FitChoice) -> None:
    twice = claim_parameters.ClaimParameters("made up", drugs={"ARB e_ARB": 0.5, "losartan e_ARB": 0.5})
    assert twice.input_factors == {}


def test_rows_of_many_people_move_no_typical_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`beta_decline` is a row of the table of people and of the model: a fit of the former leaves the latter alone."""
    beta = ("beta_decline", "row", "log", 0.04, 0.05, (0.03, 0.04, 0.05, 0.06))
    install_claims_record(monkeypatch, tmp_path, [*UNKNOWNS, beta])
    assert all(set(parameters.rows) == {"h_N0"} for parameters in choose_fit(None, 4).sets)


def test_a_row_of_her_own_stays_a_persons_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = ("xi", "row", "log", 1.0, 1.1, (0.9, 1.0, 1.1, 1.2))
    install_claims_record(monkeypatch, tmp_path, [*UNKNOWNS, own])
    parameters = choose_fit(None, 4).sets[0]
    assert "xi" not in parameters.of_person("t2d_ckd") and parameters.of_person("t2d")["xi"] == 0.9
    # What the older person was when young counts as well.
    assert "Wt" in claim_parameters.own_values("t2d_ckd")


def test_a_person_lives_up_to_today_under_a_draw(four: FitChoice) -> None:
    moved = ledger_patient("t1d_new", four.sets[2])
    assert moved.model.values()["h_N0"] == 0.011
    expected = typical_patient("t1d_new", changes={"h_N0": 0.011})
    assert moved.state == expected.state
    assert ledger_patient("t1d_new", AS_IN_TABLES).state == typical_patient("t1d_new").state


def test_none_brings_back_what_the_tables_had(four: FitChoice, monkeypatch: pytest.MonkeyPatch) -> None:
    start = choose_fit("none").centre
    assert start.rows == {"h_N0": 0.006} and start.drugs == pytest.approx({"ARB e_ARB": 1.25})
    assert start.of_cells(CURRENT_EVIDENCE) == {"Emax_SI": 1.0} and start.of_cells(AS_CLAIMED) == {}
    assert start.value("Emax_SI", CURRENT_EVIDENCE) == 1.0 and start.value("h_N0", NONE) == 0.006
    assert start.value("Emax_end", CURRENT_EVIDENCE) is None


def test_none_changes_nothing_where_the_tables_do_not_have_the_fit(
    four: FitChoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = claim_parameters.load_fit("2000.1")
    apart = replace(record, identity={**record.identity, "in tables": False})
    monkeypatch.setattr(claim_parameters, "load_fit", lambda name: apart)
    claim_parameters._before.cache_clear()
    assert choose_fit("none").centre.rows == {} and choose_fit("none").centre.drugs == {}


def test_draws_of_no_weight_are_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = install_claims_record(monkeypatch, tmp_path)
    heavy = replace(record, log_weights=np.array([-50.0, 0.0, -50.0, -50.0]))
    monkeypatch.setattr(claim_parameters, "load_fit", lambda name: heavy)
    claim_parameters._drawn.cache_clear()
    assert {parameters.rows["h_N0"] for parameters in choose_fit(None, 3).sets} == {0.0084}
