"""Global sensitivity of outputs to numbers that are varied together, by the method that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import ConfigError, Problem, not_among
from ..base.nouns import with_noun
from ..engine.correlations import Correlations
from .cube_function import CubeFunction, Progress
from .elementary_effects import elementary_effects, trajectories
from .factors import Factor, apart, grouped
from .index_table import IndexTable, Numbers
from .model_function import PART, KeptFunction, VariedFunction
from .output_scales import OBSERVED, SCALES, on_scales, scales_of
from .rank_measures import partial_rank_correlations, pawn_distances
from .schemes import DerivativeScheme, Scheme, ShapleyScheme, sobol_points
from .sequential_indices import PRECISION, TOGETHER, sequential_indices
from .sobol_schemes import PairScheme, SobolScheme, pairs_of

if TYPE_CHECKING:
    import pandas as pd

#: Methods, and what each tells.
METHODS: Mapping[str, str] = {
    "sobol": "shares of the variance: first-order by a number alone, total with all that it does together with others",
    "shapley": "shares of the variance that add up to all of it, for correlated numbers too",
    "morris": "screening: mean size of the effect of half the range along few trajectories, and how much it differs",
    "dgsm": "mean squared slope, and the bound on the total index that it is",
    "prcc": "partial correlation of ranks, all other numbers held",
    "pawn": "distance between distributions of an output, within a slice of a number and over all",
}
#: Methods whose players may be groups of numbers.
OF_GROUPS = ("sobol", "shapley")
#: Runs that are spent where nobody says how many.
RUNS = 50_000
#: Trajectories of screening, at most and at least.
_TRAJECTORIES = (4, 50)
#: Places of a sample for ranks and distributions, at most: the error of a distance falls with their square root.
_SAMPLE = 8192


@dataclass(frozen=True)
class Sensitivities:
    """How much each player decides of each output.

    Attributes
    ----------
    method
        One of `METHODS`.
    players
        Label -> columns of the numbers that belong to it.
    outputs, units
        What was read, with its unit.
    tables
        The measures; `leading` is the one by which players are put in order.
    runs, lost
        Runs of the model, and the share that gave no number.
    settled
        Whether the ten largest numbers of every output are known as well as was asked; None for methods without an interval to ask of.
    mean, sd
        (outputs,) over the runs, as they are.
    scales
        (outputs,) the scale on which each is counted: ``linear``, ``log`` or ``rank``.
    pairs
        What every two players decide together, where it was asked for.
    """

    method: str
    players: Mapping[str, Sequence[int]]
    factors: Sequence[Factor]
    outputs: Sequence[str]
    units: Sequence[str]
    tables: Sequence[IndexTable]
    measure: str
    runs: int
    lost: float
    settled: bool | None
    mean: Numbers
    sd: Numbers
    scales: Sequence[str] = ()
    pairs: IndexTable | None = None

    @property
    def leading(self) -> IndexTable:
        """The measure by which players are put in order."""
        return next(table for table in self.tables if table.name == self.measure)

    def order(self, output: int) -> list[int]:
        """Return the players by how much they decide of an output, most first."""
        sizes = np.abs(self.leading.values[:, output])
        return [int(player) for player in np.argsort(-sizes, kind="stable")]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each output and player, those that decide most first."""
        labels = list(self.players)
        rows = []
        for output, name in enumerate(self.outputs):
            for rank, player in enumerate(self.order(output), 1):
                members = [self.factors[column] for column in self.players[labels[player]]]
                row: dict[str, Any] = {
                    "output": name,
                    "scale": self.scales[output],
                    "rank": rank,
                    "player": labels[player],
                    "numbers": len(members),
                }
                for table in self.tables:
                    value, half = float(table.values[player, output]), float(table.half[player, output])
                    row[table.name] = value
                    if np.isfinite(half):
                        row |= {f"{table.name} low": value - half, f"{table.name} high": value + half}
                if len(members) == 1:
                    (factor,) = members
                    low, high = factor.range
                    row |= {
                        "low": low,
                        "high": high,
                        "unit": factor.row.unit,
                        "law": factor.law,
                        "grade": factor.row.grade,
                    }
                    row |= {"submodels": "; ".join(factor.submodels), "meaning": factor.row.label}
                rows.append(row)
        return rows

    def pair_rows(self) -> list[dict[str, Any]]:
        """Return one row for each output and pair of players, those that decide most together first; none where it was not asked for."""
        if self.pairs is None:
            return []
        labels, pairs = list(self.players), pairs_of(len(self.players))
        rows = []
        for output, name in enumerate(self.outputs):
            values, half = self.pairs.values[:, output], self.pairs.half[:, output]
            for k in np.argsort(-np.abs(values), kind="stable"):
                first, second = (labels[player] for player in pairs[k])
                value, width = float(values[k]), float(half[k])
                row = {
                    "output": name,
                    "scale": self.scales[output],
                    "first": first,
                    "second": second,
                    "second-order": value,
                }
                rows.append({**row, "second-order low": value - width, "second-order high": value + width})
        return rows

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a table."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def summary(self) -> str:
        """Return what was done, in one sentence."""
        done = f"{self.method}, {self.runs:,} runs, {with_noun(len(self.players), 'player')}, {with_noun(len(self.factors), 'number')}"
        if self.lost > 0:
            done += f"; {100 * self.lost:.2g} % of the runs gave no number"
        if self.settled is False:
            done += "; the largest are not yet known as well as was asked"
        return done


