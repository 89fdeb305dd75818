"""The verb drugs: what standard care there is, by class, and what a drug does, with the sources of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ..completion import complete_drug_name
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv, matching
from ..running import command
from ..shared import JsonOption, print_fields, print_json, print_note, print_table, print_text

if TYPE_CHECKING:
    from ...base.errors import Problem


class DrugVerbs(TyperGroup):
    """The verbs of drugs; another word is a drug that somebody wants to see."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the verb that is meant; of no verb say how a drug is shown."""
        word = args[0]
        if self.get_command(ctx, word) is None and not word.startswith("-"):
            from ...base.errors import ConfigError, not_among

            problem = not_among(self.list_commands(ctx), "unknown-verb", f"'betapod drugs' has no verb {word!r}", word)
            raise ConfigError(replace(problem, hint=f"To show a drug or a class: {command('drugs', 'show', word)}"))
        return super().resolve_command(ctx, args)


drugs_app = typer.Typer(
    help="Standard care: drugs by class and dose, insulin, diet.", no_args_is_help=False, cls=DrugVerbs
)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.add_typer(drugs_app, name="drugs")


@drugs_app.callback(invoke_without_command=True)
def list_drugs_command(
    context: typer.Context,
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            metavar="WORDS",
            help="Only drugs with all of these words in name, class, ATC code, brands or doses.",
        ),
    ] = None,
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """List the drugs, insulins and diets that can be ordered, by class, each with its doses.

    Into a pipe or a file the list goes as CSV.

    Order one with its dose: 'betapod simulate reference --person t2d_ckd --drug "empagliflozin 10 mg"', or in a protocol. A person takes one
    drug of a class; a class alone, such as 'SGLT2 inhibitor', is what is typical of it.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(
            {"--search": search, "--csv": csv, "--wide": wide, "--json": as_json}, context.invoked_subcommand
        )
        return
    from ...therapies.drug_cards import drug_list

    every = drug_list()
    rows = [row for row in every if matching(search, *_words(row))]
    head = ("name", "class", "kind", "substance", "atc", "route", "doses", "names")
    cells = [[_joined(row[key]) for key in head] for row in rows]
    done = given_as_csv(Csv.of(head, cells), csv, as_json, wide)
    if as_json:
        print_json({"drugs": rows})
    if done or as_json:
        return
    print_table(
        ("name", "doses", "ATC", "also"),
        [(row["name"], ", ".join(row["doses"]), row["atc"], ", ".join(row["names"])) for row in rows],
        spare=("also", "ATC"),
        groups=[row["class"] for row in rows],
        wide=wide,
    )
    print_note(f"{len(rows)} of {len(every)}; what one does, with sources: betapod drugs show NAME")


def _refuse_options(options: dict[str, Any], verb: str) -> None:
    from ...base.errors import ConfigError, Problem

    if misplaced := [name for name, value in options.items() if value]:
        hint = f"Write it after {verb!r}, if that takes it."
        raise ConfigError(Problem("bad-option", f"{', '.join(misplaced)} stands before the verb {verb!r}", hint=hint))


def _words(row: dict[str, Any]) -> list[str]:
    return [row["name"], row["class"], row["kind"], row["substance"], row["atc"], *row["doses"], *row["names"]]


def _joined(value: Any) -> str:
    return "; ".join(value) if isinstance(value, list) else str(value)


@drugs_app.command("show")
def show_drugs_command(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Drugs or classes, brands included.", autocompletion=complete_drug_name),
    ],
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what drugs do at each dose, with sources and limits.

    Quantities are inputs of the models. 'times', 'plus', 'at least', 'set to' and 'switched to' say how several drugs on one combine.
    """
    from ...base.errors import BetapodError, ConfigError
    from ...therapies.drug_cards import drug_card, drugs_named

    problems: list[Problem] = []
    wanted: dict[str, None] = {}
    for name in names:
        try:
            wanted.update(dict.fromkeys(drugs_named(name)))
        except BetapodError as error:
            problems += list(error.problems)
    if problems:
        raise ConfigError(problems)
    cards = [drug_card(name) for name in wanted]
    given_as_csv(Csv.of(_EFFECT_HEAD, _effect_rows(cards)), csv, as_json, wide, text=True)
    if as_json:
        print_json({"drugs": cards})
        return
    if csv is not None and str(csv) == "-":
        return
    for card in cards:
        _print_card(card, wide)


_EFFECT_KEYS = ("dose", "dose_unit", "quantity", "label", "rule", "value", "unit", "acts", "onset", "offset", "lasts")
_ORIGIN_KEYS = ("role", "source", "grade", "note")
_EFFECT_HEAD = (
    "name",
    *(key.replace("onset", "onset [day]").replace("offset", "offset [day]") for key in _EFFECT_KEYS),
    *_ORIGIN_KEYS,
)


def _effect_rows(cards: Sequence[dict[str, Any]]) -> list[list[Any]]:
    return [
        [card["name"], *(effect[key] for key in (*_EFFECT_KEYS, *_ORIGIN_KEYS))]
        for card in cards
        for effect in card["effects"]
    ]


def _print_card(card: dict[str, Any], wide: bool) -> None:
    from ...therapies.drug_cards import RULE_WORDS

    print_text(f"{card['name']}  {card['class']}", "bold", 2)
    facts = [
        ("substance", card["substance"]),
        ("ATC code", card["atc"]),
        ("route", card["route"]),
        ("doses", ", ".join(card["doses"])),
        ("also", ", ".join(card["names"])),
        ("note", card["note"]),
    ]
    print_fields([(name, text) for name, text in facts if text])
    rows, groups = [], []
    for effect in card["effects"]:
        value = f"{RULE_WORDS[effect['rule']]} {effect['value']:.4g}"
        unit = "" if effect["unit"] == "1" else effect["unit"]
        value += f" {unit}" if unit else ""
        if effect["per_unit"]:
            value += f" per {effect['dose_unit']}"
        course = "at once" if not effect["onset"] else f"{effect['onset']:g} d"
        if effect["lasts"] is not None:
            course += f", fades from day {effect['lasts']:g} on over {effect['offset']:g} d"
        origin = ", ".join(part for part in (effect["role"], effect["source"].replace(";", ", ")) if part)
        rows.append(
            (effect["quantity"], effect["label"], value, course, f"{origin} ({effect['grade']})", effect["note"])
        )
        groups.append(_dose_line(effect))
    print_table(
        ("quantity", "what it is", "effect", "full after", "from", "why"),
        rows,
        spare=("why", "full after"),
        groups=groups if len(set(groups)) > 1 else (),
        wide=wide,
    )
    for line in card["limits"]:
        print_text(f"  {line}", hanging=4)


def _dose_line(effect: dict[str, Any]) -> str:
    if effect["dose"] == "any":
        return f"any number of {effect['dose_unit']}"
    return (
        "name alone"
        if effect["dose_unit"] == "dose" and effect["dose"] == 1
        else f"{effect['dose']:g} {effect['dose_unit']}"
    )
