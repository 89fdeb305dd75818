"""How far rows of a study move with parameters that are not known better: under draws of a fit, of the cells, or of both."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...evidence.records.study import Record
from ...therapies.scenarios import CURRENT_EVIDENCE, NONE
from .chosen_people import Choice
from .condition import Condition
from .fit_conditions import FitDraws, joined_draws, kept_moves
from .kept_people import KeptPeople
from .pooled_lives import PooledLives
from .row_expectations import expected_value
from .studies import arms, contrasts
from .study_groups import PEOPLE_PER_EVENT, CoursesByArm, StudyPlan, drawn, groups_of
from .study_readouts import Readout


class KeptForScenarios:
    """What is the same for all scenarios of a study: people who lived again under draws of a fit, and courses of arms without cells.

    Parameters
    ----------
    lives
        Of people of several studies, see `campaign_work`.
    """

    def __init__(self, lives: PooledLives | None = None) -> None:
        self._lives = lives
        self._kept: dict[tuple[object, ...], KeptPeople] = {}
        self._untreated: dict[tuple[object, ...], CoursesByArm] = {}

    def courses(self, plan: StudyPlan, condition: Condition, seed: int, threads: int | None) -> CoursesByArm:
        """Return the courses of all arms of a plan; those without cells are simulated once."""
        key = (replace(condition, scenario=NONE).key, plan.count, tuple(record.id for record in plan.records), seed)
        if key not in self._untreated:
            self._untreated[key] = plan.untreated(condition, seed, threads)
        return plan.courses(condition, seed, threads, self._untreated[key])

    def people(self, condition: Condition, cohorts: Sequence[tuple[str, int, int]]) -> KeptPeople:
        """Return the people of cohorts (name, count, seed), chosen under a condition."""
        without_cells = replace(condition, scenario=NONE)
        key = (without_cells.key, tuple(cohorts))
        if key not in self._kept:
            self._kept[key] = KeptPeople(without_cells, cohorts, self._lives)
        return self._kept[key]


@dataclass(frozen=True)
class DrawnCourses:
    """Courses of a plan under draws.

    Attributes
    ----------
    base
        Courses that those under draws are compared with: of the same people, without any draw.
    under
        Condition and courses under each draw, of the arms that it moves.
    kept
        Record -> by how much draws of a fit move it, where the record of the fit says so for all rows of the plan or for this one.
    lived
        Whether people lived again: the courses have moves of the body in them.
    """

    base: CoursesByArm
    under: Sequence[tuple[Condition, CoursesByArm]]
    kept: Mapping[str, list[float]]
    lived: bool

    @classmethod
    def of(
        cls,
        plan: StudyPlan,
        courses: CoursesByArm,
        condition: Condition,
        draws: int,
        seed: int,
        threads: int | None,
        fit: FitDraws | None,
        lives: KeptForScenarios | None = None,
    ) -> DrawnCourses:
        """Simulate a plan, whose own `courses` are there, under draws.

        Only arms with cells, under draws of these, where the record of the fit has all rows; everything, people living again, otherwise.
        """
        of_cells = drawn(condition, draws, seed) if plan.has_cells else []
        kept = _kept_moves(plan, condition, fit)
        if fit is None or len(kept) == len(plan.records):
            if fit is not None and of_cells:
                # What cells do within the fit has moved with its draws.
                fitted = [name for name, kind in fit.record.kinds.items() if kind == "cells"]
                of_cells = drawn(condition, draws, seed, fitted)
            moved = plan.courses_under(of_cells, seed, threads, only_cells=True)
            return cls(courses, list(zip(of_cells, moved, strict=True)), kept, lived=False)
        fewer = _living_again(plan, kept, fit)
        varied = joined_draws(condition, of_cells, fit)
        cohorts = [(arm.cohort, fewer.count, seed) for arm in fewer.arms.values()]
        people = (lives or KeptForScenarios()).people(condition, cohorts)
        people.live(varied)
        base, *moved = fewer.courses_under([condition, *varied], seed, threads, people=people)
        return cls(base, list(zip(varied, moved, strict=True)), kept, lived=True)

    def moves(self, record: Record, readout: Readout, seed: int, among: Sequence[Record] = ()) -> list[float]:
        """Return by how much each draw moves what is expected of a row, on the scale of comparison."""
        kept = self.kept.get(record.id)
        if kept is not None and not record_has_cells(record):
            return kept
        if not self.under:
            return kept or []
        arm = arms()[record.study, record.arm]
        expected = expected_value(record, readout, groups_of(record, arm, self.base), seed, among)
        moves = []
        for varied, courses in self.under:
            groups = groups_of(record, arm, {**self.base, **courses})
            with varied.holding():
                moves.append(expected_value(record, readout, groups, seed, among) - expected)
        return moves if kept is None or self.lived else _added(kept, moves)


def record_has_cells(record: Record) -> bool:
    """Return whether a group of a row was given cells."""
    arm = arms()[record.study, record.arm]
    return bool(arm.cells or (contrasts(record) and arm.other.cells))


def gives_cells(records: Sequence[Record]) -> bool:
    """Return whether any group of rows was given cells: otherwise no scenario of cells says anything of them."""
    return any(record_has_cells(record) for record in records)


def _living_again(plan: StudyPlan, kept: Mapping[str, list[float]], fit: FitDraws) -> StudyPlan:
    """Return the rows of a plan for which people live again, and how many of these."""
    unknown = [record for record in plan.records if record.id not in kept or record_has_cells(record)]
    return replace(plan, records=unknown, count=min(plan.count, _people_of(plan, fit)))


def cohorts_living_again(
    plans: Sequence[StudyPlan], conditions: Iterable[Condition], seed: int, fit: FitDraws | None
) -> dict[Choice, None]:
    """Return the cohorts of plans whose people live again under draws of a fit, under any of some conditions."""
    cohorts: dict[Choice, None] = {}
    for condition, plan in itertools.product(conditions, plans if fit is not None else ()):
        kept = _kept_moves(plan, condition, fit)
        if fit is not None and len(kept) < len(plan.records):
            fewer = _living_again(plan, kept, fit)
            cohorts |= dict.fromkeys((arm.cohort, fewer.count, seed) for arm in fewer.arms.values())
    return cohorts


def _people_of(plan: StudyPlan, fit: FitDraws) -> int:
    """Return how many people live again in a cohort of a plan under each draw: as many as behind the moves in the record of the fit.

    Each is compared with the same people without the draw.
    """
    events = any(plan.readouts[record.id].event for record in plan.records)
    return fit.record.people_per_cohort * (PEOPLE_PER_EVENT if events else 1)


def _kept_moves(plan: StudyPlan, condition: Condition, fit: FitDraws | None) -> dict[str, list[float]]:
    """Return by how much draws of a fit move the rows that its record has; of cells only in the scenario that fits look at."""
    if fit is None:
        return {}
    kept = {}
    for record in plan.records:
        if not record_has_cells(record) or condition.scenario == CURRENT_EVIDENCE:
            moves = kept_moves(fit, record, plan.readouts[record.id].scale)
            if moves is not None:
                kept[record.id] = moves
    return kept


def _added(kept: Sequence[float], of_cells: Sequence[float]) -> list[float]:
    """Return moves by a fit with those by the other parameters of cells, which are independent of them, on top."""
    return [move + of_cells[k % len(of_cells)] if of_cells else move for k, move in enumerate(kept)]
