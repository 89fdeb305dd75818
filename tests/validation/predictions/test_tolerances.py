"""Tolerances of confrontations: what they move is next to nothing beside the error of a row; courses of scenarios that are shared."""

from __future__ import annotations

import numpy as np
import pytest

from betapod.engine.ensemble import Ensemble
from betapod.evidence.records.registry import load_registry
from betapod.physiology import whole_body
from betapod.validation.predictions import study_courses
from betapod.validation.predictions.condition import Condition
from betapod.validation.predictions.row_expectations import plans_of, rows_expected
from betapod.validation.predictions.row_predictions import predict
from betapod.validation.predictions.studies import sort

#: Finer than all that is compared, with the same program.
FINE, FINE_ABSOLUTE = 1e-7, 1e-10


@pytest.mark.parametrize("study", ["PACKHAM2016", "RENAAL_Remuzzi2004"])
def test_tolerances_move_a_row_by_less_than_a_hundredth_of_its_error(
    study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, condition = sort(load_registry().select(study=study))[0], Condition("current-evidence")
    rows = [record for record in records if not record.endpoint.startswith("adverse")]
    errors = [np.hypot(p.se_study, p.se_cohort) for p in predict(rows, condition, 30, 1, 1)]
    usual = rows_expected(rows, [condition], 30, 1, 1)[0]
    fine = Ensemble(whole_body.named_model("reference"), study_courses.outputs(), FINE, FINE_ABSOLUTE, threads=1)
    monkeypatch.setattr(study_courses, "_ensemble", lambda threads: fine)
    monkeypatch.setattr(study_courses, "RTOL", FINE)
    monkeypatch.setattr(study_courses, "ATOL", FINE_ABSOLUTE)
    right = rows_expected(rows, [condition], 30, 1, 1)[0]
    assert np.all(np.abs(usual - right) < 0.01 * np.array(errors))
    assert np.any(usual != right)


def test_people_without_cells_have_one_course_under_every_scenario() -> None:
    """It is simulated once for all scenarios."""
    records = sort(load_registry().select(study="PACKHAM2016"))[0]
    plan = plans_of(records, 12)[0]
    untreated = plan.untreated(Condition("seed-claims"), 1, 1)
    assert 0 < len(untreated) < len(plan.arms)
    for scenario in ("none", "current-evidence", "seed-claims"):
        alone = plan.courses(Condition(scenario), 1, 1)
        for arm, courses in untreated.items():
            for name, table in courses.values.items():
                np.testing.assert_array_equal(table, alone[arm].values[name], f"{scenario}: {name}")
        shared = plan.courses(Condition(scenario), 1, 1, untreated)
        assert shared.keys() == alone.keys()
        for arm, courses in alone.items():
            np.testing.assert_array_equal(shared[arm].values["eGFR"], courses.values["eGFR"])
