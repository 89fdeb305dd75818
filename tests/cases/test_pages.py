"""Other people's texts in every kind of page are texts: names, labels and notes of models, studies, claims."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import confronted
import pytest
from markupsafe import escape

import betapod
from betapod.claims.ledger import judge_ledger
from betapod.cli.shared import model_from
from betapod.report.claims import claims_page as ledger_page
from betapod.report.predictions import predictions_page as confront_page
from betapod.report.predictions import predictions_view as confront_view
from betapod.validation.predictions.campaign import Confrontation

EVIL = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "{{7*7}}",
    "\"double\" & 'single'",
    "]]> -->",
)
SRC = Path(betapod.__file__).parent


@pytest.mark.parametrize("evil", EVIL)
def test_a_model_page_escapes_labels_and_notes(evil: str, tmp_path: Path) -> None:
    quoted = evil.replace('"', '""')
    (tmp_path / "m.txt").write_text(f"dC/dt = -k*C [mg/L/day]   level {evil}\nC(0) = C0 [mg/L]\n", encoding="utf-8")
    (tmp_path / "m.csv").write_text(
        "id,label,value,unit,low,high,distribution,role,source,locator,grade,note\n"
        f'k,"rate {quoted}",1,1/day,0.5,2,lognormal,assumed,,"{quoted}",D,"{quoted}"\n'
        "C0,level at the start,1,mg/L,0.5,2,lognormal,assumed,,,D,\n",
        encoding="utf-8",
    )
    page = betapod.render(model_from(str(tmp_path / "m.txt")), "html")
    assert "<img" not in page and page.count("<script") == page.count("</script") == 1, "the search is the page's own"
    body = page[page.index("<body>") : page.index("</body>") + 7]
    text = "".join(ElementTree.fromstring(body).itertext())
    assert text.count(evil) >= 4


def test_no_page_is_escaped_by_hand() -> None:
    """Pages are made by templates with autoescape, or by the engine's own Markup; nothing is marked safe in a template."""
    for path in [*SRC.rglob("*.py"), *SRC.rglob("*.jinja")]:
        text = path.read_text(encoding="utf-8")
        where = path.relative_to(SRC).as_posix()
        if path.suffix == ".jinja":
            assert not re.search(r"\|\s*safe|autoescape false", text), where
        elif not where.startswith("exchange/"):
            assert "html.escape" not in text and "from html import" not in text, where
            for place in re.finditer(r"\bEnvironment\(", text):
                assert "autoescape=True" in text[place.start() : place.start() + 300], where
            assert not re.search(r"Markup\(f[\"']", text), where


def everything(entry: Any, evil: str) -> Any:
    """The same entry of the ledger with `evil` as every text that another could have written."""
    replies = tuple(
        dataclasses.replace(reply, question=dataclasses.replace(reply.question, text=evil)) for reply in entry.replies
    )
    texts = {
        name: evil
        for name in ("claim", "group", "mechanism", "change", "note", "missing")
        if hasattr(entry.claim, name)
    }
    return dataclasses.replace(entry, claim=dataclasses.replace(entry.claim, **texts), replies=replies)


def test_the_ledger_page_escapes_every_text() -> None:
    evil = " ".join(EVIL)
    (entry,) = judge_ledger(["A12"])
    page = ledger_page.render_claims_page([everything(entry, evil)], [evil])
    plain = re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.DOTALL)
    assert "<img" not in plain and "alert(1)</script>" not in plain.replace(str(escape(evil)), "")
    assert str(escape(evil)) in page and "{{7*7}}" in page
    for svg in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        ElementTree.fromstring(svg)


def test_the_page_of_model_against_evidence_escapes_every_text() -> None:
    evil = " ".join(EVIL)
    found = confronted.found()
    rows = {
        name: [dataclasses.replace(row, arm=evil, note=evil) for row in mine]
        for name, mine in found.predictions.items()
    }
    found = Confrontation(rows, found.refused)
    page = confront_page.render_predictions_page(found, confront_view.view(found, confronted.PRODUCTS), 10, 1, [evil])
    assert "<img" not in page and "</script><script>" not in page
    assert page.count("<script") == page.count("</script>")
    for svg in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        ElementTree.fromstring(svg.replace("xlink:href", "href"))
    assert str(escape(evil)) in page
