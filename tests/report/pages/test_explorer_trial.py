"""The view of trials: runs are read as they were written, and small trials in the page find what statistics says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import small_trials as small
from explorer_modules import in_node
from playwright.sync_api import Page
from scipy import stats

from betapod.trials import run_folder

Visit = Callable[..., Page]


def test_power_of_small_trials_is_that_of_the_t_test(tmp_path: Path) -> None:
    """People whose changes are normal, by quantiles: mean 1, SD 2 of each change; measured without error."""
    shifts = (3.0 * stats.norm.ppf((np.arange(400) + 0.5) / 400)).tolist()
    script = """
const arms = { control: content.map((x) => [100, 100 + x]), treated: content.map((x) => [100, 101 + x]) };
const asked = { arms, error: 0, log: false, trials: 2000 };
console.log(JSON.stringify({ power: [20, 100, 200].map((size) => simulatedTrials({ ...asked, size }).power), effect: trueEffect(asked),
  critical: [4, 8, 38, 398].map(criticalT), other: [50, 200].map((size) => powerOfSize(1, 3 * Math.sqrt(2 / 100), 200, size)) }));
"""
    answer = in_node(script, shifts, tmp_path, "attribution", "small_trial")
    spread = float(np.std(shifts))
    for size, power in zip((20, 100, 200), answer["power"], strict=True):
        shift = 1.0 / (spread * np.sqrt(2.0 / size))
        critical = stats.t.ppf(0.975, 2 * size - 2)
        expected = 1.0 - stats.nct.cdf(critical, 2 * size - 2, shift)
        assert power == pytest.approx(expected, abs=0.035)
    assert answer["effect"] == pytest.approx(1.0)
    assert answer["critical"] == pytest.approx(stats.t.ppf(0.975, [4, 8, 38, 398]), rel=5e-3)
    z = 1.0 / (3.0 * np.sqrt(2 / 100)) * np.sqrt(np.array([50, 200]) / 200)
    assert answer["other"] == pytest.approx(stats.norm.cdf(z - 1.959964) + stats.norm.cdf(-z - 1.959964), abs=1e-5)


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run_folder, "pool_of", lambda trial, *_, **__: small.pool(trial, people=300))
    protocol = tmp_path / "small.yaml"
    protocol.write_text(small.TEXT, encoding="utf-8")
    run_folder.run_into(tmp_path / "run", run_folder.trial_plan(protocol), threads=1)
    return tmp_path / "run" / "summary.json"


def opened(visit: Visit, file: Path, address: str = "", width: int = 1280) -> Page:
    page = visit(file, width)
    page.goto(f"{file.as_uri()}#v=trial{address}")
    page.reload()
    page.wait_for_selector("#trial-treated option", state="attached")
    return page


@pytest.mark.parametrize("width", [390, 1280])
def test_a_run_is_shown_as_it_was_written(
    width: int, summary: Path, explorer_file: Path, visit: Visit, tmp_path: Path
) -> None:
    page = opened(visit, explorer_file, width=width)
    content = json.loads(summary.read_text(encoding="utf-8"))
    curves = tmp_path / "survival.csv"
    rows = [
        f"{arm},randomised,{day},{free},{free - 0.1},1,{n}"
        for arm in ("cells", "control")
        for day, free, n in ((0, 1, 20), (183, 0.9, 18), (365, 0.8, 7))
    ]
    curves.write_text("\n".join(["arm,design,day,free_share,free_low,free_high,at_risk", *rows]), encoding="utf-8")
    page.set_input_files("#run-files", [summary, curves])
    page.wait_for_selector("#run h3")
    assert content["trial"] in page.inner_text("#run") or content["title"] in page.inner_text("#run")
    rows = page.locator("#run-comparisons tbody tr").all_inner_texts()
    assert len(rows) == len(content["comparisons"]) > 0
    for text, row in zip(rows, content["comparisons"], strict=True):
        assert row["treated"] in text and row["control"] in text
        assert text.split("\t")[3] == f"{round(100 * row['significant'])} %"
    assert page.locator("#run-groups tbody tr").count() == len(content["rows"])
    powers = page.locator("#run-power tbody tr").first.inner_text().split("\t")[2:]
    shares = [int(text.split(" %")[0]) for text in powers]
    assert shares == sorted(shares)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Bars of what changes are made of sum to the change of the group; dots of comparisons stand in a picture; numbers at risk stand below the curves.
    assert page.locator("#run svg .dot").count() == len(content["comparisons"])
    assert page.locator("#run svg .whole").count() == len(content["rows"])
    risks = page.locator("#run [aria-label^='Patients at risk'] tbody tr").all_inner_texts()
    assert [row.split("\t") for row in risks] == [[arm, "20", "20", "20", "18", "18"] for arm in ("cells", "control")]
    assert page.locator("#run figure > svg path.line").count() == 2
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"kind": "something else"}', encoding="utf-8")
    page.set_input_files("#run-files", [wrong])
    page.wait_for_selector("#run .problem")
    assert "lacks trial, endpoint, comparisons, rows" in page.inner_text("#run")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_small_trial_is_conducted_by_keyboard(
    width: int, explorer_file: Path, visit: Visit, findings: Callable[..., list[str]]
) -> None:
    page = opened(visit, explorer_file, "&endpoint=HbA1c&years=1&egfr=25-75&uacr=30-3000&hba1c=7-11", width)
    page.focus("#trial-size")
    page.keyboard.press("Control+a")
    page.keyboard.type("60")
    page.keyboard.press("Tab")
    page.focus("#trial-go")
    page.keyboard.press("Enter")
    page.wait_for_selector("#trial-power", timeout=120_000)
    rows = [row.split("\t") for row in page.locator("#trial-power tbody tr").all_inner_texts()]
    assert [row[0] for row in rows if row[0] == "60"] == ["60"]
    powers = [int(row[1].split(" ")[0]) for row in rows]
    assert powers[-1] >= powers[0] and max(powers) > 5
    answer = page.inner_text("#trial-answer")
    page.click("#trial-go")
    page.wait_for_selector("#trial-power", timeout=120_000)
    assert page.inner_text("#trial-answer") == answer
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.fill("#trial-size", "many")
    page.keyboard.press("Tab")
    page.click("#trial-go")
    page.wait_for_selector("#trial-answer .problem")
    assert "a whole number from 5 to 1000" in page.inner_text("#trial-answer")
