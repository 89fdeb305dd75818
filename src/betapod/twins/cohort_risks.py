"""What people who are like each member of a cohort come to: the model's risk of an event for everybody, from one simulation of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from ..base.constants import DAYS_PER_YEAR
from ..base.errors import ConfigError, Problem, not_among
from ..base.randomness import Stream
from ..health.course_people import CoursePeople
from ..health.courses import CourseSettings, Progress, simulate_courses
from ..health.strategy import Strategy
from .like_people import nearest_people
from .named_drugs import named_drugs
from .option_order import AS_NOW
from .option_outcomes import chance_alive, has_declined

if TYPE_CHECKING:
    from ..hazards.risk import Numbers
    from ..hazards.risk_course import RiskCourse
    from ..patients.library import Library
    from .person_labs import PersonLabs

#: What may be asked: kidney failure, an eGFR lower by 40 % or kidney failure, both if nobody died; or death.
TwinOutcome = Literal["kidney failure", "40 % decline", "death"]
TWIN_OUTCOMES: tuple[str, ...] = get_args(TwinOutcome)
#: Effective people that must be like a member: fewer than for an answer to one person, since scores of a cohort average over members.
LEAST_FOR_MEMBER = 10.0
#: Years that may be asked for, and years between days of a course.
LONGEST_YEARS, _STEP = 10.0, 0.5


@dataclass(frozen=True)
class TwinRisks:
    """The model's risks of the members of a cohort.

    Attributes
    ----------
    risk
        (n,) from 0 to 1; NaN where too few people of the library are like somebody.
    effective
        (n,) effective number of people who are like each.
    widened
        (n,) factor on all SDs of the labs.
    simulated
        How many people of the library were simulated for all of them together.
    """

    risk: Numbers
    effective: Numbers
    widened: Numbers
    simulated: int


def twin_risks(
    library: Library,
    people: Sequence[PersonLabs],
    outcome: str = "kidney failure",
    years: float = 5.0,
    twins: int = 100,
    seed: int = 1,
    care: str = "frozen",
    threads: int | None = None,
    progress: Progress | None = None,
) -> TwinRisks:
    """Return the risk of an event of everybody in a cohort.

    Parameters
    ----------
    outcome
        One of `TWIN_OUTCOMES`.
    years
        Over which, half a year to `LONGEST_YEARS`.
    twins
        How many people of the library stand for each; those of all are simulated once, together.
    care
        As of `CourseSettings`.

    Raises
    ------
    ConfigError
        No such outcome, or years out of range.
    SolverError
        Too many people could not be simulated.
    """
    _check(outcome, years, twins)
    count = len(library)
    drawn: list[Numbers] = []
    effective, widened = np.zeros(len(people)), np.zeros(len(people))
    for number, labs in enumerate(people):
        if progress is not None and number % 20 == 0:
            progress(f"looking for people who are like number {number + 1} of {len(people)}")
        weights, effective[number], widened[number] = nearest_people(
            library, labs, named_drugs(labs.drugs, strict=False).columns
        )
        drawn.append(
            _drawn(weights, twins, seed, number) if effective[number] >= LEAST_FOR_MEMBER else np.zeros(0, dtype=int)
        )
    rows = np.unique(np.concatenate([*drawn, np.zeros(0, dtype=int)])).astype(np.int64)
    risk = np.full(len(people), np.nan)
    if len(rows):
        by_row = np.full(count, np.nan)
        by_row[rows] = _simulated(library.take(rows), outcome, years, seed, care, threads, progress)
        for number, of_member in enumerate(drawn):
            chances = by_row[of_member][np.isfinite(by_row[of_member])]
            risk[number] = chances.mean() if len(chances) else np.nan
    return TwinRisks(risk, effective, widened, len(rows))


def _check(outcome: str, years: float, twins: int) -> None:
    problems = []
    if outcome not in TWIN_OUTCOMES:
        problems.append(not_among(TWIN_OUTCOMES, "unknown-outcome", f"there is no outcome {outcome!r}", outcome))
    if not _STEP <= years <= LONGEST_YEARS:
        expected = f"from {_STEP:g} to {LONGEST_YEARS:g}"
        problems.append(Problem("out-of-range", "years is out of range", found=f"{years:g}", expected=expected))
    if not 20 <= twins <= 1000:
        problems.append(
            Problem(
                "bad-number",
                "the number of people (twins) is out of range",
                found=str(twins),
                expected="from 20 to 1000",
            )
        )
    if problems:
        raise ConfigError(problems)


def _drawn(weights: Numbers, twins: int, seed: int, number: int) -> Numbers:
    """Return (twins,) rows, each as often as its weight says, to within one."""
    begin = float(Stream(seed, "twins:cohort").uniform([number])[0])
    reached = np.cumsum(weights)
    places = (np.arange(twins) + begin) / twins * reached[-1]
    return np.asarray(np.searchsorted(reached, places, side="right").clip(max=len(weights) - 1))


def _simulated(
    library: Library, outcome: str, years: float, seed: int, care: str, threads: int | None, progress: Progress | None
) -> Numbers:
    """Return (people,) the chance of the event; NaN of who could not be simulated."""
    settings = CourseSettings(years=years, step=min(_STEP, years), care=care, seed=seed)
    courses = simulate_courses(CoursePeople.drawn(library), {AS_NOW: Strategy()}, settings, threads, progress=progress)
    chances = np.full(len(library), np.nan)
    chances[~courses.lost] = _chances(courses.risk(AS_NOW), outcome, years)
    return chances


def _chances(course: RiskCourse, outcome: str, years: float) -> Numbers:
    if outcome == "kidney failure":
        return np.asarray(course.failure_day() <= years * DAYS_PER_YEAR, dtype=np.float64)
    if outcome == "40 % decline":
        return has_declined(course, years).astype(np.float64)
    last = int(np.argmin(np.abs(course.days - years * DAYS_PER_YEAR)))
    return np.asarray(1.0 - chance_alive(course)[:, last])
