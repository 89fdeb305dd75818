"""Adverse events of a course of cells, chance by chance, and how many native cells it could replace at most."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..model import Model
from ..physiology import whole_body
from . import cell_parameters
from .cell_dosing import Regimen, regimen

#: Adverse events by their names in the model.
EVENTS = {
    "p_fever": "fever",
    "p_reaction": "infusion reaction",
    "p_thrombosis": "thrombosis after an infusion",
    "p_antibody": "antibodies against the donor",
    "p_artery": "injury of an artery",
    "p_lesion": "kidney lesion by injection",
    "p_bleeding": "bleeding",
    "p_portal_clot": "portal vein thrombosis",
    "p_growth": "unwanted growth",
    "p_kidney_loss": "kidney failure after cells",
    "SAE": "serious event under immunosuppression",
}
#: Chance of an event -> the same after a placebo infusion; procedures have theirs whatever is infused, and the others come by cells alone.
CONTROL = {
    "p_fever": "p_fever_control",
    "p_reaction": "p_reaction_control",
    "p_thrombosis": "p_thrombosis_control",
    "p_artery": "p_artery",
    "p_bleeding": "p_bleeding",
    "p_portal_clot": "p_portal_clot",
}

#: Body weight for which an order is read where only its chances of adverse events count, kg; they do not depend on it.
_WEIGHT = 80.0


@dataclass(frozen=True)
class Risk:
    """One kind of adverse event in a course.

    Attributes
    ----------
    name
        The model's quantity.
    chance
        Per event.
    events
        Number of infusions, procedures or courses.
    per
        What an event is.
    control
        Chance per placebo infusion of the same kind; 0 where only cells bring it.
    days
        Days of the events.
    """

    name: str
    label: str
    chance: float
    events: int
    per: str
    control: float = 0.0
    days: tuple[float, ...] = ()

    @property
    def at_least_one(self) -> float:
        """Chance of at least one in the course."""
        return 1 - (1 - self.chance) ** self.events

    @property
    def at_least_one_control(self) -> float:
        """Chance of at least one in as many placebo infusions."""
        return 1 - (1 - self.control) ** self.events


def course_risks(regimen: Regimen, model: Model | None = None, kidney_disease: float = 0.0) -> list[Risk]:
    """Return the chances of adverse events of a course, for trials to draw from at each event.

    Rates per year (immunosuppression) and factors on the host's own hazards are `course_ratios` and quantities of the model.

    Parameters
    ----------
    kidney_disease
        Whether the person has kidney disease, 1 or 0.
    """
    model = model or whole_body.named_model("cells")
    order, wanted = regimen.order, wanted_risks(regimen)
    count = order.count if regimen.ordered > 0 else 0
    controls = [CONTROL[name] for name, _ in wanted if name in CONTROL]
    chances = evaluate_risks([*(name for name, _ in wanted), *controls], regimen, model, {"CKD": kidney_disease})

    def risk(name: str, per: str) -> Risk:
        events = min(count, 1) if per == "course" else count
        control = chances[CONTROL[name]] if name in CONTROL else 0.0
        label = EVENTS.get(name, model.labels[name].partition(",")[0])
        return Risk(name, label, chances[name], events, per, control, tuple(order.times[:events]))

    return [risk(name, per) for name, per in wanted]


def evaluate_risks(
    names: Iterable[str], regimen: Regimen, model: Model, values: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return quantities of risk under a course, before any cell is in the body: chances are those of the first event.

    Parameters
    ----------
    values
        Parameters and inputs that differ from the model, each a number or (n,).
    """
    nothing = dict.fromkeys(model.state_names, 0.0)
    switched = {s.input: s.value for s in regimen.switches if s.input in model.inputs}
    return model.evaluate(names, nothing, switched, values or {})


