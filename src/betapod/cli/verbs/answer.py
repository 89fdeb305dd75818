"""The verb answer: one answer to whether transplanted cells are effective, as a page and in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...base import overwriting
from ...base.errors import BetapodError, ConfigError
from ..completion import complete_cells, complete_patient, complete_reader
from ..shared import JsonOption, gather, print_json, print_note, print_table, print_text, write_out
from ..waiting import waiting
from ..writing import ForceOption

if TYPE_CHECKING:
    from ...base.errors import Problem
    from ...report.answer.whole_answer import Answer


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("answer")(answer_command)


def answer_command(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the answer as one HTML page.")
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person",
            metavar="NAME",
            help="Simulate this typical person as well, e.g. t2d_ckd; 'betapod patients people' lists them.",
            autocompletion=complete_patient,
        ),
    ] = None,
    cells: Annotated[
        str | None,
        typer.Option(
            "--cells",
            metavar="ORDER",
            help="Simulate this course as well, e.g. 'UC-MSC 1e6/kg iv x3 q28d'.",
            autocompletion=complete_cells,
        ),
    ] = None,
    reader: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="READER",
            help="Whose text comes first: patient, clinician or reviewer. In the terminal it is the only one.",
            autocompletion=complete_reader,
        ),
    ] = None,
    as_json: JsonOption = False,
    force: ForceOption = False,
) -> None:
    """Say whether transplanted cells are effective, on one page.

    Benefit, harm, certainty, alternatives: published numbers, verdicts of claims and simulation are joined, and each number says how it was
    computed. A person or a course that is asked for takes a minute the first time.
    """
    from ...base.files import unfit
    from ...report.answer.whole_answer import check_reader, check_request, join_answer

    if force:
        overwriting.force()
    problems: list[Problem] = unfit(out, (".html", ".htm")) if out is not None else []
    for check in (lambda: check_reader(reader or ""), lambda: check_request(person or "", cells or "")):
        try:
            check()
        except BetapodError as error:
            gather(problems, error)
    if problems:
        raise ConfigError(problems)
    with waiting("joining evidence, claims and simulation"):
        answer = join_answer(person or "", cells or "")
    if out is not None:
        answer.write(out, reader or "")
    if as_json:
        print_json(answer.as_dict())
    else:
        _print_summary(answer, reader or "")
    if out is not None:
        print_note(f"wrote {out}")


def _print_summary(answer: Answer, reader: str) -> None:
    """Print the answer in brief, the text for one reader or the table for all."""
    for sentence in answer.headline:
        print_text(answer.book.plain(sentence), "bold")
    if reader:
        write_out("\n")
        for paragraph in answer.texts[reader]:
            print_text(answer.book.plain(paragraph))
            write_out("\n")
    else:
        rows = [
            (
                effect.treatment,
                effect.outcome,
                effect.when,
                effect.text.replace("\u00a0", " "),
                effect.reply.certainty or "none",
            )
            for effect in answer.published
        ]
        print_table(("treatment", "outcome", "when", "effect", "certainty"), rows, spare=("when",))
        counted = ", ".join(f"{count} {name}" for name, count in answer.counts.verdicts.items() if count)
        print_text(f"Claims about cells: {counted}.")
    from ...report.answer.answer_sections import trusted_sentences

    print_note(trusted_sentences()[0])
    print_note("--out FILE writes the page; --for patient, clinician or reviewer prints a text")
