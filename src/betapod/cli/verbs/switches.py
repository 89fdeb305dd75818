"""The verb switches: mechanisms of cell therapy that can be turned on and off, and what each of them turns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .. import kept
from ..completion import complete_switch
from ..csv_output import Csv, WideOption, given_as_csv, matching
from ..shared import JsonOption, print_fields, print_json, print_note, print_table, print_text
from ..waiting import waiting


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("switches")(switches_command)


def switches_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Switches to show in full.", autocompletion=complete_switch),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            metavar="WORDS",
            help="Only switches with all of these words in name, label, equations or parameters.",
        ),
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Write one row for each switch and equation as CSV; '-' for standard output."
        ),
    ] = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """List the mechanism switches of the models, or show some in full.

    Into a pipe or a file the list goes as CSV, one row for each switch and equation.

    A switch is an input, 1 (on) or 0 (off): 'betapod simulate reference --cells ... --set sw_filtration=0'. It acts in a scenario of
    cell therapy if turning it there changes the course of kidney or metabolism.
    """
    from ...base.errors import ConfigError, not_among

    with waiting("assembling models"):
        every = kept.switch_values()
    if unknown := [name for name in names or () if name not in every]:
        message = "there is no mechanism switch {!r}"
        raise ConfigError([not_among(every, "unknown-switch", message.format(name), name) for name in unknown])
    selected = [switch for switch in map(every.__getitem__, dict.fromkeys(names or every)) if _mentions(switch, search)]
    done = given_as_csv(_as_csv(selected), csv, as_json, wide, text=bool(names))
    if as_json:
        print_json({"switches": selected})
        return
    if done:
        return
    if names:
        for switch in selected:
            _card(switch)
        return
    print_table(
        ("name", "what it turns", "default", "acts under", "submodels"),
        [
            (switch["name"], switch["label"], _default(switch), _scenarios(switch), ", ".join(_submodels(switch)))
            for switch in selected
        ],
        spare=("submodels", "default"),
        wide=wide,
    )
    print_note(f"{len(selected)} of {len(every)} switches; a card of each: betapod switches NAME")


def _mentions(switch: dict[str, Any], words: str | None) -> bool:
    texts = [switch["name"], switch["label"], switch["note"], *switch["parameters"]]
    texts += [parameter["label"] for parameter in switch["parameters"].values()]
    texts += [
        part for equation in switch["equations"] for part in (equation["text"], equation["label"], equation["submodel"])
    ]
    return matching(words, *texts)


def _default(switch: dict[str, Any]) -> str:
    """Return on or off; by model where models differ."""
    models: dict[str, list[str]] = {}
    for name, value in switch["defaults"].items():
        models.setdefault("on" if value else "off", []).append(name)
    if len(models) == 1:
        return next(iter(models))
    return "; ".join(f"{word} in {', '.join(names)}" for word, names in models.items())


def _scenarios(switch: dict[str, Any]) -> str:
    return ", ".join(switch["scenarios"]) or "-"


def _submodels(switch: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(equation["submodel"] for equation in switch["equations"]))


def _card(switch: dict[str, Any]) -> None:
    print_text(f"{switch['name']}  {switch['label']}", "bold", 2)
    acts = _scenarios(switch)
    if acts == "-":
        acts = (
            "no scenario changes kidney or metabolism by it alone: it acts when cells are given, or on a reduced form"
        )
    print_fields(
        [
            ("models", ", ".join(switch["defaults"])),
            ("default", _default(switch)),
            ("acts under", acts),
            ("note", switch["note"]),
        ]
    )
    for equation in switch["equations"]:
        print_text(f"  {equation['submodel']}  {equation['place']}", "bold", 4)
        print_text(f"    {equation['text']}  [{equation['unit']}]  {equation['label']}", hanging=6)
    if switch["parameters"]:
        print_text("")
        names = list(next(iter(switch["parameters"].values()))["values"])
        rows = [
            (key, *(f"{row['values'][name]:.4g}" for name in names), row["unit"], row["label"])
            for key, row in switch["parameters"].items()
        ]
        print_table(("parameter", *names, "unit", "meaning"), rows, right=tuple(names))


def _as_csv(selected: list[dict[str, Any]]) -> Csv:
    head = ("name", "label", "default", "acts_under", "submodel", "place", "equation", "unit", "meaning", "parameters")
    rows = [
        [
            switch["name"],
            switch["label"],
            _default(switch),
            " ".join(switch["scenarios"]),
            equation["submodel"],
            equation["place"],
            equation["text"],
            equation["unit"],
            equation["label"],
            " ".join(switch["parameters"]),
        ]
        for switch in selected
        for equation in switch["equations"]
    ]
    return Csv.of(head, rows)
