"""Conduct of a trial: screening, randomisation, treatment, measurement, discontinuation; many replicates at once.

No patient is integrated here: true courses come from the `patient_pool`, everything else is drawn from named random streams. A draw
depends on the seed, its purpose, the replicate and the patient's index, so arms, designs of one size and scenarios use common random
numbers, and neither threads nor the division of the work can change a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from ...base import arguments
from ...base.cores import cores
from ...base.errors import ConfigError, not_among
from ..protocol.run_cost import bounded
from . import feasibility
from .drawn_design import DrawnDesign, SharedDraws, joined, shards
from .patient_pool import Pool
from .pool_build import pool_of
from .replicate_parameters import check_draws
from .trial_data import TrialData
from .trial_run import TrialRun

if TYPE_CHECKING:
    from ...patients.library import Library
    from ..protocol.protocol import Protocol

Progress = Callable[[str, int, int], None]
Item = TypeVar("Item")
Made = TypeVar("Made")


def conduct_trial(
    protocol: Protocol,
    designs: Sequence[str] | None = None,
    scenarios: Sequence[str] | None = None,
    replicates: int | None = None,
    seed: int | None = None,
    library: Library | None = None,
    pool: Pool | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    fit_draws: int | None = None,
    fit: str | None = None,
) -> TrialRun:
    """Run a protocol in memory.

    Parameters
    ----------
    designs, scenarios
        Which ones; all of the protocol by default.
    replicates, seed, fit_draws, fit
        Instead of the protocol's.
    library
        Patients; those of the package by default. Not needed with `pool`.
    pool
        True courses that were simulated before, by `pool_build.pool_of`.
    progress
        Progress callback: step, done, total.

    Raises
    ------
    ConfigError
        An unknown design or scenario, or a trial without eligible patients.
    """
    protocol = adapted(protocol, replicates, seed, fit_draws, fit)
    names, scenario_names = selected_names(protocol, designs, scenarios)
    if pool is None:
        pool = pool_of(
            protocol, library, threads, progress=None if progress is None else lambda text: progress(text, 0, 0)
        )
    feasibility.refuse_nobody(protocol, pool)
    parts = shards(protocol)
    done: dict[tuple[str, str], list[TrialData]] = {(d, h): [] for d in names for h in scenario_names}
    results = computed(lambda part: conduct(protocol, pool, names, scenario_names, part), parts, threads)
    for number, part_data in enumerate(results, 1):
        for key, data in part_data.items():
            done[key].append(data)
        if progress is not None:
            progress("running the trial", number, len(parts))
    return TrialRun(protocol, {key: joined(part_data) for key, part_data in done.items()}, pool, dict(pool.facts))


def adapted(
    protocol: Protocol,
    replicates: int | None,
    seed: int | None,
    fit_draws: int | None = None,
    fit: str | None = None,
) -> Protocol:
    """Return the protocol with another number of replicates or of sets of parameters, another seed or fit.

    Raises
    ------
    ConfigError
        A number of replicates below 1, a seed below 0, more sets of parameters than replicates, a fit that is not installed, or a run
        that does not fit into memory.
    """
    numbers = {"replicates": replicates, "seed": seed, "fit_draws": fit_draws}
    changes: dict[str, Any] = {
        name: arguments.whole(name, value, 1 if name == "replicates" else 0)
        for name, value in numbers.items()
        if value is not None
    }
    if fit is not None:
        changes["fit"] = fit
    changed = protocol.model_copy(update=changes)
    if problems := check_draws(changed):
        raise ConfigError(problems)
    return bounded(changed)


def selected_names(
    protocol: Protocol, designs: Sequence[str] | None, scenarios: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Return the names that were asked for, or all of the protocol; one scenario about cells where no arm has them.

    Raises
    ------
    ConfigError
        Every design and scenario that the protocol does not have.
    """
    problems = []
    for kind, requested, available in (
        ("design", designs, list(protocol.designs)),
        ("scenario", scenarios, list(protocol.scenarios)),
    ):
        for name in () if requested is None else arguments.as_names(f"{kind}s", requested):
            if name not in available:
                problems.append(
                    not_among(available, f"unknown-{kind}", f"{protocol.name} has no {kind} {name!r}", name)
                )
    if problems:
        raise ConfigError(problems)
    names, scenario_names = (
        list(dict.fromkeys(arguments.as_names("designs", designs or ()) or protocol.designs)),
        list(dict.fromkeys(arguments.as_names("scenarios", scenarios or ()) or protocol.scenarios)),
    )
    # Without cells in any arm all scenarios give the same numbers.
    without = all(protocol.arms[arm].cells is None for name in names for arm in protocol.designs[name].arms)
    return names, scenario_names[:1] if without else scenario_names


def computed(function: Callable[[Item], Made], items: Iterable[Item], threads: int | None) -> Iterator[Made]:
    """Yield the results of a function in the order of the items, computed in threads; an interrupt drops pending items."""
    with ThreadPoolExecutor(threads or cores()) as executor:
        try:
            yield from executor.map(function, items)
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise


def conduct(
    protocol: Protocol, pool: Pool, designs: Sequence[str], scenarios: Sequence[str], part: range
) -> dict[tuple[str, str], TrialData]:
    """Return some replicates of designs under scenarios: (design, scenario) -> data."""
    draws: dict[tuple[int, ...], SharedDraws] = {}
    datasets = {}
    for design in designs:
        key = (protocol.size(design), *protocol.quotas(design))
        if key not in draws:
            draws[key] = SharedDraws(protocol, pool, design, part)
        trial_design = DrawnDesign(draws[key], design)
        for scenario in scenarios:
            datasets[design, scenario] = trial_design.data(scenario)
    return datasets
