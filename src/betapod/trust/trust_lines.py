"""What a simulation, a trial or a comparison of strategies asks of the published numbers: its drugs, products, endpoints and people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..observables.quantities import code_of, visit_observables
from ..therapies.scenarios import CURRENT_EVIDENCE
from .trust_question import ANY_CELLS, TrustQuestion
from .trust_topics import OTHER, topic_of, topic_of_quantity, topics
from .trust_treatments import products_named, treatments_named

if TYPE_CHECKING:
    from ..trials.protocol.protocol import Protocol

#: The model whose people were compared with published numbers.
COMPARED_MODEL = "reference"
#: What a comparison of strategies counts over lives.
_OF_LIVES = ("kidney failure", "death and heart disease")


def question_of_simulation(
    quantities: Iterable[str],
    drugs: Iterable[str] = (),
    cells: Iterable[str] = (),
    scenario: str = "",
    diabetes: str = "",
) -> TrustQuestion:
    """Return what a simulated person asks.

    Parameters
    ----------
    quantities
        Names of the model, such as ``S_cr``.
    drugs, cells
        Orders; without any the people that are meant are untreated.
    diabetes
        ``type 1`` or ``type 2``; empty where the person has none, or nobody says.
    """
    treatments, products = treatments_named(drugs), products_named(cells)
    return TrustQuestion(
        treatments,
        products,
        untreated=not (treatments or products),
        topics=_in_order(topic_of_quantity(name) for name in quantities),
        diabetes=diabetes,
        scenario=scenario or CURRENT_EVIDENCE,
    )


def question_of_protocol(protocol: Protocol) -> TrustQuestion:
    """Return what a trial asks: the treatments that its arms differ in, its endpoints, its type of diabetes.

    Where cells are given, drugs beside them are not under test.
    """
    arms = protocol.arms.values()
    products = products_named(arm.cells for arm in arms if arm.cells)
    drugs = () if products else treatments_named(item.therapy for arm in arms for item in arm.therapies)
    endpoints = [protocol.endpoints.primary, *protocol.endpoints.secondary]
    names = [name for endpoint in endpoints for name in (_measured(endpoint.quantity), *endpoint.also)]
    diabetes = protocol.population.diabetes
    return TrustQuestion(
        drugs,
        products,
        untreated=not (drugs or products),
        topics=_in_order(topic_of(name) for name in names),
        diabetes=diabetes if diabetes in ("type 1", "type 2") else "",
    )


def question_of_strategies(strategies: Mapping[str, Mapping[str, Any]]) -> TrustQuestion:
    """Return what a comparison of strategies over lives asks, from the settings of its strategies."""
    products = products_named(str(strategy["cells"]) for strategy in strategies.values() if strategy.get("cells"))
    items = [item for strategy in strategies.values() for item in strategy.get("therapies") or ()]
    drugs = treatments_named(str(item["therapy"] if isinstance(item, Mapping) else item) for item in items)
    return TrustQuestion(drugs, products, untreated=not (drugs or products), topics=_in_order(_OF_LIVES))


def question_of_cells(topics_asked: Iterable[str] = ()) -> TrustQuestion:
    """Return the question of those who speak of cells as such."""
    return TrustQuestion(cells=(ANY_CELLS,), topics=_in_order(topics_asked))


def _measured(name: str) -> str:
    """Return the observable that a protocol names; an outcome as it is called."""
    quantity = visit_observables().get(code_of(name))
    return name if quantity is None else quantity.id


def _in_order(names: Iterable[str]) -> tuple[str, ...]:
    asked = set(names) - {OTHER}
    return tuple(topic for topic in topics() if topic in asked)
