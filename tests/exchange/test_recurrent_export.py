"""Recurrent events as data sets: every event is there, rates come out of ADREC alone, and damage to it is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_trials as small

import betapod
from betapod.exchange.cdisc.adam_reader import AdamFolder, ReadDataset
from betapod.exchange.cdisc.check_adam import check_adam
from betapod.exchange.cdisc.simulated_study import study_of
from betapod.exchange.cdisc.study_datasets import adam_datasets, sdtm_datasets
from betapod.trials.analysis.controlled import analyse
from betapod.trials.analysis.endpoints import Comparison
from betapod.trials.conduct.conduct import conduct_trial
from betapod.trials.protocol.protocol_files import parse_protocol

RATES = """\
primary: {quantity: HHF, summary: recurrent events, also: [cv_death], analysis: LWYY}
  secondary:
    - {name: heart failure, quantity: HHF, summary: recurrent events, at: month 6}
    - {quantity: MACE, summary: recurrent events}
"""


@pytest.fixture(scope="module")
def trial():
    text = small.TEXT.replace("primary: {quantity: UACR, summary: ratio, at: month 6}\n", RATES)
    text = text.replace("  single arm: {arms: {cells: 1}, baseline: screening}\n", "")
    protocol = parse_protocol(text.replace("patients: 40", "patients: 120"))
    return conduct_trial(protocol, pool=small.sick_pool(protocol), replicates=1, threads=1)


@pytest.fixture(scope="module")
def study(trial):
    return study_of(trial, "randomised", "seed-claims")


@pytest.fixture(scope="module")
def adam(study) -> dict[str, ReadDataset]:
    return {
        item.name: ReadDataset(
            item.name, item.frame, {v.name: v.label for v in item.variables}, Path("none") / item.name
        )
        for item in adam_datasets(study)
    }


def test_nothing_is_wrong_with_it(adam, trial, tmp_path) -> None:
    check = check_adam(AdamFolder(Path("none"), adam))
    assert check.good, check.table.to_string()
    betapod.export_cdisc(trial, tmp_path / "out", "adam", "xpt,dataset-json", "randomised", "seed-claims")
    assert betapod.check_adam(tmp_path / "out").good
    assert "ADREC" in (tmp_path / "out" / "define.xml").read_text()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_rates_come_out_of_the_data_set_alone(study, adam, number: int) -> None:
    asked = (study.protocol.endpoints.primary, *study.protocol.endpoints.secondary)[number - 1]
    table = adam["ADREC"].frame
    table = table[table["PARAMCD"] == f"ENDPT{number:02d}"]
    days = table[table["CNSR"] == 0].pivot(index="USUBJID", columns="EVNTN", values="AVAL")
    last = table.groupby("USUBJID")["AVAL"].max()
    treated = table.groupby("USUBJID")["TRTPN"].first() == table.loc[table["TRTP"] == "cells", "TRTPN"].iloc[0]
    days = days.reindex(last.index).to_numpy(dtype=float)
    if asked.method == "LWYY":
        expected = betapod.analyses.recurrent_cox(days, last.to_numpy(), [treated]).estimate(robust=True)
    else:
        counts = np.isfinite(days).sum(1)
        assert counts.max() >= 2
        expected = betapod.analyses.negative_binomial(counts, last.to_numpy(), [treated]).estimate()
    found = analyse(study.data, asked, Comparison("cells", "control"))
    np.testing.assert_allclose(expected.effect, found.effect, atol=1e-6)
    np.testing.assert_allclose(expected.standard_error, found.standard_error, rtol=1e-6)


def test_adverse_events_have_every_event(study, adam) -> None:
    events = {item.name: item.frame for item in sdtm_datasets(study)}["AE"]
    here = events[events["AEDECOD"] == "HOSPITALISATION FOR HEART FAILURE"]
    data = study.data
    there = np.isfinite(data.outcome_days["hf_hospitalisation"]).sum() + np.isfinite(data.later_days["hf_hospitalisation"]).sum()  # fmt: skip
    assert len(here) == there > here["USUBJID"].nunique()
    first = adam["ADAE"].frame
    assert (first[first["AEDECOD"] == here["AEDECOD"].iloc[0]]["AOCCPFL"] == "Y").sum() == here["USUBJID"].nunique()


def again(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.iloc[[3]]], ignore_index=True)


@pytest.mark.parametrize(
    ("seed", "rules"),
    [
        (again, {"T08"}),
        (lambda frame: frame.assign(TSTART=frame["TSTART"] + (frame["EVNTN"] == 2)), {"T10"}),
        (lambda frame: frame.assign(TSTART=0.0), {"T10"}),
        (lambda frame: frame.assign(CNSR=0.0), {"T11"}),
        (lambda frame: frame.drop(index=frame.index[frame["CNSR"] == 1][:1]), {"T11"}),
    ],
)
def test_damage_is_found(adam, seed, rules) -> None:
    wrong = replace(adam["ADREC"], frame=seed(adam["ADREC"].frame.copy()))
    found = check_adam(AdamFolder(Path("none"), adam | {"ADREC": wrong})).findings
    assert rules & {finding.rule for finding in found}
