"""Verbs about models and their parameters: model list, show, check, export; params list, show, diff; cite."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .cli_common import (
    JsonOption,
    ModelArgument,
    ParametersOption,
    complete_parameter,
    explained,
    load_bibliography,
    load_model,
    model_table,
    note,
    out,
    print_json,
    print_table,
    warn,
)
from .errors import BetapodError, ConfigError, Problem, did_you_mean

if TYPE_CHECKING:
    from .model import Model, Parameter, ParameterTable

models = typer.Typer(no_args_is_help=True, help="List, show, check and export models.")
parameters = typer.Typer(no_args_is_help=True, help="List, show and compare parameters.")

OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file instead of the terminal.")]

_SUFFIXES = {
    ".md": "md",
    ".txt": "text",
    ".tex": "latex",
    ".html": "html",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
}
_SUFFIXES |= {".json": "json", ".xml": "sbml", ".sbml": "sbml"}


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(models, name="model")
    app.add_typer(parameters, name="params")
    app.command("cite")(cite_command)


def _forms() -> list[str]:
    from .model.render import FORMATS

    return [*FORMATS, "sbml"]


def _complete_form(incomplete: str) -> list[str]:
    return [form for form in _forms() if form.startswith(incomplete)]


# -- model -----------------------------------------------------------------------------------------------------------


@models.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """List the models that come with betapod."""
    from .physiology import whole_body

    found = [(name, whole_body.model(name)) for name in whole_body.NAMES]
    if as_json:
        print_json({"models": [_summary(model) for _, model in found]})
        return
    rows = [
        (name, str(len(m.states)), str(len(m.assignments)), str(len(m.parameters)), str(len(m.inputs)), m.description)
        for name, m in found
    ]
    counts = ("states", "equations", "parameters", "inputs")
    print_table(("name", *counts), [row[:-1] for row in rows], right=counts)
    for name, model in found:
        out().print(f"{name}: {model.description}", markup=False)


def _summary(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "description": model.description,
        "states": len(model.states),
        "equations": len(model.assignments),
        "parameters": len(model.parameters),
        "inputs": len(model.inputs),
        "events": len(model.events),
        "fingerprint": model.fingerprint,
    }


@models.command("show")
def show_model(
    model: ModelArgument,
    submodel: Annotated[str | None, typer.Argument(help="Show this submodel alone.")] = None,
    form: Annotated[
        str,
        typer.Option("--as", help="text, md, latex, html, dot, mermaid, json, sbml.", autocompletion=_complete_form),
    ] = "text",
    path: OutOption = None,
    tables: ParametersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a model for reading: equations with units, parameters with sources, states, events, references."""
    made = load_model(model, tables or ())
    if path is None and form == "text" and not as_json and sys.stdout.isatty():
        from .cli_show import show
        from .model.render import only
        from .model.sheet import sheet_of

        sheet = sheet_of(made, load_bibliography())
        show(sheet if submodel is None else only(sheet, submodel), out())
        return
    _deliver(_printed(made, "json" if as_json else form, submodel), path)


@models.command("export")
def export_model(
    model: ModelArgument,
    form: Annotated[
        str | None,
        typer.Option("--as", help="sbml, md, latex, html, dot, mermaid, json; by default as the file's name says."),
    ] = None,
    path: OutOption = None,
    submodel: Annotated[str | None, typer.Option(help="Export this submodel alone (not for SBML).")] = None,
    tables: ParametersOption = None,
) -> None:
    """Export a model to another format."""
    if form is None:
        form = _SUFFIXES.get(path.suffix.lower()) if path is not None else "md"
    if form is None:
        raise ConfigError(
            Problem(
                "unknown-format", f"the name {path} does not tell the format", expected=f"--as {' | '.join(_forms())}"
            )
        )
    _deliver(_printed(load_model(model, tables or ()), form, submodel), path)


def _printed(model: Model, form: str, submodel: str | None) -> str:
    if form == "sbml":
        from .exchange import write_sbml

        if submodel is not None:
            raise ConfigError(
                Problem("bad-option", "SBML holds a whole model, not one submodel", hint="Leave the submodel out.")
            )
        return str(write_sbml(model))
    from .model.render import render

    if form not in _forms():
        raise ConfigError(
            Problem(
                "unknown-format",
                f"a model cannot be printed as {form!r}",
                expected=", ".join(_forms()),
                hint=did_you_mean(form, _forms()),
            )
        )
    return render(model, form, load_bibliography(), submodel)


