"""The checks of pages can fail: each is shown a page with the fault that it looks for."""

from __future__ import annotations

from pathlib import Path

import pytest

HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title></head><body><main><h1>A page</h1>'
)


def made(folder: Path, body: str) -> Path:
    file = folder / "page.html"
    file.write_text(f"{HEAD}{body}</main></body></html>", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('<p style="color: #bbb; background: #fff">Pale words.</p>', "color-contrast"),
        ('<input type="text">', "label"),
        (
            '<div style="overflow: auto; width: 9rem"><table><tr><td style="min-width: 90rem">A<td>B</table></div>',
            "scrollable-region-focusable",
        ),
        ('<svg role="img" width="9" height="9"></svg>', "svg-img-alt"),
    ],
)
def test_axe_sees_faults(visit, findings, tmp_path: Path, body: str, rule: str) -> None:
    page = visit(made(tmp_path, body))
    assert [one.split()[0] for one in findings(page)] == [rule]
    assert findings(page, "document-title") == []


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('<div style="width: 60rem">Wide.</div>', "px wide"),
        ('<p style="position: absolute; left: 380px; width: 5rem">Beside.</p>', "P Beside"),
        ('<svg width="90" height="40"><text x="70" y="20">leaving</text></svg>', "leaves its figure"),
        ('<svg width="90" height="40"><text x="0" y="20">one</text><text x="3" y="22">two</text></svg>', "two on one"),
    ],
)
def test_misplaced_things_are_seen(visit, misplaced, tmp_path: Path, body: str, word: str) -> None:
    assert any(word in one for one in misplaced(visit(made(tmp_path, body), 390)))


def test_a_plain_page_is_in_order(visit, findings, misplaced, tmp_path: Path) -> None:
    page = visit(made(tmp_path, "<p>Words.</p>"), 390)
    assert findings(page) == [] and misplaced(page) == []
