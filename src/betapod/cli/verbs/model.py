"""Verbs about models: model list, show, check, export; cite."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.errors import BetapodError, ConfigError, Problem, not_among
from .. import kept
from ..completion import complete_model, complete_submodel, starting
from ..csv_output import Csv, CsvOption, given_as_csv
from ..options import ModelArgument, ParametersOption
from ..shared import (
    JsonOption,
    load_bibliography,
    model_from,
    model_table,
    out,
    print_fields,
    print_json,
    print_note,
    print_table,
    warn,
    with_noun,
    write_out,
)
from ..waiting import waiting

if TYPE_CHECKING:
    from ...model import Model

models = typer.Typer(no_args_is_help=True, help="Models: list, show, check, export.")

OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="File to write; default: standard output.")
]

_SUFFIXES = {
    ".md": "md",
    ".txt": "text",
    ".tex": "latex",
    ".html": "html",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
}
_SUFFIXES |= {".json": "json", ".xml": "sbml", ".sbml": "sbml", ".wasm": "wasm"}


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(models, name="model")
    app.command("cite")(cite_command)


def _forms() -> list[str]:
    from ...model.printing.render import FORMATS

    return [*FORMATS, "sbml"]


def _complete_form(incomplete: str) -> list[str]:
    return starting(_forms(), incomplete)


# -- model -----------------------------------------------------------------------------------------------------------


@models.command("list")
def list_models_command(csv: CsvOption = None, as_json: JsonOption = False) -> None:
    """List the models that come with betapod.

    Into a pipe or a file the list goes as CSV.
    """
    from ...physiology import whole_body

    with waiting("assembling models"):
        counts = [_counted(kept.model_contents(name)) for name in whole_body.NAMES]
    heads = ("name", "states", "equations", "parameters", "inputs", "events", "description")
    rows = [[str(model[kind]) for kind in heads] for model in counts]
    done = given_as_csv(Csv.of(heads, rows), csv, as_json)
    if as_json:
        print_json({"models": counts})
    elif not done:
        print_table(heads[:-1], [row[:-1] for row in rows])
        print_fields([(str(model["name"]), str(model["description"])) for model in counts], indent=0)


def _counted(facts: dict[str, Any]) -> dict[str, Any]:
    """Return how much there is of what a model has."""
    counts = {name: len(facts[name]) for name in ("states", "assignments", "parameters", "inputs", "events")}
    return {
        "name": facts["name"],
        "description": facts["description"],
        "states": counts["states"],
        "equations": counts["assignments"],
        **{name: counts[name] for name in ("parameters", "inputs", "events")},
        "fingerprint": facts["fingerprint"],
    }


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
    submodel: Annotated[
        str | None, typer.Argument(help="Show only this submodel.", autocompletion=complete_submodel)
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="FORM",
            help="text, md, latex, html, json, sbml; diagrams of submodels (dot, mermaid) or names (dot-names, mermaid-names).",
            autocompletion=_complete_form,
        ),
    ] = "text",
    path: OutOption = None,
    tables: ParametersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a model: equations, parameters with sources, events."""
    loaded = model_from(model, tables or ())
    if path is None and form == "text" and not as_json and sys.stdout.isatty():
        from ...model.printing.document_layout import sheet_of
        from ...model.printing.render import only
        from ..printing import print_model

        sheet = sheet_of(loaded, load_bibliography())
        print_model(sheet if submodel is None else only(sheet, submodel), out())
        return
    _deliver(_printed(loaded, "json" if as_json else form, submodel), path)


