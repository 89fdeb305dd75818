"""Oral tolerance tests of many people at once, and six traits fitted to each of them.

The six traits of a person in the minute layer: sensitivity of muscle, functional secretory capacity, production of glucose on the morning, competence
of the first phase, hepatic extraction and gastric emptying. Everything else is the package's. All people, and all steps of their derivatives, run side
by side; each person has a normal prior on the six, and is fitted by damped Gauss-Newton steps of their own.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.constants import MINUTES_PER_DAY
from ...engine.ensemble import Ensemble
from ...engine.schedule import Dose, Schedule
from ...person.glucose_tests import RELAXATION
from ...physiology import whole_body

Numbers = NDArray[np.float64]
#: Minutes of the samples, and grams of glucose.
MINUTES, GLUCOSE = (0.0, 30.0, 60.0, 90.0, 120.0), 75.0
#: What is measured: glucose mmol/L, insulin pmol/L, C-peptide nmol/L; and the errors of one sample with the model's own (log-SDs) to begin from.
MEASURED, SAMPLE_ERRORS = ("G", "insulin", "C_peptide"), (0.05, 0.2, 0.1)
#: Traits: quantity of the minute layer, and whether its logarithm is what differs between people.
TRAITS: Mapping[str, tuple[str, bool]] = {
    "sensitivity": ("sIg_factor", True),
    "secretion": ("secretory_capacity", True),
    "production": ("dawn_EGP", True),
    "first_phase": ("first_phase", False),
    "hepatic_extraction": ("hepatic_extraction_shift", False),
    "emptying": ("gastric_emptying_max", True),
}
#: Wide prior SDs of the traits where nothing is known of people yet.
WIDE = np.array([0.7, 0.7, 0.3, 0.5, 0.12, 0.5])
#: Bounds of values that the minute layer can run with.
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "sIg_factor": (0.02, 20.0),
    "secretory_capacity": (0.01, 20.0),
    "dawn_EGP": (0.2, 4.0),
    "first_phase": (0.0, 4.0),
    "hepatic_extraction_shift": (-0.4, 0.3),
    "gastric_emptying_max": (0.0, 10.0),
}
_STEP = 0.02


@dataclass(frozen=True)
class TraitFits:
    """Traits of people.

    Attributes
    ----------
    traits
        (n, 6) on the scale on which they differ, in the order of `TRAITS`.
    covariance
        (n, 6, 6) of the estimates, prior included.
    misses
        (n, 5, 3) logarithm of modelled over measured values; NaN where nothing was measured.
    """

    traits: Numbers
    covariance: Numbers
    misses: Numbers


@functools.cache
def _ensemble() -> Ensemble:
    return Ensemble(whole_body.named_model("metabolism_fast"), MEASURED, rtol=1e-5)


@functools.cache
def _schedule() -> Schedule:
    return Schedule(doses=[Dose("Q_stomach", GLUCOSE, RELAXATION / MINUTES_PER_DAY)])


def oral_tests(columns: Mapping[str, Numbers]) -> Numbers:
    """Return what an oral tolerance test shows of people.

    Parameters
    ----------
    columns
        Parameters and inputs of the minute layer that differ: name -> (n,).

    Returns
    -------
    numpy.ndarray
        (n, 5, 3): glucose (mmol/L), insulin (pmol/L) and C-peptide (nmol/L) after 0, 30, 60, 90 and 120 minutes.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.calibration.real_data.tolerance_fits import oral_tests
    >>> oral_tests({"BW": np.array([60.0, 80.0])}).shape
    (2, 5, 3)
    """
    times = (RELAXATION + np.array(MINUTES)) / MINUTES_PER_DAY
    return np.asarray(_ensemble().run(columns, times, _schedule()).values, dtype=np.float64)


def trait_start() -> Numbers:
    """Return the package's values of the six traits, on the scale on which they differ."""
    model = whole_body.named_model("metabolism_fast")
    values = model.values()
    return np.array([np.log(values[name]) if log else values[name] for name, log in TRAITS.values()])


