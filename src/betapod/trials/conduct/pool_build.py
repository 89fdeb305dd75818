"""Simulate the patient pool of a protocol, or read it from the cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base import cache as caching
from ...base.errors import ConfigError, Location, Problem, SolverError
from ...hazards.drug_hazards import taken_on
from ...observables.quantities import Numbers, visit_observables
from ...patients.clinic_values import clinic_outputs, clinic_values
from ...patients.library_identity import library_digest
from ...physiology import whole_body
from ...therapies import cell_parameters
from .arm_schedules import Planner
from .candidates import Candidates, choose
from .course_hazards import course_hazards
from .patient_pool import TRAITS, Pool, pools_under_draws
from .planned_courses import PlannedCourses, plan_courses
from .prescreening import fixed_characteristics
from .replicate_parameters import (
    ParameterDraw,
    PeopleMet,
    draws_of,
    people_of_draws,
    start_of_trial,
    trial_start,
    undone_fit,
)

if TYPE_CHECKING:
    from ...model import Model
    from ...patients.library import Library
    from ...therapies.standard_care import Therapy
    from ..protocol.protocol import Protocol

#: Solver tolerances; differences between courses of one person are far larger.
RTOL, ATOL = 1e-6, 1e-9


def pool_of(
    protocol: Protocol,
    library: Library | None = None,
    threads: int | None = None,
    cache: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Pool:
    """Return the pool of a protocol, from the cache where the same was simulated before.

    Parameters
    ----------
    library
        Patients; those of the package by default.
    progress
        Progress callback.

    Raises
    ------
    ConfigError
        Nobody may be eligible.
    SolverError
        More than one person in twenty could not be integrated.
    """
    if library is None:
        from ...patients.library import default

        if progress is not None:
            progress("reading the library of patients")
        library = default()
    name = f"pools/{identity(protocol, library)}.npz"
    kept = caching.read_entry(name) if cache else None
    if kept is not None:
        try:
            return Pool.from_bytes(kept)
        except ValueError:
            caching.damaged(caching.folder() / name)
    pool = _simulate(protocol, library, threads, progress)
    if cache:
        caching.write_entry(name, pool.to_bytes())
    return pool


def identity(protocol: Protocol, library: Library) -> str:
    """Return a hash of everything that shapes a pool: the program, the protocol, the library, and what a cohort's file holds."""
    not_shaping = {
        "name",
        "title",
        "summary",
        "sources",
        "assumptions",
        "designs",
        "endpoints",
        "replicates",
        "strata",
        "patients",
    }
    content = protocol.model_dump(mode="json", exclude=not_shaping)
    conduct = content["conduct"]
    content["conduct"] = {name: conduct[name] for name in ("co_medication", "rescue", "year")}
    content.pop("measurements")
    cohort = Path(protocol.population.cohort)
    if protocol.population.cohort and cohort.exists():
        # A file may change under its name, and the same file may stand elsewhere.
        content["population"]["cohort"] = caching.content_digest(cohort)
    draws = [asdict(draw) for draw in draws_of(protocol)]
    return caching.key(__name__, content, draws, library_digest(library))


def _simulate(
    protocol: Protocol, library: Library, threads: int | None, progress: Callable[[str], None] | None
) -> Pool:
    """Return the pool: people are chosen once, and live again under every set of parameters."""
    draws = draws_of(protocol)
    candidates = chosen_people(protocol, library)
    if progress is not None and len(draws) > 1:
        progress("letting people live under every set of parameters")
    people_of = people_of_draws(candidates.library, start_of_trial(protocol), draws)
    pools = []
    for number, (draw, people) in enumerate(zip(draws, people_of, strict=True), start=1):
        if progress is not None:
            of_many = f", parameters {number} of {len(draws)}" if len(draws) > 1 else ""
            progress(f"simulating the pool{of_many}")
        pools.append(pool_under(protocol, candidates, people, threads, draw))
    return pools_under_draws(pools)


def chosen_people(protocol: Protocol, library: Library) -> Candidates:
    """Return who may come to screening, under the parameters in which people are chosen."""
    with trial_start(protocol, library) as everybody:
        return choose(protocol, everybody, protocol.seed)


def pool_under(
    protocol: Protocol, candidates: Candidates, met: PeopleMet, threads: int | None, draw: ParameterDraw
) -> Pool:
    """Return the true courses of a trial under one set of parameters.

    Parameters
    ----------
    candidates, met
        Who may come, and how they are met under the set.

    Raises
    ------
    ConfigError
        Under the set the kidneys of everybody fail before enrolment.
    SolverError
        More than one person in twenty could not be integrated.
    """
    with draw.holding():
        return _simulate_draw(protocol, candidates, met, threads, draw)