def wanted_risks(regimen: Regimen) -> list[tuple[str, str]]:
    """Return which chances a course has, and what each is counted per."""
    order, route = regimen.order, regimen.order.route
    wanted: list[tuple[str, str]] = []
    if order.product.kind == "infused":
        wanted += [
            ("p_fever", "infusion"),
            ("p_reaction", "infusion"),
            ("p_thrombosis", "infusion"),
            ("p_antibody", "course"),
        ]
        if order.donor == "autologous":
            wanted.append(("p_kidney_loss", "course"))
    if route.arterial:
        wanted.append(("p_artery", "procedure"))
    if route.name == "ir":
        wanted.append(("p_lesion", "injection"))
    if route.portal:
        wanted += [("p_bleeding", "procedure"), ("p_portal_clot", "procedure")]
    if order.product.name == "SC-islets":
        wanted.append(("p_growth", "course"))
    return wanted


#: Event of `hazards.harm_rates` -> the factor on its rate after stromal cells.
RATIOS = {"serious_infection": "infection_m", "thromboembolism": "thrombosis_m", "cancer": "malignancy_m"}


def course_ratios(regimen: Regimen, model: Model | None = None) -> dict[str, float]:
    """Return the factors of a course on rates of serious infection, thromboembolism and cancer; 1 for grafts, of which none is known."""
    if regimen.order.product.kind != "infused" or regimen.ordered == 0:
        return dict.fromkeys(RATIOS, 1.0)
    model = model or whole_body.named_model("cells")
    factors = evaluate_risks(RATIOS.values(), regimen, model)
    return {event: factors[name] for event, name in RATIOS.items()}


def immunosuppression_rate(regimen: Regimen, model: Model | None = None) -> float:
    """Return the rate of serious adverse events under the immunosuppression of a course, 1/year; 0 without."""
    if regimen.order.product.kind == "infused" or regimen.ordered == 0:
        return 0.0
    model = model or whole_body.named_model("cells")
    return float(evaluate_risks(["SAE_rate"], regimen, model)["SAE_rate"])


@dataclass(frozen=True)
class CourseHarms:
    """Everything that an order for cells may do to somebody, under one scenario.

    Attributes
    ----------
    risks
        Chances without and with kidney disease, in the same order.
    ratios
        As of `course_ratios`.
    immunosuppression
        As of `immunosuppression_rate`, 1/year.
    start
        Day of the first infusion.
    """

    risks: tuple[tuple[Risk, Risk], ...]
    ratios: dict[str, float]
    immunosuppression: float
    start: float


@functools.cache
def course_harms(order: str, scenario: str) -> CourseHarms:
    """Return what the cells that an order describes may do under a scenario."""
    model = cell_parameters.parameterise(whole_body.named_model("cells"), scenario)
    course = regimen(order, _WEIGHT, model, scenario)
    both = (course_risks(course, model, kidney_disease) for kidney_disease in (0.0, 1.0))
    return CourseHarms(
        tuple(zip(*both, strict=True)),
        course_ratios(course, model),
        immunosuppression_rate(course, model),
        course.order.start,
    )


@dataclass(frozen=True)
class Ceiling:
    """The most that a course could replace if every viable cell that arrives engrafted, converted and functioned.

    Attributes
    ----------
    arrivals, native
        10^6 cells: viable arrivals of the whole course in the organ; normal native number.
    doublings
        Further doublings in the body needed to restore half of the native number; 0 if the arrivals suffice.
    """

    lineage: str
    arrivals: float
    native: float

    @property
    def share(self) -> float:
        """Arrivals relative to the native number."""
        return self.arrivals / self.native

    @property
    def doublings(self) -> float:
        return math.inf if self.arrivals == 0 else max(0.0, math.log2(self.native / 2 / self.arrivals))


def ceilings(regimen: Regimen, model: Model | None = None) -> list[Ceiling]:
    """Return the replacement ceiling of a course for each lineage: mass balance before any biology."""
    model = model or whole_body.named_model("cells")
    lineages = {"pod": "K", "tub": "K", "end": "K", "mes": "K", "beta": "P"}
    native = model.evaluate([f"count_{name}" for name in lineages], dict.fromkeys(model.state_names, 0.0))
    return [
        Ceiling(name, regimen.viable * regimen.order.count * regimen.fractions.get(organ, 0.0), native[f"count_{name}"])
        for name, organ in lineages.items()
    ]
