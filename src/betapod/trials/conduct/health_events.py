"""Complications of patients in a trial, the return to health, and quality of life: on their own courses, with what else happens to them dated.

Complications have the random numbers of patient and replicate, the same in every arm. What is drawn for outcomes otherwise (deaths,
infarctions, strokes, heart failure, infections) is dated here and raises or ends what may follow. Drugs that are given as rescue, a
kidney that is removed and the effect of being in the trial are not part of the course.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...hazards.outcome_rates import CAUSES
from ...health.accrue import quality
from ...health.event_table import own_events
from ...health.healthy import healthy_on
from ...health.lives import Lives, live_on
from ...health.prepared_course import prepare
from ...health.risk_profiles import READ_CODES, glucose_drug_shares, risk_course_of
from ...health.utilities import utility_set, utility_weights
from ...observables.quantities import Numbers
from ..protocol.health_outcomes import HEALTHY_AGAIN, IMPROVEMENTS, QUALITY_OF_LIFE, complication_outcomes

if TYPE_CHECKING:
    from ...hazards.risk_course import RiskCourse
    from ..protocol.protocol import Protocol
    from .drawn_design import SharedDraws
    from .patient_pool import Pool


def asked_health(protocol: Protocol) -> tuple[str, ...]:
    """Return the outcomes of health that endpoints of a protocol name, each once: what is not asked for is not drawn."""
    items = (protocol.endpoints.primary, *protocol.endpoints.secondary)
    names = dict.fromkeys(name for item in items for name in item.composite)
    return tuple(name for name in names if name in IMPROVEMENTS or name in complication_outcomes())


def dated_health(protocol: Protocol) -> tuple[str, ...]:
    """Return those of `asked_health` that come on a day."""
    return tuple(name for name in asked_health(protocol) if name != QUALITY_OF_LIFE)


@dataclass(frozen=True)
class TrialHealth:
    """Health of the patients of a trial.

    Attributes
    ----------
    days
        Outcome of `dated_health` -> (R, n) day; infinite without.
    qalys
        (R, n, V) quality-adjusted life-years from enrolment to each visit; None where no endpoint asks for them.
    """

    days: dict[str, Numbers]
    qalys: NDArray[np.float32] | None = None


def trial_health(
    draws: SharedDraws, arm: NDArray[np.int8], arms: tuple[str, ...], scenario: str, dated: Mapping[str, Numbers]
) -> TrialHealth:
    """Return the outcomes of health that a protocol asks for.

    Parameters
    ----------
    arm
        (R, n) index into `arms`.
    dated
        Cause -> (R, n) day of what happens anyway; infinite without.
    """
    asked = asked_health(draws.protocol)
    days = {name: np.full(draws.shape, np.inf) for name in dated_health(draws.protocol)}
    qalys = np.full(draws.when.shape, np.nan, dtype=np.float32) if QUALITY_OF_LIFE in asked else None
    for index, name in enumerate(arms):
        in_arm = arm == index
        if not asked or not in_arm.any():
            continue
        key = draws.pool.key(name, "cells", scenario)
        if HEALTHY_AGAIN in asked:
            days[HEALTHY_AGAIN][in_arm] = healthy_days(draws.pool, key)[draws.member[in_arm]]
        if set(asked) - {HEALTHY_AGAIN}:
            course, lives = arm_lives(draws, in_arm, key, {cause: day[in_arm] for cause, day in dated.items()})
            for event in set(days) - {HEALTHY_AGAIN}:
                days[event][in_arm] = lives.first_day[lives.events.index(event)]
            if qalys is not None:
                qalys[in_arm] = quality_by(course, lives, draws.when[in_arm])
    return TrialHealth(days, qalys)


def quality_by(course: RiskCourse, lives: Lives, when: Numbers) -> Numbers:
    """Return (people, V) quality-adjusted life-years from day 0 to some days of each person; 0 before."""
    weights = utility_weights(utility_set(), course, lives.states, lives.events)
    gained = lives.years[:, None] * quality(lives, weights)
    for event, loss in weights.events.items():
        gained = gained - loss * lives.happened[lives.events.index(event)]
    until = np.concatenate([np.zeros((1, course.people)), np.cumsum(gained, axis=0)]).T
    below = np.clip(np.searchsorted(lives.days, when, side="right") - 1, 0, len(lives.days) - 2)
    share = np.clip((when - lives.days[below]) / np.diff(lives.days)[below], 0.0, 1.0)
    left, right = (np.take_along_axis(until, below + k, axis=1) for k in (0, 1))
    return np.asarray(left + share * (right - left))


def arm_lives(
    draws: SharedDraws, in_arm: NDArray[np.bool_], key: str, dated: Mapping[str, Numbers]
) -> tuple[RiskCourse, Lives]:
    """Return the patients of an arm in the trial, with what happens to them otherwise on its days."""
    first = draws.part.start * draws.size
    numbers = np.arange(first, first + in_arm.size, dtype=np.int64).reshape(draws.shape)[in_arm]
    study = np.broadcast_to(draws.study, draws.shape)[in_arm][:, None]
    table = own_events()
    course = pool_course(draws.pool, key, draws.member[in_arm], numbers, draws.seed)
    mortal = [item.name for item in table.items if item.fatal]
    # A study with twice the rates has twice those of complications; deaths are those of the outcomes.
    course = replace(
        course,
        harms={item.name: study for item in table.items if not item.fatal},
        dated={cause: dated[cause] for cause in CAUSES},
    )
    lives = live_on(prepare(course, table), seed=draws.seed, factors=dict.fromkeys(mortal, 0.0))
    return course, lives


def pool_course(pool: Pool, key: str, member: NDArray[np.integer], numbers: NDArray[np.int64], seed: int) -> RiskCourse:
    """Return the course of risk of members of a pool from enrolment on.

    Parameters
    ----------
    key
        Course of an arm.
    numbers
        By which random numbers are drawn, one for each of `member`.
    """
    after = pool.times >= 0.0
    course = {code: pool.values[key][member][:, after, pool.codes.index(code)] for code in READ_CODES}
    table = pd.DataFrame({name: values[member] for name, values in pool.traits.items()})
    intake = {drug: shares[member].astype(np.float64) for drug, shares in pool.intake[key].items()}
    return risk_course_of(table, numbers, pool.times[after], course, pool.failed[key][member], intake, seed=seed)


def healthy_days(pool: Pool, key: str) -> Numbers:
    """Return (people,) day on which the return to health has come for three months or more; infinite without."""
    course = pool_course(pool, key, np.arange(len(pool)), np.arange(len(pool)), 1)
    return healthy_on(course, glucose_drug_shares(course)).first_day
