"""The grammar of events: terms of what is measured on a visit, joined by ``and`` and ``or``.

======================================= ===============================================================================================
term                                    what must hold on the visit
======================================= ===============================================================================================
``UACR > 300``, ``UACR 30 to 300``      the measured value lies beyond a bound, or within a range
``eGFR -40 %``, ``creatinine x 2``      it is so much lower or higher than the value measured at the start, or so many times that value
``HbA1c change <= -1``                  it moved by so much from the start
``UACR class better``                   its class of KDIGO is better or ``worse`` than at the start; UACR and eGFR have classes
``eGFR slope < -5``, ``... < -4 %``     the line through all visits rises by so much per year, or by such a share of the start
``insulin_dose start > 0``              the value measured at the start lies beyond a bound
``dose-adjusted HbA1c <= 9``            HbA1c and four times the insulin dose in U/kg/day lie below a bound
``kidney failure``                      the kidneys have failed
``insulin_independence``                a condition of `observables.outcomes.SHARES`
======================================= ===============================================================================================
"""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ...base.errors import ConfigError, Problem, did_you_mean
from ...observables import kdigo, outcomes
from .visits import compared

Kind = Literal["value", "ratio", "change", "start", "slope", "relative slope", "adjusted", "failure"]


@dataclass(frozen=True)
class Term:
    """What must hold on a visit.

    Attributes
    ----------
    kind
        ``value``: the measured value itself; ``ratio`` and ``change``: compared with that of the start; ``start``: the value of the start;
        ``slope``: of the line through all visits, per year, and ``relative slope``: that as a share of the value at the start; ``adjusted``:
        dose-adjusted HbA1c; ``failure``: kidney failure.
    name
        Observable; empty for kidney failure.
    low, high
        Between which it lies.
    """

    kind: Kind
    name: str = ""
    low: float = -math.inf
    high: float = math.inf


#: Terms that must hold together.
Clause = tuple[Term, ...]

_FAILURE = "kidney failure"
_NUMBER = r"(?:\d+\.?\d*|\.\d+)"
_SIGN = r"(?P<sign><=|>=|<|>)"
_BOUND = re.compile(rf"(?P<name>\w+)\s*{_SIGN}\s*(?P<bound>{_NUMBER})")
_START = re.compile(rf"(?P<name>\w+)\s+start\s*{_SIGN}\s*(?P<bound>{_NUMBER})")
_ADJUSTED = re.compile(rf"dose-adjusted\s+(?P<name>HbA1c)\s*{_SIGN}\s*(?P<bound>{_NUMBER})")
_RANGE = re.compile(rf"(?P<name>\w+)\s+(?P<low>{_NUMBER})\s+to\s+(?P<high>{_NUMBER})")
_SHARE = re.compile(rf"(?P<name>\w+)\s*(?P<sign>[-+])\s*(?P<share>{_NUMBER})\s*%")
_SLOPE = re.compile(rf"(?P<name>\w+)\s+slope\s*{_SIGN}\s*(?P<bound>-?{_NUMBER})\s*(?P<percent>%?)")
_TIMES = re.compile(rf"(?P<name>\w+)\s+x\s*(?P<factor>{_NUMBER})")
_CHANGE = re.compile(rf"(?P<name>\w+)\s+change\s*{_SIGN}\s*(?P<bound>-?{_NUMBER})")
_CLASS = re.compile(r"(?P<name>UACR|eGFR)\s+class\s+(?P<way>better|worse)")
#: Bounds between classes of KDIGO, from low values to high ones, and whether high values are the worse ones.
_CLASSES: Mapping[str, tuple[tuple[float, ...], bool]] = {
    "UACR": ((kdigo.A2_FROM, kdigo.A3_ABOVE), True),
    "eGFR": (tuple(reversed(kdigo.G_BOUNDS)), False),
}
#: What the conditions of `observables.outcomes.SHARES` are in terms; a test holds one against the other.
_HALF = "insulin_dose start > 0 and insulin_dose -50 %"
_GOOD = f"HbA1c < {outcomes.GOOD_HBA1C:g}"
_STIMULATED = f"stimulated_C_peptide >= {outcomes.C_PEPTIDE_POSITIVE:g}"
CONDITIONS: Mapping[str, str] = {
    "HbA1c_lt7": _GOOD,
    "insulin_independence": f"insulin_dose < {outcomes.INSULIN_FREE:g} and HbA1c < {outcomes.INSULIN_FREE_HBA1C:g}",
    "insulin_reduction_ge50": _HALF,
    "HbA1c_lt7_and_insulin_reduction_ge50": f"{_GOOD} and {_HALF}",
    "insulin_reduction_ge50_with_HbA1c_lt7": f"{_GOOD} and {_HALF}",
    "C_peptide_positive": f"fasting_C_peptide >= {outcomes.C_PEPTIDE_POSITIVE:g}",
    "graft_survival": _STIMULATED,
    "engraftment": _STIMULATED,
    "partial_remission": f"dose-adjusted HbA1c <= {outcomes.PARTIAL_REMISSION:g}",
    "C_peptide_baseline_maintained": "stimulated_C_peptide x 1",
    "C_peptide_detectable": f"stimulated_C_peptide >= {outcomes.C_PEPTIDE_DETECTABLE:g}",
    "C_peptide_increase_ge10pct": "fasting_C_peptide x 1.1 or stimulated_C_peptide x 1.1",
}


