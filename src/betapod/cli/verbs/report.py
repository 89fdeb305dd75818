"""The verbs report and demo: from a run, or a protocol, to a page that is read to the end."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..completion import complete_run
from ..running import QuietOption, breaking
from ..shared import JsonOption, out, print_json, print_note, print_table, print_text
from ..tables import without_unit
from ..waiting import show_progress

if TYPE_CHECKING:
    from ...report.trial.report_writing import WrittenReport

QuickOption = Annotated[
    bool, typer.Option("--quick", help="Skip sample-size curves, mechanisms and the comparison with real patients.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("report")(report_command)
    app.command("demo")(demo_command)


def report_command(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="Run folder of a trial, or a protocol to run now.", autocompletion=complete_run
        ),
    ],
    folder: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Folder to write into; default: RUN/report.")
    ] = None,
    replicates: Annotated[
        int | None,
        typer.Option(
            "--replicates",
            "-r",
            min=2,
            help="Simulated trials, where a protocol is run; default: the protocol's own number.",
        ),
    ] = None,
    quick: QuickOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the report of a trial: page, tables, a short summary here.

    The page is one self-contained HTML file; every table is written as CSV and Parquet.
    """
    from ...base.errors import ConfigError, Problem
    from ...report.trial.report_writing import make
    from ...trials import run_folder as store

    run_folder = Path(what)
    with breaking("resume", folder=run_folder), show_progress(quiet) as progress:
        if store.is_trial(run_folder):
            if replicates is not None:
                raise ConfigError(
                    Problem("bad-option", "--replicates does not fit a run that exists", hint="Run the protocol again.")
                )
            run = store.open_trial_run(run_folder, at_once=False)
        else:
            plan = store.trial_plan(what, replicates=replicates)
            run_folder = Path(f"betapod-{plan.protocol.name}")
            run = store.run_into(run_folder, plan, None, None, progress, ["betapod", *sys.argv[1:]])
        written = make(run, folder or run_folder / "report", sys.argv[1:], progress, quick)
    _tell(written, as_json, quiet)


def demo_command(
    folder: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Folder for the run and its report.")
    ] = Path("demo"),
    replicates: Annotated[
        int | None,
        typer.Option("--replicates", "-r", min=2, help="Simulated trials; default: the protocol's own 1000."),
    ] = None,
    quick: QuickOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run the example trial dn61, from virtual patients to its report.

    Would 61 patients with diabetic nephropathy seem to improve even if the cells did no good? How strong is the evidence of such a
    trial, and how large must a trial be that can detect the effect?
    """
    from ...report.trial import demo

    with breaking("resume", folder=folder / "run"), show_progress(as_json) as progress:
        result = demo.run_demo(folder, replicates, progress, sys.argv[1:], quick)
    first = next(iter(result.seconds))
    speed = result.trial_patients / max(result.seconds[first], 1e-9)
    timing = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in result.seconds.items())
    if not as_json:
        print_note(f"{result.trial_patients} trial patients, {speed:.0f} per second; {timing}")
    _tell(result.report, as_json, False, {"seconds": result.seconds, "trial_patients": result.trial_patients})


def _tell(written: WrittenReport, as_json: bool, quiet: bool, more: dict[str, object] | None = None) -> None:
    from ...report.common import words
    from ...report.trial import answers
    from ...report.trial.trial_report import WARNING, report_as_dict, terminal_summary
    from ...trials.conduct.feasibility import feasibility_notes
    from ...trials.operating.sizing import title
    from ...trust.trust_answer import trust_sentence
    from ...trust.trust_lines import question_of_protocol

    a = written.assessment
    if as_json:
        files = [os.fspath(path) for path in written.files]
        print_json({**report_as_dict(a, written.extra), **(more or {}), "files": files, "report": files[0]})
        return
    print_text(a.protocol.title, "bold")
    header, rows_with_units = terminal_summary(a)
    unit, rows = without_unit(rows_with_units)
    primary = a.protocol.endpoints.primary
    named, at = words.capital(title(primary, a.protocol)), f" {words.at_visit(primary.summary, a.visit)}"
    named += "" if named.endswith(a.visit) or primary.name.endswith(at) else at
    print_text(f"{named}{', ' if unit else ''}{unit}; {a.replicates} trials each", "dim")
    print_table(header, rows, varying=header)
    for question, answer in answers.answer_questions(a, written.extra.shares):
        print_text(question, "bold")
        print_text(answer)
    for design, people in a.behind.items():
        for text in feasibility_notes(a.protocol, design, people):
            print_note(f"{design}: {text}")
    if not quiet:
        print_note(trust_sentence(question_of_protocol(a.protocol)))
        print_note(WARNING)
    out().print(os.fspath(written.files[0]), markup=False)
