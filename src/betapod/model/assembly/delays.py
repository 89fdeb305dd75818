"""What few models have and most engines lack: quantities as they were some time ago, and reactions that take no time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..algebra.expression import ZERO, Expr, free_symbols, substitute, symbol


@dataclass(frozen=True)
class Delayed:
    """What a quantity was some time ago: the symbol ``delay`` of SBML.

    Attributes
    ----------
    name
        Stands for it in rates, equations and events; no quantity of the model has this name.
    of
        The quantity, in terms of states, parameters, inputs, time and other delayed quantities.
    by
        How long ago, in the model's unit of time; in the same terms, as they are now.
    """

    name: str
    of: Expr
    by: Expr


@dataclass(frozen=True)
class FastReaction:
    """A reaction that takes no time: whatever disturbs it, it goes on until its rate is 0.

    Attributes
    ----------
    rate
        Its rate, in terms of states, parameters, inputs and time.
    changes
        States with what one turn of it adds to each.
    """

    name: str
    rate: Expr
    changes: tuple[tuple[str, Expr], ...]


def undelayed(roots: Sequence[Expr], delays: Sequence[Delayed]) -> list[Expr]:
    """Return expressions in which every delayed quantity is as it is now; one that needs its own past counts as 0."""
    now = {symbol(delayed.name): delayed.of for delayed in delays}
    names = {delayed.name for delayed in delays}
    written = list(roots)
    for _ in delays:
        if not names.intersection(free_symbols(written)):
            return written
        written = substitute(written, now)
    return substitute(written, dict.fromkeys(now, ZERO))
