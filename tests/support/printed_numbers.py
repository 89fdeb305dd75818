"""Numbers that the model of today prints: one file a folder of tests, written anew by one command.

They guard against changes that nobody meant; laws and published results stand in the tests themselves. After a change that is meant, such as a
new fit, write them anew, look at what moved, and say why in the list of changes::

    BETAPOD_PRINT=1 python -m pytest tests/physiology
    git diff --stat tests
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

#: File beside the tests of a folder.
FILE = "printed.csv"
WRITING = "BETAPOD_PRINT"
_HEAD = ("test", "name", "value")
_DIGITS = 7


class PrintedNumbers:
    """The numbers of one folder.

    Attributes
    ----------
    path
        File with a line for each: test, name, value.
    writing
        Whether what is found is kept instead of compared.
    """

    def __init__(self, path: Path, writing: bool) -> None:
        self.path, self.writing = path, writing
        rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines()) if path.is_file() else []
        self.values = {(row["test"], row["name"]): float(row["value"]) for row in rows}

    def check(self, test: str, name: str, found: float, rel: float | None = None, abs: float | None = None) -> None:
        """Compare a number with what was printed, or keep it."""
        if self.writing:
            self.values[test, name] = float(found)
            return
        assert (test, name) in self.values, (
            f"{test}, {name} is not printed yet: {WRITING}=1 python -m pytest {self.path.parent}"
        )
        assert found == pytest.approx(self.values[test, name], rel=rel, abs=abs), (
            f"{name}; if this is meant: {WRITING}=1"
        )

    def write(self) -> None:
        """Write the file, in order."""
        with self.path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_HEAD)
            writer.writerows((*key, f"{value:.{_DIGITS}g}") for key, value in sorted(self.values.items()))


def is_writing() -> bool:
    """Return whether numbers are to be written; only one process can."""
    return bool(os.environ.get(WRITING)) and "PYTEST_XDIST_WORKER" not in os.environ
