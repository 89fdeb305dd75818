"""What is taken out of the views: pictures that stand alone, numbers, and the Python and commands that give the same."""

from __future__ import annotations

import csv
import shlex
import struct
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page

from betapod.explorer.explorer_page import VIEWS
from betapod.trials.protocol.protocol_files import parse_protocol
from betapod.trust.trust_rows import trust_rows

Visit = Callable[..., Page]
SVG = "{http://www.w3.org/2000/svg}"


def opened(visit: Visit, file: Path, address: str, width: int = 1280) -> Page:
    page = visit(file, width, address=address)
    page.wait_for_selector("#explorer:not([hidden])")
    return page


def saved(page: Page, button: str) -> Path:
    with page.expect_download() as download:
        page.locator(button).first.click()
    return Path(download.value.path())


def run(text: str) -> dict[str, Any]:
    """Return the names that a text of Python makes."""
    names: dict[str, Any] = {}
    exec(text, names)  # noqa: S102 - the page wrote it for this
    return names


def test_python_and_csv_of_a_person_are_the_same_numbers(explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, "v=person")
    page.wait_for_selector("#charts svg")
    page.click("text=Plan B")
    page.select_option("#cells", "UC-MSC 1e6/kg iv x3 q28d")
    page.select_option("#scenario", "seed-claims")
    page.fill("#input-N_in", "100")
    page.press("#input-N_in", "Enter")
    seen = pd.read_csv(saved(page, "#person-csv"))
    told = (page.text_content("#person-python") or "").partition("# B\n")
    table = run(told[0].partition("\n")[0] + "\n" + told[2])["table"]
    assert isinstance(table, pd.DataFrame) and len(told[2].splitlines()) == 3
    for name in ("HbA1c", "eGFR", "UACR"):
        column = next(head for head in seen if head.startswith(f"{name} B"))
        assert seen[column].to_numpy() == pytest.approx(table[name].to_numpy(), rel=2e-4), name


def test_a_picture_stands_alone(explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, "v=person")
    page.wait_for_selector("#charts svg")
    tree = ET.parse(saved(page, "#charts button:text-is('SVG')")).getroot()
    assert tree.tag == f"{SVG}svg" and (tree.get("width"), tree.get("height")) == ("480", "250")
    title = tree.find(f"{SVG}title")
    assert title is not None and (title.text or "").startswith("HbA1c")
    lines = [path for path in tree.iter(f"{SVG}path") if path.get("fill") == "none"]
    assert len(lines) == 2 and len({path.get("stroke") for path in lines}) == 2
    assert not [one for one in tree.iter() if one.get("class") or one.get("style")]
    content = saved(page, "#charts button:text-is('PNG')").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", content[16:24]) == (1440, 750)


def test_small_pictures_are_saved_as_one(explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, "v=evidence&topic=albuminuria&fitted=no")
    tree = ET.parse(saved(page, "#evidence-exports button:text-is('SVG')")).getroot()
    inner = list(tree.iter(f"{SVG}svg"))[1:]
    assert len(inner) == page.locator("#rows li").count() > 3
    bars = [rect for rect in tree.iter(f"{SVG}rect") if rect.get("fill-opacity") == "0.28"]
    assert len(bars) > 3 and len({rect.get("fill") for rect in bars}) == 1


def test_python_of_the_evidence_has_the_rows_that_are_seen(explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, "v=evidence&topic=albuminuria&fitted=no&scenario=current-evidence")
    numbers = run(page.text_content("#evidence-python") or "")["numbers"]
    expected = {
        row.record
        for row in trust_rows()
        if row.scenario in ("", "current-evidence") and not row.fitted and row.topic == "albuminuria"
    }
    assert set(numbers["record"]) == expected
    assert "betapod trust --endpoint albuminuria --scenario current-evidence --rows" in (
        page.text_content("#evidence-commands") or ""
    )


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_numbers_a_command_and_python(view: str, explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, f"v={view}")
    if view == "trial":
        page.click("#trial-go")
    page.wait_for_selector(f"#{view}-csv", timeout=60_000)
    with saved(page, f"#{view}-csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) > 3 and {len(row) for row in rows} == {len(rows[0])}
    command = page.text_content(f"#{view}-commands") or ""
    assert "betapod " in command and all(shlex.split(line, comments=True) is not None for line in command.splitlines())
    compile(page.text_content(f"#{view}-python") or "", view, "exec")
    assert page.evaluate("location.hash").startswith(f"#v={view}") and len(page.url) < 2000


def test_a_small_trial_is_a_protocol_that_betapod_reads(explorer_file: Path, visit: Visit) -> None:
    plans = "s=%5B%7B%7D%2C%7B%22cells%22%3A%22UC-MSC+1e6%2Fkg+iv%22%2C%22drugs%22%3A%5B%22SGLT2+inhibitor%22%5D%7D%5D"
    page = opened(visit, explorer_file, f"v=trial&p=t2d_ckd_a3&{plans}&endpoint=UACR&size=40&years=1")
    page.click("#trial-go")
    page.wait_for_selector("#trial-csv", timeout=60_000)
    text = (page.text_content("#trial-commands") or "").partition("<<'END'\n")[2].partition("END\n")[0]
    protocol = parse_protocol(text)
    assert protocol.patients == 80 and protocol.endpoints.primary.quantity == "UACR"
    assert protocol.arms["treated"].cells is not None and len(protocol.arms["treated"].therapies) == 1
    # The address has the plans in it.
    again = opened(visit, explorer_file, page.url.partition("#")[2])
    assert "UC-MSC 1e6/kg iv" in again.inner_text("#trial-treated")
