"""A protocol checked before it is run: who could take part, and what a run would cost."""

from __future__ import annotations

from typing import Any

from ..base.config import Document
from ..base.errors import ConfigError
from .conduct.enrolment_chances import nobody
from .conduct.feasibility import Feasible, feasible
from .protocol.protocol import Protocol
from .protocol.run_cost import Cost, cost


def checked_feasibility(protocol: Protocol, document: Document) -> tuple[Feasible, Cost]:
    """Return who of the package's library could take part in a trial, and the cost of a run.

    Parameters
    ----------
    document
        The text of the protocol, in which places are told.

    Raises
    ------
    ConfigError
        Nobody is eligible, at the criterion that leaves nobody.
    """
    from ..patients.library import default

    library = default()
    try:
        return feasible(protocol, library), cost(protocol)
    except ConfigError as error:
        if error.kinds != ("nobody-eligible",):
            raise
        problem, where = nobody(protocol, library)
        details = {"found": problem.found, "expected": problem.expected, "hint": problem.hint}
        raise ConfigError(document.problem(problem.kind, problem.message, where, True, **details)) from None


def protocol_facts(protocol: Protocol) -> dict[str, Any]:
    """Return what a list says of a protocol, as plain values."""
    return {
        "name": protocol.name,
        "title": protocol.title,
        "designs": {name: protocol.size(name) for name in protocol.designs},
        "arms": list(protocol.arms),
        "scenarios": list(protocol.scenarios),
        "replicates": protocol.replicates,
        "follow_up_days": protocol.days[-1],
    }
