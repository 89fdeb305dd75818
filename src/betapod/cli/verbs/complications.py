"""The verb complications: what may happen to people with diabetes and kidney disease, at which rate, on whose word."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..csv_output import Csv, CsvOption, WideOption, given_as_csv, matching
from ..shared import JsonOption, print_fields, print_json, print_note, print_table, print_text

complications_app = typer.Typer(
    help="Complications: eyes, nerves, feet, kidney failure, acute events.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.add_typer(complications_app, name="complications")


def complete_complication(incomplete: str) -> list[str]:
    """Complete the name of a complication."""
    from ...hazards.complications.complication import complications

    return [name for name in complications() if name.startswith(incomplete)]


@complications_app.command("list")
def list_complications_command(
    search: Annotated[
        str | None,
        typer.Option("--search", metavar="WORDS", help="Only those with all of these words in name, label or group."),
    ] = None,
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """List complications with their rates in the reference person.

    Into a pipe or a file the list goes as CSV. The reference person is a man of 60 with type 2 diabetes for ten years, HbA1c 7 %, 130 mmHg,
    eGFR 90 and UACR 10 mg/g. Death, heart, kidney injury, infection and cancer have rates of their own: see the page on outcomes.
    """
    from ...hazards.complications.complication_cards import complication_list

    every = complication_list()
    rows = [row for row in every if matching(search, row["name"], row["label"], row["group"])]
    done = given_as_csv(Csv.of(list(every[0]), [list(row.values()) for row in rows]), csv, as_json, wide)
    if as_json:
        print_json({"complications": rows})
    if done or as_json:
        return
    print_table(
        ("name", "what it is", "per 1000 and year", "more with", "grade"),
        [(row["name"], row["label"], _rate(row["rate"]), row["rises_with"], row["grade"]) for row in rows],
        spare=("more with", "what it is"),
        right=("per 1000 and year",),
        groups=[row["group"] for row in rows],
        wide=wide,
    )
    print_note(
        f"{len(rows)} of {len(every)}; rates of the reference person; one with its sources: betapod complications show NAME"
    )


@complications_app.command("show")
def show_complication_command(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A complication of the list.", autocompletion=complete_complication)
    ],
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the equation of a complication and its sources.

    Into a pipe or a file the numbers go as CSV.
    """
    from ...hazards.complications.complication_cards import complication_card

    card = complication_card(name)
    numbers: list[dict[str, Any]] = card["numbers"]
    done = given_as_csv(Csv.of(list(numbers[0]), [list(row.values()) for row in numbers]), csv, as_json, wide)
    if as_json:
        print_json(card)
    if done or as_json:
        return
    print_text(f"{card['name']}  {card['label']}", "bold", 2)
    facts = [
        ("group", card["group"]),
        ("comes to people with", ", ".join(card["needs"])),
        ("and without", ", ".join(card["unless"])),
        ("begins", card["begins"]),
        ("ends", ", ".join(card["ends"])),
        ("comes again", "yes" if card["repeats"] else ""),
        ("rate", card["equation"]),
    ]
    print_fields([(field, text.replace("_", " ") if field != "rate" else text) for field, text in facts if text])
    print_table(
        ("what", "value", "from", "to", "unit", "source", "grade", "note"),
        [
            (
                row["what"], f"{row['value']:.3g}", f"{row['low']:.3g}", f"{row['high']:.3g}", row["unit"],
                ", ".join(part for part in (row["role"], row["source"].replace(";", ", ")) if part), row["grade"], row["note"],
            )
            for row in numbers
        ],
        spare=("note", "source"),
        right=("value", "from", "to"),
        wide=wide,
    )  # fmt: skip


def _rate(value: float) -> str:
    return f"{value:.3g}" if value < 999.5 else f"{value:,.0f}"
