"""Verbs of sensitivity: which numbers decide of outputs, one at a time and together, and of verdicts; and identify."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import typer

from ...base.errors import ConfigError, Problem
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..options import DosesOption, ModelArgument, ParametersOption, SettingsOption, SwitchesOption, spelt_out
from ..running import QuietOption, ThreadsOption, breaking
from ..shared import JsonOption, names_option, print_json, print_note, print_table, print_text, unfit_figure, warn
from ..tables import rounded
from ..treatment import Given
from ..varied_model import ReadOutputs, VariedNumbers, model_function
from ..waiting import show_progress
from .sensitivity_claims import sensitivity_claims_command

if TYPE_CHECKING:
    from ...sensitivity.global_sensitivity import Sensitivities
    from ...sensitivity.local_sensitivity import LocalSensitivities
    from ...sensitivity.model_function import ModelFunction

sensitivity = typer.Typer(no_args_is_help=True, help="Which numbers decide: of outputs, and of verdicts.")

#: Players of a table on a terminal.
_ROWS = 10
#: A share or correlation, with its interval, that three decimals would show as nothing.
_NOTHING = 5e-4
#: Measures in units of the output; the others are shares or correlations.
_IN_UNITS = ("mean effect", "mean size", "SD", "squared slope")

PlotOption = Annotated[
    Path | None,
    typer.Option("--plot", metavar="FILE", help="Draw the largest (png or svg); their numbers are written beside."),
]
RowsOption = Annotated[int, typer.Option("--rows", min=1, help="Rows of each output's table.")]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(sensitivity, name="sensitivity")
    app.command("identify")(identify_command)
    sensitivity.command("claims")(sensitivity_claims_command)


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


@sensitivity.command("indices")
@spelt_out
def sensitivity_indices_command(
    model: ModelArgument,
    settings: SettingsOption = None,
    doses: DosesOption = None,
    switches: SwitchesOption = None,
    tables: ParametersOption = None,
    *,
    treatment: Given,
    numbers: VariedNumbers,
    read: ReadOutputs,
    how: MethodOptions,
    plot: PlotOption = None,
    rows: RowsOption = _ROWS,
    csv: CsvOption = None,
    wide: WideOption = False,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Vary numbers together: how much each decides of an output.

    What was computed is kept: the same command, or one that may spend more runs, goes on where another was stopped.
    """
    from ...sensitivity.global_sensitivity import global_sensitivities

    if problems := unfit_figure(plot):
        raise ConfigError(problems)
    function = model_function(
        model, settings or (), tables or (), (doses or (), switches or ()), treatment, numbers, read, threads
    )
    correlations = _correlations(how.correlations)
    with breaking(), show_progress(quiet) as progress:
        result = global_sensitivities(
            function, how.method, how.by, how.runs, how.precision, how.seed, _claims(how.by), correlations, progress
        )
    if function.ended:
        print_note(f"{function.ended} runs came to a terminal event; the last value before it counts")
    if result.lost > 0.05:
        warn(f"{100 * result.lost:.2g} % of the runs gave no number: shares are of the others")
    if plot is not None:
        _draw(result, plot)
    done = given_as_csv(_csv(result.rows()), csv, as_json, wide, text=bool(csv or plot), quiet=quiet)
    if as_json:
        print_json(indices_document(function, result))
    elif not done:
        _print_indices(result, rows, wide)


def _correlations(path: Path | None) -> Any:
    if path is None:
        return None
    from ...engine.correlations import read_correlations

    try:
        return read_correlations(path)
    except OSError as error:
        raise ConfigError(Problem("unreadable-file", f"cannot read {path}: {error.strerror}")) from None


def _claims(by: str) -> dict[str, list[str]] | None:
    """Return claim -> numbers that it names, where groups are by claim."""
    if by != "claim":
        return None
    from ...claims.claims import load_claims

    return {claim.id: [name.strip() for name in claim.parameters.split(";")] for claim in load_claims()}


def _csv(rows: list[dict[str, Any]]) -> Csv:
    heads = list(dict.fromkeys(head for row in rows for head in row))
    return Csv.of(heads, [[row.get(head) for head in heads] for row in rows])


