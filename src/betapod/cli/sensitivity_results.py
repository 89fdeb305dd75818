"""What verbs of sensitivity give: tables, documents, CSV and pictures of shares."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .csv_output import Csv
from .shared import print_note, print_table, print_text
from .tables import rounded

if TYPE_CHECKING:
    from ..sensitivity.global_sensitivity import Sensitivities
    from ..sensitivity.model_function import VariedFunction

#: A share or correlation, with its interval, that three decimals would show as nothing.
_NOTHING = 5e-4
#: Measures in units of the output; the others are shares or correlations.
_IN_UNITS = ("mean effect", "mean size", "SD", "squared slope")
#: What is said of an output that is not counted as it is.
_SCALED = {"log": "; of its logarithm", "rank": "; of its rank among all runs"}


def rows_csv(rows: list[dict[str, Any]]) -> Csv:
    """Return rows as a CSV, a column for each key of any of them."""
    heads = list(dict.fromkeys(head for row in rows for head in row))
    return Csv.of(heads, [[row.get(head) for head in heads] for row in rows])


def indices_document(function: VariedFunction, result: Sensitivities) -> dict[str, Any]:
    """Return sensitivities as one document."""
    outputs = [
        {"name": name, "unit": unit, "scale": scale, "mean": float(mean), "sd": float(sd)}
        for name, unit, scale, mean, sd in zip(
            result.outputs, result.units, result.scales, result.mean, result.sd, strict=True
        )
    ]
    return {
        **function.about,
        "method": result.method,
        "measure": result.measure,
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
        **({"pairs": result.pair_rows()} if result.pairs is not None else {}),
    }


def print_indices(result: Sensitivities, rows: int, wide: bool) -> None:
    """Print the players that decide most of each output."""
    labels = list(result.players)
    names = [table.name for table in result.tables]
    cells, groups = [], []
    for output in range(len(result.outputs)):
        for player in _shown(result, output, rows):
            members = [result.factors[column] for column in result.players[labels[player]]]
            texts = []
            for table in result.tables:
                value, half = table.values[player, output], table.half[player, output]
                texts.append(_measured(float(value), float(half), table.name))
            single = members[0] if len(members) == 1 and labels[player] == members[0].name else None
            meaning = single.row.label if single else f"{len(members)} numbers"
            cells.append([labels[player], *texts, single.row.grade if single else "", meaning])
            groups.append(_described(result, output))
    head = "number" if labels == [factor.name for factor in result.factors] else "group"
    print_table(
        [head, *names, "grade", "meaning"], cells, right=names, spare=("meaning", "grade"), groups=groups, wide=wide
    )
    if result.pairs is not None:
        _print_pairs(result, rows, wide)
    print_text(result.summary(), "dim")
    print_text("players whose share rounds to nothing are left out; --csv has them all", "dim")
    if result.settled is False:
        print_text("more runs (--runs) make the intervals narrower; what was computed is kept", "dim")
        if set(result.scales) != {"rank"}:
            print_text("where few runs lie far out, --scale rank is known with fewer", "dim")


def _described(result: Sensitivities, output: int) -> str:
    """Return an output with its mean and SD, and what is shared out if that is not the output as it is."""
    name, unit = result.outputs[output], result.units[output]
    text = f"{name} ({unit}): mean {result.mean[output]:.4g}, SD {result.sd[output]:.3g}"
    return text + _SCALED.get(result.scales[output], "")


def _print_pairs(result: Sensitivities, rows: int, wide: bool) -> None:
    cells, groups = [], []
    for output, name in enumerate(result.outputs):
        of_output = [row for row in result.pair_rows() if row["output"] == name][:rows]
        for row in of_output:
            half = 0.5 * (row["second-order high"] - row["second-order low"])
            cells.append([row["first"], row["second"], _measured(row["second-order"], half, "second")])
            groups.append(_described(result, output))
    print_table(["number", "with", "second-order"], cells, right=["second-order"], groups=groups, wide=wide)


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


def draw_indices(result: Sensitivities, path: Path) -> None:
    """Draw the largest of each output; their numbers are written beside."""
    from ..report.common.figures import save
    from ..report.sensitivity.sensitivity_figures import sensitivity_figure

    figure, data = sensitivity_figure(result)
    about = f"How much numbers decide of {', '.join(result.outputs)}, by {result.method}."
    for written in save(figure, path, data, about):
        print_note(f"wrote {written}")
