"""Strategies compared over a life: run a comparison, open one that was run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..value.value_result import ValueResult

Progress = Callable[[str, int, int], None]


def run_value(
    run: str | Path,
    folder: str | Path | None = None,
    *,
    draws: int | None = None,
    country: str | Path | None = None,
    fit: str | None = None,
    fit_draws: int | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ValueResult:
    """Compare strategies over a life: life-years, quality of life, costs.

    Parameters
    ----------
    run
        A run file (YAML).
    folder
        Run folder that keeps the comparison; in one that holds the same, what is missing is computed. In memory by default.
    draws, country
        Instead of the file's: draws of all uncertain numbers, and the country pack with costs.
    fit, fit_draws
        Instead of the file's: an installed fit (``none`` for the values that tables had before it), and how many sets of parameters of bodies are drawn from it.
    threads
        Processor cores; all by default.
    progress
        Called with what is being done, how much is done, and how much there is.

    Returns
    -------
    ValueResult
        Means over people in every draw, people at central values, and what was drawn.

    Raises
    ------
    ConfigError
        Everything that is wrong with the file or its country pack, with line and column; a folder that holds something else.
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import betapod, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.yaml"
    >>> _ = path.write_text('''
    ... title: an example
    ... people: {library: type 2 and UACR > 300 mg/g, size: 20}
    ... comparator: care
    ... strategies: {care: {}, SGLT2 inhibitor: {therapies: [SGLT2 inhibitor]}}
    ... horizon: 2
    ... draws: 4
    ... one_way: false
    ... ''')
    >>> result = betapod.run_value(path)
    >>> bool((result.years["own"] <= 2).all()), result.currency
    (True, None)
    """
    from ..base.arguments import whole
    from ..value.value_folder import run_value_into
    from ..value.value_run import run_value_file

    if threads is not None:
        threads = whole("threads", threads, 1)
    pack = None if country is None else str(country)
    if folder is None:
        return run_value_file(run, draws, pack, threads, progress, None, fit, fit_draws)
    return run_value_into(folder, run, draws, pack, threads, progress, (), fit, fit_draws)


def open_value(folder: str | Path) -> ValueResult:
    """Return the complete comparison that a run folder keeps.

    Parameters
    ----------
    folder
        As `run_value` or ``betapod value`` wrote it.

    Returns
    -------
    ValueResult
        As `run_value` returned it.

    Raises
    ------
    ConfigError
        The folder holds no comparison, or an incomplete or damaged one.

    Examples
    --------
    >>> import betapod
    >>> betapod.open_value("nowhere")
    Traceback (most recent call last):
    betapod.base.errors.ConfigError: nowhere: no-comparison: the folder holds no comparison
    """
    from ..value.value_folder import open_value_folder

    return open_value_folder(folder)