def global_sensitivities(
    function: VariedFunction,
    method: str = "sobol",
    by: str = "number",
    runs: int = RUNS,
    precision: float = PRECISION,
    seed: int = 1,
    claims: Mapping[str, Sequence[str]] | None = None,
    correlations: Correlations | None = None,
    progress: Progress | None = None,
    scale: str = OBSERVED,
    pairs: bool = False,
) -> Sensitivities:
    """Return how much numbers, or groups of them, decide of each output of a model.

    Parameters
    ----------
    method
        One of `METHODS`.
    by
        One of `factors.GROUPINGS`.
    runs
        Runs that may be spent; fewer are where the largest numbers are known sooner.
    precision
        Half-width of the interval of an index that is narrow enough.
    claims
        Claim -> numbers that it names, for groups by claim.
    correlations
        Of the numbers, for Shapley effects.
    scale
        On which outputs are counted, one of `output_scales.SCALES`.
    pairs
        Whether to tell what every two players decide together, of Sobol' indices: at twice the runs.

    Raises
    ------
    ConfigError
        Unknown methods, groupings and scales, or a method that has no groups or takes no correlations; all at once.
    """
    factors = function.factors
    _check(method, by, runs, precision, correlations, factors, scale, pairs)
    players = grouped(factors, by, claims)
    kept = KeptFunction(function, function.identity, function.together)
    scales = scales_of(function, scale)
    units = [function.unit(name) for name in function.outputs]
    if method in ("sobol", "shapley", "dgsm"):
        scheme: Scheme
        if method == "sobol":
            scheme = (PairScheme if pairs else SobolScheme)(list(players.values()), len(factors))
        elif method == "shapley":
            players = apart(players)
            scheme = ShapleyScheme(list(players.values()), len(factors), _matrix(correlations, factors))
        else:
            scheme = DerivativeScheme(len(factors))
        # Few dear runs are asked for at once, and many cheap ones.
        together = TOGETHER if function.together == PART else function.together
        result = sequential_indices(
            kept, scheme, runs, precision, seed, first=function.first_points, progress=progress, together=together,
            scaled=lambda values: on_scales(values, scales, function.outputs), tails="rank" not in scales,
        )  # fmt: skip
        return Sensitivities(
            method, players, factors, function.outputs, units, result.tables, result.measure, result.runs, result.lost,
            bool(result.settled), result.mean, result.sd, scales, result.pairs,
        )  # fmt: skip
    places = _places(method, len(factors), runs, seed)
    flat = places.reshape(-1, len(factors))
    values = _told(kept, flat, progress, function.together)
    mean, sd, lost = np.nanmean(values, axis=0), np.nanstd(values, axis=0), float(np.mean(~np.isfinite(values)))
    values = on_scales(values, scales, function.outputs)
    tables: Sequence[IndexTable]
    if method == "morris":
        tables = elementary_effects(places, values.reshape(*places.shape[:2], -1)).tables()
        measure = "mean size"
    elif method == "prcc":
        tables, measure = [partial_rank_correlations(flat, values)], "PRCC"
    else:
        tables, measure = _pawn_tables(flat, values, seed), "median"
    return Sensitivities(
        method, players, factors, function.outputs, units, tables, measure, len(flat), lost, None, mean, sd, scales
    )


