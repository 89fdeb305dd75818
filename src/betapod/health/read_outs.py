"""What a course does not simulate and events read: cholesterol, haemoglobin, potassium, smoking.

Each is a regression on what the course has (sex, age, BMI, HbA1c, eGFR, drugs) plus a deviation of the person that stays for life. The
regressions are cross-sectional: they say how people differ, and a treatment acts on them only through what it changes in the course,
apart from the drugs that they name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.randomness import Stream
from ..hazards.complications.terms import TERMS
from ..hazards.drug_hazards import hazard_class
from ..hazards.risk import Numbers, RiskProfile
from ..model.parameters.table import ParameterTable

#: Read-out -> its terms; the rows are named after both. `smoker` and `statin` are chances.
READ_OUTS: Mapping[str, tuple[str, ...]] = {
    "smoker": ("female", "age", "older"),
    "statin": ("female", "age", "cvd"),
    "hdl": ("female", "age", "bmi", "hba1c", "smoker"),
    "ldl": ("female", "age", "hba1c", "statin"),
    "haemoglobin": ("female", "age", "egfr_below_90", "egfr_below_60"),
    "potassium": (
        "female", "age", "egfr_below_90", "egfr_below_60", "hba1c", "renin_blocker", "diuretic", "steroidal_mra", "nonsteroidal_mra",
    ),
}  # fmt: skip
#: Lowest and highest value that a read-out takes.
LIMITS: Mapping[str, tuple[float, float]] = {
    "hdl": (0.4, 3.5),
    "ldl": (0.5, 8.0),
    "haemoglobin": (6.0, 19.0),
    "potassium": (2.8, 7.0),
}
#: Term -> the drugs and classes of which the largest share counts.
_DRUGS: Mapping[str, tuple[str, ...]] = {
    "renin_blocker": ("ACE inhibitor", "ARB"),
    "diuretic": ("thiazide",),
    "steroidal_mra": ("steroidal MRA",),
    "nonsteroidal_mra": ("nonsteroidal MRA",),
    "statin": ("statin",),
}


@functools.cache
def read_out_parameters() -> ParameterTable:
    """Return the coefficients, with unit, standard error and grade."""
    from ..physiology import whole_body

    return ParameterTable.read(Path(__file__).with_name("read_outs.csv"), sources=whole_body.bibliography_keys())


@functools.cache
def read_out_values() -> Mapping[str, float]:
    """Return the values of `read_out_parameters` by id."""
    return {name: row.value for name, row in read_out_parameters().items()}


def with_read_outs(
    profile: RiskProfile,
    numbers: NDArray[np.int64],
    intake: Mapping[str, Numbers] | None = None,
    seed: int = 1,
    values: Mapping[str, float] | None = None,
    scatter: bool = True,
) -> RiskProfile:
    """Return a profile with HDL, LDL, haemoglobin, potassium and smoking read out.

    Parameters
    ----------
    profile
        Arrays that broadcast to (people, times).
    numbers
        (people,) by which deviations are drawn: a person has the same under every strategy.
    intake
        Drug or class -> (people, times) share of its effect, as of `RiskCourse.intake`. People take a statin by chance unless it is named.
    seed
        Of the deviations.
    values
        Row of `read_out_parameters` -> value; others keep that of the table.
    scatter
        Whether people differ from the mean of people like them; without, smoking and statins are chances.

    Returns
    -------
    RiskProfile
        ``hdl``, ``ldl`` (mmol/L), ``haemoglobin`` (g/dL), ``potassium`` (mmol/L) are (people, times), ``smoker`` (people, 1).

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.hazards.risk import RiskProfile
    >>> from betapod.health.read_outs import with_read_outs
    >>> egfr = np.array([[90.0, 20.0]])
    >>> seen = with_read_outs(RiskProfile(age=60, female=0, egfr=egfr, uacr=30), np.array([1]), scatter=False)
    >>> seen.haemoglobin.round(1).tolist(), seen.potassium.round(1).tolist()
    ([[15.0, 13.0]], [[4.1, 4.6]])
    """
    return _ReadingOut(profile, numbers, intake or {}, seed, {**read_out_values(), **(values or {})}, scatter).profile()


@dataclass
class _ReadingOut:
    """What is needed to read out one thing after the other: smoking and statins come before cholesterol."""

    start: RiskProfile
    numbers: NDArray[np.int64]
    intake: Mapping[str, Numbers]
    seed: int
    values: Mapping[str, float]
    scatter: bool

    def profile(self) -> RiskProfile:
        """Return the whole profile."""
        person = replace(self.start, smoker=self._has("smoker"))
        statins = [values for name, values in self.intake.items() if _is_of(name, _DRUGS["statin"])]
        statin = np.maximum.reduce(statins) if statins else self._has("statin")
        amounts = {name: self._amount(name, person, statin) for name in LIMITS}
        return replace(person, **amounts)

    def _has(self, name: str) -> Numbers:
        """Return (people, 1) whether people have something, from the chance at the start; the chance itself without scatter."""
        at_start = _first_time(np.broadcast_to(self._sum(name, self.start, 0.0), self._shape()))
        chance = 1.0 / (1.0 + np.exp(-at_start))
        if not self.scatter:
            return chance
        return np.asarray(
            Stream(self.seed, f"read-out:{name}").uniform(self.numbers)[:, None] < chance, dtype=np.float64
        )

    def _amount(self, name: str, person: RiskProfile, statin: Numbers) -> Numbers:
        """Return (people, times)."""
        mean = np.broadcast_to(self._sum(name, person, statin), self._shape())
        deviation = Stream(self.seed, f"read-out:{name}").normal(self.numbers)[:, None] if self.scatter else 0.0
        return np.asarray(np.clip(mean + self.values[f"{name}_scatter"] * deviation, *LIMITS[name]))

    def _sum(self, name: str, person: RiskProfile, statin: Numbers | float) -> Numbers:
        total = np.asarray(self.values[f"{name}_base"], dtype=np.float64)
        for term in READ_OUTS[name]:
            total = total + self.values[f"{name}_{term}"] * self._term(term, person, statin)
        return total

    def _term(self, term: str, person: RiskProfile, statin: Numbers | float) -> Numbers:
        if term == "statin":
            return np.asarray(statin)
        if term in _DRUGS:
            shares = [values for name, values in self.intake.items() if _is_of(name, _DRUGS[term])]
            return np.maximum.reduce(shares) if shares else np.zeros(1)
        return _OTHER_TERMS.get(term, TERMS.get(term, _no_term))(person)

    def _shape(self) -> tuple[int, int]:
        """Return (people, times)."""
        arrays = [np.shape(getattr(self.start, name)) for name in self.start.__dataclass_fields__]
        arrays += [np.shape(values) for values in self.intake.values()]
        people, times = np.broadcast_shapes((len(self.numbers), 1), *arrays)
        return people, times


def _no_term(profile: RiskProfile) -> Numbers:
    raise KeyError("a term of READ_OUTS that neither TERMS nor _OTHER_TERMS has")


_OTHER_TERMS: Mapping[str, Callable[[RiskProfile], Numbers]] = {
    "older": lambda p: np.maximum(TERMS["age"](p), 0.0),
    "cvd": lambda p: np.asarray(p.cvd, dtype=np.float64),
}


def _first_time(values: Numbers) -> Numbers:
    return np.asarray(values[:, :1])


def _is_of(drug: str, names: tuple[str, ...]) -> bool:
    return drug in names or hazard_class(drug) in names
