"""The demonstration: 61 patients with diabetic nephropathy, in three designs, from virtual patients to the finished report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .report_writing import WrittenReport, make

PROTOCOL = "dn61"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration made.

    Attributes
    ----------
    trial_patients
        Patients in all simulated trials.
    seconds
        Name of a step -> how long it took.
    """

    report: WrittenReport
    trial_patients: int
    seconds: dict[str, float]

    @property
    def page(self) -> Path:
        """The report."""
        return self.report.files[0]


def run_demo(
    folder: Path,
    replicates: int | None = None,
    progress: Progress | None = None,
    command: Sequence[str] = (),
    quick: bool = False,
) -> Demonstration:
    """Run the trial into ``folder/run`` and write its report into `folder`.

    Parameters
    ----------
    replicates
        Instead of the protocol's.

    Raises
    ------
    ConfigError
        The folder holds another run, or cannot be written to.
    """
    from ...base.errors import ConfigError, Location, Problem
    from ...trials import run_folder as store

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(Problem("cannot-write", f"cannot make the folder: {reason}", Location(str(folder)))) from None
    began = time.perf_counter()
    plan = store.trial_plan(PROTOCOL, replicates=replicates)
    datasets = store.run_into(folder / "run", plan, None, None, progress, ["betapod", *command])
    patients = sum(data.replicates * data.patients for data in datasets.values())
    seconds = {"simulating people and trials": time.perf_counter() - began}
    report = make(datasets, folder, command, progress, quick)
    return Demonstration(report, patients, seconds | report.seconds)
