"""Verbs about the parameters of models: params list, show, diff."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.errors import ConfigError, ParameterError, Problem, did_you_mean, not_among
from ..completion import complete_other, complete_parameter, starting
from ..options import ModelArgument, ParametersOption
from ..shared import (
    JsonOption,
    explained,
    load_bibliography,
    load_model,
    model_table,
    note,
    out,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from ...model import Model, Parameter, ParameterTable

parameters = typer.Typer(no_args_is_help=True, help="Parameters of models: list, show, compare.")


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(parameters, name="params")


def _complete_role(incomplete: str) -> list[str]:
    from ...model.parameters.parameter import ROLES

    return starting(ROLES, incomplete)


def _complete_grade(incomplete: str) -> list[str]:
    from ...model.parameters.parameter import GRADES

    return starting(GRADES, incomplete)


@parameters.command("list")
def list_parameters(
    model: ModelArgument,
    role: Annotated[
        str | None,
        typer.Option(
            "--role",
            metavar="ROLE",
            help="Only this role: literature, calibrated, derived, memory, assumed, input, imported.",
            autocompletion=_complete_role,
        ),
    ] = None,
    grade: Annotated[
        str | None,
        typer.Option(
            "--grade",
            metavar="GRADE",
            help="Only this grade of evidence: A, B, C or D.",
            autocompletion=_complete_grade,
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="KEY", help="Only rows that cite this work; 'betapod cite' lists the keys."),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option("--search", metavar="TEXT", help="Only rows whose id, label or note contains this text."),
    ] = None,
    tables: ParametersOption = None,
    as_json: JsonOption = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the rows as a table that --parameters reads.")
    ] = None,
) -> None:
    """List parameters and inputs with value, range and source."""
    from ...model.parameters.parameter import GRADES, ROLES
    from ...model.parameters.table import source_keys

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
        raise ConfigError(not_among(allowed, f"unknown-{what}", f"there is no {what} {value!r}", value))


def _cells(row: Parameter) -> tuple[str, ...]:
    from ...model.printing.model_document import number_text, range_text

    return (row.id, number_text(row.value), row.unit, range_text(row), f"{row.role} {row.grade}", row.source, row.label)


def _rows(rows: list[Parameter]) -> list[dict[str, object]]:
    from ...model.parameters.table import as_rows

    return as_rows(rows)


def _write_rows(path: Path, rows: list[Parameter]) -> None:
    import math

    from ...base.exports import rows_as_csv
    from ...base.files import write_text
    from ...model.parameters.table import COLUMNS

    known = [{k: "" if isinstance(v, float) and math.isinf(v) else v for k, v in row.items()} for row in _rows(rows)]
    write_text(path, rows_as_csv(COLUMNS, known))
    note(f"wrote {path}: {len(rows)} rows")


@parameters.command("show")
def show_parameter(
    model: ModelArgument,
    ids: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="Ids of parameters or inputs.", autocompletion=complete_parameter),
    ],
    tables: ParametersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a parameter: value, range, distribution, source, uses."""
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
    problems = [
        explained(Problem("unknown-parameter", f"there is no parameter {key!r}", hint=did_you_mean(key, table)), model)
        for key in ids
        if key not in table
    ]
    if problems:
        raise ParameterError(problems)
    return [table[key] for key in ids]


def _users(model: Model) -> dict[str, list[str]]:
    from ...model.printing.document_layout import sheet_of

    users: dict[str, list[str]] = {}
    for section in sheet_of(model).sections:
        for line in section.lines:
            for name in line.uses():
                if line.name not in users.setdefault(name, []):
                    users[name].append(line.name)
    return users


def _show(row: Parameter, users: list[str], works: Any) -> None:
    from rich.text import Text

    from ...model.parameters.table import source_keys
    from ...model.printing.model_document import range_text

    console = out()
    console.print(Text.assemble((row.id, "bold"), f"  {row.label}"))
    lines = [
        ("value", f"{row.value:.10g} {row.unit}"),
        ("range", f"{range_text(row)} {row.unit}" if range_text(row) else ""),
        ("distribution", row.distribution),
        ("role", f"{row.role}, grade {row.grade}" if row.grade else row.role),
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
    second: Annotated[
        str,
        typer.Argument(
            metavar="OTHER",
            help="Another model, or a parameter table (CSV) that replaces rows of the first.",
            autocompletion=complete_other,
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Compare the parameters of two models, or of a model and a table.

    The exit code is 0 whether they differ or not.
    """
    from ...model.parameters.table import compare

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
    return (
        ("-", "", "")
        if row is None
        else (f"{row.value:.8g} {row.unit}", f"{row.role} ({row.grade})" if row.grade else row.role, row.source)
    )
