"""The text of LLVM assembly: kinds of values, constants, functions, variables and control flow, whatever the operations."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .code import Code, Operand, Value, Variable

#: Kinds of values: vectors of numbers, integers and truth values; the same as scalars; pointers.
VECTORS = {"v": "double", "k": "i64", "m": "i1"}
SCALARS = {"d": "double", "i": "i64", "b": "i1", "p": "ptr", "w": "ptr"}
#: The scalar kind of each kind of vectors.
SCALAR_OF = {"v": "d", "k": "i", "m": "b"}


def hexadecimal(value: float) -> str:
    """Return a number as LLVM writes it exactly."""
    return "0x" + struct.pack(">d", value).hex().upper()


class LlvmText(Code):
    """A module of LLVM assembly under construction, but for the operations, which `betapod.engine.compiled.simd` adds.

    Parameters
    ----------
    width
        Lanes of a vector.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        #: Functions of the elementary library that were written, to be called rather than repeated.
        self.library: set[str] = set()
        self._types = {kind: f"<{width} x {name}>" for kind, name in VECTORS.items()} | SCALARS
        self._declared: dict[str, str] = {}
        self._globals: list[str] = []
        self._finished: list[str] = []
        self._lines: list[str] = []
        self._places: list[str] = []
        self._count = 0
        self._label = 0

    # -- types and constants --------------------------------------------------------------------------------------------

    def type(self, kind: str) -> str:
        """Return how LLVM writes a kind."""
        return self._types[kind]

    def constant(self, kind: str, value: float | bool) -> Value:
        """Return a constant, the same in every lane."""
        scalar = SCALAR_OF.get(kind, kind)
        if scalar == "d":
            text = hexadecimal(float(value))
        elif scalar == "b":
            text = "true" if value else "false"
        else:
            text = str(int(value))
        if kind in VECTORS:
            text = "<" + ", ".join([f"{VECTORS[kind]} {text}"] * self.width) + ">"
        return Value(self, kind, text)

    def like(self, model: Value, value: Operand) -> Value:
        """Return `value` as a value of the same kind as `model`."""
        return value if isinstance(value, Value) else self.constant(model.kind, value)

    def vector(self, value: float) -> Value:
        """Return a number in every lane."""
        return self.constant("v", value)

    def integer(self, value: int) -> Value:
        """Return a scalar integer."""
        return self.constant("i", value)

    def _align(self, kind: str) -> int:
        return 8 * self.width if kind in VECTORS else 8

    # -- lines ----------------------------------------------------------------------------------------------------------

    def line(self, text: str) -> None:
        """Write one instruction without a result."""
        self._lines.append(text)

    def emit(self, kind: str, text: str) -> Value:
        """Write one instruction and return its result."""
        name = f"%v{self._count}"
        self._count += 1
        self._lines.append(f"{name} = {text}")
        return Value(self, kind, name)

    # -- functions ------------------------------------------------------------------------------------------------------

    def declare(self, name: str, arguments: Sequence[str], result: str) -> None:
        """Declare a function that lives elsewhere."""
        self._declared[name] = f"declare {result} @{name}({', '.join(arguments)})"

    def call(self, name: str, args: Sequence[Value], kind: str | None) -> Value:
        """Call a function; the result means nothing where it returns none."""
        text = ", ".join(f"{self.type(arg.kind)} {arg.text}" for arg in args)
        if kind is None:
            self.line(f"call void @{name}({text})")
            return Value(self, "p", "null")
        return self.emit(kind, f"call {self.type(kind)} @{name}({text})")

    @contextmanager
    def function(
        self, name: str, kinds: Sequence[str], returns: str | None = None, exported: bool = False, inline: bool = False
    ) -> Iterator[list[Value]]:
        """Write a function; pointers never overlap. The caller writes the return."""
        outer = self._lines, self._places
        self._lines, self._places = [], []
        arguments = [Value(self, kind, f"%a{i}") for i, kind in enumerate(kinds)]
        yield arguments
        head = ", ".join(f"{self.type(a.kind)} {'noalias ' if a.kind in ('p', 'w') else ''}{a.text}" for a in arguments)
        result = "void" if returns is None else self.type(returns)
        # Nothing may become a call of memcpy and the like: the code refers to nothing outside itself.
        attributes = (
            'nounwind "no-builtins"'
            if exported
            else f'nounwind "no-builtins" {"alwaysinline" if inline else "noinline"}'
        )
        self._finished.append(
            f"define {'' if exported else 'internal '}{result} @{name}({head}) {attributes} {{\nentry:\n"
            + "\n".join([*self._places, *self._lines])
            + "\n}\n"
        )
        self._lines, self._places = outer

    def give(self, value: Value | None = None) -> None:
        """Return from the function."""
        self.line("ret void" if value is None else f"ret {self.type(value.kind)} {value.text}")

    def variable(self, kind: str, initial: Operand | None = None) -> Variable:
        """Return a new variable of the function."""
        slot = f"%p{self._count}"
        self._count += 1
        self._places.append(f"{slot} = alloca {self.type(kind)}, align {self._align(kind)}")
        variable = Variable(self, kind, slot)
        if initial is not None:
            variable.set(initial)
        return variable

    def read(self, variable: Variable) -> Value:
        """Return the present value of a variable."""
        return self.emit(variable.kind, f"load {self.type(variable.kind)}, ptr {variable.slot}")

    def assign(self, variable: Variable, value: Value) -> None:
        """Give a variable a new value."""
        self.line(f"store {self.type(variable.kind)} {value.text}, ptr {variable.slot}")

    # -- control flow ---------------------------------------------------------------------------------------------------

    def label(self) -> str:
        """Return a new label."""
        self._label += 1
        return f"l{self._label}"

    def mark(self, label: str) -> None:
        """Begin the block of a label."""
        self._lines.append(f"{label}:")

    def jump(self, label: str) -> None:
        """Go to a label."""
        self.line(f"br label %{label}")

    def branch(self, condition: Value, then: str, otherwise: str) -> None:
        """Go to one of two labels."""
        self.line(f"br i1 {condition.text}, label %{then}, label %{otherwise}")

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """Do what follows only if a scalar condition holds."""
        then, after = self.label(), self.label()
        self.branch(condition, then, after)
        self.mark(then)
        yield
        self.jump(after)
        self.mark(after)

    @contextmanager
    def loop(self, count: Operand, start: Operand = 0) -> Iterator[Value]:
        """Do what follows for each index from `start` to below `count`."""
        index = self.variable("i", start)
        top, body, after = self.label(), self.label(), self.label()
        self.jump(top)
        self.mark(top)
        now = index.get()
        self.branch(now < count, body, after)
        self.mark(body)
        yield now
        index.set(now + 1)
        self.jump(top)
        self.mark(after)

    @contextmanager
    def either(self, condition: Value) -> Iterator[Callable[[], None]]:
        """Do what follows if a scalar condition holds; from the call of what is given on, what to do else."""
        then, otherwise, after = self.label(), self.label(), self.label()
        self.branch(condition, then, otherwise)
        self.mark(then)

        def begin_otherwise() -> None:
            self.jump(after)
            self.mark(otherwise)

        yield begin_otherwise
        self.jump(after)
        self.mark(after)

    @contextmanager
    def returning_unless(self, condition: Value) -> Iterator[None]:
        """Do what follows, which returns from the function, unless a scalar condition holds."""
        otherwise, then = self.label(), self.label()
        self.branch(condition, then, otherwise)
        self.mark(otherwise)
        yield
        self.mark(then)

    @contextmanager
    def repeat(self) -> Iterator[str]:
        """Do what follows again and again; gives the label of the end."""
        top, after = self.label(), self.label()
        self.jump(top)
        self.mark(top)
        yield after
        self.jump(top)
        self.mark(after)

    @contextmanager
    def skippable(self) -> Iterator[str]:
        """Do what follows; gives the label of its end."""
        after = self.label()
        yield after
        self.jump(after)
        self.mark(after)

    def leave(self, end: str) -> None:
        """Go to the end of `repeat` or `skippable`."""
        self.jump(end)
        self.mark(self.label())

    def go_on_while(self, condition: Value, end: str) -> None:
        """Go to the end of `repeat` or `skippable` unless a scalar condition holds."""
        inside = self.label()
        self.branch(condition, inside, end)
        self.mark(inside)