def _simulate_draw(
    protocol: Protocol, candidates: Candidates, met: PeopleMet, threads: int | None, draw: ParameterDraw
) -> Pool:
    import time

    began = time.perf_counter()
    people, weights = met.patients, np.where(met.reached, candidates.weights, 0.0)
    if not weights.any():
        message = "under one set of parameters the kidneys of everybody fail before enrolment"
        raise ConfigError(Problem("nobody-eligible", message, Location(protocol.name)))
    if not met.reached.all():
        weights = weights / weights.sum()
    model = whole_body.named_model("reference")
    planner = Planner(protocol, people, model, protocol.seed, draw)
    grid = _grid(protocol)
    job, keys = plan_courses(protocol, planner, float(grid[-1]))
    values, failed, broken = _integrate(job, people, protocol, grid, threads, draw)
    hazards = _hazards(job, planner, people, grid, values, failed, set(keys.values()))
    lost = np.flatnonzero(broken)
    if len(lost) > 0.05 * len(people):
        raise SolverError(
            Problem(
                "many-failures", f"{len(lost)} of {len(people)} people could not be simulated", Location(protocol.name)
            )
        )
    if len(lost):
        weights = np.where(broken, 0.0, weights) / weights[~broken].sum()
    facts = {
        "people": len(people),
        **candidates.facts,
        "courses": len(values),
        "integrations": len(job.schedules),
        "lost": len(lost),
        "failed": int(np.sum(~met.reached)),
        **({"values before fit": undone} if (undone := undone_fit(protocol)) else {}),
        "seconds": time.perf_counter() - began,
    }
    characteristics = fixed_characteristics(people)
    injured = {name: job.injured[name] - protocol.lead for name in hazards}
    traits = {name: people.table[name].to_numpy(dtype=np.float64) for name in TRAITS if name in people.table}
    return Pool(
        grid, tuple(visit_observables()), values, failed, hazards, injured, keys, characteristics, weights, facts,
        traits, {name: _intake(planner, grid, job.treatments[name]) for name in hazards},
        visits=(dict(draw.visits),) if draw.visits else (),
    )  # fmt: skip


def _intake(planner: Planner, grid: Numbers, added: Sequence[tuple[Therapy, ...]]) -> dict[str, NDArray[np.float32]]:
    """Return what people take from enrolment on: drug -> (people, days)."""
    intake = taken_on(grid[grid >= 0.0] + planner.lead, planner.recipients.takes, added, every=True)
    return {drug: share.astype(np.float32) for drug, share in intake.items() if np.any(share)}


def _hazards(
    job: PlannedCourses,
    planner: Planner,
    people: Library,
    grid: Numbers,
    values: Mapping[str, Numbers],
    failed: Mapping[str, Numbers],
    courses: set[str],
) -> dict[str, Numbers]:
    """Return the cumulative hazards of the courses that arms have."""
    codes = list(visit_observables())
    return {
        name: course_hazards(
            people,
            grid,
            {code: values[name][:, :, k] for k, code in enumerate(codes)},
            failed[name],
            planner.recipients.takes,
            job.treatments[name],
            planner.lead,
            planner.protocol.conduct.year or 0.0,
        )
        for name in sorted(courses)
    }


def _grid(protocol: Protocol) -> Numbers:
    days = {0.0}
    for visit in protocol.visits:
        days |= {visit.day - visit.window, visit.day, visit.day + visit.window}
    return np.array(sorted(days), dtype=np.float64)


def _drawn_columns(
    model: Model, scenarios: Sequence[str], draw: ParameterDraw, columns: Mapping[str, Numbers], apart: set[str]
) -> dict[str, Numbers]:
    """Return the rows of the model that a draw changes, one column each; in `apart` people have values of their own."""
    which = np.array(scenarios)
    drawn: dict[str, Numbers] = {}
    for scenario in dict.fromkeys(scenarios):
        for name, value in draw.of(scenario).items():
            if name in model.parameters and name not in apart:
                usual = np.full(len(which), model.parameters[name].value)
                column = drawn.setdefault(name, np.array(columns.get(name, usual), dtype=np.float64))
                column[which == scenario] = value
    return drawn


def _integrate(
    job: PlannedCourses, people: Library, protocol: Protocol, grid: Numbers, threads: int | None, draw: ParameterDraw
) -> tuple[dict[str, Numbers], dict[str, Numbers], NDArray[np.bool_]]:
    from ...engine.ensemble import Ensemble
    from ...engine.ensemble_result import ENDED

    model = whole_body.named_model("reference")
    rows = np.concatenate(job.rows)
    patients = {name: values[rows] for name, values in people.parameters.items()}
    apart = set(patients)
    patients |= cell_parameters.scenario_columns(model, job.scenarios, patients)
    patients |= _drawn_columns(model, job.scenarios, draw, patients, apart)
    ensemble = Ensemble(model, clinic_outputs(), RTOL, ATOL, threads=threads)
    times = grid + protocol.lead
    initial = {name: values[rows] for name, values in people.initial.items()}
    result = ensemble.run(patients, times, job.schedules, initial)
    table = clinic_values(result.values, people.table.iloc[rows], grid)
    ended = np.where(result.status == ENDED, result.ended_at - protocol.lead, np.inf)
    bad = result.status > ENDED
    broken = np.zeros(len(people), dtype=bool)
    np.logical_or.at(broken, rows, bad)
    values: dict[str, Numbers] = {}
    failed: dict[str, Numbers] = {}
    start = 0
    for name, part in zip(job.names, job.rows, strict=True):
        block = slice(start, start + len(part))
        start += len(part)
        if name in job.copied:
            values[name], failed[name] = values[job.copied[name][0]].copy(), failed[job.copied[name][0]].copy()
            values[name][part], failed[name][part] = table[block], ended[block]
        else:
            values[name], failed[name] = table[block], ended[block]
    return values, failed, broken
