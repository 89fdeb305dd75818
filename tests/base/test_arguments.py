"""What Python hands over in a wrong kind is a problem in words at every public function, and no failure from below."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import betapod
from betapod import Dose, Ensemble, Parameter, ParameterTable, Schedule, Submodel, Switch, assemble, simulate
from betapod.base.errors import BetapodError


class Elimination(Submodel):
    """One compartment with an input."""

    reads = ("G",)
    equations = """
    C     = A/V + G  [mg/L]    concentration
    dA/dt = -k*A     [mg/day]  elimination
    A(0)  = dose     [mg]      amount in the body
    """


ROWS = ParameterTable(
    [
        Parameter("V", "volume", 40.0, "L"),
        Parameter("k", "rate", 0.3, "1/day"),
        Parameter("dose", "first dose", 500.0, "mg"),
        Parameter("G", "input", 0.0, "mg/L", role="input"),
    ]
)
MODEL = assemble("drug", [Elimination], ROWS)
WRONG: list[Any] = [
    *("x", "5 mg", b"x", 1j, object(), [{}], [[1], [1, 2]], len, datetime.date(2020, 1, 1)),
    *(np.datetime64("2020"), 10**400, float("nan"), float("inf"), Decimal("NaN"), {"A": 1}),
]
NO_TEXT: list[Any] = [3, None, float("nan"), np.int64(3), np.array([1, 2]), object(), [1]]


def _run(**orders: Any) -> list[Callable[[], Any]]:
    schedule = Schedule(**orders)
    return [lambda: simulate(MODEL, [0, 1, 2], schedule), lambda: Ensemble(MODEL).run(2, [0, 1, 2], schedule)]


def _numbers(value: Any) -> list[Callable[[], Any]]:
    """Every place that takes a number or numbers."""
    calls = [
        lambda: simulate(MODEL, value),
        lambda: simulate(MODEL, [0, value]),
        lambda: simulate(MODEL, [0, 1], initial={"A": value}),
        lambda: simulate(MODEL, [0, 1], rtol=value),
        lambda: simulate(MODEL, [0, 1], atol=value),
        lambda: Ensemble(MODEL, rtol=value),
        lambda: Ensemble(MODEL, threads=value),
        lambda: Ensemble(MODEL).run({"V": value}, [0, 1]),
        lambda: Ensemble(MODEL).run({"V": [value, 40.0]}, [0, 1]),
        lambda: Ensemble(MODEL).run(2, value),
        lambda: Ensemble(MODEL).run(2, [0, 1], initial={"A": value}),
        lambda: Ensemble(MODEL).run(2, [0, 1], out=value),
        lambda: MODEL.with_values({"V": value}),
    ]
    if not isinstance(value, dict):
        calls.append(lambda: Ensemble(MODEL).run(value, [0, 1]))
    for name in ("amount", "time", "ii", "addl", "duration", "rate"):
        calls += _run(doses=[Dose(**{"state": "A", "amount": 1.0, name: value})])
    for name in ("value", "time", "width"):
        calls += _run(switches=[Switch(**{"input": "G", "value": 1.0, "time": 1.0, name: value})])
    return calls


def _others(value: Any) -> list[Callable[[], Any]]:
    """Every place that takes a name, a file, a model, a table or a schedule; None is a choice of some."""
    calls = [
        lambda: simulate(value, [0, 1]),
        lambda: Ensemble(value),
        lambda: simulate(MODEL, [0, 1], outputs=[value]),
        lambda: Ensemble(MODEL, outputs=[value]),
        lambda: Ensemble(MODEL).run(2, [0, 1], [value, value]),
        lambda: betapod.read_sbml(value),
        lambda: betapod.load_model(value),
        lambda: betapod.render(value),
        lambda: betapod.render(MODEL, value),
        lambda: betapod.cite(value, {}),
        # None means betapod's own works.
        lambda: betapod.cite(MODEL, 1 if value is None else value),
        lambda: betapod.write_sbml(value),
        lambda: ParameterTable.read(value),
        lambda: ParameterTable([value]),
        lambda: ParameterTable([Parameter(value, "x", 1.0, "1")]),
        lambda: ParameterTable([Parameter("x", "x", 1.0, value)]),
        lambda: ROWS.with_values(value),
        lambda: assemble(value, [Elimination], ROWS),
        lambda: assemble("x", value, ROWS),
        lambda: assemble("x", [value], ROWS),
        lambda: assemble("x", [Elimination], value),
        *_run(doses=value),
        *_run(doses=[value]),
        *_run(switches=[value]),
        *_run(doses=[Dose(value, 1.0)]),
        *_run(switches=[Switch(value, 1.0, 1.0)]),
    ]
    if value is not None:
        calls += [
            lambda: simulate(MODEL, [0, 1], value),
            lambda: simulate(MODEL, [0, 1], initial=value),
            lambda: simulate(MODEL, [0, 1], outputs=value),
            lambda: simulate(MODEL, [0, 1], method=value),
            lambda: Ensemble(MODEL).run(2, [0, 1], value),
            lambda: Ensemble(MODEL).run(2, [0, 1], initial=value),
        ]
    return calls


@pytest.mark.parametrize("value", WRONG, ids=lambda value: repr(value)[:20])
def test_what_is_no_number_is_a_problem_wherever_a_number_belongs(value: Any) -> None:
    for call in _numbers(value):
        with pytest.raises(BetapodError):
            call()


@pytest.mark.parametrize("value", NO_TEXT, ids=lambda value: repr(value)[:20])
def test_what_is_no_name_model_or_order_is_a_problem_wherever_one_belongs(value: Any) -> None:
    for call in _others(value):
        with pytest.raises(BetapodError):
            call()


@pytest.mark.parametrize("value", [np.int64(3), np.float32(3), Decimal(3), Fraction(3), np.array(3.0), 3])
def test_numbers_of_every_kind_are_read_as_themselves(value: Any) -> None:
    assert Ensemble(MODEL).run({"V": value}, [0, 1]).values.shape[0] == 1
    assert simulate(MODEL, [0, value], initial={"A": value}, outputs="A").table["A"].iloc[0] == 3.0
    assert MODEL.with_values({"V": value}).parameters["V"].value == 3.0


def test_two_rows_of_one_name_are_refused_and_not_lost() -> None:
    with pytest.raises(BetapodError, match="given twice"):
        ParameterTable([Parameter("V", "volume", 40.0, "L"), Parameter("V", "volume", 50.0, "L")])
