"""The report of a small trial with known courses: its numbers, words, tables and files."""

from __future__ import annotations

import csv
import json
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import small_trials as small

from betapod.base.errors import ConfigError
from betapod.report.common import words
from betapod.report.common.document import tidy
from betapod.report.trial import answers
from betapod.report.trial.report_writing import make
from betapod.report.trial.sections_harms import harms_section
from betapod.report.trial.trial_report import report_as_dict, report_tables, terminal_summary
from betapod.trials.conduct import conduct
from betapod.trials.operating.result_tables import assess
from betapod.trials.operating.sizing import AS_WRITTEN, enlarged


@pytest.fixture(scope="module")
def run():
    trial = small.protocol(replicates="80")
    return conduct.conduct_trial(trial, pool=small.pool(trial))


@pytest.fixture(scope="module")
def made(run, tmp_path_factory):
    return make(run, tmp_path_factory.mktemp("report") / "new", ["report", "small"], quick=True)


@pytest.fixture(scope="module")
def page(made):
    return made.files[0].read_text(encoding="utf-8")


def test_known_effects_are_found(run, made) -> None:
    """Cells halve UACR in truth; a trial effect of 0.9 acts on everybody; nothing else happens."""
    a = made.assessment
    for design in ("single arm", "randomised"):
        assert a.result(design, "seed-claims")["truth"] == pytest.approx(math.log(0.5), abs=1e-6)
        assert a.result(design, "none")["truth"] == 0
    assert a.result("randomised", "seed-claims")["mean"] == pytest.approx(math.log(0.5), abs=0.06)
    assert a.result("randomised", "none")["mean"] == pytest.approx(0, abs=0.06)
    apparent = a.result("single arm", "none")["mean"]
    assert apparent < math.log(0.9)  # the trial effect and regression to the mean
    assert a.result("single arm", "seed-claims")["mean"] == pytest.approx(apparent + math.log(0.5), abs=0.02)


def test_parts_sum_to_the_observed_change(made) -> None:
    parts = made.assessment.parts
    for _, group in parts.groupby(["design", "scenario", "arm", "stratum"]):
        value = group.set_index("part")["mean"]
        assert value.drop("observed change").sum() == pytest.approx(value["observed change"], abs=1e-6)
    none = parts[(parts["scenario"] == "none") & (parts["stratum"] == "all") & (parts["design"] == "single arm")]
    value = none.set_index("part")["mean"]
    assert value["trial effect"] == pytest.approx(math.log(0.9), abs=0.03)
    assert value["regression to the mean"] < -0.05
    assert value["cells"] == 0


def test_evidence_of_reports(made) -> None:
    rows = made.assessment.evidence.set_index("design")
    single, controlled = rows.loc["single arm"], rows.loc["randomised"]
    assert controlled["ratio"] > 3 * single["ratio"]
    assert single["ratio_low"] <= single["ratio"] <= single["ratio_high"]
    assert controlled["reported_if_nothing"] < 0.1


def test_power_rises_and_enlarged_trials_keep_the_protocol(run) -> None:
    protocol = enlarged(run.protocol, 200, 40, samples=3)
    assert protocol is not None and protocol.size("randomised") == 200 and list(protocol.designs) == ["randomised"]
    assert all(each.samples == 3 for each in protocol.measurements.values())
    plain = enlarged(run.protocol, 200, 40)
    a = assess(run, {AS_WRITTEN: conduct.conduct_trial(plain, pool=run.pool)})
    curve = a.power[(a.power["scenario"] == "seed-claims") & (a.power["role"] == "primary")].sort_values("n")
    assert (np.diff(curve["smooth"]) > 0).all()
    assert (np.diff(curve["power"]) > -0.15).all() and curve["power"].iloc[-1] > 0.9
    need = a.sizes[(a.sizes["scenario"] == "seed-claims") & (a.sizes["role"] == "primary")].set_index("power")["n"]
    assert 10 < need[0.8] < need[0.9] < 400
    assert a.sizes[a.sizes["scenario"] == "none"]["n"].isna().all()


def test_answers(made) -> None:
    said = dict(answers.answer_questions(made.assessment, []))
    first = next(iter(said))
    assert "without a control group" in first and "40" in first
    assert "Regression to the mean" in said[first]
    assert any(question.startswith("How much evidence") for question in said)
    assert any("randomised trial of 40" in question for question in said)
    assert any(question.startswith("Which stratum gains more, early or late") for question in said)


