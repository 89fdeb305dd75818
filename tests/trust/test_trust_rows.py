"""The table of published numbers beside the model's: it reads as it was written, and belongs to this model and this registry."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from betapod.base.constants import Z90
from betapod.base.intervals import joint_deviation, normal_score, student
from betapod.evidence.records.registry import load_registry
from betapod.trust.trust_facts import given_in, kind_of
from betapod.trust.trust_making import (
    estimated_lacks,
    fitted_lacks,
    predictions_with_lacks,
    program_digest,
    row_class_of,
    trust_row,
    trust_table_text,
)
from betapod.trust.trust_rows import ROWS, computed_with, trust_rows
from betapod.trust.trust_topics import OTHER, topic_of, topic_of_quantity, topics
from betapod.trust.trust_treatments import products_named, treatment_name, treatments_named
from betapod.validation.predictions.prediction import Prediction
from betapod.validation.predictions.row_predictions import predict
from betapod.validation.predictions.studies import sort
from betapod.validation.predictions.study_courses import Condition
from betapod.validation.predictions.uses import FIT, use_of

AGAIN = "python benchmarks/ship_trust.py"
#: A level with a drug, and events without.
SAMPLE = ("ATIRMA2014", "GRADE_micro")


def prediction(**more: object) -> Prediction:
    fields: dict[str, object] = dict.fromkeys(Prediction.__dataclass_fields__, 0.0)
    fields |= {
        "record": "A#1",
        "study": "A",
        "family": "A",
        "endpoint": "HbA1c",
        "arm": "a",
        "form": "change",
        "unit": "%",
    }
    fields |= {
        "n": 50,
        "scale": "linear",
        "anchored": False,
        "printed": True,
        "note": "",
        "inside": True,
        "freedom": None,
    }
    return Prediction(**(fields | more))  # type: ignore[arg-type]


def test_the_table_reads_as_it_was_written() -> None:
    assert trust_table_text(trust_rows()) == ROWS.read_text(encoding="utf-8")


def test_the_table_has_every_row_that_can_be_simulated_once_for_each_scenario() -> None:
    can, _ = sort(load_registry().select(tag=None))
    found = [(row.record, row.scenario) for row in trust_rows()]
    assert len(found) == len(set(found))
    wanted = {record.id for record in can}
    assert {record for record, _ in found} == wanted, AGAIN
    with_cells = {record.id for record in can if given_in(record)[1]}
    assert {record for record, scenario in found if scenario} == with_cells, AGAIN
    assert {scenario for _, scenario in found} == {"", "none", "current-evidence"}


def test_kinds_of_rows_are_those_of_the_tables_of_today() -> None:
    records = {record.id: record for record in load_registry().select(tag=None)}
    for row in trust_rows():
        given = given_in(records[row.record])
        assert (given, topic_of(row.endpoint)) == ((row.treatments, row.cells), row.topic), (row.record, AGAIN)
    # Choosing a cohort takes a while: one of each sample.
    for row in [next(row for row in trust_rows() if row.study == study) for study in SAMPLE]:
        kind = kind_of(records[row.record])
        assert (kind.diabetes, kind.kidney) == (row.diabetes, row.kidney), (row.record, AGAIN)


@pytest.mark.parametrize("study", SAMPLE)
def test_the_table_is_of_this_model(study: str) -> None:
    records = load_registry().select(study=study)
    can, _ = sort(records)
    about = computed_with()
    told = {row.record: row for row in trust_rows() if row.study == study}
    for found in predict(can, Condition("current-evidence"), about["people"], about["seed"], 1, 0):
        assert math.isclose(found.predicted, told[found.record].predicted, rel_tol=1e-4, abs_tol=1e-5), AGAIN


def test_the_table_says_of_which_program_it_is() -> None:
    about = computed_with()
    assert set(about) == {"program", "people", "seed", "draws", "fit", "discrepancy"}
    assert len(about["program"]) == len(program_digest())


def test_every_endpoint_of_the_table_has_a_topic() -> None:
    assert {row.topic for row in trust_rows()} <= set(topics()) - {OTHER}
    assert topic_of("transition:macro->CV_death") == "death and heart disease"
    assert topic_of("transition:micro->ESKD") == "kidney failure"
    assert topic_of("transition:macro->eGFR<60") == "filtration"
    assert topic_of("glucose_infusion_rate") == "insulin and C-peptide"
    assert topic_of("something else") == OTHER
    assert [topic_of_quantity(name) for name in ("S_cr", "W_GBM", "UACR", "BW")] == [
        "filtration", "kidney structure and flow", "albuminuria", "body weight",
    ]  # fmt: skip


def test_orders_count_as_their_classes() -> None:
    assert treatments_named(["empagliflozin 10 mg", "SGLT2 inhibitor", "basal insulin 20 U"]) == (
        "SGLT2 inhibitor",
        "insulin",
    )
    assert treatment_name("sodium intake") == "sodium intake"
    assert products_named(["UC-MSC 1e6/kg iv x3 q28d", "UC-MSC 2e6/kg iv"]) == ("UC-MSC",)


def test_classes_of_rows() -> None:
    assert row_class_of(prediction(form="hazard ratio, between", scale="log")) == "event ratio"
    assert row_class_of(prediction(form="ratio", scale="log")) == "ratio"
    assert row_class_of(prediction(form="slope, between")) == "slope"
    assert row_class_of(prediction(form="share", scale="share")) == "share"
    assert row_class_of(prediction()) == "level"


def test_what_the_model_lacks_widens_the_interval() -> None:
    record = next(record for record in load_registry() if record.id == "PACKHAM2016#1")
    far = prediction(observed=3.0, predicted=0.0, low=-1.6449, high=1.6449, se_study=1.0, z=3.0, inside=False)
    alone = trust_row(record, far, "none")
    assert not alone.has_discrepancy and math.isnan(alone.z_all) and not alone.inside_all
    wide = trust_row(record, far, "none", (1.0, 1.5))
    scale, freedom = (float(x) for x in joint_deviation((1.0, math.inf), (1.0, 4.0), (2.25, 4.0)))
    assert math.isclose(wide.z_all, normal_score(3.0 / scale, freedom)) and wide.inside_all
    assert math.isclose(wide.width_all, 2.0 * student(Z90, freedom) * scale / 3.0)
    nothing = trust_row(record, far, "none", (0.0, 0.0))
    assert math.isclose(nothing.z_all, 3.0) and not nothing.inside_all
    share = prediction(
        observed=0.5, predicted=0.3, low=0.2, high=0.4, scale="share", form="share", unit="1", z=3.0, inside=False
    )
    wider = trust_row(record, replace(share, se_cohort=0.02), "none", (0.2, 0.3))
    assert wider.inside_all and wider.z_all < 1.2 and 0.2 < wider.width_all < 1.0
    ratio = prediction(observed=-30.0, predicted=-10.0, scale="log", form="ratio", se_study=0.1, z=-2.5, inside=False)
    assert math.isclose(trust_row(record, ratio, "none", (0.0, 0.0)).z_all, -2.5)


def test_what_the_model_lacks_is_estimated_from_fitted_rows_alone() -> None:
    can, _ = sort(load_registry().select(tag=None))
    fitted = [record for record in can if use_of(record.id, record.study, record.family) == FIT][:30]
    others = [record for record in can if use_of(record.id, record.study, record.family) != FIT][:30]
    chance = np.random.default_rng(4)
    near = [
        prediction(
            record=record.id, observed=1.0, predicted=0.0, se_study=1.0, z=float(z), form="slope", unit="mmHg/year"
        )
        for record, z in zip(fitted, chance.standard_normal(len(fitted)), strict=True)
    ]
    far = [prediction(record=record.id, se_study=1.0, z=20.0, form="slope", unit="mmHg/year") for record in others]
    lacks = estimated_lacks([*fitted, *others], [*near, *far])
    assert set(lacks) == {record.id for record in [*fitted, *others]}
    assert len(set(lacks.values())) == 1 and math.hypot(*lacks[others[0].id]) < 3.0
    levels = [prediction(record=record.id, se_study=1.0, z=1.0, unit="mmHg") for record in others]
    assert set(estimated_lacks([*fitted, *others], [*near, *levels])) == {record.id for record in fitted}


def test_a_fit_says_what_the_model_lacks_by_class_and_unit() -> None:
    rows = {"record": np.array(["A#1"], dtype=object), "tau_family": np.array([0.15]), "tau_row": np.array([0.25])}
    fit = SimpleNamespace(discrepancy={"level % HbA1c": (0.1, 0.2, "linear"), "share": (0.3, 0.4, "angle")}, rows=rows)
    predictions = [
        prediction(record="A#1"),
        prediction(record="B#1", scale="share", form="share"),
        prediction(record="C#1", unit="mmHg"),
        prediction(record="D#1"),
        prediction(record="E#1", endpoint="insulin_dose"),
    ]
    wanted = {"A#1": (0.15, 0.25), "B#1": (0.3, 0.4), "D#1": (0.1, 0.2)}
    assert fitted_lacks(fit, predictions) == wanted  # type: ignore[arg-type]


def test_the_table_is_a_plain_table() -> None:
    with ROWS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(None not in row and None not in row.values() for row in rows)
    assert {row["fitted"] for row in rows} == {"yes", "no"}


def test_predictions_of_now_get_what_the_model_lacks_from_the_table() -> None:
    known = next(row for row in trust_rows() if row.scale == "linear" and row.has_discrepancy)
    near = prediction(record=known.record, observed=1.0, se_study=0.1, z=10.0, inside=False)
    rows = predictions_with_lacks([near, prediction(record="NOBODY#1")])
    (scale, freedom) = joint_deviation((0.01, math.inf), (known.tau_family**2, 4.0), (known.tau_row**2, 4.0))
    assert [row.record for row in rows] == [known.record]
    assert math.isclose(rows[0].z, normal_score(1.0 / float(scale), float(freedom)))
    assert not rows[0].has_discrepancy
