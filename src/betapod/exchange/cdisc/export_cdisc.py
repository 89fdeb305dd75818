"""Write a simulated trial as SDTM or ADaM."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import ConfigError, Location, Problem, not_among
from ...base.files import write_text
from .cdisc_variables import STANDARDS
from .dataset_files import FORMATS, checked_formats, unfit_for_transport, write_dataset
from .define_xml import define_xml
from .simulated_study import study_of
from .study_datasets import adam_datasets, counterfactual_dataset, sdtm_datasets

if TYPE_CHECKING:
    import pandas as pd

    from ...trials.conduct.trial_run import TrialRun


@dataclass(frozen=True)
class CdiscExport:
    """What was written.

    Attributes
    ----------
    study_id
        STUDYID.
    standard
        ``adam`` or ``sdtm``.
    folder
        Where the files lie.
    files
        In the order in which they were written.
    datasets
        Name -> label, records, variables.
    """

    study_id: str
    standard: str
    folder: Path
    files: tuple[Path, ...]
    datasets: dict[str, tuple[str, int, int]] = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row per data set: name, label, records, variables."""
        import pandas as pd

        rows = [(name, *about) for name, about in self.datasets.items()]
        return pd.DataFrame(rows, columns=["dataset", "label", "records", "variables"])


def export_cdisc(
    run: TrialRun | str | Path,
    folder: str | Path,
    standard: str = "adam",
    formats: str | tuple[str, ...] | list[str] = ("xpt",),
    design: str | None = None,
    scenario: str | None = None,
    replicate: int = 0,
    start: datetime.date | str | None = None,
    counterfactual: bool = False,
) -> CdiscExport:
    """Write one trial of a run as data sets of CDISC, with define.xml.

    Parameters
    ----------
    run
        Of `run_trial`, or a run folder.
    folder
        Where the files go; made where it is not there.
    standard
        ``adam`` or ``sdtm``.
    formats
        ``xpt`` (SAS transport 5), ``dataset-json`` (1.1), ``dataset-ndjson``, ``parquet``; several as a list, or as a text with commas.
    design, scenario
        The first of the run by default.
    replicate
        From 0.
    start
        Calendar day of enrolment, of everybody; 1 January of the protocol's year, else of 2013, by default.
    counterfactual
        Whether the true values and those without cells are written too, as a data set of their own (SIMTRUTH).

    Returns
    -------
    CdiscExport
        STUDYID, the files, and a table of the data sets.

    Raises
    ------
    ConfigError
        An unknown standard, format, design, scenario or replicate, no date, a run that is not complete, or a folder that cannot be
        written to.
    MissingExtraError
        SAS transport without pyreadstat.

    Examples
    --------
    >>> import betapod, tempfile
    >>> run = betapod.run_trial("dn61", designs=["single arm"], scenarios=["none"], replicates=4)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = betapod.export_cdisc(run, folder, formats="parquet")
    >>> written.study_id
    'SIM-DN61-D1S1R0'
    """
    problems = []
    if standard not in STANDARDS:
        problems.append(not_among(STANDARDS, "unknown-standard", f"there is no standard {standard!r}", standard))
    kinds: tuple[str, ...] = ()
    try:
        kinds = checked_formats(formats)
    except ConfigError as error:
        problems += error.problems
    day: datetime.date | None = None
    try:
        day = datetime.date.fromisoformat(start) if isinstance(start, str) else start
    except ValueError:
        problems.append(
            Problem("bad-date", "the day of enrolment is no date", found=str(start), expected="such as 2025-01-31")
        )
    if problems:
        raise ConfigError(problems)
    study = study_of(_opened(run), design, scenario, replicate, day)
    datasets = adam_datasets(study) if standard == "adam" else sdtm_datasets(study)
    if "xpt" in kinds and (unfit := [problem for dataset in datasets for problem in unfit_for_transport(dataset)]):
        raise ConfigError(unfit)
    target = _folder(folder)
    created = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    beside = [counterfactual_dataset(study)] if counterfactual else []
    written = [
        write_dataset(dataset, target, kind, created, study.study_id)
        for dataset in (*datasets, *beside)
        for kind in kinds
    ]
    text = define_xml(study, standard, datasets, created, FORMATS[kinds[0]])
    written.append(write_text(target / "define.xml", text))
    about = {item.name: (item.label, len(item.frame), item.frame.shape[1]) for item in (*datasets, *beside)}
    return CdiscExport(study.study_id, standard, target, tuple(written), about)


def _opened(run: TrialRun | str | Path) -> Any:
    from ...trials.run_folder import open_trial_run

    return open_trial_run(run) if isinstance(run, str | Path) else run


def _folder(folder: str | Path) -> Path:
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(Problem("no-folder", f"the folder cannot be made: {reason}", Location(str(target)))) from None
    return target
