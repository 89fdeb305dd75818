"""Whole models, exported and simulated in COPASI: the same numbers over years."""

from __future__ import annotations

import locale
from dataclasses import replace

import numpy as np
import pytest

from betapod.engine.scipy.reference import simulate_by_reference as simulate
from betapod.exchange import write_sbml
from betapod.model import Event, Model
from betapod.model.algebra.expression import binary, const, symbol
from betapod.physiology import whole_body

# COPASI sets the locale of the whole process to plain C, which other tests would trip over.
LOCALE = locale.setlocale(locale.LC_CTYPE)
COPASI = pytest.importorskip("COPASI")
locale.setlocale(locale.LC_CTYPE, LOCALE)


def copasi_course(model: Model, days: float, steps: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return times and the course of every state, at tolerances near the end of double precision."""
    data = COPASI.CRootContainer.addDatamodel()
    assert data.importSBMLFromString(write_sbml(model))
    task = data.getTask("Time-Course")
    task.setMethodType(COPASI.CTaskEnum.Method_deterministic)
    problem, method = task.getProblem(), task.getMethod()
    problem.setDuration(days)
    problem.setStepNumber(steps)
    problem.setTimeSeriesRequested(True)
    method.getParameter("Relative Tolerance").setDblValue(1e-11)
    method.getParameter("Absolute Tolerance").setDblValue(1e-14)
    method.getParameter("Max Internal Steps").setUIntValue(10_000_000)
    assert task.process(True)
    series = task.getTimeSeries()
    column = {series.getTitle(i).removeprefix("Values[").removesuffix("]"): i for i in range(series.getNumVariables())}
    rows = range(series.getRecordedSteps())

    def course(i: int) -> np.ndarray:
        return np.array([series.getConcentrationData(k, i) for k in rows])

    # COPASI names quantities by their labels, with its own marks escaped.
    labels = {state.name: (state.label or state.name) for state in model.states}
    found = {name: column.get(label, column.get(name)) for name, label in labels.items()}
    return course(0), {name: course(i) for name, i in found.items() if i is not None}


@pytest.mark.parametrize("values", [{}, {"G": 11.3, "age": 15}], ids=["healthy", "type 1 diabetes"])
def test_kidney_over_twenty_years(values: dict[str, float]) -> None:
    model = whole_body.named_model("kidney").with_values(dict(values))
    times, theirs = copasi_course(model, 20 * 365.25, 20)
    ours = simulate(model, times, rtol=1e-11, atol=1e-14, outputs=list(model.state_names)).table
    assert set(theirs) == set(model.state_names)
    for name, course in theirs.items():
        np.testing.assert_allclose(course, ours[name], rtol=1e-6, atol=1e-12, err_msg=name)


def test_whole_person_over_ten_years_with_an_infusion() -> None:
    model = whole_body.named_model("reference").with_values({"age": 50})
    given = {"N_L": 65.0, "N_K": 3.0, "I_1": 100.0}
    changes = tuple((name, symbol(name) + amount) for name, amount in given.items())
    infusion = Event("infusion", "cells infused", binary("ge", symbol("t"), const(30.0)), changes)
    model = replace(model, events=(*model.events, infusion))
    times, theirs = copasi_course(model, 10 * 365.25, 10)
    ours = simulate(model, times, rtol=1e-11, atol=1e-14, outputs=list(model.state_names)).table
    assert len(theirs) >= len(model.states) - 1
    for name, course in theirs.items():
        # Programmes that fade to 1e-10 carry the absolute tolerance of both sides.
        np.testing.assert_allclose(course, ours[name], rtol=1e-6, atol=1e-12, err_msg=name)
