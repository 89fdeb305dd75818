"""The workspace of a worker and the job that it reads, in code that is being written: one lane for each patient integrated together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from .code import Code, Value
from .program import Program
from .rosenbrock import Arrays, StateList
from .workspace import JOB, Workspace


class WorkerModule:
    """The functions of a worker under construction: what they all work on.

    Attributes
    ----------
    states
        What dense output is needed for: ``output``, ``trigger``, ``watched`` or ``all``.
    """

    def __init__(self, code: Code, program: Program) -> None:
        self.code, self.program, self.workspace = code, program, Workspace(program, code.width)
        tables = {
            "output": program.output_states,
            "trigger": program.trigger_states,
            "watched": program.switches.watched,
        }
        self.states: dict[str, StateList] = {
            name: StateList(code.numbers(f"{name}_states", numbers), len(numbers)) for name, numbers in tables.items()
        }
        self.states["all"] = StateList(None, len(program.states))
        if len(program.output_states) == len(program.states):
            self.states["output"] = self.states["all"]

    @contextmanager
    def function(
        self, name: str, kinds: Sequence[str] = (), returns: str | None = None, exported: bool = False
    ) -> Iterator[tuple[Lanes, list[Value]]]:
        """Write a function of a job, a workspace and other arguments."""
        with self.code.function(name, ["p", "w", *kinds], returns, exported) as (job, memory, *arguments):
            yield self.lanes(job, memory), arguments

    def lanes(self, job: Value, memory: Value) -> Lanes:
        """Return what reads and writes a job and a workspace."""
        return Lanes(self.code, self.program, self.workspace, self.states, job, memory)


@dataclass(frozen=True)
class Lanes:
    """Reads and writes the job and the workspace inside one function.

    Attributes
    ----------
    workspace
        Where each vector is.
    states
        See `WorkerModule`.
    job, memory
        Where the job and the worker's vectors are.
    """

    code: Code
    program: Program
    workspace: Workspace
    states: Mapping[str, StateList]
    job: Value
    memory: Value

    def place(self, name: str) -> Value:
        """Return where a vector of the workspace is."""
        return self.code.address(self.memory, "v", self.workspace.offsets[name])

    def get(self, name: str) -> Value:
        """Return a vector of the workspace."""
        return self.code.load(self.place(name), "v")

    def put(self, name: str, value: Value) -> None:
        """Write a vector of the workspace."""
        self.code.store(self.place(name), 0, value)

    def lane(self, name: str, lane: Value, kind: str = "d", index: int | Value = 0) -> Value:
        """Return one lane of a vector of the workspace."""
        return self.code.load(self.lane_place(name, lane, index), kind)

    def set_lane(self, name: str, lane: Value, value: Value, index: int | Value = 0) -> None:
        """Write one lane of a vector of the workspace."""
        self.code.store(self.lane_place(name, lane, index), 0, value)

    def lane_place(self, name: str, lane: Value, index: int | Value = 0) -> Value:
        """Return where one lane of a vector of the workspace is."""
        width, offset = self.code.width, self.workspace.offsets[name]
        at = lane + (index * width + offset * width if isinstance(index, Value) else (offset + index) * width)
        return self.code.address(self.memory, "d", at)

    def integer(self, name: str) -> Value:
        """Return an integer of the workspace that is one for all lanes."""
        return self.code.load(self.place(name), "i")

    def put_integer(self, name: str, value: Value) -> None:
        """Write an integer of the workspace that is one for all lanes."""
        self.code.store(self.place(name), 0, value)

    def field(self, name: str, kind: str) -> Value:
        """Return a field of the job."""
        return self.code.load(self.job, kind, JOB.index(name))

    def entry(self, name: str, index: Value, kind: str) -> Value:
        """Return an entry of an array of the job."""
        return self.code.load(self.field(name, "p"), kind, index)

    @contextmanager
    def where(self, name: str, value: int) -> Iterator[Value]:
        """Do what follows for each lane whose integer has a value."""
        with self.code.loop(self.code.width) as lane, self.code.when(self.lane(name, lane, "i").equals(value)):
            yield lane

    def call(self, name: str, *arguments: Value, returns: str | None = None) -> Value:
        """Call a function of the worker."""
        return self.code.call(name, [self.job, self.memory, *arguments], returns)

    def finish(self, lane: Value, status: int | Value) -> None:
        """Call the end of a patient."""
        self.call("finish", lane, status if isinstance(status, Value) else self.code.integer(status))

    def block(self, name: str, t: Value, y: str, results: str) -> None:
        """Call a block of the program."""
        self.code.call(name, [t, self.place(y), self.place("p"), self.place("c"), self.place(results)], None)

    def constants(self) -> None:
        """Call the block of what depends on the parameters alone."""
        self.code.call("constants", [self.place("p"), self.place("c")], None)

    def arrays(self) -> Arrays:
        """Return the places a step works on."""
        names = ("y", "end", "stage", "k", "p", "c", "m", "g", "atol")
        return Arrays(*(self.place(name) for name in names))