def indices_document(function: ModelFunction, result: Sensitivities) -> dict[str, Any]:
    """Return sensitivities as one document."""
    outputs = [
        {"name": name, "unit": unit, "mean": float(mean), "sd": float(sd)}
        for name, unit, mean, sd in zip(result.outputs, result.units, result.mean, result.sd, strict=True)
    ]
    return {
        "model": function.model.name,
        "fingerprint": function.model.fingerprint,
        "method": result.method,
        "measure": result.measure,
        "summary": function.summary,
        "times": [float(time) for time in function.times],
        "runs": result.runs,
        "lost": result.lost,
        "settled": result.settled,
        "numbers": [
            {
                "name": f.name,
                "low": f.range[0],
                "high": f.range[1],
                "unit": f.row.unit,
                "law": f.law,
                "grade": f.row.grade,
            }
            for f in result.factors
        ],
        "outputs": outputs,
        "indices": result.rows(),
    }


def _print_indices(result: Sensitivities, rows: int, wide: bool) -> None:
    labels = list(result.players)
    names = [table.name for table in result.tables]
    cells, groups = [], []
    for output, name in enumerate(result.outputs):
        for player in _shown(result, output, rows):
            members = [result.factors[column] for column in result.players[labels[player]]]
            texts = []
            for table in result.tables:
                value, half = table.values[player, output], table.half[player, output]
                texts.append(_measured(float(value), float(half), table.name))
            single = members[0] if len(members) == 1 and labels[player] == members[0].name else None
            meaning = single.row.label if single else f"{len(members)} numbers"
            cells.append([labels[player], *texts, single.row.grade if single else "", meaning])
            groups.append(
                f"{name} ({result.units[output]}): mean {result.mean[output]:.4g}, SD {result.sd[output]:.3g}"
            )
    head = "number" if labels == [factor.name for factor in result.factors] else "group"
    print_table(
        [head, *names, "grade", "meaning"], cells, right=names, spare=("meaning", "grade"), groups=groups, wide=wide
    )
    print_text(result.summary(), "dim")
    print_text("players whose share rounds to nothing are left out; --csv has them all", "dim")
    if result.settled is False:
        print_text("more runs (--runs) make the intervals narrower; what was computed is kept", "dim")


def _shown(result: Sensitivities, output: int, rows: int) -> list[int]:
    """Return the players that a terminal shows of an output: without those whose share is as good as nothing, but for one."""
    order = result.order(output)[:rows]
    if result.measure in _IN_UNITS:
        return order
    sizes = np.abs(result.leading.values[:, output]) + np.nan_to_num(result.leading.half[:, output])
    return [player for player in order if sizes[player] >= _NOTHING] or order[:1]


def _measured(value: float, half: float, measure: str) -> str:
    """Return a measure with its interval; shares and correlations in three decimals."""
    if measure in _IN_UNITS:
        return f"{value:.3g}" + (f" ± {half:.2g}" if half == half else "")
    return rounded(value, ".3f") + (f" ± {half:.3f}" if half == half else "")


def _draw(result: Sensitivities, path: Path) -> None:
    from ...report.common.figures import save
    from ...report.sensitivity.sensitivity_figures import sensitivity_figure

    figure, data = sensitivity_figure(result)
    about = f"How much numbers decide of {', '.join(result.outputs)}, by {result.method}."
    for written in save(figure, path, data, about):
        print_note(f"wrote {written}")


