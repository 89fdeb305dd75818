"""The view of the mechanism: the page computes every equation as the package does, and parts of a change sum to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from explorer_modules import in_node
from playwright.sync_api import Page

from betapod.explorer.explorer_mechanism import explorer_mechanism
from betapod.explorer.explorer_people import shipped_people
from betapod.model.algebra.expression import evaluate
from betapod.physiology import whole_body

Visit = Callable[..., Page]
CELLS = '[{},{"drugs":["SGLT2 inhibitor"],"cells":"UC-MSC 1e6/kg iv x3 q28d","scenario":"seed-claims"}]'


@pytest.fixture(scope="module")
def book() -> dict[str, Any]:
    return explorer_mechanism()


def test_every_equation_is_computed_as_in_the_package(book: dict[str, Any], tmp_path: Path) -> None:
    """In three people: the sum of the terms is the quantity, and of a state its rate per day."""
    model = whole_body.named_model("reference")
    cases = []
    for person in shipped_people()["people"][::5]:
        own = model.with_values(person["values"])
        values = {**own.values(), **person["state"], "t": 0.0}
        values |= {name: float(value) for name, value in own.evaluate(list(own.assignments), person["state"]).items()}
        rates = evaluate([state.local_rate for state in own.states], values)
        expected = {
            **{name: values[name] for name in own.assignments},
            **dict(zip(own.state_names, rates, strict=True)),
        }
        cases.append({"values": values, "expected": expected})
    script = """
const { book, cases } = content;
console.log(JSON.stringify(cases.map(({ values }) => Object.fromEntries(book.quantities.filter((one) => one.terms.length).map((one) => [one.name,
  one.factor * one.terms.reduce((sum, term) => sum + term.sign * formulaValue(term.formula, (name) => values[name], book.functions), 0)])))));
"""
    answers = in_node(script, {"book": book, "cases": cases}, tmp_path, "formulas")
    assert len(answers) == len(cases) > 2
    for answer, case in zip(answers, cases, strict=True):
        assert len(answer) > 0.99 * len(case["expected"])
        for name, value in answer.items():
            # A rate near 0 is a difference of terms near 1, which are added in another order.
            assert value == pytest.approx(case["expected"][name], rel=1e-9, abs=1e-13), name


@pytest.mark.parametrize("count", [1, 4, 11])
def test_shares_of_parts_sum_to_the_whole(count: int, tmp_path: Path) -> None:
    """Of a sum with joint effects: few parts get half of each pair that they are in, and many still sum to the whole."""
    script = """
const weights = Array.from({ length: content }, (_, i) => (i + 1) ** 2);
const valueOf = (bits) => {
  const on = weights.filter((_, i) => bits & (2 ** i));
  return 5 + on.reduce((a, b) => a + b, 0) + on.reduce((sum, a, i) => sum + on.slice(i + 1).reduce((s, b) => s + a * b, 0), 0);
};
const needed = new Set(combinationsOf(content));
const shares = shapleyValues(content, (bits) => { if (!needed.has(bits)) throw new Error("not said to be needed"); return valueOf(bits); });
console.log(JSON.stringify({ shares, total: valueOf(2 ** content - 1) - valueOf(0), weights }));
"""
    answer = in_node(script, count, tmp_path, "attribution")
    assert sum(answer["shares"]) == pytest.approx(answer["total"], rel=1e-12)
    if count < 8:
        weights = answer["weights"]
        halves = [w * (1 + (sum(weights) - w) / 2) for w in weights]
        assert answer["shares"] == pytest.approx(halves, rel=1e-12)


def opened(visit: Visit, file: Path, address: str, width: int = 1280) -> Page:
    page = visit(file, width, address=f"v=mechanism&{address}")
    page.wait_for_selector("#quantity-title")
    return page


def test_parts_of_a_change_sum_to_it_in_the_page(
    explorer_file: Path, visit: Visit, findings: Callable[..., list[str]]
) -> None:
    page = opened(visit, explorer_file, f"p=t2d_ckd&y=2&o=UACR&s={CELLS}&q=UACR&w=1&t=2")
    page.wait_for_selector("#why-parts", timeout=90_000)
    shares = [float(cell.get_attribute("data-share") or "nan") for cell in page.locator("td[data-share]").all()]
    total = float(page.get_attribute("td[data-total]", "data-total") or "nan")
    assert len(shares) >= 4 and sum(shares) == pytest.approx(total, rel=1e-9)
    labels = page.inner_text("#why-parts")
    assert "cells:" in labels and "SGLT2 inhibitor" in labels
    assert findings(page) == []
    page.click('nav a[data-view="person"]')
    with page.expect_download() as download:
        page.click("#person-csv")
    last = Path(download.value.path()).read_text(encoding="utf-8").strip().splitlines()[-1].split(",")
    # The same difference as between the courses of the two plans, to the accuracy of the integration.
    assert total == pytest.approx(float(last[2]) - float(last[1]), rel=1e-3)


def test_what_moved_a_state_adds_up(explorer_file: Path, visit: Visit, book: dict[str, Any]) -> None:
    page = opened(visit, explorer_file, "p=t2d_ckd_a3&y=10&s=[{}]&q=effacement&w=0&t=10")
    entry = next(one for one in book["quantities"] if one["name"] == "effacement")
    rows = page.locator("#terms tbody tr").all_inner_texts()
    assert len(rows) == len(entry["terms"]) + 2
    numbers = [float(row.split("\t")[-1].replace("\u2212", "-")) for row in rows]
    assert abs(numbers[-2]) < 0.01 * abs(numbers[-1]) and sum(numbers[:-1]) == pytest.approx(numbers[-1], rel=2e-3)


@pytest.mark.parametrize("width", [390, 1280])
def test_quantities_are_reached_by_keyboard(
    width: int, explorer_file: Path, visit: Visit, book: dict[str, Any]
) -> None:
    page = opened(visit, explorer_file, "q=GFR", width)
    entries = {one["name"]: one for one in book["quantities"]}
    read = next(name for name in entries["GFR"]["reads"] if name in entries)
    page.focus(f"#graph .from a:has-text('{read}')")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#quantity-title:has-text('{read}: ')")
    assert page.locator("#graph .to a").count() == sum(read in one["reads"] for one in entries.values())
    page.focus("#mech-quantity")
    row = next(one for one in book["parameters"] if one["source"] and one["locator"] and one["kind"] == "parameter")
    page.keyboard.type(row["name"])
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#quantity-title:has-text('{row['name']}: ')")
    text = page.inner_text("#quantity")
    assert row["role"] in text and row["locator"] in text and f"grade {row['grade']}" in text
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert f"q={row['name']}" in page.url
