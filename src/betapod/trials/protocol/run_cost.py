"""Estimated cost of a run (memory, disk, time) and the memory limit above which a run is not started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...base.config import Document, Where
from ...base.constants import DAYS_PER_YEAR
from ...base.errors import ConfigError, Location, Problem
from ...observables.quantities import code_of, visit_observables
from .value_checks import list_of, mapping_of, short

if TYPE_CHECKING:
    from .protocol import Protocol

#: Bytes of memory that a run and its report may need; what a common computer has to spare (assumed).
MOST_MEMORY = 4_000_000_000
#: Measurements that one core makes in a second, and seconds to integrate one person for a year (measured on one core of 2024).
_PER_SECOND, _INTEGRATION = 3_000_000, 0.003
#: Seconds for one person to live again until a study, measured likewise.
_LIFE = 0.004


@dataclass(frozen=True)
class Cost:
    """Estimated cost of a run.

    Attributes
    ----------
    patients
        Patients of all designs, scenarios and replicates.
    memory, disk
        Bytes; whole numbers of any size.
    seconds
        Of one core: simulating the pool where it is not in the cache, and running the trials; the report comes on top.
    """

    patients: int
    memory: int
    disk: int
    seconds: float

    @property
    def words(self) -> str:
        """As a phrase for people."""
        return f"about {_time(self.seconds)} of one core, {size(self.memory)} of memory, {size(self.disk)} on disk"

    def as_dict(self) -> dict[str, float]:
        """Return plain values for JSON."""
        return {
            "patients": self.patients,
            "memory_bytes": self.memory,
            "disk_bytes": self.disk,
            "core_seconds": self.seconds,
        }


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.3g} h"


def size(amount: int) -> str:
    """Return bytes as people say them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount} {unit}"
        amount //= 1000
    return f"{short(amount)} TB"


def _bytes(patients: Sequence[int], scenarios: int, replicates: int, visits: int, codes: int) -> tuple[int, int, int]:
    """Return bytes in memory and on disk, and measurements, of a run with designs of some patients each."""
    per_patient = visits * (codes + 1) * 4 + codes * 4 + 40
    kept = sum(patients) * scenarios * replicates * per_patient
    largest = max(patients, default=0)
    # One part at work: candidates at screening, and courses in double precision.
    part = max(8000, largest) * (visits * codes * 50 + 700)
    # The report looks at one design under one scenario at a time, in double precision.
    looked = largest * replicates * visits * (2 * codes + 12) * 8
    memory = 2 * kept + part + looked
    return memory, kept, sum(patients) * scenarios * replicates * visits * codes


def _pool_bytes(people: int, courses: int, visits: int) -> int:
    """Return bytes of the true courses of a pool: a day before, on and after each visit, twice for what is computed from them."""
    return 2 * people * courses * (3 * visits + 1) * len(visit_observables()) * 8


def _courses(arms: int, with_cells: int, scenarios: int, rescues: int) -> int:
    """Return the largest number of courses per person of a pool."""
    return 2 + 2 * arms + with_cells * scenarios + rescues


def cost(protocol: Protocol, designs: Sequence[str] | None = None, scenarios: Sequence[str] | None = None) -> Cost:
    """Return the estimated cost of running a protocol."""
    names, scenario_names = list(designs or protocol.designs), list(scenarios or protocol.scenarios)
    patients = [protocol.size(name) for name in names]
    memory, disk, measured = _bytes(
        patients, len(scenario_names), protocol.replicates, len(protocol.visits), len(protocol.codes)
    )
    with_cells = sum(arm.cells is not None for arm in protocol.arms.values())
    most = _courses(len(protocol.arms), with_cells, len(protocol.scenarios), len(protocol.conduct.rescue))
    sets = max(protocol.fit_draws, 1)
    memory += _pool_bytes(protocol.population.size * sets, most, len(protocol.visits))
    treated = sum(bool(arm.therapies or arm.inputs) for arm in protocol.arms.values())
    courses = 1 + treated + len(protocol.conduct.rescue) + with_cells * len(protocol.scenarios)
    courses += bool(protocol.conduct.co_medication) * len(protocol.arms) + (protocol.run_in is not None)
    years = (protocol.days[-1] + protocol.lead) / DAYS_PER_YEAR
    integrating = sets * protocol.population.size * courses * _INTEGRATION * (0.3 + years)
    # People live again under every set.
    integrating += protocol.fit_draws * protocol.population.size * _LIFE
    seconds = integrating + float(min(measured, 10**300)) / _PER_SECOND
    return Cost(sum(patients) * len(scenario_names) * protocol.replicates, memory, disk, seconds)


