"""The explorer: the page simulates what a plan of the package says, on telephones and desktops, without a network."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page
from wasm_cases import run_in_node

from betapod.base.cache import closure, data_files
from betapod.base.errors import BetapodError
from betapod.exchange.wasm.shipped_kernels import JAVASCRIPT, KERNELS
from betapod.explorer import explorer_page
from betapod.explorer.explorer_kept import _MAKER
from betapod.explorer.explorer_page import explorer_data, explorer_drugs
from betapod.explorer.explorer_people import explorer_key, shipped_people
from betapod.explorer.explorer_server import explorer_server
from betapod.physiology import whole_body
from betapod.therapies.cell_parameters import parameterise
from betapod.therapies.drug_limits import contraindications
from betapod.therapies.drug_switches import switches_of
from betapod.therapies.input_courses import input_courses
from betapod.therapies.plan import plan
from betapod.therapies.standard_care import therapy


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = explorer_server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()


def test_people_are_of_todays_model() -> None:
    """After a change of values or of people: python benchmarks/ship_wasm.py."""
    assert shipped_people()["key"] == explorer_key()
    assert [person["name"] for person in shipped_people()["people"]][:2] == ["ngt", "obese"]


def test_the_file_is_small_and_asks_nobody(explorer_file: Path) -> None:
    text = explorer_file.read_text(encoding="utf-8")
    assert 500_000 < len(text.encode()) < 1_500_000
    assert "default-src 'none'" in text and "wasm-unsafe-eval" in text
    names = text.replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in names and "https://" not in names


def test_drugs_act_as_in_the_package(tmp_path: Path) -> None:
    """Every pair of treatments, at three bases: the same switches, or the same refusal."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node")
    drugs, inputs = {drug["label"]: drug for drug in explorer_drugs()}, whole_body.named_model("reference").inputs
    base = {name: row.value for name, row in inputs.items()}
    pairs = [*((label,) for label in drugs), *list(combinations(drugs, 2))[::7]]
    cases = [{"drugs": [drugs[label] for label in pair], "GFR": 25.0 + 15 * (k % 4)} for k, pair in enumerate(pairs)]
    file = tmp_path / "cases.json"
    data = explorer_data()
    content = {"cases": cases, "base": base, "limits": data["limits"], "exclusions": data["exclusions"]}
    file.write_text(json.dumps(content), encoding="utf-8")
    module = Path(explorer_page.__file__).with_name("drugs.js")
    script = tmp_path / "drugs.mjs"
    script.write_text(
        module.read_text(encoding="utf-8")
        + """
import fs from "node:fs";
const { cases, base, limits, exclusions } = JSON.parse(fs.readFileSync(process.argv[2]));
console.log(JSON.stringify(cases.map(({ drugs, GFR }) => {
  const said = judged(drugs, limits, exclusions, { ...base, GFR });
  try { return { switches: drugSwitches(drugs, base), ...said }; } catch (error) { return { refused: error.message, ...said }; }
})));
""",
        encoding="utf-8",
    )
    done = subprocess.run([node, script, file], capture_output=True, text=True, check=True)
    refused = 0
    for pair, case, found in zip(pairs, cases, json.loads(done.stdout), strict=True):
        given = [therapy(label) for label in pair]
        errors, cautions = contraindications(given, {**base, "GFR": case["GFR"]})
        assert (len(found["errors"]), len(found["cautions"])) == (len(errors), len(cautions)), pair
        refused += bool(errors)
        try:
            courses = input_courses(given, base)
        except BetapodError:
            assert "refused" in found, pair
            continue
        expected = [switch for name, steps in courses.items() for switch in switches_of(name, steps)]
        same = [(one["input"], one["value"], one["time"], one["width"]) for one in found["switches"]]
        assert same == [(one.input, one.value, one.time, one.width) for one in expected], pair
    assert refused > 5


