"""The front door's thin functions give what the rooms below give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import betapod
from betapod.base.errors import ConfigError, EvidenceError, ModelError, UnitError


def test_drawn_patients_are_those_of_an_ensemble_run_and_do_not_depend_on_their_number() -> None:
    from betapod.engine.runs.run_plan import RunPlan

    kidney = betapod.load_model("kidney")
    few, many = (betapod.draw_patients(kidney, n, seed=3) for n in (5, 12))
    np.testing.assert_array_equal(few.to_numpy(), many.to_numpy()[:5])
    plan = RunPlan.drawn(kidney, 12, [0.0, 1.0], seed=3)
    assert plan.cohort is not None
    values = plan.cohort.values(range(12))
    assert set(values) == set(many)
    for name, column in values.items():
        np.testing.assert_array_equal(column, many[name])
    with pytest.raises(ConfigError, match="no-distribution"):
        betapod.draw_patients(kidney, 5, vary=["age"])
    with pytest.raises(ConfigError, match="cannot be drawn"):
        betapod.draw_patients(kidney, -1)


def test_a_trial_in_a_folder_is_the_trial_in_memory(tmp_path: Path) -> None:
    chosen = {"designs": ["single arm"], "scenarios": ["none"], "replicates": 3, "seed": 5}
    kept = betapod.run_trial("dn61", tmp_path / "run", **chosen)
    memory = betapod.run_trial(betapod.load_protocol("dn61"), **chosen)
    again = betapod.open_trial(tmp_path / "run")
    for other in (memory, again):
        np.testing.assert_array_equal(
            kept["single arm", "none"].observed["UACR"], other["single arm", "none"].observed["UACR"]
        )
    assert kept.protocol.seed == 5 and kept.protocol.replicates == 3
    with pytest.raises(ConfigError, match="from the text of its protocol"):
        betapod.run_trial(betapod.load_protocol("dn61"), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_table_of_a_trial_is_its_summary_in_the_units_of_readers() -> None:
    run = betapod.run_trial("dn61", designs=["randomised"], replicates=3)
    rows = run.summary["rows"]
    assert len(run.table) == len(rows) == 2 * len(run.scenarios)
    for shown, row in zip(run.table.to_dict("records"), rows, strict=True):
        assert shown["arm"] == row["arm"] and shown["scenario"] == row["scenario"]
        assert shown["change"] == pytest.approx(100.0 * np.expm1(row["change"]))
    assert run.units["change"] == "%"
    assert list(run.comparisons["control"].unique()) == ["conventional"]


def test_claims_and_evidence_by_name() -> None:
    ledger = betapod.judge_claims("A01", simulate=False)
    assert [entry.claim.id for entry in ledger] == ["A01"] == list(ledger.table["id"])
    assert ledger[0:1] == ledger.entries and betapod.list_claims()["id"].is_unique
    with pytest.raises(EvidenceError, match="no claim 'A0'"):
        betapod.judge_claims(["A0"], simulate=False)
    with pytest.raises(ConfigError, match="Did you mean 'none'"):
        betapod.confront([], ["nome"])


def test_names_that_do_not_exist_are_told_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="Did you mean 'kidney'"):
        betapod.load_model("kidny")
    with pytest.raises(ConfigError, match="Did you mean 'HbA1c'"):
        betapod.convert(7.0, "HbA1", "%")
    with pytest.raises(UnitError):
        betapod.convert(7.0, "HbA1c", "mmHg")
    with pytest.raises(ConfigError, match="Did you mean 't2d'"):
        betapod.load_person("t2")
    with pytest.raises(ConfigError, match="Did you mean 'FLOW'"):
        betapod.select_cohort("FLO")


@pytest.mark.parametrize(("file", "reader"), [("pk.txt", "Part.from_file"), ("pk.xml", "read_sbml")])
def test_who_names_a_file_is_told_what_reads_it(file: str, reader: str) -> None:
    with pytest.raises(ModelError, match=reader):
        betapod.load_model(file)


def test_every_list_names_what_can_be_loaded() -> None:
    assert set(betapod.list_models()["name"]) >= {"kidney", "metabolism", "cells", "reference"}
    for name in betapod.list_protocols()["name"]:
        assert betapod.load_protocol(name).name == name
    assert list(betapod.list_scenarios()["name"]) == ["none", "current-evidence", "face-value", "seed-claims"]
    for name in betapod.list_people()["name"]:
        assert name == name.strip() and name
    switches = betapod.list_switches()
    reference = betapod.load_model("reference")
    assert set(switches["name"]) >= {name for name in reference.inputs if name.startswith("sw_")}