def test_files(made) -> None:
    a = made.assessment
    names = {path.name for path in made.files}
    assert names == {
        "report.html",
        "dictionary.csv",
        *(f"{n}.{s}" for n in report_tables(a) for s in ("csv", "parquet")),
    }
    folder = made.files[0].parent / "data"
    import duckdb

    for name, table in report_tables(a).items():
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(table) and list(rows[0]) == list(table.columns)
        found = duckdb.sql(f"SELECT count(*) FROM '{folder / name}.parquet'").fetchall()
        assert found == [(len(table),)]
    with (folder / "dictionary.csv").open(encoding="utf-8", newline="") as file:
        described = {(row["table"], row["column"]) for row in csv.DictReader(file) if row["meaning"].strip(": ")}
    assert described == {(name, column) for name, table in report_tables(a).items() for column in table.columns}


def test_json_is_plain(made) -> None:
    document = report_as_dict(made.assessment, made.extra)
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again["protocol"] == "small" and again["replicates"] == 80
    assert {"results", "parts", "evidence", "power", "answers"} <= set(again)


def test_the_page_is_whole_and_offline(page: str) -> None:
    assert not re.search(r"<script|<link|src=|@import|url\(http", page)
    assert "no evidence that a treatment works" in page
    for text in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        assert 'aria-label="' in text and 'role="img"' in text
        ElementTree.fromstring(text.replace("xlink:href", "href"))
    body = page[page.index("<main>") : page.index("</main>") + 7]
    ElementTree.fromstring(body.replace("xlink:href", "href").replace("<br>", "<br/>"))
    anchors = set(re.findall(r'\bid="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
    ids = re.findall(r'\bid="([^"]+)"', page)
    repeated = {name for name in ids if ids.count(name) > 1}
    assert not repeated, sorted(repeated)[:5]


def test_every_axis_has_its_unit(page: str) -> None:
    """Labels of axes are the longest texts of a figure; matplotlib leaves each as a comment."""
    figures = re.findall(r'<figure id="figure-([^"]+)">.*?(<svg.*?</svg>)', page, flags=re.DOTALL)
    assert len(figures) >= 6
    for name, svg in figures:
        texts = [text.strip() for text in re.findall(r"<!--(.*?)-->", svg, flags=re.DOTALL)]
        units = [text for text in texts if re.search(r"\((?:%|months|mL|.*patients|percentage points)", text)]
        assert units or "patients randomised" in " ".join(texts), f"{name}: {texts}"


def test_no_raw_names_are_shown(page: str) -> None:
    visible = re.sub(r'<section id="dictionary-section".*?</section>', "", page, flags=re.DOTALL)
    drawn = " ".join(re.findall(r"<!--(.*?)-->", visible, flags=re.DOTALL))
    visible = re.sub(r"<style.*?</style>|<svg.*?</svg>", "", visible, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", visible[: visible.index('id="methods"')]) + drawn
    for raw in re.findall(r"\b[a-z]+_[a-z_]+\b|\bnan\b|\bNone\b|\bseed-claims\b|\bcurrent-evidence\b", text):
        pytest.fail(f"a raw name is shown: {raw}")


def test_the_same_run_gives_the_same_page(run, made, tmp_path) -> None:
    again = make(run, tmp_path, ["report", "small"], quick=True)
    assert again.files[0].read_bytes() == made.files[0].read_bytes()


def test_terminal_summary(made) -> None:
    header, rows = terminal_summary(made.assessment)
    assert len(rows) == 4 and all(len(row) == len(header) for row in rows)
    assert rows[0][:2] == ["single arm", "no benefit"]


def test_a_folder_that_cannot_be_made(run, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as caught:
        make(run, tmp_path / "file" / "below", quick=True)
    assert caught.value.kinds == ("cannot-write",)


def test_words() -> None:
    assert words.change("UACR", math.log(0.8)) == "\u221220\u00a0%"
    assert words.change("UACR", 0.0) == "0.0\u00a0%"
    assert words.change("EGFR", -3.25) == "\u22123.2\u00a0mL/min/1.73\u00a0m²"
    assert words.change("HBA1C", 0.004) == "0.00\u00a0percentage points"
    assert words.percent_text(0.004) == "under 1\u00a0%" and words.percent_text(0.9999) == "over 99\u00a0%"
    assert words.percent_text(0.0) == "0\u00a0%" and words.percent_text(math.nan) == "\u2013"
    assert words.p_value(0.00001) == "< 0.001" and words.p_value(0.04) == "0.040"
    assert tidy("95 % of\x07 ten") == "95\u00a0% of ten"


def test_harms_of_every_group_stand_side_by_side(made) -> None:
    section = harms_section(made.assessment)
    assert section is not None
    (table,) = section.tables
    assert table.header[-3:] == ["risk ratio", "difference", "95 % of trials"]
    groups = {
        event: [row[1] for row in table.rows if row[0] == event] for event in dict.fromkeys(r[0] for r in table.rows)
    }
    assert "Fever" in groups and "Serious infection" in groups
    assert all(len(names) == 2 for names in groups.values())
    # The control of this trial is not infused, and the section says so.
    assert any("no infusions" in text for text in section.paragraphs)
