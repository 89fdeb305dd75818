"""The verb sensitivity local: one number at a time, as a table and a tornado."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...base.errors import ConfigError
from ..csv_output import CsvOption, WideOption, given_as_csv
from ..options import ModelArgument, ModelChanges, spelt_out
from ..running import ThreadsOption
from ..sensitivity_options import ROWS, PlotOption, RowsOption
from ..sensitivity_results import rows_csv
from ..shared import JsonOption, print_json, print_note, print_table, unfit_figure
from ..treatment import Given
from ..varied_model import ReadOutputs, VariedNumbers, model_function

if TYPE_CHECKING:
    from ...sensitivity.local_sensitivity import LocalSensitivities
    from ...sensitivity.model_function import ModelFunction


@spelt_out
def sensitivity_local_command(
    model: ModelArgument,
    *,
    changes: ModelChanges,
    treatment: Given,
    numbers: VariedNumbers,
    read: ReadOutputs,
    plot: PlotOption = None,
    rows: RowsOption = ROWS,
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
    function = model_function(model, changes, treatment, numbers, read, threads)
    result = local_sensitivities(function)
    records = [dict(row) for row in local_rows(result)]
    if plot is not None:
        _draw_tornado(function, result, plot)
    done = given_as_csv(rows_csv(records), csv, as_json, wide, text=bool(csv or plot))
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
