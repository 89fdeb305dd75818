"""The view of one person's labs: people, weights, courses of cells and equations are those of the package."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from explorer_modules import in_node
from playwright.sync_api import Page, expect

from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Schedule
from betapod.exchange.wasm.shipped_kernels import shipped_kernel
from betapod.explorer.explorer_draws import explorer_draws
from betapod.explorer.explorer_hazards import SEED
from betapod.explorer.explorer_library import SIZE, explorer_library, library_numbers, page_library, thinned
from betapod.explorer.explorer_page import explorer_data
from betapod.hazards.kidney_injury import injuries_of
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.patients.library import default
from betapod.physiology import whole_body
from betapod.therapies.effect_factors import scaled_effects
from betapod.therapies.plan import plan
from betapod.therapies.standard_care import therapy
from betapod.trials.conduct.replicate_parameters import DrawsAsked, fit_of
from betapod.twins.equations_beside import equation_risks
from betapod.twins.like_people import effective_people, likeness
from betapod.twins.option_outcomes import chance_alive
from betapod.twins.person_labs import LabValue, PersonLabs, person_of_labs

Visit = Callable[..., Page]
#: What stands in for the page where modules are run in Node.
PAGE = """
const DATA = content.data, dataOf = async () => content.library;
const unpacked = async () => Uint8Array.from(Buffer.from(content.numbers, "base64")).buffer;
const DAYS = 365.25, scenarioOf = (name) => DATA.scenarios.find((one) => one.name === name), drugOf = (label) => DATA.drugs.find((one) => one.label === label);
let model;
const evenTimes = (years, points) => Array.from({ length: points }, (_, k) => (k * years * DAYS) / (points - 1));
const ownInputs = (person) => Object.fromEntries(model.parameters.filter((row) => row.input).map((row) => [row.name, person.values[row.name] ?? row.value]));
"""
EXAMPLE = {"egfr": 52.0, "uacr": 380.0, "hba1c": 8.4}


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    numbers = base64.b64encode(library_numbers()).decode()
    return {"library": explorer_library(), "numbers": numbers, "data": explorer_data()}


def labs_of(
    values: dict[str, float], age: float = 61.0, female: int | None = 0, drugs: tuple[str, ...] = ()
) -> PersonLabs:
    given = [LabValue(name, value, f"{value:g}") for name, value in values.items()]
    return person_of_labs(given, age=age, female=female, diabetes="type 2", drugs=drugs)


def test_people_of_the_page_stand_for_all_adults_with_diabetes() -> None:
    table = default().table
    rows, counts = thinned(table, SIZE)
    able = (table["segment"] == 0) & (table["diabetes"] > 0) & (table["age"] >= 18)
    assert len(rows) == SIZE and np.all(able.to_numpy()[rows]) and len(set(rows)) == SIZE
    assert counts.sum() == pytest.approx(able.sum(), rel=1e-3) and counts.min() >= 1.0
    # Weighted as said, the people have the distribution of all; rare kinds are there more often than they would be by chance.
    everybody = table[able]
    assert np.average(table["true_hba1c"].to_numpy()[rows], weights=counts) == pytest.approx(
        everybody["true_hba1c"].mean(), abs=0.1
    )
    severe = (table["true_uacr"] > 300) & (table["true_egfr"] < 60)
    assert severe.to_numpy()[rows].mean() > 1.2 * severe[able].mean()


def test_numbers_of_people_arrive_as_they_are(content: dict[str, Any], tmp_path: Path) -> None:
    script = """
