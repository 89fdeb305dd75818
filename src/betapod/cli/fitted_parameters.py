"""What the installed fit says of a parameter: prior, posterior, contraction, and the rows that speak to it most."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..physiology.installed_fits import FitRecord, FittedUnknown

#: Contraction below which a parameter counts as not spoken to.
_SPOKEN_TO = 0.1
#: Rows that are named.
_ROWS = 3
#: What an unknown about a parameter is, by kind; rows of tables are the parameter itself.
_ABOUT = {
    "drug": "{name}: factor on what the drug does",
    "median": "{name}: factor on the median between people",
    "spread": "{name}: factor on the spread between people",
    "correlation": "{name}: rank correlation between people",
    "care": "{name}: what care moves it by during studies",
    "visit": "{name}",
}


def newest_fit() -> FitRecord | None:
    """Return the newest installed fit; None where none is installed."""
    from ..physiology.installed_fits import list_fits, load_fit

    names = list_fits()
    return load_fit(names[-1]) if names else None


def unknowns_about(record: FitRecord, key: str) -> list[FittedUnknown]:
    """Return the unknowns of a fit that are a parameter, or move it in drugs, in people or by care."""
    return [unknown for unknown in record.unknowns if key in _subjects(unknown)]


def _subjects(unknown: FittedUnknown) -> set[str]:
    """Return the parameters and inputs that an unknown is about."""
    name = unknown.name
    if unknown.kind in ("row", "cells"):
        return {name}
    if unknown.kind == "correlation":
        return set(name.split(" with "))
    if unknown.kind in ("median", "spread"):
        return {name.rpartition(" ")[0]}
    return {name.rpartition(" ")[2]} if unknown.kind in ("drug", "care") else set()


def fitted_documents(record: FitRecord, key: str) -> list[dict[str, Any]]:
    """Return what a fit says of a parameter, as plain values for JSON."""
    return [
        {
            "fit": record.name,
            "unknown": unknown.name,
            "kind": unknown.kind,
            "unit": unknown.unit,
            "prior": {"median": unknown.prior_median, "low": unknown.prior_low, "high": unknown.prior_high},
            "posterior": {"median": unknown.median, "low": unknown.low, "high": unknown.high, "best": unknown.map},
            "start": unknown.start,
            "contraction": unknown.contraction,
            "at_bound": unknown.at_bound,
            "rows": [
                {"record": name, "family": family, "share": share} for name, family, share in _speaking(record, unknown)
            ],
        }
        for unknown in unknowns_about(record, key)
    ]


def fitted_fields(record: FitRecord, key: str, value: float = math.nan) -> list[tuple[str, str]]:
    """Return what a fit says of a parameter, as names and texts for the terminal; nothing if it is not among its unknowns.

    Parameters
    ----------
    value
        What the table has: a row that is not at the best fit is said to be so.
    """
    fields = []
    for unknown in unknowns_about(record, key):
        about = _ABOUT.get(unknown.kind, "").format(name=unknown.name)
        unit = "" if unknown.unit in ("", "1") else f" {unknown.unit}"
        fields += [
            ("fit", f"{record.name}{f', {about}' if about else ''}"),
            ("prior", f"{_range(unknown.prior_median, unknown.prior_low, unknown.prior_high)}{unit}"),
            ("posterior", f"{_range(unknown.median, unknown.low, unknown.high)}{unit}"),
            ("most probable", f"{unknown.map:.4g}{unit}, {unknown.start:.4g} before{_elsewhere(unknown, value)}"),
            ("contraction", _contraction(unknown)),
            ("said by", ", ".join(f"{name} ({100 * share:.0f} %)" for name, _, share in _speaking(record, unknown))),
        ]
    return fields


def _elsewhere(unknown: FittedUnknown, value: float) -> str:
    """Return a remark where the table has another value than the fit found."""
    # Values of tables may be rounded.
    of_table = unknown.kind in ("row", "cells") and math.isfinite(value)
    return "; the table has another value" if of_table and not math.isclose(value, unknown.median, rel_tol=5e-3) else ""


def _range(median: float, low: float, high: float) -> str:
    return f"{median:.4g} (90 %: {low:.4g} to {high:.4g})"


def _contraction(unknown: FittedUnknown) -> str:
    words = "the evidence narrows it" if unknown.contraction >= _SPOKEN_TO else "it stays at its prior"
    bound = "; the fit ended at a bound" if unknown.at_bound else ""
    return f"{unknown.contraction:.2f}: {words}{bound}"


def _speaking(record: FitRecord, unknown: FittedUnknown) -> list[tuple[str, str, float]]:
    """Return the rows that say most of an unknown: record, family and share of all that is said, the greatest first."""
    if not record.has("speaking.csv"):
        return []
    table = record.table("speaking.csv")
    lines = [
        (str(name), str(family), float(share))
        for of, name, family, share in zip(
            table["unknown"], table["record"], table["family"], table["share"], strict=True
        )
        if of == unknown.name and math.isfinite(share)
    ]
    return sorted(lines, key=lambda line: -line[2])[:_ROWS]
