"""The verb validate: the scorecard of the models against published numbers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from .. import kept
from ..completion import starting
from ..csv_output import Csv, given_as_csv
from ..shared import JsonOption, err, names_option, out, print_json, print_note
from ..waiting import show_progress


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("validate")(validate_command)


def _complete_organ(incomplete: str) -> list[str]:
    return starting(dict.fromkeys(kept.organs_by_target().values()), incomplete)


def _complete_id(incomplete: str) -> list[str]:
    return starting(kept.organs_by_target(), incomplete)


def validate_command(
    organ: Annotated[
        list[str] | None,
        typer.Option(
            "--organ", metavar="NAME", help="kidney, metabolism or cells; default: all.", autocompletion=_complete_organ
        ),
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="ID", help="Targets, e.g. V16 or kidney/V16a.", autocompletion=_complete_id),
    ] = None,
    as_json: JsonOption = False,
    csv_path: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the scorecard as CSV; '-' for standard output.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw the scorecard (png, svg or pdf).")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Print set-up, note and source of every target.")
    ] = False,
) -> None:
    """Score the models against published results.

    Each target is simulated and printed with the model's value and a verdict. A miss is a result: the exit code is 0.
    """
    from ...validation.scorecard.scorecard import run_scorecard
    from ...validation.scorecard.targets import select_targets

    targets = select_targets(names_option(organ or ()), names_option(ids or ()))
    with _progress() as progress:
        card = run_scorecard(targets, progress)
    if plot is not None:
        from ...validation.scorecard.scorecard_figure import draw_scorecard

        draw_scorecard(card, plot)
        print_note(f"wrote {plot}")
    from ...validation.scorecard.scorecard_text import csv_text

    done = given_as_csv(Csv(lambda: csv_text(card), len(card.scores)), csv_path, as_json, text=True)
    if as_json:
        from ...validation.scorecard.agreement import RULE

        counts = [{"organ": o, "rows": g, **numbers} for (o, g), numbers in card.counts().items()]
        rows = [score.as_dict() for score in card.scores]
        print_json({"rule": RULE, "targets": rows, "counts": counts, "seconds": card.seconds})
    elif not done:
        from ...validation.scorecard.scorecard_text import full_report

        out().print(full_report(card, verbose))


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None] | None]:
    """Show a progress bar on stderr, where stderr is a terminal."""
    if not sys.stderr.isatty():
        with show_progress(False) as told:
            assert told is not None
            yield lambda name, done, total: told(f"simulating {name or 'the last target'}", done, total)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err(), transient=True) as display:
        task = display.add_task("assembling", total=None)
        yield lambda name, done, total: display.update(task, description=name or "done", completed=done, total=total)
