"""Event data sets in the form of NONMEM: people with their doses and covariates, simulated; simulations, written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from ..engine.schedule import Schedule
    from ..engine.scipy.simulation_result import Result
    from ..model import Model


def simulate_nonmem(
    model: Model,
    data: str | PathLike[str],
    outputs: Sequence[str] | None = None,
    *,
    compartments: Mapping[str, str] | None = None,
    covariates: str = "backward",
    columns: Mapping[str, str] | None = None,
    threads: int | None = None,
) -> pd.DataFrame:
    r"""Simulate the people of an event data set in the form of NONMEM.

    Parameters
    ----------
    model
        Any model; covariates are its parameters and inputs, by name.
    data
        Delimited text with a header: ID, TIME, AMT, RATE or DUR, II, ADDL, SS, EVID, MDV, CMT, DVID, DV, and covariates. A heading may name its unit,
        as in ``TIME [h]``; without one numbers are in the model's.
    outputs
        States and equations; all states by default.
    compartments
        State by what stands in CMT; by default CMT is a state's name, or its number from 1 on.
    covariates
        Between rows: ``backward`` (the next row's value, as NONMEM takes it), ``forward`` or ``linear``.
    columns
        What headings mean that have another name, or ``ignore``.
    threads
        Cores; all by default.

    Returns
    -------
    pandas.DataFrame
        A row for each row of the table: ``id``, ``time`` (in the model's unit), ``evid``, ``dv``, then the outputs in their units.

    Raises
    ------
    ConfigError
        Everything that is wrong with the table, with line and column.
    SolverError
        Somebody could not be simulated.

    Examples
    --------
    A tablet of glucose, so to speak, and a second one two days later:

    >>> import betapod, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "doses.csv"
    >>> _ = path.write_text("ID,TIME,AMT,II,ADDL,DV\n1,0,50,2,1,.\n1,2,.,.,.,140\n1,3,.,.,.,120\n")
    >>> seen = betapod.simulate_nonmem(betapod.load_model("topp2000"), path, ["glucose"])
    >>> seen["glucose"].round(0).tolist()
    [150.0, 150.0, 100.0]
    """
    from ..base.arguments import path as as_path
    from ..engine.nonmem.event_record import NonmemSettings
    from ..engine.nonmem.nonmem_reader import read_nonmem_table
    from ..engine.nonmem.simulated_subjects import simulate_subjects

    settings = NonmemSettings(dict(compartments or {}), covariates, dict(columns or {}))
    return simulate_subjects(model, read_nonmem_table(as_path("data", data), model, settings), outputs, threads=threads)


def write_nonmem(
    model: Model, path: str | PathLike[str], result: Result, schedule: Schedule | None = None, name: str = "1"
) -> Path:
    """Write a simulation as an event data set in the form of NONMEM: what was given, and what was seen.

    Parameters
    ----------
    model
        That was simulated.
    path
        File; commas separate its cells.
    result
        Of ``simulate``; each of its states and equations becomes a DVID, from 1 on.
    schedule
        What was given; nothing by default. Doses go to CMT by the number of their state; inputs that change are columns.
    name
        ID of the person.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ConfigError
        Inputs that change gradually, for which such a table has no place.

    Examples
    --------
    >>> import betapod, pathlib, tempfile
    >>> model, schedule = betapod.load_model("topp2000"), betapod.Schedule([betapod.Dose("glucose", 50.0, 1.0)])
    >>> result = betapod.simulate(model, [1.0, 2.0], schedule, outputs=["glucose"])
    >>> path = betapod.write_nonmem(model, pathlib.Path(tempfile.mkdtemp()) / "out.csv", result, schedule)
    >>> path.read_text().splitlines()[2]
    '1,1,1,1,50,0,0,0,0,.,.,1'
    """
    from ..base.arguments import path as as_path
    from ..base.files import write_text
    from ..engine.nonmem.nonmem_writer import WrittenSubject, nonmem_text
    from ..engine.schedule import Schedule

    table = result.table
    values = {column: table[column].tolist() for column in table.columns if column not in model.inputs}
    person = WrittenSubject(name, schedule or Schedule(), table.index.tolist(), values)
    return write_text(as_path("path", path), nonmem_text(model, [person]))