def columns_of(traits: Numbers) -> dict[str, Numbers]:
    """Return (n, 6) traits as columns of the minute layer, within what it can run with."""
    columns = {}
    for k, (name, log) in enumerate(TRAITS.values()):
        value = np.exp(np.clip(traits[:, k], -6.0, 6.0)) if log else traits[:, k]
        columns[name] = np.clip(value, *_BOUNDS[name])
    return columns


def fit_traits(
    observed: Numbers,
    known_columns: Mapping[str, Numbers],
    middle: Numbers,
    precision: Numbers,
    errors: Numbers | tuple[float, ...] = SAMPLE_ERRORS,
    iterations: int = 12,
    start: Numbers | None = None,
) -> TraitFits:
    """Return the traits of people that agree best with their tests and with what is thought of them.

    Parameters
    ----------
    observed
        (n, 5, 3) as of `oral_tests`; NaN where nothing was measured.
    known_columns
        What is known of people: columns of the minute layer.
    middle, precision
        (n, 6) and (6, 6), normal prior of the traits.
    errors
        Log-SDs of glucose, insulin and C-peptide.
    iterations
        Steps of Gauss-Newton; a step that makes somebody's fit worse is halved for that person.
    start
        (n, 6) where to begin; the middle of the prior by default.

    Returns
    -------
    TraitFits
        Of everybody.
    """
    count = len(observed)
    is_measured = np.isfinite(observed) & (observed > 0.0)
    log_observed = np.where(is_measured, np.log(np.where(is_measured, observed, 1.0)), 0.0)
    weight = np.where(is_measured, 1.0 / np.asarray(errors), 0.0)

    def misses_at(traits: Numbers) -> Numbers:
        sets = len(traits) // count
        columns = columns_of(traits) | {name: np.tile(column, sets) for name, column in known_columns.items()}
        values = np.log(np.maximum(np.nan_to_num(oral_tests(columns), nan=1e-6), 1e-6))
        return np.asarray((values - np.tile(log_observed, (sets, 1, 1))) * np.tile(weight, (sets, 1, 1)))

    def loss_at(traits: Numbers, misses: Numbers) -> Numbers:
        away = traits - middle
        return np.asarray(np.sum(misses**2, axis=(1, 2)) + np.einsum("ni,ij,nj->n", away, precision, away))

    at = middle.copy() if start is None else start.copy()
    now = misses_at(at)
    loss = loss_at(at, now)
    length = np.ones(count)
    information = np.tile(precision, (count, 1, 1))
    for _ in range(iterations):
        slopes = _slopes(at, now, misses_at)
        information = np.einsum("nip,niq->npq", slopes, slopes) + precision
        downhill = np.einsum("nip,ni->np", slopes, now.reshape(count, -1)) + (at - middle) @ precision
        step = -np.linalg.solve(information, downhill[:, :, None])[:, :, 0]
        trial = at + length[:, None] * np.clip(step, -1.0, 1.0)
        misses = misses_at(trial)
        new = loss_at(trial, misses)
        better = new < loss
        at, now, loss = (
            np.where(better[:, None], trial, at),
            np.where(better[:, None, None], misses, now),
            np.minimum(new, loss),
        )
        length = np.where(better, np.minimum(1.0, 1.5 * length), 0.4 * length)
    covariance = np.linalg.inv(information)
    natural = np.where(is_measured, now / np.where(weight > 0.0, weight, 1.0), np.nan)
    return TraitFits(at, np.asarray(covariance, dtype=np.float64), natural)


def _slopes(at: Numbers, now: Numbers, misses_at: object) -> Numbers:
    """Return (n, samples, 6) derivatives, all steps of everybody in one run."""
    count, traits = at.shape
    moved = np.concatenate([at + _STEP * np.eye(traits)[k] for k in range(traits)])
    misses = misses_at(moved).reshape(traits, count, -1)  # type: ignore[operator]
    return np.asarray(((misses - now.reshape(count, -1)) / _STEP).transpose(1, 2, 0))
