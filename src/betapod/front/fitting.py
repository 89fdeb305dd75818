"""Fit a model of one's own to measurements of one's own people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from ..calibration.individual.individual_fit import IndividualFit

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class OwnFit:
    """What a fit found, as tables.

    Attributes
    ----------
    people
        A row for each person and parameter: estimate, standard error, interval, whether the data tell it.
    group
        A row for each parameter: median, spread of people, the fit to all of them together.
    correlations
        A row for each pair of parameters.
    measurements
        Every measurement with its prediction and its residual in SDs.
    checks
        Of the residuals.
    warnings
        What a reader must know.
    fit
        Everything on the scale of the search, covariances among it.
    """

    people: pd.DataFrame
    group: pd.DataFrame
    correlations: pd.DataFrame
    measurements: pd.DataFrame
    checks: pd.DataFrame
    warnings: tuple[str, ...]
    fit: IndividualFit = field(repr=False)


def fit_own_data(
    problem: str | PathLike[str],
    folder: str | PathLike[str] | None = None,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> OwnFit:
    r"""Fit a model to measurements of people: each person by least squares, then the group by two stages.

    Parameters
    ----------
    problem
        Problem file (YAML) of the kind ``individual``; ``betapod fit new`` writes one to begin with.
    folder
        Where tables are written; nowhere by default.
    threads
        Processor cores; all by default.
    progress
        Called with what is being done, how much is done, and how much there is.

    Returns
    -------
    OwnFit
        Tables of people, group, measurements and checks.

    Raises
    ------
    ConfigError
        Everything that is wrong with the problem and its table, with line and column.
    SolverError
        Nobody can be simulated where the search begins.

    Examples
    --------
    >>> import betapod, pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> files = {
    ...     "decay.txt": "dA/dt = -k*A [mg/day] change\nA(0) = A0 [mg] amount",
    ...     "decay.csv": "id,value,unit\nk,0.5,1/day\nA0,10,mg",
    ...     "seen.csv": "id,time [day],A [mg]\na,0,9.6\na,1,6.3\na,2,3.9\na,4,1.6\n",
    ...     "fit.yaml": "kind: individual\nmodel: decay.txt\ntable: seen.csv\nobservables: {A: {}}\nfit: {k: {}, A0: {}}",
    ... }
    >>> for name, text in files.items():
    ...     _ = (folder / name).write_text(text)
    >>> found = betapod.fit_own_data(folder / "fit.yaml")
    >>> found.people.set_index("parameter")["estimate"].round(2).to_dict()
    {'k': 0.44, 'A0': 9.64}
    """
    import pandas as pd

    from ..base.arguments import path as as_path
    from ..base.arguments import whole
    from ..calibration.individual import individual_tables as tables
    from ..calibration.individual.individual_fit import fit_individuals
    from ..calibration.individual.individual_folder import check_individual_target, write_individual_folder
    from ..calibration.individual.individual_problem import read_individual_problem

    if threads is not None:
        threads = whole("threads", threads, 1)
    if folder is not None:
        check_individual_target(as_path("folder", folder))
    fit = fit_individuals(read_individual_problem(as_path("problem", problem)), threads, progress)
    if folder is not None:
        write_individual_folder(fit, as_path("folder", folder))
    people, group, correlations, measurements, checks = (
        pd.DataFrame(rows(fit))
        for rows in (
            tables.people_rows, tables.group_rows, tables.correlation_rows, tables.measurement_rows, tables.check_rows,
        )
    )  # fmt: skip
    return OwnFit(people, group, correlations, measurements, checks, fit.warnings, fit)
