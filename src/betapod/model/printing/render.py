"""Export a model as Markdown, LaTeX, HTML, Graphviz, Mermaid or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...base.arguments import instance
from ...base.errors import ConfigError, not_among
from ..assembly.model import Model
from .document_layout import sheet_of
from .model_document import ModelDocument

if TYPE_CHECKING:
    from ..bibliography import Bibliography


def _markdown(model: Model, sheet: ModelDocument) -> str:
    from .markdown import markdown_document

    return markdown_document(sheet)


def _plain(model: Model, sheet: ModelDocument) -> str:
    from .markdown import markdown_document

    return markdown_document(sheet, mathematics=False)


def _latex(model: Model, sheet: ModelDocument) -> str:
    from .latex import latex_document

    return latex_document(sheet)


def _html(model: Model, sheet: ModelDocument) -> str:
    from .html import html_document

    return html_document(sheet)


def _dot(model: Model, sheet: ModelDocument) -> str:
    from .graph import dot, submodel_graph

    return dot(submodel_graph(sheet), sheet.title)


def _dot_names(model: Model, sheet: ModelDocument) -> str:
    from .graph import dot, name_graph

    return dot(name_graph(model), sheet.title)


def _mermaid(model: Model, sheet: ModelDocument) -> str:
    from .graph import mermaid, submodel_graph

    return mermaid(submodel_graph(sheet))


def _mermaid_names(model: Model, sheet: ModelDocument) -> str:
    from .graph import mermaid, name_graph

    return mermaid(name_graph(model))


def _json(model: Model, sheet: ModelDocument) -> str:
    return json.dumps(model_as_dict(model, sheet), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


#: Formats by name.
FORMATS: dict[str, Callable[[Model, ModelDocument], str]] = {
    "md": _markdown,
    "text": _plain,
    "latex": _latex,
    "html": _html,
    "dot": _dot,
    "dot-names": _dot_names,
    "mermaid": _mermaid,
    "mermaid-names": _mermaid_names,
    "json": _json,
}


class Printed(str):
    """A printed model: text, which notebooks show as what it is (Markdown with formulas, a page, a diagram)."""

    form: str

    def __new__(cls, text: str, form: str) -> Printed:
        """Return the text with its form."""
        printed = super().__new__(cls, text)
        printed.form = form
        return printed

    def _repr_markdown_(self) -> str | None:
        if self.form.startswith("mermaid"):
            return f"```mermaid\n{self}\n```"
        return str(self) if self.form in ("md", "text") else None

    def _repr_html_(self) -> str | None:
        if self.form != "html":
            return None
        from markupsafe import Markup

        # A page of its own, so that its style stays within it.
        frame = Markup('<iframe srcdoc="{}" style="width: 100%; height: 40em; border: 0"></iframe>')
        return str(frame.format(str(self)))


def render(
    model: Model, form: str = "md", bibliography: Bibliography | None = None, submodel: str | None = None
) -> Printed:
    """Return a model printed in one of `FORMATS`.

    Parameters
    ----------
    model
        Any model.
    form
        ``md`` (mathematics between dollar signs), ``text`` (Markdown with formulas as code), ``latex``, ``html``, ``dot`` and
        ``mermaid`` (who reads what; with ``-names`` single quantities), or ``json``.
    bibliography
        Where sources are looked up.
    submodel
        Print this submodel alone.

    Returns
    -------
    Printed
        Text; notebooks show Markdown with formulas, pages and diagrams as such.

    Raises
    ------
    ConfigError
        The format or the submodel is unknown.

    Examples
    --------
    >>> import betapod
    >>> text = betapod.render(betapod.load_model("topp2000"), "text")
    >>> "glucose" in text
    True
    """
    instance("model", model, Model, "a model, such as load_model('kidney')")
    if not isinstance(form, str) or form not in FORMATS:
        raise ConfigError(not_among(FORMATS, "unknown-format", f"a model cannot be printed as {form!r}", form))
    sheet = sheet_of(model, bibliography)
    return Printed(FORMATS[form](model, sheet if submodel is None else only(sheet, submodel)), form)


def only(sheet: ModelDocument, submodel: str) -> ModelDocument:
    """Return the sheet with one submodel alone, found by its name in any case.

    Raises
    ------
    ConfigError
        There is no such submodel.
    """
    from dataclasses import replace

    from ..parameters.table import source_keys

    sections = [section for section in sheet.sections if section.title.lower() == submodel.lower()]
    if not sections:
        titles = [section.title for section in sheet.sections]
        raise ConfigError(
            not_among(titles, "unknown-submodel", f"{sheet.title} has no submodel {submodel!r}", submodel)
        )
    section = sections[0]
    reads = {read.name for read in section.reads}
    cited = set(source_keys(section.parameters))
    return replace(
        sheet,
        title=f"{sheet.title}: {section.title}",
        introduction=(),
        sections=(section,),
        states=tuple(state for state in sheet.states if state.owner == section.title),
        inputs=tuple(row for row in sheet.inputs if row.id in reads),
        references=tuple(work for work in sheet.references if work.key in cited),
    )


def model_as_dict(model: Model, sheet: ModelDocument) -> dict[str, object]:
    """Return a model as plain values: every statement in the language, every row of the tables."""
    from ..parameters.table import as_rows
    from .model_document import event_text, statement_text

    return {
        "schema_version": 1,
        "name": model.name,
        "description": model.description,
        "time_unit": model.time_unit,
        "fingerprint": model.fingerprint,
        "states": [
            {
                "name": s.name,
                "label": s.label,
                "unit": s.unit,
                "initial": float(s.initial) if s.initial else None,
                "owner": s.owner,
            }
            for s in sheet.states
        ],
        "submodels": [
            {
                "name": section.title,
                "description": "\n\n".join(section.paragraphs),
                "reads": [read.name for read in section.reads],
                "statements": [
                    {
                        "kind": line.kind,
                        "name": line.name,
                        "text": statement_text(line),
                        "unit": line.unit,
                        "label": line.label,
                        "uses": line.uses(),
                    }
                    for line in section.lines
                ],
                "events": [
                    {"name": event.name, "label": event.label, "text": event_text(event), "terminal": event.terminal}
                    for event in section.events
                ],
            }
            for section in sheet.sections
        ],
        "parameters": [_finite(row) for row in as_rows(list(model.parameters.values()))],
        "inputs": [_finite(row) for row in as_rows(list(model.inputs.values()))],
        "references": [work._asdict() for work in sheet.references],
    }


def _finite(row: dict[str, object]) -> dict[str, object]:
    """Replace infinities, which JSON has not, by null."""
    return {
        name: None if isinstance(value, float) and value in (float("inf"), float("-inf")) else value
        for name, value in row.items()
    }
