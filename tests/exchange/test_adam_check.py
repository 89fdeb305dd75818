"""Rules of ADaM: nothing is found in what betapod writes, and every seeded fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import small_trials as small

from betapod.base.errors import ConfigError
from betapod.exchange.cdisc.adam_reader import AdamFolder, ReadDataset, read_adam
from betapod.exchange.cdisc.adam_rule import CheckedDataset
from betapod.exchange.cdisc.check_adam import adam_rules, check_adam
from betapod.exchange.cdisc.simulated_study import study_of
from betapod.exchange.cdisc.study_datasets import adam_datasets
from betapod.trials.conduct.conduct import conduct_trial

Frame = pd.DataFrame


@pytest.fixture(scope="module")
def datasets() -> dict[str, ReadDataset]:
    protocol = small.protocol(patients="80", replicates=1)
    run = conduct_trial(protocol, pool=small.pool(protocol, 300))
    return {
        item.name: ReadDataset(
            item.name, item.frame, {v.name: v.label for v in item.variables}, Path("none") / item.name
        )
        for item in adam_datasets(study_of(run, "randomised", "seed-claims"))
    }


def test_there_are_sixty_rules_and_more() -> None:
    rules = adam_rules()
    assert len(rules) >= 60 and len({rule.id for rule in rules}) == len({rule.text for rule in rules}) == len(rules)


def test_nothing_is_found_in_a_simulated_trial(datasets) -> None:
    check = check_adam(AdamFolder(Path("none"), datasets))
    assert check.good, check.table.to_string()
    assert check.datasets == tuple(datasets)


def cell(name: str, value: object, row: int = 5) -> Callable[[Frame], None]:
    def seed(frame: Frame) -> None:
        frame.loc[row, name] = value

    return seed


def add(name: str, amount: float, row: int = -1) -> Callable[[Frame], None]:
    def seed(frame: Frame) -> None:
        place = frame[name].last_valid_index() if row < 0 else row
        frame.loc[place, name] += amount

    return seed


def shift(name: str, days: int) -> Callable[[Frame], None]:
    def seed(frame: Frame) -> None:
        frame.loc[frame[name].last_valid_index(), name] += pd.Timedelta(days, unit="D")

    return seed


def again(frame: Frame) -> Frame:
    return pd.concat([frame, frame.iloc[[3]]], ignore_index=True)


def second_baseline(frame: Frame) -> None:
    later = frame.index[(frame["ABLFL"] == "") & (frame["AVISITN"] > 2)]
    frame.loc[later[0], "ABLFL"] = "Y"


def first_event_twice(frame: Frame) -> None:
    twice = frame.index[frame["USUBJID"].duplicated()]
    frame.loc[twice[0], "AOCCFL"] = "Y"


#: What is done to which data set, and the rules of which at least one must say so.
FAULTS: list[tuple[str, Callable[[Frame], Frame | None], set[str]]] = [
    ("ADSL", again, {"S01"}),
    ("ADSL", lambda f: f.drop(columns="SEX"), {"S02"}),
    ("ADSL", cell("TRT01P", ""), {"S03"}),
    ("ADSL", cell("TRTEDT", pd.Timestamp("2000-01-01")), {"S04"}),
    ("ADSL", add("TRTDURD", 1.0), {"S06"}),
    ("ADSL", cell("AGE", 412.0), {"S07"}),
    ("ADSL", cell("AGEU", "Y"), {"S08"}),
    ("ADSL", cell("SEX", "FEMALE"), {"S09"}),
    ("ADSL", lambda f: f.__setitem__("DTHFL", np.where(f["DTHFL"] == "Y", "", "Y")), {"S10"}),
    ("ADSL", cell("EOSSTT", "DONE"), {"S14"}),
    ("ADSL", lambda f: f.__setitem__("DCSREAS", ""), {"S15"}),
    ("ADSL", cell("SAFFL", ""), {"S20"}),
    ("ADSL", cell("STUDYID", ""), {"G11"}),
    ("ADLB", cell("USUBJID", "SIM-SMALL-D2S2R0-9999"), {"G13"}),
    ("ADLB", cell("ABLFL", "X"), {"G15"}),
    ("ADLB", cell("LBDTC", "31.01.2013"), {"G20"}),
    ("ADLB", cell("ADY", 0.0), {"G21"}),
    ("ADLB", cell("TRTPN", 7.0), {"G22"}),
    ("ADLB", cell("AGE", 12.0), {"G25"}),
    ("ADLB", again, {"G26"}),
    ("ADLB", lambda f: f.rename(columns={"AVISITN": "AVISITNUMBER"}), {"G02"}),
    ("ADLB", cell("VISIT", "x" * 201), {"G05"}),
    ("ADLB", cell("VISIT", "Besuch fünf"), {"G06"}),
    ("ADLB", cell("PARAM", "Another parameter"), {"V03"}),
    ("ADLB", second_baseline, {"V08"}),
    ("ADLB", lambda f: f.__setitem__("ABLFL", ""), {"V09"}),
    ("ADLB", add("BASE", 0.01), {"V10", "V11"}),
    ("ADLB", add("CHG", 0.01), {"V12"}),
    ("ADLB", add("PCHG", 0.01), {"V13"}),
    ("ADLB", add("R2BASE", 0.01), {"V14"}),
    ("ADLB", shift("ADT", 1), {"V17"}),
    ("ADLB", cell("AVISIT", ""), {"V19"}),
    ("ADLB", cell("TRTP", "other"), {"V23"}),
    ("ADLB", add("AVAL", 0.5), {"V27"}),
    ("ADTTE", cell("CNSR", 0.5), {"T01"}),
    ("ADTTE", cell("AVAL", -1.0), {"T02"}),
    ("ADTTE", add("AVAL", 3.0), {"T05"}),
    ("ADTTE", cell("EVNTDESC", ""), {"T06"}),
    ("ADTTE", lambda f: f.__setitem__("CNSDTDSC", ""), {"T07"}),
    ("ADAE", cell("AEDECOD", "", 0), {"E02"}),
    ("ADAE", cell("AESER", "U", 0), {"E03"}),
    ("ADAE", first_event_twice, {"E06"}),
    ("ADEX", cell("EXDOSE", -1.0), {"E13"}),
    ("ADEX", cell("AENDT", pd.Timestamp("2012-06-01")), {"E09"}),
    ("ADEX", add("EXDURD", 2.0), {"E15"}),
    ("ADHCE", add("AVAL", -2.0), {"E16"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "seed", "rules"), FAULTS, ids=[f"{n}-{'-'.join(sorted(r))}" for n, _, r in FAULTS])
def test_every_seeded_fault_is_caught(datasets, name, seed, rules) -> None:
    frame = datasets[name].frame.copy()
    changed = seed(frame)
    frame = frame if changed is None else changed
    wrong = replace(datasets[name], frame=frame)
    checked = CheckedDataset(wrong, datasets | {name: wrong})
    assert any(list(rule.violations(checked)) for rule in adam_rules() if rule.id in rules)


def test_labels_and_types_are_compared_between_data_sets(datasets) -> None:
    lab = datasets["ADLB"]
    labels = {**lab.labels, "AGE": "Years", "PARAM": ""}
    frame = lab.frame.assign(SEX=1.0)
    found = check_adam(AdamFolder(Path("none"), datasets | {"ADLB": replace(lab, frame=frame, labels=labels)})).findings
    assert {"G23", "G24", "G04"} <= {finding.rule for finding in found}


def test_a_folder_without_adsl_is_told_once(datasets) -> None:
    few = {name: datasets[name] for name in ("ADLB", "ADTTE")}
    found = [finding for finding in check_adam(AdamFolder(Path("none"), few)).findings if finding.rule == "G28"]
    assert len(found) == 1


def test_dates_without_a_format_are_days_of_sas(datasets) -> None:
    lab = datasets["ADLB"]
    frame = lab.frame.assign(TRTSDT=(lab.frame["TRTSDT"] - pd.Timestamp("1960-01-01")).dt.days.astype(float))
    plain = check_adam(AdamFolder(Path("none"), {"ADSL": datasets["ADSL"], "ADLB": replace(lab, frame=frame)}))
    assert plain.good, plain.table.to_string()


def test_what_cannot_be_read_is_said(tmp_path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_adam(tmp_path / "nothing")
    assert caught.value.kinds == ("no-folder",)
    with pytest.raises(ConfigError) as caught:
        read_adam(tmp_path)
    assert caught.value.kinds == ("no-datasets",)
    (tmp_path / "adsl.xpt").write_bytes(b"no transport file")
    (tmp_path / "adlb.json").write_text('{"rows": []}')
    (tmp_path / "advs.ndjson").write_text("")
    (tmp_path / "adae.parquet").write_bytes(b"PAR1")
    with pytest.raises(ConfigError) as caught:
        read_adam(tmp_path)
    assert caught.value.kinds == ("unreadable-dataset",) * 4
