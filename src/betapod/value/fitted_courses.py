"""Courses of people under draws of a fit: a set of parameters belongs to a draw of the comparison, with all its people and strategies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ..base.errors import ConfigError, Location, Problem
from ..health.course_people import CoursePeople
from ..health.courses import CourseSettings, Progress, simulate_courses
from ..health.simulated_courses import SimulatedCourses
from ..health.strategy import Strategy
from ..physiology.installed_fits import load_fit
from ..therapies.scenarios import NONE
from ..trials.conduct.replicate_parameters import (
    AS_IN_THE_TABLES,
    NO_FIT,
    DrawsAsked,
    draws_of,
    fit_of,
    people_of_draws,
    start_of_trial,
    undone_fit,
)
from .value_settings import ValueSettings


def draws_asked(settings: ValueSettings) -> DrawsAsked | None:
    """Return the sets of parameters of bodies that a comparison asks for; None where bodies are those of the tables alone.

    Raises
    ------
    ConfigError
        No such fit is installed, none at all, or draws of what is no fit.
    """
    if not settings.fit and not settings.fit_draws:
        return None
    scenarios = {item.scenario for item in settings.strategies.values() if item.cells}
    asked = DrawsAsked(settings.fit, settings.fit_draws, tuple(sorted(scenarios | {NONE})), settings.seed)
    if settings.fit == NO_FIT and settings.fit_draws:
        message, hint = "without a fit bodies are not drawn", "Leave out fit_draws, or name an installed fit."
        raise ConfigError(Problem("useless-key", message, Location("fit_draws"), str(settings.fit_draws), hint=hint))
    if settings.fit_draws and not fit_of(asked):
        message, hint = "no fit is installed whose draws bodies could have", "cell_draws are draws of what cells do."
        raise ConfigError(Problem("no-fit", message, Location("fit_draws"), str(settings.fit_draws), hint=hint))
    if settings.fit not in ("", NO_FIT) and not settings.fit_draws:
        message, hint = "a fit is named, and none of its draws", "Give fit_draws, such as 16."
        raise ConfigError(Problem("useless-key", message, Location("fit"), settings.fit, hint=hint))
    return asked


def draws_identity(asked: DrawsAsked) -> list[object]:
    """Return name and files of the fit that is drawn from, or before which the tables had their values, as plain values."""
    name = fit_of(asked) or undone_fit(asked)
    return [name, [list(pair) for pair in sorted(load_fit(name).identity["files"].items())]] if name else []


def courses_under_draws(
    people: CoursePeople,
    strategies: Callable[[], Mapping[str, Strategy]],
    following: CourseSettings,
    asked: DrawsAsked,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SimulatedCourses:
    """Return courses under the parameters that a comparison has at its middle (draw 0), and under each draw of a fit.

    Those who are chosen live again under each set up to the day on which they are met; those whose kidneys fail before stand as they were
    chosen, and live on under it. What cells do is drawn with the body; without draws of a fit as often as `following` says.

    Parameters
    ----------
    strategies
        Reads them, with drugs as strong as they are under the set that holds meanwhile.
    """
    start = start_of_trial(asked)
    sets = (start, *draws_of(asked)) if asked.fit_draws else (start,)
    if progress is not None:
        progress("letting people live under every set of parameters")
    met = people_of_draws(people.library, AS_IN_THE_TABLES, sets)
    simulated = []
    for number, (parameters, there) in enumerate(zip(sets, met, strict=True)):
        if progress is not None and number:
            progress(f"simulating under parameters {number} of {len(sets) - 1}")
        under = CoursePeople(there.patients, people.rows)
        rows = {scenario: of for scenario in asked.scenarios if (of := parameters.of(scenario))}
        settings = replace(following, draws=0) if asked.fit_draws else following
        with parameters.holding():
            held = "" if parameters == AS_IN_THE_TABLES else repr(parameters)
            simulated.append(
                simulate_courses(under, strategies(), settings, threads, progress=progress, rows=rows, held=held)
            )
    failed = int(np.sum(~np.all([there.reached for there in met], axis=0)))
    (first, *others) = simulated
    joined = SimulatedCourses.joined(people, simulated, [there.patients for there in met]) if others else first
    return replace(joined, facts={**joined.facts, "failed": failed})
