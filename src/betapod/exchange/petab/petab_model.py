"""The model of a problem of PEtab: SBML in which what conditions change can be changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...base.delimited import read_bytes
from ...base.errors import ConfigError, ExchangeError, Location, MissingExtraError, Problem, did_you_mean
from ..foreign.imported_model import ImportedModel
from ..sbml.read import read_sbml
from .petab_problem import PetabTarget


def read_petab_model(
    path: Path, targets: Iterable[str], later: bool = False
) -> tuple[ImportedModel, dict[str, PetabTarget], str]:
    """Read the SBML of a problem.

    Whatever moves, or starts from a formula, gets a parameter for its start, and one that says whether conditions give it.

    Parameters
    ----------
    targets
        Names that conditions change.
    later
        Whether periods begin at other times than 0. Where the model tells the time, a parameter is added to it then: that at which its clock starts.

    Returns
    -------
    tuple
        The model, how each target is held, and the name of the parameter for the start of the clock, empty if there is none.

    Raises
    ------
    ConfigError, ExchangeError
        A target that the model has not, or that an equation gives; SBML that cannot be read.
    """
    try:
        import libsbml
    except ImportError:
        raise MissingExtraError("python-libsbml", "interop", "reading PEtab") from None
    document = libsbml.readSBMLFromString(read_bytes(path).decode("utf-8", "replace"))
    source = document.getModel()
    wanted = list(dict.fromkeys(targets))
    if source is None:
        raise ExchangeError(Problem("invalid-sbml", "there is no model in the file", Location(str(path))))
    problems = [problem for name in wanted if (problem := _unfit(source, name, str(path))) is not None]
    if problems:
        raise ConfigError(problems)
    started = {name: _give_start(libsbml, source, name) for name in wanted if _needs_start(source, name)}
    _start_by_size(libsbml, source, {*wanted} - {*started})
    clock = _start_clock(libsbml, source) if later else ""
    model = read_sbml(libsbml.writeSBMLToString(document))
    held = {name: _held(model, source, name, started.get(name)) for name in wanted}
    return model, held, model.report.names[clock] if clock else ""


def _start_clock(libsbml: Any, source: Any) -> str:
    """Let time be a new parameter and the time since then; return its identifier, empty where no formula tells the time."""
    formulas = [e for e in source.getListOfAllElements() if hasattr(e, "isSetMath") and e.isSetMath()]
    telling = [element for element in formulas if _tells_time(libsbml, element.getMath())]
    if not telling:
        return ""
    clock = "clock_start"
    while source.getElementBySId(clock) is not None:
        clock += "_"
    parameter = source.createParameter()
    parameter.setId(clock)
    parameter.setConstant(True)
    parameter.setValue(0.0)
    for element in telling:
        element.setMath(_by_clock(libsbml, element.getMath(), clock))
    return clock


def _tells_time(libsbml: Any, node: Any) -> bool:
    children = (node.getChild(k) for k in range(node.getNumChildren()))
    return node.getType() == libsbml.AST_NAME_TIME or any(_tells_time(libsbml, child) for child in children)


def _by_clock(libsbml: Any, node: Any, clock: str) -> Any:
    """Return a formula in which time is that at which the clock started, and what has passed since."""
    if node.getType() == libsbml.AST_NAME_TIME:
        total = libsbml.ASTNode(libsbml.AST_PLUS)
        start = libsbml.ASTNode(libsbml.AST_NAME)
        start.setName(clock)
        total.addChild(node.deepCopy())
        total.addChild(start)
        return total
    tree = node.deepCopy()
    for k in range(tree.getNumChildren()):
        tree.replaceChild(k, _by_clock(libsbml, node.getChild(k), clock), True)
    return tree


def _unfit(source: Any, name: str, file: str) -> Problem | None:
    element = source.getElementBySId(name)
    identifiers = [e.getId() for kind in _kinds(source) for e in kind]
    if element is None or name not in identifiers:
        message = f"conditions change {name!r}, and the model has no such parameter, species or compartment"
        return Problem("unknown-name", message, Location(file), hint=did_you_mean(name, identifiers))
    rule = source.getAssignmentRuleByVariable(name)
    if rule is not None:
        return Problem("unsupported", f"conditions change {name!r}, and a rule of the model gives it", Location(file))
    return None


def _kinds(source: Any) -> tuple[Any, Any, Any]:
    return source.getListOfParameters(), source.getListOfSpecies(), source.getListOfCompartments()


def _needs_start(source: Any, name: str) -> bool:
    """Return whether something moves or starts from a formula, so that it is no plain parameter."""
    changed = {a.getVariable() for e in source.getListOfEvents() for a in e.getListOfEventAssignments()}
    return (
        source.getSpecies(name) is not None
        or source.getRateRuleByVariable(name) is not None
        or source.getInitialAssignmentBySymbol(name) is not None
        or name in changed
    )


def _give_start(libsbml: Any, source: Any, name: str) -> tuple[str, str]:
    """Let something start from a parameter where another one is 1; return the names of both."""
    start, selector = f"start_{name}", f"chosen_{name}"
    for identifier in (start, selector):
        parameter = source.createParameter()
        parameter.setId(identifier)
        parameter.setConstant(True)
        parameter.setValue(0.0)
    before = _own_start(libsbml, source, name)
    tree = libsbml.parseL3Formula(f"piecewise({start}, {selector} > 0.5, 0)")
    tree.replaceChild(tree.getNumChildren() - 1, before, True)
    initial = source.getInitialAssignmentBySymbol(name) or source.createInitialAssignment()
    initial.setSymbol(name)
    initial.setMath(tree)
    return start, selector


def _own_start(libsbml: Any, source: Any, name: str) -> Any:
    """Return the start that the file gives, as mathematics: of a species a concentration where its symbol means one."""
    initial = source.getInitialAssignmentBySymbol(name)
    if initial is not None and initial.getMath() is not None:
        return initial.getMath().deepCopy()
    species = source.getSpecies(name)
    if species is None:
        element = source.getElementBySId(name)
        value = element.getSize() if source.getCompartment(name) is not None else element.getValue()
        return libsbml.parseL3Formula(repr(float(value)) if value == value else "notanumber")
    amount_meant, size = species.getHasOnlySubstanceUnits(), species.getCompartment()
    if species.isSetInitialAmount():
        amount = repr(float(species.getInitialAmount()))
        return libsbml.parseL3Formula(amount if amount_meant else f"{amount}/{size}")
    if species.isSetInitialConcentration():
        density = repr(float(species.getInitialConcentration()))
        return libsbml.parseL3Formula(f"{density}*{size}" if amount_meant else density)
    return libsbml.parseL3Formula("0")


def _start_by_size(libsbml: Any, source: Any, changed: set[str]) -> None:
    """Let species in compartments that conditions change start by the size that these have then."""
    for species in source.getListOfSpecies():
        name = species.getId()
        if species.getCompartment() not in changed or source.getInitialAssignmentBySymbol(name) is not None:
            continue
        tree = _own_start(libsbml, source, name)
        initial = source.createInitialAssignment()
        initial.setSymbol(name)
        initial.setMath(tree)


def _held(model: ImportedModel, source: Any, name: str, started: tuple[str, str] | None) -> PetabTarget:
    report = model.report
    if started is None:
        return PetabTarget(report.names[name])
    start, selector = (report.names[identifier] for identifier in started)
    model_name = report.names[name]
    if model_name in model.state_names:
        return PetabTarget(start, model_name, "", selector)
    amount = report.amounts.get(name, "")
    if amount in model.state_names:
        return PetabTarget(start, amount, report.names[source.getSpecies(name).getCompartment()], selector)
    return PetabTarget(start, "", "", selector)
