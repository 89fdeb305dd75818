"""Assemble submodels into one model: ownership, missing inputs, units, cycles; all errors at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...base.arguments import as_list, instance, wrong
from ...base.errors import ModelError, UnitError
from ...base.units import TIME_UNIT, Unit, parse_unit
from ..language.dimensions import UnitChecker
from ..parameters.parameter_rows import PLAIN_NOTE
from ..parameters.table import Parameter, ParameterTable
from .model import Model
from .model_build import build_model
from .name_checks import check_names
from .name_owners import NameOwners, Owned, unit_or_none
from .submodel import Part, Submodel


def assemble(
    name: str, submodels: Sequence[type[Submodel] | Part], parameters: ParameterTable, description: str = ""
) -> Model:
    r"""Return the model that the submodels make together.

    Parameters
    ----------
    name, description
        Of the model.
    submodels
        Classes or parsed parts; their order is the order of states.
    parameters
        Table of parameters and inputs; rows that no equation uses are left out of the model. An input that a submodel owns is
        taken from that submodel.

    Returns
    -------
    Model
        With exact derivatives, checked units and a fixed order of states.

    Raises
    ------
    ModelError
        With every problem found in every submodel, each at its place in the user's file.

    Examples
    --------
    >>> from betapod import Parameter, ParameterTable, Submodel, assemble
    >>> class Pool(Submodel):
    ...     "A drug that is lost at a constant rate."
    ...     equations = "dA/dt = -k*A  [mg/day]  amount of drug\nA(0) = A0  [mg]"
    >>> rows = [Parameter("k", "rate of loss", 0.5, "1/day"), Parameter("A0", "dose", 10.0, "mg")]
    >>> pool = assemble("pool", [Pool], ParameterTable(rows))
    >>> pool.units["A"]
    'mg'
    """
    instance("name", name, str, "text", ModelError)
    instance("parameters", parameters, ParameterTable, "a ParameterTable", ModelError)
    entries = as_list(submodels)
    if entries is None:
        raise ModelError(wrong("submodels", submodels, "a list of Submodel classes or parts"))
    for entry in entries:
        if not isinstance(entry, Part) and not (isinstance(entry, type) and issubclass(entry, Submodel)):
            raise ModelError(wrong("submodels", entry, "a list of Submodel classes or parts"))
    parts = [part if isinstance(part, Part) else part.part() for part in entries]
    assembly = NameOwners(parts, _with_inputs(parts, parameters))
    assembly.collect()
    check_names(assembly)
    check_units(assembly)
    if assembly.problems:
        raise ModelError(assembly.sorted_problems())
    return build_model(assembly, name, description)


def _with_inputs(parts: Sequence[Part], parameters: ParameterTable) -> ParameterTable:
    """Make inputs of the rows of plain tables, which name no role, that some submodel reads."""
    read = {entry.name for part in parts for entry in part.reads}
    if not any(row.note == PLAIN_NOTE and row.id in read for row in parameters.values()):
        return parameters
    rows = (
        replace(row, role="input") if row.note == PLAIN_NOTE and row.id in read else row for row in parameters.values()
    )
    return ParameterTable(rows, parameters.name)


def check_units(assembly: NameOwners) -> None:
    """Check the units of every line of every part; what is wrong becomes a problem of the assembly."""
    units: dict[str, Unit | None] = {name: _row_unit(assembly, row) for name, row in assembly.parameters.items()}
    units |= {name: unit_or_none(unit) for name, (_, unit) in assembly.conversions.items()}
    for name, owner in assembly.owned.items():
        defining = owner.statement if owner.statement.kind != "rate" else owner.initial
        unit = None if defining is None else unit_or_none(defining.unit)
        if name in assembly.parameters and assembly.parameters[name].role == "input":
            _check_replaced_input(assembly, name, owner, unit, units[name])
        units[name] = unit
    units["t"] = parse_unit(TIME_UNIT)
    for part in assembly.parts:
        checker = UnitChecker(part.source, units, assembly.functions[part.name])
        for statement in part.statements:
            checker.statement(statement)
        assembly.problems.extend(checker.problems)
        if part.event_source is not None and part.events:
            checker = UnitChecker(part.event_source, units, assembly.functions[part.name])
            for event in part.events:
                checker.event(event)
            assembly.problems.extend(checker.problems)


def _row_unit(assembly: NameOwners, row: Parameter) -> Unit | None:
    try:
        return parse_unit(row.unit, row.location)
    except UnitError as error:
        assembly.problems.extend(error.problems)
        return None


def _check_replaced_input(
    assembly: NameOwners, name: str, owner: Owned, unit: Unit | None, input_unit: Unit | None
) -> None:
    if unit is not None and input_unit is not None and not unit.same(input_unit):
        assembly.problem_at(
            owner.part,
            owner.statement.position,
            "wrong-unit" if not unit.compatible(input_unit) else "wrong-scale",
            f"{name!r} replaces an input of another unit",
            found=f"[{unit.text}]",
            expected=f"[{input_unit.text}]",
        )