@models.command("export")
def export_model(
    model: ModelArgument,
    form: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="FORM",
            help="As of 'model show', or wasm; default: by the ending of the file's name.",
            autocompletion=_complete_form,
        ),
    ] = None,
    path: OutOption = None,
    submodel: Annotated[
        str | None,
        typer.Option(
            "--submodel", metavar="NAME", help="Only this submodel (not for SBML).", autocompletion=complete_submodel
        ),
    ] = None,
    nested: Annotated[
        bool,
        typer.Option(
            "--nested", help="SBML whose formulas are nested functions, for libRoadRunner and Tellurium; see docs."
        ),
    ] = False,
    outputs: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-O",
            metavar="NAME",
            help="SBML: an equation to keep, beside those that formulas name; default: all. Repeatable.",
        ),
    ] = None,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain", help="SBML without events, units of numbers, minima and roots, for sbmltoodejax; see docs."
        ),
    ] = False,
    tables: ParametersOption = None,
) -> None:
    """Export a model: SBML, WebAssembly, LaTeX, HTML, a diagram, JSON.

    WebAssembly (NAME.wasm) runs in browsers and in Node by the JavaScript that is written beside it.
    """
    if form is None:
        form = _SUFFIXES.get(path.suffix.lower()) if path is not None else "md"
    if form is None:
        raise ConfigError(
            Problem(
                "unknown-format", f"the name {path} does not tell the format", expected=f"--as {' | '.join(_forms())}"
            )
        )
    if form != "sbml" and (nested or outputs or plain):
        option = "--nested" if nested else "--plain" if plain else "--output"
        raise ConfigError(Problem("bad-option", f"{option} belongs to SBML", found=form, hint="Add --as sbml."))
    if form == "wasm":
        _write_wasm(model_from(model, tables or ()), path, submodel)
        return
    loaded = model_from(model, tables or ())
    text = _as_sbml(loaded, submodel, nested, outputs, plain) if form == "sbml" else _printed(loaded, form, submodel)
    _deliver(text, path)


def _write_wasm(model: Model, path: Path | None, submodel: str | None) -> None:
    from ...exchange import write_wasm

    problems = []
    if submodel is not None:
        message = "WebAssembly holds a whole model, not one submodel"
        problems.append(Problem("bad-option", message, hint="Leave the submodel out."))
    if path is None or str(path) == "-":
        message = "WebAssembly is written into a file, with the JavaScript that runs it beside"
        problems.append(Problem("missing-option", message, expected="-o NAME.wasm"))
    if problems:
        raise ConfigError(problems)
    assert path is not None
    with waiting("writing WebAssembly"):
        written = write_wasm(model, path)
    for file in written:
        print_note(f"wrote {file}")


def _as_sbml(
    model: Model,
    submodel: str | None,
    nested: bool = False,
    outputs: list[str] | None = None,
    plain: bool = False,
) -> str:
    from ...exchange import write_sbml

    if submodel is not None:
        message = "SBML holds a whole model, not one submodel"
        raise ConfigError(Problem("bad-option", message, hint="Leave the submodel out."))
    with waiting("writing SBML"):
        return str(write_sbml(model, nested=nested, outputs=outputs or None, plain=plain))


def _printed(model: Model, form: str, submodel: str | None) -> str:
    if form == "sbml":
        return _as_sbml(model, submodel)
    from ...model.printing.render import render

    if form not in _forms():
        raise ConfigError(not_among(_forms(), "unknown-format", f"a model cannot be printed as {form!r}", form))
    return render(model, form, load_bibliography(), submodel)


def _deliver(text: str, path: Path | None) -> None:
    if path is None or str(path) == "-":
        write_out(text if text.endswith("\n") else text + "\n")
        return
    from ...base.files import write_text

    write_text(path, text)
    print_note(f"wrote {path}")


@models.command("check")
def check_models(
    files: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="Models by name, or files.", autocompletion=complete_model)
    ],
    tables: ParametersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check models: syntax, units, missing inputs, cycles.

    Everything that is wrong is reported at once, with its line.
    """
    problems: list[Problem] = []
    reports = []
    for name in files:
        try:
            model = model_from(name, tables or ())
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
    numbers = {
        "state": len(model.states),
        "equation": len(model.assignments),
        "parameter": len(model.parameters),
        "input": len(model.inputs),
        "event": len(model.events),
    }
    return ", ".join(with_noun(number, noun) for noun, number in numbers.items())


def _unlabelled(model: Model) -> list[str]:
    """Name quantities of our own language without a label; other formats need not have any."""
    if not model.parts:
        return []
    bare = [name for name in (*model.state_names, *model.assignments) if not model.labels[name]]
    return (
        [f"{'1 quantity has' if len(bare) == 1 else f'{len(bare)} quantities have'} no label: {', '.join(bare[:8])}"]
        if bare
        else []
    )


# -- cite ------------------------------------------------------------------------------------------------------------


def cite_command(
    model: ModelArgument, path: OutOption = None, tables: ParametersOption = None, as_json: JsonOption = False
) -> None:
    """Print BibTeX of the works that a model's parameters cite.

    The works are grouped by what they were used for.
    """
    from ...model.bibliography import bibtex_of
    from ...model.parameters.table import source_keys

    loaded = model_from(model, tables or ())
    works = load_bibliography()
    if as_json:
        rows = list(model_table(loaded).values())
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
    _deliver(bibtex_of(loaded, works), path)