def _check(
    method: str, by: str, runs: int, precision: float, correlations: Correlations | None, factors: Sequence[Factor],
    scale: str, pairs: bool,
) -> None:  # fmt: skip
    problems = []
    if scale not in SCALES:
        problems.append(not_among(SCALES, "unknown-scale", f"outputs are not counted on a scale {scale!r}", scale))
    if pairs and method in METHODS and method != "sobol":
        problems.append(Problem("no-pairs", f"{method} tells nothing of pairs", hint="Use sobol."))
    if method not in METHODS:
        problems.append(not_among(METHODS, "unknown-method", f"there is no method {method!r}", method))
    elif by != "number" and method not in OF_GROUPS:
        hint = f"Use {' or '.join(OF_GROUPS)}."
        problems.append(Problem("no-groups", f"{method} has numbers alone as players, no groups", found=by, hint=hint))
    if correlations is not None and method in METHODS and method != "shapley":
        problems.append(Problem("no-correlations", f"{method} takes numbers as independent", hint="Use shapley."))
    if runs < 1:
        problems.append(Problem("out-of-range", "runs is out of range", found=str(runs), expected="1 or more"))
    if not 0.0 <= precision < 1.0:
        problems.append(
            Problem("out-of-range", "precision is out of range", found=f"{precision:g}", expected="from 0 to below 1")
        )
    if correlations is not None:
        names = {factor.name for factor in factors}
        problems += [
            Problem("unknown-parameter", f"{name} is correlated, and is not varied")
            for name in correlations.names
            if name not in names
        ]
    if problems:
        raise ConfigError(problems)


def _matrix(correlations: Correlations | None, factors: Sequence[Factor]) -> Numbers | None:
    if correlations is None or not correlations.pairs:
        return None
    columns = {factor.name: column for column, factor in enumerate(factors)}
    matrix = np.eye(len(factors))
    for pair in correlations.pairs:
        first, second = columns[pair.row_a], columns[pair.row_b]
        matrix[first, second] = matrix[second, first] = pair.rho
    return matrix


def _places(method: str, columns: int, runs: int, seed: int) -> Numbers:
    """Return trajectories (n, columns + 1, columns), or a sample (n, 1, columns)."""
    if method == "morris":
        least, most = _TRAJECTORIES
        return trajectories(columns, min(max(runs // (columns + 1), least), most), seed)
    # A partial correlation needs more places than there are numbers.
    count = max(min(runs, _SAMPLE), 4 * columns)
    return sobol_points(columns, 0, 1 << int(np.log2(count)), (seed, 0))[:, None, :]


def _told(function: CubeFunction, places: Numbers, progress: Progress | None, together: int) -> Numbers:
    parts = []
    for start in range(0, len(places), together):
        if progress is not None:
            progress("simulating", start, len(places))
        parts.append(function(places[start : start + together]))
    return np.concatenate(parts)


def _pawn_tables(x: Numbers, y: Numbers, seed: int) -> list[IndexTable]:
    """Return the distances, and what a number that does nothing at all would have: the noise of a sample of this size."""
    idle = np.random.default_rng([seed, 2]).random((len(x), 1))
    noise = np.repeat(pawn_distances(idle, y)["median"], x.shape[1], axis=0)
    distances = {**pawn_distances(x, y), "noise": noise}
    return [IndexTable(name, values, np.full(values.shape, np.nan)) for name, values in distances.items()]
