"""Run folder of a trial: protocol, pool and all measurements; an interrupted run can be resumed.

::

    manifest.json                  protocol, seed, hash of the pool, versions
    protocol.yaml                  as it was run
    pool.npz                       true courses of the virtual people
    dictionary.csv                 every column: label, unit
    visits/part-00000.parquet      one row per design, scenario, replicate, patient and visit
    patients/part-00000.parquet    one row per design, scenario, replicate and patient
    receipts/00000.json            written last
    summary.json                   when the run is complete
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.atomic import write_atomic, writing
from ..base.cache import program
from ..base.config import parse_yaml
from ..base.errors import ConfigError, Location, Problem
from ..engine.runs import manifest
from ..engine.runs.store import Store
from .conduct import conduct as trial
from .conduct import drawn_design
from .conduct.feasibility import refuse_nobody
from .conduct.patient_pool import Pool
from .conduct.pool_build import pool_of
from .conduct.replicate_parameters import NO_FIT, fit_of
from .conduct.trial_data import TrialData
from .conduct.trial_run import TrialRun
from .protocol.cohort_paths import resolved
from .protocol.protocol import Protocol
from .protocol.protocol_files import protocol_document, read_protocol
from .run_tables import TrialTables, read_tables, trial_dictionary, write_tables

if TYPE_CHECKING:
    from ..patients.library import Library

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class TrialPlan:
    """Contents of a complete run folder."""

    text: str
    protocol: Protocol
    designs: list[str]
    scenarios: list[str]

    @property
    def _differs(self) -> bool:
        return self.protocol.fit_draws > 0 or self.protocol.fit == NO_FIT

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that determines the numbers, except the pool."""
        return {
            "kind": "trial",
            "protocol": self.text,
            "seed": self.protocol.seed,
            "replicates": self.protocol.replicates,
            "designs": self.designs,
            "scenarios": self.scenarios,
            # Runs under the parameters of the tables are told by nothing, as they always were.
            **({"fit_draws": self.protocol.fit_draws, "fit": fit_of(self.protocol)} if self._differs else {}),
            "patients": len(drawn_design.shards(self.protocol)),
            "shard_size": 1,
            # Parts that another version computed are not to be mixed with those of this one.
            "program": program(trial.__name__),
        }


def trial_plan(
    name: str | Path,
    designs: Sequence[str] | None = None,
    scenarios: Sequence[str] | None = None,
    replicates: int | None = None,
    seed: int | None = None,
    fit_draws: int | None = None,
    fit: str | None = None,
) -> TrialPlan:
    """Return the plan of a run: protocol text, protocol, designs, scenarios.

    Raises
    ------
    ConfigError
        Everything wrong with the protocol, or unknown designs and scenarios.
    """
    document = protocol_document(name)
    protocol = trial.adapted(resolved(read_protocol(document), document), replicates, seed, fit_draws, fit)
    return TrialPlan(document.text, protocol, *trial.selected_names(protocol, designs, scenarios))


def run_into(
    folder: str | Path,
    trial_plan: TrialPlan,
    library: Library | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    command: Sequence[str] = (),
) -> TrialRun:
    """Run a protocol into a folder; in one that holds the same run, compute what is missing.

    Raises
    ------
    ConfigError
        The folder holds something else.
    StoreError
        It cannot be written.
    """
    folder = Path(folder)
    tell = (lambda text: progress(text, 0, 0)) if progress is not None else None
    # All that can be said of the folder is said before the pool is simulated.
    Store.check(folder)
    _same_run(folder, trial_plan.identity)
    pool = _kept_pool(folder) or pool_of(trial_plan.protocol, library, threads, progress=tell)
    refuse_nobody(trial_plan.protocol, pool)
    content = pool.to_bytes()
    identity = {**trial_plan.identity, "pool": hashlib.sha256(content).hexdigest()}
    store = Store.create(
        folder, {"identity": identity, "origin": _origin(command)}, trial_dictionary(trial_plan.protocol)
    )
    _same_run(folder, identity)
    store.clean()
    for name, kept in (("pool.npz", content), ("protocol.yaml", trial_plan.text.encode())):
        with writing(folder):
            write_atomic(folder / name, kept)
    data = _compute(store, trial_plan, pool, threads, progress)
    run = TrialRun(trial_plan.protocol, data, pool, dict(pool.facts), _digest(store))
    store.write_json("summary.json", run.summary)
    return run


def _same_run(folder: Path, identity: Mapping[str, Any]) -> None:
    """Check that a folder, if it holds a run, holds this one."""
    if not (folder / "manifest.json").exists():
        return
    stored = Store.open(folder).manifest["identity"]
    differs = [name for name, value in identity.items() if stored.get(name) != value]
    if differs == ["program"]:
        message = "the folder was begun by another version of betapod, which may compute other numbers"
        hint = "A complete run can still be reported. Continue this one with that version, or begin another folder."
        raise ConfigError(Problem("other-run", message, Location(str(folder)), hint=hint))
    if differs:
        raise ConfigError(
            Problem(
                "other-run",
                "the folder holds another run",
                Location(str(folder)),
                found="different " + ", ".join(differs),
                hint="Choose another folder.",
            )
        )


def resume(folder: str | Path, threads: int | None = None, progress: Progress | None = None) -> TrialRun:
    """Complete the run in a folder.

    Raises
    ------
    ConfigError
        The folder holds no trial, or its pool can no longer be made.
    """
    return run_into(folder, _plan_of(Store.open(folder)), None, threads, progress)


