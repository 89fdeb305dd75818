"""What every result offers: a short text, a card in notebooks, a figure, and its table as a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import path as named_path
from .errors import ConfigError, Location, Problem

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: The room that knows how every result looks. It stands above all results, so it is named here and loaded when first needed.
_ROOM = "betapod.front"


class Displayed:
    """A result that shows itself.

    Subclasses have ``table``, a pandas table, and ``units``: column of the table -> unit. Cards and figures stand in the room
    `front`.
    """

    def __repr__(self) -> str:
        return str(import_module(f"{_ROOM}.cards").card_line(self))

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self) -> str:
        return str(import_module(f"{_ROOM}.cards").card(self))

    def plot(self, **options: Any) -> Figure:
        """Return a figure of the result; notebooks show it, ``.savefig("file.svg")`` writes it.

        Parameters
        ----------
        options
            What the figure of this kind of result can be asked for; see `betapod.front.plots`.

        Returns
        -------
        matplotlib.figure.Figure
            Needs no display.

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        ConfigError
            There is nothing to draw, or too much to read.

        Examples
        --------
        >>> import betapod
        >>> figure = betapod.load_model("topp2000").parameters.plot()
        >>> len(figure.axes)
        1
        """
        figure: Figure = import_module(f"{_ROOM}.plots").plot(self, **options)
        return figure

    def to_csv(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the table as CSV, units in the column heads, and return the path.

        Cells that a spreadsheet would compute are made text.

        Parameters
        ----------
        path
            Where to write.
        overwrite
            Whether a file that exists is replaced.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ConfigError
            The file exists, or cannot be written.

        Examples
        --------
        >>> import betapod, pathlib, tempfile
        >>> cohort = betapod.select_cohort("FLOW", patients=20)
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> path = cohort.to_csv(folder / "patients.csv")
        >>> "egfr [mL/min/1.73m2]" in path.read_text().splitlines()[0]
        True
        """
        from .exports import table_as_csv
        from .files import write_text

        table = _with_units(self)
        text = table_as_csv(table, index=table.index.name is not None, float_format="%.10g")
        return write_text(_free(path, overwrite), text)

    def to_parquet(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write the table as Parquet and return the path; the file's metadata has the units as JSON under ``units``.

        Parameters
        ----------
        path
            Where to write.
        overwrite
            Whether a file that exists is replaced.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ConfigError
            The file exists, or cannot be written.

        Examples
        --------
        >>> import betapod, pathlib, tempfile
        >>> cohort = betapod.select_cohort("FLOW", patients=20)
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> cohort.to_parquet(folder / "patients.parquet").stat().st_size > 0
        True
        """
        import json

        import duckdb

        from .files import replacing

        table = _plain(table_of(self))
        units = json.dumps(column_units(self), ensure_ascii=False).replace("'", "''")
        with replacing(_free(path, overwrite)) as temporary, duckdb.connect() as database:
            database.register("result", table)
            to = str(temporary).replace("'", "''")
            database.execute(f"COPY result TO '{to}' (FORMAT parquet, KV_METADATA {{units: '{units}'}})")
        return Path(path)


def table_of(result: Any) -> pd.DataFrame:
    """Return the table of a result."""
    table: pd.DataFrame = result.table
    return table


def column_units(result: Any) -> dict[str, str]:
    """Return the units of the table's columns and index; a table with a column ``unit`` has them in its rows."""
    table = table_of(result)
    units = getattr(result, "units", {})
    if "unit" in table or not isinstance(units, Mapping):
        return {}
    names = [*map(str, table.columns), *([str(table.index.name)] if table.index.name else [])]
    return {name: units[name] for name in names if units.get(name, "1") not in ("", "1")}


def _with_units(result: Any) -> pd.DataFrame:
    """Return the table with heads such as ``hba1c [%]``."""
    table, units = table_of(result), column_units(result)

    def head(name: Any) -> Any:
        return f"{name} [{units[name]}]" if name in units else name

    table = table.rename(columns=head)
    return table.rename_axis(index=head(table.index.name)) if table.index.name is not None else table


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its index as a column, and with text where a column holds anything but numbers."""
    import pandas as pd

    plain = table.reset_index() if table.index.name is not None else table.copy(deep=False)
    for position, kind in enumerate(plain.dtypes):
        if kind.kind == "O":
            column = plain.iloc[:, position]
            if pd.api.types.infer_dtype(column, skipna=True) not in (
                "string",
                "floating",
                "integer",
                "boolean",
                "empty",
            ):
                plain.isetitem(position, [None if cell is None else str(cell) for cell in column])
    return plain


def _free(path: str | Path, overwrite: bool) -> Path:
    path = named_path("path", path)
    if os.path.lexists(path) and not overwrite:
        hint = "Give another name, or overwrite=True."
        raise ConfigError(Problem("would-overwrite", "the file exists", Location(str(path)), hint=hint))
    return path
