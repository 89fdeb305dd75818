"""Correlations between rows that are drawn: a Gaussian copula on the uniform numbers of each row.

Distributions of single rows stay what their tables say; only who has which value changes. Rows of several tables may be correlated,
since the numbers of a row depend on its name alone.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..base.errors import Location, ParameterError, Problem
from ..base.randomness import Patients, Stream

Numbers: TypeAlias = NDArray[np.float64]

#: Columns of a table of correlations.
CORRELATION_COLUMNS = ("row_a", "row_b", "rho", "source", "grade", "note")
_GRADES = ("A", "B", "C", "D")


@dataclass(frozen=True)
class Correlation:
    """Correlation of the normal scores of two rows.

    Attributes
    ----------
    rho
        Between -1 and 1; what is not listed is 0.
    source
        Keys of the bibliography, empty for what is assumed.
    grade
        As in parameter tables.
    """

    row_a: str
    row_b: str
    rho: float
    source: str = ""
    grade: str = "D"
    note: str = ""


@dataclass(frozen=True)
class Correlations:
    """A set of correlations that can hold together.

    Raises
    ------
    ParameterError
        A row with itself, a pair twice, a number that is no correlation, or correlations that contradict each other.
    """

    pairs: tuple[Correlation, ...] = ()

    def __post_init__(self) -> None:
        problems = []
        listed_pairs = set()
        for pair in self.pairs:
            where = f"{pair.row_a} and {pair.row_b}"
            if pair.row_a == pair.row_b:
                problems.append(Problem("bad-correlation", f"{pair.row_a} is correlated with itself"))
            if frozenset((pair.row_a, pair.row_b)) in listed_pairs:
                problems.append(Problem("bad-correlation", f"{where}: the pair is given twice"))
            listed_pairs.add(frozenset((pair.row_a, pair.row_b)))
            if not -1.0 < pair.rho < 1.0:
                expected = "a number between -1 and 1"
                problems.append(
                    Problem("bad-correlation", f"{where}: no correlation", found=f"{pair.rho:g}", expected=expected)
                )
        if not problems and self.pairs:
            least = float(np.linalg.eigvalsh(self.matrix)[0])
            if least <= 1e-9:
                problems.append(_contradiction(self.matrix, self.names, least))
        if problems:
            raise ParameterError(problems)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The rows that are correlated with another, in the order in which they are first listed."""
        return tuple(dict.fromkeys(name for pair in self.pairs for name in (pair.row_a, pair.row_b)))

    @cached_property
    def matrix(self) -> Numbers:
        """Correlation matrix of `names`."""
        index_of_row = {name: i for i, name in enumerate(self.names)}
        matrix = np.eye(len(index_of_row))
        for pair in self.pairs:
            i, j = index_of_row[pair.row_a], index_of_row[pair.row_b]
            matrix[i, j] = matrix[j, i] = pair.rho
        return matrix

    @cached_property
    def _factors(self) -> Mapping[str, Numbers]:
        """Weights of the independent normal scores of `names`, by row."""
        factor = np.linalg.cholesky(self.matrix)
        return {name: factor[i] for i, name in enumerate(self.names)}

    def uniform(self, name: str, seed: int, patients: Patients, replicate: int = 0) -> Numbers:
        """Return the uniform numbers of a row: those of its own stream, moved along with the rows that it goes with.

        Rows without an entry, and the first of the rows that go together, keep their own numbers to the last bit.
        """
        uniform_of_row = Stream(seed, f"draw:{name}", replicate).uniform(patients)
        weights = self._factors.get(name)
        if weights is None or not np.any(weights[[other != name for other in self.names]]):
            return uniform_of_row
        from scipy.special import ndtr

        score = np.zeros(len(uniform_of_row))
        for other, weight in zip(self.names, weights, strict=True):
            if weight:
                score += weight * Stream(seed, f"draw:{other}", replicate).normal(patients)
        # Far in the tails the distribution function rounds to 0 or 1, which no inverse takes.
        result: Numbers = np.clip(ndtr(score), 2.0**-53, 1.0 - 2.0**-53)
        return result


def _contradiction(matrix: Numbers, names: tuple[str, ...], least: float) -> Problem:
    """Say which pair is farthest from the nearest matrix that can hold, and by how much all would have to shrink."""
    values, vectors = np.linalg.eigh(matrix)
    nearest = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    scale = np.sqrt(np.diag(nearest))
    nearest = nearest / np.outer(scale, scale)
    i, j = np.unravel_index(int(np.argmax(np.abs(nearest - matrix))), matrix.shape)
    shrink = math.floor(100.0 / (1.0 - least)) / 100.0
    return Problem(
        "bad-correlation",
        "the correlations contradict each other: no people can have them all",
        found=f"smallest eigenvalue {least:.3g}",
        expected="a positive definite matrix",
        hint=f"The nearest that can hold has {nearest[i, j]:.2f} for {names[i]} and {names[j]}, now {matrix[i, j]:g}; "
        f"or multiply all by {shrink:.2f}.",
    )


def read_correlations(path: Path, sources: Iterable[str] = ()) -> Correlations:
    """Read a table of correlations.

    Parameters
    ----------
    sources
        Keys of the bibliography that may be cited.

    Raises
    ------
    ParameterError
        Wrong columns, numbers or grades, sources that are not in the bibliography, or what `Correlations` refuses.
    """
    bibliography_keys = set(sources)
    pairs, problems = [], []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != CORRELATION_COLUMNS:
            where = Location(str(path), 1)
            expected = ",".join(CORRELATION_COLUMNS)
            raise ParameterError(Problem("bad-correlation", "these are not the columns", where, expected=expected))
        for row in reader:
            where = Location(str(path), reader.line_num)
            try:
                rho = float(row["rho"])
            except (TypeError, ValueError):
                problems.append(Problem("bad-correlation", "rho is no number", where, str(row["rho"])))
                continue
            cited = [key.strip() for key in (row["source"] or "").split(";") if key.strip()]
            problems += [
                Problem("unknown-source", f"the source {key} is not in the bibliography", where)
                for key in cited
                if key not in bibliography_keys
            ]
            if row["grade"] not in _GRADES:
                problems.append(
                    Problem("bad-correlation", "there is no such grade", where, row["grade"], "A, B, C or D")
                )
            pairs.append(Correlation(row["row_a"], row["row_b"], rho, row["source"], row["grade"], row["note"]))
    if problems:
        raise ParameterError(problems)
    return Correlations(tuple(pairs))
