"""The courses that a pool needs: who lives on under which treatment, and which course each arm, stage and scenario has."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...engine.schedule import Schedule
from ...hazards.kidney_injury import KidneyInjuries, injuries_of
from ...observables.quantities import Numbers
from ...therapies.cell_order import read_order
from ...therapies.scenarios import NONE
from ..protocol.group_keys import Arm
from .arm_schedules import Planner
from .patient_pool import ONE_KIDNEY

if TYPE_CHECKING:
    from ...therapies.standard_care import Therapy
    from ..protocol.protocol import Protocol


@dataclass
class PlannedCourses:
    """Everything to integrate, one row per person and course."""

    names: list[str] = field(default_factory=list)
    rows: list[NDArray[np.int64]] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    scenarios: list[str] = field(default_factory=list)
    copied: dict[str, tuple[str, NDArray[np.int64]]] = field(default_factory=dict)
    injuries: Callable[[Sequence[tuple[Therapy, ...]]], KidneyInjuries] | None = None
    injured: dict[str, Numbers] = field(default_factory=dict)
    treatments: dict[str, Sequence[tuple[Therapy, ...]]] = field(default_factory=dict)

    def add(
        self,
        name: str,
        rows: NDArray[np.int64],
        schedules: Sequence[Schedule],
        scenario: str,
        therapies: Sequence[tuple[Therapy, ...]],
    ) -> None:
        if self.injuries is not None:
            episodes = self.injuries(therapies)
            schedules, self.injured[name] = episodes.added_to(schedules), episodes.day
        self.names.append(name)
        self.rows.append(rows)
        self.schedules += [schedules[i] for i in rows]
        self.scenarios += [scenario] * len(rows)
        self.treatments[name] = therapies


def plan_courses(
    protocol: Protocol, planner: Planner, last: float
) -> tuple[PlannedCourses, dict[tuple[str, str, str], str]]:
    """Return the courses to simulate, and the course of each arm, stage and scenario."""
    table, takes, lead = planner.library.table, planner.recipients.takes, planner.lead
    job = PlannedCourses(injuries=lambda added: injuries_of(table, takes, added, protocol.seed, lead, lead + last))
    keys, everybody = dict[tuple[str, str, str], str](), np.arange(len(planner.library))
    no_therapies: list[Any] = [()] * len(everybody)
    plain = planner.plan(no_therapies, None).schedules
    job.add("natural", everybody, plain, NONE, no_therapies)
    before_arms = "natural"
    if protocol.run_in is not None:
        before_arms = "run-in"
        run_in = planner.therapies(None, False)
        job.add(before_arms, everybody, planner.plan(run_in, None).schedules, NONE, run_in)
    keys["", "run-in", ""] = before_arms
    for number, rule in enumerate(protocol.conduct.rescue):
        therapies = planner.therapies(None, False, rule.therapy)
        job.add(f"rescue {number}", everybody, planner.plan(therapies, None).schedules, NONE, therapies)
    if any(arm.cells is not None and read_order(arm.cells).route.name == "ir" for arm in protocol.arms.values()):
        # An injection into the kidney may cost it.
        common = planner.therapies(None, False)
        job.add(ONE_KIDNEY, everybody, planner.plan(common, Arm(inputs={"u_nx": 0.5})).schedules, NONE, common)
    courses_by_content: dict[str, str] = {}
    for name, arm in protocol.arms.items():
        care, added = _care(protocol, planner, job, name, arm, before_arms, courses_by_content)
        for scenario in protocol.scenarios:
            for stage, course in (
                ("natural", "natural"),
                ("run-in", before_arms),
                ("care", care),
                ("co-medication", added),
            ):
                keys[name, stage, scenario] = course
            keys[name, "cells", scenario] = added
            if arm.cells is None:
                continue
            content = f"{added}|{arm.cells}|{scenario}"
            if content not in courses_by_content:
                courses_by_content[content] = f"{name}, cells, {scenario}"
                therapies = planner.therapies(arm, bool(protocol.conduct.co_medication))
                treatment = planner.plan(therapies, arm, arm.cells, scenario)
                job.add(courses_by_content[content], everybody, treatment.schedules, scenario, therapies)
            keys[name, "cells", scenario] = courses_by_content[content]
    return job, keys


def _care(
    protocol: Protocol,
    planner: Planner,
    job: PlannedCourses,
    name: str,
    arm: Arm,
    before_arms: str,
    courses_by_content: dict[str, str],
) -> tuple[str, str]:
    """Return the courses of an arm without cells: with its own therapies, and with co-medication too."""
    everybody = np.arange(len(planner.library))
    content = json.dumps([[t.model_dump() for t in arm.therapies], arm.inputs], sort_keys=True)
    arm_therapies = planner.therapies(arm, False)
    if f"care{content}" not in courses_by_content:
        courses_by_content[f"care{content}"] = before_arms
        if arm.therapies or arm.inputs:
            courses_by_content[f"care{content}"] = f"{name}, care"
            job.add(f"{name}, care", everybody, planner.plan(arm_therapies, arm).schedules, NONE, arm_therapies)
    care = courses_by_content[f"care{content}"]
    if not protocol.conduct.co_medication:
        return care, care
    if f"co{content}" not in courses_by_content:
        more = planner.therapies(arm, True)
        # Most people begin nothing: theirs is the same course.
        changed = np.array([i for i in everybody if more[i] != arm_therapies[i]], dtype=np.int64)
        courses_by_content[f"co{content}"] = f"{name}, co-medication"
        job.copied[f"{name}, co-medication"] = (care, changed)
        job.add(f"{name}, co-medication", changed, planner.plan(more, arm).schedules, NONE, more)
    return care, courses_by_content[f"co{content}"]
