"""The verb fit export: fits in the form of PEtab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.errors import ConfigError, Location, Problem
from ..running import QuietOption
from ..shared import JsonOption, print_json, print_note, print_text
from .fit_shared import is_individual_fit, record_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...model import Model


def add_fit_export(fit_app: typer.Typer) -> None:
    """Add the verb to the group."""
    fit_app.command("export")(fit_export_command)


def fit_export_command(
    fit: Annotated[
        str,
        typer.Argument(metavar="FIT", help="Problem of a fit of people (YAML), or a finished fit of published rows."),
    ],
    petab: Annotated[Path, typer.Option("--petab", metavar="DIR", help="New folder for the files of PEtab.")],
    estimates: Annotated[
        Path | None,
        typer.Option(
            "--at", metavar="FOLDER", help="Of people: nominal values are the estimates of this fit, not the starts."
        ),
    ] = None,
    version: Annotated[
        int,
        typer.Option("--format", min=1, max=2, help="Version of PEtab: 1, or 2 which has doses and changes of inputs."),
    ] = 1,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write a fit for other tools, in the form of PEtab 1 or 2.

    A fit of people becomes a whole problem: model in SBML, one condition per person, measurements with errors, parameters with bounds and priors.
    Of a fit of published rows PEtab can hold the unknowns with priors alone, since it has no statistics of groups. What is not held is said.
    """
    if petab.exists() and (not petab.is_dir() or any(petab.iterdir())):
        message = "the folder exists and is not empty"
        raise ConfigError(Problem("folder-in-use", message, Location(str(petab)), hint="Choose another folder."))
    if is_individual_fit(fit):
        files, left_out = _people(Path(fit), petab, estimates, version)
    elif estimates is not None or version != 1:
        option = "--at" if estimates is not None else "--format"
        raise ConfigError(Problem("useless-option", f"{option} belongs to fits of people", Location(option)))
    else:
        files, left_out = _published(fit, petab)
    if as_json:
        print_json({"folder": str(petab), "files": files, "not_held": left_out})
        return
    print_text("PEtab does not hold:", "bold")
    for sentence in left_out or ["(it holds everything)"]:
        print_text(f"- {sentence}", hanging=2)
    if not quiet:
        print_note(f"wrote {', '.join(files)} into {petab}")


def _people(path: Path, petab: Path, estimates: Path | None, version: int) -> tuple[list[str], list[str]]:
    from ...calibration.individual.individual_folder import read_individual_folder
    from ...calibration.individual.individual_problem import read_individual_problem
    from ...calibration.individual.petab_tables import as_tsv, petab_tables, without_ends
    from ..shared import model_from

    if path.is_dir():
        hint = "Give the problem file, and the folder with --at."
        raise ConfigError(
            Problem("no-petab", "the folder has no table of measurements", Location(str(path)), hint=hint)
        )
    problem = read_individual_problem(path, model_from)
    found_values = {}
    if estimates is not None:
        rows = read_individual_folder(estimates).tables["people"]
        found_values = {(str(row["person"]), str(row["parameter"])): float(row["estimate"]) for row in rows}
    model, names_files = problem.model, _PROBLEM
    if version == 2:
        from ...calibration.individual.petab_second_version import SECOND_PROBLEM, second_version_tables

        second = second_version_tables(problem, found_values)
        petab_form, model, names_files = second.form, second.model, SECOND_PROBLEM
    else:
        petab_form = petab_tables(problem, found_values)
    model, ends = without_ends(model)
    texts = {name: as_tsv(rows) for name, rows in petab_form.tables.items()}
    texts["problem.yaml"] = names_files
    return _written(petab, texts, model), [*petab_form.left_out, *ends]


#: The file that names the others, in version 1 of the format.
_PROBLEM = """format_version: 1
parameter_file: parameters.tsv
problems:
  - sbml_files: [model.xml]
    condition_files: [conditions.tsv]
    observable_files: [observables.tsv]
    measurement_files: [measurements.tsv]
"""


def _published(fit: str, petab: Path) -> tuple[list[str], list[str]]:
    from ...calibration.individual.petab_tables import as_tsv
    from ...calibration.petab_parameters import petab_parameters

    rows, left_out = petab_parameters(record_at(fit))
    texts = {"not-held.txt": "\n".join(left_out) + "\n"}
    if rows:
        texts["parameters.tsv"] = as_tsv(rows)
    return _written(petab, texts, None), left_out


def _written(folder: Path, texts: Mapping[str, str], model: Model | None) -> list[str]:
    """Write files into a new folder; the model first, since it may be refused."""
    from ...base.atomic import write_atomic, writing
    from ...exchange import write_sbml

    contents: dict[str, Any] = dict(texts)
    if model is not None:
        contents = {"model.xml": write_sbml(model), **contents}
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            write_atomic(folder / name, text.encode())
    return list(contents)
