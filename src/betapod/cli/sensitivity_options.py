"""Options that say how sensitivity is measured, and what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from ..base.errors import ConfigError, Problem
from .csv_output import CsvOption, WideOption, given_as_csv
from .running import QuietOption, breaking
from .sensitivity_results import draw_indices, indices_document, print_indices, rows_csv
from .shared import JsonOption, print_json, print_note, unfit_figure, warn
from .waiting import show_progress

if TYPE_CHECKING:
    from ..engine.correlations import Correlations
    from ..sensitivity.global_sensitivity import Sensitivities
    from ..sensitivity.model_function import VariedFunction
    from .waiting import Progress

#: Players of a table on a terminal.
ROWS = 10
#: Share of runs without a number from which that is said.
_MANY = 0.05

PlotOption = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Draw the largest (png or svg); their numbers are written beside."),
]
RowsOption = Annotated[int, typer.Option("--rows", min=1, help="Rows of each output's table.")]


@dataclass(frozen=True)
class MethodOptions:
    """How sensitivity is measured."""

    heading: ClassVar[str] = "Method"

    method: Annotated[
        str, typer.Option("--method", metavar="NAME", help="sobol, shapley, morris, dgsm, prcc or pawn.")
    ] = "sobol"
    by: Annotated[str, typer.Option("--by", metavar="WORD", help="Players: number, submodel, grade or claim.")] = (
        "number"
    )
    runs: Annotated[int, typer.Option("--runs", min=1, help="Runs of the model that may be spent.")] = 50_000
    precision: Annotated[
        float,
        typer.Option("--precision", help="Half-width of the ten largest indices that is narrow enough; 0 spends all."),
    ] = 0.025
    correlations: Annotated[
        Path | None,
        typer.Option("--correlations", metavar="CSV", help="Correlated numbers, for shapley: row_a,row_b,rho,..."),
    ] = None
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed.")] = 1
    scale: Annotated[
        str,
        typer.Option(
            "--scale", metavar="WORD", help="Outputs count as observed (some by logarithm), linear, log, rank."
        ),
    ] = "observed"
    pairs: Annotated[
        bool, typer.Option("--pairs", help="Second-order indices of every pair too, of sobol; takes twice the runs.")
    ] = False

    def applied_to(self, function: VariedFunction, progress: Progress | None) -> Sensitivities:
        """Return how much each player decides of each output of a function."""
        from ..sensitivity.global_sensitivity import global_sensitivities

        return global_sensitivities(
            function, self.method, self.by, self.runs, self.precision, self.seed, _claims(self.by),
            _correlations(self.correlations), progress, self.scale, self.pairs,
        )  # fmt: skip


@dataclass(frozen=True)
class SharesShown:
    """How shares of the variance are computed and given."""

    plot: PlotOption = None
    rows: RowsOption = ROWS
    csv: CsvOption = None
    wide: WideOption = False
    quiet: QuietOption = False
    as_json: JsonOption = False

    def check(self) -> None:
        """Check what can be checked before anything is computed.

        Raises
        ------
        ConfigError
            Pictures are not of this kind.
        """
        if problems := unfit_figure(self.plot):
            raise ConfigError(problems)

    def of(self, function: VariedFunction, how: MethodOptions) -> Sensitivities:
        """Return how much each player decides of each output, with a progress bar and a warning where runs gave no number."""
        with breaking(), show_progress(self.quiet) as progress:
            result = how.applied_to(function, progress)
        if result.lost > _MANY:
            warn(f"{100 * result.lost:.2g} % of the runs gave no number: shares are of the others")
        return result

    def give(self, function: VariedFunction, result: Sensitivities, remark: str = "") -> None:
        """Draw, write and print what was computed; the remark stands below a table."""
        if self.plot is not None:
            draw_indices(result, self.plot)
        text = bool(self.csv or self.plot)
        done = given_as_csv(rows_csv(result.rows()), self.csv, self.as_json, self.wide, text=text, quiet=self.quiet)
        if self.as_json:
            print_json(indices_document(function, result))
        elif not done:
            print_indices(result, self.rows, self.wide)
            if remark:
                print_note(remark)


def _correlations(path: Path | None) -> Correlations | None:
    if path is None:
        return None
    from ..engine.correlations import read_correlations

    try:
        return read_correlations(path)
    except OSError as error:
        raise ConfigError(Problem("unreadable-file", f"cannot read {path}: {error.strerror}")) from None


def _claims(by: str) -> dict[str, list[str]] | None:
    """Return claim -> numbers that it names, where groups are by claim."""
    if by != "claim":
        return None
    from ..claims.claims import load_claims

    return {claim.id: [name.strip() for name in claim.parameters.split(";")] for claim in load_claims()}
