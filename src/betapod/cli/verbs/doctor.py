"""The verb doctor: is this installation sound."""

from __future__ import annotations

from typing import Annotated

import typer

from ...base.exports import printable
from ..shared import JsonOption, out, print_json, print_note, print_text
from ..waiting import waiting


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("doctor")(doctor_command)


def doctor_command(
    quick: Annotated[bool, typer.Option("--quick", help="Skip the simulation.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check the installation, and say how to get what is missing.

    Packages, optional extras, programs, processor, folders, disk, and a simulation that is compared with known numbers.

    Exit code 1 if something that betapod needs is missing or wrong.
    """
    from .. import installation as doctor
    from ..tables import wrap_cells

    with waiting("examining"):
        findings = doctor.examine(simulate=not quick)
    sound = all(finding.ok is not False for finding in findings)
    if as_json:
        print_json({"ok": sound, "findings": [finding.as_dict() for finding in findings]})
    else:
        for finding in findings:
            mark, style = {True: ("ok", "green"), False: ("WRONG", "bold red"), None: ("-", "dim")}[finding.ok]
            out().print(f"{mark:>5} ", style=style, end="")
            out().print(f"{finding.what:<18}", end="")
            first, *rest = wrap_cells(printable(finding.found), max(out().width - 24, 20))
            out().print(first, markup=False, soft_wrap=True)
            for line in rest:
                out().print(f"{'':>24}{line}", markup=False, soft_wrap=True)
            if finding.get:
                print_text(f"{'':>24}get it: {finding.get}", "bold", 24)
        out().print("sound" if sound else "not sound", style="green" if sound else "bold red")
        if missing := [finding.what for finding in findings if finding.ok is None and finding.get]:
            print_note(f"optional and missing: {', '.join(missing)}")
    if not sound:
        raise typer.Exit(1)
