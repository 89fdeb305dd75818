"""Conversion of what laboratories report."""

from __future__ import annotations

from typing import Literal, get_args


def convert(
    value: float,
    quantity: str,
    unit: str,
    to: str = "",
    kind: Literal["level", "difference", "percent change"] = "level",
) -> float:
    """Return a number of a clinical quantity in another unit.

    Parameters
    ----------
    value
        Number in `unit`.
    quantity
        What is measured, such as ``HbA1c``, ``UACR``, ``eGFR``, ``creatinine``, in any case.
    unit
        As laboratories of many countries write it; never guessed.
    to
        Unit of the result; betapod's own by default.
    kind
        ``level``, ``difference`` or ``percent change``: a difference of HbA1c, say, converts in another way than a level.

    Returns
    -------
    float
        The same in `to`.

    Raises
    ------
    ConfigError
        There is no such quantity; the nearest is told.
    UnitError
        The quantity is not measured in this unit; the units that it has are named.

    Examples
    --------
    >>> import betapod
    >>> round(betapod.convert(53, "HbA1c", "mmol/mol"), 2)
    7.0
    >>> round(betapod.convert(-11, "HbA1c", "mmol/mol", kind="difference"), 2)
    -1.01
    """
    from ..base import arguments, clinical
    from ..base.errors import ConfigError, not_among

    value = arguments.number("value", value)
    for name, text in (("quantity", quantity), ("unit", unit), ("to", to)):
        arguments.instance(name, text, str, "a text")
    kinds = get_args(clinical.Kind)
    if kind not in kinds:
        raise ConfigError(not_among(kinds, "unknown-kind", f"nothing is converted as {kind!r}", str(kind)))

    concept = clinical.known_quantity(quantity)
    if concept is None:
        message = f"there is no clinical quantity {quantity!r}"
        raise ConfigError(not_among(list(clinical.clinical_quantities()), "unknown-quantity", message, quantity))
    return clinical.convert_clinical(value, concept, unit, to, kind)
