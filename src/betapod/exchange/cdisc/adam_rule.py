"""What a rule of ADaM is, and the data set that it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from .adam_reader import ReadDataset

#: Relative error up to which two numbers are equal: what is left by text with nine digits and by single precision.
SAME = 1e-8


@dataclass(frozen=True)
class Violation:
    """Rows of a data set, or a variable, that break a rule.

    Attributes
    ----------
    variable
        Where; empty for the data set itself.
    rows
        How many records; 0 where it is the variable or the data set as such.
    example
        Of the first of them.
    """

    variable: str
    rows: int = 0
    example: str = ""


@dataclass(frozen=True)
class CheckedDataset:
    """A data set among those of its folder."""

    dataset: ReadDataset
    folder: Mapping[str, ReadDataset] = field(repr=False)

    @property
    def frame(self) -> pd.DataFrame:
        """Its records."""
        return self.dataset.frame

    @property
    def is_subject_level(self) -> bool:
        """Whether it is ADSL."""
        return self.dataset.name == "ADSL"

    @property
    def has_parameters(self) -> bool:
        """Whether it is of the basic data structure."""
        return "PARAMCD" in self.frame and ("AVAL" in self.frame or "AVALC" in self.frame)

    @property
    def has_times(self) -> bool:
        """Whether it holds times to events."""
        return self.has_parameters and "CNSR" in self.frame

    @property
    def has_measurements(self) -> bool:
        """Whether it holds measurements by parameter."""
        return self.has_parameters and not self.has_times and "GROUPN" not in self.frame

    @cached_property
    def subjects(self) -> pd.DataFrame | None:
        """ADSL by USUBJID, the first record of each; None without."""
        if "ADSL" not in self.folder or "USUBJID" not in self.folder["ADSL"].frame:
            return None
        return self.folder["ADSL"].frame.drop_duplicates("USUBJID").set_index("USUBJID")

    def has(self, name: str) -> bool:
        """Whether a variable is there, here or in ADSL."""
        in_adsl = self.subjects is not None and name in self.subjects and "USUBJID" in self.frame
        return name in self.frame or bool(in_adsl)

    def __getitem__(self, name: str) -> pd.Series[Any]:
        """Return a variable, by record; of the subject where the data set has none of its own."""
        if name in self.frame:
            return self.frame[name]
        assert self.subjects is not None, name
        return self.frame["USUBJID"].map(self.subjects[name])

    def days(self, name: str) -> NDArray[np.float64]:
        """Return dates as days since 1 January 1960, whether they were read as dates or as numbers; NaN for missing."""
        return np.asarray(days_of_sas(self[name]), dtype=np.float64)

    def example(self, row: int, *names: str) -> str:
        """Return what a record is, and what it has."""
        parts = [
            f"{name} {self.frame[name].iloc[row]}" for name in ("USUBJID", "PARAMCD", "AVISIT") if name in self.frame
        ]
        parts += [f"{name} {self[name].iloc[row]}" for name in names if self.has(name) and name != "USUBJID"]
        return ", ".join(dict.fromkeys(parts))


@dataclass(frozen=True)
class AdamRule:
    """A rule.

    Attributes
    ----------
    id
        Such as ``V07``: the letter says of what (G of every data set, S of subjects, V of values, T of times, E of events).
    text
        What must hold.
    violations
        What breaks it in a data set.
    """

    id: str
    text: str
    violations: Callable[[CheckedDataset], Iterator[Violation]] = field(repr=False)


Applies = Callable[[CheckedDataset], bool]
Broken = Callable[[CheckedDataset], Any]


def everywhere(checked: CheckedDataset) -> bool:
    """Whether a rule of every data set applies: always."""
    return True


def of_records(id: str, text: str, names: tuple[str, ...], broken: Broken, applies: Applies = everywhere) -> AdamRule:
    """Return a rule of records.

    Parameters
    ----------
    names
        Variables that it needs, here or in ADSL; without one of them it says nothing.
    broken
        (records,) whether a record breaks it.
    """

    def violations(checked: CheckedDataset) -> Iterator[Violation]:
        if not applies(checked) or not all(checked.has(name) for name in names) or not len(checked.frame):
            return
        with np.errstate(all="ignore"):
            rows = np.flatnonzero(np.asarray(broken(checked), dtype=bool))
        if len(rows):
            yield Violation(names[0], len(rows), checked.example(int(rows[0]), *names))

    return AdamRule(id, text, violations)


def of_variables(
    id: str, text: str, broken: Callable[[CheckedDataset, str], str], applies: Applies = everywhere
) -> AdamRule:
    """Return a rule of variables.

    Parameters
    ----------
    broken
        What is wrong with a variable, in words; empty for nothing.
    """

    def violations(checked: CheckedDataset) -> Iterator[Violation]:
        if applies(checked):
            for name in checked.frame.columns:
                if example := broken(checked, str(name)):
                    yield Violation(str(name), 0, example)

    return AdamRule(id, text, violations)


def of_dataset(
    id: str, text: str, broken: Callable[[CheckedDataset], Iterator[Violation]], applies: Applies
) -> AdamRule:
    """Return a rule of a data set, whatever breaks it."""
    return AdamRule(id, text, lambda checked: broken(checked) if applies(checked) else iter(()))


def days_of_sas(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return dates as days since 1 January 1960, whether they were read as dates or as numbers; NaN for missing."""
    if column.dtype.kind == "M":
        return (column - np.datetime64("1960-01-01")) / np.timedelta64(1, "D")
    return column.astype("float64")


def unequal(first: Any, second: Any) -> NDArray[np.bool_]:
    """Return where two numbers are there and differ, or one of them is missing."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    both = np.isfinite(a) & np.isfinite(b)
    far = np.abs(a - b) > SAME * np.maximum(1e-6, np.maximum(np.abs(a), np.abs(b)))
    return np.asarray(np.where(both, far, np.isfinite(a) != np.isfinite(b)))


def differ(first: Any, second: Any) -> NDArray[np.bool_]:
    """Return where two numbers are both there and differ."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return np.asarray(unequal(a, b) & np.isfinite(a) & np.isfinite(b))


def relative_days(date: NDArray[np.float64], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return study days of dates: 1 on the day of the start, -1 on the day before."""
    since = np.floor(date) - np.floor(start)
    return np.asarray(np.where(since >= 0.0, since + 1.0, since))


def many_to_one(frame: pd.DataFrame, first: str, second: str) -> str:
    """Return the first value of `first` that goes with several of `second`; empty where there is none."""
    pairs = frame[[first, second]].drop_duplicates()
    pairs = pairs[(pairs[first].astype(str) != "") & pairs[first].notna()]
    several = pairs[pairs.duplicated(first, keep=False)]
    if not len(several):
        return ""
    value = several[first].iloc[0]
    others = several.loc[several[first] == value, second].astype(str).tolist()
    return f"{first} {value} goes with {second} {' and '.join(sorted(others)[:3])}"
