"""The verbs doctor and demo: is this installation sound, and what does betapod do."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from .cli_common import JsonOption, err, note, out, print_json, print_table, waiting


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("doctor")(doctor_command)
    app.command("demo")(demo_command)


def doctor_command(
    quick: Annotated[bool, typer.Option("--quick", help="Leave the simulation out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Examine the installation: versions, extras, processor, folders, and a simulation against known numbers.

    Exit code 1 if something that betapod needs is missing or wrong.
    """
    from . import doctor

    with waiting("examining"):
        findings = doctor.examine(simulate=not quick)
    sound = all(finding.ok is not False for finding in findings)
    if as_json:
        print_json({"ok": sound, "findings": [finding.as_dict() for finding in findings]})
    else:
        for finding in findings:
            mark, style = {True: ("ok", "green"), False: ("WRONG", "bold red"), None: ("-", "dim")}[finding.ok]
            out().print(f"{mark:>5} ", style=style, end="")
            out().print(f"{finding.what:<22}", end="")
            out().print(finding.found, markup=False)
        out().print("sound" if sound else "not sound", style="green" if sound else "bold red")
    if not sound:
        raise typer.Exit(1)


def demo_command(
    folder: Annotated[Path, typer.Option("--out", help="Folder for figure, tables and page.")] = Path("demo"),
    as_json: JsonOption = False,
) -> None:
    """Simulate a kidney over twenty years, healthy and diabetic, treated and not; write a figure, a table and a page."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from .report import demo

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err(), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("assembling", total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        demonstration = demo.run(progress)
        bar.update(task, description="drawing")
        written = demo.write(demonstration, folder)
    if as_json:
        records = demonstration.table.to_dict("records")
        print_json({"files": [str(path) for path in written], "table": records})
        return
    shown = {
        "person": "person",
        "treatment from year 5": "treatment",
        "GFR at 5 y (mL/min)": "GFR\n5 y",
        "GFR at 20 y (mL/min)": "GFR\n20 y",
        "GFR slope, years 6-20 (mL/min/year)": "slope\nper y",
        "UACR at 20 y (mg/g)": "UACR\n20 y",
        "MAP at 20 y (mmHg)": "MAP\n20 y",
    }
    table = demonstration.table[list(shown)]
    print_table(list(shown.values()), demo.rounded(table), right=list(shown.values())[2:])
    out().print("GFR in mL/min, UACR in mg/g, MAP in mmHg; treatment from year 5", style="dim")
    note(demo.DISCLAIMER)
    for path in written:
        out().print(os.fspath(path), markup=False)
