"""A shorthand for SBML models in tests, one statement per line, written out by libsbml.

::

    compartment c = 2 dim=3 variable
    species S in c amount=3 | concentration=3 only_substance boundary constant factor=k
    parameter k = 1 variable
    function f(x, y) = x*y
    initial k = expr
    assign x = expr
    rate x = expr
    algebraic expr
    reaction J: 2 A + [ref=3] B -> C ; expr ; local k=1 fast
    event E: trigger ; delay=expr ; priority=expr ; fleeting ; armed ; late ; x = expr, y = expr

`armed` means that the trigger counts as false before the start, `fleeting` not persistent, `late` values of the execution time.
"""

from __future__ import annotations

import re
from typing import Any

import libsbml


def formula(text: str) -> Any:
    """Parse a formula of Level 3 infix."""
    settings = libsbml.L3ParserSettings()
    settings.setParseAvogadroCsymbol(True)
    node = libsbml.parseL3FormulaWithSettings(text.strip(), settings)
    assert node is not None, libsbml.getLastParseL3Error()
    return node


def sbml(text: str, level: int = 3, version: int = 2) -> str:
    """Return the SBML of a model in shorthand; Level 3 by default, other levels by libsbml's conversion."""
    document = libsbml.SBMLDocument(3, version if level == 3 else 1)
    model = document.createModel()
    model.setId("m")
    for line in text.strip().splitlines():
        line = line.split("#")[0].strip()
        if line:
            word, rest = line.split(None, 1)
            _WRITERS[word](model, rest.strip())
    if level != 3:
        options = libsbml.ConversionProperties(libsbml.SBMLNamespaces(level, version))
        options.addOption("setLevelAndVersion", True)
        options.addOption("strict", False)
        assert document.convert(options) == 0, document.getErrorLog().toString()
    return str(libsbml.writeSBMLToString(document))


def _options(words: list[str]) -> dict[str, str]:
    return {key: value for key, _, value in (word.partition("=") for word in words)}


def _compartment(model: Any, rest: str) -> None:
    made = model.createCompartment()
    head, _, tail = rest.partition("=")
    words = tail.split() if tail and not head.strip().count(" ") else rest.split()[1:]
    made.setId(head.split()[0])
    if words and re.match(r"[-\d.]", words[0]):
        made.setSize(float(words.pop(0)))
    options = _options(words)
    made.setSpatialDimensions(float(options.get("dim", 3)))
    made.setConstant("variable" not in options)


def _species(model: Any, rest: str) -> None:
    name, _, compartment, *words = rest.split()
    options = _options(words)
    made = model.createSpecies()
    made.setId(name)
    made.setCompartment(compartment)
    made.setHasOnlySubstanceUnits("only_substance" in options)
    made.setBoundaryCondition("boundary" in options)
    made.setConstant("constant" in options)
    if "amount" in options:
        made.setInitialAmount(float(options["amount"]))
    if "concentration" in options:
        made.setInitialConcentration(float(options["concentration"]))
    if "factor" in options:
        made.setConversionFactor(options["factor"])


def _parameter(model: Any, rest: str) -> None:
    words = rest.replace("=", " ").split()
    made = model.createParameter()
    made.setId(words[0])
    if len(words) > 1 and words[1] != "variable":
        made.setValue(float(words[1]))
    made.setConstant(words[-1] != "variable")


def _function(model: Any, rest: str) -> None:
    head, body = rest.split("=", 1)
    name, arguments = re.fullmatch(r"(\w+)\((.*)\)", head.strip()).groups()  # type: ignore[union-attr]
    made = model.createFunctionDefinition()
    made.setId(name)
    made.setMath(formula(f"lambda({arguments}, {body})" if arguments.strip() else f"lambda({body})"))


def _sides(rest: str) -> tuple[str, Any]:
    name, body = rest.split("=", 1)
    return name.strip(), formula(body)


def _initial(model: Any, rest: str) -> None:
    name, math = _sides(rest)
    made = model.createInitialAssignment()
    made.setSymbol(name)
    made.setMath(math)


def _rule(kind: str) -> Any:
    def write(model: Any, rest: str) -> None:
        made = getattr(model, f"create{kind}Rule")()
        if kind == "Algebraic":
            made.setMath(formula(rest))
            return
        name, math = _sides(rest)
        made.setVariable(name)
        made.setMath(math)

    return write


def _reaction(model: Any, rest: str) -> None:
    name, rest = rest.split(":", 1)
    parts = [part.strip() for part in rest.split(";")]
    made = model.createReaction()
    made.setId(name.strip())
    made.setReversible(False)
    if model.getLevel() == 3 and model.getVersion() == 1:
        made.setFast(False)
    for side, create in zip(parts[0].split("->"), (made.createReactant, made.createProduct), strict=True):
        for term in filter(None, (t.strip() for t in side.split("+"))):
            bracket = re.match(r"\[(\w+)(?:=([-\d.e]+))?\]\s*(\w+)", term)
            plain = re.match(r"(?:([-\d.e]+)\s+)?(\w+)", term)
            reference = create()
            if bracket:
                reference.setId(bracket[1])
                reference.setConstant(False)
                if bracket[2]:
                    reference.setStoichiometry(float(bracket[2]))
                reference.setSpecies(bracket[3])
            else:
                assert plain is not None
                reference.setConstant(True)
                reference.setStoichiometry(float(plain[1] or 1))
                reference.setSpecies(plain[2])
    law = made.createKineticLaw()
    law.setMath(formula(parts[1]))
    for part in parts[2:]:
        if part == "fast":
            made.setFast(True)
        for key, value in _options(part.removeprefix("local ").split()).items():
            if value:
                local = law.createLocalParameter()
                local.setId(key)
                local.setValue(float(value))
    used = {node.getName() for node in _names(law.getMath())}
    touched = {r.getSpecies() for r in (*made.getListOfReactants(), *made.getListOfProducts())}
    for species in model.getListOfSpecies():
        if species.getId() in used - touched:
            made.createModifier().setSpecies(species.getId())


def _names(node: Any) -> list[Any]:
    own = [node] if node.getType() == libsbml.AST_NAME else []
    return own + [found for k in range(node.getNumChildren()) for found in _names(node.getChild(k))]


def _event(model: Any, rest: str) -> None:
    name, rest = rest.split(":", 1)
    parts = [part.strip() for part in rest.split(";")]
    made = model.createEvent()
    made.setId(name.strip())
    trigger = made.createTrigger()
    trigger.setMath(formula(parts[0]))
    trigger.setPersistent("fleeting" not in parts)
    trigger.setInitialValue("armed" not in parts)
    made.setUseValuesFromTriggerTime("late" not in parts)
    for part in parts[1:]:
        if part.startswith("delay="):
            made.createDelay().setMath(formula(part[6:]))
        elif part.startswith("priority="):
            made.createPriority().setMath(formula(part[9:]))
        elif part not in ("fleeting", "armed", "late"):
            for change in _separate(part):
                target, math = _sides(change)
                assignment = made.createEventAssignment()
                assignment.setVariable(target)
                assignment.setMath(math)


def _separate(text: str) -> list[str]:
    """Split at commas outside parentheses."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


_WRITERS = {
    "compartment": _compartment,
    "species": _species,
    "parameter": _parameter,
    "function": _function,
    "initial": _initial,
    "assign": _rule("Assignment"),
    "rate": _rule("Rate"),
    "algebraic": _rule("Algebraic"),
    "reaction": _reaction,
    "event": _event,
}
