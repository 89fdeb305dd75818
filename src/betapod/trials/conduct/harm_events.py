"""What happens to patients of a trial: outcomes on their courses, harms of infusions and cells, and what those do afterwards.

Every number belongs to a patient and a purpose, not to an arm: a placebo infusion draws the same number as one of cells and compares it with
another chance. Serious infection, thromboembolism and cancer come in every arm, at a rate that cells change by a factor; some of them kill.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.constants import DAYS_PER_YEAR
from ...hazards.harm_rates import DEADLY, fatal_share
from ...hazards.outcome_rates import CAUSES, DEATHS, OUTCOME_LABELS
from ...hazards.risk import hazard_values
from ...observables.quantities import Numbers
from ...therapies.cell_risks import CourseHarms, course_harms
from ..protocol.health_outcomes import health_label
from ..protocol.recurrent_outcomes import repeated_causes
from .health_events import dated_health, trial_health
from .trial_data import DISPOSITIONS
from .trial_effects import KIDNEY_REMOVED, KIDNEYS_FAILED

if TYPE_CHECKING:
    from ..protocol.protocol import Protocol
    from .drawn_design import SharedDraws

#: What is dated for each patient: causes of outcomes, and losses of kidneys by cells.
DATED: Mapping[str, str] = {cause: OUTCOME_LABELS[cause] for cause in CAUSES} | {
    KIDNEY_REMOVED: "removal of a kidney after an injection of cells",
    KIDNEYS_FAILED: "kidney failure after cells",
}


def dated_events(protocol: Protocol) -> dict[str, str]:
    """Return what is dated for each patient of a trial: `DATED`, and the outcomes of health that its endpoints ask for."""
    return {**DATED, **{name: health_label(name) for name in dated_health(protocol)}}


#: eGFR (mL/min/1.73m2) below which there is kidney disease.
_KIDNEY_DISEASE = 60.0
#: Serious adverse events under immunosuppression, or events of one cause, that one patient can have.
_MOST = 50


@dataclass(frozen=True)
class DrawnOutcomes:
    """What happened.

    Attributes
    ----------
    disposition, disposition_day
        (R, n) as of `TrialData`.
    days
        Name of `dated_events` -> (R, n) day of the first event while the patient was in the trial; NaN without.
    events
        Adverse event -> (R, n) how often it happened while the patient was in the trial.
    later
        Cause -> (R, n, most) days of events after the first, as of `TrialData.later_days`.
    qalys
        As of `TrialData`.
    """

    disposition: NDArray[np.int8]
    disposition_day: NDArray[np.float32]
    days: dict[str, NDArray[np.float32]]
    events: dict[str, NDArray[np.int16]]
    later: dict[str, NDArray[np.float32]]
    qalys: NDArray[np.float32] | None


def draw_outcomes(draws: SharedDraws, arm: NDArray[np.int8], arms: tuple[str, ...], scenario: str) -> DrawnOutcomes:
    """Return what happens to everybody under a scenario.

    Parameters
    ----------
    draws
        Random numbers of the patients, the same in every arm.
    arm
        (R, n) index into `arms`.
    """
    drawing = _Drawing(draws, arm, arms, scenario)
    health = trial_health(draws, arm, arms, scenario, drawing.days)
    drawing.days |= health.days
    end = draws.days[-1] + draws.protocol.visits[-1].window
    dying = np.minimum.reduce([drawing.days[cause] for cause in DEATHS])
    gone = np.minimum(draws.leaving, dying)
    over, last = gone <= end, np.minimum(gone, end)
    died, left = DISPOSITIONS.index("died"), DISPOSITIONS.index("discontinued")
    disposition = np.where(over, np.where(dying <= draws.leaving, died, left), 0).astype(np.int8)
    days = {name: np.where(day <= last, day, np.nan).astype(np.float32) for name, day in drawing.days.items()}
    events = {name: np.zeros(draws.shape, dtype=np.int16) for name in drawing.names}
    for name, day, hit in drawing.hits:
        events[name] += hit & (day <= last)
    later = {name: _within(values, last) for name, values in drawing.later(end).items()}
    disposition_day = np.where(over, gone, np.nan).astype(np.float32)
    return DrawnOutcomes(disposition, disposition_day, days, events, later, health.qalys)


def _within(days: Numbers, last: Numbers) -> NDArray[np.float32]:
    """Return days (R, n, most) with NaN after the last day (R, n) of a patient, no wider than needed."""
    inside = np.where(days <= last[..., None], days, np.nan).astype(np.float32)
    return inside[..., : int(np.isfinite(inside).sum(-1).max(initial=0))]


def event_names(protocol: Protocol, design: str, scenario: str) -> list[str]:
    """Return the adverse events that a design may see."""
    names: dict[str, None] = {}
    for arm in protocol.designs[design].arms:
        harms, cells = arm_harms(protocol, arm, scenario)
        if harms is not None:
            names |= dict.fromkeys(risk.name for risk, _ in harms.risks)
            names |= {"SAE": None} if cells and harms.immunosuppression else {}
    return list(names)


def arm_harms(protocol: Protocol, arm: str, scenario: str) -> tuple[CourseHarms | None, bool]:
    """Return what the infusions of an arm may do, and whether they hold cells; None where it has no infusions."""
    item = protocol.arms[arm]
    if item.cells is not None:
        return course_harms(item.cells, scenario), True
    like = protocol.arms[item.infusions_like].cells if item.infusions_like is not None else None
    return (course_harms(like, scenario), False) if like is not None else (None, False)


class _Drawing:
    """Events of one design under one scenario, before anybody leaves.

    Attributes
    ----------
    days
        Name of `DATED` -> (R, n) day; infinite without.
    hits
        Adverse event, its day (a number or (R, n)), and (R, n) whether it came.
    ratios
        Cause -> (R, n) by how much cells change its rate.
    besides
        Cause -> (R, n) days of events by infusions and procedures, which come besides those of the course; infinite without.
    """

    def __init__(self, draws: SharedDraws, arm: NDArray[np.int8], arms: tuple[str, ...], scenario: str) -> None:
        self.draws, self.arm, self.arms, self.scenario = draws, arm, arms, scenario
        self.days = {name: np.full(draws.shape, np.inf) for name in DATED}
        self.hits: list[tuple[str, Numbers | float, NDArray[np.bool_]]] = []
        self.names: dict[str, None] = {}
        self.ratios = {cause: np.ones(draws.shape) for cause in CAUSES}
        self.besides: dict[str, list[Numbers]] = {}
        self._on_courses()
        self._killed()
        for harms, cells, in_arm in self._infused():
            self._infusions(harms, cells, in_arm)
            if cells and harms.immunosuppression:
                self._immunosuppressed(harms, in_arm)
        if not draws.protocol.conduct.deaths:
            self.days |= {cause: np.full(draws.shape, np.inf) for cause in DEATHS}

    def _infused(self) -> Iterator[tuple[CourseHarms, bool, NDArray[np.bool_]]]:
        for index, name in enumerate(self.arms):
            harms, cells = arm_harms(self.draws.protocol, name, self.scenario)
            if harms is not None:
                yield harms, cells, self.arm == index

    def _on_courses(self) -> None:
        """Date what comes by the hazards of a person's own course."""
        draws, pool = self.draws, self.draws.pool
        for index, name in enumerate(self.arms):
            in_arm = self.arm == index
            harms, cells = arm_harms(draws.protocol, name, self.scenario)
            key = pool.key(name, "cells", self.scenario)
            for cause in CAUSES:
                # A study with twice the rates reaches the same cumulative hazard at half of a person's number.
                ratio = harms.ratios.get(cause, 1.0) if harms is not None and cells else 1.0
                number = (draws.thresholds[cause] / (draws.study * ratio))[in_arm]
                self.days[cause][in_arm] = pool.event_days(key, cause, draws.member[in_arm], number)
                self.ratios[cause][in_arm] = ratio

    def later(self, end: float) -> dict[str, Numbers]:
        """Return cause -> (R, n, most) days, in order, of events after the first, of those that the protocol asks for; infinite without.

        Events of a cause come at the rate of the course, whatever came before: cumulative hazards between them are exponential numbers of
        their own, the first of which is that of the first event. Thromboembolism by infusions comes besides.
        """
        later = {}
        for cause in repeated_causes(self.draws.protocol):
            every = np.sort(np.stack([*self._on_course(cause, end), *self.besides.get(cause, ())], axis=-1), axis=-1)
            later[cause] = every[..., 1:]
        return later

    def _on_course(self, cause: str, end: float) -> Iterator[Numbers]:
        """Yield (R, n) days of the first event of a cause on the courses, of the second and so on, until nobody has one by the end."""
        draws, pool = self.draws, self.draws.pool
        reached = draws.thresholds[cause].copy()
        for k in range(_MOST):
            days = np.full(draws.shape, np.inf)
            for index, name in enumerate(self.arms):
                in_arm = self.arm == index
                number = (reached / (draws.study * self.ratios[cause]))[in_arm]
                days[in_arm] = pool.event_days(
                    pool.key(name, "cells", self.scenario), cause, draws.member[in_arm], number
                )
            yield days
            if not (days <= end).any():
                return
            reached = reached - np.log(draws.uniform(f"hazard again:{cause}", k))

    def _infusions(self, harms: CourseHarms, cells: bool, in_arm: NDArray[np.bool_]) -> None:
        sick = self._kidney_disease()
        p = hazard_values()
        after = {
            "p_thrombosis": ("thromboembolism", 0.0),
            "p_lesion": (KIDNEY_REMOVED, p["nephrectomy_days"]),
            "p_kidney_loss": (KIDNEYS_FAILED, p["kidney_loss_days"]),
        }
        for well, ill in harms.risks:
            self.names[well.name] = None
            chance = np.where(sick, ill.chance, well.chance) if cells else np.where(sick, ill.control, well.control)
            for k, day in enumerate(well.days):
                hit = in_arm & (self.draws.uniform(f"event:{well.name}", k) < chance)
                self.hits.append((well.name, day, hit))
                if well.name == "p_thrombosis":
                    wait = p["vte_death_days"]
                    fatal = hit & (self.draws.uniform("fatal:p_thrombosis", k) < p["clot_fatal"])
                    self.days["cv_death"] = np.where(
                        fatal, np.minimum(self.days["cv_death"], day + wait), self.days["cv_death"]
                    )
                if well.name in after:
                    loss, wait = after[well.name]
                    self.days[loss] = np.where(hit, np.minimum(self.days[loss], day + wait), self.days[loss])
                    self.besides.setdefault(loss, []).append(np.where(hit, day + wait, np.inf))

    def _immunosuppressed(self, harms: CourseHarms, in_arm: NDArray[np.bool_]) -> None:
        draws, end = self.draws, self.draws.days[-1] + self.draws.protocol.visits[-1].window
        self.names["SAE"] = None
        day = np.full(draws.shape, harms.start)
        for k in range(_MOST):
            day = day - np.log(draws.uniform("event:SAE", k)) / harms.immunosuppression * DAYS_PER_YEAR
            hit = in_arm & (day <= end)
            if not hit.any():
                break
            self.hits.append(("SAE", day, hit))
            fatal = hit & (draws.uniform("fatal:SAE", k) < hazard_values()["SAE_fatal"])
            self.days["other_death"] = np.where(
                fatal, np.minimum(self.days["other_death"], day), self.days["other_death"]
            )

    def _killed(self) -> None:
        """Let some infections, thromboembolisms and cancers end in death."""
        draws, age = self.draws, self.draws.pool.people["AGE"][self.draws.member]
        for event, harm in DEADLY.items():
            fatal = draws.uniform(f"fatal:{event}") < fatal_share(event, age)
            wait = -np.log(draws.uniform(f"fatal day:{event}")) * hazard_values()[harm.days]
            day = np.where(fatal, self.days[event] + wait, np.inf)
            self.days[harm.death] = np.minimum(self.days[harm.death], day)

    def _kidney_disease(self) -> NDArray[np.bool_]:
        """Return (R, n) whether patients enter with kidney disease."""
        pool = self.draws.pool
        now = int(np.searchsorted(pool.times, 0.0))
        course = pool.values[pool.keys["", "run-in", ""]]
        sick: NDArray[np.bool_] = course[self.draws.member, now, pool.codes.index("EGFR")] < _KIDNEY_DISEASE
        return sick