@functools.cache
def clauses_of(text: str) -> tuple[Clause, ...]:
    """Return what an event or state means: one of these clauses must hold.

    Raises
    ------
    ConfigError
        A term cannot be read, or names no quantity (the nearest is named).

    Examples
    --------
    >>> clauses_of("UACR >= 30 and eGFR < 60 or kidney failure")
    ((Term(kind='value', name='UACR', low=30.0, high=inf), Term(kind='value', name='eGFR', low=-inf, high=60.0)), (Term(kind='failure', name='', low=-inf, high=inf),))
    """
    clauses: list[Clause] = []
    for choice in text.split(" or "):
        parts: list[Clause] = [()]
        for part in choice.split(" and "):
            parts = [before + terms for before in parts for terms in _alternatives(part.strip(), text)]
        clauses += parts
    return tuple(clauses)


def _alternatives(text: str, event: str) -> tuple[Clause, ...]:
    """Return the clauses that one term stands for: more than one for classes and for some conditions."""
    if text == _FAILURE:
        return ((Term("failure"),),)
    if text in CONDITIONS:
        return clauses_of(CONDITIONS[text])
    for pattern, make in _READERS:
        match = pattern.fullmatch(text)
        if match is not None:
            _check(match["name"], event)
            return make(match)
    raise ConfigError(
        Problem(
            "bad-event",
            f"cannot read {text!r} in the event {event!r}",
            expected="such as 'UACR > 300', 'UACR 30 to 300', 'eGFR -40 %', 'creatinine x 2' or 'kidney failure'",
            hint=did_you_mean(text, CONDITIONS),
        )
    )


def _check(name: str, event: str) -> None:
    if name not in compared():
        problem = Problem(
            "unknown-quantity",
            f"the event {event!r} names no quantity",
            found=name,
            hint=did_you_mean(name, compared()),
        )
        raise ConfigError(problem)


def _one_sided(kind: Kind, match: re.Match[str], factor: float = 1.0) -> tuple[Clause, ...]:
    bound = factor * float(match["bound"])
    if match["sign"].startswith("<"):
        return ((Term(kind, match["name"], high=bound),),)
    return ((Term(kind, match["name"], low=bound),),)


def _range(match: re.Match[str]) -> tuple[Clause, ...]:
    return ((Term("value", match["name"], float(match["low"]), float(match["high"])),),)


def _share(match: re.Match[str]) -> tuple[Clause, ...]:
    return _times(match["name"], 1.0 + (1.0 if match["sign"] == "+" else -1.0) * float(match["share"]) / 100.0)


def _times(name: str, factor: float) -> tuple[Clause, ...]:
    # Once the value or more is no fall.
    term = Term("ratio", name, low=factor) if factor >= 1.0 else Term("ratio", name, high=factor)
    return ((term,),)


def _slope(match: re.Match[str]) -> tuple[Clause, ...]:
    return _one_sided("relative slope", match, 0.01) if match["percent"] else _one_sided("slope", match)


def _class(match: re.Match[str]) -> tuple[Clause, ...]:
    """Return one clause for each class that people may begin in."""
    name = match["name"]
    bounds, high_is_worse = _CLASSES[name]
    edges = (-math.inf, *bounds, math.inf)
    upwards = high_is_worse == (match["way"] == "worse")
    clauses = []
    for low, high in itertools.pairwise(edges):
        left = Term("value", name, low=high) if upwards else Term("value", name, high=low)
        if math.isfinite(high if upwards else low):
            clauses.append((Term("start", name, low, high), left))
    return tuple(clauses)


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[Clause, ...]]], ...] = (
    (_BOUND, functools.partial(_one_sided, "value")),
    (_START, functools.partial(_one_sided, "start")),
    (_ADJUSTED, functools.partial(_one_sided, "adjusted")),
    (_RANGE, _range),
    (_SHARE, _share),
    (_TIMES, lambda match: _times(match["name"], float(match["factor"]))),
    (_SLOPE, _slope),
    (_CHANGE, functools.partial(_one_sided, "change")),
    (_CLASS, _class),
)
