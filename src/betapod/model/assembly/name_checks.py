"""Check names: every name used is defined or declared, every declared read is provided and used."""

from __future__ import annotations

from ...base.errors import Location, Problem, did_you_mean
from ...base.units import conversion_factor
from ..algebra.functions import FUNCTIONS
from ..language.syntax import EventStatement, Position, SourceText, Syntax
from .name_owners import NameOwners, expressions_of, unit_or_none
from .submodel import Part


def check_names(assembly: NameOwners) -> None:
    """Resolve every name that a statement uses, and every declared read; what is wrong becomes a problem of the assembly."""
    for part in assembly.parts:
        uses: set[str] = set()
        for statement in part.statements:
            local = set(statement.arguments)
            for node in expressions_of(statement):
                _check_node(assembly, part, part.source, node, local, uses)
        if part.event_source is not None:
            for event in part.events:
                for node in (event.trigger, *(value for _, value in event.assignments)):
                    _check_node(assembly, part, part.event_source, node, set(), uses)
                _check_targets(assembly, part, event)
        _check_reads(assembly, part, uses)


def _check_targets(assembly: NameOwners, part: Part, event: EventStatement) -> None:
    assert part.event_source is not None
    for target, _ in event.assignments:
        owner = assembly.owned.get(target)
        if owner is None or owner.statement.kind != "rate":
            states = [name for name, owned in assembly.owned.items() if owned.statement.kind == "rate"]
            assembly.problems.append(
                part.event_source.problem(
                    "not-a-state",
                    f"the event changes {target!r}, which is not a state",
                    event.position,
                    hint=did_you_mean(target, states),
                )
            )


def _check_node(
    assembly: NameOwners, part: Part, source: SourceText, node: Syntax, local: set[str], uses: set[str]
) -> None:
    for use in node.names():
        name = use.text
        if name in local or name == "t":
            continue
        uses.add(name)
        owner = assembly.owned.get(name)
        declared = {read.name for read in part.reads}
        is_input = name in assembly.parameters and assembly.parameters[name].role == "input"
        if owner is not None and owner.part is part:
            continue
        if name in declared:
            assembly.used.add(name)
        elif owner is not None or is_input:
            owner_text = f"{owner.part.name} owns it" if owner is not None else "it is an input"
            assembly.problems.append(
                source.problem(
                    "undeclared-read",
                    f"{name!r} is used but not declared",
                    use.position,
                    found=owner_text,
                    expected=f"{name!r} in the reads of {part.name}",
                )
            )
        elif name in assembly.parameters:
            assembly.used.add(name)
        elif (factor := conversion_factor(name)) is not None:
            assembly.conversions[name] = factor
        else:
            _unknown(assembly, part, source, use)
    _check_calls(assembly, part, source, node)


def _unknown(assembly: NameOwners, part: Part, source: SourceText, use: Syntax) -> None:
    if use.text in FUNCTIONS or use.text in assembly.functions[part.name]:
        assembly.problems.append(
            source.problem("bad-syntax", f"{use.text!r} is a function", use.position, expected=f"{use.text}(...)")
        )
        return
    available = (*assembly.owned, *assembly.parameters)
    assembly.problems.append(
        source.problem(
            "unknown-name",
            f"{use.text!r} is not a state, an equation, a parameter or an input",
            use.position,
            hint=did_you_mean(use.text, available),
        )
    )


def _check_calls(assembly: NameOwners, part: Part, source: SourceText, node: Syntax) -> None:
    if node.kind == "call":
        local_function = assembly.functions[part.name].get(node.text)
        if local_function is None and node.text not in FUNCTIONS:
            assembly.problems.append(
                source.problem(
                    "unknown-function",
                    f"there is no function {node.text!r}",
                    node.position,
                    hint=did_you_mean(node.text, (*FUNCTIONS, *assembly.functions[part.name])),
                )
            )
        else:
            expected = local_function.arguments if local_function is not None else FUNCTIONS[node.text].arguments
            if len(expected) != len(node.args):
                assembly.problems.append(
                    source.problem(
                        "bad-arguments",
                        f"{node.text}() takes {len(expected)} arguments",
                        node.position,
                        found=str(len(node.args)),
                        expected=f"{node.text}({', '.join(expected)})",
                    )
                )
    for arg in node.args:
        _check_calls(assembly, part, source, arg)


def _check_reads(assembly: NameOwners, part: Part, uses: set[str]) -> None:
    start = part.source.location(Position(1, 1))
    for read in part.reads:
        owner = assembly.owned.get(read.name)
        unit_text = (
            owner.statement.unit
            if owner is not None
            else assembly.parameters[read.name].unit
            if read.name in assembly.parameters
            else None
        )
        if owner is not None and owner.initial is not None:
            unit_text = owner.initial.unit
        if unit_text is None:
            assembly.problems.append(
                Problem(
                    "missing-input",
                    f"{part.name} reads {read.name!r}, which nothing provides",
                    start,
                    hint=did_you_mean(read.name, (*assembly.owned, *assembly.parameters)),
                )
            )
            continue
        if read.name not in uses:
            assembly.problems.append(
                Problem("unused-read", f"{part.name} declares to read {read.name!r} but does not use it", start)
            )
        if read.unit is not None:
            _check_read_unit(assembly, part, read.name, read.unit, unit_text, start)


def _check_read_unit(
    assembly: NameOwners, part: Part, name: str, expected: str, owner_unit: str, start: Location
) -> None:
    a, b = unit_or_none(expected), unit_or_none(owner_unit)
    if a is None:
        assembly.problems.append(
            Problem("unknown-unit", f"{part.name} reads {name!r} in an unknown unit [{expected}]", start)
        )
    elif b is not None and not a.same(b):
        kind = "wrong-scale" if a.compatible(b) else "wrong-unit"
        assembly.problems.append(
            Problem(
                kind,
                f"{part.name} reads {name!r} in another unit than its owner gives",
                start,
                found=f"[{owner_unit}]",
                expected=f"[{expected}]",
            )
        )
