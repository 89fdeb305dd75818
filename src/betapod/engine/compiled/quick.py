"""Elementary functions within 1.2e-12 of their value: a third of the work of `mathlib`, for the rates that a coarse tolerance follows.

Numbers below 2.3e-308 may count as 0, as they do inside the loop anyway; infinities, NaN, zeros and negative bases are treated as in `mathlib`.
`exp` and `log` take polynomials of least largest error (Remez's exchange, computed with 60 digits): of ``(e^r - 1 - r)/r^2`` for |r| below
ln(2)/2, off by 1.14e-12 of e^r (where 1 is taken from it, 1.7e-14), and of ``(2 atanh(s)/s - 2)/s^2`` for s^2 below 0.04, off by 1.7e-15 of the logarithm, so that a power
of a hundred digits is still right to 1.5e-12.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from . import mathlib
from .code import Code, Value
from .mathlib import ROUNDER, short_polynomial

LN2 = math.log(2.0)
_EXP = (
    0.5000000000426814,
    0.16666666784442138,
    0.04166666440503759,
    0.008333281807972619,
    0.0013889197137139347,
    0.0001990893902800543,
    2.4708285685772495e-05,
)
_EXP_FINER = (
    0.4999999999966457,
    0.1666666666726474,
    0.04166666696207006,
    0.008333333095228018,
    0.0013888811174976414,
    0.0001984153898997297,
    2.4880794387444126e-05,
    2.749307466804728e-06,
)
_ATANH = (
    0.6666666666614786,
    0.4000000025083205,
    0.2857138823622586,
    0.22225197516392697,
    0.18071393397502294,
    0.17375772832811476,
)
_ROUNDER_BITS = 0x4338000000000000
_TWO_52_BITS = 0x4330000000000000
_THREE_QUARTERS_BITS = 0x3FE8000000000000
_EXPONENT = -(1 << 52)  # the bits of sign and exponent
#: The smallest number with all its digits, and the arguments whose exponentials are it and the largest number.
SMALLEST, LOWEST, HIGHEST = 2.2250738585072014e-308, -708.3964185322641, 709.782712893384


def _reduce(c: Code, x: Value, series: tuple[float, ...] = _EXP) -> tuple[Value, Value]:
    """Return n + `ROUNDER` and ``exp(r) - 1`` with ``x = n ln 2 + r`` and |r| below ln(2)/2."""
    rounded = c.fma(x, 1.0 / LN2, ROUNDER)
    r = c.fma(rounded - ROUNDER, -LN2, x)
    return rounded, c.fma(r * r, short_polynomial(c, r, series), r)


def exp(c: Code, x: Value) -> Value:
    """Return the exponential."""
    if c.scales:
        bounded = c.select(x > 710.0, 710.0, x)
        rounded, p = _reduce(c, c.select(bounded < -746.0, -746.0, bounded))
        return c.scaled(p + 1.0, rounded - ROUNDER)
    rounded, p = _reduce(c, x)
    # The power of two goes straight into the exponent: between the bounds it neither overflows nor vanishes.
    value = c.as_number(c.as_bits(p + 1.0) + (c.as_bits(rounded) << 52))
    value = c.select(x <= HIGHEST, value, x + math.inf)
    return c.select(x < LOWEST, 0.0, value)


def _split(c: Code, x: Value) -> tuple[Value, Value]:
    """Return k and m with ``x = m 2^k`` and m from 3/4 to below 3/2, for positive x with all its digits."""
    if c.scales:
        return c.taken_apart(x)
    bits = c.as_bits(x)
    above = bits - _THREE_QUARTERS_BITS
    k = c.as_number(((above + (1024 << 52)) >> 52) | _TWO_52_BITS) - (2.0**52 + 1024)
    return k, c.as_number(bits - (above & _EXPONENT))


def _log(c: Code, x: Value) -> Value:
    """Return the natural logarithm of positive finite numbers with all their digits."""
    k, m = _split(c, x)
    f = m - 1.0
    s = f / (m + 1.0)
    return c.fma(k, LN2, _twice_atanh(c, s))


def _twice_atanh(c: Code, s: Value) -> Value:
    """Return ``ln((1 + s)/(1 - s))`` for |s| to 0.2."""
    z = s * s
    return c.fma(s * z, short_polynomial(c, z, _ATANH), s + s)


def log(c: Code, x: Value) -> Value:
    """Return the natural logarithm."""
    value = _log(c, x)
    if c.scales:  # the parts of 0, infinity and negative numbers give the right thing by themselves
        return value
    value = c.select(x < math.inf, value, x)
    return c.select(x >= SMALLEST, value, c.select(x >= 0.0, c.vector(-math.inf), math.nan))


def logistic(c: Code, x: Value) -> Value:
    """Return ``1/(1 + exp(-x))``."""
    e = exp(c, -c.absolute(x))
    return c.select(x < 0.0, e, 1.0) / (e + 1.0)


def softplus(c: Code, x: Value) -> Value:
    """Return ``ln(1 + exp(x))``."""
    e = exp(c, -c.absolute(x))
    upper = e > 0.5  # there ln 2 plus the logarithm of half of it
    s = c.select(upper, e - 1.0, e) / c.select(upper, e + 3.0, e + 2.0)
    part = _twice_atanh(c, s) + c.select(upper, c.vector(LN2), 0.0)
    return c.select(x > 0.0, x + part, part)


def _tanh(c: Code, x: Value) -> Value:
    """Return the hyperbolic tangent, as g/(g + 2) with ``g = exp(2|x|) - 1``."""
    double = c.absolute(x) * 2.0
    rounded, p = _reduce(c, c.select(double > 44.0, 44.0, double), _EXP_FINER)
    scale = c.as_number((c.as_bits(rounded) - (_ROUNDER_BITS - 1023)) << 52)
    g = c.fma(scale, p, scale - 1.0)
    return c.intrinsic("copysign", c.select(x.differs(x), x, g / (g + 2.0)), x)


def _cbrt(c: Code, x: Value) -> Value:
    """Return the cube root."""
    return c.intrinsic("copysign", exp(c, log(c, c.absolute(x)) * (1.0 / 3.0)), x)


def power(c: Code, x: Value, y: Value) -> Value:
    """Return ``x**y``; what is not a positive finite base with all its digits is left to `mathlib`, patient by patient."""
    plain = (x >= SMALLEST) & (x < math.inf) & (c.absolute(y) < math.inf)
    value = c.variable("v", exp(c, y * _log(c, x)))
    with c.when(c.any(~plain)):
        exact = c.call("betapod_pow", [x, y], "v") if "pow" in c.library else mathlib.power(c, x, y)
        value.set(c.select(plain, value.get(), exact))
    return value.get()


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "exp": exp,
    "log": log,
    "softplus": softplus,
    "logistic": logistic,
    "tanh": _tanh,
    "cbrt": _cbrt,
    "wright_omega": partial(mathlib.wright_omega, exp=exp, log=log),
    "pow": power,
}
#: Written in place where rates and Jacobian use them seldom (`mathlib.SELDOM`): many copies run no faster than calls.
SHORT = frozenset({"exp", "log", "softplus", "logistic", "tanh"})
