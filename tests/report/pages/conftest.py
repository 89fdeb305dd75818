"""A browser for the tests of pages, and what axe-core finds wrong with a page. Skips, saying so, where there is no Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from betapod import write_explorer

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)

#: Looks for what is cut off or lies on something else; everything folded is opened first.
LOOK = """() => {
  document.querySelectorAll("details").forEach(d => d.open = true);
  const found = {width: document.documentElement.scrollWidth, wide: [], on: [], labels: 0};
  for (const e of document.querySelectorAll("p, h1, h2, h3, figure, figcaption, dt, dd, summary, .scroll, .formula, .controls > div, .verdict")) {
    const r = e.getBoundingClientRect();
    if (r.width && (r.right > innerWidth + 1 || r.left < -1)) found.wide.push(e.tagName + " " + e.textContent.slice(0, 40));
  }
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('g[id*="text_"], text')].filter(t => !t.parentElement.closest('g[id*="text_"]'));
    const labels = texts.map(t => [t.id || t.textContent, t.getBoundingClientRect()]).filter(x => x[1].width > 0);
    found.labels += labels.length;
    for (const [name, r] of labels)
      if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.top < frame.top - 1 || r.bottom > frame.bottom + 1) found.on.push(name + " leaves its figure");
    for (let i = 0; i < labels.length; i++) for (let j = 0; j < i; j++) {
      const a = labels[i][1], b = labels[j][1];
      const w = Math.min(a.right, b.right) - Math.max(a.left, b.left), h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (w > 1 && h > 1) found.on.push(labels[i][0] + " on " + labels[j][0]);
    }
  }
  return found;
}"""


#: Leaves of a page what lies within a selector, what that stands in, and styles: axe-core reads all of a page, whatever it is asked of.
LEAVE = """(selector) => {
  const kept = [...document.querySelectorAll(selector)];
  for (const part of kept)
    for (let e = part; e !== document.body; e = e.parentElement)
      for (const other of [...e.parentElement.children])
        if (!kept.some(one => other.contains(one)) && !["STYLE", "SCRIPT"].includes(other.tagName)) other.remove();
}"""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, headless; the same for all tests."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> BrowserContext:
    """One window of the browser, whose first tab stays open: a window for each page costs half a second of processor time, a tab a tenth."""
    context = browser.new_context()
    context.new_page()
    return context


@pytest.fixture(scope="session")
def explorer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The explorer as one file."""
    return write_explorer(tmp_path_factory.mktemp("explorer") / "explorer.html")


@pytest.fixture
def visit(window: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Open a file, at an address within it, in a window of a width (px), light or dark; at the end nothing may have gone wrong or been asked of a network."""
    opened: list[Page] = []
    wrong: list[str] = []
    heard: dict[str, Callable[[Any], None]] = {
        "pageerror": lambda error: wrong.append(str(error)),
        "console": lambda message: wrong.append(message.text) if message.type == "error" else None,
        "request": lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else wrong.append(asked.url),
    }

    def go(file: Path, width: int = 1280, scheme: str = "light", address: str = "") -> Page:
        page: Any = window.new_page() if opened else window.pages[0]
        opened.append(page)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        for event, listener in heard.items():
            page.on(event, listener)
        page.goto(f"{file.as_uri()}#{address}" if address else file.as_uri())
        return page

    yield go
    for page in opened[1:]:
        page.close()
    for first in opened[:1]:
        for event, listener in heard.items():
            first.remove_listener(event, listener)
        first.evaluate("sessionStorage.clear()")
        first.emulate_media(media="null")
        first.goto("about:blank")
    assert wrong == []


@pytest.fixture(scope="session")
def findings() -> Callable[..., list[str]]:
    """Return what axe-core finds wrong with a page, of whatever weight: rule, weight, place. Rules may be chosen by name, and a part of the page.

    Pictures without letters, thousands of lines each, are emptied first; their text alternatives stay.
    """

    def find(page: Page, *rules: str, within: str | None = None) -> list[str]:
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.evaluate("document.querySelectorAll('svg:not(:has(text))').forEach(s => s.replaceChildren())")
        if within is not None:
            page.evaluate(LEAVE, within)
        options: dict[str, object] = {"resultTypes": ["violations"]}
        options |= {"runOnly": list(rules)} if rules else {}
        found = Axe().run(page, context=within, options=options).response
        assert found["passes"] or found["violations"], "axe-core examined nothing"
        return [
            f"{one['id']} ({one['impact']}): {node['target'][0]}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    return find


@pytest.fixture(scope="session")
def misplaced() -> Callable[[Page], list[str]]:
    """Return what is wider than the window, leaves its picture or lies on another label."""

    def find(page: Page) -> list[str]:
        found = page.evaluate(LOOK)
        width = page.viewport_size["width"]
        too_wide = [f"the page is {found['width']} px wide"] if found["width"] > width else []
        return [*too_wide, *found["wide"], *found["on"]]

    return find
