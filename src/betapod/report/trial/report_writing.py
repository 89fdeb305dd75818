"""From a run of a trial to its report: larger trials for power, mechanisms switched off, real people beside virtual ones."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...base import cache
from ...base.errors import ConfigError
from ...patients.library_identity import library_digest
from .sections import ReportSupplement

if TYPE_CHECKING:
    from ...patients.library import Library
    from ...trials.conduct.trial_run import TrialRun
    from ...trials.operating.attribution import Attribution
    from ...trials.operating.result_tables import Assessment

Progress = Callable[[str, int, int], None]

#: Patients and replicates of the larger trials from which power is read.
LARGER_PATIENTS, LARGER_REPLICATES = 600, 120
#: People in whom mechanisms are switched off.
PEOPLE = 24


@dataclass(frozen=True)
class WrittenReport:
    """A report that was written.

    Attributes
    ----------
    files
        The page first.
    seconds
        Name of a step -> how long it took.
    """

    assessment: Assessment
    extra: ReportSupplement
    files: list[Path]
    seconds: dict[str, float]


def make(
    run: TrialRun,
    folder: Path,
    command: Sequence[str] = (),
    progress: Progress | None = None,
    quick: bool = False,
    threads: int | None = None,
    library: Library | None = None,
) -> WrittenReport:
    """Assess a run and write its report.

    Parameters
    ----------
    quick
        Leave out larger trials, mechanisms and real people: only what the run itself says.
    library
        The patients that the run was made from; those of the package by default.

    Raises
    ------
    ConfigError
        The folder cannot be written to.
    """
    from ...trials.operating.result_tables import assess
    from .trial_report import provenance_of, write_trial_report

    def tell(step: str, done: int = 0, total: int = 0) -> None:
        if progress is not None:
            progress(step, done, total)

    seconds: dict[str, float] = {}

    def timed(name: str, began: float) -> None:
        seconds[name] = time.perf_counter() - began

    name = _name(run, quick, library)
    numbers = _kept(name)
    if numbers is None:
        began = time.perf_counter()
        tell("larger trials")
        bigger = {} if quick else larger(run, threads)
        timed("larger trials", began)
        began = time.perf_counter()
        assessment = assess(run, bigger, progress=lambda step, done, total: tell("assessing", done, total))
        timed("assessing", began)
        extra = ReportSupplement()
        if not quick:
            began = time.perf_counter()
            extra = _extra(run, library, threads, tell)
            timed("mechanisms and real people", began)
        numbers = assessment, extra
        if name:
            cache.write_entry(name, pickle.dumps(numbers))
    assessment, extra = numbers
    began = time.perf_counter()
    tell("drawing")
    files = write_trial_report(assessment, extra, folder, provenance_of(run.protocol, run.facts, command))
    timed("drawing and writing", began)
    return WrittenReport(assessment, extra, files, seconds)


def _name(run: TrialRun, quick: bool, library: Library | None) -> str:
    """Return under which name the numbers of a report are kept; empty where the run is in no folder."""
    if not run.digest:
        return ""
    people = "" if library is None else library_digest(library)
    return f"reports/{cache.key(__name__, run.digest, quick, people)}.pickle"


def _kept(name: str) -> tuple[Assessment, ReportSupplement] | None:
    """Return the numbers of a report that were kept by this very program, in a cache that nobody else may write into."""
    content = cache.read_entry(name) if name else None
    if content is None:
        return None
    assessment, extra = pickle.loads(content)
    return assessment, extra


def larger(run: TrialRun, threads: int | None = None) -> dict[str, TrialRun]:
    """Return runs of the first controlled design with more patients, measured as written and better."""
    from ...trials.conduct import conduct
    from ...trials.operating.result_tables import as_run
    from ...trials.operating.sizing import AS_WRITTEN, BETTER_MEASURED, enlarged

    runs = {}
    for name, samples in ((AS_WRITTEN, 1), (BETTER_MEASURED, 3)):
        protocol = enlarged(as_run(run), LARGER_PATIENTS, LARGER_REPLICATES, samples)
        if protocol is not None:
            runs[name] = conduct.conduct_trial(protocol, scenarios=run.scenarios, pool=run.pool, threads=threads)
    return runs


def _extra(
    run: TrialRun, library: Library | None, threads: int | None, tell: Callable[[str], None]
) -> ReportSupplement:
    from ...patients.library import default
    from .real_people import match

    library = default() if library is None else library
    tell("real people")
    matched = match(library, _cohort(run))
    return ReportSupplement(attributions(run, library, threads, tell), matched.table, matched.cohort, matched.sentences)


def _cohort(run: TrialRun) -> str:
    """Return the protocol's cohort where it has distributions to compare with, else NHANES."""
    from ...patients.cohorts import cohort_catalogue

    name = run.protocol.population.cohort
    try:
        return name if name and cohort_catalogue.load_target(name).distributions else "NHANES"
    except ConfigError:
        # The file of the cohort is no longer where it was when the trial was run.
        return "NHANES"


def attributions(
    run: TrialRun, library: Library, threads: int | None = None, tell: Callable[[str], None] | None = None
) -> list[Attribution]:
    """Return the shares of mechanisms under every scenario with an effect, in the arm with cells and least besides."""
    from ...trials.operating.attribution import attribute
    from ...trials.operating.result_tables import as_run
    from ...trials.operating.sizing import NULL

    arms = [name for name, arm in as_run(run).arms.items() if arm.cells is not None]
    if not arms:
        return []
    arm = min(arms, key=lambda name: len(run.protocol.arms[name].therapies))
    supposed = [name for name in run.scenarios if name != NULL]
    return [attribute(run.protocol, arm, name, PEOPLE, library, threads, tell) for name in supposed]
