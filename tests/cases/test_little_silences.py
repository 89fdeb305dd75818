"""Small things that were passed over without a word."""

from __future__ import annotations

import math
import sys
import threading
from pathlib import Path

import pytest

from betapod import Ensemble
from betapod.base.errors import ConfigError, ParameterError
from betapod.cli.main import main
from betapod.cli.shared import assignments
from betapod.cli.verbs.ensemble_work import print_run_summary
from betapod.engine.compiled.compiled_run import CompiledRun
from betapod.engine.runs.store import Store
from betapod.model import Parameter, ParameterTable, Part, assemble
from betapod.person import glucose_tests
from betapod.person import typical as people

TEXT = "dx/dt = -k*x [1/day] falls\nx(0) = x0 [1] start\n"


def made():
    rows = [Parameter("k", "loss", 0.5, "1/day"), Parameter("x0", "start", 1.0, "1")]
    return assemble("fall", [Part.from_text("fall", TEXT)], ParameterTable(rows))


def test_two_values_for_one_name_are_refused_and_the_same_value_twice_is_not() -> None:
    with pytest.raises(ConfigError) as raised:
        assignments(["a=1", "b=2", "a=3"], "--set")
    assert raised.value.kinds == ("given-twice",) and "1 before" in str(raised.value)
    assert assignments(["a=1", "a = 1"], "--set") == {"a": "1"}


def test_a_column_with_a_unit_in_its_heading_is_told_that_units_have_no_place_there() -> None:
    with pytest.raises(ParameterError) as raised:
        Ensemble(made(), ["x"]).run({"k [1/h]": [0.1, 0.2]}, [0.0, 1.0])
    assert "Write 'k' alone" in str(raised.value)


def test_a_folder_that_lacks_parts_says_how_they_are_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.txt").write_text(TEXT)
    (tmp_path / "m.csv").write_text("id,value,unit\nk,0.5,1/day\nx0,1,1\n")
    folder = tmp_path / "run"
    words = ["ensemble", "run", tmp_path / "m.txt", "-n", "2", "--years", "0.01", "-o", folder, "--quiet"]
    monkeypatch.setattr(sys, "argv", ["betapod", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    store = Store.open(folder)
    capsys.readouterr()
    print_run_summary(store, {"model": "m", "patients": 2, "patients_done": 0, "status": {}, "events": {}})
    assert f"betapod ensemble resume {folder}" in capsys.readouterr().err


def test_no_patient_is_integrated_in_the_main_thread_so_that_an_interrupt_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    carried, work = [], CompiledRun._work
    monkeypatch.setattr(CompiledRun, "_work", lambda run: (carried.append(threading.current_thread()), work(run))[1])
    for threads in (1, 2):
        Ensemble(made(), ["x"], threads=threads).run({"k": [0.1, 0.2, 0.3]}, [0.0, 1.0])
    assert len(carried) == 3 and threading.main_thread() not in carried


@pytest.mark.parametrize("grams", [0.0, 1e-200, 1e-6])
def test_insulin_per_rise_of_glucose_has_no_value_where_glucose_does_not_rise(grams: float) -> None:
    """It was 21, 62 or 432 by rounding, or a division by zero."""
    indices = glucose_tests.ogtt(people.person("t2d"), grams).indices
    assert math.isnan(indices["insulinogenic_index"]) and indices["HOMA_B"] == pytest.approx(53.31, rel=1e-3)
    assert glucose_tests.ogtt(people.person("t2d")).indices["insulinogenic_index"] == pytest.approx(18.35, rel=1e-2)


@pytest.mark.parametrize("glucose", [0.0, 1e-200, 1.9, 40.1, 1e4, math.nan])
def test_a_clamp_at_a_glucose_that_nobody_has_is_refused(glucose: float) -> None:
    with pytest.raises(ConfigError) as raised:
        glucose_tests.clamp(people.person("t2d"), glucose=glucose)
    assert raised.value.kinds == ("out-of-range",)
