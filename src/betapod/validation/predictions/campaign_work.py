"""Predictions of many studies, side by side: the work of processes, and the lives that people of several studies live together."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from multiprocessing import active_children, get_context
from typing import Any

from ...base.errors import Problem, SolverError
from ...base.worker_process import begin_worker
from ...evidence.records.study import Record
from ...patients.library import Library
from ...patients.lived_again import LifeChange, PeopleAgain, live_again
from ...therapies.scenarios import NONE
from .chosen_people import Choice
from .condition import Condition
from .fit_conditions import FitDraws, joined_draws
from .kept_people import chosen_under
from .pooled_lives import PooledLives, each_once
from .prediction import Prediction
from .row_expectations import plans_of
from .row_predictions import predict_study
from .study_draws import KeptForScenarios, cohorts_living_again, gives_cells
from .study_tables import StudyTables, using_tables

#: Studies from which on starting other processes pays.
WORTH_PROCESSES = 8
#: People who live again together at most: under 16 draws they take 70 MB.
_MOST_TOGETHER = 1800
#: Study, scenario, and its predictions.
Done = tuple[str, str, list[Prediction]]


@dataclass(frozen=True)
class StudyTask:
    """Rows of one study, to be predicted under several scenarios, each with its parameters; people who lived again are looked for in `lives`."""

    study: str
    records: tuple[Record, ...]
    conditions: tuple[Condition, ...]
    count: int
    seed: int
    draws: int
    among: tuple[Record, ...]
    tables: StudyTables
    fit: FitDraws | None
    lives: PooledLives | None = None

    def work(self, threads: int | None = 1) -> Iterator[Done]:
        """Predict under one scenario after the other, which have the same people; once where nobody gets cells."""
        kept = KeptForScenarios(self.lives)
        by_condition: dict[str, list[Prediction]] = {}
        for condition in self.conditions:
            with using_tables(self.tables):
                acting = self._acting(condition)
                if acting.key not in by_condition:
                    by_condition[acting.key] = predict_study(
                        self.records, acting, self.count, self.seed, threads, self.draws, self.among, self.fit, kept
                    )
            yield self.study, condition.scenario, by_condition[acting.key]

    def _acting(self, condition: Condition) -> Condition:
        return condition if gives_cells(self.records) else replace(condition, scenario=NONE)

    def cohorts_living_again(self) -> tuple[Choice, ...]:
        """Return the cohorts whose people live again under the draws of the fit."""
        with using_tables(self.tables):
            plans = plans_of(self.records, self.count)
            conditions = list(map(self._acting, self.conditions))
            return tuple(cohorts_living_again(plans, conditions, self.seed, self.fit))

    def chosen(self, cohorts: Sequence[Choice]) -> list[Library]:
        """Return the people of cohorts, who are the same under all scenarios."""
        with using_tables(self.tables):
            without_cells = replace(self.conditions[0], scenario=NONE)
            return [chosen_under(without_cells, cohort) for cohort in cohorts]

    def changes(self) -> dict[str, LifeChange]:
        """Return what the draws of the fit change in lives, which is the same under all scenarios, by key."""
        drawn = joined_draws(replace(self.conditions[0], scenario=NONE), (), self.fit)
        return {change.key: change for change in (condition.life_change for condition in drawn)}


@dataclass
class _LivingTogether:
    """Tasks whose people live again together: of each task, everybody once, and what has been lived so far, by change."""

    tasks: list[StudyTask] = field(default_factory=list)
    people: list[Library] = field(default_factory=list)
    again: dict[str, PeopleAgain] = field(default_factory=dict)

    @property
    def everybody(self) -> Library:
        return each_once(self.people)[0]

    def lived(self) -> Iterator[StudyTask]:
        """Give the tasks with the lives of their people."""
        pool = PooledLives(self.everybody, self.again)
        for task, people in zip(self.tasks, self.people, strict=True):
            yield replace(task, lives=pool.of(people))


def work_on(tasks: Sequence[StudyTask], workers: int) -> Iterator[Done]:
    """Do tasks, as they are finished: many in processes of one thread each, few in this one.

    Raises
    ------
    SolverError
        A study could not be simulated, or a process was ended.
    """
    alone, together = _sorted(tasks)
    if workers > 1 and len(tasks) >= WORTH_PROCESSES:
        yield from _in_processes(alone, together, min(workers, len(tasks)))
        return
    for task in alone:
        yield from task.work(workers)
    for living in together:
        changes = living.tasks[0].changes()
        living.again = dict(zip(changes, live_again(living.everybody, list(changes.values())), strict=True))
        for task in living.lived():
            yield from task.work(workers)


def _sorted(tasks: Sequence[StudyTask]) -> tuple[list[StudyTask], list[_LivingTogether]]:
    """Return tasks for which nobody lives again, and the others together, as many people as are kept in memory."""
    alone: list[StudyTask] = []
    together: list[_LivingTogether] = []
    for task in tasks:
        cohorts = task.cohorts_living_again()
        if not cohorts:
            alone.append(task)
            continue
        people = each_once(task.chosen(cohorts))[0]
        if not together or sum(map(len, together[-1].people)) + len(people) > _MOST_TOGETHER:
            together.append(_LivingTogether())
        together[-1].tasks.append(task)
        together[-1].people.append(people)
    return alone, together


def _in_processes(alone: Sequence[StudyTask], together: Sequence[_LivingTogether], workers: int) -> Iterator[Done]:
    """Do tasks in processes: lives between tasks for which nobody lives again, then those that have waited for them."""
    # Forking a process that has threads is not safe; a fresh one is.
    before = set(active_children())
    pool = ProcessPoolExecutor(workers, get_context("spawn"), begin_worker)
    waiting: dict[Future[Any], tuple[_LivingTogether, str] | None] = {}
    try:
        lives = [
            (living, living.everybody, key, change)
            for living in together
            for key, change in living.tasks[0].changes().items()
        ]
        for task, life in itertools.zip_longest(alone, lives):
            if life is not None:
                living, everybody, key, change = life
                waiting[pool.submit(_lived, everybody, change)] = living, key
            if task is not None:
                waiting[pool.submit(_finish, task)] = None
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                lived = waiting.pop(future)
                if lived is None:
                    yield from future.result()
                    continue
                living, key = lived
                living.again[key] = future.result()
                if len(living.again) == len(living.tasks[0].changes()):
                    waiting |= {pool.submit(_finish, task): None for task in living.lived()}
    except BrokenProcessPool:
        hint = "Start it again: finished studies are kept; with one thread it needs less memory."
        raise SolverError(Problem("worker-died", "a process that computed a study was ended", hint=hint)) from None
    except BaseException:
        # People who interrupt do not want to wait for the studies under way.
        for process in set(active_children()) - before:
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _finish(task: StudyTask) -> list[Done]:
    return list(task.work())


def _lived(people: Library, change: LifeChange) -> PeopleAgain:
    return live_again(people, [change])[0]
