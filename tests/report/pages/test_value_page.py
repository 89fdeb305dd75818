"""The report of a comparison, from made-up numbers: its words, its files, and the page in a real browser."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from small_values import RUN, made_up, without

from betapod.base.errors import ConfigError
from betapod.report.common.document import tidy
from betapod.report.value.value_brief import main_facts, main_message, value_questions
from betapod.report.value.value_page import write_value_report

#: Text of others that would harm a page or a figure if it were not kept as text.
STRANGE = "<b>$x$ & \u202e"


@pytest.fixture(scope="module")
def result():
    return made_up(draws=120, structures=("own",))


@pytest.fixture(scope="module")
def files(result, tmp_path_factory) -> list[Path]:
    return write_value_report(result, tmp_path_factory.mktemp("value") / "new", {"betapod": "made-up"})


@pytest.fixture(scope="module")
def html(files) -> str:
    return files[0].read_text(encoding="utf-8")


def test_the_first_sentence_is_the_answer(result, html) -> None:
    text = main_message(result)
    assert text.startswith("At 50\u202f000\u00a0EUR of 2024 for a QALY, a course of cells is worth at most ")
    assert "if cells do what controlled trials support" in text and "if cells do all that is claimed for them" in text
    assert tidy(text) in html
    assert "no evidence that a treatment works" in html


def test_cells_that_do_harm_are_worth_nothing_even_if_free(result) -> None:
    qalys = {name: values.copy() for name, values in result.qalys.items()}
    for values in qalys.values():
        values[1] = values[0] - 1.0
    text = main_message(without(result, qalys=qalys))
    assert "worth nothing, not even if it were free, if cells do what controlled trials support" in text


def test_without_a_country_the_page_says_so() -> None:
    result = made_up(draws=40, costs=False, structures=("own",))
    assert "EUR" not in main_message(result) and "No country was named" in " ".join(main_facts(result))
    answers = dict(value_questions(result))
    assert "Savings elsewhere are not in it" in answers["What may a course of cells cost?"]
    assert "Does the answer hang on the equations for events?" not in answers


def test_a_gain_within_chance_is_said_to_be_none(result) -> None:
    errors = {
        name: {**by_name, "incremental_qalys": by_name["incremental_qalys"] + 0.05}
        for name, by_name in result.monte_carlo.items()
    }
    answer = dict(value_questions(without(result, monte_carlo=errors)))["How much of this is chance of the simulation?"]
    assert answer.count("cannot be told from nothing") == 1


def test_every_section_and_figure_stands_once(html) -> None:
    for name in ("health", "prices", "choice", "movers", "information", "events", "items", "people", "scenarios", "budget", "missing", "parameters", "cheers", "diabetes"):  # fmt: skip
        assert html.count(f'id="{name}-section"') == 1, name
    figures = re.findall(r'<figure id="figure-([^"]+)"', html)
    assert len(figures) == len(set(figures)) > 10
    assert not re.search(r'(?:src|href)="(?!#)', html)
    assert not re.search(r"\bnan\b", re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL), re.IGNORECASE)


def test_tables_are_written_as_numbers(files) -> None:
    tables = {path.stem: path for path in files if path.suffix == ".csv"}
    assert len(tables) == len(files) - 1 > 18
    with next(path for name, path in tables.items() if name.startswith("prices")).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 and all(float(row["price of a course (EUR of 2024)"]) > 0 for row in rows)


def test_text_of_others_is_text(tmp_path) -> None:
    result = made_up(draws=40, structures=("own",))
    names = (STRANGE, *result.strategies[1:])
    odd = without(
        result, strategies=names, comparator=STRANGE, run={**RUN, "title": STRANGE, "strategies": {}}, missing=(STRANGE,), one_way={}, drawn={}, person_qalys={}, events={}, yearly_costs={}
    )  # fmt: skip
    html = write_value_report(odd, tmp_path / "odd", {"run": STRANGE})[0].read_text(encoding="utf-8")
    assert "<b>" not in html and "&lt;b&gt;$x$ &amp;" in html


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    bare = without(
        made_up(draws=40, costs=False, structures=("own",)),
        one_way={},
        drawn={},
        person_qalys={},
        events={},
        cell_courses=None,
    )
    with pytest.raises(ConfigError, match="cannot make the folder"):
        write_value_report(bare, tmp_path / "taken", {})


def test_it_is_read_on_a_telephone_and_a_desk(visit, misplaced, findings, files) -> None:
    page = visit(files[0], 390)
    assert misplaced(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    assert misplaced(page) == []
    assert page.locator('svg g[id*="text_"]').count() > 80
    assert findings(page) == []
