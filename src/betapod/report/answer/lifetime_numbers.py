"""What a life is with and without cells: the people of the trial dn61, under our events and under UKPDS Outcomes Model 2.

The comparison takes minutes; its results come with the package, and are used only while everything that shaped them is the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...physiology import whole_body
from ..common.words import MINUS, written_number
from .traced_numbers import NumberBook, TracedNumber

if TYPE_CHECKING:
    from ...value.value_result import ValueResult

FILE = Path(__file__).with_name("lifetime_dn61.json")
#: The comparison, as `betapod value` has it.
RUN = "dn61"
COMMAND = f"betapod value {RUN}"
#: Measure -> what it is called, and its decimals.
MEASURES = {
    "years": ("years of life", 1),
    "qalys": ("quality-adjusted years, discounted", 2),
    "dialysis_free": ("years without dialysis", 1),
    "healthy": ("years in health again", 1),
}
STRUCTURES = {"own": "our events", "ukpds-om2": "UKPDS Outcomes Model 2"}


@dataclass(frozen=True)
class LifetimeRow:
    """One strategy under one set of events.

    Attributes
    ----------
    cells
        Measure of `MEASURES` -> key of its number.
    gain
        Key of the quality-adjusted years gained; empty for the comparator.
    prices
        Willingness to pay -> key of the price at which a course of cells is worth its money; empty without cells.
    """

    structure: str
    strategy: str
    cells: Mapping[str, str]
    gain: str = ""
    prices: Mapping[str, str] | None = None


def lifetime_key() -> str:
    """Return a digest of what shapes the results: the model, every table of rates and utilities, the run and the library of people."""
    package = Path(__file__).parents[2]
    digest = hashlib.sha256(str(whole_body.named_model("reference").fingerprint).encode())
    tables = [path for room in ("hazards", "health") for path in (package / room).rglob("*.[cy]*")]
    people = [package / "value" / "library" / f"{RUN}.yaml", *(package / "patients").rglob("*.npz")]
    for path in sorted(path for path in (*tables, *people) if path.suffix in (".csv", ".yaml", ".npz")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:24]


def summarised(result: ValueResult) -> dict[str, Any]:
    """Return what the answer shows of a comparison, as plain values: means with the central 95 % of the draws."""
    from ...value.economics.pricing import threshold_price

    rows: list[dict[str, Any]] = []
    for structure in result.structures:
        measures = {
            "years": result.years[structure],
            "qalys": result.qalys[structure],
            "dialysis_free": result.free_years[structure]["dialysis_free"],
            "healthy": result.free_years[structure]["healthy"],
        }
        for number, strategy in enumerate(result.strategies):
            row: dict[str, Any] = {"structure": structure, "strategy": strategy}
            row |= {name: _interval(values[number]) for name, values in measures.items()}
            if strategy != result.comparator:
                gained = result.increment(structure, "qalys", strategy)
                row["gain"] = _interval(gained)
                courses = 0.0 if result.cell_courses is None else float(result.cell_courses[number])
                if courses > 0:
                    row["prices"] = {
                        f"{money:g}": _interval(threshold_price(gained, 0.0 * gained, courses, money))
                        for money in result.run["willingness to pay"]
                    }
            rows.append(row)
    return {"draws": result.draws, "people": _people(result), "rows": rows}


def _people(result: ValueResult) -> int:
    return int(next(iter(result.person_qalys.values())).shape[1])


def _interval(values: Any) -> list[float]:
    import numpy as np

    low, high = np.quantile(values, (0.025, 0.975))
    return [round(float(number), 4) for number in (np.mean(values), low, high)]


@cache
def lifetime_results() -> Mapping[str, Any]:
    """Return the results that come with the package."""
    return dict(json.loads(FILE.read_text(encoding="utf-8")))


def enter_lifetime(book: NumberBook) -> tuple[LifetimeRow, ...]:
    """Enter the numbers of lives into the book, and return their keys; nothing where the package has no results of today's model."""
    if not FILE.exists() or lifetime_results()["key"] != lifetime_key():
        return ()
    return tuple(_entered(row, book) for row in lifetime_results()["rows"])


def _entered(row: Mapping[str, Any], book: NumberBook) -> LifetimeRow:
    structure, strategy = row["structure"], row["strategy"]
    start = f"life-{structure}-{strategy}".replace(",", "").replace(" ", "-")
    who = f"{strategy}; people of dn61 for life, {STRUCTURES[structure]}"
    cells = {
        name: _add(book, f"{start}-{name}", row[name], digits, f"{label}, mean of a person: {who}")
        for name, (label, digits) in MEASURES.items()
    }
    gain = ""
    if "gain" in row:
        gain = _add(
            book, f"{start}-gain", row["gain"], 3, f"quality-adjusted years gained over no cells: {who}", sign=True
        )
    prices = None
    if "prices" in row:
        prices = {
            money: _add(
                book,
                f"{start}-price-{money}",
                values,
                0,
                f"most that a course may cost where a quality-adjusted year is worth {int(money):,}, in the same money; costs that cells save or bring are not in it: {who}",
            )
            for money, values in row["prices"].items()
        }
    return LifetimeRow(structure, strategy, cells, gain, prices)


def _add(book: NumberBook, key: str, values: Sequence[float], digits: int, meaning: str, sign: bool = False) -> str:
    mean, low, high = (written_number(value, digits, sign=sign) if digits else _money(value) for value in values)
    # What is counted at central values alone has no interval.
    text = f"{mean} ({low} to {high})" if values[1] < values[2] else mean
    origin = "simulated; interval of the rates, of the utilities and of what cells do, not of the model's form"
    book.add(TracedNumber(key, text, values[0], meaning, origin, COMMAND, certainty="a simulation"))
    return key


def _money(value: float) -> str:
    """Return an amount to three significant digits."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}".replace("-", MINUS)
