"""The view of the server: from the page to a finished trial, by keyboard too; the page as a file has no such view and asks nobody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from served import SMALL, Served

pytest.importorskip("fastapi", reason="the extra server is not installed")
pytest.importorskip("uvicorn", reason="the extra server is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that asks for a token, as one at another address does."""
    served = Served(tmp_path_factory.mktemp("served") / "runs", "--threads", "1", "--token")
    yield served
    assert served.stop()[0] == 0


@pytest.fixture
def page(server: Served, window: BrowserContext) -> Iterator[Page]:
    """The page as the server gives it; at the end nothing went wrong, and nobody else was asked."""
    opened = window.new_page()
    opened.set_viewport_size({"width": 1280, "height": 900})
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda asked: wrong.append(asked.url) if not own(asked.url, server) else None)
    opened.goto(f"{server.address}#token={server.token}", timeout=120_000)
    opened.wait_for_selector("#explorer:not([hidden])", timeout=120_000)
    yield opened
    opened.close()
    assert wrong == []


def own(address: str, server: Served) -> bool:
    return address.startswith((server.address, "data:", "blob:"))


def opened_view(page: Page) -> None:
    page.click('nav a[data-view="server"]')
    page.wait_for_selector("#server-protocol option", state="attached", timeout=120_000)
    expect(page.locator("#server-text")).to_have_value(re.compile("designs:"), timeout=60_000)


def test_from_the_page_to_a_finished_trial(page: Page, server: Served, findings: Callable[..., list[str]]) -> None:
    assert server.token not in page.url, "the token would go along with a copied link"
    opened_view(page)
    assert page.locator("#server-asked .problem").count() == 0
    # What is wrong is told with its line, and nothing is begun.
    page.fill("#server-text", SMALL.replace("SGLT2 inhibitor", "SGLT3 inhibitor"))
    page.fill("#server-replicates", "")
    page.focus("#server-check")
    page.keyboard.press("Enter")
    problem = page.locator("#server-said .problem")
    expect(problem).to_contain_text("protocol.yaml:7:", timeout=60_000)
    expect(problem.locator("pre")).to_contain_text("^")
    page.fill("#server-text", SMALL)
    page.focus("#server-run")
    page.keyboard.press("Enter")
    entry = page.locator("#server-trials li")
    expect(entry).to_have_attribute("data-state", "complete", timeout=120_000)
    page.get_by_role("button", name="Show: A small trial").press("Enter")
    expect(page.locator("#server-result")).to_contain_text("treated against control", timeout=30_000)
    expect(page.locator("#server-result #run-comparisons tbody tr")).to_have_count(1)
    assert page.evaluate("document.activeElement.textContent") == "A small trial"
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the folder: A small trial").press("Enter")
    assert download.value.suggested_filename.endswith(".zip")
    assert Path(download.value.path()).read_bytes().startswith(b"PK")
    assert findings(page) == []
    # Another visit finds it again.
    page.reload()
    opened_view(page)
    expect(page.locator("#server-trials li")).to_have_attribute("data-state", "complete")


def test_models_evidence_and_labs(page: Page, findings: Callable[..., list[str]]) -> None:
    opened_view(page)
    page.evaluate("document.querySelectorAll('#view-server details').forEach((one) => { one.open = true; })")
    page.click("#server-simulate")
    expect(page.locator("#server-model figure")).to_have_count(2, timeout=60_000)
    assert "days" not in page.inner_text("#server-model figure >> nth=0")
    page.fill("#server-equations", "dA/dt = -kk*A  [mg/day]  amount\nA(0) = A0  [mg]\n")
    page.click("#server-assemble")
    expect(page.locator("#server-model .problem")).to_contain_text("model.txt:1:10", timeout=60_000)
    page.select_option("#server-product", "UC-MSC")
    page.select_option("#server-endpoint", "HbA1c")
    page.click("#server-pool")
    expect(page.locator("#server-pooled .big")).to_contain_text("%", timeout=60_000)
    page.click("#server-patient")
    expect(page.locator("#server-answer .problem")).to_contain_text("No labs were typed yet", timeout=60_000)
    page.evaluate("location.hash = 'v=labs&age=61&egfr=52&uacr=380&takes=ACE inhibitor&try=SGLT2 inhibitor'")
    page.wait_for_selector("#lab-like p", timeout=120_000)
    page.click('nav a[data-view="server"]')
    page.click("#server-patient")
    expect(page.locator("#server-answer ol li")).to_have_count(6, timeout=120_000)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert findings(page) == []


def test_the_page_as_a_file_asks_no_server(explorer_file: Path) -> None:
    text = explorer_file.read_text(encoding="utf-8")
    assert 'id="view-server"' not in text and "connect-src" not in text
    assert "nothing is sent anywhere" in text
