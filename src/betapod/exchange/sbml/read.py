"""SBML import: Level 1, Level 2 and Level 3 core; unsupported constructs are refused by name.

A species is held as its amount, or as its concentration where its compartment never changes size and no reaction touches it. Its
SBML identifier always names what the file's own mathematics means by it: the amount where ``hasOnlySubstanceUnits`` is true or
the compartment is a point, else the concentration. The other quantity is called ``<id>_amount`` or ``<id>_concentration``;
`ImportReport.amount` and `ImportReport.concentration` tell the names. Time is in the file's own unit (`Model.time_unit`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...base.arguments import as_names
from ...base.errors import ExchangeError, Location, MissingExtraError, Problem
from ..foreign.foreign_file import TEXT, file_and_text
from ..foreign.imported_model import ImportedModel, imported
from ..foreign.nesting_guard import check_depth
from .consistency import check_consistency


def read_sbml(source: str | Path, inputs: Iterable[str] = ()) -> ImportedModel:
    """Read a model from an SBML file or from SBML text.

    Parameters
    ----------
    source
        Path of a file, or the text itself.
    inputs
        Parameters that schedules may change in the course of time. SBML does not tell them from others: by default there are none.

    Returns
    -------
    ImportedModel
        A `Model`, with the ``report`` of its import.

    Raises
    ------
    ExchangeError
        The file is not valid SBML (every error of libsbml at its place), or uses constructs that betapod cannot compute: most
        algebraic rules, flux balance, required packages other than hierarchical composition. All of them are named. Or an input
        is no parameter of the file.

    Examples
    --------
    >>> import betapod
    >>> text = betapod.write_sbml(betapod.load_model("topp2000"))
    >>> betapod.read_sbml(text).state_names
    ('glucose', 'insulin', 'beta_mass')
    """
    wanted = frozenset(as_names("inputs", inputs))
    file, document, ignored = open_document(source)
    from .import_model import import_model
    from .model_builder import Builder

    model, report = import_model(Builder(document.getModel(), file, ignored, wanted))
    return imported(model, report, source, read_sbml)


def open_document(source: str | Path, fluxes: bool = False) -> tuple[str, Any, list[str]]:
    """Return the name of a file, its document as libsbml reads it, and sentences on what has no influence.

    Parameters
    ----------
    fluxes
        Whether it is read for its flux balance.

    Raises
    ------
    ExchangeError
        The file is not valid SBML, or needs packages that betapod does not know.
    """
    try:
        import libsbml
    except ImportError:
        raise MissingExtraError("python-libsbml", "interop", "reading SBML") from None
    file, document = _document(libsbml, source)
    undefined = _undefined_units(document)
    _refuse_errors(libsbml, document, file, undefined)
    problems, ignored = _packages(libsbml, document, file, fluxes)
    ignored += [
        f"The model's {name} names the unit {unit!r}, which the file does not define; nothing uses it."
        for name, unit in undefined
    ]
    if problems:
        raise ExchangeError(problems)
    return file, document, ignored


def _document(libsbml: Any, source: str | Path) -> tuple[str, Any]:
    file, text = file_and_text(source)
    check_depth(text, file)
    return file, libsbml.readSBMLFromString(text.decode()) if file == TEXT else libsbml.readSBMLFromFile(file)


def _undefined_units(document: Any) -> list[tuple[str, str]]:
    """Return default units of the model that are not defined and that nothing uses: attribute and unit."""
    model = document.getModel()
    if model is None or document.getLevel() < 3:
        return []
    sizes = {c.getSpatialDimensionsAsDouble() for c in model.getListOfCompartments() if not c.getUnits()}
    used = {
        "volumeUnits": 3.0 in sizes,
        "areaUnits": 2.0 in sizes,
        "lengthUnits": 1.0 in sizes,
        "substanceUnits": any(not s.getSubstanceUnits() for s in model.getListOfSpecies()),
        "extentUnits": model.getNumReactions() > 0,
    }
    undefined = []
    for name, is_used in used.items():
        unit = getattr(model, f"get{name[0].upper()}{name[1:]}")()
        if unit and not is_used and model.getUnitDefinition(unit) is None and not _known_unit(unit):
            undefined.append((name, unit))
    return undefined


def _known_unit(name: str) -> bool:
    import libsbml

    return bool(libsbml.UnitKind_isValidUnitKindString(name, 3, 1))


def _refuse_errors(libsbml: Any, document: Any, file: str, undefined: list[tuple[str, str]]) -> None:
    """Raise what libsbml finds wrong with the file, first as XML and SBML, then as a consistent model."""
    problems = _errors(libsbml, document, file)
    if not problems:
        problems = _errors(libsbml, check_consistency(document), file)
        line = document.getModel().getLine() if document.getModel() is not None else 0
        problems = [p for p in problems if not _only_undefined(p, line, undefined)]
    if problems or document.getModel() is None:
        raise ExchangeError(
            problems or [Problem("invalid-sbml", "there is no model in the file", Location(file), expected="SBML")]
        )


def _only_undefined(problem: Problem, line: int, undefined: list[tuple[str, str]]) -> bool:
    """Return whether a problem is that of a default unit which nothing uses."""
    dangling = "(10313)" in problem.message and problem.location.line == line
    return dangling and any(f"'{unit}'" in problem.message or f'"{unit}"' in problem.message for _, unit in undefined)


def _errors(libsbml: Any, document: Any, file: str) -> list[Problem]:
    problems = []
    for k in range(document.getNumErrors()):
        error = document.getError(k)
        if error.getSeverity() < libsbml.LIBSBML_SEV_ERROR:
            continue
        message = " ".join(error.getMessage().split())
        location = Location(file, error.getLine(), error.getColumn())
        kind = "unsupported" if error.getErrorId() == libsbml.RequiredPackagePresent else "invalid-sbml"
        problems.append(Problem(kind, f"{error.getShortMessage()} ({error.getErrorId()}): {message}", location))
    return list(dict.fromkeys(problems))


def _packages(libsbml: Any, document: Any, file: str, fluxes: bool) -> tuple[list[Problem], list[str]]:
    """Flatten hierarchical models; refuse other packages that change the mathematics, note those that do not."""
    ignored: list[str] = []
    problems: list[Problem] = []
    if document.getLevel() < 3:
        return (
            problems,
            ignored,
        )  # packages came with Level 3; libsbml attaches some to older documents for their annotations
    if document.getPlugin("comp") is not None and not _flatten(libsbml, document):
        problems.append(
            Problem(
                "unsupported",
                "the hierarchical model (package comp) could not be flattened",
                Location(file),
                found="; ".join(p.message for p in _errors(libsbml, document, file)[:3]),
                hint="Flatten it with another tool and read the result.",
            )
        )
    uris = [
        (document.getPlugin(k).getPackageName(), document.getPlugin(k).getURI())
        for k in range(document.getNumPlugins())
    ]
    uris += [
        (document.getUnknownPackagePrefix(k), document.getUnknownPackageURI(k))
        for k in range(document.getNumUnknownPackages())
    ]
    for name, uri in uris:
        if name in ("comp", "l3v2extendedmath") or (name == "fbc" and fluxes):
            continue
        if document.getPackageRequired(uri):
            problems.append(
                Problem("unsupported", f"the package {name}, which the file requires, is not supported", Location(file))
            )
        elif name == "fbc" and not _all_kinetic(document.getModel()):
            message = "the package fbc (flux balance) has no course in time"
            hint = "Its optimum: betapod simulate FILE alone, or betapod.solve_flux_balance."
            problems.append(Problem("flux-balance", message, Location(file), hint=hint))
        else:
            ignored.append(f"The package {name} does not change the mathematics and was left out.")
    return problems, ignored


def _all_kinetic(model: Any) -> bool:
    """Return whether every reaction has a rate of its own, so that fluxes and their bounds are not needed."""
    laws = [r.isSetKineticLaw() and r.getKineticLaw().isSetMath() for r in model.getListOfReactions()]
    return bool(laws) and all(laws)


def _flatten(libsbml: Any, document: Any) -> bool:
    if document.getModel().getPlugin("comp").getNumSubmodels() == 0:
        plugin = document.getPlugin("comp")
        if plugin.getNumModelDefinitions() + plugin.getNumExternalModelDefinitions() == 0:
            return True
    options = libsbml.ConversionProperties()
    options.addOption("flatten comp", True)
    options.addOption("performValidation", False)
    options.addOption("leavePorts", False)
    return bool(document.convert(options) == libsbml.LIBSBML_OPERATION_SUCCESS)
