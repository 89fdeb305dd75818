"""Models as WebAssembly: shipped modules are of today's models and give the native engine's numbers to the last bit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wasm_cases import FILE, case_of, native, run_in_node, shown_outputs

from betapod import load_model, write_wasm
from betapod.base.errors import ConfigError
from betapod.engine.compiled.workspace import STATUS
from betapod.exchange.wasm import wasm_build
from betapod.exchange.wasm.shipped_kernels import KERNELS, MODULES, shipped_kernel, stale_kernels
from betapod.exchange.wasm.wasm_build import split_module, wasm_outputs, wasm_text
from betapod.physiology import whole_body

Found = dict[str, Any]


@pytest.fixture(scope="session")
def in_node(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Found]:
    """Run cases by model in Node, with the modules of a folder."""

    def run(cases: Found, folder: Path = KERNELS) -> Found:
        return run_in_node(cases, folder, tmp_path_factory.mktemp("wasm"))

    return run


def expected() -> Found:
    numbers: Found = json.loads(FILE.read_text(encoding="utf-8"))
    return numbers


def assert_same(found: Found, native_numbers: Found, name: str) -> None:
    assert found["values"] == native_numbers["values"], name
    assert [person["steps"] for person in found["people"]] == native_numbers["steps"], name
    assert [person["status"] for person in found["people"]] == [STATUS[k] for k in native_numbers["status"]], name


def test_shipped_modules_are_of_todays_models() -> None:
    """After a change of equations, of values or of labels: python benchmarks/ship_wasm.py, then tests/support/wasm_cases.py."""
    assert stale_kernels() == []


def test_shipped_programs_are_what_the_engine_writes_today() -> None:
    """The least model stands for all; `benchmarks/ship_wasm.py --check` looks at every one."""
    facts = split_module(shipped_kernel("topp2000"))[1]
    assert wasm_text(load_model("topp2000")).digest == facts["program"]


def test_node_gives_the_native_numbers_of_every_shipped_model_to_the_last_bit(in_node: Callable[..., Found]) -> None:
    cases = expected()
    assert set(cases) == set(whole_body.NAMES)
    found = in_node(cases)
    for name, case in cases.items():
        assert_same(found[name], case["native"], name)
    # The cases do something: doses, ramps, and people who differ.
    assert all(case["doses"] and case["people"] for case in cases.values())
    assert any(change["width"] for case in cases.values() for change in case["switches"])


def test_native_numbers_of_the_file_are_those_of_the_engine() -> None:
    model, case = load_model("topp2000"), expected()["topp2000"]
    assert {key: case[key] for key in ("times", "people", "doses", "switches")} == case_of(model)
    everything = list(wasm_outputs(model))
    places = [everything.index(name) for name in shown_outputs(model)]
    today = native(model, case_of(model), everything)
    today["values"] = [[person[k] for k in places] for person in today["values"]]
    assert today == case["native"]


def test_people_may_have_schedules_of_their_own_and_what_fails_is_said(in_node: Callable[..., Found]) -> None:
    kidney = load_model("kidney")
    plan = {"switches": [{"input": "e_ACE", "value": 0.8, "time": 10.0}], "doses": []}
    asked = {"times": [0.0, 10.0, 60.0], "outputs": ["GFR", "e_ACE"]}
    cases = {
        "two": {"module": "kidney", "people": 2, "schedules": [plan, {"doses": [], "switches": []}], **asked},
        "one": {"module": "kidney", "people": 1, "switches": plan["switches"], **asked},
        "steps": {"module": "kidney", "more": {"maxSteps": 3}, **asked},
    }
    found = in_node(cases)
    first, second = found["two"]["values"]
    assert first == found["one"]["values"][0]
    assert second[1] == [kidney.inputs["e_ACE"].value] * 3
    # A visit at the time of a switch sees the person just before it.
    assert first[1] == [0.0, 0.0, 0.8]
    assert first[0][2] < second[0][2] - 0.5
    assert found["steps"]["people"][0]["status"] == "step-limit"
    assert found["steps"]["values"][0][0][-1] is None


def test_everything_wrong_is_said_at_once(in_node: Callable[..., Found]) -> None:
    case = {
        "module": "topp2000",
        "times": [0.0, -1.0],
        "people": {"S_J": [1.0]},
        "doses": [{"state": "gluc", "amount": -2}],
        "switches": [{"input": "S_I", "value": 1.0, "time": 0.0}],
        "outputs": ["insulinn"],
        "more": {"steps": 5},
    }
    other = {"module": "kidney", "times": [0.0], "switches": [{"input": "e_ACE", "value": 2.0, "time": 1.0}]}
    found = in_node({"bad": case, "other": other})
    assert len(found["other"]["problems"]) == 1 and "e_ACE cannot be 2" in found["other"]["problems"][0]
    problems = "\n".join(found["bad"]["problems"])
    for part in (
        "no option steps",
        "increasing",
        "no parameter or input S_J",
        "no such state",
        "amount is a finite number",
        "switch of S_I at 0: no such input",
        "no quantity insulinn",
    ):
        assert part in problems, part


def test_other_values_need_no_compiling_and_an_own_model_needs_the_linker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_node: Callable[..., Found]
) -> None:
    monkeypatch.setattr(wasm_build, "_LINKERS", ())
    model = load_model("topp2000").with_values({"S_I": 0.4})
    files = write_wasm(model, tmp_path / "other.wasm")
    assert [file.name for file in files] == ["other.wasm", *MODULES]
    asked = {"times": [0.0, 30.0], "outputs": ["glucose"]}
    found = in_node({"other": asked}, tmp_path)["other"]
    same = in_node({"same": {"module": "topp2000", "values": {"S_I": 0.4}, **asked}})["same"]
    assert found["values"] == same["values"]
    own = tmp_path / "own.txt"
    own.write_text("A(0) = 1 [mg]\ndA/dt = -k*A [mg/day]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="wasm-ld"):
        wasm_build.wasm_code_of("")


def test_a_model_of_ones_own_becomes_webassembly(tmp_path: Path, in_node: Callable[..., Found]) -> None:
    from betapod import ParameterTable, Part, assemble
    from betapod.model import Parameter

    if not any(shutil.which(name) for name in wasm_build._LINKERS):
        pytest.skip("needs wasm-ld")
    text = tmp_path / "decay.txt"
    text.write_text("A(0) = A_start [mg] amount\ndA/dt = -k*A*sin(w) [mg/day] loss\n", encoding="utf-8")
    rows = [
        Parameter("k", "rate of loss", 0.5, "1/day"),
        Parameter("A_start", "amount", 2.0, "mg"),
        Parameter("w", "angle", 1.0, "1"),
    ]
    model = assemble("decay", [Part.from_file(text)], ParameterTable(rows))
    write_wasm(model, tmp_path / "decay.wasm")
    found = in_node({"decay": {"times": [0.0, 2.0], "rtol": 1e-10}}, tmp_path)["decay"]
    import math

    assert found["values"][0][0][1] == pytest.approx(2.0 * math.exp(-math.sin(1.0)), rel=1e-8)


def test_events_that_wait_are_those_of_the_engine(
    tmp_path: Path, in_node: Callable[..., Found], sbml: Callable[[str], str]
) -> None:
    from betapod import Ensemble
    from betapod.exchange import read_sbml

    if not any(shutil.which(name) for name in wasm_build._LINKERS):
        pytest.skip("needs wasm-ld")
    text = """
        parameter x = 1 variable
        parameter y = 1 variable
        rate x = 1
        event E: time >= 0.5 ; delay=1 ; priority=1 ; late ; y = y + 1
        event F: time >= 1.5 ; priority=2 ; y = y*10
        event G: time >= 1 ; delay=0.5 ; priority=3 ; y = y + 3"""
    model = read_sbml(sbml(text))
    write_wasm(model, tmp_path / "waiting.wasm")
    times = [0.0, 0.9, 1.2, 1.7, 3.0]
    found = in_node({"waiting": {"times": times, "outputs": ["x", "y"]}}, tmp_path)["waiting"]
    expected = Ensemble(model, ["x", "y"]).run(1, times).values[0].T
    # By priority: 4, then ten times what was when the second rose, and then 1 more.
    assert expected[1, -1] == 11.0
    for values, numbers in zip(found["values"][0], expected, strict=True):
        assert values == pytest.approx(numbers, rel=1e-9)
