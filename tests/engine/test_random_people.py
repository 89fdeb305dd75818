"""Every parameter varied at once, within what is possible: people end well or by a failure that has a name."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from betapod.base.errors import ParameterError
from betapod.engine.draw import draw_parameters
from betapod.engine.ensemble import Ensemble
from betapod.model import Parameter, ParameterTable
from betapod.model.parameters.possible_values import excludes_zero, possible_bounds
from betapod.physiology import whole_body
from betapod.therapies import cell_parameters

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "random_people.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    found = importlib.util.spec_from_file_location("random_people", SCRIPT)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


def rows() -> list[Parameter]:
    tables = [whole_body.model_parameters(name) for name in whole_body.NAMES]
    return [row for table in [*tables, cell_parameters.cell_parameter_table()] for row in table.values()]


def test_every_row_of_the_models_lies_within_its_limits() -> None:
    for row in rows():
        low, high = possible_bounds(row)
        assert low <= row.value <= high, row.id
        assert low <= row.low or row.low == -np.inf, row.id
        assert row.high <= high or row.high == np.inf, row.id
        assert not (row.value == 0.0 and excludes_zero(row)), row.id


def test_random_people_end_well_or_by_a_failure_that_has_a_name(script: ModuleType) -> None:
    model = whole_body.named_model("reference")
    columns = script.random_people(model, range(48), 0.1, 1)
    for name, column in columns.items():
        low, high = possible_bounds(model.parameters[name])
        assert ((column >= low) & (column <= high)).all() and len(np.unique(column)) > 40, name
    assert len(columns) > 0.85 * len(model.parameters)
    result = Ensemble(model, ["eGFR", "HbA1c"], threads=1).run(columns, [0.0, 30.0])
    assert np.mean(result.status == 0) >= 0.95
    assert np.isfinite(result.values[result.status == 0]).all()
    assert set(result.failures["quantity"]) <= set(model.names)


def test_people_do_not_depend_on_who_else_is_drawn(script: ModuleType) -> None:
    model = whole_body.named_model("topp2000")
    whole, part = (script.random_people(model, numbers, 0.1, 1) for numbers in (range(10), range(4, 7)))
    assert all((whole[name][4:7] == part[name]).all() for name in whole)


def test_the_quantity_that_fails_is_named_before_what_depends_on_it() -> None:
    # Less sodium reaches the collecting duct than is eaten: what it would have to take up is no share any more.
    model = whole_body.named_model("reference")
    result = Ensemble(model, ["eGFR"], threads=1).run({"e_loop0": [0.8, 0.97]}, [0.0, 1.0])
    assert [result.status_names[code] for code in result.status] == ["ok", "non-finite"]
    assert result.failures[["patient", "quantity", "time"]].to_numpy().tolist() == [[1, "e_CD", 0.0]]


# -- limits of a row -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "bounds", "zero"),
    [
        (Parameter("tau", "response time", 50.0, "day", 40.0, 60.0), (0.0, np.inf), False),
        (Parameter("k", "rate of loss", 0.5, "1/day", 0.2, 0.9), (0.0, np.inf), True),
        (Parameter("k", "reabsorption per protein", 0.25, "kg*day/g", 0.1, 0.4), (0.0, np.inf), True),
        (Parameter("w", "smoothness of a threshold", 0.1, "1", 0.05, 0.2), (0.0, np.inf), False),
        (Parameter("f", "fraction absorbed", 0.6, "1", 0.4, 0.9), (0.0, 1.0), True),
        (Parameter("f", "fraction absorbed", 60.0, "%", 40.0, 90.0), (0.0, 100.0), True),
        (Parameter("c", "fall of clearance in uraemia", 0.3, "1", 0.0, 0.6), (0.0, 1.0), True),
        (Parameter("c", "fall of uptake per log peptide", 0.3, "1", 0.0, 0.6), (0.0, np.inf), True),
        (Parameter("d", "shift of the set point", 0.0, "mmHg", -20.0, 40.0), (-np.inf, np.inf), True),
        (Parameter("V", "volume", 40.0, "L"), (0.0, np.inf), True),
        (Parameter("V", "change of volume", 40.0, "L"), (-np.inf, np.inf), True),
        (Parameter("sw_x", "a mechanism", 1.0, "1", 0.0, 1.0), (0.0, 1.0), True),
        (Parameter("h", "multiplier", 1.5, "1", 1.0, 2.0, hard_low=1.0, hard_high=9.0), (1.0, 9.0), True),
    ],
)
def test_limits_follow_from_unit_and_kind_unless_they_are_given(
    row: Parameter, bounds: tuple[float, float], zero: bool
) -> None:
    assert possible_bounds(row) == bounds
    assert excludes_zero(row) is not zero


HEADER = "id,label,value,unit,low,high,hard_low,hard_high,distribution,role,source,locator,grade,note\n"


def read(tmp_path: Path, *lines: str) -> ParameterTable:
    path = tmp_path / "table.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return ParameterTable.read(path)


def test_limits_hold_for_options_overlays_and_draws(tmp_path: Path) -> None:
    table = read(tmp_path, 'h,multiplier,1.5,1,1,2,1,3,"lognormal(1.5, 2)",assumed,,,D,')
    for value in ("0.5", "3.5"):
        with pytest.raises(ParameterError, match="impossible-value"):
            table.with_values({"h": value})
        with pytest.raises(ParameterError, match="impossible-value"):
            table.overlay(ParameterTable([Parameter("h", "", float(value), "1")]))
    with pytest.raises(ParameterError, match="beyond what is possible"):
        table.overlay(ParameterTable([Parameter("h", "", 2.0, "1", 0.0, 9.0)]))
    wide = ParameterTable([Parameter("h", "", 2.0, "1", distribution="lognormal(2, 3)", hard_low=1.0, hard_high=3.0)])
    drawn = draw_parameters(wide, 1, range(2000))["h"]
    assert 1.0 <= drawn.min() < 1.1 and 2.9 < drawn.max() <= 3.0
    assert table.overlay(ParameterTable([Parameter("h", "", 2.5, "1")]))["h"].hard_high == 3.0


@pytest.mark.parametrize(
    "line",
    [
        "h,x,1.5,1,0.5,2,1,3,fixed,assumed,,,D,",
        "h,x,1.5,1,1,4,1,3,fixed,assumed,,,D,",
        "h,x,1.5,1,1,2,3,1,fixed,assumed,,,D,",
    ],
)
def test_a_plausible_range_beyond_the_limits_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ParameterError) as caught:
        read(tmp_path, line)
    assert caught.value.kinds == ("bad-range",)


def test_a_table_that_was_written_out_and_read_again_has_the_same_limits(tmp_path: Path) -> None:
    base = whole_body.model_parameters("reference")
    path = tmp_path / "rows.csv"
    base.table.replace([np.inf, -np.inf], "").to_csv(path, index=False)
    again = base.overlay(ParameterTable.read(path))
    for row in base.values():
        assert possible_bounds(again[row.id]) == possible_bounds(row), row.id
        assert excludes_zero(again[row.id]) == excludes_zero(row), row.id


def test_a_time_constant_of_0_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"tau_capacity .* cannot be 0"):
        whole_body.model_parameters("reference").with_values({"tau_capacity": 0.0})
    # A rate may be 0: it turns a process off.
    assert whole_body.model_parameters("reference").with_values({"del_on": 0.0})["del_on"].value == 0.0
