"""Table of names and the submodels that own them, used by assembly."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...base.errors import Problem, UnitError
from ...base.units import Unit, parse_unit
from ..language.syntax import Position, Statement, Syntax
from ..parameters.table import ParameterTable
from .submodel import Part


@dataclass
class Owned:
    """A name with the statement that defines it, and with its initial value if it is a state."""

    part: Part
    statement: Statement
    initial: Statement | None = None


@dataclass
class NameOwners:
    """Submodels on their way to one model.

    Attributes
    ----------
    owned
        The names that equations define, with their owners.
    functions
        The functions of each part, by its name.
    problems
        Everything found wrong so far.
    conversions
        Exact unit conversions used by name: value and unit.
    used
        Names of other owners and rows of the table that some equation uses.
    """

    parts: list[Part]
    parameters: ParameterTable
    owned: dict[str, Owned] = field(default_factory=dict)
    functions: dict[str, dict[str, Statement]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    conversions: dict[str, tuple[float, str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def sorted_problems(self) -> list[Problem]:
        """Return the problems in the order of the files, each once."""
        unique = dict.fromkeys(self.problems)
        return sorted(unique, key=lambda p: (p.location.file, p.location.line, p.location.column))

    def collect(self) -> None:
        """Assign names to owners; two owners, and states without an initial value, become problems."""
        initials: list[tuple[Part, Statement]] = []
        for part in self.parts:
            self.problems.extend(part.problems)
            self.functions[part.name] = {}
            for statement in part.statements:
                if statement.kind == "function":
                    self.functions[part.name][statement.name] = statement
                elif statement.kind == "initial":
                    initials.append((part, statement))
                else:
                    self._own(part, statement)
        for part, statement in initials:
            owner = self.owned.get(statement.name)
            if owner is None or owner.statement.kind != "rate":
                self.problem_at(
                    part,
                    statement.position,
                    "no-rate",
                    f"{statement.name!r} has an initial value but no rate",
                    expected=f"d{statement.name}/dt = ...",
                )
            elif owner.initial is not None:
                self.problem_at(
                    part,
                    statement.position,
                    "two-owners",
                    f"{statement.name!r} has two initial values",
                    found=f"another at {owner.part.source.location(owner.initial.position)}",
                )
            else:
                owner.initial = statement
        for name, owner in self.owned.items():
            if owner.statement.kind == "rate" and owner.initial is None:
                self.problem_at(
                    owner.part,
                    owner.statement.position,
                    "missing-initial",
                    f"the state {name!r} has no initial value",
                    expected=f"{name}(0) = ... [unit] label",
                )

    def _own(self, part: Part, statement: Statement) -> None:
        name = statement.name
        if name in self.owned:
            other = self.owned[name]
            location = other.part.source.location(other.statement.position)
            self.problem_at(
                part,
                statement.position,
                "two-owners",
                f"{name!r} is defined twice",
                found=f"{other.part.name} defines it at {location}",
                expected="one owner",
            )
            return
        if name in self.parameters and self.parameters[name].role != "input":
            self.problem_at(
                part,
                statement.position,
                "two-owners",
                f"{name!r} is also a parameter",
                found=f"a row at {self.parameters[name].location}",
                expected="one owner",
            )
        self.owned[name] = Owned(part, statement)

    def problem_at(self, part: Part, position: Position, kind: str, message: str, **details: str) -> None:
        """Keep a problem at a place in the text of a part."""
        self.problems.append(part.source.problem(kind, message, position, **details))


def unit_or_none(text: str) -> Unit | None:
    """Return a unit, or nothing where it is unknown; that is reported where it is written."""
    try:
        return parse_unit(text)
    except UnitError:
        return None


def expressions_of(statement: Statement) -> list[Syntax]:
    """Return the expressions of a statement."""
    return [node for node in (statement.expression, statement.other, statement.start) if node is not None]
