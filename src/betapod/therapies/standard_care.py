"""Standard care: drugs, insulin, diet and weight loss as effects on named inputs of metabolism and kidney.

A therapy is named with its dose, ``metformin 2 g``; what it does stands in ``parameters/standard_care.csv``, what it is (class, substance, other
names) in ``parameters/drugs.csv``, see `drug_catalogue`. Rules of combination:

======== ===================================================================================================
rule     several therapies on one quantity
======== ===================================================================================================
set      one value replaces what the person does otherwise; two are refused
multiply factors multiply
add      shifts add
max      the strongest counts
policy   a way of treating, such as titration: switched at once, whatever the adherence; two are refused
======== ===================================================================================================

Adherence shortens the way from no effect (1 for factors, 0 for shifts, the person's own value for `set`) to full effect.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..base.errors import ConfigError, Location, Problem, UnitError
from ..base.units import convert_unit
from .drug_catalogue import (
    class_named,
    class_of_drug,
    drug_classes,
    listed_drugs,
    read_rows,
    suggested_drugs,
    therapy_named,
)
from .effect_factors import scaled_value

RULES = ("set", "multiply", "add", "max", "policy")
_TEXT = re.compile(r"(?P<name>.+?)(?:\s+(?P<dose>[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?)\s*(?P<unit>\S.*)?)?")
_SCALED = re.compile(r"([-+]?[\d.]+)\*dose")


@dataclass(frozen=True)
class DrugEffect:
    """What a therapy does to one quantity at full effect.

    Attributes
    ----------
    acts
        ``metabolic`` or ``renal``.
    onset, offset
        Days from start to full effect and from stop to none; linear in between.
    lasts
        Days after the start at which the effect of a single course begins to fade by itself; infinite for what is taken on and on.
    role, source, grade, note
        Where the value comes from, as in a parameter table.
    """

    quantity: str
    rule: str
    value: float
    unit: str
    acts: str
    onset: float
    offset: float
    role: str = "assumed"
    source: str = ""
    grade: str = "D"
    note: str = ""
    lasts: float = math.inf


@dataclass(frozen=True)
class Therapy:
    """A therapy of one patient: what, how much, from when to when (days), and how faithfully it is taken (0 to 1)."""

    name: str
    dose: float
    dose_unit: str
    effects: tuple[DrugEffect, ...]
    start: float = 0.0
    stop: float = math.inf
    adherence: float = 1.0

    @property
    def label(self) -> str:
        """Name and dose."""
        return (
            self.name if self.dose_unit == "dose" and self.dose == 1 else f"{self.name} {self.dose:g} {self.dose_unit}"
        )

    @property
    def words(self) -> str:
        """Name, dose and days, such as ``metformin 2 g from day 0 to day 90``."""
        stop = f" to day {self.stop:g}" if math.isfinite(self.stop) else ""
        adherence_text = "" if self.adherence == 1.0 else f", {100 * self.adherence:g} % of the effect"
        return f"{self.label} from day {self.start:g}{stop}{adherence_text}"

    @property
    def drug_class(self) -> str:
        """Class of which a person takes one drug at a time; empty for insulin, diet and the like."""
        return class_of_drug(self.name)

    def ends(self, effect: DrugEffect) -> float:
        """Return the day on which an effect begins to fade."""
        return min(self.stop, self.start + effect.lasts)

    def share(self, effect: DrugEffect, time: float) -> tuple[float, float]:
        """Return the share of full effect just before and just after a time."""
        reach = 1.0 if effect.rule == "policy" else self.adherence
        end = self.ends(effect)
        reached = _ramp(end - self.start, effect.onset, -1)

        def at(side: int) -> float:
            risen = min(_ramp(time - self.start, effect.onset, side), reached)
            return reach * risen * (1.0 - _ramp(time - end, effect.offset, side))

        return at(-1), at(1)


def _ramp(elapsed: float, width: float, side: int) -> float:
    """Return how far a ramp has come; at the very moment of a jump `side` says before (-1) or after (1)."""
    if math.isinf(elapsed):
        return 0.0 if elapsed < 0 else 1.0
    if width == 0:
        return float(elapsed > 0 or (elapsed == 0 and side > 0))
    return min(max(elapsed / width, 0.0), 1.0)


@functools.cache
def _rows() -> tuple[dict[str, str], ...]:
    return read_rows("standard_care.csv")


@functools.cache
def _limits() -> tuple[dict[str, str], ...]:
    return read_rows("standard_care_limits.csv")


def catalogue() -> dict[str, tuple[str, ...]]:
    """Return the doses of each therapy, as text; ``any`` dose has only its unit."""
    doses_by_drug: dict[str, dict[str, None]] = {}
    for row in _rows():
        dose = f"{row['dose']} {row['dose_unit']}"
        doses_by_drug.setdefault(row["therapy"], {})[dose] = None
    return {name: tuple(doses) for name, doses in doses_by_drug.items()}


def changed_quantities() -> frozenset[str]:
    """Return the inputs that any therapy changes."""
    return frozenset(row["quantity"] for row in _rows())


def scales_with_dose(name: str, quantity: str) -> bool:
    """Return whether what a therapy does to a quantity is a number for each unit of its dose."""
    return any(
        row["therapy"] == name and row["quantity"] == quantity and bool(_SCALED.fullmatch(row["value"]))
        for row in _rows()
    )


def therapy(
    text: str,
    start: float = 0.0,
    stop: float = math.inf,
    adherence: float = 1.0,
    onset: float | None = None,
    offset: float | None = None,
) -> Therapy:
    """Read a therapy such as ``metformin 2 g``, ``semaglutide 1 mg``, ``SGLT2 inhibitor``, ``basal insulin 20 U``.

    Short forms and brands that ``drugs.csv`` lists are read as the therapy that they mean; a class alone is what is typical of it.

    Parameters
    ----------
    start, stop
        Days.
    adherence
        Share of the full effect that is reached, 0 to 1.
    onset, offset
        Days, instead of the table's.

    Raises
    ------
    ConfigError
        Unknown therapy or dose (the nearest is named), unreadable unit, times or adherence out of range; all at once.
    """
    where = Location(f"therapy {text!r}")
    match = _TEXT.fullmatch(text.strip())
    drug_name = match["name"] if match else text
    problems = _bad_course(where, start, stop, adherence, onset, offset)
    name = therapy_named(drug_name)
    if match is None or name is None:
        problems.append(_unknown(drug_name, where))
        raise ConfigError(problems)
    rows = [row for row in _rows() if row["therapy"] == name]
    unit = rows[0]["dose_unit"]
    dose = _dose(match, rows, where, problems)
    if problems:
        raise ConfigError(problems)
    effect_rows = [row for row in rows if row["dose"] == "any" or math.isclose(float(row["dose"]), dose, rel_tol=1e-9)]
    effects = tuple(_effect(row, dose, onset, offset) for row in effect_rows)
    return Therapy(name, dose, unit, effects, start, stop, adherence)


def _unknown(name: str, where: Location) -> Problem:
    """Return what to say of a name that means no therapy, or a class without a typical drug."""
    doses = catalogue()
    if name in doses:
        return Problem(
            "uncatalogued-drug", f"{name!r} has effects in standard_care.csv, but no row in drugs.csv", where
        )
    drug_class = class_named(name)
    if drug_class is None:
        return Problem("unknown-therapy", f"there is no therapy {name!r}", where, hint=suggested_drugs(name))
    members = [f"{drug} {dose}" for drug in drug_classes()[drug_class] for dose in doses[drug]]
    text = f"{drug_class!r} is a class: name a drug of it with its dose"
    return Problem("class-of-drugs", text, where, expected=listed_drugs(members))


def _bad_course(
    where: Location, start: float, stop: float, adherence: float, onset: float | None, offset: float | None
) -> list[Problem]:
    problems = []
    if not start >= 0 or not math.isfinite(start) or not stop > start:
        problems.append(
            Problem(
                "bad-time",
                "a therapy starts on day 0 or later and stops after it starts",
                where,
                f"{start:g} to {stop:g}",
            )
        )
    if not 0 <= adherence <= 1:
        problems.append(Problem("out-of-range", "adherence lies between 0 and 1", where, found=f"{adherence:g}"))
    for name, days in (("onset", onset), ("offset", offset)):
        if days is not None and not 0 <= days < math.inf:
            problems.append(
                Problem("out-of-range", f"the {name} is a number of days from 0 on", where, found=f"{days:g}")
            )
    return problems


def _dose(match: re.Match[str], rows: Sequence[dict[str, str]], where: Location, problems: list[Problem]) -> float:
    """Return the dose in the table's unit; add a problem where the table does not have it."""
    unit = rows[0]["dose_unit"]
    doses = list(dict.fromkeys(row["dose"] for row in rows))
    listed = ", ".join(f"{rows[0]['therapy']} {dose} {unit}" for dose in doses)
    if match["dose"] is None:
        if unit == "dose":
            return 1.0
        problems.append(Problem("missing-dose", "this therapy needs a dose", where, expected=listed))
        return math.nan
    dose = float(match["dose"])
    written = (match["unit"] or unit).strip()
    if unit == "dose":
        if written not in ("dose", "doses"):
            problems.append(
                Problem("wrong-unit", "the dose of this therapy is relative", where, found=written, expected=listed)
            )
            return math.nan
    else:
        per = written if "/" in written or "/" not in unit else f"{written}/{unit.rsplit('/', 1)[1]}"
        try:
            dose = convert_unit(dose, per, unit, where)
        except UnitError as error:
            problems.extend(error.problems)
            return math.nan
    if not dose > 0 or not math.isfinite(dose):
        problems.append(Problem("out-of-range", "a dose is positive", where, found=match["dose"]))
    elif "any" not in doses and not any(math.isclose(float(d), dose, rel_tol=1e-9) for d in doses):
        best = min(doses, key=lambda d: abs(float(d) - dose))
        hint = f"The nearest is {rows[0]['therapy']} {best} {unit}."
        problems.append(
            Problem("unknown-dose", "no effect is known for this dose", where, f"{dose:g} {unit}", listed, hint)
        )
    return dose


def _effect(row: Mapping[str, str], dose: float, onset: float | None, offset: float | None) -> DrugEffect:
    scaled = _SCALED.fullmatch(row["value"])
    size = float(scaled[1]) * dose if scaled else float(row["value"])
    value = scaled_value(row["therapy"], row["quantity"], row["rule"], size)
    policy = row["rule"] == "policy"
    return DrugEffect(
        row["quantity"],
        row["rule"],
        value,
        row["unit"],
        row["acts"],
        float(row["onset"]) if onset is None or policy else onset,
        float(row["offset"]) if offset is None or policy else offset,
        row["role"],
        row["source"],
        row["grade"],
        row["note"],
        float(row["lasts"] or math.inf),
    )
