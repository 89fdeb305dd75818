"""Effects of drugs on rates, beyond what they do to the course: factors with source, keyed by drug or class.

The factors are those that trials and their meta-analyses report, which hold all that a drug does. What it does through filtration
and albuminuria the course brings as well; near 15 mg/g that part is 4 %, above 300 mg/g less than 2 %, and counts twice.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Location, Problem
from ..therapies.drug_catalogue import class_of_drug
from ..therapies.standard_care import Therapy
from .outcome_rates import CAUSES
from .risk import Numbers

_PATH = Path(__file__).with_name("drug_hazards.csv")
#: Between two drugs that must be taken together.
_BOTH = " + "


@dataclass(frozen=True)
class DrugHazard:
    """By which factor a drug, or two together, change the rate of a cause.

    Attributes
    ----------
    drug
        A drug or class; two joined by `` + `` count where both are taken.
    low, high
        95 % interval of the source.
    source
        Keys of the bibliography, separated by semicolons.
    """

    drug: str
    cause: str
    factor: float
    low: float
    high: float
    role: str
    source: str
    locator: str
    grade: str
    note: str


@functools.cache
def drug_hazards() -> tuple[DrugHazard, ...]:
    """Return the rows of ``drug_hazards.csv``.

    Raises
    ------
    ConfigError
        Rows with an unknown cause, a factor outside its interval, or a work that is not in the bibliography.
    """
    from ..physiology import whole_body

    works = whole_body.bibliography_keys()
    rows, problems = [], []
    with _PATH.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            item = DrugHazard(
                row["drug"], row["cause"], float(row["factor"]), float(row["low"]), float(row["high"]),
                row["role"], row["source"], row["locator"], row["grade"], row["note"],
            )  # fmt: skip
            where = Location(_PATH.name, number)
            if item.cause not in CAUSES:
                problems.append(Problem("unknown-cause", f"there is no cause {item.cause!r}", where))
            if not 0.0 < item.low <= item.factor <= item.high:
                problems.append(Problem("out-of-range", "the factor lies outside its interval", where))
            problems += [
                Problem("unknown-source", f"the bibliography has no {key!r}", where)
                for key in item.source.split(";")
                if key not in works
            ]
            rows.append(item)
    if problems:
        raise ConfigError(problems)
    return tuple(rows)


def hazard_class(drug: str) -> str:
    """Return the class under which `drug_hazards` has a drug; its own name where it has none."""
    return class_of_drug(drug) or drug


def drug_factors(intake: Mapping[str, Numbers | float]) -> dict[str, Numbers]:
    """Return the factor on the rate of each cause; 1 for causes that are not named.

    Parameters
    ----------
    intake
        Drug or class -> share of its effect that is reached, 0 (not taken) to 1. Of one class the largest counts.
    """
    shares: dict[str, Numbers] = {}
    for drug, share in intake.items():
        name = hazard_class(drug)
        shares[name] = np.maximum(shares.get(name, np.zeros(())), share)
    factors: dict[str, Numbers] = {}
    for row in drug_hazards():
        parts = [shares.get(name) for name in row.drug.split(_BOTH)]
        if any(part is None for part in parts):
            continue
        share = functools.reduce(np.minimum, [part for part in parts if part is not None])
        factors[row.cause] = factors.get(row.cause, np.ones(())) * np.exp(share * math.log(row.factor))
    return factors


def taken_on(
    days: Numbers,
    background: Mapping[str, NDArray[np.bool_]],
    added: Sequence[Iterable[Therapy]],
    every: bool = False,
) -> dict[str, Numbers]:
    """Return drug -> (people, days) what people take: their own drugs throughout, added ones while they last.

    Parameters
    ----------
    days
        (T,) on the clock of the therapies.
    background
        Drug -> (people,) whether it is taken already.
    added
        Therapies of each person.
    every
        Whether drugs that no row of `drug_hazards` names are told too, as complications read them.
    """
    named = {name for row in drug_hazards() for name in row.drug.split(_BOTH)}
    shape = (len(added), len(days))
    intake = {
        drug: np.broadcast_to(np.asarray(flags, dtype=np.float64)[:, None], shape)
        for drug, flags in background.items()
        if (every or hazard_class(drug) in named) and np.any(flags)
    }
    for person, therapies in enumerate(added):
        for item in therapies:
            if not (every or hazard_class(item.name) in named):
                continue
            share = intake.setdefault(item.name, np.zeros(shape))
            if not share.flags.writeable:
                share = intake[item.name] = share.copy()
            on = item.adherence * ((days >= item.start) & (days < item.stop))
            share[person] = np.maximum(share[person], on)
    return intake