const people = await peopleOfPage();
const some = [0, 7, 1234], of = (columns) => Object.fromEntries([...columns].map(([name, column]) => [name, some.map((row) => column[row])]));
console.log(JSON.stringify({ values: of(people.valuesOf), states: of(people.statesOf), columns: of(people.columns) }));
"""
    answer = in_node(script, content, tmp_path, "drugs", "draws", "hazards", "people", before=PAGE)
    library = page_library()[0].take([0, 7, 1234])
    for name, expected in library.initial.items():
        assert answer["states"][name] == pytest.approx(expected, rel=3e-5)
    for name, found in answer["values"].items():
        assert found == pytest.approx(library.parameters[name], rel=3e-5)
    assert answer["columns"]["egfr"] == pytest.approx(library.table["true_egfr"], rel=3e-5)
    assert answer["columns"]["acei"] == pytest.approx(library.table["acei"])


@pytest.mark.parametrize("takes", [(), ("ACE inhibitor",)])
def test_likeness_is_that_of_the_package(takes: tuple[str, ...], content: dict[str, Any], tmp_path: Path) -> None:
    who = {
        "labs": {"age": 61.0, **EXAMPLE},
        "female": 0,
        "type1": 0,
        "takes": list(takes),
        "takesNot": ["SGLT2 inhibitor"],
    }
    script = "const people = await peopleOfPage();\nconsole.log(JSON.stringify(likePeople(people, content.who)));"
    answer = in_node(script, {**content, "who": who}, tmp_path, "drugs", "draws", "hazards", "people", before=PAGE)
    library, counts = page_library()
    columns = [content["library"]["classes"][name] for name in takes]
    score = likeness(library.table, labs_of(EXAMPLE), columns, ["sglt2i"], answer["factor"]) + np.log(counts)
    weights = np.exp(score - score.max())
    weights /= weights.sum()
    assert answer["weights"] == pytest.approx(weights, rel=1e-2, abs=1e-6)
    effective = effective_people(weights, library.table["person"].to_numpy())
    assert answer["effective"] == pytest.approx(effective, rel=1e-2) and effective > 20


@pytest.mark.parametrize(
    ("values", "age", "drugs"),
    [(EXAMPLE, 61.0, ("ramipril",)),
     ({"egfr": 30.0, "uacr": 300.0, "albumin": 38.0, "phosphate": 4.1, "bicarbonate": 23.0, "calcium": 9.1}, 60.0, ()), ({"egfr": 20.0, "uacr": 1000.0}, 70.0, ()),
     ({"egfr": 85.0, "uacr": 10.0, "sbp": 130.0, "bmi": 30.0, "hba1c": 7.0}, 60.0, ("metformin", "losartan"))],
)  # fmt: skip
def test_equations_are_those_of_the_package(
    values: dict[str, float], age: float, drugs: tuple[str, ...], content: dict[str, Any], tmp_path: Path
) -> None:
    labs = labs_of(values, age, drugs=drugs)
    classes = {"ramipril": "ACE inhibitor", "metformin": "biguanide", "losartan": "ARB"}
    who = {"labs": {"age": age, **values}, "female": 0, "takes": [classes[name] for name in drugs]}
    by_model = {"2": 0.01, "5": 0.2, "decline": 0.3}
    script = "console.log(JSON.stringify(equationRows(content.who, content.library, content.byModel)));"
    answer = in_node(script, {**content, "who": who, "byModel": by_model}, tmp_path, "equations")
    further = "albumin" in values
    rows = equation_risks(labs, {2.0: 0.01, 5.0: 0.2}, 0.3)
    expected = [row for row in rows if further or "8 variables" not in row.name]
    assert len(answer) == len(expected) == (9 if further else 5)
    for found, row in zip(answer, expected, strict=True):
        known = np.isfinite(row.risk)
        assert found["fits"] == (row.in_range and known), row.name
        assert found["differs"] == row.differs, row.name
        if known:
            assert found["risk"] == pytest.approx(row.risk, rel=1e-9), row.name


def test_stages_are_those_of_the_package(content: dict[str, Any], tmp_path: Path) -> None:
    labs = [
        (egfr, uacr)
        for egfr in (14.9, 15.0, 29.5, 44.0, 59.9, 60.0, 90.0, None)
        for uacr in (29.0, 30.0, 300.0, 301.0, None)
    ]
    script = "console.log(JSON.stringify(content.pairs.map(([egfr, uacr]) => kdigoStage(content.library.kdigo, egfr ?? undefined, uacr ?? undefined))));"
    asked = {"library": content["library"], "pairs": labs}
    found = in_node(script, asked, tmp_path, "labs_outcomes", before="const DAYS = 365.25, quantilesOf = null;")
    for (egfr, uacr), stage in zip(labs, found, strict=True):
        values = {name: value for name, value in (("egfr", egfr), ("uacr", uacr)) if value is not None}
        assert stage == labs_of(values).kdigo_stage


@pytest.mark.parametrize("classes", [("ACE inhibitor", "ARB"), ("SGLT2 inhibitor", "GLP-1 receptor agonist")])
def test_injuries_and_deaths_are_those_of_the_package(
    classes: tuple[str, ...], content: dict[str, Any], tmp_path: Path
) -> None:
    rows = list(range(0, SIZE, 60))
    egfr, uacr = np.linspace(60.0, 20.0, 11), np.linspace(30.0, 900.0, 11)
    asked = {"rows": rows, "classes": list(classes), "eGFR": egfr.tolist(), "UACR": uacr.tolist()}
    script = """
