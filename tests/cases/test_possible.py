"""What cannot be is refused, or is a failure by name; what is only unlikely is used, with a warning."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from betapod import Ensemble, Schedule, Switch, simulate
from betapod.base.errors import ConfigError, ParameterError, SolverError
from betapod.model import Model, Parameter, ParameterTable, Part, assemble
from betapod.model.parameters.possible_values import possible_bounds, stays_positive
from betapod.physiology import whole_body


@cache
def tank() -> Model:
    """A volume that a constant outflow empties, and goes on to empty."""
    rows = [
        Parameter("out", "outflow", 1.0, "L/day", 0.1, 5.0),
        Parameter("part", "fraction that leaves", 0.5, "1", 0.1, 0.9),
        Parameter("gain", "sensitivity", 0.5, "1", 0.1, 0.9),
        Parameter("shift", "difference", 0.0, "L/day", -1.0, 1.0),
        Parameter("start", "volume at the start", 2.0, "L"),
        Parameter("inflow", "inflow", 0.0, "L/day", 0.0, 9.0, role="input"),
    ]
    text = "dV/dt = inflow + shift - out*part - gain*shift [L/day] volume\nV(0) = start [L] volume\nhalf = V/2 [L] half"
    return assemble("tank", [Part.from_text("Tank", text, ("inflow",))], ParameterTable(rows))


@pytest.mark.parametrize(
    ("name", "value"),
    [("out", -1.0), ("out", "-3 L/day"), ("part", -0.1), ("part", 1.2), ("part", "120 %"), ("inflow", -1e-6)],
)
def test_an_impossible_value_is_refused(name: str, value: float | str) -> None:
    with pytest.raises(ParameterError) as caught:
        tank().with_values({name: value})
    assert caught.value.kinds == ("impossible-value",)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"), [("out", 0.0), ("out", 50.0), ("part", 1.0), ("gain", 3.0), ("shift", -4.0)]
)
def test_an_unlikely_value_is_used_with_a_warning(name: str, value: float) -> None:
    model = tank().with_values({name: value})
    assert len(model.parameters.implausible()) == 1
    assert model.parameters[name].value == value


def test_rounding_around_zero_is_no_impossible_value() -> None:
    assert tank().with_values({"inflow": -1e-20, "part": 1.0 + 1e-12}).inputs["inflow"].value == -1e-20


def test_impossible_people_switches_and_starts_are_refused() -> None:
    ensemble = Ensemble(tank(), threads=1)
    with pytest.raises(ParameterError, match=r"patients\['out'\], patient 1: impossible-value"):
        ensemble.run({"out": np.array([1.0, -1.0, -2.0])}, [0.0, 1.0])
    with pytest.raises(ConfigError, match="impossible-value: inflow"):
        simulate(tank(), [0.0, 1.0], Schedule(switches=[Switch("inflow", -1.0, 0.5)]))
    with pytest.raises(ConfigError, match="impossible-value: V "):
        simulate(tank(), [0.0, 1.0], initial={"V": -1.0})
    with pytest.raises(ConfigError, match="impossible-value: V "):
        ensemble.run(1, [0.0, 1.0], initial={"V": -1.0})


def test_less_than_nothing_is_a_failure_by_name() -> None:
    times = [0.0, 1.0, 3.0, 5.0, 6.0]
    with pytest.raises(SolverError, match=r"V \(volume\) becomes negative") as caught:
        simulate(tank(), times)
    assert caught.value.kinds == ("impossible-result",)
    assert simulate(tank(), times[:3]).table["V"].tolist() == pytest.approx([2.0, 1.5, 0.5])
    found = Ensemble(tank(), threads=1).run({"out": [1.0, 0.2]}, times)
    assert found.summary() == "2 patients: 1 ok, 1 impossible"
    assert list(found.failed) == [0]
    assert found.ended_at[0] == 5.0
    assert np.isnan(found.values[0, 3:, 0]).all()
    assert found.values[:, 2, 0] == pytest.approx([0.5, 1.7])
    assert found.failures["reason"].tolist() == ["impossible"]
    assert found.failures["V"].tolist() == pytest.approx([-0.5])


def test_a_state_that_is_not_reported_is_watched_as_well() -> None:
    found = Ensemble(tank(), outputs=["half"], threads=1).run({"out": [1.0, 0.2]}, [0.0, 6.0])
    assert found.summary() == "2 patients: 1 ok, 1 impossible"


@pytest.mark.parametrize("unit", ["mg", "mol", "L", "mmol/L", "mg/dL", "Mcell", "U", "pmol/L", "kg", "uIU/mL"])
def test_there_is_never_less_than_nothing_of_some_things(unit: str) -> None:
    assert stays_positive(unit)


@pytest.mark.parametrize("unit", ["1", "%", "mV", "mmHg", "L/day", "m", "K", "kg*m", "mg*day/L", "nonsense"])
def test_other_things_may_be_negative(unit: str) -> None:
    assert not stays_positive(unit)


def test_every_number_that_is_shipped_is_possible() -> None:
    for name in whole_body.NAMES:
        model = whole_body.named_model(name)
        for row in (*model.parameters.values(), *model.inputs.values()):
            low, high = possible_bounds(row)
            assert low <= row.value <= high, row.id
            assert low <= row.low or row.low == -np.inf
            assert row.high <= high
