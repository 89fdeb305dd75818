"""The verb harms: what a course of cells may do to somebody, against as many placebo infusions."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..completion import complete_cells, complete_scenario
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..shared import JsonOption, print_json, print_note, print_table, print_text
from ..waiting import waiting


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("harms")(harms_command)


def harms_command(
    order: Annotated[
        str,
        typer.Argument(
            metavar="ORDER",
            help="A course of cells: product, dose, route, repeats, e.g. 'UC-MSC 1e6/kg iv x3 q28d'.",
            autocompletion=complete_cells,
        ),
    ],
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            metavar="NAME",
            help="Whose numbers: none, current-evidence (the default), face-value or seed-claims.",
            autocompletion=complete_scenario,
        ),
    ] = None,
    kidney_disease: Annotated[
        bool,
        typer.Option("--kidney-disease", help="The person has kidney disease: an eGFR of 45 and a UACR of 300 mg/g."),
    ] = False,
    years: Annotated[
        float, typer.Option("--years", help="Years over which infection, thromboembolism and cancer are counted.")
    ] = 1.0,
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what harm a course of cells may do, against placebo.

    Into a pipe or a file the table goes as CSV. The intervals (95 %) are those of the numbers behind a harm; the grade is the worst of theirs.
    """
    from ...front.risks import harms
    from ...therapies.scenarios import DEFAULT, SCENARIOS

    with waiting("reading the order"):
        table = harms(order, scenario=scenario, kidney_disease=kidney_disease, years=years)
    understood, notes = table.attrs["understood"], table.attrs["notes"]
    rows: list[dict[Any, Any]] = [dict(row) for row in table.to_dict("records")]
    done = given_as_csv(Csv.of(list(table.columns), [list(row.values()) for row in rows]), csv, as_json, wide)
    if as_json:
        print_json(
            {"order": order, "understood": understood, "scenario": scenario or DEFAULT, "harms": rows, "notes": notes}
        )
    if done or as_json:
        return
    who = "a person 60 years old, of 80 kg" + (", with kidney disease" if kidney_disease else "")
    print_text(f"{understood}; {who}", "bold", 2)
    print_text(f"Of 1000 people, those who have it at least once, if {SCENARIOS[scenario or DEFAULT].label}:")
    print_table(
        ("harm", "each", "with cells", "placebo", "more with cells", "grade", "source"),
        [_cells(row) for row in rows],
        spare=("source", "each"),
        right=("with cells", "placebo", "more with cells"),
        wide=wide,
    )
    if not rows:
        print_note("the order has no cells in it, so that there is nothing to count")
        return
    for note in notes:
        print_note(note)


def _cells(row: dict[Any, Any]) -> tuple[str, ...]:
    counted = row["per"] if row["events"] == 1 else f"{row['events']} {row['per']}s"
    return (
        row["label"],
        f"{counted}, {_number(100 * row['chance'])} %",
        f"{_number(row['people'])} ({_number(row['low'])} to {_number(row['high'])})",
        _number(row["people_placebo"]),
        f"{_number(row['excess'])} ({_number(row['excess_low'])} to {_number(row['excess_high'])})",
        row["grade"],
        row["source"].replace(";", ", "),
    )


def _number(value: float) -> str:
    """Return a number with a digit after the point below 10."""
    text = f"{value:.1f}" if abs(value) < 9.95 else f"{value:.0f}"
    return "0" if text in ("0.0", "-0.0") else text
