"""One step of Rodas5P: an L-stable, stiffly accurate Rosenbrock method of order 5(4) with dense output of order 4.

Coefficients: Steinebach, BIT Numerical Mathematics 63:27 (2023), in the form that needs no product with the Jacobian. Stage values
k of a step of length h from y solve ``(I/(h gamma) - J) k_s = f(t + c_s h, y + sum a_sj k_j) + sum C_sj k_j/h + d_s h df/dt``.
"""

from __future__ import annotations

from dataclasses import dataclass

from .blocks import STAGES
from .code import Code, Value
from .program import Program

GAMMA = 0.21193756319429014
A: tuple[tuple[float, ...], ...] = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946),
)
C: tuple[tuple[float, ...], ...] = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
    (
        30.91273214028599,
        -3.1208243349937974,
        77.79954646070892,
        34.28646028294783,
        -19.097331116725623,
        -28.087943162872662,
    ),
    (
        37.80277123390563,
        -3.2571969029072276,
        112.26918849496327,
        66.9347231244047,
        -40.06618937091002,
        -54.66780262877968,
        -9.48861652309627,
    ),
)
TIMES = (0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0)
SLOPES = (0.21193756319429014, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069)
DENSE: tuple[tuple[float, ...], ...] = (
    (
        25.948786856663858,
        -2.5579724845846235,
        10.433815404888879,
        -2.3679251022685204,
        0.524948541321073,
        1.1241088310450404,
        0.4272876194431874,
        -0.17202221070155493,
    ),
    (
        -9.91568850695171,
        -0.9689944594115154,
        3.0438037242978453,
        -24.495224566215796,
        20.176138334709044,
        15.98066361424651,
        -6.789040303419874,
        -6.710236069923372,
    ),
    (
        11.419903575922262,
        2.8879645146136994,
        72.92137995996029,
        80.12511834622643,
        -52.072871366152654,
        -59.78993625266729,
        -0.15582684282751913,
        4.883087185713722,
    ),
)
#: Safety factor and exponents of the step size controller (proportional and integral part), bounds of its answer.
SAFETY, PROPORTIONAL, INTEGRAL, SHRINK, GROW = 0.9, 0.2, 0.04, 0.2, 6.0
_RECIPROCAL_BITS = 0x7FDE6238502484BA


@dataclass(frozen=True)
class Arrays:
    """Where the vectors of a step are: states at the start and at the end, a scratch copy, stage values and so on."""

    y: Value
    end: Value
    stage: Value
    k: Value
    parameters: Value
    constants: Value
    matrix: Value
    slopes: Value
    absolute: Value


@dataclass(frozen=True)
class StateList:
    """States that something needs: a table of their numbers (None for all in order), and how many."""

    table: Value | None
    count: int

    def number(self, q: Value) -> Value:
        """Return the number of one of them."""
        return q if self.table is None else q.code.load(self.table, "i", q)


def weighted_sum(c: Code, coefficients: tuple[float, ...], terms: list[Value], start: Value | None = None) -> Value:
    """Return the sum of terms with coefficients, added to `start`."""
    total = start
    for coefficient, term in zip(coefficients, terms, strict=True):
        total = term * coefficient if total is None else c.fma(term, coefficient, total)
    assert total is not None
    return total


def inverse_estimate(c: Code, x: Value) -> Value:
    """Return 1/x for positive x to seven digits, without a division: a guess from the bits, then Newton's iteration."""
    r = c.as_number(c.constant("k", _RECIPROCAL_BITS) - c.as_bits(x))
    for _ in range(3):
        r = r * c.fma(-x, r, 2.0)
    return r


def error_weight(c: Code, size: Value, rtol: Value, absolute: Value) -> Value:
    """Return the inverse of the tolerated error of a value of this size."""
    return inverse_estimate(c, c.fma(rtol, size, absolute))


def write_step(c: Code, program: Program, a: Arrays, t: Value, h: Value, rtol: Value) -> Value:
    """Write one step from rates in the first stage and the Jacobian in `matrix`; return the mean square of the scaled error."""
    n = len(program.states)
    inverse = 1.0 / h
    c.call("factor", [inverse * (1.0 / GAMMA), a.constants, a.matrix], None)
    for s in range(STAGES):
        if s:
            write_stage_sums(c, n, a, s, inverse)
        write_slopes(c, program, a, s, h)
        column = c.address(a.k, "v", s)
        if s:
            c.call("rates", [c.fma(h, TIMES[s], t), a.stage, a.parameters, a.constants, column], None)
        c.call("solve", [a.matrix, column], None)
    total = c.variable("v", 0.0)
    with c.loop(n) as i:
        last = c.load(a.k, "v", i * STAGES + (STAGES - 1))
        end = c.load(a.stage, "v", i) + last
        c.store(a.end, i, end)
        size = c.maximum(c.absolute(end), c.absolute(c.load(a.y, "v", i)))
        error = last * error_weight(c, size, rtol, c.load(a.absolute, "v", i))
        total.set(c.fma(error, error, total.get()))
    return total.get() * (1.0 / n)


def write_slopes(c: Code, program: Program, a: Arrays, s: int, h: Value) -> None:
    """Write what time itself adds to the right-hand side of stage s; for what is no state, there is nothing else in it."""
    for q, row in enumerate(program.moving):
        entry, inside = row * STAGES + s, row < len(program.states)
        if s < len(SLOPES):
            slope = c.load(a.slopes, "v", q)
            c.store(
                a.k, entry, c.fma(h * SLOPES[s], slope, c.load(a.k, "v", entry)) if inside else h * SLOPES[s] * slope
            )
        elif not inside:
            c.store(a.k, entry, c.vector(0.0))


def write_stage_sums(c: Code, n: int, a: Arrays, s: int, inverse: Value) -> None:
    """Write the argument of stage s, and what earlier stages add to its right-hand side."""
    with c.loop(n) as i:
        row = c.address(a.k, "v", i * STAGES)
        k = [c.load(row, "v", j) for j in range(s)]
        if s < len(A):
            c.store(a.stage, i, weighted_sum(c, A[s], k, c.load(a.y, "v", i)))
        else:
            c.store(a.stage, i, c.load(a.stage, "v", i) + k[s - 1])
        c.store(row, s, weighted_sum(c, C[s], k) * inverse)


def write_dense_coefficients(c: Code, states: StateList, k: Value, target: Value) -> None:
    """Write the three dense output coefficients of the listed states to `place`."""
    with c.loop(states.count) as q:
        i = states.number(q)
        row = c.address(k, "v", i * STAGES)
        terms = [c.load(row, "v", j) for j in range(STAGES)]
        for r in range(3):
            c.store(target, i * 3 + r, weighted_sum(c, DENSE[r], terms))


def write_dense(c: Code, states: StateList, a: Arrays, dense: Value, theta: Value, target: Value) -> None:
    """Write the listed states at the fraction `theta` of the step to `place`."""
    remaining = 1.0 - theta
    with c.loop(states.count) as q:
        i = states.number(q)
        c2, c3, c4 = (c.load(dense, "v", i * 3 + r) for r in range(3))
        inner = c.fma(remaining, c.fma(theta, c.fma(theta, c4, c3), c2), c.load(a.end, "v", i))
        c.store(target, i, c.fma(remaining, c.load(a.y, "v", i), theta * inner))
