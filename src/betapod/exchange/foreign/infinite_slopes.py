"""States that start where their rate has no finite slope, such as a root of what is 0."""

from __future__ import annotations

from collections.abc import Iterator

from ...model.algebra.evaluate import compile_function
from ...model.algebra.expression import Expr, const, free_symbols, topological
from ...model.assembly.model import Model

_ROOTS = {"sqrt": 0.5, "cbrt": 1.0 / 3.0}


def infinite_slopes(model: Model) -> Iterator[str]:
    """Yield a sentence on each state whose rate has a power below 1 of something that is 0 at the start.

    Examples
    --------
    >>> import betapod
    >>> from betapod.exchange.foreign.infinite_slopes import infinite_slopes
    >>> list(infinite_slopes(betapod.load_model("topp2000")))
    []
    """
    powers: dict[Expr, tuple[Expr, Expr]] = {}
    for node in topological([state.rate for state in model.states]):
        if node.op == "pow":
            powers[node] = (node.args[0], node.args[1])
        elif node.op in _ROOTS:
            powers[node] = (node.args[0], const(_ROOTS[node.op]))
    moving = frozenset(model.state_names)
    powers = {node: sides for node, sides in powers.items() if not moving.isdisjoint(free_symbols([sides[0]]))}
    # What was before the start has no value here.
    if not powers or model.delays:
        return
    values = {"t": 0.0, **model.values(), **model.initial_values()}
    sides = [side for pair in powers.values() for side in pair]
    numbers = compile_function(sides, [list(values)])(list(values.values()))
    pairs = zip(powers, numbers[::2], numbers[1::2], strict=True)
    singular = {node for node, base, exponent in pairs if base == 0.0 and 0.0 < exponent < 1.0}
    for state in model.states if singular else ():
        if not singular.isdisjoint(topological([state.rate])):
            yield (
                f"The rate of {state.name} has a power below 1 of what is 0 at the start, so its slope there is infinite: "
                "the ensemble engine stays there, or gives no numbers. Use simulate, or start from a little more."
            )
