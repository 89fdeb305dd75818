"""Elementary functions as branch-free vector code, within 2 units in the last place over their whole range.

Argument reduction and coefficients of `log`, `sin` and `cos`: Sun Microsystems' FDLIBM 5.3 (the published constants); `exp` and the
arc tangent series in `power` are Taylor series, long enough for the reduced range; `wright_omega` iterates the defining equation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from .code import Code, Value

#: Adding this to a number smaller than 2^51 rounds it to an integer, which then stands in the low bits.
ROUNDER = 1.5 * 2.0**52
_ROUNDER_BITS = 0x4338000000000000
_TWO_52_BITS = 0x4330000000000000
_SQRT_HALF_BITS = 0x3FE6A09E667F3BCD
_EXPONENT = -(1 << 52)  # the bits of sign and exponent
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LOG = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
_SIN = (
    -1.66666666666666324348e-01,
    8.33333333332248946124e-03,
    -1.98412698298579493134e-04,
    2.75573137070700676789e-06,
    -2.50507602534068634195e-08,
    1.58969099521155010221e-10,
)
_COS = (
    4.16666666666666019037e-02,
    -1.38888888888741095749e-03,
    2.48015872894767294178e-05,
    -2.75573143513906633035e-07,
    2.08757232129817482790e-09,
    -1.13596475577881948265e-11,
)
_HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33)


def polynomial(c: Code, x: Value, coefficients: Sequence[float]) -> Value:
    """Return a polynomial, lowest coefficient first (Horner's rule)."""
    total = c.vector(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = c.fma(total, x, coefficient)
    return total


def short_polynomial(c: Code, x: Value, coefficients: Sequence[float]) -> Value:
    """Return a polynomial by Estrin's scheme: more operations at once than Horner's rule."""
    terms = [c.vector(coefficient) for coefficient in coefficients]
    power = x
    while len(terms) > 1:
        pairs = [c.fma(terms[i + 1], power, terms[i]) for i in range(0, len(terms) - 1, 2)]
        if len(terms) % 2:
            pairs.append(terms[-1])
        terms = pairs
        if len(terms) > 1:
            power = power * power
    return terms[0]


def _two_to(c: Code, exponent: Value) -> Value:
    return c.as_number((exponent + 1023) << 52)


def _reduce_exp(c: Code, x: Value) -> tuple[Value, Value, Value]:
    """Return n, its integer and r with ``x = n ln 2 + r`` and |r| below ln(2)/2."""
    rounded = c.exact_fma(x, 1.0 / math.log(2.0), ROUNDER) if c.fused else x * (1.0 / math.log(2.0)) + ROUNDER
    n = rounded - ROUNDER
    r = c.fma(n, -LN2_LOW, c.fma(n, -LN2_HIGH, x))
    return n, c.as_bits(rounded) - _ROUNDER_BITS, r


_EXP = [1.0 / math.factorial(k) for k in range(2, 14)]


def _scaled(c: Code, p: Value, n: Value) -> Value:
    """Return ``p 2^n``, in two factors since 2^n itself may overflow or vanish."""
    if c.scales:
        return c.scaled(p, c.as_number(n + _ROUNDER_BITS) - ROUNDER)
    half = ((n + 2048) >> 1) - 1024
    return p * _two_to(c, half) * _two_to(c, n - half)


def exp(c: Code, x: Value, low: Value | None = None) -> Value:
    """Return the exponential of ``x + low``."""
    bounded = c.select(x > 710.0, 710.0, x)
    bounded = c.select(bounded < -746.0, -746.0, bounded)
    _, n, r = _reduce_exp(c, bounded)
    if low is not None:
        r = r + low
    return _scaled(c, c.fma(r * r, short_polynomial(c, r, _EXP), r) + 1.0, n)


def _log_reduced(c: Code, f: Value, k: Value | None) -> Value:
    """Return ``k ln 2 + ln(1 + f)`` for 1 + f between sqrt(1/2) and sqrt(2)."""
    s = f / (f + 2.0)
    z = s * s
    w = z * z
    even = w * polynomial(c, w, _LOG[1::2])
    odd = z * polynomial(c, w, _LOG[0::2])
    half = f * 0.5 * f
    series = half + (odd + even)
    if k is None:
        return f - (half - s * series)
    return k * LN2_HIGH - ((half - c.fma(s, series, k * LN2_LOW)) - f)


def _split(c: Code, x: Value) -> tuple[Value, Value]:
    """Return k and m with ``x = m 2^k`` and m between sqrt(1/2) and sqrt(2), for positive x."""
    tiny = x < 2.2250738585072014e-308
    bits = c.as_bits(c.select(tiny, x * 2.0**54, x))
    above = bits - _SQRT_HALF_BITS
    biased = ((above + (1024 << 52)) >> 52) | _TWO_52_BITS
    k = c.as_number(biased) - c.select(tiny, c.vector(2.0**52 + 1024 + 54), 2.0**52 + 1024)
    return k, c.as_number(bits - (above & _EXPONENT))


def log(c: Code, x: Value) -> Value:
    """Return the natural logarithm."""
    k, m = _split(c, x)
    result = _log_reduced(c, m - 1.0, k)
    result = c.select(x < math.inf, result, x)
    result = c.select(x > 0.0, result, c.select(x.equals(0.0), c.vector(-math.inf), math.nan))
    return c.select(x.differs(x), x, result)


def logistic(c: Code, x: Value) -> Value:
    """Return ``1/(1 + exp(-x))``."""
    e = exp(c, -c.absolute(x))
    below = e + 1.0
    lost = e - (below - 1.0)
    q = c.select(x < 0.0, e, 1.0) / below
    # What rounding took from the divisor, times the inverse of the divisor, which is q or 1 - q.
    return q - q * lost * c.select(x < 0.0, 1.0 - q, q)


def softplus(c: Code, x: Value) -> Value:
    """Return ``ln(1 + exp(x))``."""
    e = exp(c, -c.absolute(x))
    upper = e > 0.4142135623730951
    f = c.select(upper, (e - 1.0) * 0.5, e)
    part = _log_reduced(c, f, c.select(upper, c.vector(1.0), 0.0))
    return c.select(x > 0.0, x + part, c.select(x.differs(x), x, part))


def tanh(c: Code, x: Value) -> Value:
    """Return the hyperbolic tangent, as g/(g + 2) with ``g = exp(2|x|) - 1`` in two parts."""
    double = c.absolute(x) * 2.0
    double = c.select(double > 44.0, 44.0, double)
    n, integer, r = _reduce_exp(c, double)
    r_low = c.fma(n, -LN2_LOW, c.fma(n, -LN2_HIGH, double) - r)
    bend = r * r * short_polynomial(c, r, _EXP)
    small = r + bend
    small_low = (bend - (small - r)) + c.fma(r_low, r, r_low)
    scale = _two_to(c, integer)
    base = scale - 1.0
    g = c.fma(scale, small, base)
    g_low = c.fma(scale, small, base - g) + scale * small_low
    below = g + 2.0
    lost = (g - (below - 2.0)) + g_low
    q = g / below
    correction = (g_low - q * lost) * (1.0 - q) * 0.5
    result = q + c.select(double < 20.0, correction, 0.0)
    return c.intrinsic("copysign", c.select(x.differs(x), x, result), x)


def cbrt(c: Code, x: Value) -> Value:
    """Return the cube root."""
    a = c.absolute(x)
    tiny = a < 2.2250738585072014e-308
    bits = c.as_bits(c.select(tiny, a * 2.0**54, a))
    e = c.as_number((bits >> 52) | _TWO_52_BITS) - (2.0**52 + 1023)
    m = c.as_number((bits & ((1 << 52) - 1)) | (1023 << 52))
    rounded = (e - 1.0) * (1.0 / 3.0) + ROUNDER
    third = rounded - ROUNDER
    remainder = e - third * 3.0
    b = m * c.select(remainder.equals(0.0), c.vector(1.0), c.select(remainder.equals(1.0), c.vector(2.0), 4.0))
    first = polynomial(c, m, (0.585737, 0.510896, -0.1075, 0.0109))
    y = first * c.select(
        remainder.equals(0.0), c.vector(1.0), c.select(remainder.equals(1.0), c.vector(2.0 ** (1 / 3)), 2.0 ** (2 / 3))
    )
    for _ in range(2):  # Halley: three times as many digits each
        cube = y * y * y
        y = y * (cube + 2.0 * b) / (2.0 * cube + b)
    square = y * y
    lost = c.exact_fma(y, y, -square)
    y = y - (c.exact_fma(square, y, -b) + lost * y) / (3.0 * square)
    n = c.as_bits(rounded) - _ROUNDER_BITS
    y = y * _two_to(c, n - c.select(tiny, c.constant("k", 18), 0))
    y = c.intrinsic("copysign", y, x)
    return c.select((a > 0.0) & (a < math.inf), y, x)


def wright_omega(
    c: Code, x: Value, exp: Callable[[Code, Value], Value] = exp, log: Callable[[Code, Value], Value] = log
) -> Value:
    """Return w with ``w + ln w = x``: below -1 from ``w exp(w) = exp(x)``, above from the logarithm."""
    small = x < -1.0
    below = c.variable("v", x)
    with c.when(c.any(small)):
        e = exp(c, c.select(small, x, -1.0))
        w = e / (1.0 + e * (1.0 + e * -0.5))
        for _ in range(3):  # Halley on w exp(w) - e, divided by exp(w)
            excess = w - e * exp(c, -w)
            w = w - excess / ((w + 1.0) - (w + 2.0) * excess / (2.0 * w + 2.0))
        below.set(c.select(e > 0.0, w, e))
    big = c.select(small, -1.0, c.select(x > 1e20, 1.0, x))
    log_big = log(c, c.maximum(big, 1.0))
    guess = c.select(
        big > 2.0, big - log_big + log_big / c.maximum(big, 1.0), polynomial(c, big, (0.5671, 0.3619, 0.0735, -0.0053))
    )
    v = guess
    for _ in range(2):  # Fritsch, Shafer & Crowley 1973: fourth order
        r = big - v - log(c, v)
        q = 1.0 + v
        t = 2.0 * q * (q + r * (2.0 / 3.0))
        v = v * (1.0 + (r / q) * (t - r) / (t - 2.0 * r))
    result = c.select(small, below.get(), v)
    return c.select(x > 1e20, x, c.select(x.differs(x), x, result))


def _sincos(c: Code, x: Value, shift: int, name: str) -> Value:
    rounded = c.fma(x, 2.0 / math.pi, ROUNDER)
    n = rounded - ROUNDER
    r = x
    for part in _HALF_PI:
        r = c.exact_fma(n, -part, r)
    z = r * r
    sine = c.fma(r * z, polynomial(c, z, _SIN), r)
    half = z * 0.5
    one = 1.0 - half
    cosine = one + ((1.0 - one - half) + z * z * polynomial(c, z, _COS))
    quadrant = c.as_bits(rounded) + shift
    swapped = (quadrant & 1).equals(1)
    result = c.select(swapped, cosine, sine)
    result = c.as_number(c.as_bits(result) ^ ((quadrant & 2) << 62))
    result = c.select(x.equals(0.0), x if shift == 0 else c.vector(1.0), result)
    near = c.absolute(x) <= 2.0**20
    value = c.variable("v", result)
    with c.when(c.any(~near)):  # far away, where the reduction above loses digits, the C library is right
        value.set(c.select(near, result, c.scalar_call(name, x)))
    return value.get()


def sin(c: Code, x: Value) -> Value:
    """Return the sine."""
    return _sincos(c, x, 0, "sin")


def cos(c: Code, x: Value) -> Value:
    """Return the cosine."""
    return _sincos(c, x, 1, "cos")


def _two_product(c: Code, a: Value, b: Value) -> tuple[Value, Value]:
    high = a * b
    return high, c.exact_fma(a, b, -high)


def _log_pair(c: Code, x: Value) -> tuple[Value, Value]:
    """Return ln x as the sum of two numbers, about 65 bits, for positive finite x."""
    k, m = _split(c, x)
    f = m - 1.0
    d = m + 1.0
    d_low = m - (d - 1.0)
    inverse = 1.0 / d
    s = f * inverse
    s_low = (c.exact_fma(-s, d, f) - s * d_low) * inverse
    z, z_low = _two_product(c, s, s)
    z_low = c.fma(s + s, s_low, z_low)
    # ln m = 2s + s z (2/3 + z (2/5 + z (2/7 + ...))); the first terms in two parts each.
    tail = z * polynomial(c, z, [2.0 / (2 * j + 5) for j in range(12)])
    third = 2.0 / 3.0
    third_low = 3.7007434154171886e-17
    w = tail + third
    w_low = (tail - (w - third)) + third_low
    p, p_low = _two_product(c, s, z)
    p_low = p_low + c.fma(s, z_low, s_low * z)
    q, q_low = _two_product(c, p, w)
    q_low = q_low + c.fma(p, w_low, p_low * w)
    # k ln 2 in two parts: the high one is exact.
    high = k * LN2_HIGH
    first = high + 2.0 * s
    first_low = 2.0 * s - (first - high)
    total = first + q
    total_low = (q - (total - first)) + first_low + (2.0 * s_low + q_low + k * LN2_LOW)
    return total, total_low


def power(c: Code, x: Value, y: Value) -> Value:
    """Return ``x**y`` with the conventions of IEEE 754."""
    a = c.absolute(x)
    inside = (a > 0.0) & (a < math.inf)
    log_high, log_low = _log_pair(c, c.select(inside, a, 1.0))
    total = log_high + log_low
    log_low = (log_high - total) + log_low
    high, low = _two_product(c, y, total)
    low = c.fma(y, log_low, low)
    huge = c.absolute(high) < 800.0
    bounded = c.select(huge, high, c.select(high > 0.0, c.vector(800.0), -800.0))
    result = exp(c, bounded, c.select(huge, low, 0.0))
    up = (a > 1.0) ^ (y < 0.0)
    result = c.select(inside, result, c.select(up, c.vector(math.inf), 0.0))
    infinite = c.absolute(y).equals(math.inf)
    result = c.select(infinite, c.select(up, c.vector(math.inf), 0.0), result)
    truncated = c.intrinsic("trunc", y)
    integer = truncated.equals(y)
    half = y * 0.5
    odd = integer & c.intrinsic("trunc", half).differs(half)
    negative = c.as_bits(x) < 0
    result = c.select(negative & odd, -result, result)
    result = c.select((x < 0.0) & ~integer & inside, c.vector(math.nan), result)
    result = c.select(a.equals(1.0) & (infinite | (x > 0.0)), c.vector(1.0), result)
    result = c.select(x.differs(x) | y.differs(y), x + y, result)
    return c.select(y.equals(0.0) | x.equals(1.0), c.vector(1.0), result)


def _library(name: str) -> Callable[[Code, Value], Value]:
    return lambda c, x: c.scalar_call(name, x)


def factorial(c: Code, x: Value) -> Value:
    """Return the gamma function of ``x + 1``."""
    return c.scalar_call("tgamma", x + 1.0)


#: Functions that are too long to repeat at each use.
LONG = frozenset({"pow", "sin", "cos", "wright_omega", "cbrt"})
#: Functions written in place where a program uses them seldom: then there is more to do at a time. Many copies take long to compile.
SHORT = frozenset({"exp", "log", "softplus", "logistic", "tanh"})
SELDOM = 24
UNARY: dict[str, Callable[[Code, Value], Value]] = {
    "exp": exp,
    "log": log,
    "sqrt": lambda c, x: c.intrinsic("sqrt", x),
    "cbrt": cbrt,
    "tanh": tanh,
    "softplus": softplus,
    "logistic": logistic,
    "wright_omega": wright_omega,
    "abs": lambda c, x: c.absolute(x),
    "sin": sin,
    "cos": cos,
    "floor": lambda c, x: c.intrinsic("floor", x),
    "ceil": lambda c, x: c.intrinsic("ceil", x),
    "factorial": factorial,
    **{name: _library(name) for name in ("tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh")},
}
BINARY: dict[str, Callable[[Code, Value, Value], Value]] = {
    "pow": power,
    "atan2": lambda c, a, b: c.scalar_call("atan2", a, b),
    "mod": lambda c, a, b: c.scalar_call("fmod", a, b),
}
#: Every function by its name.
FUNCTIONS: dict[str, Callable[..., Value]] = {**UNARY, **BINARY}
