"""Simulate people under strategies until they would be a hundred, or read the same from the cache.

A patient of the library is integrated once under each strategy and set of parameters; people who are like them share the course. Values of
patients older than `CourseSettings.until_age` are held.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ..base import cache as caching
from ..base.constants import DAYS_PER_YEAR
from ..base.errors import ConfigError, Problem, SolverError, did_you_mean
from ..engine.draw import draw_parameters, varied
from ..hazards.risk import Numbers
from ..patients.follow_up import RULES
from ..patients.library_identity import library_digest
from ..patients.population import MODEL_ROWS
from ..therapies import cell_parameters
from ..therapies.scenarios import NONE
from .course_build import CourseTask, built_course
from .course_people import CoursePeople
from .simulated_courses import SimulatedCourses, StrategyCourse
from .strategy import Strategy

Progress = Callable[[str], None]
#: Share of the patients that may be lost.
_MOST_LOST = 0.05
#: Values of courses in memory, at most.
_MOST_VALUES = 1_500_000_000


@dataclass(frozen=True)
class CourseSettings:
    """How people are followed.

    Attributes
    ----------
    years
        Years that are simulated; None for a life.
    until_age
        Age up to which patients are simulated, years.
    step
        Between the days at which courses are known, years.
    care
        ``frozen`` (what people take stays), ``usual`` (their own doctors go on) or ``clinic``; see `patients.follow_up`.
    year
        Calendar year of day 0 where care goes on: it decides which drugs are on the market.
    draws
        Sets of parameters of the cells besides the values of the tables; people stay the same in all of them.
    seed
        Of the draws, of injuries of kidneys and of harms of cells.
    """

    years: float | None = None
    until_age: float = 100.0
    step: float = 0.5
    care: str = "frozen"
    year: float = 2024.0
    draws: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        problems = []
        for name, low, high in (("until_age", 20.0, 130.0), ("step", 0.02, 1.0), ("draws", 0, 10_000)):
            value = getattr(self, name)
            if not low <= value <= high:
                expected = f"from {low:g} to {high:g}"
                problems.append(
                    Problem("out-of-range", f"{name} is out of range", found=f"{value:g}", expected=expected)
                )
        if self.years is not None and not 0.0 < self.years <= 100.0:
            problems.append(
                Problem(
                    "out-of-range", "years is out of range", found=f"{self.years:g}", expected="above 0, at most 100"
                )
            )
        if self.care not in RULES:
            problems.append(
                Problem("unknown-care", f"there is no care {self.care!r}", hint=did_you_mean(self.care, RULES))
            )
        if problems:
            raise ConfigError(problems)

    def days(self, ages: Numbers) -> Numbers:
        """Return the days at which courses of people of these ages (years) are known: every step until the youngest reaches `until_age`."""
        left = max(self.until_age - float(np.min(ages)), 10.0)
        years = left if self.years is None else self.years
        steps = max(1, int(np.ceil(years / self.step - 1e-9)))
        return np.asarray(np.minimum(np.arange(steps + 1) * self.step, max(years, self.step)) * DAYS_PER_YEAR)


def simulate_courses(
    people: CoursePeople,
    strategies: Mapping[str, Strategy],
    settings: CourseSettings | None = None,
    threads: int | None = None,
    cache: bool = True,
    progress: Progress | None = None,
    rows: Mapping[str, Mapping[str, float]] | None = None,
    held: str = "",
) -> SimulatedCourses:
    """Return the courses of people under strategies, from the cache where the same were simulated before.

    Parameters
    ----------
    threads
        For the integration; all processors by default.
    progress
        Called with a few words before each part.
    rows
        Scenario -> row of the model -> value, for everybody who has none of their own; ``none`` where no cells are given.
    held
        What else holds meanwhile, such as factors on drugs: courses are kept by it.

    Raises
    ------
    ConfigError
        No strategy, or what a strategy gives cannot be read.
    SolverError
        More than one patient in twenty could not be integrated.

    Examples
    --------
    >>> import betapod
    >>> from betapod.health.course_people import CoursePeople
    >>> from betapod.health.courses import CourseSettings, simulate_courses
    >>> from betapod.health.strategy import Strategy
    >>> people = CoursePeople.drawn(betapod.load_library().take(range(4)))
    >>> courses = simulate_courses(people, {"care": Strategy()}, CourseSettings(years=2), cache=False)
    >>> courses.risk("care").days.tolist()
    [0.0, 182.625, 365.25, 547.875, 730.5]
    """
    settings = settings or CourseSettings()
    if not strategies:
        raise ConfigError(Problem("no-strategy", "there is no strategy to simulate"))
    content = {name: item.content() for name, item in strategies.items()}
    besides = [repr([(name, sorted(of.items())) for name, of in sorted(rows.items())]) if rows else "", held]
    if not any(besides):
        besides = []
    identity = caching.key(__name__, list(content), content, asdict(settings), library_digest(people.library), *besides)
    name = f"courses/{identity}.npz"
    kept = caching.read_entry(name) if cache else None
    if kept is not None:
        try:
            return SimulatedCourses.from_bytes(kept, people)
        except ValueError:
            caching.damaged(caching.folder() / name)
    simulated = _simulate(people, strategies, settings, threads, progress, rows or {})
    if cache:
        caching.write_entry(name, simulated.to_bytes())
    return simulated


def drawn_rows(scenario: str, draws: int, seed: int) -> dict[str, Numbers]:
    """Return parameter -> (draws,) of the rows of cell therapy that have a distribution; none where cells do no good.

    What a person has of their own stays as it is. The effects of drugs have no distributions in their table, and are not drawn.
    """
    if scenario == NONE or draws < 1:
        return {}
    table = cell_parameters.cell_parameter_table(scenario)
    shared = [name for name in varied(table) if name not in MODEL_ROWS]
    return draw_parameters(table, seed, np.arange(draws), shared)


def _simulate(
    people: CoursePeople,
    strategies: Mapping[str, Strategy],
    settings: CourseSettings,
    threads: int | None,
    progress: Progress | None,
    instead: Mapping[str, Mapping[str, float]],
) -> SimulatedCourses:
    began = time.perf_counter()
    library = people.library
    days = settings.days(library.table["age"].to_numpy(dtype=np.float64))
    scenarios = dict.fromkeys(item.scenario for item in strategies.values() if item.cells)
    drawn = {scenario: drawn_rows(scenario, settings.draws, settings.seed) for scenario in scenarios}
    courses: dict[str, StrategyCourse] = {}
    keys: dict[tuple[str, int], str] = {}
    named_courses: dict[str, str] = {}
    lost = np.zeros(len(library), dtype=bool)
    _refuse_large(len(library), len(days), strategies, settings)
    for name, strategy in strategies.items():
        if progress is not None:
            progress(f"simulating {name}")
        rows = drawn.get(strategy.scenario, {}) if strategy.cells else {}
        replaced = instead.get(strategy.scenario if strategy.cells else NONE, {})
        shared = {key: value for key, value in replaced.items() if key not in library.parameters}
        for draw in range(settings.draws + 1):
            values = {**({key: float(column[draw - 1]) for key, column in rows.items()} if draw else {}), **shared}
            content = repr((sorted(strategy.content().items(), key=str), sorted(values.items())))
            if content not in named_courses:
                named_courses[content] = f"{name}, {draw}" if draw else name
                task = CourseTask(library, strategy, days, settings, values, threads)
                courses[named_courses[content]], broken = built_course(task)
                lost |= broken
            keys[name, draw] = named_courses[content]
    if lost.sum() > _MOST_LOST * len(library):
        message = f"{lost.sum()} of {len(library)} patients could not be simulated"
        raise SolverError(Problem("many-failures", message))
    kept: NDArray[np.int64] = np.flatnonzero(~lost)
    if lost.any():
        courses = {key: course.take(kept) for key, course in courses.items()}
    seconds = time.perf_counter() - began
    facts = {"patients": len(library), "lost": int(lost.sum()), "courses": len(courses), "seconds": seconds}
    return SimulatedCourses(people.without(lost), days, courses, keys, lost, settings.seed, drawn, facts)


def _refuse_large(patients: int, times: int, strategies: Mapping[str, Strategy], settings: CourseSettings) -> None:
    courses_each = [1 + settings.draws * bool(item.cells and item.scenario != NONE) for item in strategies.values()]
    values = patients * times * 10 * sum(courses_each)
    if values > _MOST_VALUES:
        hint = "Take fewer people, fewer draws of the physiology, or longer steps."
        count, expected = f"{values:.2g} values", f"at most {_MOST_VALUES:.2g}"
        raise ConfigError(
            Problem("too-large", "the courses need too much memory", found=count, expected=expected, hint=hint)
        )