const people = await peopleOfPage(), { rows, classes, eGFR, UACR } = content.asked, years = eGFR.map((_, k) => k / 2);
const taken = new Set(classes), failed = (row) => (row % 120 ? Infinity : 3);
const course = (row) => ({ eGFR: eGFR.map((value, k) => (years[k] > failed(row) ? NaN : value)), UACR });
console.log(JSON.stringify({ injuries: rows.map((row) => injuryOf(people, row, taken, 40)), alive: rows.map((row) => aliveChances(people, row, taken, years, course(row), failed(row))) }));
"""
    modules = ("drugs", "draws", "hazards", "people")
    answer = in_node(script, {**content, "asked": asked}, tmp_path, *modules, before=PAGE)
    table = page_library()[0].take(rows).table
    takes = {name: np.ones(len(rows), dtype=bool) for name in classes}
    expected = injuries_of(table, takes, [()] * len(rows), SEED, 0.0, 40 * 365.25)
    days = np.array([np.inf if one["year"] is None else one["year"] * 365.25 for one in answer["injuries"]])
    assert np.isfinite(expected.day).sum() > 5 and np.all(np.isfinite(days) == np.isfinite(expected.day))
    assert days[np.isfinite(days)] == pytest.approx(expected.day[np.isfinite(days)], rel=1e-3, abs=2.0)
    assert [one["share"] for one in answer["injuries"]] == pytest.approx(expected.share, rel=1e-4)
    # Deaths, on a course that is given: those whose kidneys fail after three years are counted at the eGFR of dialysis from then on.
    times = np.arange(11) * 182.625
    failed = np.where(np.array(rows) % 120, np.inf, 3 * 365.25)
    of = {name: table[name].to_numpy(dtype=float)[:, None] for name in ("age", "female", "cvd", "hf")}
    profile = RiskProfile(
        of["age"] + times / 365.25,
        of["female"],
        np.where(times >= failed[:, None], 5.0, egfr),
        np.broadcast_to(uacr, (len(rows), 11)),
        of["cvd"],
        of["hf"],
    )
    intake = {name: np.ones((len(rows), 11)) for name in classes}
    course = RiskCourse(times, profile, np.arange(len(rows)), {}, failed, intake)
    # The page keeps people in single precision (3e-5 a number, above): rates rise e-fold in some of them, and a chance of 0.2 after ten years is 1e-4 apart.
    assert np.array(answer["alive"]) == pytest.approx(chance_alive(course), rel=5e-4)


def test_drugs_under_a_draw_are_as_strong_as_in_the_package(content: dict[str, Any], tmp_path: Path) -> None:
    factors = {"SGLT2 inhibitor e_S": 0.8, "ACE inhibitor e_ACE": 1.3, "biguanide met": 0.5}
    assert set(factors) < set(explorer_draws()["sets"][0]["drugs"])
    labels = ["SGLT2 inhibitor", "ramipril 10 mg/day", "metformin 1000 mg/day", "amlodipine 5 mg/day"]
    labels = [label for label in labels if any(drug["label"] == label for drug in content["data"]["drugs"])]
    assert len(labels) >= 3
    script = "console.log(JSON.stringify(content.labels.map((label) => strengthened(drugOf(label), content.factors))));"
    asked = {**content, "labels": labels, "factors": factors}
    answer = in_node(script, asked, tmp_path, "draws", before=PAGE)
    with scaled_effects(factors):
        for label, found in zip(labels, answer, strict=True):
            expected = {effect.quantity: effect.value for effect in therapy(label).effects}
            assert {one["quantity"]: one["value"] for one in found["effects"]} == pytest.approx(expected), label


def test_draws_are_of_the_installed_fit() -> None:
    draws = explorer_draws()
    assert draws["fit"] == fit_of(DrawsAsked("", 16, ("none",), 1)) and len(draws["sets"]) == 16
    model = whole_body.named_model("reference")
    for one in draws["sets"]:
        assert one["values"] and set(one["values"]) <= set(model.parameters)
        assert set(one["cells"]) == {"current-evidence", "face-value", "seed-claims"}


@pytest.mark.parametrize("order", ["UC-MSC 1e6/kg iv x3 q28d", "UC-MSC 1e6/kg ra", "donor-islets 10000 IEQ/kg pv"])
def test_courses_of_cells_are_those_of_the_package(order: str, content: dict[str, Any], tmp_path: Path) -> None:
    rows = [3, 500, 2100]
    kernel = base64.b64encode(shipped_kernel("reference")).decode()
    script = """
