"""One order for cells for many patients: each dose fits the patient's own weight, first pass and batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ..base.errors import ConfigError, Location, Problem
from ..model import Model
from ..physiology import whole_body
from ..physiology.cells.routes import ORGANS
from . import cell_parameters
from .cell_dosing import Course, Regimen, regimen_of
from .cell_order import Order, read_order
from .scenarios import DEFAULT


def regimens(
    text: str,
    patients: Mapping[str, ArrayLike],
    weights: ArrayLike | None = None,
    batches: ArrayLike | None = None,
    model: Model | None = None,
    scenario: str = DEFAULT,
    state: Mapping[str, ArrayLike] | None = None,
    where: str = "dose",
) -> list[Regimen]:
    """Return the course of each patient.

    The first-pass algebra is evaluated once for all patients, then courses are cut to each.

    Parameters
    ----------
    patients
        Parameters and inputs that differ from the model's, and numbers of products that differ from the table's (``viability``,
        ``potency_UC`` ...): name -> (patients,).
    weights
        Body weights, kg; ``BW`` of `patients`, or of the model's input, by default.
    batches
        Factors on potency, one per patient or one for all; 1 by default.
    state
        States that the allocation may depend on: name -> (patients,); initial values by default.

    Raises
    ------
    ConfigError
        As `cell_dosing.regimen`; and columns of different lengths.
    """
    order = read_order(text, where)
    table = cell_parameters.cell_parameter_table(scenario)
    if model is None:
        model = cell_parameters.parameterise(whole_body.named_model("cells"), scenario)
    columns = {name: np.asarray(values, dtype=float) for name, values in patients.items()}
    columns |= {name: np.asarray(values, dtype=float) for name, values in (state or {}).items()}
    count = _count(columns, weights, batches, where)
    quantities = _quantities(order, model, columns, count)
    products = {name: values for name, values in columns.items() if name in table and name not in quantities}
    heavy = _each(_weights(weights, columns, model), count)
    potency = _each(1.0 if batches is None else batches, count)
    courses = []
    for k in range(count):
        person_quantities = {name: float(values[k]) for name, values in quantities.items()}
        person_products = {name: float(values[k]) for name, values in products.items()}
        weight = None if np.isnan(heavy[k]) else float(heavy[k])
        courses.append(
            regimen_of(
                Course(order, model, table, {}, person_quantities, person_products), weight, float(potency[k]), where
            )
        )
    return courses


def _count(columns: Mapping[str, np.ndarray], weights: ArrayLike | None, batches: ArrayLike | None, where: str) -> int:
    lengths = {name: len(values) for name, values in columns.items() if values.ndim == 1}
    lengths |= {
        name: np.size(column)
        for name, column in (("weights", weights), ("batches", batches))
        if column is not None and np.ndim(column)
    }
    if not lengths or len(set(lengths.values())) > 1:
        raise ConfigError(
            Problem(
                "wrong-length",
                "the columns of patients must have one length",
                Location(where),
                found=", ".join(f"{name}: {length}" for name, length in lengths.items()) or "no column",
            )
        )
    return next(iter(lengths.values()))


def _each(values: ArrayLike, count: int) -> np.ndarray:
    return np.broadcast_to(np.asarray(values, dtype=float), (count,))


def _weights(weights: ArrayLike | None, columns: Mapping[str, np.ndarray], model: Model) -> ArrayLike:
    if weights is not None:
        return weights
    if "BW" in columns:
        return columns["BW"]
    return model.inputs["BW"].value if "BW" in model.inputs else np.nan


def _quantities(order: Order, model: Model, columns: Mapping[str, np.ndarray], count: int) -> dict[str, np.ndarray]:
    """Return what a course asks of the model, for all patients at once."""
    if order.product.kind == "graft":
        names = [order.product.surviving_part]
    else:
        names = [f"{order.route.fractions}_{organ}" for organ in ORGANS]
        if order.route.name == "ra":
            side = "both" if "bilateral" in order.words else "one"
            names += [f"plug_free_{side}", f"plug_gain_{side}"]
    settable = {*model.parameters, *model.inputs, *model.conversions, *model.state_names}
    people_values = {name: column for name, column in columns.items() if name in settable}
    return {name: _each(value, count) for name, value in model.evaluate(names, people_values).items()}
