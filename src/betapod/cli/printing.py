"""Show a model on a terminal: dense, one line per equation, for a quick look."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from ..model.parameters.table import Parameter
from ..model.printing.model_document import (
    Line,
    ModelDocument,
    ModelSection,
    event_text,
    number_text,
    range_text,
    statement_text,
)
from .shared import print_table


def print_model(sheet: ModelDocument, console: Console) -> None:
    """Print a sheet to a terminal."""
    console.print(Text(sheet.title, style="bold"))
    for paragraph in sheet.introduction:
        console.print(Text(paragraph))
    if sheet.states:
        _heading(console, "States")
        print_table(
            ("state", "at start", "unit", "meaning"),
            [(state.name, state.initial, state.unit, state.label) for state in sheet.states],
            right=("at start",),
        )
    for section in sheet.sections:
        _section(section, console)
    if sheet.inputs:
        _heading(console, "Inputs")
        _parameters(sheet.inputs)
    if sheet.functions:
        _heading(console, "Functions")
        for line in sheet.functions:
            console.print(_statement(line))
    if sheet.references:
        _heading(console, "References")
        for key, text, link in sheet.references:
            console.print(Text.assemble((key, "bold"), f"  {text} {link}"))


def _heading(console: Console, text: str) -> None:
    console.print()
    console.rule(Text(text, style="bold"), align="left", characters="─", style="dim")


def _section(section: ModelSection, console: Console) -> None:
    _heading(console, section.title)
    for paragraph in section.paragraphs:
        console.print(Text(paragraph))
    if section.reads:
        console.print(Text("reads " + ", ".join(read.name for read in section.reads), style="dim"))
    console.print()
    for line in section.lines:
        console.print(_statement(line))
    for event in section.events:
        console.print(Text.assemble(event_text(event), (f"  {event.label}", "dim")))
    if section.parameters:
        console.print()
        _parameters(section.parameters)


def _statement(line: Line) -> Text:
    label = f"  {line.label}" if line.label and line.kind != "initial" else ""
    return Text.assemble(statement_text(line), (f"  [{line.unit}]", "cyan"), (label, "dim"))


def _parameters(rows: tuple[Parameter, ...]) -> None:
    # A narrow terminal keeps what a value is; where it comes from is told by `params show`.
    columns = ("id", "value", "unit", "range", "role", "grade", "source", "meaning")
    cells = [
        (
            row.id,
            number_text(row.value),
            row.unit,
            range_text(row),
            row.role,
            row.grade,
            row.source.replace(";", "; "),
            row.label,
        )
        for row in rows
    ]
    print_table(columns, cells, right=("value",), spare=("source", "range", "grade", "role", "unit"))
