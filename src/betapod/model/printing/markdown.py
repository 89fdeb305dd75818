"""Model document as Markdown with LaTeX mathematics."""

from __future__ import annotations

from collections.abc import Sequence

from ..parameters.table import Parameter
from .formula_notation import text_of
from .latex import LatexPrinter, symbol_latex, unit_latex
from .model_document import (
    EventLine,
    Line,
    ModelDocument,
    ModelSection,
    event_text,
    number_text,
    range_text,
    statement_text,
)


def markdown_document(sheet: ModelDocument, mathematics: bool = True) -> str:
    """Return a model as a Markdown document.

    Parameters
    ----------
    mathematics
        Whether formulas are set as LaTeX between dollar signs; otherwise they stand as code in the model language.
    """
    printer = LatexPrinter(sheet.names)
    out = [f"# {sheet.title}", *sheet.introduction]
    out.append("Contents: " + ", ".join(f"[{s.title}](#{_anchor(s.title)})" for s in sheet.sections) + ".")
    if sheet.states:
        rows = [[f"`{s.name}`", s.label, s.unit, s.initial, s.owner] for s in sheet.states]
        out += ["## States", table_in_markdown(["state", "meaning", "unit", "at start", "submodel"], rows)]
    for section in sheet.sections:
        out += section_blocks(section, printer if mathematics else None)
    if sheet.inputs:
        out += ["## Inputs", "Set by a user or a protocol; they may change with time.", parameter_table(sheet.inputs)]
    if sheet.functions:
        out.append("## Functions")
        out += [_statement(line, printer if mathematics else None) for line in sheet.functions]
    if sheet.references:
        out += [
            "## References",
            "\n".join(f"- **{key}** {text}" + (f" <{link}>" if link else "") for key, text, link in sheet.references),
        ]
    return "\n\n".join(out) + "\n"


def section_blocks(section: ModelSection, printer: LatexPrinter | None) -> list[str]:
    """Return the blocks of one submodel."""
    out = [f"## {section.title}", *section.paragraphs]
    if section.reads:
        out.append(
            "Reads " + ", ".join(f"`{r.name}`" + (f" ({r.owner})" if r.owner else "") for r in section.reads) + "."
        )
    out += [_statement(line, printer) for line in section.lines]
    out += [_event(event) for event in section.events]
    if section.parameters:
        out += [f"### Parameters of {section.title}", parameter_table(section.parameters)]
    if section.shared:
        out.append("Also used: " + ", ".join(f"`{name}` (see {home})" for name, home in section.shared) + ".")
    return out


def _statement(line: Line, printer: LatexPrinter | None) -> str:
    label = "" if line.label == line.name else line.label
    if line.kind == "initial":
        label = f"{label}, initial value" if label else "initial value"
    if printer is None:
        return f"**{line.name}** {label}\n\n```\n{statement_text(line)}  [{line.unit}]\n```"
    if line.start is not None:
        label += f" (solved by {line.steps} Newton steps from ${printer.expression(line.start)}$)"
    formulas = [rf"{printer.statement(line)} \qquad [{unit_latex(line.unit)}]"]
    formulas += [rf"\text{{where }} {symbol_latex(name)} = {printer.expression(part)}" for name, part in line.where]
    return f"**`{line.name}`** {label}\n\n" + "\n\n".join(f"$$\n{formula}\n$$" for formula in formulas)


def _event(event: EventLine) -> str:
    text = event_text(event)
    for keyword, node in (("delay", event.delay), ("priority", event.priority)):
        if node is not None:
            text += f"  # {keyword} {text_of(node)}"
    return f"**Event `{event.name}`** {event.label}\n\n```\n{text}\n```"


def parameter_table(rows: Sequence[Parameter]) -> str:
    """Return parameters as a Markdown table."""
    header = ["id", "meaning", "value", "unit", "range", "role", "grade", "source", "note"]
    return table_in_markdown(
        header,
        [
            [
                f"`{row.id}`",
                row.label,
                number_text(row.value),
                row.unit,
                range_text(row),
                row.role,
                row.grade,
                " ".join(filter(None, (row.source, row.locator))),
                row.note,
            ]
            for row in rows
        ],
    )


def table_in_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; bars in cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")
