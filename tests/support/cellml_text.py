"""CellML in shorthand, for tests: formulas as text, in any version."""

from __future__ import annotations

import re

import libsbml

MATHML = "http://www.w3.org/1998/Math/MathML"


def formula(text: str, numbers: str = "dimensionless") -> str:
    """Return a formula as MathML, without the element around it."""
    settings = libsbml.L3ParserSettings()
    settings.setParseLog(libsbml.L3P_PARSE_LOG_AS_LN)
    tree = libsbml.parseL3FormulaWithSettings(text, settings)
    assert tree is not None, libsbml.getLastParseL3Error()
    inner = libsbml.writeMathMLToString(tree).partition(f'xmlns="{MATHML}">')[2].rpartition("</math>")[0]
    # Whole numbers have a type of their own in SBML.
    inner = re.sub(r'<cn(?: type="integer")?', f'<cn cellml:units="{numbers}"', inner)
    return re.sub(r"\s*([<>])\s*", r"\1", inner).replace("<sep/>", " <sep/> ")


def equation(text: str, numbers: str = "dimensionless") -> str:
    """Return an equation: ``y = 2*x``, or ``x' = -k*x`` with time called ``t``."""
    left, _, right = (side.strip() for side in text.partition("="))
    if left.endswith("'"):
        left_side = f"<apply><diff/><bvar><ci>t</ci></bvar><ci>{left[:-1]}</ci></apply>"
    else:
        left_side = formula(left, numbers)
    return f"<apply><eq/>{left_side}{formula(right, numbers)}</apply>"


def component(name: str, variables: str, *equations: str, version: str = "2.0") -> str:
    """Return a component; each line of `variables` is a name, a unit, and perhaps ``= value`` or ``in`` and ``out``."""
    lines = []
    for line in filter(None, map(str.strip, variables.splitlines())):
        words = line.split()
        initial = f' initial_value="{words[words.index("=") + 1]}"' if "=" in words else ""
        ways = [word for word in words[2:] if word in ("in", "out")]
        if version == "2.0":
            interface = ' interface="public"' if ways else ""
        else:
            interface = f' public_interface="{ways[0]}"' if ways else ""
        lines.append(f'<variable name="{words[0]}" units="{words[1]}"{initial}{interface}/>')
    lines += [f'<math xmlns="{MATHML}">', *map(equation, equations), "</math>"] if equations else []
    return "\n".join([f'<component name="{name}">', *lines, "</component>"])


def connection(first: str, second: str, *names: str, version: str = "2.0") -> str:
    """Return a connection of two components by variables of the same names."""
    variables = "".join(f'<map_variables variable_1="{name}" variable_2="{name}"/>' for name in names)
    if version == "2.0":
        return f'<connection component_1="{first}" component_2="{second}">{variables}</connection>'
    return f'<connection><map_components component_1="{first}" component_2="{second}"/>{variables}</connection>'


def model(*parts: str, version: str = "2.0") -> str:
    """Return a model."""
    space = f"http://www.cellml.org/cellml/{version}#"
    head = f'<model name="test" xmlns="{space}" xmlns:cellml="{space}" xmlns:xlink="http://www.w3.org/1999/xlink">'
    return "\n".join([head, *parts, "</model>"])
