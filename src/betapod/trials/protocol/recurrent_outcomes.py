"""Outcomes that may come to a patient again and again, and what of a protocol is about all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...hazards.outcome_rates import DEATHS, OUTCOMES
from .endpoint_keys import KIDNEY_FAILURE

if TYPE_CHECKING:
    from .endpoint_keys import Endpoint
    from .protocol import Protocol

#: Causes that come again at the rates of a patient's own course. Kidney injury is part of the course, which holds the first alone; a
#: cancer is a first one by its rates.
RECURRING = ("hf_hospitalisation", "mi", "stroke", "severe_hypoglycaemia", "serious_infection", "thromboembolism")


def recurring_outcomes() -> tuple[str, ...]:
    """Return the outcomes of which a rate of events can be asked: those with a cause that comes again.

    Examples
    --------
    >>> from betapod.trials.protocol.recurrent_outcomes import recurring_outcomes
    >>> recurring_outcomes()[:2]
    ('hf_hospitalisation', 'mi')
    """
    return tuple(name for name, causes in OUTCOMES.items() if set(causes) & set(RECURRING))


def countable(outcome: str | None) -> bool:
    """Whether an outcome may be part of what is counted: it comes again, or ends what may come."""
    return outcome == KIDNEY_FAILURE or set(OUTCOMES.get(outcome or "", ("",))) <= {*RECURRING, *DEATHS}


def counted_causes(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the causes, each once, whose events an endpoint counts; kidney failure is none of them."""
    causes = (cause for name in endpoint.composite for cause in OUTCOMES.get(name, ()))
    return tuple(dict.fromkeys(causes))


def repeated_causes(protocol: Protocol) -> tuple[str, ...]:
    """Return the causes whose later events a protocol asks for, each once: what is not asked for is not drawn."""
    items = (protocol.endpoints.primary, *protocol.endpoints.secondary)
    wanted = {cause for item in items if item.summary == "recurrent events" for cause in counted_causes(item)}
    return tuple(cause for cause in RECURRING if cause in wanted)
