"""Lower a model to a flat program: straight-line blocks of operations, and a schedule for the sparse linear systems.

What depends on the patient alone is computed once per patient (block `constants`); rates, Jacobian, outputs, triggers and event
assignments read those values. Divisions by patient constants become products, and divisions that share a denominator share its
inverse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...base.errors import ConfigError, Location, Problem
from ...model.algebra.derivative import jacobian
from ...model.algebra.expression import (
    ONE,
    TIME,
    ZERO,
    Expr,
    add,
    binary,
    const,
    div,
    free_symbols,
    is_const,
    mul,
    neg,
    sub,
    substitute,
    symbol,
    topological,
    unary,
)
from ...model.algebra.expression import rebuild as rebuild_node
from ...model.assembly.model import Model
from ..enclosures import is_truth, quiet, same, turning_once
from ..switches import Switches, find_switches, small
from .accumulate import accumulated_jacobian
from .factorise import factorise
from .program import SWITCHES, Block, EventProgram, Instruction, Program, SwitchProgram


def lower(model: Model, outputs: Sequence[str] | None = None, ramps: Iterable[str] = ()) -> Program:
    """Lower a model.

    Parameters
    ----------
    outputs
        Quantities to report; the states by default.
    ramps
        Inputs that some schedule changes linearly in time.

    Raises
    ------
    ConfigError
        The model needs its own past, or has reactions that take no time.
    """
    return _Lowering(model, tuple(model.state_names if outputs is None else outputs), tuple(sorted(ramps))).program()


SEGMENT_START = "segment start"


def slope_name(name: str) -> str:
    """Return the name of the slope of an input; no model can have it."""
    return f"slope of {name}"


def check_compilable(model: Model) -> None:
    """Refuse what only the reference integrator can do.

    Raises
    ------
    ConfigError
        Naming every quantity of the past that is needed, and every reaction that takes no time.
    """
    parts = [(delayed.name, "what a quantity was some time ago") for delayed in model.delays]
    parts += [(reaction.name, "a reaction that takes no time") for reaction in model.fast]
    problems = [
        Problem(
            "unsupported-model",
            f"the model has {feature} ({name}), which the ensemble engine does not do",
            Location(model.name),
            hint="Simulate one patient after another instead: `simulate` does it.",
        )
        for name, feature in parts
    ]
    if problems:
        raise ConfigError(problems)


def root_of(trigger: Expr) -> Expr:
    """Return an expression that is positive where a trigger is true and negative where it is false."""
    if trigger.op in ("gt", "ge"):
        return sub(trigger.args[0], trigger.args[1])
    if trigger.op in ("lt", "le"):
        return sub(trigger.args[1], trigger.args[0])
    if trigger.op in ("and", "or"):
        return binary("min" if trigger.op == "and" else "max", root_of(trigger.args[0]), root_of(trigger.args[1]))
    if trigger.op == "not":
        return neg(root_of(trigger.args[0]))
    return sub(trigger, const(0.5))


class _Lowering:
    def __init__(self, model: Model, outputs: tuple[str, ...], ramps: tuple[str, ...]) -> None:
        check_compilable(model)
        self.model, self.outputs, self.ramps = model, outputs, ramps
        self.state_index = {symbol(name): i for i, name in enumerate(model.state_names)}
        self.parameters = (
            *model.parameters,
            *model.inputs,
            *(slope_name(name) for name in ramps),
            *((SEGMENT_START,) if ramps else ()),
        )
        self.parameter_index = {symbol(name): i for i, name in enumerate(self.parameters)}
        self.known: dict[Expr, Expr] = {symbol(name): const(value) for name, (value, _) in model.conversions.items()}
        self.moving_inputs = {
            symbol(name): add(symbol(name), mul(symbol(slope_name(name)), sub(TIME, symbol(SEGMENT_START))))
            for name in ramps
        }
        self.bound_index: dict[Expr, int] = {}
        self._changes: dict[Expr, bool] = {}
        self._rewritten: dict[Expr, Expr] = {}
        self._shared: set[Expr] = set()
        self._exact: set[Expr] = set()

    def program(self) -> Program:
        model = self.model
        everything = self.known | self.moving_inputs
        triggers = substitute([event.trigger for event in model.events], everything)
        equations = substitute([state.rate for state in model.states], everything)
        # A state that only events and doses change stands still between them.
        self.going = [n for n, rate in zip(model.state_names, equations, strict=True) if not is_const(rate, 0.0)]
        switching = find_switches(equations, triggers, self.going, aliases=[SEGMENT_START, *model.inputs])
        rates = switching.rates
        held = self._hold(switching, triggers)
        names = [symbol(name) for name in model.state_names]
        derivatives = accumulated_jacobian(rates, [*names, TIME], keeping=True)
        if derivatives is None:
            derivatives = jacobian(rates, [*names, TIME])
        clock = len(names)  # the column of time, which is none of the linear systems
        entries = {(i, j - (j > clock)): entry for (i, j), entry in derivatives.items() if j != clock}
        moving = tuple(i for i, j in derivatives if j == clock)
        slopes = [derivatives[i, clock] for i in moving]
        unknowns = 1 + max([clock - 1, *(j for _, j in entries)])
        roots = {
            "linear": [*rates, *entries.values(), *slopes],
            "output": substitute([model.expression(name) for name in self.outputs], everything),
            "triggers": [*triggers, *(root_of(trigger) for trigger in triggers)],
            **{
                f"event {k}": substitute([value for _, value in event.assignments], everything)
                for k, event in enumerate(model.events)
            },
            **{
                f"factors {k}": substitute([value for _, value in event.factors], everything)
                for k, event in enumerate(model.events)
            },
            **held,
            **{
                f"{part} {k}": substitute([value], everything)
                for k, event in enumerate(model.events)
                for part, value in (("delay", event.delay), ("priority", event.priority))
                if value is not None and not (part == "delay" and is_const(value, 0.0))
            },
        }
        self._find_shared([root for group in roots.values() for root in group])
        rewritten = {name: [self.rewrite(root) for root in group] for name, group in roots.items()}
        n = len(rates)
        # The Jacobian's entries that a patient does not change need no place in the block that is run at every step.
        linear = rewritten["linear"]
        linear_roots, constant = list(linear[:n]), list[Expr]()
        places: list[tuple[int, int, str, int]] = []
        for (i, j), entry in zip(entries, linear[n : n + len(entries)], strict=True):
            if self.changes(entry):
                places.append((i, j, "linear", len(linear_roots) - n))
                linear_roots.append(entry)
            else:
                places.append((i, j, "constant", len(constant)))
                constant.append(entry)
        linear_roots += linear[n + len(entries) :]
        rewritten["linear"] = linear_roots
        leaves = self.constant_nodes([root for group in rewritten.values() for root in group], constant)
        constant_index = {node: i for i, node in enumerate(leaves)}
        places = [
            (i, j, kind, index if kind == "linear" else constant_index[constant[index]]) for i, j, kind, index in places
        ]
        initial = [self.rewrite(e) for e in substitute([state.initial for state in model.states], self.known)]
        index = {name: i for i, name in enumerate(model.state_names)}
        held_blocks = {name: self.block(rewritten[name], constant_index) for name in SWITCHES}
        return Program(
            model.name,
            model.state_names,
            self.parameters,
            self.ramps,
            self.outputs,
            self.block(leaves, {}),
            self.block(initial, {}),
            self.block(linear_roots[:n], constant_index),
            self.block(linear_roots, constant_index),
            tuple(places),
            moving,
            self.block(rewritten["output"], constant_index),
            self.states_in(rewritten["output"]),
            tuple(
                EventProgram(
                    event.name,
                    event.terminal,
                    event.initial_value,
                    tuple(index[target] for target, _ in event.assignments),
                    self.block(rewritten[f"event {k}"], constant_index),
                    tuple(index[target] for target, _ in event.factors),
                    self.block(rewritten[f"factors {k}"], constant_index),
                    event.persistent,
                    event.from_trigger_time,
                    *(
                        self.block(rewritten[name], constant_index) if (name := f"{part} {k}") in rewritten else None
                        for part in ("delay", "priority")
                    ),
                )
                for k, event in enumerate(model.events)
            ),
            self.block(rewritten["triggers"], constant_index),
            self.states_in(rewritten["triggers"]),
            SwitchProgram(
                self.held,
                held_blocks["clocks"],
                held_blocks["clock_same"],
                held_blocks["clock_quiet"],
                held_blocks["clock_turning"],
                held_blocks["states"],
                held_blocks["watch_same"],
                held_blocks["watch_quiet"],
                self.watched,
                self.still,
                self.watched_triggers,
                self.looks,
            ),
            factorise(unknowns, [(i, j) for i, j, _, _ in places]),
        )

    # -- switches ----------------------------------------------------------------------------------------------------

    def _hold(self, switching: Switches, triggers: Sequence[Expr]) -> dict[str, list[Expr]]:
        """Give every condition a place among the parameters, and return what tells whether it changes."""
        moving = [k for k, trigger in enumerate(triggers) if set(self.going).intersection(free_symbols([trigger]))]
        watched_events = moving if switching.states or small(triggers) else []
        self.watched_triggers, self.looks = tuple(watched_events), len(watched_events) < len(moving)
        # A trigger may be any number; what is held is whether it is true.
        true = [triggers[k] if is_truth(triggers[k]) else binary("ne", triggers[k], ZERO) for k in watched_events]
        self.held = len(self.parameters)
        self.parameters += (*switching.clock_names, *switching.state_names, *(f"?e{k}" for k in watched_events))
        self.parameter_index = {symbol(name): i for i, name in enumerate(self.parameters)}
        clocks = list(zip(switching.clocks, map(symbol, switching.clock_names), strict=True))
        watched = [
            *zip(switching.states, map(symbol, switching.state_names), strict=True),
            *((trigger, symbol(f"?e{k}")) for trigger, k in zip(true, watched_events, strict=True)),
        ]
        self.watched = self.states_in([condition for condition, _ in watched])
        self.still = self.states_in(switching.clocks)
        names = [symbol(name) for name in self.model.state_names]
        ends = {TIME: (symbol("?low"), symbol("?high"))}
        ends |= {names[k]: (symbol(f"?low {k}"), symbol(f"?high {k}")) for k in self.watched}
        points = {names[k]: symbol(f"?at {k}") for k in self.still}
        places = [*(name for pair in ends.values() for name in pair), *points.values()]
        self.bound_index = {name: i for i, name in enumerate(places)}
        clock_ends = {TIME: ends[TIME], **{name: (point, point) for name, point in points.items()}}
        return dict(
            zip(
                SWITCHES,
                (
                    switching.clocks,
                    same(clocks),
                    quiet(clocks, clock_ends),
                    turning_once(clocks, clock_ends, TIME),
                    switching.states,
                    same(watched),
                    quiet(watched, ends),
                ),
                strict=True,
            )
        )

    # -- rewriting ---------------------------------------------------------------------------------------------------

    def changes(self, node: Expr) -> bool:
        """Return whether a node depends on the states or on time."""
        for below in topological([node], self._changes):
            self._changes[below] = (
                below is TIME
                or below in self.state_index
                or below in self.bound_index
                or any(self._changes[arg] for arg in below.args)
            )
        return self._changes[node]

    def _find_shared(self, roots: Sequence[Expr]) -> None:
        """Find the denominators that several quotients have, and quotients that are rounded: 3/3 is 1, and 3 times a third may be less."""
        users: dict[Expr, int] = {}
        for node in topological(roots):
            if node.op in ("floor", "ceil"):
                self._exact.update(arg for arg in node.args if arg.op == "div")
            if node.op == "div":
                users[node.args[1]] = users.get(node.args[1], 0) + 1
        self._shared = {node for node, count in users.items() if count > 1}

    def rewrite(self, root: Expr) -> Expr:
        """Return an expression that costs less."""
        for node in topological([root], self._rewritten):
            args = tuple(self._rewritten[arg] for arg in node.args)
            self._rewritten[node] = self._cheaper(node, args)
        return self._rewritten[root]

    def _cheaper(self, node: Expr, args: tuple[Expr, ...]) -> Expr:
        if node.op == "solve":
            return args[0]
        if node.op == "div":
            if is_const(args[0], 1.0) or node in self._exact:
                return div(*args)
            if node.args[1] in self._shared or not self.changes(args[1]):
                return mul(args[0], div(ONE, args[1]))
        if node.op == "powi":
            return _repeated(args[0], int(node.value))
        if node.op == "pow" and args[1].op == "const" and (2.0 * args[1].value) in (-3.0, -1.0, 1.0, 3.0, 5.0):
            exponent = abs(args[1].value)
            power = mul(_repeated(args[0], int(exponent - 0.5)), unary("sqrt", args[0]))
            return power if args[1].value > 0 else div(ONE, power)
        return rebuild_node(node, args)

    # -- blocks ------------------------------------------------------------------------------------------------------

    def constant_nodes(self, roots: Sequence[Expr], results: Sequence[Expr]) -> list[Expr]:
        """Return the patient constants that changing nodes use, or that are results themselves."""
        nodes: dict[Expr, None] = dict.fromkeys(results)
        for root in roots:
            if not self.changes(root) and root.op not in ("const", "sym"):
                nodes[root] = None
        for node in topological(roots):
            if self.changes(node):
                for arg in node.args:
                    if not self.changes(arg) and arg.op not in ("const", "sym"):
                        nodes[arg] = None
        return list(nodes)

    def states_in(self, roots: Sequence[Expr]) -> tuple[int, ...]:
        """Return the numbers of the states that expressions need."""
        return tuple(sorted(self.state_index[symbol(n)] for n in free_symbols(roots) if symbol(n) in self.state_index))

    def block(self, roots: Sequence[Expr], constants: Mapping[Expr, int]) -> Block:
        """Return the block that computes expressions."""
        position: dict[Expr, int] = {}
        instructions: list[Instruction] = []

        def put(node: Expr, instruction: Instruction) -> None:
            position[node] = len(instructions)
            instructions.append(instruction)

        for root in roots:
            stack: list[tuple[Expr, bool]] = [(root, False)]
            while stack:
                node, expanded = stack.pop()
                if node in position:
                    continue
                if node in constants:
                    put(node, Instruction("constant", (), constants[node]))
                elif node.op == "const":
                    put(node, Instruction("const", (), float(node.value)))
                elif node.op == "sym":
                    put(node, self._leaf(node))
                elif expanded:
                    put(node, Instruction(node.op, tuple(position[arg] for arg in node.args), node.value))
                else:
                    stack.append((node, True))
                    stack.extend((arg, False) for arg in reversed(node.args))
        return Block(tuple(instructions), tuple(position[root] for root in roots))

    def _leaf(self, node: Expr) -> Instruction:
        if node is TIME:
            return Instruction("time")
        if node in self.state_index:
            return Instruction("state", (), self.state_index[node])
        if node in self.bound_index:
            return Instruction("state", (), self.bound_index[node])
        return Instruction("parameter", (), self.parameter_index[node])


def _repeated(base: Expr, exponent: int) -> Expr:
    """Return an integer power as products that powers of the same base share."""
    if exponent == 0:
        return ONE
    if exponent < 0:
        return div(ONE, _repeated(base, -exponent))
    if exponent == 1:
        return base
    half = _repeated(base, exponent // 2)
    square = mul(half, half)
    return mul(square, base) if exponent % 2 else square
