"""The verb evidence new: tables to fill, with a comment for every column."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..running import command
from ..shared import JsonOption, print_json, print_note, print_text


def register(app: typer.Typer) -> None:
    """Add the verb to those of evidence."""
    app.command("new")(new_tables_command)


def new_tables_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder for the tables; made if there is none.")],
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write tables to fill: evidence, arms, cohorts, events.

    Each has a comment for every column and an invented example, which runs as it is: replace it by a study of your own.
    """
    from ...validation.predictions.own_templates import write_templates

    evidence, arms, cohorts, events = write_templates(folder, force)
    options = ("--overlay", evidence, "--arms", arms, "--cohorts", cohorts, "--events", events)
    steps = {
        "what is wrong with the tables": command(
            "evidence", "check", evidence, "--arms", arms, "--cohorts", cohorts, "--events", events
        ),
        "what it changes in the claims": command("claims", "--overlay", evidence, "--diff"),
        "what the model predicts of it": command("confront", "--study", "EXAMPLE2026", *options, "--rows"),
    }
    if as_json:
        print_json(
            {"files": [str(path) for path in (evidence, arms, cohorts, events)], "commands": list(steps.values())}
        )
        return
    print_text(f"written: {', '.join(str(path) for path in (evidence, arms, cohorts, events))}")
    for purpose, text in steps.items():
        print_note(f"{purpose}: {text}")
