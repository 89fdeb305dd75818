"""What belongs to a person, and not to a set of parameters, reaches predictions with the people."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from betapod.patients.library import Library
from betapod.patients.population import MODEL_ROWS
from betapod.physiology import whole_body
from betapod.validation.predictions import studies, study_people
from betapod.validation.predictions.study_courses import Condition, simulate_arms

WEEKS = [0.0, 104.0, 208.0]


def test_rows_that_differ_between_people_are_columns_of_the_library() -> None:
    people = study_people.people("T1D without C-peptide", 20, 1)
    rows = [name for name in MODEL_ROWS if name in whole_body.named_model("reference").parameters]
    assert len(rows) > 20
    for name in rows:
        assert len(np.unique(people.parameters[name])) > 1, name


@pytest.mark.parametrize(
    ("arm", "row", "quantity", "lower"),
    [
        (("CIT07_HERING2016", "islet-alone"), "del_on_factor", "graft_C_peptide", True),
        (("RENAAL2001", "placebo"), "xi_nephron", "eGFR", True),
        (("GREENBAUM2012", "all"), "killing_factor", "stimulated_C_peptide", True),
    ],
)
def test_a_person_who_loses_more_is_simulated_to_lose_more(
    monkeypatch: pytest.MonkeyPatch, arm: tuple[str, str], row: str, quantity: str, lower: bool
) -> None:
    study_arm = replace(studies.arms()[arm])
    people = study_people.people(study_arm.cohort, 12, 1)

    def last(factor: float) -> float:
        varied = {**people.parameters, row: people.parameters[row] * factor}
        moved = Library(people.table, varied, people.states, people.state_names, people.origin)
        monkeypatch.setattr(study_people, "people", lambda cohort, count, seed: moved)
        (course,) = simulate_arms([study_arm], WEEKS, Condition("current-evidence"), 12, 1, 1)
        return float(np.mean(course.filled().values[quantity][:, -1]))

    assert (last(3.0) < last(1.0)) is lower
