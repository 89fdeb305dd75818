"""Predictions of every record that the model can simulate, under several scenarios; resumable."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from ...base import cache
from ...base.cores import cores
from ...base.display import Displayed
from ...evidence.records.study import Record
from ...patients.lived_again import library_again
from ...therapies.scenarios import COMPARED
from .campaign_work import WORTH_PROCESSES, StudyTask, work_on
from .fit_conditions import FitDraws, without_fit
from .prediction import Prediction
from .studies import own_baselines, sort
from .study_courses import Condition
from .study_tables import NO_TABLES, StudyTables, using_tables
from .uses import use_of

if TYPE_CHECKING:
    import pandas as pd

_FORMAT = 1


@dataclass(frozen=True, repr=False)
class Confrontation(Displayed):
    """Predictions and refusals.

    Attributes
    ----------
    predictions
        Scenario -> one prediction per row.
    refused
        Rows that cannot be simulated, with the reason.

    Examples
    --------
    >>> import betapod
    >>> records = betapod.load_evidence().select(study="NEPHSTROM2023")
    >>> found = betapod.confront(records, ["none"], patients=10, threads=1)
    >>> list(found.predictions)
    ['none']
    """

    predictions: dict[str, list[Prediction]]
    refused: list[tuple[Record, str]]

    @property
    def table(self) -> pd.DataFrame:
        """One row for each prediction, the scenario in ``scenario``, in ``use`` whether parameters were fitted to it (see `uses`)."""
        import pandas as pd

        rows = [
            {"scenario": name, **asdict(p), "use": use_of(p.record, p.study, p.family)}
            for name, predictions in self.predictions.items()
            for p in predictions
        ]
        columns = ["scenario", *Prediction.__dataclass_fields__, "use"]
        return pd.DataFrame(rows, columns=columns)

    def counts(self, by: str = "family") -> pd.DataFrame:
        """Return rows, rows inside the 90 % interval, and the root mean square of z, by scenario and a column.

        Parameters
        ----------
        by
            ``family``, ``endpoint``, ``study``, ``use`` or ``""`` for all together.

        Returns
        -------
        pandas.DataFrame
            Columns ``scenario``, the column `by`, ``rows``, ``inside``, ``rms``.

        Raises
        ------
        KeyError
            There is no such column.

        Examples
        --------
        >>> import betapod
        >>> records = betapod.load_evidence().select(study="NEPHSTROM2023")
        >>> found = betapod.confront(records, ["none"], patients=10, threads=1)
        >>> int(found.counts("study")["rows"].sum())
        2
        """
        table = self.table
        keys = ["scenario", by] if by else ["scenario"]
        grouped = table.assign(square=table["z"] ** 2).groupby(keys, sort=False)
        summary = grouped.agg(rows=("record", "size"), inside=("inside", "sum"), rms=("square", "mean"))
        summary["rms"] **= 0.5
        return summary.reset_index()

    def worst(self, scenario: str, count: int = 10) -> list[Prediction]:
        """Return the predictions farthest from what was observed, in units of their error.

        Parameters
        ----------
        scenario
            One of those that were predicted.
        count
            How many at most.

        Returns
        -------
        list of Prediction
            The farthest first; ``z`` is the distance in SDs.

        Raises
        ------
        KeyError
            The scenario was not predicted.

        Examples
        --------
        >>> import betapod
        >>> records = betapod.load_evidence().select(study="NEPHSTROM2023")
        >>> found = betapod.confront(records, ["none"], patients=10, threads=1)
        >>> [each.record for each in found.worst("none")] == [each.record for each in found.predictions["none"]]
        True
        """
        return sorted(self.predictions[scenario], key=lambda prediction: -abs(prediction.z))[:count]

    def refusals(self) -> pd.DataFrame:
        """Return one row for each row that cannot be simulated: record, study, arm, endpoint, reason.

        Returns
        -------
        pandas.DataFrame
            Also ``weeks``; empty where everything can be simulated.

        Examples
        --------
        >>> import betapod
        >>> records = betapod.load_evidence().select(study="NEPHSTROM2023")
        >>> found = betapod.confront(records, ["none"], patients=10, threads=1)
        >>> "reason" in found.refusals()
        True
        """
        import pandas as pd

        rows = [(r.id, r.study, r.arm, r.endpoint_text, r.weeks, why) for r, why in self.refused]
        return pd.DataFrame(rows, columns=["record", "study", "arm", "endpoint", "weeks", "reason"])


def confront_records(
    records: Iterable[Record],
    scenarios: Sequence[str] = COMPARED,
    count: int = 60,
    seed: int = 1,
    threads: int | None = None,
    folder: Path | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    draws: int = 8,
    tables: StudyTables = NO_TABLES,
    fit: FitDraws | None = None,
    before_fit: bool = False,
) -> Confrontation:
    """Confront rows with the model under named scenarios.

    Every study under every scenario is kept as it is finished; what is there already is not computed again, as long as
    program, patients, rows and options are the same.

    Parameters
    ----------
    draws
        Sets of parameters behind the error of the parameters, see `row_predictions.predict`.
    folder
        Where results are kept; the cache by default.
    progress
        Told which study is done under which scenario, how many of these are done, and of how many.
    threads
        Processor cores to use; all unless given. Many studies are done side by side in processes of their own.
    tables
        Arms, cohorts and events of a user's own, see `own_study_tables.read_study_tables`.
    fit
        Draws of a fit of the body behind the error of the parameters, besides those of cells.
    before_fit
        Whether to predict under the values that the tables had before the fit that they have.

    Raises
    ------
    SolverError
        A study could not be simulated, or a process was ended; what is finished is kept.
    """
    selected = list(records)
    conditions = [without_fit(Condition(name)) if before_fit else Condition(name) for name in scenarios]
    own_starts = own_baselines(selected)
    with using_tables(tables):
        can, cannot = sort(selected)
    studies: dict[str, list[Record]] = {}
    for record in can:
        studies.setdefault(record.study, []).append(record)
    path = {
        (
            study,
            condition.scenario,
        ): f"confront/{_key(of_study, own_starts.get(study, ()), condition, count, seed, draws, tables, fit)}.json"
        for study, of_study in studies.items()
        for condition in conditions
    }
    stored = {pair: _read(file, folder) for pair, file in path.items()}
    todo: dict[str, StudyTask] = {}
    for study, of_study in studies.items():
        missing = tuple(condition for condition in conditions if stored[study, condition.scenario] is None)
        if missing:
            todo[study] = StudyTask(
                study, tuple(of_study), missing, count, seed, draws, own_starts.get(study, ()), tables, fit
            )
    if before_fit and len(todo) >= WORTH_PROCESSES:
        # Everybody lives again here, once: processes find them in the cache.
        library_again(conditions[0].life_change)
    jobs = sum(len(task.conditions) for task in todo.values())
    worked = work_on(list(todo.values()), threads or cores())
    for done, (study, name, predictions) in enumerate(worked, start=1):
        _write(path[study, name], predictions, folder)
        stored[study, name] = predictions
        if progress is not None:
            progress(f"{study}, {name}", done, jobs)
    by_scenario = {
        name: [prediction for study in studies for prediction in stored[study, name] or ()] for name in scenarios
    }
    return Confrontation(by_scenario, cannot)


def _key(
    records: Sequence[Record],
    among: Sequence[Record],
    condition: Condition,
    count: int,
    seed: int,
    draws: int,
    tables: StudyTables,
    fit: FitDraws | None,
) -> str:
    rows = [[_content(record) for record in some] for some in (records, among)]
    return cache.key(
        __name__,
        _FORMAT,
        rows,
        asdict(condition),
        count,
        seed,
        draws,
        tables.digest_for(records[0].study),
        fit and asdict(fit),
    )


def _content(record: Record) -> dict[str, object]:
    """Return everything that a row says; where it stands does not matter."""
    return {name: value for name, value in asdict(record).items() if name != "location"}


def _read(name: str, folder: Path | None) -> list[Prediction] | None:
    """Return what is kept under a name, or None if that is nothing or cannot be used."""
    kept = cache.read_entry(name, folder)
    try:
        return None if kept is None else TypeAdapter(list[Prediction]).validate_json(kept)
    except ValueError:
        return None


def _write(name: str, predictions: Sequence[Prediction], folder: Path | None) -> None:
    # A cache that cannot be written costs time on the next run, and is no error.
    cache.write_entry(name, json.dumps([asdict(prediction) for prediction in predictions]).encode(), folder)
