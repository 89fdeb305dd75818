"""The view of trials: runs are read as they were written, and small trials in the page find what statistics says."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
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


def test_lines_through_points_are_those_of_least_squares_and_outcomes_add_up(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    points = np.column_stack([rng.uniform(20, 80, 30), rng.normal(size=30)])
    names = ["death", "fall by 40 %", "eGFR slope"]
    rows = [{"arm": "ab"[k % 2], "component": names[min(2, k // 3)], "reached": 10.0 * k} for k in range(20)]
    script = "console.log(JSON.stringify({ line: straightLine(content.points), parts: maracaParts(content.rows, content.names) }));"
    before = "const quantilesOf = (values, shares) => shares.map((share) => [...values].sort((a, b) => a - b)[Math.floor(share * values.length)]);"
    content = {"points": points.tolist(), "rows": rows, "names": names}
    answer = in_node(script, content, tmp_path, "chart", "scatter", "maraca", before=before)
    expected = stats.linregress(*points.T)
    found = [answer["line"][key] for key in ("slope", "start", "correlation")]
    assert found == pytest.approx([expected.slope, expected.intercept, expected.rvalue])
    parts, groups = answer["parts"]["parts"], answer["parts"]["groups"]
    assert [part["name"] for part in parts] == names and parts[-1]["to"] == pytest.approx(1.0)
    for group in groups:
        own = [row for row in rows if row["arm"] == group["arm"]]
        steps = group["steps"]
        assert steps[-1] == pytest.approx([parts[-1]["from"], np.mean([row["component"] != names[-1] for row in own])])
        assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(steps))


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trial")
    protocol = folder / "small.yaml"
    protocol.write_text(small.TEXT, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_folder, "pool_of", lambda trial, *_, **__: small.pool(trial, people=300))
        run_folder.run_into(folder / "run", run_folder.trial_plan(protocol), threads=1)
    return folder / "run" / "summary.json"


def opened(visit: Visit, file: Path, address: str = "", width: int = 1280) -> Page:
    page = visit(file, width, address=f"v=trial{address}")
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
    hierarchy = tmp_path / "hierarchy.csv"
    outcomes = [
        f"randomised,cells,{name},{day}" for name, day in (("death", 100), ("eGFR slope", -2), ("eGFR slope", 1))
    ]
    outcomes += [
        f"randomised,control,{name},{day}" for name, day in (("fall by 40 %", 300), ("death", 50), ("eGFR slope", -4))
    ]
    hierarchy.write_text("\n".join(["design,arm,component,reached", *outcomes]), encoding="utf-8")
    page.set_input_files("#run-files", [summary, curves, hierarchy])
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
    worst = page.locator("#run [aria-label^='Worst outcome'] tbody tr").all_inner_texts()
    assert [row.split("\t") for row in worst] == [
        ["cells", "1", "0", "0", "0", "0", "0", "2"],
        ["control", "1", "0", "0", "0", "0", "1", "1"],
    ]
    label = page.get_attribute("#run svg[aria-label^='Hierarchy of outcomes']", "aria-label")
    assert (
        label is not None
        and "cells: 33 of 100 with an event, slope of the others \u22120.5" in label
        and "control: 67 of 100" in label
    )
    # Two curves of events; of the hierarchy two curves, and a line of slopes where there are two of them.
    assert page.locator("#run figure > svg path.line").count() == 5
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"kind": "something else"}', encoding="utf-8")
    page.set_input_files("#run-files", [wrong])
    page.wait_for_selector("#run .problem")
    assert "lacks trial, endpoint, comparisons, rows" in page.inner_text("#run")
    page.set_input_files("#run-files", [{"name": "part-0.parquet", "mimeType": "", "buffer": b"PAR1"}])
    page.wait_for_selector("#run .problem:has-text('part-0.parquet')")
    assert "(Parquet), which this page does not read; drop the whole folder" in page.inner_text("#run")


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
    # Everybody is there under both plans.
    points = page.locator("#trial-answer svg .point")
    assert points.count() == 2 * page.locator("#trial-answer svg .point.of-p0").count() > 80
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
