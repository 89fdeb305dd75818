"""The page and the printed document of one person: made-up numbers, so that nothing is simulated."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup

from betapod.base.errors import ConfigError
from betapod.report.patient.patient_contents import patient_contents
from betapod.report.patient.patient_page import render_patient_page, write_patient_pdf
from betapod.twins.equations_beside import equation_risks
from betapod.twins.like_people import LikePeople
from betapod.twins.option_labs import labs_from_options
from betapod.twins.option_outcomes import CourseBands, OptionOutcome, OptionOutcomes
from betapod.twins.patient_forecast import PatientForecast

FACTS = {"betapod": "0.1.0", "command": "betapod patient --age 61"}
YEARS = tuple(np.arange(0.0, 5.5, 0.5))


def outcome(name: str, loss: float, scenario: str = "") -> OptionOutcome:
    """Return an option under which everybody loses so much eGFR a year."""
    middle = 52.0 - loss * np.array(YEARS)
    bands = tuple(tuple(middle + shift) for shift in (-8.0, 0.0, 9.0))
    at = {
        span: (52.0 - loss * span - 8.0, 52.0 - loss * span, 52.0 - loss * span + 9.0) for span in (0.0, 1.0, 3.0, 5.0)
    }
    uacr = {span: (120.0, 380.0 + 20 * span, 900.0) for span in at}
    course = CourseBands(YEARS, bands, tuple(tuple(np.full(len(YEARS), level)) for level in (120.0, 380.0, 900.0)))
    return OptionOutcome(
        name, name.partition(";")[0], scenario, at, uacr, {2.0: 0.0, 5.0: 0.03}, 0.02, 0.12, 0.1, 0.7, 0.05, 0.4, (-2.0, 3.0, 7.0), 0.98, course
    )  # fmt: skip


@pytest.fixture(scope="module")
def forecast() -> PatientForecast:
    labs = labs_from_options(
        {"age": 61, "egfr": 52, "uacr": "43 mg/mmol", "hba1c": 8.4},
        "male",
        "2",
        ["ramipril", "<script>alert(1)</script> & statin"],
    )
    like = LikePeople(np.ones(4) / 4, 92.0, 1.0, {"egfr": (52.0, 52.3, 46.0, 58.0)}, {"metformin": 0.6})
    options = (
        outcome("as now", 3.0),
        outcome("SGLT2 inhibitor", 2.0),
        outcome("UC-MSC 1e6/kg iv x3 q28d; no benefit", 3.0, "none"),
    )
    equations = equation_risks(labs, {2.0: 0.0, 5.0: 0.2}, math.nan)
    return PatientForecast(labs, like, OptionOutcomes(options, 300, 120, 0), equations, ("not known: type of diet",))


def test_the_page_has_every_word_and_number_of_the_answer(forecast: PatientForecast) -> None:
    page, contents = (
        render_patient_page(forecast, "Of 25 published numbers 7 lie inside.", FACTS),
        patient_contents(forecast),
    )
    plain = re.sub(r"\s+", " ", page.replace("&#39;", "'").replace("\u00a0", " "))
    for text in (
        *contents.sentences,
        "KDIGO G3aA3",
        "Of 25 published numbers 7 lie inside.",
        "not known: type of diet",
        "DIFFERS",
    ):
        assert re.sub(r"\s+", " ", text) in plain, text
    assert "No medical device" in page and "betapod patient --age 61" in page
    # Nothing is loaded from anywhere, and what the user typed is text.
    assert (
        not re.search(r'(?:src|href)="(?!#)', page) and "<script>alert" not in page and "&lt;script&gt;alert(1)" in page
    )
    assert page.count("<script") == 1 and page.count("<svg") == 1


def test_the_numbers_of_the_page_are_those_of_the_document(forecast: PatientForecast) -> None:
    page = render_patient_page(forecast, "", FACTS)
    found = re.search(r'id="person-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    assert data["person"]["drugs"][1] == "<script>alert(1)</script> & statin"
    assert (
        data["options"][1]["egfr"]["5.0"] == pytest.approx([34.0, 42.0, 51.0])
        and data["options"][1]["course"]["years"][-1] == 5.0
    )
    # What is not known is null, and no word that JSON does not have.
    assert data["equations"][-1]["model"] is None and "NaN" not in found[1]


def test_something_that_lives_has_its_place_before_the_numbers(forecast: PatientForecast) -> None:
    assert 'id="live"' not in render_patient_page(forecast, "", FACTS)
    page = render_patient_page(forecast, "", FACTS, live=Markup("<p>sliders</p>"))
    assert page.index("<p>sliders</p>") < page.index("<h2>Options</h2>")
    assert "&lt;p&gt;" in render_patient_page(forecast, "", FACTS, live="<p>")


def test_the_printed_document_is_the_same_every_time(forecast: PatientForecast, tmp_path: Path) -> None:
    first, second = (
        write_patient_pdf(forecast, tmp_path / name, "trust", FACTS).read_bytes() for name in ("a.pdf", "b.pdf")
    )
    assert first.startswith(b"%PDF") and first == second
    assert len(re.findall(rb"/Type /Page\b", first)) == 2
    with pytest.raises(ConfigError):
        write_patient_pdf(forecast, tmp_path / "no" / "c.pdf", "", FACTS)
