"""The spread of a printed number: its type, its ends, and both on the scale of the number."""

from __future__ import annotations

import math
import re

from ...base.errors import did_you_mean
from . import vocabulary
from .evidence_units import Conversion
from .plain_words import in_plain_words
from .row import Row
from .study import Dispersion

_DISPERSION = {
    "SD": "SD",
    "SE": "SE",
    "SEM": "SE",
    "CI95": "CI95",
    "IQR": "IQR",
    "range": "range",
    "range_as_printed": "range",
    "tolerance_factor": "tolerance_factor",
    "unclear": "unclear",
    "SD (printed 182.9.5)": "SD",
}
_DOUBTFUL = re.compile(r"likely|not_stated", re.I)
_INTERVALS = ("CI95", "IQR", "range")
#: What stands between the ends of an interval in a user's own table.
_BETWEEN = re.compile(r"\s*(?:[;|]|,\s|\bto\b)\s*")


def read_dispersion(
    row: Row, statistic: vocabulary.Statistic, conversion: Conversion, value: float | None
) -> Dispersion | None:
    """Return the spread of a row; None where it has none, and where something is wrong with it, which is noted."""
    printed, text = row["dispersion"], row["dispersion_type"]
    if bool(printed) != bool(text):
        row.wrong(
            "half-dispersion",
            "dispersion and its type come together or not at all",
            "dispersion" if text else "dispersion_type",
        )
        return None
    if not printed:
        return None
    kind = _DISPERSION.get(text) or ("unclear" if _DOUBTFUL.search(text) else "")
    kind = kind or in_plain_words(row, "dispersion_type", _DISPERSION) or ""
    if not kind:
        row.wrong(
            "unknown-dispersion",
            "no such type",
            "dispersion_type",
            "SD, SE, CI95, IQR, range or unclear",
            did_you_mean(text, _DISPERSION),
        )
        return None
    if kind == "unclear" or _DOUBTFUL.search(text):
        row.remarks.append("SD or SE? The source does not say: not used as either")
    try:
        # People write (0.7, 0.9) and 0.7 to 0.9; in the package's tables ends stand between semicolons.
        parts = re.split(_BETWEEN, printed.strip("[]() ")) if row.guessed else re.split(r"[;|]", printed)
        ends = [float(part) for part in parts]
    except ValueError:
        ends = []
    if len(ends) != (2 if kind in _INTERVALS else 1) or not all(math.isfinite(end) for end in ends):
        row.wrong("bad-number", "one number for SD and SE, 'low;high' for an interval", "dispersion")
        return None
    if kind not in _INTERVALS:
        if ends[0] < 0:
            row.wrong("bad-number", "this is negative", "dispersion")
        width = ends[0] if kind == "tolerance_factor" else conversion.scale(ends[0])
        if statistic.transform and statistic.transform != "negate" and kind != "tolerance_factor":
            # The number was turned from a percentage into a ratio, and its spread goes with it.
            width = float(f"{width / 100.0:.15g}")
        return Dispersion(kind, width, width, text)
    if ends[0] > ends[1]:
        hint = "Write the lower end first; check that both ends and the value are of one sign and unit."
        row.wrong("reversed-interval", "the interval ends below where it begins", "dispersion", "low;high", hint)
        return None
    # What turns a percentage into a ratio may turn the ends around.
    low, high = sorted(transformed(conversion(end), statistic.transform) for end in ends)
    if value is not None and not low <= value <= high:
        row.wrong("value-outside", "the value lies outside its own interval", "dispersion")
    return Dispersion(kind, low, high, text)


def transformed(value: float, transform: str) -> float:
    """Return a number as the statistic turns it, such as a percentage into a ratio."""
    if transform == "one_minus_percent":
        value = 1.0 - value / 100.0
    elif transform == "one_plus_percent":
        value = 1.0 + value / 100.0
    elif transform == "percent":
        value = value / 100.0
    elif transform == "negate":
        value = -value
    return float(f"{value:.15g}")
