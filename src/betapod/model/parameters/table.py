"""Parameter tables: every number has a unit, a role and, where someone measured it, a source.

A table is a CSV file with the columns of `COLUMNS`. Roles:

============ ============================================================ ===============================
role         meaning                                                      source
============ ============================================================ ===============================
literature   stated by the source that the row names                      required: a key of references.bib
calibrated   fitted together with others to many numbers at once; rows    the id of the fit, and works whose
             of the package name the recorded fit                         data it was fitted to
tuned        set by hand, or fitted alone, so that stated numbers come    a work whose data it was tuned to,
             out                                                          or empty
derived      follows from other numbers; the note says how                may name where those were read
memory       recalled, not confirmed in any source                        must be empty
assumed      a modelling choice                                           must be empty
input        not a property of the person: given by the user or another   empty
             submodel, may change with time
imported     stands in a model file of another tool, which says no more   empty
============ ============================================================ ===============================

Grades: A measured in man, B animal or indirect, C fitted, D assumed or recalled; none for imported numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

from ...base.arguments import as_list, by_name, wrong
from ...base.arguments import path as file_path
from ...base.clinical import convert_labelled, say
from ...base.display import Displayed
from ...base.errors import Location, ParameterError, Problem, UnitError, did_you_mean
from .parameter import COLUMNS as COLUMNS
from .parameter import Parameter as Parameter
from .parameter_quantities import overlaid_distribution
from .parameter_quantities import parameter_quantity as parameter_quantity
from .table_differences import Difference as Difference
from .table_differences import compare as compare

if TYPE_CHECKING:
    import pandas as pd


def _by_id(rows: object) -> dict[str, Parameter]:
    """Return rows by id, after a look at what a user of Python made.

    Raises
    ------
    ParameterError
        Something is no row, a row has no texts or number where they belong, or two rows have one id.
    """
    expected = "rows such as Parameter('V', 'volume', 40.0, 'L')"
    entries = as_list(rows)
    if entries is None:
        raise ParameterError(wrong("the table", rows, expected))
    by_id: dict[str, Parameter] = {}
    problems: list[Problem] = []
    for row in entries:
        if not isinstance(row, Parameter):
            problems.append(wrong("the table", row, expected))
            continue
        where = f"parameter {row.id!r}"
        for name in ("id", "label", "unit", "distribution"):
            if not isinstance(getattr(row, name), str):
                problems.append(wrong(f"{where}: {name}", getattr(row, name), "text"))
        for name in ("value", "low", "high", "hard_low", "hard_high"):
            value = getattr(row, name)
            if type(value) is not float and (isinstance(value, bool) or not isinstance(value, (Real, Decimal))):
                problems.append(wrong(f"{where}: {name}", value, "a number, without its unit"))
        if not problems:
            if row.id in by_id:
                problems.append(Problem("duplicate-parameter", f"{row.id} is given twice", Location("the table")))
            by_id[row.id] = row
    if problems:
        raise ParameterError(problems)
    return by_id


class ParameterTable(Displayed, Mapping[str, Parameter]):
    """Parameters by id, in file order. Tables are never changed: overlays return new ones.

    Examples
    --------
    >>> from betapod import Parameter, ParameterTable
    >>> row = Parameter("k", "rate of loss", 0.5, "1/day", 0.2, 0.9)
    >>> table = ParameterTable([row, Parameter("V", "volume", 40.0, "L")])
    >>> table["k"].value
    0.5
    >>> list(table)
    ['k', 'V']
    """

    def __init__(self, rows: Iterable[Parameter], name: str = "") -> None:
        self.name = name
        self._rows = _by_id(rows)

    def __getitem__(self, key: str) -> Parameter:
        try:
            return self._rows[key]
        except KeyError:
            raise ParameterError(
                Problem("unknown-parameter", f"there is no parameter {key!r}", hint=did_you_mean(key, self._rows))
            ) from None

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def table(self) -> pd.DataFrame:
        """One row per parameter, with the columns of the CSV files; limits that follow from unit and kind are filled in."""
        import pandas as pd

        return pd.DataFrame(as_rows(list(self._rows.values())), columns=list(COLUMNS))

    @property
    def units(self) -> dict[str, str]:
        """Unit of every parameter."""
        return {row.id: row.unit for row in self._rows.values()}

    @classmethod
    def read(cls, *paths: str | Path, sources: Iterable[str] | None = None) -> ParameterTable:
        r"""Read one or more CSV files as one table.

        Parameters
        ----------
        paths
            CSV files with the columns of `COLUMNS`, or with name, value and unit alone.
        sources
            Known bibliography keys; a row that cites another is refused. None skips that check.

        Returns
        -------
        ParameterTable
            In file order.

        Raises
        ------
        ParameterError
            With every bad row of every file: missing column, unreadable number, unknown unit, role or grade, a source where none
            may be, none where one must be, an id given twice.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from betapod import ParameterTable
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "own.csv"
        >>> _ = path.write_text("id,value,unit\nk,0.5,1/day\n")
        >>> ParameterTable.read(path)["k"].value
        0.5
        """
        from .parameter_rows import read_parameter_rows

        rows: list[Parameter] = []
        problems: list[Problem] = []
        for path in paths:
            read, bad = read_parameter_rows(
                file_path("paths", path, ParameterError), None if sources is None else frozenset(sources)
            )
            rows.extend(read)
            problems.extend(bad)
        first_rows: dict[str, Parameter] = {}
        for row in rows:
            if row.id in first_rows:
                problems.append(
                    Problem(
                        "two-rows",
                        f"{row.id!r} has two rows",
                        row.location,
                        found="a second row",
                        expected=f"one; the first is at {first_rows[row.id].location}",
                    )
                )
            first_rows.setdefault(row.id, row)
        if problems:
            raise ParameterError(problems)
        return cls(rows, ",".join(Path(path).stem for path in paths))

    def overlay(self, *others: ParameterTable) -> ParameterTable:
        """Return this table with rows overridden by other tables, converted to this table's units.

        Parameters
        ----------
        others
            Later ones over earlier ones.

        Returns
        -------
        ParameterTable
            In the order and units of this table.

        Raises
        ------
        ParameterError
            A row of an overlay has an unknown id or a unit that does not fit; all of them at once.

        Examples
        --------
        >>> from betapod import Parameter, ParameterTable
        >>> row = Parameter("k", "rate of loss", 0.5, "1/day", 0.2, 0.9)
        >>> table = ParameterTable([row, Parameter("V", "volume", 40.0, "L")])
        >>> table.overlay(ParameterTable([Parameter("V", "volume", 30000.0, "mL")]))["V"].value
        30.0
        """
        from .parameter_rows import PLAIN_NOTE
        from .possible_values import impossible_range, impossible_value, possible_bounds

        rows = dict(self._rows)
        problems: list[Problem] = []
        for other in others:
            for row in other.values():
                base = rows.get(row.id)
                if base is None:
                    problems.append(
                        Problem(
                            "unknown-parameter",
                            f"there is no parameter {row.id!r}",
                            row.location,
                            hint=did_you_mean(row.id, rows),
                        )
                    )
                    continue
                try:
                    value, low, high, own_low, own_high = (
                        convert_labelled(number, row.unit, base.unit, base.label, location=row.location)
                        for number in (row.value, row.low, row.high, row.hard_low, row.hard_high)
                    )
                    distribution = overlaid_distribution(row, base)
                    if value != row.value:
                        say(f"{row.location}: {row.id}", f"{row.value:g} {row.unit}", value, base.unit)
                except UnitError as error:
                    problems.extend(error.problems)
                    continue
                if math.isinf(low) and math.isinf(high):
                    # An overlay that names no range does not lift that of the row it replaces.
                    low, high = base.low, base.high
                possible_low, possible_high = possible_bounds(base)
                laid = replace(
                    row,
                    value=value,
                    low=low,
                    high=high,
                    unit=base.unit,
                    label=row.label or base.label,
                    distribution=distribution,
                    hard_low=own_low if own_low > possible_low else base.hard_low,
                    hard_high=own_high if own_high < possible_high else base.hard_high,
                    role="input" if row.note == PLAIN_NOTE and base.role == "input" else row.role,
                )
                # What is possible is a matter of the quantity: an overlay can narrow it and nothing else.
                impossible = (impossible_value(base, value, row.location), impossible_value(laid, value, row.location))
                problems.extend([problem for problem in impossible if problem is not None][:1])
                if (problem := impossible_range(base, laid, row.location)) is not None:
                    problems.append(problem)
                rows[row.id] = laid
        if problems:
            raise ParameterError(problems)
        return ParameterTable(rows.values(), "+".join(filter(None, (self.name, *(other.name for other in others)))))

    def with_values(self, values: Mapping[str, float | str], where: str = "") -> ParameterTable:
        """Return the table with some values changed.

        Parameters
        ----------
        values
            Numbers in the row's own unit, or text with a unit such as ``"203 mg/dL"``. Text without a unit is in the row's unit.
        where
            What errors name before a value, such as the option that gave it.

        Returns
        -------
        ParameterTable
            Another table; this one stays as it is.

        Raises
        ------
        ParameterError
            Unknown ids, unreadable numbers, units that do not fit and values that cannot be (see `betapod.model.parameters.possible_values`), all at
            once.

        Examples
        --------
        >>> from betapod import Parameter, ParameterTable
        >>> row = Parameter("k", "rate of loss", 0.5, "1/day", 0.2, 0.9)
        >>> table = ParameterTable([row, Parameter("V", "volume", 40.0, "L")])
        >>> table.with_values({"V": "35000 mL"})["V"].value
        35.0
        """
        from .possible_values import impossible_value

        rows = dict(self._rows)
        problems: list[Problem] = []
        for key, new_value in by_name("values", values, ParameterError).items():
            location = Location(f"{where} {key}={new_value}" if where else f"{key} = {new_value}")
            base = rows.get(key)
            if base is None:
                problems.append(
                    Problem(
                        "unknown-parameter", f"there is no parameter {key!r}", location, hint=did_you_mean(key, rows)
                    )
                )
                continue
            try:
                value = parameter_quantity(new_value, base.unit, location, base.label)
                if (problem := impossible_value(base, value, location)) is not None:
                    problems.append(problem)
                rows[key] = replace(base, value=value)
            except (ParameterError, UnitError) as error:
                problems.extend(error.problems)
        if problems:
            raise ParameterError(problems)
        return ParameterTable(rows.values(), self.name)

    def select(self, ids: Iterable[str]) -> ParameterTable:
        """Return the table with these rows only, in table order.

        Parameters
        ----------
        ids
            Ids; what the table does not have is left out.

        Returns
        -------
        ParameterTable
            These rows.

        Examples
        --------
        >>> from betapod import Parameter, ParameterTable
        >>> row = Parameter("k", "rate of loss", 0.5, "1/day", 0.2, 0.9)
        >>> table = ParameterTable([row, Parameter("V", "volume", 40.0, "L")])
        >>> list(table.select(["V"]))
        ['V']
        """
        wanted = set(ids)
        return ParameterTable((row for key, row in self._rows.items() if key in wanted), self.name)

    def implausible(self) -> list[str]:
        """Return a sentence for each value outside its plausible range.

        Returns
        -------
        list of str
            Empty where every value is plausible.

        Examples
        --------
        >>> from betapod import Parameter, ParameterTable
        >>> row = Parameter("k", "rate of loss", 0.5, "1/day", 0.2, 0.9)
        >>> table = ParameterTable([row, Parameter("V", "volume", 40.0, "L")])
        >>> table.implausible()
        []
        >>> len(table.with_values({"k": 3.0}).implausible())
        1
        """
        return [
            f"{row.id} = {row.value:g}{unit} is outside its plausible range {row.low:g} to {row.high:g}{unit}"
            for row in self.values()
            if not row.plausible and not math.isnan(row.value)
            for unit in ("" if row.unit == "1" else f" {row.unit}",)
        ]


def source_keys(rows: Iterable[Parameter]) -> list[str]:
    """Return the bibliography keys that rows cite, in order of first use."""
    keys: dict[str, None] = {}
    for row in rows:
        if row.role in ("literature", "derived", "calibrated", "tuned"):
            keys.update(dict.fromkeys(filter(None, re.split(r"[;\s]+", row.source))))
    return list(keys)


def as_rows(rows: Sequence[Parameter]) -> list[dict[str, object]]:
    """Return parameters as plain rows in the order of `COLUMNS`; limits that follow from unit and kind are filled in."""
    from .possible_values import possible_bounds

    limited = [(row, dict(zip(("hard_low", "hard_high"), possible_bounds(row), strict=True))) for row in rows]
    return [{name: limits.get(name, getattr(row, name)) for name in COLUMNS} for row, limits in limited]
