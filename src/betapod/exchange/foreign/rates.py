"""Rates of change of all quantities of an imported model, and computed constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ...model.algebra.derivative import gradient
from ...model.algebra.expression import (
    TIME,
    ZERO,
    Expr,
    add,
    binary,
    div,
    free_symbols,
    mul,
    neg,
    select,
    substitute,
    symbol,
)


def solve_relations(relations: Sequence[Expr], free: Iterable[str]) -> dict[str, Expr] | None:
    """Solve relations that are to be 0 for the free names, one after the other.

    Parameters
    ----------
    free
        Names that nothing else determines.

    Returns
    -------
    dict or None
        An equation for one name per relation; None unless each relation has exactly one free name left and is linear in it.
    """
    names, left = set(free), list(relations)
    solutions: dict[str, Expr] = {}
    while left:
        for relation in left:
            unknown = [name for name in free_symbols([relation]) if name in names and name not in solutions]
            if len(unknown) != 1:
                continue
            z = symbol(unknown[0])
            slope = gradient(relation, [z]).get(z)
            if slope is not None and z.value not in free_symbols([slope]):
                solutions[z.value] = neg(div(substitute([relation], {z: ZERO})[0], slope))
                left.remove(relation)
                break
        else:
            return None
    return solutions


@dataclass
class Motion:
    """Equations and rates by name, in terms of other names.

    Attributes
    ----------
    assign, rates
        Quantities given by an equation, and by their rate.
    wanted
        Quantities whose rate of change is used, by the name of that rate.
    unrated
        Quantities that move at a rate that no formula gives, with the reason.
    before
        At what rate states move before the start, where that is asked for: what they start from may depend on time.
    """

    assign: dict[str, Expr] = field(default_factory=dict)
    rates: dict[str, Expr] = field(default_factory=dict)
    wanted: dict[str, str] = field(default_factory=dict)
    unrated: dict[str, str] = field(default_factory=dict)
    before: dict[str, Expr] = field(default_factory=dict)

    def rate_symbol(self, name: str) -> Expr:
        """Return the node of the rate of change of a quantity, to be defined later."""
        rate = f"rateOf_{name}"
        while rate in self.assign or rate in self.rates:
            rate += "_"
        self.wanted[rate] = name
        return symbol(rate)

    def settle(self, pending: Mapping[str, Expr], initials: dict[str, Expr]) -> None:
        """Make constants that are computed into equations, or, where they need moving things at the start, into still states."""
        moving: dict[str, bool] = {"t": True, **dict.fromkeys(self.unrated, True)}

        def moves(name: str) -> bool:
            if name not in moving:
                moving[name] = name in self.rates
                below = pending.get(name, self.assign.get(name))
                if not moving[name] and name in self.wanted:
                    moving[name] = True
                elif not moving[name] and below is not None:
                    moving[name] = any(moves(other) for other in free_symbols([below]))
            return moving[name]

        for name, start in pending.items():
            if moves(name):
                self.rates[name], initials[name] = ZERO, start
            else:
                self.assign[name] = start

    def define_rates(self) -> None:
        """Define every rate of change that is used.

        Raises
        ------
        ValueError
            A rate of change that needs itself, or has no derivative.
        """
        done: set[str] = set()
        while len(done) < len(self.wanted):
            rate = next(name for name in self.wanted if name not in done)
            done.add(rate)
            self.assign[rate] = self.derivative(self.wanted[rate])

    def derivative(self, name: str, path: tuple[str, ...] = ()) -> Expr:
        """Return the rate of change of a quantity: its own, or by the chain rule that of its equation."""
        if name in path:
            raise ValueError(f"the rate of {name}, which needs itself,")
        if name in self.unrated:
            raise ValueError(f"the rate of {path[0] if path else name}, which {self.unrated[name]},")
        if name in self.rates:
            rate = self.rates[name]
            return select(binary("lt", TIME, ZERO), self.before[name], rate) if name in self.before else rate
        if name not in self.assign:
            return ZERO
        expr = self.assign[name]
        total = ZERO
        for node, slope in gradient(expr, [symbol(other) for other in free_symbols([expr])]).items():
            if node is TIME:
                total = add(total, slope)
                continue
            change = self.derivative(node.value, (*path, name))
            if change is not ZERO:
                total = add(total, mul(slope, change))
        return total
