"""Verbs about the parameters of models: params list, show, diff."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.errors import ConfigError, ParameterError, Problem, did_you_mean, not_among
from ..completion import complete_other, complete_parameter, starting
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv, matching
from ..options import ModelArgument, ParametersOption
from ..shared import (
    JsonOption,
    explain_unknown_parameter,
    load_bibliography,
    model_from,
    model_table,
    print_fields,
    print_json,
    print_note,
    print_table,
    print_text,
    with_noun,
)

if TYPE_CHECKING:
    from ...model import Model, Parameter, ParameterTable
    from ...model.parameters.table import Difference
    from ...physiology.installed_fits import FitRecord

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
            help="Only this role: literature, calibrated, tuned, derived, memory, assumed, input, imported.",
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
        typer.Option(
            "--search", metavar="WORDS", help="Only rows whose id, label, source or note has all of these words."
        ),
    ] = None,
    tables: ParametersOption = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Write the rows as a table that --parameters reads; '-' for standard output."
        ),
    ] = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """List parameters and inputs with value, range and source.

    Into a pipe or a file the list goes as CSV that --parameters reads.
    """
    from ...model.parameters.parameter import GRADES, ROLES
    from ...model.parameters.table import source_keys

    _known("role", role, ROLES)
    _known("grade", grade, GRADES)
    selected = [
        row
        for row in model_table(model_from(model, tables or ())).values()
        if (role is None or row.role == role)
        and (grade is None or row.grade == grade)
        and (source is None or source in source_keys([row]))
        and matching(search, row.id, row.label, row.source, row.note)
    ]
    done = given_as_csv(Csv(lambda: _as_csv(selected), len(selected)), csv, as_json, wide)
    if as_json:
        print_json({"model": model, "parameters": _rows(selected)})
    elif not done:
        columns = ("id", "value", "unit", "range", "role", "grade", "source", "label")
        print_table(
            columns,
            [_cells(row) for row in selected],
            right=("value",),
            spare=("source", "range", "grade", "role", "unit"),
            wide=wide,
        )
        print_note(with_noun(len(selected), "row"))


def _known(column: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise ConfigError(not_among(allowed, f"unknown-{column}", f"there is no {column} {value!r}", value))


def _cells(row: Parameter) -> tuple[str, ...]:
    from ...model.printing.model_document import number_text, range_text

    return (
        row.id,
        number_text(row.value),
        row.unit,
        range_text(row),
        row.role,
        row.grade,
        _spaced(row.source),
        row.label,
    )


def _spaced(keys: str) -> str:
    """Return keys of works so that a line can end between them."""
    return keys.replace(";", "; ")


def _rows(rows: list[Parameter]) -> list[dict[str, object]]:
    from ...model.parameters.table import as_rows

    return as_rows(rows)


def _as_csv(rows: list[Parameter]) -> str:
    """Return rows as a table of parameters that can be read again."""
    import math

    from ...base.exports import rows_as_csv
    from ...model.parameters.table import COLUMNS

    finite_rows = [
        {k: "" if isinstance(v, float) and math.isinf(v) else v for k, v in row.items()} for row in _rows(rows)
    ]
    return rows_as_csv(COLUMNS, finite_rows)


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
    """Show a parameter: value, range, distribution, source, uses.

    Of the package's models it shows besides what the newest installed fit says: prior, posterior, contraction (0 where the evidence
    says nothing), and the rows that speak to it most.
    """
    from ..fitted_parameters import fitted_documents

    loaded = model_from(model, tables or ())
    table = model_table(loaded)
    rows = _selected(loaded, table, ids)
    users = _users(loaded)
    fit = None if tables else _fit_of(model)
    if as_json:
        documents = [
            {
                **values,
                "used_by": users.get(row.id, []),
                "fits": fitted_documents(fit, row.id) if fit else [],
            }
            for row, values in zip(rows, _rows(rows), strict=True)
        ]
        print_json({"model": model, "parameters": documents})
        return
    works = load_bibliography()
    for row in rows:
        _show(row, users.get(row.id, []), works, fit)


def _fit_of(model: str) -> FitRecord | None:
    """Return the newest fit of the package, for its own models only: a file may mean something else by the same name."""
    from ...physiology import whole_body
    from ..fitted_parameters import newest_fit

    return newest_fit() if model in whole_body.NAMES else None


def _selected(model: Model, table: ParameterTable, ids: list[str]) -> list[Parameter]:
    problems = [
        explain_unknown_parameter(
            Problem("unknown-parameter", f"there is no parameter {key!r}", hint=did_you_mean(key, table)), model
        )
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


def _show(row: Parameter, users: list[str], works: Any, fit: FitRecord | None) -> None:
    from ...model.parameters.table import source_keys
    from ...model.printing.model_document import limits_text, range_text
    from ..fitted_parameters import fitted_fields

    print_text(f"{row.id}  {row.label}", "bold", 2)
    sources = [f"{key}: {works[key].readable()}" if key in works else key for key in source_keys([row])]
    print_fields(
        [
            ("value", f"{row.value:.10g} {row.unit}"),
            ("range", f"{range_text(row)} {row.unit}" if range_text(row) else ""),
            ("possible", f"{limits_text(row)} {row.unit}" if limits_text(row) else ""),
            ("distribution", row.distribution),
            ("role", f"{row.role}, grade {row.grade}" if row.grade else row.role),
            *(("source", source) for source in sources),
            ("locator", row.locator),
            ("note", row.note),
            *(fitted_fields(fit, row.id, row.value) if fit else ()),
            ("used by", ", ".join(users)),
        ]
    )


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
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare the parameters of two models, or of a model and a table.

    Into a pipe or a file the differences go as CSV. The exit code is 0 whether they differ or not.
    """
    from ...model.parameters.table import compare

    model = model_from(first)
    a = model_table(model)
    b = model_table(model_from(first, [Path(second)]) if second.endswith(".csv") else model_from(second))
    differences = compare(a, b)
    done = given_as_csv(Csv.of(*_differences(differences)), csv, as_json, wide)
    if as_json:
        entries = [
            {
                "id": d.id,
                "first": _rows([d.first])[0] if d.first else None,
                "second": _rows([d.second])[0] if d.second else None,
            }
            for d in differences
        ]
        print_json({"first": first, "second": second, "differences": entries})
    elif not done:
        _show_differences(differences, first, second, wide)
        print_note(f"{len(differences)} of {len({*a, *b})} rows differ")