@sensitivity.command("local")
@spelt_out
def sensitivity_local_command(
    model: ModelArgument,
    settings: SettingsOption = None,
    doses: DosesOption = None,
    switches: SwitchesOption = None,
    tables: ParametersOption = None,
    *,
    treatment: Given,
    numbers: VariedNumbers,
    read: ReadOutputs,
    plot: PlotOption = None,
    rows: RowsOption = _ROWS,
    csv: CsvOption = None,
    wide: WideOption = False,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Vary one number at a time: slopes, and a tornado.

    An elasticity of 2 says that one per cent more of the number gives two per cent more of the output.
    """
    from ...sensitivity.local_sensitivity import local_rows, local_sensitivities

    if problems := unfit_figure(plot):
        raise ConfigError(problems)
    function = model_function(
        model, settings or (), tables or (), (doses or (), switches or ()), treatment, numbers, read, threads
    )
    result = local_sensitivities(function)
    records = [dict(row) for row in local_rows(result)]
    if plot is not None:
        _draw_tornado(function, result, plot)
    done = given_as_csv(_csv(records), csv, as_json, wide, text=bool(csv or plot))
    if as_json:
        print_json({"model": function.model.name, "summary": function.summary, "sensitivities": records})
    elif not done:
        _print_local(function, result, rows, wide)


def _draw_tornado(function: ModelFunction, result: LocalSensitivities, path: Path) -> None:
    from ...report.common.figures import save
    from ...report.sensitivity.sensitivity_figures import tornado_figure

    figure, data = tornado_figure(result, [function.unit(name) for name in result.outputs])
    about = f"Values of {', '.join(result.outputs)} with one number after the other at the ends of its range."
    for written in save(figure, path, data, about):
        print_note(f"wrote {written}")


def _print_local(function: ModelFunction, result: LocalSensitivities, rows: int, wide: bool) -> None:
    cells, groups = [], []
    for output, name in enumerate(result.outputs):
        for k in result.order(output)[:rows]:
            factor = result.factors[k]
            low, high = factor.range
            numbers = [result.elasticity[k, output], result.low[k, output], result.high[k, output]]
            cells.append(
                [
                    factor.name,
                    *(f"{x:.3g}" for x in numbers),
                    f"{low:g} to {high:g}",
                    factor.row.grade,
                    factor.row.label,
                ]
            )
            groups.append(f"{name} ({function.unit(name)}): {result.base[output]:.4g} at the model's values")
    numeric = ["elasticity", "at low", "at high"]
    print_table(
        ["number", *numeric, "range", "grade", "meaning"], cells, numeric, ("meaning", "grade"), groups, wide=wide
    )


@spelt_out
def identify_command(
    model: ModelArgument,
    settings: SettingsOption = None,
    doses: DosesOption = None,
    switches: SwitchesOption = None,
    tables: ParametersOption = None,
    *,
    treatment: Given,
    numbers: VariedNumbers,
    read: ReadOutputs,
    error: Annotated[
        str,
        typer.Option("--error", metavar="TEXT", help="SD of one measurement: '10 %', or 'GFR=5 %,MAP=3 %' by output."),
    ] = "10 %",
    csv: CsvOption = None,
    wide: WideOption = False,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask what measurements would tell of numbers.

    Outputs are measured at all times (--times). Contraction is 1 less the SD of a number after the measurements over the one that its range
    is: 0 where they say nothing. The model is taken as linear around its values.
    """
    from ...sensitivity.measured_numbers import measured_numbers

    function = model_function(
        model, settings or (), tables or (), (doses or (), switches or ()), treatment, numbers, read, threads
    )
    told = measured_numbers(function, _errors(error, function.outputs))
    order = sorted(range(len(told.factors)), key=lambda k: -told.contraction[k])
    apart = dict(told.told)
    records: list[dict[str, Any]] = [
        {
            "number": told.factors[k].name,
            "contraction": float(told.contraction[k]),
            "shows": float(told.importance[k]),
            "collinearity": apart.get(told.factors[k].name),
            "grade": told.factors[k].row.grade,
            "meaning": told.factors[k].row.label,
        }
        for k in order
    ]
    done = given_as_csv(_csv(records), csv, as_json, wide, text=bool(csv))
    if as_json:
        print_json(
            {
                "model": function.model.name,
                "outputs": list(function.outputs),
                "times": [float(time) for time in function.times],
                "numbers": records,
                "eigenvalues": [float(value) for value in told.eigenvalues],
                "alike": [{"first": a, "second": b, "cosine": c} for a, b, c in told.alike()],
                "in_words": told.in_words(),
            }
        )
    elif not done:
        cells = [
            [r["number"], f"{r['contraction']:.2f}", f"{r['shows']:.3g}",
             f"{r['collinearity']:.3g}" if r["collinearity"] else "", r["grade"], r["meaning"]]
            for r in records
        ]  # fmt: skip
        numeric = ["contraction", "shows", "collinearity"]
        print_table(["number", *numeric, "grade", "meaning"], cells, numeric, ("meaning", "grade"), wide=wide)
        for line in told.in_words():
            print_text(line)


def _errors(text: str, outputs: Any) -> list[float]:
    """Return the SD of a measurement of each output, as a share of its value."""
    from ..shared import assignments

    texts = names_option([text])
    shares = dict.fromkeys(outputs, None)
    if len(texts) == 1 and "=" not in texts[0]:
        return [_share(texts[0])] * len(outputs)
    by_output = assignments(texts, "--error")
    if problems := [
        Problem("unknown-name", f"{name!r} is not measured here", found=text, expected=", ".join(outputs))
        for name in by_output
        if name not in shares
    ]:
        raise ConfigError(problems)
    missing = [name for name in outputs if name not in by_output]
    if missing:
        raise ConfigError(Problem("bad-option", f"--error says nothing of {', '.join(missing)}", found=text))
    return [_share(by_output[name]) for name in outputs]


def _share(text: str) -> float:
    try:
        share = float(text.rstrip().removesuffix("%")) / (100.0 if "%" in text else 1.0)
    except ValueError:
        share = -1.0
    if not 0.0 < share < 10.0:
        raise ConfigError(
            Problem("bad-option", "this is no error of a measurement", found=text, expected="such as '10 %'")
        )
    return share
