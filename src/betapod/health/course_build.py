"""One strategy under one set of parameters: schedules, integration, and what events read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.constants import DAYS_PER_YEAR
from ..engine.ensemble import Ensemble
from ..engine.ensemble_result import ENDED
from ..engine.schedule import Schedule, Switch
from ..hazards.drug_hazards import taken_on
from ..hazards.kidney_injury import KidneyInjuries, injuries_of
from ..hazards.risk import Numbers
from ..observables.quantities import visit_observables
from ..patients.clinic_values import clinic_outputs, clinic_values
from ..patients.follow_up import GoingCare, follow_patients
from ..physiology import whole_body
from ..therapies import cell_parameters
from ..therapies.plan import Plan, plan
from ..therapies.scenarios import NONE
from ..therapies.standard_care import Therapy
from .cell_harms import DatedHarms, dated_harms
from .risk_profiles import READ_CODES
from .simulated_courses import StrategyCourse
from .strategy import Strategy

if TYPE_CHECKING:
    from ..patients.library import Library
    from .courses import CourseSettings

#: Tolerances of the solver: strategies are compared in the same people, and differences are far larger.
_RTOL, _ATOL = 1e-6, 1e-9
#: People are simulated by age, so that the old are not followed as long as the young, years.
_BAND = 10.0
#: Renal mass that is left where a kidney is removed.
_ONE_KIDNEY = 0.5


@dataclass(frozen=True)
class CourseTask:
    """What is simulated: patients of a library under a strategy, with some rows of cell therapy that differ from its scenario."""

    library: Library
    strategy: Strategy
    days: Numbers
    settings: CourseSettings
    values: Mapping[str, float]
    threads: int | None = None


def built_course(task: CourseTask) -> tuple[StrategyCourse, NDArray[np.bool_]]:
    """Return the course of every patient, and who could not be simulated."""
    table = task.library.table
    first, harms = (
        _planned(task, task.library),
        dated_harms(task.strategy, table, task.days, task.settings.seed, task.values),
    )
    takes = task.library.recipients().takes
    injuries = injuries_of(table, takes, first.drugs, task.settings.seed, 0.0, float(task.days[-1]))
    codes = list(visit_observables())
    values = np.full((len(table), len(task.days), len(READ_CODES)), np.nan, dtype=np.float32)
    failed, broken = np.full(len(table), np.inf), np.zeros(len(table), dtype=bool)
    intake: dict[str, NDArray[np.float32]] = {}
    for rows, count in _bands(task):
        part = _Part(replace(task, library=task.library.take(rows), days=task.days[:count]), injuries, harms, rows)
        course, status, ended, intakes = part.followed() if task.settings.care != "frozen" else part.frozen()
        measured = clinic_values(course, part.task.library.table, part.task.days)
        values[rows, :count] = measured[:, :, [codes.index(code) for code in READ_CODES]]
        failed[rows] = np.where(status == ENDED, ended, np.inf)
        broken[rows] = status > ENDED
        for drug, share in intakes.items():
            column = intake.setdefault(drug, np.zeros((len(table), len(task.days)), dtype=np.float32))
            column[rows, :count], column[rows, count:] = share, share[:, -1:]
    columns = {code: np.ascontiguousarray(values[:, :, k]) for k, code in enumerate(READ_CODES)}
    return StrategyCourse(
        columns, np.minimum(failed, harms.failed), intake, {"aki": injuries.day}, harms.besides, harms.ratios
    ), broken


def _bands(task: CourseTask) -> list[tuple[NDArray[np.int64], int]]:
    """Return patients by age, with the number of days for which they are simulated."""
    age = task.library.table["age"].to_numpy(dtype=np.float64)
    bands = np.floor(age / _BAND)
    groups = []
    for band in np.unique(bands):
        rows = np.flatnonzero(bands == band)
        left = max(task.settings.until_age - float(age[rows].min()), 1.0) * DAYS_PER_YEAR
        groups.append((rows, max(2, int(np.searchsorted(task.days, left)) + 1)))
    return [(rows, min(count, len(task.days))) for rows, count in groups]


def _planned(task: CourseTask, people: Library) -> Plan:
    recipients = people.recipients()
    drawn = {name: np.full(len(people), value) for name, value in task.values.items()}
    recipients = replace(recipients, parameters={**recipients.parameters, **drawn})
    strategy = task.strategy
    return plan(
        whole_body.named_model("reference"),
        recipients,
        strategy.therapies,
        strategy.cells,
        strategy.scenario,
        held=strategy.inputs,
    )


class _Part:
    """Patients of like age."""

    def __init__(self, task: CourseTask, injuries: KidneyInjuries, harms: DatedHarms, rows: NDArray[np.int64]) -> None:
        self.task = task
        self.injuries = KidneyInjuries(injuries.day[rows], injuries.share[rows])
        self.removed = harms.removed[rows]
        model, count = whole_body.named_model("reference"), len(rows)
        scenario = task.strategy.scenario if task.strategy.cells else NONE
        varied = cell_parameters.scenario_values(model, scenario)
        varied |= {name: value for name, value in task.values.items() if name in model.parameters}
        self.values = {name: np.full(count, value) for name, value in varied.items()}

    def _schedules(self, planned: Plan, places: NDArray[np.int64]) -> tuple[Schedule, ...]:
        """Return schedules with episodes of kidney injury and kidneys that are removed."""
        injuries = KidneyInjuries(self.injuries.day[places], self.injuries.share[places])
        schedules = list(injuries.added_to(planned.schedules))
        for person in np.flatnonzero(self.removed[places] < self.task.days[-1]):
            loss = Switch("u_nx", _ONE_KIDNEY, float(self.removed[places[person]]))
            schedules[person] = replace(schedules[person], switches=(*schedules[person].switches, loss))
        return tuple(schedules)

    def frozen(self) -> tuple[Numbers, NDArray[np.int64], Numbers, dict[str, Numbers]]:
        """Return the course of people who go on with what they take."""
        people, days = self.task.library, self.task.days
        planned = _planned(self.task, people)
        schedules = self._schedules(planned, np.arange(len(people)))
        result = _ensemble(self.task.threads).run(people.parameters | self.values, days, schedules, people.initial)
        intake = taken_on(days, people.recipients().takes, planned.drugs, every=True)
        return result.values, result.status, result.ended_at, intake

    def followed(self) -> tuple[Numbers, NDArray[np.int64], Numbers, dict[str, Numbers]]:
        """Return the course of people whose care goes on."""
        people, days, settings = self.task.library, self.task.days, self.task.settings
        numbered = replace(people, table=people.table.assign(place=np.arange(len(people))))
        added: list[list[tuple[Therapy, ...]]] = []

        def orders(now: Library) -> tuple[Schedule, ...]:
            places, planned = now.table["place"].to_numpy(dtype=np.int64), _planned(self.task, now)
            current: list[tuple[Therapy, ...]] = list(added[-1]) if added else [()] * len(people)
            for row, drugs in zip(places, planned.drugs, strict=True):
                current[row] = drugs
            added.append(current)
            return self._schedules(planned, places)

        care = GoingCare(settings.care, settings.year)
        followed = follow_patients(
            numbered, days, clinic_outputs(), care, orders, values=self.values, rtol=_RTOL, atol=_ATOL, threads=self.task.threads
        )  # fmt: skip
        return followed.values, followed.status, followed.ended_at, _taken(days, followed.takes, added)


def _taken(
    days: Numbers, takes: Mapping[str, NDArray[np.bool_]], added: Sequence[Sequence[tuple[Therapy, ...]]]
) -> dict[str, Numbers]:
    """Return what is taken where prescriptions change from year to year."""
    intake: dict[str, Numbers] = {}
    year = np.clip(np.ceil(days / DAYS_PER_YEAR).astype(np.int64) - 1, 0, len(added) - 1)
    for number in np.unique(year):
        within = year == number
        background = {drug: flags[:, number] for drug, flags in takes.items()}
        for drug, share in taken_on(days[within], background, added[number], every=True).items():
            intake.setdefault(drug, np.zeros((len(added[number]), len(days))))[:, within] = share
    return intake


def _ensemble(threads: int | None) -> Ensemble:
    return Ensemble(whole_body.named_model("reference"), clinic_outputs(), _RTOL, _ATOL, threads=threads)
