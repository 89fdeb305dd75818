"""What orders count as where numbers are looked up: classes of drugs, insulin, diets; cell products."""

from __future__ import annotations

from collections.abc import Iterable

from ..therapies.cell_order import read_order
from ..therapies.drug_catalogue import DIET, INSULIN, OTHER, catalogued_drugs
from ..therapies.standard_care import therapy


def treatment_name(name: str) -> str:
    """Return what a therapy counts as: its class if it is a drug, ``insulin``, else its own name.

    Examples
    --------
    >>> from betapod.trust.trust_treatments import treatment_name
    >>> treatment_name("dapagliflozin"), treatment_name("titrated insulin"), treatment_name("protein intake")
    ('SGLT2 inhibitor', 'insulin', 'protein intake')
    """
    drug = catalogued_drugs().get(name)
    if drug is None:
        return name
    if drug.kind == INSULIN:
        return "insulin"
    # Diets and what else is no drug differ among themselves: a class of them is not one treatment.
    return drug.therapy if drug.kind in (DIET, OTHER) else drug.drug_class


def treatments_named(texts: Iterable[str]) -> tuple[str, ...]:
    """Return what orders such as ``empagliflozin 10 mg`` count as, each once.

    Raises
    ------
    ConfigError
        An order that is not understood.
    """
    return tuple(sorted({treatment_name(therapy(text).name) for text in texts}))


def products_named(orders: Iterable[str]) -> tuple[str, ...]:
    """Return the cell products of orders such as ``UC-MSC 1e6/kg iv``, each once.

    Raises
    ------
    ConfigError
        An order that is not understood.
    """
    return tuple(sorted({read_order(order).product.name for order in orders}))
