"""From an order for cells to doses and switches of a model: viable cells, allocated to organs on their first pass."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..base.errors import ConfigError, Location, Problem
from ..engine.schedule import Dose, Schedule, Switch
from ..model import Model, ParameterTable
from ..physiology import whole_body
from ..physiology.cells.routes import ORGANS
from . import cell_parameters
from .cell_order import CONDITIONS, Order, read_order
from .scenarios import DEFAULT

#: A number of one patient, or those of many, (people,).
Amount = Any
#: Whether a warning concerns a patient, or each of many.
Concerned = Any


@dataclass(frozen=True)
class Regimen:
    """A course of cells for one patient.

    Attributes
    ----------
    ordered, viable
        Per infusion, 10^6 cells: as ordered, and viable after handling. Islet equivalents are counted as cells.
    fractions
        Share of the viable cells that arrests in each organ (suffixes of `ORGANS`); empty for grafts.
    doses, switches
        What the course does to the model.
    warnings
        What is not known or unusual about it.
    """

    order: Order
    ordered: float
    viable: float
    fractions: Mapping[str, float]
    doses: tuple[Dose, ...]
    switches: tuple[Switch, ...]
    warnings: tuple[str, ...] = ()

    @property
    def schedule(self) -> Schedule:
        """The course as a schedule."""
        return Schedule(self.doses, self.switches)

    @property
    def words(self) -> str:
        """How the order was understood."""
        order = self.order
        cells = f"{self.ordered:.4g} million {order.product.name}" if order.unit != "IEQ" else f"{self.ordered:.4g} IEQ"
        days = ", ".join(f"{time:g}" for time in order.times[:6]) + (", ..." if order.count > 6 else "")
        many = "1 infusion" if order.count == 1 else f"{order.count} infusions"
        cells = " ".join([cells, *(word for word in CONDITIONS if word in order.words)])
        return f"{many} of {cells}, {order.route.name}, on day{'s' if order.count > 1 else ''} {days}"


@dataclass
class Course:
    """What a course is being made of, for one patient or for many at once, where numbers are arrays (people,).

    Attributes
    ----------
    quantities
        Quantities of the model for this patient, where they were computed before; `state` is needed for others.
    product_numbers
        Numbers of products that differ from the table's.
    doses
        States, with the amount of every infusion.
    switches
        Inputs, with value and day.
    warnings
        Whom they concern, and what they say.
    """

    order: Order
    model: Model
    table: ParameterTable
    state: Mapping[str, float] = field(default_factory=dict)
    quantities: Mapping[str, Amount] = field(default_factory=dict)
    product_numbers: Mapping[str, Amount] = field(default_factory=dict)
    doses: list[tuple[str, Amount]] = field(default_factory=list)
    switches: list[tuple[str, Amount, float]] = field(default_factory=list)
    warnings: list[tuple[Concerned, str]] = field(default_factory=list)

    def number(self, key: str) -> Amount:
        """Return a number of a product."""
        return self.product_numbers[key] if key in self.product_numbers else self.table[key].value

    def add(self, state: str, amount: Amount) -> None:
        """Dose a state at every infusion."""
        self.doses.append((state, amount))

    def switch(self, name: str, value: Amount, time: float | None = None) -> None:
        """Set an input, where the model has it."""
        if name in self.model.inputs:
            self.switches.append((name, value, self.order.start if time is None else time))

    def evaluate(self, *names: str) -> list[Amount]:
        """Return quantities of the model for this patient at the start."""
        if self.quantities:
            return [self.quantities[name] for name in names]
        switched = {name: float(value) for name, value, time in self.switches if time <= self.order.start}
        return list(self.model.evaluate(names, self.state, switched).values())

    def dose(self, state: str, amount: float) -> Dose:
        """Return a dose into a state at every infusion."""
        order = self.order
        return Dose(state, amount, order.start, order.interval, order.count - 1)


def regimen(
    text: str,
    weight: float | None = None,
    model: Model | None = None,
    scenario: str = DEFAULT,
    state: Mapping[str, float] | None = None,
    batch: float = 1.0,
    where: str = "dose",
) -> Regimen:
    """Return the course that an order describes.

    Viable cells after handling are allocated to the organs by the model's own first-pass algebra, with the patient's values.
    Product and route set potency, mismatch, tissue factor and immunosuppression through the model's inputs. Cells into renal
    arteries beyond what these hold add to `plugged`.

    Parameters
    ----------
    text
        See `cell_order.read_order`, such as ``"UC-MSC 1e6/kg iv x3 q28d"``.
    weight
        Body weight, kg; needed for amounts per kg.
    model
        A model with cell therapy; by default the assembly ``cells`` in the named scenario.
    scenario
        Whose numbers of products (viability, potency ...) are used.
    state
        States of the patient that the allocation may depend on; initial values by default.
    batch
        Factor on potency of the manufactured batch.

    Raises
    ------
    ConfigError
        Everything wrong with the order at once, at its place.
    """
    order = read_order(text, where)
    table = cell_parameters.cell_parameter_table(scenario)
    if model is None:
        model = cell_parameters.parameterise(whole_body.named_model("cells"), scenario)
    return regimen_of(Course(order, model, table, state or {}), weight, batch, where)


def regimen_of(course: Course, weight: float | None, batch: float, where: str = "dose") -> Regimen:
    """Return the regimen of a course, of which order, model and patient are known."""
    order = course.order
    check_amount(course, weight, batch, where)
    ordered = float(ordered_cells(course, weight))
    model_weight = course.product_numbers.get("BW")
    cautions = cautions_of(course, ordered, weight, None if model_weight is None else float(model_weight))
    if ordered == 0:
        return Regimen(order, 0.0, 0.0, {}, (), (), cautions)
    viable, fractions = fill_course(course, ordered, batch)
    return Regimen(
        order,
        ordered,
        float(viable),
        {organ: float(share) for organ, share in fractions.items()},
        tuple(course.dose(state, float(amount)) for state, amount in course.doses if amount),
        tuple(Switch(name, float(value), time) for name, value, time in course.switches),
        (*cautions, *(text for concerned, text in course.warnings if concerned)),
    )


def fill_course(course: Course, ordered: Amount, batch: Amount) -> tuple[Amount, dict[str, Amount]]:
    """Add doses and switches to a course; return viable cells of an infusion (10^6), and the share that arrests in each organ."""
    if course.order.product.kind == "graft":
        viable = ordered * course.number("viability_graft")
        _graft(course, viable)
        return viable, {}
    handled = ordered * (1 - course.number("f_handling"))
    viable = handled * course.number("viability")
    return viable, _infusion(course, handled, viable, batch)


def dose(text: str, weight: float | None = None, model: Model | None = None, **options: object) -> Schedule:
    """Return the schedule of the course that an order describes; see `regimen`."""
    return regimen(text, weight, model, **options).schedule  # type: ignore[arg-type]


def check_amount(course: Course, weight: float | None, batch: float, where: str) -> None:
    """Check that a patient can be given what is ordered.

    Raises
    ------
    ConfigError
        A weight or a batch that cannot be, or no weight for an amount per kg.
    """
    order = course.order
    problems = []

    def bad(kind: str, message: str, **details: str) -> None:
        problems.append(Problem(kind, message, Location(where, 1, 1), context=order.text, **details))

    if weight is not None and not (math.isfinite(weight) and weight > 0):
        bad("bad-weight", "the body weight must be above 0", found=f"{weight:g} kg")
    elif order.per_kg and weight is None:
        bad("missing-weight", "an amount per kg needs the body weight", hint="Give weight=... in kg.")
    if not (math.isfinite(batch) and batch >= 0):
        bad("bad-lot", "the potency of a batch is a factor of 0 or more", found=f"{batch:g}")
    if problems:
        raise ConfigError(problems)


def ordered_cells(course: Course, weight: Amount | None) -> Amount:
    """Return the cells per infusion, 10^6."""
    order = course.order
    amount = order.amount * (weight if order.per_kg and weight is not None else 1.0)
    return amount * course.number("cells_per_IEQ") * 1e-6 if order.unit == "IEQ" else amount


def _infusion(course: Course, handled: Amount, viable: Amount, batch: Amount) -> dict[str, Amount]:
    order, route = course.order, course.order.route
    _potency(course, batch)
    _commitment(course)
    course.switch("HLA_mm", 0.0 if order.donor == "autologous" else 1.0)
    course.switch("TF_source", course.number(order.product.tissue_factor))
    course.switch("renal_delivery", 1.0 if route.renal else 0.0)
    shares = course.evaluate(*(f"{route.fractions}_{organ}" for organ in ORGANS))
    fractions = dict(zip(ORGANS, shares, strict=True))
    for organ, share in fractions.items():
        course.add(f"N_{organ}", viable * share)
        if f"Y_{organ}" in course.model.state_names:
            course.add(f"Y_{organ}", (handled - viable) * share)
    if route.name == "ra":
        side = "both" if "bilateral" in order.words else "one"
        free, gain = course.evaluate(f"plug_free_{side}", f"plug_gain_{side}")
        # Dead cells obstruct as living ones do.
        course.add("plugged", gain * np.maximum(0.0, handled - free))
    return fractions


def _potency(course: Course, batch: Amount) -> None:
    order = course.order
    potency = batch * course.number(order.product.potency)
    if "diabetic-donor" in order.words:
        potency = potency * course.number("potency_autologous_T2D")
    thawed = course.number("potency_thawed") if "thawed" in order.words else 1.0
    weaker = bool(np.any(thawed != 1.0))
    for axis in ("pi_A", "pi_T", "pi_M"):
        for time in order.times if weaker else [order.start]:
            course.switch(axis, potency * thawed, time)
            if weaker:
                course.switch(axis, potency, time + 1.0)


def _commitment(course: Course) -> None:
    """Set what source and condition of the product make of its readiness to become kidney or insulin-secreting cells."""
    order = course.order
    conditions = [word for word in CONDITIONS if word in order.words]
    readiness = {organ: course.number(f"commitment_{organ}_{order.product.source}") for organ in "KP"}
    for word in conditions:
        for organ in "KP":
            towards = {"induced-kidney": "K", "induced-islet": "P"}.get(word, organ)
            row = "preconditioned" if word == "preconditioned" else "induced" if organ == towards else "induced_other"
            readiness[organ] = readiness[organ] * course.number(f"commitment_{row}")
    for organ, factor in readiness.items():
        course.switch(f"commitment_{organ}", factor)
    if conditions:
        named = " and ".join(conditions)
        unchanged = np.logical_and.reduce([np.equal(factor, 1.0) for factor in readiness.values()])
        text = f"{named}: no human evidence says that this changes what cells become; nothing is changed"
        course.warnings.append((unchanged, text))


def _graft(course: Course, viable: Amount) -> None:
    order = course.order
    hidden = order.donor in ("autologous", "hypoimmune")
    course.switch("graft_hidden", 1.0 if hidden else 0.0)
    course.switch("adherence_IS", 0.0 if hidden else 1.0)
    (take_rate,) = course.evaluate(order.product.surviving_part)
    function = course.number(order.product.function) if order.product.function else 1.0
    course.add(order.product.state, viable * take_rate * function)
    if order.route.name == "depot":
        course.warnings.append((True, "early losses in a depot are taken as in the portal vein; no number is known"))


def cautions_of(
    course: Course, ordered: float, weight: float | None, model_weight: float | None = None
) -> tuple[str, ...]:
    """Return what is unusual about an amount for a patient.

    Parameters
    ----------
    model_weight
        The weight that the model has for the patient; its own input unless given.
    """
    order, product = course.order, course.order.product
    cautions = []
    if product.caution:
        cautions.append(f"{product.name}: {product.caution}")
    if product.dose and ordered > 0:
        row = course.table[product.dose]
        usual, unit = (
            (ordered / weight, "10^6 cells/kg") if row.unit.endswith("/kg") and weight else (ordered, "10^6 cells")
        )
        if (row.unit.endswith("/kg") == unit.endswith("/kg")) and not row.low <= usual <= row.high:
            cautions.append(f"{usual:g} {unit} is outside the {row.low:g} to {row.high:g} given in trials")
    has_weight = "BW" in course.model.inputs
    model_weight = course.model.inputs["BW"].value if model_weight is None and has_weight else model_weight
    differs = weight is not None and has_weight and model_weight is not None
    if weight is not None and differs and not math.isclose(weight, model_weight or 0.0, rel_tol=1e-6):
        cautions.append(f"the dose is for {weight:g} kg but the model's patient weighs {model_weight:g} kg")
    if "thawed" in order.words and 0 < order.interval < 1:
        cautions.append("infusions less than a day apart: potency after thawing overlaps")
    return tuple(cautions)
