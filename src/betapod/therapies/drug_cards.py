"""What there is to know of a drug: what it is, what it changes at each dose, where the numbers come from, what it is not given with."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from ..base.errors import ConfigError, Location, Problem
from ..physiology import whole_body
from . import standard_care
from .drug_catalogue import catalogued_drugs, class_named, drug_classes, exclusions, suggested_drugs, therapy_named
from .drug_limits import drug_limits

#: What a rule does with the quantity, in words; ``value`` stands for the number.
RULE_WORDS = {"set": "set to", "multiply": "times", "add": "plus", "max": "at least", "policy": "switched to"}


def drugs_named(name: str) -> tuple[str, ...]:
    """Return the therapy that a name means, or all of a class.

    Raises
    ------
    ConfigError
        The name means neither; the nearest are named.
    """
    if (meant := therapy_named(name)) is not None and name.lower() not in map(str.lower, drug_classes()):
        return (meant,)
    if (drug_class := class_named(name)) is not None:
        return drug_classes()[drug_class]
    raise ConfigError(
        Problem("unknown-drug", f"there is no drug {name!r}", Location("drugs"), hint=suggested_drugs(name))
    )


def drug_list() -> list[dict[str, Any]]:
    """Return every therapy as plain values: name, kind, class, substance, ATC code, route, doses, other names."""
    doses = standard_care.catalogue()
    return [
        {
            "name": drug.therapy,
            "class": drug.drug_class,
            "kind": drug.kind,
            "substance": drug.substance,
            "atc": drug.atc,
            "route": drug.route,
            "doses": [_dose_words(dose) for dose in sorted(doses[drug.therapy], key=_in_order)],
            "names": list(drug.names),
        }
        for drug in catalogued_drugs().values()
    ]


def _in_order(dose: str) -> float:
    """Return what doses are sorted by: the number; what is ordered by its name alone comes first."""
    number = dose.split(" ", 1)[0]
    return 0.0 if number == "any" or dose == "1 dose" else float(number)


def _dose_words(dose: str) -> str:
    """Return a dose in words: what is ordered by its name alone, any number of a unit, or the dose as it is written."""
    number, unit = dose.split(" ", 1)
    if dose == "1 dose":
        return "name alone"
    return f"any number of {unit}" if number == "any" else dose


def drug_effects(name: str) -> list[dict[str, Any]]:
    """Return what a therapy changes as plain values, a row for each dose and quantity.

    Parameters
    ----------
    name
        Of a therapy, as in `drug_catalogue.catalogued_drugs`.
    """
    labels = whole_body.model_parameters("reference")
    rows = []
    for dose in standard_care.catalogue()[name]:
        number, unit = dose.split(" ", 1)
        any_dose = number == "any"
        # One unit of what is given in any dose: the value is per unit.
        ordered = standard_care.therapy(f"{name} {'1' if any_dose else number} {unit}")
        for effect in ordered.effects:
            row = {"dose": "any" if any_dose else float(number), "dose_unit": unit, **asdict(effect)}
            row["lasts"] = None if math.isinf(effect.lasts) else effect.lasts
            row["label"] = labels[effect.quantity].label if effect.quantity in labels else ""
            row["per_unit"] = any_dose and standard_care.scales_with_dose(name, effect.quantity)
            rows.append(row)
    return rows


def drug_warnings(name: str) -> list[str]:
    """Return limits of a therapy and of its class, and classes that are not given with it, each as a sentence with its source."""
    drug = catalogued_drugs()[name]
    lines = [
        _cited(row["message"], row["source"], row["locator"])
        for row in drug_limits()
        if row["therapy"] in (drug.therapy, drug.drug_class)
    ]
    for exclusion in exclusions():
        if drug.drug_class in exclusion.classes:
            (other,) = exclusion.classes - {drug.drug_class}
            lines.append(
                _cited(
                    f"not with a drug of the class {other}: {exclusion.message}", exclusion.source, exclusion.locator
                )
            )
    if drug.kind == "drug":
        lines.append(f"not with another drug of the class {drug.drug_class}")
    return lines


def _cited(text: str, source: str, locator: str) -> str:
    return f"{text} ({source}, {locator})" if source else text


def drug_card(name: str) -> dict[str, Any]:
    """Return everything about a therapy as plain values: what `drug_list` has, ``effects``, ``limits``, ``source`` of the code, ``note``."""
    (row,) = (row for row in drug_list() if row["name"] == name)
    drug = catalogued_drugs()[name]
    return {
        **row,
        "source": drug.source,
        "note": drug.note,
        "effects": drug_effects(name),
        "limits": drug_warnings(name),
    }