model = await load(Uint8Array.from(Buffer.from(content.kernel, "base64")));
const people = await peopleOfPage(), plan = { drugs: [], cells: content.order, scale: 1, scenario: "seed-claims", inputs: {} };
const pool = { run: async (options) => model.run(options) };
const { options } = await populationRun(people, content.rows, plan, 1, ["eGFR"], 2, pool);
console.log(JSON.stringify(options.schedules));
"""
    answer = in_node(
        script,
        {**content, "kernel": kernel, "order": order, "rows": rows},
        tmp_path,
        "drugs",
        "draws",
        "hazards",
        "people",
        before=PAGE,
        kernel=True,
    )
    planned = plan(
        whole_body.named_model("reference"), page_library()[0].take(rows), cells=order, scenario="seed-claims"
    )
    for found, schedule in zip(answer, planned.schedules, strict=True):
        expected = {dose.state: dose for dose in schedule.doses if dose.amount > 0}
        assert {dose["state"] for dose in found["doses"]} == set(expected)
        for dose in found["doses"]:
            assert dose["amount"] == pytest.approx(expected[dose["state"]].amount, rel=2e-3), dose["state"]
            assert (dose["ii"], dose["addl"]) == (expected[dose["state"]].ii, expected[dose["state"]].addl)
        switched = {(one["input"], one["time"]): one["value"] for one in found["switches"]}
        for switch in schedule.switches:
            if (switch.input, switch.time) in switched:
                assert switched[switch.input, switch.time] == pytest.approx(switch.value)
        assert {name for name, _ in switched} <= {switch.input for switch in schedule.switches}


def opened(visit: Visit, file: Path, address: str = "", width: int = 1280) -> Page:
    page = visit(file, width, address=f"v=labs{address}")
    page.wait_for_selector("#lab-fields input")
    return page


def finished(page: Page) -> None:
    expect(page.locator("#lab-progress")).to_contain_text(re.compile("simulated here|cannot"), timeout=120_000)


@pytest.fixture
def file_of_few_sets(explorer_file: Path, tmp_path: Path) -> Path:
    """The explorer with four sets of parameters, as each is simulated for every option; Firefox is given all sixteen."""
    text = explorer_file.read_text(encoding="utf-8")
    [held] = re.findall(r'id="data-draws">([^<]+)<', text)
    draws = json.loads(gzip.decompress(base64.b64decode(held)))
    few = json.dumps({**draws, "sets": draws["sets"][:4]}).encode()
    file = tmp_path / "few.html"
    file.write_text(text.replace(held, base64.b64encode(gzip.compress(few)).decode()), encoding="utf-8")
    return file


@pytest.mark.parametrize("width", [390, 1280])
def test_the_example_is_answered(
    width: int,
    file_of_few_sets: Path,
    visit: Visit,
    findings: Callable[..., list[str]],
    content: dict[str, Any],
    tmp_path: Path,
) -> None:
    page = opened(visit, file_of_few_sets, width=width)
    finished(page)
    assert len(page.workers) >= 1
    rows = page.locator("#lab-options tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in rows] == ["A: as now", "B: SGLT2 inhibitor"]
    assert "KFRE" in page.inner_text("#lab-equations") and "measurement" in page.inner_text("#lab-unknown")
    deaths = [row.split("\t")[8] for row in rows]
    assert all(" of 100" in text for text in deaths) and int(deaths[1].split()[0]) < int(deaths[0].split()[0])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The same people natively, with their acute injuries: the median of the eGFR after five years, as printed.
    who = {
        "labs": {"age": 61.0, **EXAMPLE},
        "female": 0,
        "type1": 0,
        "takes": ["ACE inhibitor"],
        "takesNot": ["SGLT2 inhibitor"],
    }
    script = "console.log(JSON.stringify(drawnRows(likePeople(await peopleOfPage(), content.who).weights, 100)));"
    drawn = in_node(script, {**content, "who": who}, tmp_path, "drugs", "draws", "hazards", "people", before=PAGE)
    assert sum(one["copies"] for one in drawn) == 100
    people = page_library()[0].take([one["row"] for one in drawn])
    injuries = injuries_of(people.table, people.recipients().takes, [()] * len(people), SEED, 0.0, 5 * 365.25)
    ensemble = Ensemble(whole_body.named_model("reference"), ("eGFR",), 1e-6, threads=1)
    schedules = injuries.added_to([Schedule()] * len(people))
    result = ensemble.run(dict(people.parameters), np.array([0.0, 5 * 365.25]), schedules, dict(people.initial))
    ends = np.nan_to_num(np.asarray(result.values)[:, 1, 0])
    median = float(np.median(np.repeat(ends, [one["copies"] for one in drawn])))
    assert float(rows[0].split("\t")[1].split(" ")[0]) == pytest.approx(median, rel=1e-2)
    assert findings(page) == []


def test_cells_are_compared_under_scenarios_and_their_parameters_are_drawn(
    file_of_few_sets: Path, visit: Visit
) -> None:
    page = opened(
        visit, file_of_few_sets, "&age=61&egfr=52&uacr=380&hba1c=8.4&female=0&type1=0&try=UC-MSC 1e6/kg iv x3 q28d"
    )
    finished(page)
    rows = page.locator("#lab-unknown tbody tr").all_inner_texts()
    assert len(rows) == 4
    cells = {row.split("\t")[0]: row.split("\t")[4] for row in rows}
    assert cells["as now"] == "none drawn"
    assert sum(" to " in text for text in cells.values()) == 2
    assert all(" to " in row.split("\t")[3] for row in rows)
    assert page.locator("#lab-unknown-gain tbody tr").count() == 3


def test_labs_are_typed_by_keyboard_in_any_unit(explorer_file: Path, visit: Visit) -> None:
    page = opened(visit, explorer_file, "&age=61&egfr=52&uacr=380&hba1c=8.4&female=0&type1=0")
    like = page.inner_text("#lab-like p >> nth=1")
    assert "G3aA3, very high risk" in page.inner_text("#lab-stage") and "effectively like this person" in like
    page.focus("[aria-label='Unit of HbA1c']")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#lab-hba1c")).to_have_value(re.compile("^68"))
    expect(page.locator("#lab-like")).to_contain_text("mmol/mol")
    assert page.inner_text("#lab-like p >> nth=1") == like
    page.fill("#lab-egfr", "3000")
    page.wait_for_selector("#lab-problems .problem")
    assert "eGFR: 3000" in page.inner_text("#lab-problems") and "250" in page.inner_text("#lab-problems")
    page.fill("#lab-egfr", "52")
    page.click("summary:has-text('Drugs that the person takes')")
    for box in page.locator("#lab-takes input").all():
        box.check()
    page.wait_for_selector("#lab-like .problem")
    assert "Too few people" in page.inner_text("#lab-like")
    page.click("#lab-empty")
    expect(page.locator("#lab-like .problem")).to_have_count(0)
    assert page.input_value("#lab-egfr") == "" and page.locator("#lab-takes input:checked").count() == 0
