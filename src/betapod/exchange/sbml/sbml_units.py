"""Convert SBML unit definitions to betapod unit strings where representable."""

from __future__ import annotations

from typing import Any

from ..foreign.unit_texts import product_of_units, readable_text, unit_of_kind

#: What Level 2 means by its built-in units where a model does not redefine them.
BUILT_IN = {"substance": "mole", "volume": "litre", "area": "metre^2", "length": "metre", "time": "second"}


def sbml_unit_text(model: Any, reference: str) -> str | None:
    """Return the text of a unit that an SBML model refers to, or None where betapod cannot express it.

    Parameters
    ----------
    reference
        Id of a unit definition, a unit kind, or a built-in unit of Level 2.
    """
    if not reference:
        return None
    definition = model.getUnitDefinition(reference)
    if definition is None:
        plain = BUILT_IN.get(reference, reference)
        text = unit_of_kind(plain, 1.0) if "^" not in plain else plain
        return readable_text(text)
    import libsbml

    return product_of_units(
        (
            libsbml.UnitKind_toString(unit.getKind()),
            unit.getMultiplier() * 10.0 ** unit.getScale(),
            unit.getExponentAsDouble(),
        )
        for unit in (definition.getUnit(k) for k in range(definition.getNumUnits()))
    )
