"""Protocols by name, trials from protocol to report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import ConfigError, Location, Problem

if TYPE_CHECKING:
    import pandas as pd

    from ..patients.library import Library
    from ..trials.conduct.trial_run import TrialRun
    from ..trials.operating.size_search import SizedTrial
    from ..trials.protocol.protocol import Protocol

Progress = Callable[[str, int, int], None]


def list_protocols() -> pd.DataFrame:
    """Return the protocols that can be named.

    Protocols of installed packages (entry points of the group ``betapod.protocols``) are among them.

    Returns
    -------
    pandas.DataFrame
        One row per protocol: ``name``, ``title``, ``arms``, ``patients`` (of the first design), ``days`` (of follow-up).

    Examples
    --------
    >>> import betapod
    >>> protocols = betapod.list_protocols().set_index("name")
    >>> int(protocols.loc["dn61", "patients"])
    61
    """
    import pandas as pd

    from ..trials.protocol.protocol_files import find_protocol as load
    from ..trials.protocol.protocol_files import protocol_catalogue

    protocols = [(name, load(path)) for name, path in protocol_catalogue().items()]
    rows = [(n, p.title, ", ".join(p.arms), p.size(next(iter(p.designs))), p.days[-1]) for n, p in protocols]
    return pd.DataFrame(rows, columns=["name", "title", "arms", "patients", "days"])


def load_protocol(protocol: str | Path) -> Protocol:
    """Return the protocol of a trial.

    Parameters
    ----------
    protocol
        One of `list_protocols`, or a YAML file.

    Returns
    -------
    Protocol
        Checked in every key.

    Raises
    ------
    ConfigError
        There is no such protocol, or everything that is wrong in it, with line and column.

    Examples
    --------
    >>> import betapod
    >>> protocol = betapod.load_protocol("dn61")
    >>> list(protocol.arms)
    ['cells', 'conventional', 'both']
    """
    from ..trials.protocol.protocol_files import find_protocol as load

    return load(protocol)


def run_trial(
    protocol: str | Path | Protocol,
    folder: str | Path | None = None,
    *,
    designs: Sequence[str] | None = None,
    scenarios: Sequence[str] | None = None,
    replicates: int | None = None,
    seed: int | None = None,
    fit_draws: int | None = None,
    fit: str | None = None,
    library: Library | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> TrialRun:
    """Run a trial on virtual patients.

    Parameters
    ----------
    protocol
        A name of `list_protocols`, a YAML file, or a protocol.
    folder
        Run folder that keeps the trial; in one that holds the same trial, what is missing is computed. In memory by default.
    designs, scenarios
        Which ones; all of the protocol by default.
    replicates, seed
        Instead of the protocol's: how often the trial is simulated, and the seed of the random numbers.
    fit_draws, fit
        Instead of the protocol's: sets of parameters, each of which has replicates of its own, and the installed fit that they are drawn
        from (the newest by default); what cells do is drawn besides. With the fit ``none`` nothing but cells is drawn, and the values are
        those that the tables had before the fit that they have.
    library
        Virtual patients; the package's library by default.
    threads
        Processor cores; all by default.
    progress
        Called with what is being done, how much is done, and how much there is.

    Returns
    -------
    TrialRun
        ``run[design, scenario]`` has every measurement of all replicates; ``run.table`` and ``run.comparisons`` the primary endpoint.

    Raises
    ------
    ConfigError
        Everything wrong with the protocol, an unknown design or scenario, a folder that holds something else, or a trial for which
        nobody can be found.
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import betapod
    >>> run = betapod.run_trial("dn61", designs=["single arm"], scenarios=["none"], replicates=4)
    >>> run.table[["arm", "scenario", "patients"]].values.tolist()
    [['cells', 'none', 61.0]]
    """
    from ..base.arguments import whole
    from ..trials.conduct import conduct
    from ..trials.protocol.protocol import Protocol
    from ..trials.protocol.protocol_files import find_protocol as load

    if threads is not None:
        threads = whole("threads", threads, 1)
    if folder is None:
        trial_protocol = protocol if isinstance(protocol, Protocol) else load(protocol)
        return conduct.conduct_trial(
            trial_protocol, designs, scenarios, replicates, seed, library, None, threads, progress, fit_draws, fit
        )
    from ..trials import run_folder as store

    if isinstance(protocol, Protocol):
        message = "a trial in a folder is run from the text of its protocol"
        raise ConfigError(Problem("no-text", message, Location("protocol"), "a Protocol", "a name or a YAML file"))
    plan = store.trial_plan(protocol, designs, scenarios, replicates, seed, fit_draws, fit)
    return store.run_into(folder, plan, library, threads, progress)


def size_trial(
    protocol: str | Path | Protocol,
    power: float = 0.9,
    *,
    design: str | None = None,
    scenario: str | None = None,
    margin: float = 0.02,
    seed: int | None = None,
    library: Library | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SizedTrial:
    """Return how many patients a trial needs for a power, by its own analysis, allocation, drop-out and looks.

    About each size that is tried a sequential probability ratio test decides with how many simulated trials.

    Parameters
    ----------
    protocol
        A name of `list_protocols`, a YAML file, or a protocol.
    power
        Wanted share of trials that show what is to be shown.
    design, scenario
        The first design with a control, and the last scenario of the protocol, by default.
    margin
        By how much the power may miss the one wanted.
    seed
        Of the random numbers; the protocol's own by default.
    library
        Virtual patients; the package's library by default.
    threads
        Processor cores; all by default.
    progress
        Called with what is being done, how much is done, and how much there is.

    Returns
    -------
    SizedTrial
        ``patients`` of all arms, ``arms``, the ``power`` simulated with them, and every size that was tried as ``table``.

    Raises
    ------
    ConfigError
        Everything wrong with the protocol, a design without control or one that adapts its own size, a power or margin that is none, or
        a trial for which nobody can be found.

    Examples
    --------
    >>> import betapod
    >>> sized = betapod.size_trial("nephstrom", power=0.8)
    >>> sized.patients, sized.arms
    (8, {'cells': 6, 'placebo': 2})
    """
    from ..base.arguments import number, whole
    from ..trials.operating.size_search import needed_size
    from ..trials.protocol.protocol import Protocol
    from ..trials.protocol.protocol_files import find_protocol as load

    asked = protocol if isinstance(protocol, Protocol) else load(protocol)
    power, margin = number("power", power), number("margin", margin)
    if threads is not None:
        threads = whole("threads", threads, 1)
    return needed_size(asked, power, design, scenario, margin, seed, library, threads=threads, progress=progress)


def open_trial(folder: str | Path) -> TrialRun:
    """Return the complete trial that a run folder keeps.

    Parameters
    ----------
    folder
        As `run_trial` or ``betapod run`` wrote it.

    Returns
    -------
    TrialRun
        As `run_trial` returned it.

    Raises
    ------
    ConfigError
        The folder holds no trial, or an incomplete or damaged one.

    Examples
    --------
    >>> import betapod, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = betapod.run_trial("dn61", folder, designs=["single arm"], scenarios=["none"], replicates=4)
    ...     kept = betapod.open_trial(folder)
    >>> bool((kept.table["change"] == made.table["change"]).all())
    True
    """
    from ..trials.run_folder import open_trial_run

    return open_trial_run(folder)


def write_report(
    run: TrialRun,
    folder: str | Path,
    *,
    quick: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write the report of a trial: a page that needs nothing else, and its tables as CSV and Parquet.

    Files of an earlier report in the folder are replaced.

    Parameters
    ----------
    run
        Of `run_trial` or `open_trial`.
    folder
        Where to write; it is made if it is not there.
    quick
        Leave out larger trials, mechanisms and the comparison with real people.
    threads
        Processor cores; all by default.
    progress
        Called with what is being done, how much is done, and how much there is.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    ConfigError
        The folder cannot be written to.

    Examples
    --------
    >>> import betapod, tempfile
    >>> run = betapod.run_trial("dn61", designs=["single arm"], replicates=4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = betapod.write_report(run, folder, quick=True)
    ...     page.suffix
    '.html'
    """
    from ..base.arguments import instance, path
    from ..report.trial.report_writing import make
    from ..trials.conduct.trial_run import TrialRun

    instance("run", run, TrialRun, "a TrialRun; open_trial(folder) opens the one of a run folder")
    path("folder", folder)
    return make(run, Path(folder), (), progress, quick, threads).files[0]