def bounded(
    protocol: Protocol, designs: Sequence[str] | None = None, scenarios: Sequence[str] | None = None
) -> Protocol:
    """Return the protocol if its run fits into memory.

    Raises
    ------
    ConfigError
        It would need more than `MOST_MEMORY`.
    """
    names, scenario_names = list(designs or protocol.designs), list(scenarios or protocol.scenarios)
    patients = [protocol.size(name) for name in names]
    numbers = (patients, len(scenario_names), protocol.replicates, len(protocol.visits), len(protocol.codes))
    with_cells = sum(arm.cells is not None for arm in protocol.arms.values())
    most = _courses(len(protocol.arms), with_cells, len(protocol.scenarios), len(protocol.conduct.rescue))
    pool = _pool_bytes(protocol.population.size * max(protocol.fit_draws, 1), most, len(protocol.visits))
    excess = _too_large(*numbers, pool=pool)
    if excess is not None:
        raise ConfigError(Problem(*excess[:2], Location(protocol.name), *excess[3:]))
    return protocol


def costs(document: Document) -> Iterator[Problem]:
    """Find a trial that is too large, from the plain values of a protocol."""
    data = document.data
    trial_patients, replicates = data.get("patients"), data.get("replicates", 1000)
    quotas = [stratum.get("patients") for stratum in mapping_of(data, "strata").values() if isinstance(stratum, dict)]
    patients = []
    for design in mapping_of(data, "designs").values():
        design_patients = design.get("patients") if isinstance(design, dict) else None
        patients.append(design_patients if design_patients is not None else trial_patients)
    counts: list[Any] = [*patients, replicates, *(quota for quota in quotas if quota is not None)]
    if not patients or not all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in counts):
        return
    codes = {code_of(name) for name in mapping_of(data, "measurements")}
    scenario_count = len(list_of(data, "scenarios")) or 3
    numbers = (patients, scenario_count, replicates, len(list_of(data, "visits")), len(codes | {"CREAT"}))
    arms = mapping_of(data, "arms")
    with_cells = sum(isinstance(arm, dict) and arm.get("cells") is not None for arm in arms.values())
    people = mapping_of(data, "population").get("size", 1000)
    if not isinstance(people, int) or isinstance(people, bool):
        return
    rescues = len(list_of(mapping_of(data, "conduct"), "rescue"))
    pool = _pool_bytes(
        max(people, 0), _courses(len(arms), with_cells, scenario_count, rescues), len(list_of(data, "visits"))
    )
    excess = _too_large(*numbers, pool=pool)
    if excess is not None:
        kind, message, where, *more = excess
        yield document.problem(kind, message, where, found=more[0], expected=more[1], hint=more[2])


def _too_large(
    patients: Sequence[int], scenarios: int, replicates: int, visits: int, codes: int, pool: int
) -> tuple[str, str, Where, str, str, str] | None:
    memory = pool + _bytes(patients, scenarios, replicates, visits, codes)[0]
    if memory <= MOST_MEMORY:
        return None
    if pool > MOST_MEMORY // 2:
        return (
            "too-large",
            f"the courses of the pool would need {size(pool)} of memory",
            ("visits",) if visits > 100 else ("population", "size"),
            f"{visits} visits",
            f"at most {size(MOST_MEMORY // 2)}",
            "Plan fewer visits, or a smaller population.size.",
        )
    alone = pool + _bytes(patients, scenarios, 1, visits, codes)[0]
    many = alone > MOST_MEMORY
    least = memory - alone
    fits = 0 if many else 1 + int((MOST_MEMORY - alone) * (replicates - 1) // max(least, 1))
    numbers = f"{short(max(patients))} patients, {short(replicates)} replicates, {visits} visits"
    return (
        "too-large",
        f"the run would need {size(memory)} of memory",
        ("patients",) if many else ("replicates",),
        numbers,
        f"at most {size(MOST_MEMORY)}",
        "Enrol fewer patients." if many else f"At most {fits} replicates of this trial fit.",
    )
