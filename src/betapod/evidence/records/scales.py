"""Which statistics are percentages, ratios or plain numbers, and what a unit says of them: nothing is read on a guess."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from .evidence_units import spelt
from .vocabulary import EvidenceEndpoint, Statistic

if TYPE_CHECKING:
    from .row import Row

#: Statistics that are plain numbers by nature, so that a blank unit is their own.
_PLAIN = (
    "hazard_ratio", "risk_ratio", "odds_ratio", "geometric_ratio", "smd", "correlation", "count", "variance_explained",
    "coefficient",
)  # fmt: skip
_RATIOS = ("hazard_ratio", "risk_ratio", "odds_ratio", "geometric_ratio")
#: Words for a plain number that do not say whether it is a ratio or a share of something.
_BARE = ("ratio", "index", "1")
_ABSOLUTE = ("mean", "median", "geometric_mean", "value", "difference", "slope")
_AS_RATIO = (
    "Relative numbers have statistics of their own: 'change_percent', 'relative difference', 'ratio to baseline'."
)


def _of_percent(statistic: Statistic) -> bool:
    """Return whether the printed number is a percentage: 24 for a risk reduction of 24 %."""
    return statistic.kind == "percent" or "percent" in statistic.transform


def needs_unit(statistic: Statistic) -> bool:
    """Return whether a blank unit would be a guess: percentages and fractions look alike."""
    return statistic.kind not in _PLAIN or _of_percent(statistic)


def by_unit(row: Row, statistic: Statistic, endpoint: EvidenceEndpoint) -> Statistic:
    """Return what a statistic is, given its unit: a difference in % of what is measured in mg/g is a relative one.

    What cannot be is noted with the row.
    """
    printed, kind = row["unit"], statistic.kind
    if not printed:
        return statistic
    unit = spelt(printed)[0]
    if kind == "percent" and statistic.contrast == "change" and not _is_percent(row, unit, endpoint):
        # "mean change" is printed in percent more often than not; an absolute unit says otherwise.
        return replace(statistic, kind="mean")
    if unit not in ("1", "%") and (kind in (*_RATIOS, "proportion") or _of_percent(statistic)):
        # mg/g and mmol/mol are plain numbers to a unit reader, and no ratio of two groups.
        row.wrong("wrong-unit", f"{row['statistic']} is a ratio or a share", "unit", "1, ratio, fraction or %")
        return statistic
    if kind == "percent" and printed in _BARE:
        row.wrong("wrong-unit", "a percentage cannot be told from a ratio", "unit", "% or fraction", _AS_RATIO)
    if statistic.transform in ("one_minus_percent", "one_plus_percent") and printed in _BARE:
        hint = "A ratio itself is 'risk_ratio', 'hazard ratio' or 'ratio of LS mean change'."
        row.wrong("wrong-unit", "a reduction or difference cannot be told from a ratio", "unit", "% or fraction", hint)
    if endpoint.unit in ("", "1", "%") or unit not in ("1", "%") or kind not in _ABSOLUTE:
        return statistic
    if unit == "%" and statistic.contrast in ("between", "change") and kind in ("difference", "mean", "median"):
        row.remarks.append(f"{row['statistic']} in % of a quantity in {endpoint.unit}: read as a relative one")
        return replace(statistic, kind="percent")
    expected = f"a unit like [{endpoint.unit}]"
    row.wrong("wrong-unit", f"{row['endpoint']} is measured in {endpoint.unit}", "unit", expected, _AS_RATIO)
    return statistic


def _is_percent(row: Row, unit: str, endpoint: EvidenceEndpoint) -> bool:
    """Return whether a mean change is a percentage of the level: not in mg/day, and not in the points of a quantity that is in %."""
    if unit not in ("1", "%"):
        return False
    said = re.search("percent|relative", row["statistic"]) is not None or row["unit"] == "percent_of_baseline"
    return said or endpoint.unit != "%"


def statistic_unit(statistic: Statistic, endpoint: EvidenceEndpoint) -> str:
    """Return the unit that a number is turned into; empty where it is kept as printed."""
    kind = statistic.kind
    if _of_percent(statistic):
        return "%"
    if kind in _RATIOS or kind == "proportion":
        return "1"
    if kind == "rate":
        return "1/year"
    if kind in ("smd", "correlation", "count", "variance_explained", "coefficient"):
        return ""
    return "day" if kind == "time" else endpoint.unit
