"""What cells may do to people over their lives besides what the model holds: dated events, and factors on rates.

Chances are those of a course (`therapies.cell_risks`), one random number per patient and infusion, the same in every strategy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.constants import DAYS_PER_YEAR
from ..base.randomness import Stream
from ..hazards.risk import Numbers, hazard_values
from ..patients.library_identity import snapshot_number
from ..physiology import whole_body
from ..therapies import cell_parameters
from ..therapies.cell_dosing import regimen
from ..therapies.cell_order import read_order
from ..therapies.cell_risks import RATIOS, CourseHarms, course_harms, evaluate_risks
from .strategy import Strategy

if TYPE_CHECKING:
    import pandas as pd

#: Days after the last infusion for which cells change the rates of infection, thromboembolism and cancer: about as long as the trials
#: followed from which the ratios come; assumed. For a transplant under immunosuppression the ratios are 1, and its own events go on.
HARM_DAYS = DAYS_PER_YEAR
#: eGFR (mL/min/1.73m2) below which there is kidney disease.
_KIDNEY_DISEASE = 60.0
#: Body weight for which an order is read where only its ratios count, kg; they do not depend on it.
_WEIGHT = 80.0


@dataclass(frozen=True)
class DatedHarms:
    """What happens to patients after cells.

    Attributes
    ----------
    removed
        (patients,) day on which a kidney is removed; infinite without.
    failed
        (patients,) day on which kidneys fail by cells; infinite without.
    besides
        Event -> (patients,) day on which it comes besides those of its rate; infinite without.
    ratios
        Event -> (T,) factor on its rate.
    """

    removed: Numbers
    failed: Numbers
    besides: Mapping[str, Numbers] = field(default_factory=dict)
    ratios: Mapping[str, Numbers] = field(default_factory=dict)


def dated_harms(
    strategy: Strategy, table: pd.DataFrame, days: Numbers, seed: int, values: Mapping[str, float] | None = None
) -> DatedHarms:
    """Return what the cells of a strategy do to patients of a library.

    Parameters
    ----------
    days
        (T,) from day 0.
    values
        Rows of cell therapy that differ from the scenario, such as those of a draw.
    """
    never = np.full(len(table), np.inf)
    if not strategy.cells:
        return DatedHarms(never, never)
    harms, people = course_harms(strategy.cells, strategy.scenario), snapshot_number(table)
    sick = table["true_egfr"].to_numpy(dtype=np.float64) < _KIDNEY_DISEASE
    p = hazard_values()
    removed = _first(harms, "p_lesion", sick, people, seed) + p["nephrectomy_days"]
    failed = _first(harms, "p_kidney_loss", sick, people, seed) + p["kidney_loss_days"]
    clot = _first(harms, "p_thrombosis", sick, people, seed)
    fatal = Stream(seed, "fatal:p_thrombosis").uniform(people) < p["clot_fatal"]
    besides = {"thromboembolism": clot, "cv_death": np.where(fatal, clot + p["vte_death_days"], np.inf)}
    if harms.immunosuppression:
        # Serious events come at a steady rate; each kills with the same chance.
        rate = harms.immunosuppression * p["SAE_fatal"]
        wait = -np.log(Stream(seed, "fatal:SAE").uniform(people)) / rate * DAYS_PER_YEAR
        besides["other_death"] = harms.start + wait
    return DatedHarms(removed, failed, besides, _ratios(strategy, days, values or {}))


def _first(harms: CourseHarms, name: str, sick: NDArray[np.bool_], people: NDArray[np.int64], seed: int) -> Numbers:
    """Return (patients,) the day of the first event of a kind; infinite without."""
    first = np.full(len(people), np.inf)
    for well, ill in harms.risks:
        if well.name != name:
            continue
        chance = np.where(sick, ill.chance, well.chance)
        for k, day in enumerate(well.days):
            hit = Stream(seed, f"event:{name}").uniform(people, k) < chance
            first = np.where(hit, np.minimum(first, day), first)
    return first


def _ratios(strategy: Strategy, days: Numbers, values: Mapping[str, float]) -> dict[str, Numbers]:
    model = cell_parameters.parameterise(whole_body.named_model("cells"), strategy.scenario)
    course = regimen(strategy.cells, _WEIGHT, model, strategy.scenario)
    if course.order.product.kind != "infused" or course.ordered == 0:
        return {}
    order = read_order(strategy.cells)
    within = (days >= order.start) & (days <= max(order.times) + HARM_DAYS)
    drawn = {name: value for name, value in values.items() if name in model.parameters}
    factors = evaluate_risks(RATIOS.values(), course, model, drawn)
    return {event: np.where(within, float(factors[name]), 1.0) for event, name in RATIOS.items()}