_SIDE = ("value", "unit", "role", "grade", "source")


def _differences(differences: list[Difference]) -> tuple[list[str], list[list[Any]]]:
    """Return head and rows of differences, with both sides in full."""
    rows = [
        [d.id, *("" if side is None else getattr(side, name) for side in (d.first, d.second) for name in _SIDE)]
        for d in differences
    ]
    return ["id", *(f"{which}_{name}" for which in ("first", "second") for name in _SIDE)], rows


def _show_differences(differences: list[Difference], first: str, second: str, wide: bool) -> None:
    """Print what both have with both values, and only the names of what one of them has."""
    rows = [(d.id, *_side(d.first), *_side(d.second)) for d in differences if d.first and d.second]
    names = [Path(name).name for name in (first, second)]
    columns = ("id", *(head for name in names for head in (name, f"role in {name}", f"source in {name}")))
    if rows:
        print_table(columns, rows, spare=(columns[3], columns[6], columns[2], columns[5]), wide=wide)
    for name, ids in (
        (first, [d.id for d in differences if d.second is None]),
        (second, [d.id for d in differences if d.first is None]),
    ):
        if ids:
            print_text(f"only in {name} ({len(ids)}): {', '.join(ids)}", hanging=2)


def _side(row: Parameter) -> tuple[str, str, str]:
    role = f"{row.role} ({row.grade})" if row.grade else row.role
    return f"{row.value:.8g} {row.unit}", role, _spaced(row.source)
