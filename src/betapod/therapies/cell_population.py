"""One order for cells for many patients: each dose fits the patient's own weight, first pass and batch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from ..base.errors import ConfigError, Location, Problem
from ..engine.schedule import Switch
from ..model import Model
from ..physiology import whole_body
from ..physiology.cells.routes import ORGANS
from . import cell_parameters
from .cell_dosing import Course, Regimen, cautions_of, check_amount, fill_course, ordered_cells, regimen_of
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
    weight_of = [None if np.isnan(weight) else float(weight) for weight in heavy]
    course = Course(order, model, table, {}, quantities, products)
    for k, weight in enumerate(weight_of):
        check_amount(course, weight, float(potency[k]), where)
    if _is_one_course(course, heavy):
        return _cut(course, heavy, potency)
    courses = []
    for k, weight in enumerate(weight_of):
        person_quantities = {name: float(values[k]) for name, values in quantities.items()}
        person_products = {name: float(values[k]) for name, values in products.items()}
        course_of_person = Course(order, model, table, {}, person_quantities, person_products)
        courses.append(regimen_of(course_of_person, weight, float(potency[k]), where))
    return courses


def _is_one_course(course: Course, weights: np.ndarray) -> bool:
    """Return whether all patients are given the same but for amounts: something, each with a weight, all thawed cells weaker or none."""
    thawed = np.asarray(course.number("potency_thawed"))
    weaker = thawed != 1.0
    return course.order.amount > 0 and bool(np.isfinite(weights).all() and (weaker.all() or not weaker.any()))


def _cut(course: Course, weights: np.ndarray, batches: np.ndarray) -> list[Regimen]:
    """Return the regimen of each patient of a course, whose numbers are arrays."""
    count = len(weights)

    def of_all(amount: ArrayLike) -> list[float]:
        amounts: list[float] = _each(amount, count).tolist()
        return amounts

    ordered = _each(ordered_cells(course, weights), count)
    viable, shares = fill_course(course, ordered, batches)
    own_weights = of_all(course.product_numbers["BW"]) if "BW" in course.product_numbers else [None] * count
    fractions = zip(*map(of_all, shares.values()), strict=True) if shares else [()] * count
    doses = [(state, of_all(amount)) for state, amount in course.doses]
    switches = [_switches(name, of_all(value), time) for name, value, time in course.switches]
    warnings = [(np.broadcast_to(concerned, (count,)), text) for concerned, text in course.warnings]
    columns = zip(of_all(ordered), of_all(viable), fractions, weights.tolist(), own_weights, strict=True)
    return [
        Regimen(
            course.order,
            cells,
            alive,
            dict(zip(shares, arrested, strict=True)),
            tuple(course.dose(state, amounts[k]) for state, amounts in doses if amounts[k]),
            tuple(of_people[k] for of_people in switches),
            (
                *cautions_of(course, cells, weight, own_weight),
                *(text for concerned, text in warnings if concerned[k]),
            ),
        )
        for k, (cells, alive, arrested, weight, own_weight) in enumerate(columns)
    ]


def _switches(name: str, values: list[float], time: float) -> list[Switch]:
    """Return a switch of an input for each patient; those of one value share it."""
    shared = {value: Switch(name, value, time) for value in dict.fromkeys(values)}
    return [shared[value] for value in values]


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
