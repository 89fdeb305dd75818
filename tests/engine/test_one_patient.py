"""One patient by the compiled engine: the numbers of the reference integrator, and what only that does."""

from __future__ import annotations

import numpy as np
import pytest

import betapod
from betapod import Dose, Model, Schedule, Switch
from betapod.base.errors import ConfigError, SolverError
from betapod.engine import one_patient
from betapod.engine.scipy.reference import simulate_by_reference as by_reference
from betapod.front.simulations import is_packaged
from betapod.model import Parameter, ParameterTable, Part, assemble

VISITS = [0.0, 1.0, 10.0, 20.0, 365.0, 3652.5]
FALLS = Schedule(switches=[Switch("e_S", 0.5, 0.0), Switch("G", 9.0, 10.0, 5.0), Switch("e_S", 0.0, 20.0)])


@pytest.fixture(scope="module")
def tank() -> Model:
    rows = [
        Parameter("k", "rate", 0.1, "1/day"),
        Parameter("a0", "start", 5.0, "mg"),
        Parameter("u", "input", 1.0, "1", role="input"),
    ]
    part = Part.from_text("Tank", "a(0) = a0 [mg] a\nda/dt = -k*u*a [mg/day] a", ("u",))
    return assemble("tank", [part], ParameterTable(rows))


@pytest.mark.parametrize("method", ["LSODA", "Radau"])
def test_the_kidney_is_that_of_the_reference_integrator(method: str) -> None:
    kidney = betapod.load_model("kidney")
    outputs = [*kidney.state_names, "GFR", "UAER", "MAP", "e_S", "G"]
    compiled = betapod.simulate(kidney, VISITS, FALLS, outputs=outputs)
    reference = by_reference(kidney, VISITS, FALLS, method=method, outputs=outputs)
    assert (compiled.method, reference.method) == ("Rodas5P", method)
    size = np.abs(reference.table).max() + 1e-12
    assert float((np.abs(compiled.table - reference.table) / size).max().max()) < 2e-5
    for name in ("e_S", "G"):
        assert list(compiled.table[name]) == list(reference.table[name]), "inputs are seen as before a switch"
    assert list(compiled.dictionary["unit"]) == list(reference.dictionary["unit"])
    assert compiled.evaluations > 0 and len(compiled.atol) == len(kidney.states)


def test_the_end_of_the_kidney_is_told_by_both() -> None:
    kidney = betapod.load_model("kidney").with_values({"xi": 6.0, "G": 18.0})
    years = np.linspace(0.0, 60 * 365.25, 61)
    ends = [betapod.simulate(kidney, years, method=method, outputs=["GFR"]) for method in ("Rodas5P", "LSODA")]
    assert [result.ended and result.ended[0] for result in ends] == ["kidney_failure"] * 2
    (first, second), tables = [result.ended for result in ends], [result.table["GFR"] for result in ends]
    assert first[1] == pytest.approx(second[1], rel=1e-4)
    assert [name for _, name in ends[0].events] == ["kidney_failure"]
    assert list(tables[0].isna()) == list(tables[1].isna()) and tables[0].isna().any()


def test_infusions_and_steady_states_are_those_of_the_reference_integrator(tank: Model) -> None:
    for schedule in (
        Schedule([Dose("a", 3.0, 1.0, 2.0, 4, duration=0.5)]),
        Schedule([Dose("a", 3.0, 0.0, 2.0, 4, ss=True)]),
    ):
        a, b = (
            one_patient.simulate_one(tank, [0.0, 1.0, 2.0, 9.0], schedule, method=method).table
            for method in ("Rodas5P", "LSODA")
        )
        assert np.allclose(a, b, rtol=1e-5, atol=1e-7)


def test_models_of_the_package_are_known_by_their_equations(tank: Model) -> None:
    kidney = betapod.load_model("kidney")
    assert is_packaged(kidney) and is_packaged(kidney.with_values({"xi": 2.0}))
    assert not is_packaged(tank)
    assert betapod.simulate(tank, [0.0, 1.0]).method == "LSODA"
    assert betapod.simulate(tank, [0.0, 1.0], method="Rodas5P").method == "Rodas5P"


def test_what_the_compiled_engine_does_not_tell_is_left_to_the_reference_integrator(tank: Model) -> None:
    rows = [
        Parameter("k", "rate", 0.1, "1/day"),
        Parameter("a0", "start", 5.0, "mg"),
        Parameter("low", "mark", 2.0, "mg"),
    ]
    part = Part.from_text(
        "Late", "a(0) = a0 [mg] a\nda/dt = -k*a [mg/day] a", events='refill when a < low then a = a0 "filled again"'
    )
    late = assemble("late", [part], ParameterTable(rows))
    result = betapod.simulate(late, [0.0, 30.0], method="Rodas5P")
    assert result.method == "LSODA" and [name for _, name in result.events] == ["refill"] * 3
    with pytest.raises(ConfigError, match="there is no method 'Euler'"):
        betapod.simulate(tank, [0.0, 1.0], method="Euler")


def test_who_is_lost_by_the_compiled_engine_goes_on_with_the_reference_integrator(
    tank: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [Parameter("k", "share", 0.0, "1/mg"), Parameter("rate", "rate", 0.1, "1/day")]
    part = Part.from_text("Broken", "a(0) = 1/k [mg] a\nda/dt = -rate*a [mg/day] a")
    with pytest.raises(SolverError, match="starts from no number"):
        betapod.simulate(assemble("broken", [part], ParameterTable(rows)), [0.0, 1.0], method="Rodas5P")
    monkeypatch.setattr(one_patient, "ENDED", -1)
    assert betapod.simulate(tank, [0.0, 1.0], method="Rodas5P").method == "LSODA"
