"""Terms of CDISC that a study definition uses, and durations of ISO 8601."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...base.constants import DAYS_PER_MONTH, DAYS_PER_YEAR, MINUTES_PER_DAY

#: Version of the model that is written, and of the controlled terminology.
USDM_VERSION, TERMINOLOGY = "4.0.0", "2025-09-26"
#: Concepts of NCI by what they stand for here: code, and its preferred term.
TERMS: Mapping[str, tuple[str, str]] = {
    "interventional": ("C98388", "Interventional Study"),
    "parallel": ("C82639", "Parallel Study"),
    "crossover": ("C82637", "Crossover Study"),
    "single group": ("C82640", "Single Group Study"),
    "treated": ("C174266", "Investigational Arm"),
    "placebo": ("C174268", "Placebo Control Arm"),
    "synthetic": ("C176263", "Synthetic Data"),
    "screening": ("C202487", "Screening Epoch"),
    "treatment": ("C101526", "Treatment Epoch"),
    "visit": ("C25716", "Visit"),
    "anchor": ("C201358", "Fixed Reference Timing Type"),
    "after": ("C201356", "After Timing Type"),
    "before": ("C201357", "Before Timing Type"),
    "start to start": ("C201355", "Start to Start"),
    "title": ("C207616", "Official Study Title"),
    "sponsor": ("C70793", "Clinical Study Sponsor"),
    "primary": ("C85826", "Trial Primary Objective"),
    "secondary": ("C85827", "Trial Secondary Objective"),
    "primary endpoint": ("C94496", "Primary Endpoint"),
    "secondary endpoint": ("C139173", "Secondary Endpoint"),
}
_DURATION = re.compile(r"P(?:(\d+(?:\.\d+)?)Y)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:\d+(?:\.\d+)?S)?)?")  # fmt: skip
#: Days of the parts of a duration: years, months, weeks, days, hours, minutes.
_DAYS = (DAYS_PER_YEAR, DAYS_PER_MONTH, 7.0, 1.0, 60 / MINUTES_PER_DAY, 1 / MINUTES_PER_DAY)


def duration_days(text: object) -> float | None:
    """Return a duration of ISO 8601 in days, such as ``P2W``; None where it is none.

    Examples
    --------
    >>> from betapod.exchange.usdm.usdm_terms import duration_days
    >>> duration_days("P2W"), duration_days("P1DT12H"), duration_days("two weeks")
    (14.0, 1.5, None)
    """
    matched = _DURATION.fullmatch(str(text or "").strip().lstrip("-"))
    if matched is None or not any(matched.groups()):
        return None
    return sum(float(part) * days for part, days in zip(matched.groups(), _DAYS, strict=True) if part)


def duration_text(days: float) -> str:
    """Return days as a duration of ISO 8601, without sign.

    Examples
    --------
    >>> from betapod.exchange.usdm.usdm_terms import duration_text
    >>> duration_text(-14), duration_text(1.5)
    ('P14D', 'P1DT12H')
    """
    full_days, minutes = divmod(round(abs(days) * MINUTES_PER_DAY), int(MINUTES_PER_DAY))
    hours, rest = divmod(minutes, 60)
    time = (f"{hours}H" if hours else "") + (f"{rest}M" if rest else "")
    return f"P{full_days}D" + (f"T{time}" if time else "")