def rows_of(page: Page) -> dict[str, list[float]]:
    """Return the columns of the CSV that a page saves."""
    with page.expect_download() as download:
        page.click("#person-csv")
    table = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    return {name: [float(row[k]) for row in table[1:]] for k, name in enumerate(table[0])}


def test_a_plan_in_the_page_is_that_of_the_package(
    explorer_file: Path, visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit(explorer_file)
    page.wait_for_selector("#charts svg")
    page.select_option("#person", "t2d_micro")
    page.click("text=Plan B")
    page.select_option("#drug", "ramipril 10 mg/day")
    page.select_option("#cells", "UC-MSC 1e6/kg iv x3 q28d")
    page.select_option("#scenario", "seed-claims")
    page.fill("#input-N_in", "100")
    page.press("#input-N_in", "Enter")
    page.fill("#output", "nephrons")
    page.press("#output", "Enter")
    seen = rows_of(page)

    who = next(person for person in shipped_people()["people"] if person["name"] == "t2d_micro")
    model = whole_body.named_model("reference").with_values(who["values"])
    drugs = ["SGLT2 inhibitor", "ramipril 10 mg/day"]
    planned = plan(model, who["state"], drugs, "UC-MSC 1e6/kg iv x3 q28d", "seed-claims")
    under = parameterise(model, "seed-claims")
    case = {
        "module": "reference",
        "times": seen["time [day]"],
        "values": {name: row.value for name, row in {**under.parameters, **under.inputs}.items()},
        "initial": who["state"],
        "doses": [{**vars(dose), "ss": False} for dose in planned.schedule.doses],
        "switches": [
            *map(vars, planned.schedule.switches),
            {"input": "N_in", "value": 100.0, "time": 0.0, "width": 0.0},
        ],
        "outputs": ["HbA1c", "nephrons"],
    }
    answer = run_in_node({"page": case}, KERNELS, tmp_path)["page"]
    assert "problems" not in answer, answer["problems"]
    found = answer["values"][0]
    assert seen["HbA1c B [%]"] == found[0]
    assert seen["nephrons B [1]"] == found[1]
    assert not np.allclose(seen["HbA1c A [%]"], seen["HbA1c B [%]"], rtol=0.01)
    command = page.text_content("#person-commands") or ""
    assert (
        "--person t2d_micro" in command and "--switch 'N_in=100@0'" in command and "--scenario seed-claims" in command
    )
    # The address gives the same page again, to the last bit.
    again = visit(explorer_file)
    again.wait_for_selector("#charts svg")
    again.goto(page.url)
    again.wait_for_selector("#tabs button:has-text('Plan B')")
    again.wait_for_function("document.getElementById('person').value === 't2d_micro'")
    assert rows_of(again) == seen


def test_scenarios_lie_over_each_other_and_differences_are_drawn(
    explorer_file: Path, visit: Callable[..., Page]
) -> None:
    page = visit(explorer_file)
    page.wait_for_selector("#charts svg")
    page.select_option("#cells", "UC-MSC 1e6/kg iv x3 q28d")
    page.click("#overlay")
    legend = page.inner_text("#legend")
    assert all(word in legend for word in ("no benefit", "current evidence", "as claimed"))
    assert page.locator("#charts figure").first.locator("path.line").count() == 4
    page.check("#difference")
    assert page.locator("#charts figure").first.locator("path.line").count() == 3
    assert "difference from A" in page.inner_text("#charts")


def test_what_is_not_given_together_is_refused_in_words(explorer_file: Path, visit: Callable[..., Page]) -> None:
    page = visit(explorer_file)
    page.wait_for_selector("#charts svg")
    page.select_option("#drug", "empagliflozin 10 mg/day")
    assert "of which a person takes one" in page.inner_text("#notes")
    page.goto(f"{explorer_file.as_uri()}#v=person&p=nobody&s=%5B%7B%22cells%22%3A%22magic%22%7D%5D")
    page.wait_for_selector("#notes .problem:has-text('nobody')")
    notes = page.inner_text("#notes")
    assert "no typical person nobody" in notes and "no order of cells magic" in notes


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_layout_and_access(
    width: int, scheme: str, explorer_file: Path, visit: Callable[..., Page], findings: Callable[..., list[str]]
) -> None:
    page = visit(explorer_file, width, scheme)
    page.wait_for_selector("#charts svg")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert findings(page) == []


def asked(address: str, path: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer."""
    request = urllib.request.Request(
        address + path, headers={key.replace("_", "-"): text for key, text in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, {key.lower(): text for key, text in reply.headers.items()}, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {key.lower(): text for key, text in error.headers.items()}, error.read()


def test_the_server_answers_this_machine_alone(address: str) -> None:
    assert asked(address)[0] == 200
    for path in (
        "etc/passwd",
        "parts",
        "parts/",
        "parts/data",
        "parts/data-zzz",
        "parts/../data-claims",
        "data-claims",
    ):
        assert asked(address, path)[0] == 404, path
    for path in ("", "parts/data-claims"):
        assert asked(address, path, Host="evil.example")[0] == 403
    request: Any = urllib.request.Request(address, method="POST", data=b"x")
    with pytest.raises(urllib.error.HTTPError, match="501") as refused:
        urllib.request.urlopen(request, timeout=5)
    refused.value.close()


def test_a_view_asks_for_its_part_once(address: str, explorer_file: Path, browser: Browser) -> None:
    """The page comes small; what a view holds is asked for when it is opened, from here alone, and is that of the file."""
    page = browser.new_page()
    sent: dict[str, int] = {}
    page.on("response", lambda one: sent.update({one.url: int(one.headers.get("content-length", 0))}))
    page.goto(address)
    page.wait_for_selector("#charts svg")
    assert [url for url in sent if url.startswith("http")] == [address] and sent[address] < 300_000
    page.click('nav a[data-view="claims"]')
    page.wait_for_selector("#claims-list li")
    page.click('nav a[data-view="person"]')
    page.click('nav a[data-view="claims"]')
    fetched = [url for url in sent if url.startswith("http")]
    assert fetched == [address, f"{address}parts/data-claims"] and sum(sent[url] for url in fetched) < 600_000
    held = re.search(r'id="data-claims">([^<]+)<', explorer_file.read_text(encoding="utf-8"))
    assert held is not None and gzip.decompress(base64.b64decode(held[1])) == gzip.decompress(
        asked(address, "parts/data-claims")[2]
    )
    # Whoever has it already is told so.
    for path in ("", "parts/data-claims"):
        tag = asked(address, path)[1]["etag"]
        status, headers, body = asked(address, path, If_None_Match=f'"other", W/{tag}')
        assert (status, headers["etag"], body) == (304, tag, b"")
        assert asked(address, path, If_None_Match='"other"')[0] == 200
    page.close()


def test_a_view_says_that_the_server_has_ended(browser: Browser) -> None:
    server = explorer_server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
    page.wait_for_selector("#charts svg")
    server.shutdown()
    server.server_close()
    thread.join()
    page.click('nav a[data-view="evidence"]')
    page.wait_for_selector("#loading.problem:has-text('start it again')")
    page.click('nav a[data-view="person"]')
    page.wait_for_selector("#loading", state="hidden")
    assert page.locator("#charts svg").count() > 0
    page.close()


def test_everything_that_shapes_the_page_is_in_its_key() -> None:
    """The page is kept between commands: what it is made of must make it anew."""
    files = closure(_MAKER)
    known = {*files, *data_files(files)}
    here = Path(explorer_page.__file__).parent
    read = {
        *here.glob("*.js"),
        *here.glob("*.css"),
        *here.glob("*.jinja"),
        *explorer_page._STYLES,
        *JAVASCRIPT.glob("*.js"),
    }
    assert read | {KERNELS / "reference.wasm"} <= known
