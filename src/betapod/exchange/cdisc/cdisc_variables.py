"""Variables and data sets of CDISC as they are written: names, labels, kinds, origins, keys."""

from __future__ import annotations

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

#: What a variable holds: text, a whole number, a number, a date (a number with the format DATE9. in SAS), a date as text of ISO 8601.
Kind = Literal["text", "integer", "float", "date", "iso"]

#: First and last words of a file's name -> the standard that it belongs to.
STANDARDS = {"adam": "ADaM", "sdtm": "SDTM"}


@dataclass(frozen=True)
class CdiscVariable:
    """A variable.

    Attributes
    ----------
    origin
        Type of origin as Define-XML 2.1 names it; ``Other`` for what was simulated.
    terms
        Name of its list of terms; empty for none.
    text
        How it was made, for people.
    """

    name: str
    label: str
    kind: Kind
    origin: str = "Assigned"
    terms: str = ""
    text: str = ""

    @property
    def is_text(self) -> bool:
        """Whether it is a character variable in SAS."""
        return self.kind in ("text", "iso")

    @property
    def sas_format(self) -> str:
        """Format that SAS shows it with; empty for the usual one."""
        return "DATE9." if self.kind == "date" else ""


@dataclass(frozen=True)
class CdiscDataset:
    """A data set.

    Attributes
    ----------
    name, label
        Such as ``ADSL`` and its description, at most 8 and 40 characters.
    kind_of_data
        Class by CDISC, such as ``BASIC DATA STRUCTURE``.
    structure
        What a record is.
    keys
        Variables by which records are sorted and told apart.
    frame
        Text as ``str`` (empty for missing), numbers as ``float64``, dates as ``datetime64[ns]``.
    special
        Variables that the table of this package does not hold, or describes otherwise.
    """

    name: str
    label: str
    kind_of_data: str
    structure: str
    keys: tuple[str, ...]
    frame: pd.DataFrame = field(repr=False)
    special: Mapping[str, CdiscVariable] = field(default_factory=dict)

    @property
    def variables(self) -> tuple[CdiscVariable, ...]:
        """Its variables in order."""
        return tuple(self.special.get(name) or cdisc_variables()[name] for name in self.frame.columns)


@functools.cache
def cdisc_variables() -> Mapping[str, CdiscVariable]:
    """Return the variables that this package writes, by name."""
    with (Path(__file__).parent / "cdisc_variables.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: CdiscVariable(**row) for row in csv.DictReader(file)}  # type: ignore[arg-type]


def typed_columns(frame: pd.DataFrame, special: Mapping[str, CdiscVariable] | None = None) -> pd.DataFrame:
    """Return a frame whose columns have the types of their variables: see `CdiscDataset.frame`."""
    import pandas as pd

    columns = {}
    for name in frame.columns:
        variable = (special or {}).get(name) or cdisc_variables()[name]
        column = frame[name]
        if variable.is_text:
            columns[name] = column.astype(object).where(column.notna(), "")
        elif variable.kind == "date":
            columns[name] = pd.to_datetime(column).astype("datetime64[ns]")
        else:
            columns[name] = column.astype("float64")
    return pd.DataFrame(columns, index=frame.index).reset_index(drop=True)


def repeated(carried: pd.DataFrame, subjects: Any) -> pd.DataFrame:
    """Return columns of ADSL for records of subjects, STUDYID and USUBJID first.

    Parameters
    ----------
    carried
        Columns of ADSL by USUBJID.
    subjects
        USUBJID of each record.
    """
    frame: pd.DataFrame = carried.loc[subjects].reset_index()
    ordered: pd.DataFrame = frame[["STUDYID", "USUBJID", *frame.columns.drop(["STUDYID", "USUBJID"])]]
    return ordered
