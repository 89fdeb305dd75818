"""The program that reduces the values of patients to moments, for a grid of threads: see `betapod.engine.reduction`.

It is the same for all models and runs in three passes, each of which begins when the one before it has ended. Processors run it too.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from ..compiled.code import Value
from ..compiled.workspace import IMPOSSIBLE, STATUS
from ..reduction import FRACTION, HALF, MOMENTS, SMALLEST_POWER
from .grid_code import MAIN, GridCode, number_of_thread

#: What the caller hands over: one integer each, numbers or addresses, in this order.
REDUCTION = (
    "pass",  # which of the three
    "threads",  # of the grid
    "count",  # patients
    "visit_count",
    "output_count",
    "columns",  # visits times outputs
    "out",  # (patients, columns)
    "status",
    "event",
    "steps",
    "rejected",
    "group",  # (patients,)
    "guarded_count",
    "guarded",
    "lowest",  # (guarded,) which outputs cannot be below what
    "tally_width",
    "tallies",  # (groups, tally_width)
    "piece_count",
    "order",  # (patients,)
    "offsets",  # (pieces + 1,)
    "owner",  # (pieces,)
    "partial",  # (pieces, columns, moments)
    "group_count",
    "by_group",  # (pieces,)
    "group_offsets",  # (groups + 1,)
    "totals",  # (groups, columns, moments)
    "with_bins",
    "bins",  # (groups, columns, bins)
)
PASSES = 3
_SHIFT = 52 - FRACTION
_NO_SIGN = 2**63 - 1


@dataclass(frozen=True)
class _Reader:
    """Reads what the caller handed over."""

    code: GridCode
    job: Value

    def number(self, name: str) -> Value:
        return self.code.load(self.job, "i", REDUCTION.index(name))

    def array(self, name: str) -> Value:
        return self.code.load(self.job, "p", REDUCTION.index(name))

    def entry(self, name: str, index: Value, kind: str = "i") -> Value:
        return self.code.load(self.array(name), kind, index)

    def tasks(self, name: str, of: str | None = None) -> Value:
        """Return how many tasks there are: a number, or that times another."""
        return self.number(name) if of is None else self.number(name) * self.number(of)


@functools.cache
def reduction_text() -> str:
    """Return the program as LLVM assembly without an entry."""
    code = GridCode()
    with code.function("worker", ["p", "i"], "i", exported=True) as (job, thread):
        read = _Reader(code, job)
        for number, (write, tasks) in enumerate(
            (
                (_write_endings, ("count", None)),
                (_write_pieces, ("piece_count", "columns")),
                (_write_totals, ("group_count", "columns")),
            )
        ):
            with code.when(read.number("pass").equals(number)):
                threads = read.number("threads")
                turns = (read.tasks(*tasks) - thread + threads - 1) / threads
                with code.loop(turns) as turn:
                    write(read, thread + turn * threads)
        code.give(code.integer(0))
    return code.text()


def _write_endings(read: _Reader, patient: Value) -> None:
    """Write how a patient ended: as the program of the model says, or impossibly where a reported state is too low."""
    c = read.code
    visits, outputs = read.number("visit_count"), read.number("output_count")
    first = c.variable("i", visits)
    with c.loop(read.number("guarded_count")) as guard:
        column, bound = read.entry("guarded", guard), read.entry("lowest", guard, "d")
        with c.loop(visits) as visit:
            value = read.entry("out", (patient * visits + visit) * outputs + column, "d")
            first.set(c.select((value < bound) & (visit < first.get()), visit, first.get()))
    with c.when(first.get() < visits):
        c.store(read.array("status"), patient, c.integer(IMPOSSIBLE))
        c.store(read.array("event"), patient, c.integer(-1))
        with c.loop((patient + 1) * visits * outputs, (patient * visits + first.get()) * outputs) as index:
            c.store(read.array("out"), index, c.constant("d", float("nan")))
    width = read.number("tally_width")
    row = c.address(read.array("tallies"), "i", read.entry("group", patient) * width)
    c.fetch_add(c.address(row, "i", read.entry("status", patient)), 1)
    event = read.entry("event", patient)
    with c.when(event >= 0):
        c.fetch_add(c.address(row, "i", event + len(STATUS)), 1)
    for back, name in ((2, "steps"), (1, "rejected")):
        c.add_together(c.address(row, "i", width - back), read.entry(name, patient))


def _write_pieces(read: _Reader, task: Value) -> None:
    """Write the moments of one column of a piece: first sum and range, then squares about the mean."""
    c = read.code
    columns = read.number("columns")
    piece = task / columns
    column = task - piece * columns
    start, end = read.entry("offsets", piece), read.entry("offsets", piece + 1)
    count, total, squares = (c.variable("d", 0.0) for _ in range(3))
    low, high = c.variable("d", float("inf")), c.variable("d", float("-inf"))
    with c.loop(end, start) as index:
        value, finite = _value(read, index, column)
        count.set(c.select(finite, count.get() + 1.0, count.get()))
        total.set(c.select(finite, total.get() + value, total.get()))
        low.set(c.select(finite & (value < low.get()), value, low.get()))
        high.set(c.select(finite & (value > high.get()), value, high.get()))
    mean = total.get() / count.get()
    with c.loop(end, start) as index:
        value, finite = _value(read, index, column)
        from_mean = value - mean
        squares.set(c.select(finite, squares.get() + from_mean * from_mean, squares.get()))
    moments = (count.get(), mean, squares.get(), low.get(), high.get())
    for moment, number in enumerate(moments):
        c.store(read.array("partial"), task * len(MOMENTS) + moment, number)
    with c.when(read.number("with_bins").differs(0)):
        first = (read.entry("owner", piece) * columns + column) * (2 * HALF)
        with c.loop(end, start) as index:
            value, finite = _value(read, index, column)
            with c.when(finite):
                c.fetch_add(c.address(read.array("bins"), "i", first + _bin(c, value)), 1)


def _value(read: _Reader, index: Value, column: Value) -> tuple[Value, Value]:
    """Return a value, and whether it is a number."""
    value = read.entry("out", read.entry("order", index) * read.number("columns") + column, "d")
    return value, read.code.absolute(value) < float("inf")


def _bin(c: GridCode, value: Value) -> Value:
    """Return the number of the bin of a value: its power of two, and the first bits of its fraction."""
    size = ((c.as_bits(value) & _NO_SIGN) >> _SHIFT) - ((SMALLEST_POWER + 1023) << FRACTION)
    size = c.minimum(c.maximum(size, 0), HALF - 1)
    return c.select(value < 0.0, (HALF - 1) - size, size + HALF)


def _write_totals(read: _Reader, task: Value) -> None:
    """Write the moments of one column of a group: piece after piece is added to what is there."""
    c = read.code
    columns = read.number("columns")
    group = task / columns
    column = task - group * columns
    there = c.address(read.array("totals"), "d", task * len(MOMENTS))
    before = [c.load(there, "d", moment) for moment in range(len(MOMENTS))]
    count, mean, squares, low, high = (c.variable("d", number) for number in before)
    start, end = read.entry("group_offsets", group), read.entry("group_offsets", group + 1)
    with c.loop(end, start) as index:
        piece = read.entry("by_group", index)
        part = c.address(read.array("partial"), "d", (piece * columns + column) * len(MOMENTS))
        n, its_mean, its_squares, its_low, its_high = (c.load(part, "d", moment) for moment in range(len(MOMENTS)))
        with c.when(n > 0.0):
            had, together = count.get(), count.get() + n
            shift = its_mean - mean.get()
            first = had.equals(0.0)
            mean.set(c.select(first, its_mean, mean.get() + shift * n / together))
            between = shift * shift * had * n / together
            squares.set(c.select(first, its_squares, squares.get() + its_squares + between))
            low.set(c.minimum(its_low, low.get()))
            high.set(c.maximum(its_high, high.get()))
            count.set(together)
    for moment, variable in enumerate((count, mean, squares, low, high)):
        c.store(there, moment, variable.get())


def reduction_for_cards(threads: int) -> str:
    """Return the program with the entry ``betapod(job, room)`` that a card runs in each thread of a grid; there is no room.

    Parameters
    ----------
    threads
        Threads of a block at most.
    """
    return f"""{reduction_text()}
{number_of_thread(threads)}  %nothing = call i64 @worker({MAIN} %job, i64 %thread)
  ret void
}}
"""


def reduction_for_processor() -> str:
    """Return the program with the entry ``betapod(job, room, thread)`` that a processor calls for one thread of a grid."""
    return f"""{reduction_text()}
define i64 @betapod({MAIN} %job, {MAIN} %room, i64 %thread) {{
entry:
  %nothing = call i64 @worker({MAIN} %job, i64 %thread)
  ret i64 %nothing
}}
define void @link({MAIN} %addresses) {{
entry:
  ret void
}}
"""
