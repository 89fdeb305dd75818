"""The views of claims and of evidence: what the package judges and compares, on telephones and desktops, by keyboard alone."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from betapod.claims.ledger import judge_ledger
from betapod.explorer.explorer_claims import explorer_claims, no_effect, tried_plans
from betapod.explorer.explorer_page import VIEWS
from betapod.trust.trust_rows import trust_rows

Visit = Callable[..., Page]


def opened(visit: Visit, file: Path, address: str, width: int = 1280, scheme: str = "light") -> Page:
    """Open the page at an address of it, and wait until it is there."""
    page = visit(file, width, scheme, address=address)
    page.wait_for_selector("#explorer:not([hidden])")
    return page


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_layout_and_access_of_every_view(
    view: str, width: int, scheme: str, explorer_file: Path, visit: Visit, findings: Callable[..., list[str]]
) -> None:
    page = opened(visit, explorer_file, f"v={view}", width, scheme)
    assert page.get_attribute(f'nav a[data-view="{view}"]', "aria-current") == "page"
    assert page.locator("section.view:not([hidden])").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert findings(page) == []


def test_every_claim_has_its_verdict_in_the_page(explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, "v=claims")
    ledger = judge_ledger()
    items = page.locator("#claims-list li").all_inner_texts()
    assert len(items) == len(ledger)
    for text, entry in zip(items, ledger, strict=True):
        assert entry.claim.id in text and entry.verdict.verdict in text and entry.claim.claim in text
    verdict = ledger[0].verdict.verdict
    page.select_option("#claim-verdict", verdict)
    alike = [entry.claim.id for entry in ledger if entry.verdict.verdict == verdict]
    assert page.locator("#claims-list li").count() == len(alike)
    assert f"verdict={verdict.split()[0]}" in page.url


@pytest.mark.parametrize("width", [390, 1280])
def test_a_claim_is_read_and_tried_by_keyboard(width: int, explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, "v=claims", width)
    entry = next(
        entry for entry in judge_ledger() if entry.claim.about == "cells" and tried_plans(entry.claim.outcomes)
    )
    page.focus("#claim-words")
    page.keyboard.type(entry.claim.claim[:30])
    expect(page.locator("#claims-list li")).to_have_count(1)
    page.focus("#claims-list a")
    page.keyboard.press("Enter")
    page.wait_for_selector("#claim-title:focus")
    text = page.inner_text("#claim")
    for words in (entry.claim.claim, entry.verdict.because[1:], entry.claim.change, entry.claim.mechanism):
        assert words in text
    for reply in entry.replies:
        assert reply.question.text in text
    assert page.locator("#claim .picture svg").count() == 1
    page.focus("#claim a.button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#view-person:not([hidden])")
    tried = tried_plans(entry.claim.outcomes)
    assert tried is not None and page.input_value("#person") == tried["person"]
    assert page.inner_text("#charts figcaption >> nth=0").startswith(tried["output"])
    assert "as claimed" in page.inner_text("#legend")


def test_plans_of_claims_can_all_be_simulated(explorer_file: Path, visit: Visit) -> None:
    """Every plan that is offered runs in the page, and the one that is claimed differs from what it is compared with."""
    page = opened(visit, explorer_file, "v=claims")
    offered = [claim["id"] for claim in explorer_claims()["claims"] if claim["plans"]]
    assert len(offered) > 20
    for name in offered[::6]:
        page.goto(f"{explorer_file.as_uri()}#v=claims&c={name}")
        page.wait_for_selector(f"#claim .top:has-text('{name} ')")
        page.click("#claim a.button")
        page.wait_for_selector("#view-person:not([hidden])")
        assert page.locator("#notes .problem").count() == 0, (name, page.inner_text("#notes"))
        lines = page.locator("#charts figure").first.locator("path.line")
        assert lines.count() >= 2
        assert all(lines.nth(k).get_attribute("d") for k in range(lines.count())), name


def test_published_numbers_are_those_of_the_table_of_trust(explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, "v=evidence")
    rows = [row for row in trust_rows() if row.scenario in ("", "current-evidence")]
    inside = sum(row.inside for row in rows)
    assert page.inner_text("#rows-count").startswith(f"{inside} of {len(rows)} published numbers")
    page.select_option("#row-fitted", "no")
    page.select_option("#row-topic", "albuminuria")
    kept = [row for row in rows if not row.fitted and row.topic == "albuminuria"]
    assert page.inner_text("#rows-count").startswith(f"{sum(row.inside for row in kept)} of {len(kept)} ")
    with page.expect_download() as download:
        page.click("#evidence-csv")
    with Path(download.value.path()).open(encoding="utf-8", newline="") as file:
        saved = list(csv.DictReader(file))
    assert sorted(row["id"] for row in saved) == sorted(row.record for row in kept)
    by_id = {row.record: row for row in kept}
    assert all(float(row["high"]) == by_id[row["id"]].high for row in saved)
    assert "topic=albuminuria" in page.url and "fitted=no" in page.url
    again = opened(visit, explorer_file, page.url.partition("#")[2])
    assert again.inner_text("#rows-count") == page.inner_text("#rows-count")


@pytest.mark.parametrize("width", [390, 1280])
def test_evidence_is_read_by_keyboard(width: int, explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, "v=evidence", width)
    page.focus("#row-words")
    page.keyboard.type("UACR")
    expect(page.locator("#rows li").first).to_contain_text("UACR")
    assert page.locator("#rows li").count() > 3
    assert all("uacr" in text.lower() for text in page.locator("#rows li p.top").all_inner_texts())
    page.locator("#rows summary").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#rows details[open]")
    assert "As printed" in page.inner_text("#rows details[open]")
    page.fill("#row-words", "")
    page.focus("#rows-more")
    before = page.locator("#rows li").count()
    page.keyboard.press("Enter")
    expect(page.locator("#rows li")).not_to_have_count(before)
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_answers_of_claims_lead_to_their_studies(explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, "v=claims")
    compared = {row.study for row in trust_rows()}
    name, study = next(
        (entry.claim.id, study)
        for entry in judge_ledger()
        for reply in entry.replies
        for study in reply.studies
        if study in compared
    )
    page.goto(f"{explorer_file.as_uri()}#v=claims&c={name}")
    page.click(f"#claim .replies a:text-is('{study}')")
    page.wait_for_selector("#view-evidence:not([hidden])")
    assert page.input_value("#row-study") == study
    assert all(text.startswith(study) for text in page.locator("#rows li p.top").all_inner_texts())


def test_answers_are_drawn_beside_no_effect() -> None:
    """What a pooled answer is held against is what it was judged by: an answer for or against lies on one side of it."""
    drawn = 0
    for entry in judge_ledger(run=False):
        for reply in entry.replies:
            null = no_effect(reply)
            if (
                null is None
                or reply.ci is None
                or reply.answer not in ("for", "short")
                or reply.question.expects == "within"
            ):
                continue
            drawn += 1
            assert not reply.ci[0] < null < reply.ci[1], (entry.claim.id, reply.question.text)
    assert drawn > 10