def open_trial_run(folder: str | Path, at_once: bool = True) -> TrialRun:
    """Return the complete run in a folder.

    Parameters
    ----------
    at_once
        Read all tables now, so that the folder may go; otherwise when the first number of them is asked for.

    Raises
    ------
    ConfigError
        The folder holds no trial, or an incomplete or damaged one.
    """
    store = Store.open(folder)
    trial_plan = _plan_of(store)
    pool = _kept_pool(store.folder)
    intact, damaged = store.survey()
    missing = store.shards - len(intact)
    if pool is None or missing:
        state = (
            "no pool" if pool is None else f"{missing} of {store.shards} parts missing, {len(damaged)} of them damaged"
        )
        hint = f"Complete it with: {shlex.join(['betapod', 'resume', str(folder)])}"
        raise ConfigError(Problem("incomplete-run", "the run is not complete", Location(str(folder)), state, hint=hint))
    parts, known_pool = drawn_design.shards(trial_plan.protocol), pool

    def read() -> dict[tuple[str, str], TrialData]:
        tables = [read_tables(store, trial_plan, known_pool, shard, part) for shard, part in enumerate(parts)]
        return _joined(trial_plan, tables)

    data = read() if at_once else TrialTables(_keys(trial_plan), read)
    return TrialRun(trial_plan.protocol, data, pool, dict(pool.facts), _digest(store))


def _digest(store: Store) -> str:
    """Return a digest of all that determines the numbers of a run: protocol, seed, program, pool."""
    return hashlib.sha256(json.dumps(store.manifest["identity"], sort_keys=True).encode()).hexdigest()


def is_trial(folder: str | Path) -> bool:
    """Whether a folder holds a trial, complete or not.

    Raises
    ------
    ConfigError
        Its manifest cannot be used.
    """
    if not (Path(folder) / "manifest.json").exists():
        return False
    return bool(Store.open(folder).manifest["identity"].get("kind") == "trial")


def _plan_of(store: Store) -> TrialPlan:
    identity = store.manifest["identity"]
    if identity.get("kind") != "trial":
        hint = "Runs of ensembles are continued with: betapod ensemble resume"
        raise ConfigError(Problem("no-trial", "the folder holds no trial", Location(str(store.folder)), hint=hint))
    path = store.folder / "manifest.json"
    manifest.check_fields(store.manifest, manifest.Trial, path)
    protocol = read_protocol(parse_yaml(identity["protocol"], str(store.folder / "protocol.yaml")))
    # Without a fit at the time of the run, none is drawn from now.
    fit = (identity.get("fit") or NO_FIT) if "fit_draws" in identity else None
    protocol = trial.adapted(
        protocol, identity["replicates"], identity["seed"], identity.get("fit_draws", protocol.fit_draws), fit
    )
    manifest.check_names_present(identity["designs"], list(protocol.designs), "designs", path)
    manifest.check_names_present(identity["scenarios"], list(protocol.scenarios), "scenarios", path)
    trial_plan = TrialPlan(identity["protocol"], protocol, list(identity["designs"]), list(identity["scenarios"]))
    for name in ("patients", "shard_size"):
        if identity[name] != trial_plan.identity[name]:
            message = f"identity.{name} does not fit the protocol"
            stored, expected = str(identity[name]), str(trial_plan.identity[name])
            raise ConfigError(Problem("bad-manifest", message, Location(str(path)), stored, expected))
    return trial_plan


def _kept_pool(folder: Path) -> Pool | None:
    """Return the pool of a folder if it is the one that its manifest names."""
    try:
        data = (folder / "pool.npz").read_bytes()
        expected = Store.open(folder).manifest["identity"]["pool"]
    except (OSError, ConfigError, KeyError):
        return None
    try:
        return Pool.from_bytes(data) if hashlib.sha256(data).hexdigest() == expected else None
    except ValueError:
        return None


def _origin(command: Sequence[str]) -> dict[str, Any]:
    from .. import __version__

    return {"betapod": __version__, "numpy": np.__version__, "command": list(command)}


def _compute(
    store: Store, trial_plan: TrialPlan, pool: Pool, threads: int | None, progress: Progress | None
) -> dict[tuple[str, str], TrialData]:
    parts = drawn_design.shards(trial_plan.protocol)
    intact, _ = store.survey()

    def make(shard: int) -> dict[tuple[str, str], TrialData]:
        if shard in intact:
            return read_tables(store, trial_plan, pool, shard, parts[shard])
        datasets = trial.conduct(trial_plan.protocol, pool, trial_plan.designs, trial_plan.scenarios, parts[shard])
        store.accept(write_tables(store, trial_plan, shard, parts[shard], datasets))
        return datasets

    results = []
    for number, data in enumerate(trial.computed(make, range(len(parts)), threads), 1):
        results.append(data)
        if progress is not None:
            progress("running the trial", number, len(parts))
    return _joined(trial_plan, results)


def _joined(
    trial_plan: TrialPlan, parts: Sequence[Mapping[tuple[str, str], TrialData]]
) -> dict[tuple[str, str], TrialData]:
    return {key: drawn_design.joined([part[key] for part in parts]) for key in _keys(trial_plan)}


def _keys(trial_plan: TrialPlan) -> list[tuple[str, str]]:
    return [(design, scenario) for design in trial_plan.designs for scenario in trial_plan.scenarios]