def _deliver(text: str, path: Path | None) -> None:
    if path is None or str(path) == "-":
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        return
    from .files import write_text

    write_text(path, text)
    note(f"wrote {path}")


@models.command("check")
def check_models(
    files: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Models by name, or files.")],
    tables: ParametersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check models: syntax, units and scales, owners, missing inputs, cycles; everything wrong is reported at once."""
    problems: list[Problem] = []
    reports = []
    for name in files:
        try:
            model = load_model(name, tables or ())
        except BetapodError as error:
            problems += error.problems
            continue
        warnings = [*model.parameters.implausible(), *model.inputs.implausible(), *_unlabelled(model)]
        reports.append({**_summary(model), "source": name, "warnings": warnings})
        if not as_json:
            out().print(f"[green]ok[/green] {name}: {_counts(model)}", highlight=False)
            for warning in warnings:
                warn(f"{name}: {warning}")
    if problems:
        raise BetapodError(problems)
    if as_json:
        print_json({"ok": True, "models": reports})


def _counts(model: Model) -> str:
    return (
        f"{len(model.states)} states, {len(model.assignments)} equations, {len(model.parameters)} parameters, "
        f"{len(model.inputs)} inputs, {len(model.events)} events"
    )


def _unlabelled(model: Model) -> list[str]:
    """Name quantities of our own language without a label; other formats need not have any."""
    if not model.parts:
        return []
    bare = [name for name in (*model.state_names, *model.assignments) if not model.labels[name]]
    return [f"{len(bare)} quantities have no label: {', '.join(bare[:8])}"] if bare else []


# -- params ----------------------------------------------------------------------------------------------------------


@parameters.command("list")
def list_parameters(
    model: ModelArgument,
    role: Annotated[str | None, typer.Option(help="Only this role: literature, calibrated, derived, ...")] = None,
    grade: Annotated[str | None, typer.Option(help="Only this grade: A, B, C or D.")] = None,
    source: Annotated[str | None, typer.Option(help="Only rows that cite this work.")] = None,
    search: Annotated[str | None, typer.Option(help="Only rows whose id, label or note holds this text.")] = None,
    tables: ParametersOption = None,
    as_json: JsonOption = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write the rows as a table that --parameters reads.")
    ] = None,
) -> None:
    """List parameters and inputs with value, unit, range, role, grade and source."""
    from .model.parameters import GRADES, ROLES, source_keys

    _known("role", role, ROLES)
    _known("grade", grade, GRADES)
    found = [
        row
        for row in model_table(load_model(model, tables or ())).values()
        if (role is None or row.role == role)
        and (grade is None or row.grade == grade)
        and (source is None or source in source_keys([row]))
        and (search is None or search.lower() in f"{row.id} {row.label} {row.note}".lower())
    ]
    if csv is not None:
        _write_rows(csv, found)
    if as_json:
        print_json({"model": model, "parameters": _rows(found)})
        return
    if csv is None:
        print_table(
            ("id", "value", "unit", "range", "role", "source", "label"),
            [_cells(row) for row in found],
            right=("value",),
        )
        note(f"{len(found)} rows")


def _known(what: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise ConfigError(
            Problem(
                f"unknown-{what}",
                f"there is no {what} {value!r}",
                expected=", ".join(allowed),
                hint=did_you_mean(value, allowed),
            )
        )


def _cells(row: Parameter) -> tuple[str, ...]:
    from .model.sheet import number_text, range_text

    return (row.id, number_text(row.value), row.unit, range_text(row), f"{row.role} {row.grade}", row.source, row.label)


def _rows(rows: list[Parameter]) -> list[dict[str, object]]:
    from .model.parameters import as_rows

    return as_rows(rows)


def _write_rows(path: Path, rows: list[Parameter]) -> None:
    import csv as csv_module
    import io
    import math

    from .files import write_text
    from .model.parameters import COLUMNS

    text = io.StringIO()
    writer = csv_module.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in _rows(rows):
        writer.writerow({k: "" if isinstance(v, float) and math.isinf(v) else v for k, v in row.items()})
    write_text(path, text.getvalue())
    note(f"wrote {path}: {len(rows)} rows")


@parameters.command("show")
def show_parameter(
    model: ModelArgument,
    ids: Annotated[list[str], typer.Argument(help="Ids of parameters or inputs.", autocompletion=complete_parameter)],
    tables: ParametersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show everything about a parameter: value, range, distribution, provenance, and which equations use it."""
    made = load_model(model, tables or ())
    table = model_table(made)
    rows = _selected(made, table, ids)
    users = _users(made)
    if as_json:
        shown = [{**values, "used_by": users.get(row.id, [])} for row, values in zip(rows, _rows(rows), strict=True)]
        print_json({"model": model, "parameters": shown})
        return
    works = load_bibliography()
    for row in rows:
        _show(row, users.get(row.id, []), works)


def _selected(model: Model, table: ParameterTable, ids: list[str]) -> list[Parameter]:
    from .errors import ParameterError

    problems = [
        explained(Problem("unknown-parameter", f"there is no parameter {key!r}", hint=did_you_mean(key, table)), model)
        for key in ids
        if key not in table
    ]
    if problems:
        raise ParameterError(problems)
    return [table[key] for key in ids]


def _users(model: Model) -> dict[str, list[str]]:
    from .model.sheet import sheet_of

    users: dict[str, list[str]] = {}
    for section in sheet_of(model).sections:
        for line in section.lines:
            for name in line.uses():
                if line.name not in users.setdefault(name, []):
                    users[name].append(line.name)
    return users


def _show(row: Parameter, users: list[str], works: Any) -> None:
    from rich.text import Text

    from .model.parameters import source_keys
    from .model.sheet import range_text

    console = out()
    console.print(Text.assemble((row.id, "bold"), f"  {row.label}"))
    lines = [
        ("value", f"{row.value:.10g} {row.unit}"),
        ("range", f"{range_text(row)} {row.unit}" if range_text(row) else ""),
        ("distribution", row.distribution),
        ("role", f"{row.role}, grade {row.grade}"),
        ("locator", row.locator),
        ("note", row.note),
        ("used by", ", ".join(users)),
    ]
    for key in source_keys([row]):
        lines.insert(4, ("source", f"{key}: {works[key].readable()}" if key in works else key))
    for name, text in lines:
        if text:
            console.print(Text.assemble((f"  {name:<13}", "dim"), text))


@parameters.command("diff")
def diff_parameters(
    first: ModelArgument,
    second: Annotated[str, typer.Argument(help="Another model, or a parameter table (CSV) to lay over the first.")],
    as_json: JsonOption = False,
) -> None:
    """Compare the parameters of two models, or of a model with a table laid over it. Exit code 0 whether they differ or not."""
    from .model.parameters import compare

    model = load_model(first)
    a = model_table(model)
    b = model_table(load_model(first, [Path(second)]) if second.endswith(".csv") else load_model(second))
    found = compare(a, b)
    if as_json:
        entries = [
            {
                "id": d.id,
                "first": _rows([d.first])[0] if d.first else None,
                "second": _rows([d.second])[0] if d.second else None,
            }
            for d in found
        ]
        print_json({"first": first, "second": second, "differences": entries})
        return
    rows = [(d.id, *_side(d.first), *_side(d.second)) for d in found]
    print_table(("id", "first", "role", "source", "second", "role", "source"), rows)
    note(f"{len(found)} of {len({*a, *b})} rows differ")


def _side(row: Parameter | None) -> tuple[str, str, str]:
    return ("-", "", "") if row is None else (f"{row.value:.8g} {row.unit}", f"{row.role} ({row.grade})", row.source)


# -- cite ------------------------------------------------------------------------------------------------------------


def cite_command(
    model: ModelArgument, path: OutOption = None, tables: ParametersOption = None, as_json: JsonOption = False
) -> None:
    """Print BibTeX of exactly the works that a model's parameters cite, grouped by the reason."""
    from .model.bibliography import cite
    from .model.parameters import source_keys

    made = load_model(model, tables or ())
    works = load_bibliography()
    if as_json:
        rows = list(model_table(made).values())
        entries = []
        for key in source_keys(rows):
            uses = [
                {"id": row.id, "role": row.role, "locator": row.locator} for row in rows if key in source_keys([row])
            ]
            work = works.get(key)
            entries.append(
                {
                    "key": key,
                    "type": work.kind if work else None,
                    "fields": dict(work.fields) if work else {},
                    "used_by": uses,
                }
            )
        print_json({"model": model, "works": entries})
        return
    _deliver(cite(made, works), path)
