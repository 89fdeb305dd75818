"""The verb identify: what measurements would tell of the numbers of a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..csv_output import CsvOption, WideOption, given_as_csv
from ..options import ModelArgument, ModelChanges, spelt_out
from ..running import ThreadsOption
from ..sensitivity_results import rows_csv
from ..shared import JsonOption, names_option, print_json, print_table, print_text
from ..treatment import Given
from ..varied_model import ReadOutputs, VariedNumbers, model_function

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...sensitivity.model_function import ModelFunction
    from ...sensitivity.number_profiles import NumberProfile


@spelt_out
def identify_command(
    model: ModelArgument,
    *,
    changes: ModelChanges,
    treatment: Given,
    numbers: VariedNumbers,
    read: ReadOutputs,
    error: Annotated[
        str,
        typer.Option("--error", metavar="TEXT", help="SD of one measurement: '10 %', or 'GFR=5 %,MAP=3 %' by output."),
    ] = "10 %",
    profile: Annotated[
        list[str] | None,
        typer.Option("--profile", metavar="NAMES", help="Profile likelihood of these numbers: all others fitted anew."),
    ] = None,
    csv: CsvOption = None,
    wide: WideOption = False,
    threads: ThreadsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask what measurements would tell of numbers.

    Outputs are measured at all times (--times). Contraction is 1 less the SD of a number after the measurements over the one that its range
    is: 0 where they say nothing. The model is taken as linear around its values; with --profile it is not, and each of the numbers that are
    named is held at places of its range while all others are fitted.
    """
    from ...sensitivity.measured_numbers import measured_numbers
    from ...sensitivity.number_profiles import number_profiles

    function = model_function(model, changes, treatment, numbers, read, threads)
    errors = _errors(error, function.outputs)
    if profile:
        _give_profiles(function, number_profiles(function, errors, names_option(profile)), csv, wide, as_json)
        return
    told = measured_numbers(function, errors)
    records = told.rows()
    done = given_as_csv(rows_csv(records), csv, as_json, wide, text=bool(csv))
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


def _give_profiles(
    function: ModelFunction, profiles: list[NumberProfile], csv: Path | None, wide: bool, as_json: bool
) -> None:
    """Give the 95 % interval of each number by its profile, and in a CSV or document the whole curve."""
    heads = ("number", "unit", "value", "misfit")
    curves = [{head: row[head] for head in heads} for profile in profiles for row in profile.rows()]
    done = given_as_csv(rows_csv(curves), csv, as_json, wide, text=bool(csv))
    if as_json:
        numbers = [
            {"number": p.factor.name, "value": p.factor.row.value, "low": p.low, "high": p.high, "unit": p.factor.row.unit,
             "range": list(p.factor.range), "told": p.in_words, "meaning": p.factor.row.label}
            for p in profiles
        ]  # fmt: skip
        print_json({**function.about, "outputs": list(function.outputs), "profiles": numbers, "curves": curves})
    elif not done:
        cells = []
        for p in profiles:
            ends = ["" if end is None else f"{end:.3g}" for end in (p.low, p.high)]
            low, high = p.factor.range
            cells.append([p.factor.name, f"{p.factor.row.value:.3g}", *ends, f"{low:g} to {high:g}", p.in_words])
        print_table(["number", "value", "from", "to", "range", "told"], cells, ["value", "from", "to"], wide=wide)
        print_text(
            "from and to: the 95 % interval by profile likelihood; none on a side where the range ends before it", "dim"
        )


def _errors(text: str, outputs: Sequence[str]) -> list[float]:
    """Return the SD of a measurement of each output, as a share of its value."""
    from ...sensitivity.measured_numbers import measurement_errors
    from ..shared import assignments

    texts = names_option([text])
    for_all = len(texts) == 1 and "=" not in texts[0]
    return measurement_errors(outputs, texts[0] if for_all else assignments(texts, "--error"), "--error")
