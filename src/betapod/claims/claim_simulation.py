"""Simulation of claims: outcome with the mechanism off, as evidence allows, as claimed; and the effect size that would be needed."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from ..base import cache as caching
from ..base.constants import DAYS_PER_YEAR
from ..base.errors import Problem, SolverError
from ..base.files import write_text
from ..therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE, FACE_VALUE, NONE
from .claim_outcome import Outcome, SimulatedOutcome
from .claim_people import OLDER, ledger_patient

if TYPE_CHECKING:
    from ..engine.schedule import Schedule

#: Results that come with the package, for its own model and claims; used only while the fingerprint of both is the same. Others are
#: in the cache.
STORED = Path(__file__).with_name("claims_simulated.json")
#: Values of the parameter tried at once, and how often the bracket is narrowed: about 0.03 % of it in the end.
TRIES, ROUNDS = 9, 4
#: Largest multiple of what evidence allows that is tried where nature sets no limit.
FAR = 1000.0
#: Names of what is compared in `SimulatedOutcome`, and the scenario of each where cells are given. They are not scenarios: a claim that gives no
#: cells is held against its own mechanism switched off, and evidence allows what the model has.
COMPARISONS = {"off": NONE, "allowed": CURRENT_EVIDENCE, "claimed": AS_CLAIMED}
#: Switches that are about bookkeeping, not about a claimed mechanism.
_KEPT = ("sw_deficit_gate", "sw_plugging", "sw_sensitisation", "sw_hypoxia")
#: Parameters on which the first pass depends, so that the doses change with them.
_FIRST_PASS = ("h_max_K", "h_max_P", "eps_L")


@dataclass(frozen=True)
class _Job:
    """One simulated life."""

    person: str
    values: Mapping[str, float]
    course: str
    scenario: str


def simulate_outcomes(outcomes: Mapping[str, Outcome]) -> dict[str, SimulatedOutcome]:
    """Return what the model says of each outcome: as it is in the cache or came with the package, or simulated now and kept.

    What the cache has was computed by this very program and comes first; what came with the package is of the same equations,
    parameters and claims, but perhaps of an older engine.
    """
    if not outcomes:
        return {}
    stored = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    model_key = _model_key()
    results = {name: kept for name, outcome in outcomes.items() if (kept := _kept(outcome)) is not None}
    for name, outcome in outcomes.items():
        entry = stored.get(name)
        if name not in results and entry and entry["key"] == _key(outcome, model_key):
            results[name] = SimulatedOutcome(**entry["simulated"])
    missing = {name: outcome for name, outcome in outcomes.items() if name not in results}
    return {**results, **_computed(missing)} if missing else results


def store(outcomes: Mapping[str, Outcome], to: Path | None = None) -> None:
    """Simulate all outcomes anew and keep them in the cache.

    Parameters
    ----------
    to
        Where to write them too, as the table that comes with the package; nothing is ever written into an installed package.

    Raises
    ------
    ConfigError
        That file cannot be written.
    """
    model_key = _model_key()
    results = _computed(outcomes)
    if to is not None:
        rows = {n: {"key": _key(outcomes[n], model_key), "simulated": asdict(result)} for n, result in results.items()}
        write_text(to, json.dumps(rows, indent=1) + "\n")


def _computed(outcomes: Mapping[str, Outcome]) -> dict[str, SimulatedOutcome]:
    results = compute_outcomes(outcomes)
    for name, result in results.items():
        caching.write_entry(_name(outcomes[name]), json.dumps(asdict(result)).encode())
    return results


def _kept(outcome: Outcome) -> SimulatedOutcome | None:
    body = caching.read_entry(_name(outcome))
    try:
        return None if body is None else TypeAdapter(SimulatedOutcome).validate_json(body)
    except ValueError:
        return None


def _name(outcome: Outcome) -> str:
    return f"claims/{caching.key(__name__, asdict(outcome), repr(OLDER.get(outcome.person)))}.json"


def _key(outcome: Outcome, model_key: str) -> str:
    tables = _parameter_bytes()
    older = OLDER.get(outcome.person)
    text = json.dumps(asdict(outcome), sort_keys=True, default=list) + (repr(older) if older else "") + model_key
    return hashlib.sha256(text.encode() + tables).hexdigest()[:24]


@cache
def _parameter_bytes() -> bytes:
    """Return a digest of every parameter table and typical person."""
    from ..physiology import whole_body

    digest = hashlib.sha256()
    folders = (whole_body.PARAMETERS, whole_body.PARAMETERS.parent / "profiles")
    for path in sorted(path for folder in folders for path in folder.glob("*.csv")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.digest()


@cache
def _model() -> Any:
    from ..physiology import whole_body

    return whole_body.named_model("reference")


def _model_key() -> str:
    return str(_model().fingerprint)


def compute_outcomes(outcomes: Mapping[str, Outcome]) -> dict[str, SimulatedOutcome]:
    """Simulate outcomes: every scenario of every claim in one ensemble for each length of follow-up, then the levers together.

    Raises
    ------
    SolverError
        A scenario without an end; a value of a lever at which the integration fails counts as not reaching the outcome.
    """
    base: dict[tuple[str, str], tuple[_Job, Outcome]] = {}
    for name, outcome in outcomes.items():
        for scenario, job in _scenarios(outcome).items():
            base[name, scenario] = (job, outcome)
    values = _run(base)
    lost = sorted({name for (name, _), value in values.items() if not math.isfinite(value)})
    if lost:
        raise SolverError(Problem("no-result", f"the simulation of {', '.join(lost)} did not come to its end"))
    limits = {name: _limit(outcome) for name, outcome in outcomes.items() if outcome.lever}
    needed, largest = _levers(outcomes, limits, values)
    results = {}
    for name, outcome in outcomes.items():
        results[name] = _simulated(name, outcome, values, limits, needed, largest)
    return results


def _simulated(
    name: str,
    outcome: Outcome,
    values: Mapping[tuple[str, str], float],
    limits: Mapping[str, tuple[float, float, float]],
    needed: Mapping[str, float | None],
    largest: Mapping[str, float],
) -> SimulatedOutcome:
    def effect(scenario: str) -> float:
        return _effect(outcome, values[name, scenario], values[name, f"without {scenario}"])

    claimed = effect("claimed") if outcome.course else None
    unit = "%" if outcome.measure == "percent" else _model().units[outcome.quantity]
    allowed = effect("allowed")
    off = effect("off") if outcome.course or outcome.off else None
    if not outcome.lever:
        reached = outcome.reached_by(allowed)
        return SimulatedOutcome(unit, off, allowed, claimed, None, reached_within_evidence=reached)
    now, limit, ceiling = limits[name]
    enough = needed[name] is not None and needed[name] <= limit * (1 + 1e-6)  # type: ignore[operator]
    return SimulatedOutcome(
        unit,
        off,
        allowed,
        claimed,
        largest[name],
        outcome.lever,
        _model().units[outcome.lever],
        now,
        limit,
        needed[name],
        ceiling,
        bool(enough or outcome.reached_by(allowed) or outcome.reached_by(largest[name])),
    )


def _effect(outcome: Outcome, treated: float, untreated: float) -> float:
    if outcome.measure == "percent":
        return 100.0 * (treated / untreated - 1.0)
    return treated - untreated


def _scenarios(outcome: Outcome) -> dict[str, _Job]:
    if not outcome.course:
        off = dict(outcome.off)
        return {
            "off": _Job(outcome.person, {**outcome.inputs, **off}, "", NONE),
            "without off": _Job(outcome.person, {**outcome.against, **off}, "", NONE),
            "allowed": _Job(outcome.person, dict(outcome.inputs), "", NONE),
            "without allowed": _Job(outcome.person, dict(outcome.against), "", NONE),
        }
    silent = _silenced(outcome)
    jobs = {}
    for scenario, name in COMPARISONS.items():
        values = {**silent, **outcome.inputs}
        jobs[scenario] = _Job(outcome.person, values, outcome.course, name)
        jobs[f"without {scenario}"] = _Job(outcome.person, values, "", name)
    return jobs


def _silenced(outcome: Outcome) -> dict[str, float]:
    """Return every other mechanism switched off."""
    if "all" in outcome.switches:
        return {}
    switches = [name for name in _model().inputs if name.startswith("sw_") and name not in _KEPT]
    return {name: 0.0 for name in switches if name not in outcome.switches}


def _limit(outcome: Outcome) -> tuple[float, float, float]:
    """Return the lever's value now, the largest that evidence allows, and the end of the search.

    The largest is the upper end of the interval under current evidence or, if greater, the point estimate of positive trials.
    """
    from ..model.parameters.possible_values import possible_bounds
    from ..therapies import cell_parameters

    tables = [
        _model().parameters,
        *(cell_parameters.cell_parameter_table(name) for name in (CURRENT_EVIDENCE, FACE_VALUE)),
    ]
    rows = [table[outcome.lever] for table in tables if outcome.lever in table]
    now = rows[1].value if len(rows) > 1 else rows[0].value
    highs = [row.high for row in rows if row.high is not None and math.isfinite(row.high)]
    limit = max([*(row.value for row in rows), *highs])
    ceiling = outcome.ceiling if outcome.ceiling is not None else max(limit, 1e-3) * FAR
    return now, limit, min([ceiling, *(possible_bounds(row)[1] for row in rows)])


def _levers(
    outcomes: Mapping[str, Outcome],
    limits: Mapping[str, tuple[float, float, float]],
    values: Mapping[tuple[str, str], float],
) -> tuple[dict[str, float | None], dict[str, float]]:
    """Find, for all claims at once, the least value of the lever that gives the claimed outcome."""
    needed: dict[str, float | None] = {}
    largest: dict[str, float] = {}
    brackets: dict[str, tuple[float, float]] = {}
    for name, (now, _, ceiling) in limits.items():
        effect = _effect(outcomes[name], values[name, "allowed"], values[name, "without allowed"])
        needed[name] = now if outcomes[name].reached_by(effect) else None
        if needed[name] is None:
            brackets[name] = (now, ceiling)
    ends = {name: [limits[name][1]] for name in limits}
    for name, effects_at_limit in _effects(outcomes, ends).items():
        largest[name] = effects_at_limit[0]
    for turn in range(ROUNDS):
        points = {name: _points(low, high, spread=turn == 0) for name, (low, high) in brackets.items()}
        for name, effects in _effects(outcomes, points).items():
            hits = [i for i, effect in enumerate(effects) if outcomes[name].reached_by(effect)]
            if not hits:
                if turn == 0:
                    del brackets[name]
                continue
            first = hits[0]
            needed[name] = points[name][first]
            brackets[name] = (points[name][first - 1] if first else brackets[name][0], points[name][first])
    return needed, largest


def _points(low: float, high: float, spread: bool) -> list[float]:
    """Return values to try between two ends: logarithmic over a wide range, else even; the lower end is known to be too small."""
    if not spread or high < 20 * max(low, 1e-12):
        if low > 0 and high / low > 2:
            return [low * (high / low) ** (i / TRIES) for i in range(1, TRIES + 1)]
        return [low + (high - low) * i / TRIES for i in range(1, TRIES + 1)]
    start = max(low, high * 1e-6)
    return [start * (high / start) ** (i / TRIES) for i in range(1, TRIES + 1)]


def _effects(outcomes: Mapping[str, Outcome], points: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    jobs: dict[tuple[str, str], tuple[_Job, Outcome]] = {}
    for name, levels in points.items():
        outcome = outcomes[name]
        plain = _scenarios(outcome)
        for number, level in enumerate(levels):
            for side in ("allowed", "without allowed"):
                job = plain[side]
                changed = _Job(job.person, {**job.values, outcome.lever: level}, job.course, job.scenario)
                jobs[name, f"{side} {number}"] = (changed, outcome)
    values = _run(jobs)
    return {
        name: [
            _effect(outcomes[name], values[name, f"allowed {i}"], values[name, f"without allowed {i}"])
            for i in range(len(levels))
        ]
        for name, levels in points.items()
    }


def _run(jobs: Mapping[tuple[str, str], tuple[_Job, Outcome]]) -> dict[tuple[str, str], float]:
    """Simulate jobs together, one ensemble run for each length of follow-up."""
    import numpy as np

    values: dict[tuple[str, str], float] = {}
    for years in sorted({outcome.years for _, outcome in jobs.values()}):
        group = [(name, job, outcome) for name, (job, outcome) in jobs.items() if outcome.years == years]
        columns = [_values(job) for _, job, _ in group]
        names = sorted({key for column in columns for key in column})
        default = {**_model().values()}
        patients = {key: np.array([column.get(key, default[key]) for column in columns]) for key in names}
        states = {
            key: np.array([ledger_patient(job.person).state[key] for _, job, _ in group])
            for key in _model().state_names
        }
        schedules = [_schedule(job) for _, job, _ in group]
        result = _ensemble().run(patients, [years * DAYS_PER_YEAR], schedules, states)
        for row, (name, _, outcome) in enumerate(group):
            values[name] = float(result.values[row, -1, list(result.names).index(outcome.quantity)])
    return values


@cache
def _ensemble() -> Any:
    from ..engine.ensemble import Ensemble
    from .claims import claimed_quantities

    return Ensemble(_model(), claimed_quantities())


@cache
def _person_values(name: str, scenario: str) -> dict[str, float]:
    """Return everything in which a person under a scenario differs from the tables."""
    from ..therapies import cell_parameters

    model = cell_parameters.parameterise(ledger_patient(name).model, scenario)
    default = _model().values()
    return {key: value for key, value in model.values().items() if value != default[key]}


def _values(job: _Job) -> dict[str, float]:
    return {**_person_values(job.person, job.scenario), **job.values}


def _schedule(job: _Job) -> Schedule:
    from ..engine.schedule import Schedule

    if not job.course:
        return Schedule()
    first_pass = tuple(sorted((k, v) for k, v in job.values.items() if k in (*_FIRST_PASS, "sw_homing")))
    return _course(job.person, job.course, job.scenario, first_pass)


@cache
def _course(person: str, course: str, scenario: str, first_pass: tuple[tuple[str, float], ...]) -> Schedule:
    from ..therapies import cell_parameters
    from ..therapies.cell_dosing import regimen

    who = ledger_patient(person)
    model = cell_parameters.parameterise(who.model, scenario).with_values(dict(first_pass))
    return regimen(course, who.state["BW"], model, scenario, who.state).schedule


def unit_and_label(quantity: str) -> tuple[str, str]:
    """Return unit and label of a quantity of the whole-body model."""
    model = _model()
    return model.units.get(quantity, ""), model.labels.get(quantity, quantity)
