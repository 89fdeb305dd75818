"""Words and numbers for readers: names of quantities and hypotheses, units as they are printed, changes as people say them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..trials.quantities import CHARACTERISTICS, quantities

if TYPE_CHECKING:
    from ..trials.assessment import Assessment

MINUS = "\u2212"
NARROW = "\u202f"

#: What is supposed of the cells, as a reader says it; long and short.
HYPOTHESES: Mapping[str, tuple[str, str]] = {
    "none": ("cells do nothing", "no effect"),
    "current-evidence": ("cells do what controlled trials support", "current evidence"),
    "face-value": ("positive trials are taken at face value", "face value"),
    "seed-claims": ("cells do all that is claimed for them", "claims"),
}

#: Short names of quantities for axes and tables.
SHORT: Mapping[str, str] = {
    "UACR": "albuminuria (UACR)",
    "CREAT": "creatinine",
    "EGFR": "eGFR",
    "HBA1C": "HbA1c",
    "FPG": "fasting glucose",
    "CPEP": "fasting C-peptide",
    "BUN": "urea nitrogen",
    "MAP": "mean arterial pressure",
    "SBP": "systolic pressure",
    "WEIGHT": "body weight",
    "INSDOSE": "insulin dose",
}

#: Mechanisms of cells by switch or group of switches.
MECHANISMS: Mapping[str, str] = {
    "podocytes": "podocytes: less loss, recovery of shape",
    "vessels": "vessels: growth and repair of capillaries",
    "scarring": "scarring: inflammation, fibrosis, tubular repair",
    "filtration": "filtration: functional gain",
    "replacement": "replacement: given cells become the body's own",
    "glucose": "glucose: insulin sensitivity and beta cells",
}


def hypothesis(name: str) -> str:
    """Return a hypothesis in words."""
    return HYPOTHESES.get(name, (name, name))[0]


def hypothesis_short(name: str) -> str:
    """Return a hypothesis in two words."""
    return HYPOTHESES.get(name, (name, name))[1]


def design(a: Assessment, name: str) -> str:
    """Return a design in words."""
    return a.protocol.designs[name].label or name


def arm(a: Assessment, name: str) -> str:
    """Return a group in words."""
    return a.protocol.arms[name].label or name


def stratum(a: Assessment, name: str) -> str:
    """Return a stratum in words; all patients together are "patients"."""
    return a.protocol.strata[name].label or name if name in a.protocol.strata else "patients"


def event(name: str) -> str:
    """Return an adverse event in words."""
    from ..trials.hypotheses import EVENTS

    return EVENTS.get(name, name.removeprefix("p_").replace("_", " "))


def capital(text: str) -> str:
    """Return a text with a capital, but for names that begin small."""
    return text if text[:4] in ("eGFR", "HbA1") else text[:1].upper() + text[1:]


def unit(text: str) -> str:
    """Return a unit as it is printed."""
    if text in ("1", ""):
        return ""
    return (
        text.replace("1.73m2", "1.73\u00a0m²")
        .replace("kg/m^2", "kg/m²")
        .replace("m^2", "m²")
        .replace("*", "·")
        .replace("^2", "²")
    )


def named(code: str) -> str:
    """Return the short name of a quantity or characteristic."""
    if code in SHORT:
        return SHORT[code]
    if code in quantities():
        return quantities()[code].label
    return CHARACTERISTICS[code].label if code in CHARACTERISTICS else code


def unit_of(code: str) -> str:
    """Return the printed unit of a quantity or characteristic."""
    if code in quantities():
        return unit(quantities()[code].unit)
    return unit(CHARACTERISTICS[code].unit) if code in CHARACTERISTICS else ""


def is_log(code: str) -> bool:
    """Whether changes of a quantity are ratios."""
    return code in quantities() and quantities()[code].scale == "log"


def shown(code: str, change: float) -> float:
    """Return a change as it is shown: percent for ratios, else in the unit."""
    return 100 * math.expm1(change) if is_log(code) else change


def change_unit(code: str) -> str:
    """Return the unit of a shown change."""
    if is_log(code):
        return "%"
    return "points" if code == "HBA1C" else unit_of(code)


def number(value: float, digits: int | None = None, sign: bool = False) -> str:
    """Return a number with the digits that mean something and a true minus; an en dash where there is none."""
    if value is None or not math.isfinite(value):
        return "\u2013"
    if digits is None:
        size = abs(value)
        digits = 0 if size >= 100 else 1 if size >= 10 else 2
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    if float(text) == 0:
        text = f"{0:.{digits}f}"
    return text.replace("-", MINUS)


def thousands(n: int) -> str:
    """Return a whole number with narrow spaces."""
    return f"{n:,}".replace(",", NARROW)


def digits_of(code: str) -> int:
    """Return the decimals with which changes of a quantity are given."""
    return {"UACR": 0, "HBA1C": 2, "CREAT": 1, "CPEP": 0, "FPG": 2, "WEIGHT": 1, "SBP": 1, "MAP": 1}.get(code, 1)


def change(code: str, value: float) -> str:
    """Return a change with its unit: ``−14 %``."""
    if not math.isfinite(value):
        return "\u2013"
    digits = 1 if is_log(code) and abs(shown(code, value)) < 3 else digits_of(code)
    text = number(shown(code, value), digits, sign=True)
    return f"{text}\u00a0{change_unit(code)}"


def change_range(code: str, low: float, high: float) -> str:
    """Return a range of changes with one unit: ``−24 to −3 %``."""
    digits = digits_of(code)
    first, second = number(shown(code, low), digits, sign=True), number(shown(code, high), digits, sign=True)
    return f"{first} to {second}\u00a0{change_unit(code)}"


def scaled(a: Assessment, value: float) -> float:
    """Return an estimate of the primary endpoint as it is shown: percent, unit, or hazard ratio."""
    summary = a.protocol.endpoints.primary.summary
    if summary == "time to event":
        return math.exp(value)
    if summary == "responders":
        return 100 * value
    return value if summary == "slope" else shown(a.code, value)


def scale_unit(a: Assessment) -> str:
    """Return the unit of `scaled`."""
    summary = a.protocol.endpoints.primary.summary
    kinds = {"time to event": "", "responders": "% of patients", "slope": f"{unit_of(a.code)}/year"}
    return kinds.get(summary, change_unit(a.code))


def estimated(a: Assessment, value: float) -> str:
    """Return an estimate of the primary endpoint with its unit."""
    summary = a.protocol.endpoints.primary.summary
    if summary in ("change", "ratio") or not math.isfinite(value):
        return change(a.code, value)
    if summary == "time to event":
        return f"hazard ratio {number(scaled(a, value), 2)}"
    return f"{number(scaled(a, value), 1, sign=True)}\u00a0{scale_unit(a)}"


def estimated_range(a: Assessment, low: float, high: float) -> str:
    """Return a range of estimates of the primary endpoint."""
    summary = a.protocol.endpoints.primary.summary
    if summary in ("change", "ratio"):
        return change_range(a.code, low, high)
    signed, digits = summary != "time to event", 2 if summary == "time to event" else 1
    first, second = (number(scaled(a, x), digits, sign=signed) for x in (low, high))
    return f"{first} to {second}\u00a0{scale_unit(a)}".rstrip()


def percent(share: float, digits: int = 0) -> str:
    """Return a share as per cent; never 0 or 100 % for what is neither."""
    if not math.isfinite(share):
        return "\u2013"
    text = f"{100 * share:.{digits}f}"
    if float(text) == 0 and share > 0:
        return f"under {10.0**-digits:g}\u00a0%"
    if float(text) == 100 and share < 1:
        return f"over {100 - 10.0**-digits:g}\u00a0%"
    return f"{text}\u00a0%"


def ratio(value: float) -> str:
    """Return a likelihood ratio with two digits."""
    if not math.isfinite(value):
        return "\u2013"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


def p_value(p: float) -> str:
    """Return a p value as journals print it."""
    if not math.isfinite(p):
        return "\u2013"
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
