"""Trials as SDTM and ADaM: what is written is what the run has, every format reads back alike, and it says that it is simulated."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import small_trials as small

import betapod
from betapod.base.errors import ConfigError
from betapod.exchange.cdisc.adam_reader import read_dataset
from betapod.exchange.cdisc.cdisc_variables import CdiscDataset, cdisc_variables
from betapod.exchange.cdisc.dataset_files import FORMATS, unfit_for_transport
from betapod.exchange.cdisc.day_spans import day_spans
from betapod.exchange.cdisc.exposure_records import arm_exposures
from betapod.exchange.cdisc.simulated_study import SimulatedStudy, study_days, study_of
from betapod.exchange.cdisc.study_datasets import adam_datasets, sdtm_datasets
from betapod.trials.analysis.endpoints import outcome, times
from betapod.trials.conduct.conduct import conduct_trial
from betapod.trials.protocol.endpoint_keys import Endpoint

ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
DEFINE = "{http://www.cdisc.org/ns/def/v2.1}"


@pytest.fixture(scope="module")
def run():
    protocol = small.protocol(patients="120", replicates=3)
    return conduct_trial(protocol, pool=small.pool(protocol, 300))


@pytest.fixture(scope="module")
def study(run) -> SimulatedStudy:
    return study_of(run, "randomised", "seed-claims", 1)


@pytest.fixture(scope="module")
def adam(study) -> dict[str, CdiscDataset]:
    return {dataset.name: dataset for dataset in adam_datasets(study)}


@pytest.fixture(scope="module")
def sdtm(study) -> dict[str, CdiscDataset]:
    return {dataset.name: dataset for dataset in sdtm_datasets(study)}


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("cdisc") / "adam"
    formats = "xpt,dataset-json,dataset-ndjson,parquet"
    betapod.export_cdisc(run, place, "adam", formats, "randomised", "seed-claims", 1)
    return place


def test_the_table_of_variables_keeps_the_limits_of_transport() -> None:
    for variable in cdisc_variables().values():
        assert len(variable.name) <= 8 and len(variable.label) <= 40, variable.name
        assert variable.kind in ("text", "integer", "float", "date", "iso")
        assert variable.origin in ("Assigned", "Derived", "Predecessor", "Protocol", "Other", "Not Available")


def test_values_are_those_of_the_run(study, adam) -> None:
    values, data = adam["ADLB"].frame, study.data
    for code in ("UACR", "EGFR", "HBA1C", "CREAT"):
        rows = values[(values["PARAMCD"] == code) & (values["DTYPE"] == "")]
        observed = data.observed[code][0].astype(np.float64)
        assert np.array_equal(rows["AVAL"], observed[np.isfinite(observed)])
        base = rows.groupby("USUBJID")["BASE"].first().to_numpy()
        assert np.array_equal(base, data.base[code][0].astype(np.float64))
    flagged = values[values["ABLFL"] == "Y"]
    assert np.array_equal(flagged["AVAL"], flagged["BASE"])


def test_times_to_events_are_those_that_the_trial_analyses(study, adam) -> None:
    table = adam["ADTTE"].frame
    for code, endpoint in (
        ("DEATH", Endpoint(quantity="death", summary="time to event")),
        ("EGFR40", Endpoint(quantity="EGFR", summary="time to event", percent=-40)),
    ):
        day, event = times(study.data, endpoint)
        rows, at_risk = table[table["PARAMCD"] == code], np.isfinite(day[0])
        assert np.array_equal(rows["AVAL"], day[0][at_risk])
        assert np.array_equal(rows["CNSR"] == 0, event[0][at_risk])
        assert np.array_equal((rows["ADT"] - rows["STARTDT"]).dt.days, rows["AVAL"])


def test_who_died_and_left_is_told(study, adam, sdtm) -> None:
    subjects, dispositions = adam["ADSL"].frame, sdtm["DS"].frame
    assert (subjects["DTHFL"] == "Y").sum() == study.died.sum()
    assert (subjects["EOSSTT"] == "DISCONTINUED").sum() == (study.died | study.left).sum() > 0
    ends = dispositions[dispositions["DSCAT"] == "DISPOSITION EVENT"]
    assert (ends["DSDECOD"] == "COMPLETED").sum() == (~(study.died | study.left)).sum()
    # The day of an event is the number of full days, counted up, on which times to events rest.
    day = study.data.disposition_day[0][study.left]
    left = subjects.loc[study.left, "EOSDT"] - pd.Timestamp(study.start)
    assert np.array_equal(left.dt.days, np.ceil(day))


def test_the_hierarchy_puts_everybody_into_the_worst_group(study, adam) -> None:
    table = adam["ADHCE"].frame
    assert len(table) == len(adam["ADSL"].frame)
    # Deaths count up to the last planned visit, as in times to death.
    assert np.array_equal(table["PARAMCD"] == "DEATH", adam["ADSL"].frame["DTHADY"] <= 366)
    slope = table["PARAMCD"] == "EGFRSLP"
    slopes = outcome(study.data, Endpoint(quantity="EGFR", summary="slope"))[0]
    assert np.array_equal(table.loc[slope, "AVAL0"], slopes[slope.to_numpy()], equal_nan=True)
    best_event = table.loc[~slope, "AVAL"].max()
    assert not (table.loc[slope, "AVAL"] < best_event).any()


def test_a_mean_baseline_is_a_record_of_its_own(run) -> None:
    protocol = small.protocol(patients="20", replicates=1)
    text = small.TEXT.replace(
        "randomised: {arms: {cells: 1, control: 1}}", "randomised: {arms: {cells: 1, control: 1}, baseline: mean}"
    )
    protocol = small.parse_protocol(text)
    trial = conduct_trial(protocol, pool=small.pool(protocol, 200), replicates=1, designs=["randomised"])
    table = next(item for item in adam_datasets(study_of(trial)) if item.name == "ADLB").frame
    means = table[table["DTYPE"] == "AVERAGE"]
    assert (means["ABLFL"] == "Y").all() and not (table.loc[table["DTYPE"] == "", "ABLFL"] == "Y").any()
    subject = means[means["PARAMCD"] == "UACR"].iloc[0]
    visits = table[(table["USUBJID"] == subject["USUBJID"]) & (table["PARAMCD"] == "UACR") & (table["AVISITN"] < 2.5)]
    # Of a quantity analysed as logarithms the geometric mean.
    assert subject["AVAL"] == pytest.approx(np.exp(np.log(visits.loc[visits["DTYPE"] == "", "AVAL"]).mean()), rel=1e-6)


def test_infusions_are_given_while_somebody_is_in_the_trial(study, sdtm) -> None:
    exposures = arm_exposures(study.protocol.arms, "cells")
    assert [(item.start, item.dose, item.unit) for item in exposures] == [
        (day, 1.0, "10^6 CELLS/kg") for day in (0, 28, 56)
    ]
    given = sdtm["EX"].frame.groupby("USUBJID").size().reindex(study.unique_subjects)
    in_cells = study.data.arm[0] == study.data.arms.index("cells")
    expected = 1 + (study.end_day >= 28) + (study.end_day >= 56)
    assert np.array_equal(given[in_cells], expected[in_cells])


def test_single_events_of_infusions_have_no_invented_day(study, sdtm) -> None:
    events = sdtm["AE"].frame
    fever = events[events["AEDECOD"] == "FEVER"]
    assert len(fever) == study.data.events["p_fever"].sum() > 0
    # Three infusions: which one it was is not kept.
    assert (fever["AESTDTC"] == "").all()


def test_days_before_enrolment_and_day_one() -> None:
    assert study_days(np.array([-14.0, -1.0, 0.0, 1.0])).tolist() == [-14.0, -1.0, 1.0, 2.0]


def test_every_format_reads_back_alike(folder, adam) -> None:
    for name, dataset in adam.items():
        for ending in FORMATS.values():
            back = read_dataset(folder / f"{name.lower()}{ending}")
            pd.testing.assert_frame_equal(back.frame, dataset.frame, rtol=1e-14, check_exact=False)
            assert back.labels == {variable.name: variable.label for variable in dataset.variables}


def test_transport_files_are_read_by_another_reader(folder, adam) -> None:
    from betapod.patients.cohorts.sas_transport import read_transport

    theirs = read_transport(folder / "adlb.xpt")
    assert np.allclose(theirs["AVAL"], adam["ADLB"].frame["AVAL"], rtol=1e-14, atol=0)
    assert theirs["USUBJID"].tolist() == adam["ADLB"].frame["USUBJID"].tolist()


def test_dataset_json_has_what_version_1_1_asks_for(folder) -> None:
    """Keys and terms of the published schema of Dataset-JSON 1.1."""
    document = json.loads((folder / "adlb.json").read_text())
    required = {
        "datasetJSONCreationDateTime",
        "datasetJSONVersion",
        "itemGroupOID",
        "records",
        "name",
        "label",
        "columns",
    }
    optional = {"fileOID", "originator", "sourceSystem", "studyOID", "metaDataVersionOID", "metaDataRef", "rows"}
    assert required <= set(document) <= required | optional
    assert document["records"] == len(document["rows"]) > 0
    for column in document["columns"]:
        assert {"itemOID", "name", "label", "dataType"} <= set(column)
        assert column["dataType"] in ("string", "integer", "double", "date")


def test_define_xml_describes_what_is_there(folder, adam) -> None:
    root = ElementTree.parse(folder / "define.xml").getroot()
    items = {item.get("OID"): item for item in root.iter(f"{ODM}ItemDef")}
    methods = {method.get("OID") for method in root.iter(f"{ODM}MethodDef")}
    comments = {comment.get("OID") for comment in root.iter(f"{DEFINE}CommentDef")}
    lists = {codes.get("OID") for codes in root.iter(f"{ODM}CodeList")}
    groups = {group.get("Name"): group for group in root.iter(f"{ODM}ItemGroupDef")}
    assert set(groups) == set(adam)
    for name, group in groups.items():
        references = list(group.iter(f"{ODM}ItemRef"))
        assert [items[r.get("ItemOID")].get("Name") for r in references] == list(adam[name].frame.columns)
        assert {r.get("MethodOID") for r in references} - {None} <= methods
    for item in items.values():
        assert {r.get("CodeListOID") for r in item.iter(f"{ODM}CodeListRef")} <= lists
        assert item.get(f"{DEFINE}CommentOID") in {None, *comments}
    assert "nobody was treated" in "".join(root.itertext())


def test_define_xml_is_valid_by_the_published_schema(run, folder, tmp_path) -> None:
    xmlschema = pytest.importorskip("xmlschema", reason="xmlschema is not installed")
    schemas = pytest.importorskip("odmlib.schemas", reason="odmlib, which holds the schema, is not installed")
    betapod.export_cdisc(run, tmp_path, "sdtm", "parquet")
    schema = xmlschema.XMLSchema(str(Path(schemas.__file__).parent / "define" / "2.1" / "define2-1-0.xsd"))
    for place in (folder, tmp_path):
        assert [error.reason for error in schema.iter_errors(str(place / "define.xml"))] == []


def test_everything_says_that_it_is_simulated(adam, sdtm) -> None:
    for dataset in (*adam.values(), *sdtm.values()):
        assert dataset.frame["STUDYID"].str.startswith("SIM-").all(), dataset.name
        assert unfit_for_transport(dataset) == []
    summary = sdtm["TS"].frame.set_index("TSPARMCD")
    assert summary.loc["SIMULATD", "TSVAL"].startswith("Y")
    assert summary.loc["REGID", "TSVAL"] == "" and summary.loc["REGID", "TSVALNF"] == "NA"


def test_true_values_lie_apart(run, tmp_path) -> None:
    written = betapod.export_cdisc(
        run, tmp_path, formats="parquet", design="randomised", scenario="seed-claims", counterfactual=True
    )
    truth = read_dataset(tmp_path / "simtruth.parquet").frame
    cells = truth[truth["PARAMCD"] == "UACR"].groupby("AVISITN")[["TRUEVAL", "COUNTFCT"]].mean()
    assert cells.loc[4.0, "TRUEVAL"] < cells.loc[4.0, "COUNTFCT"]
    for path in written.files:
        if path.suffix == ".parquet" and path.stem != "simtruth":
            assert not {"TRUEVAL", "COUNTFCT"} & set(read_dataset(path).frame.columns)


def test_other_days_and_designs(run) -> None:
    single = study_of(run, "single arm", "none", 2, datetime.date(2025, 3, 31))
    assert single.study_id == "SIM-SMALL-D1S1R2"
    subjects = next(item for item in adam_datasets(single) if item.name == "ADSL").frame
    assert subjects["RANDDT"].isna().all() and (subjects["RANDFL"] == "N").all()
    assert (subjects["TRTSDT"] == pd.Timestamp("2025-03-31")).all()


def test_wrong_words_are_refused_at_once(run, tmp_path) -> None:
    with pytest.raises(ConfigError) as caught:
        betapod.export_cdisc(run, tmp_path / "out", "adma", "xpt,datset-json", start="31.1.2025")
    assert caught.value.kinds == ("unknown-standard", "unknown-format", "bad-date")
    assert "adam" in str(caught.value) and "dataset-json" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        betapod.export_cdisc(run, tmp_path / "out", design="randomized", scenario="seed-claim")
    assert caught.value.kinds == ("unknown-design", "unknown-scenario")
    with pytest.raises(ConfigError, match="0 to 2"):
        betapod.export_cdisc(run, tmp_path / "out", replicate=3)
    assert not (tmp_path / "out").exists()


def test_days_that_are_missing_are_no_dates_and_no_warning() -> None:
    days = np.where(np.arange(5000) % 3 == 0, np.nan, np.arange(5000.0))
    spans = day_spans(days)
    assert np.array_equal(np.isnat(spans), np.isnan(days))
    assert np.array_equal(spans[1::3] / np.timedelta64(1, "D"), days[1::3])
