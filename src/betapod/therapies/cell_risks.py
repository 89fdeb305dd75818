"""Adverse events of a course of cells, chance by chance, and how many native cells it could replace at most."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from ..model import Model
from ..physiology import whole_body
from . import cell_parameters
from .cell_dosing import Regimen, regimen

#: Adverse events by their names in the model.
EVENTS = {
    "p_fever": "fever",
    "p_reaction": "infusion reaction",
    "p_thrombosis": "thrombosis",
    "p_antibody": "antibodies against the donor",
    "p_artery": "injury of an artery",
    "p_lesion": "kidney lesion by injection",
    "p_bleeding": "bleeding",
    "p_portal_clot": "portal vein thrombosis",
    "p_growth": "unwanted growth",
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
    """

    name: str
    label: str
    chance: float
    events: int
    per: str

    @property
    def at_least_one(self) -> float:
        """Chance of at least one in the course."""
        return 1 - (1 - self.chance) ** self.events


def course_risks(regimen: Regimen, model: Model | None = None) -> list[Risk]:
    """Return the chances of adverse events of a course, for trials to draw from at each event.

    Rates per year (immunosuppression) and factors on the host's own hazards are quantities of the model: `SAE_rate`,
    `infection_m`, `malignancy_m`.
    """
    model = model or whole_body.named_model("cells")
    order, route = regimen.order, regimen.order.route
    count = order.count if regimen.ordered > 0 else 0
    wanted: list[tuple[str, str]] = []
    if order.product.kind == "infused":
        wanted += [
            ("p_fever", "infusion"),
            ("p_reaction", "infusion"),
            ("p_thrombosis", "infusion"),
            ("p_antibody", "course"),
        ]
    if route.arterial:
        wanted.append(("p_artery", "procedure"))
    if route.name == "ir":
        wanted.append(("p_lesion", "injection"))
    if route.portal:
        wanted += [("p_bleeding", "procedure"), ("p_portal_clot", "procedure")]
    if order.product.name == "SC-islets":
        wanted.append(("p_growth", "course"))
    chances = model.evaluate([name for name, _ in wanted], _before_any(model), _inputs(regimen, model))
    return [
        Risk(
            name, model.labels[name].partition(",")[0], chances[name], min(count, 1) if per == "course" else count, per
        )
        for name, per in wanted
    ]


@functools.cache
def adverse_event_risks(order: str, scenario: str) -> tuple[Risk, ...]:
    """Return the chances of adverse events of a course of cells that an order describes, under a scenario."""
    model = cell_parameters.parameterise(whole_body.named_model("cells"), scenario)
    return tuple(course_risks(regimen(order, _WEIGHT, model, scenario), model))


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
    native = model.evaluate([f"count_{name}" for name in lineages], _before_any(model))
    return [
        Ceiling(name, regimen.viable * regimen.order.count * regimen.fractions.get(organ, 0.0), native[f"count_{name}"])
        for name, organ in lineages.items()
    ]


def _before_any(model: Model) -> dict[str, float]:
    """Return every state at nought: chances are those of the first event, before any cell is in the body."""
    return dict.fromkeys(model.state_names, 0.0)


def _inputs(regimen: Regimen, model: Model) -> dict[str, float]:
    return {s.input: s.value for s in regimen.switches if s.input in model.inputs}
