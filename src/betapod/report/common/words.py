"""Words and numbers for readers: names of quantities and scenarios, units as they are printed, changes as people say them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...base.nouns import with_noun
from ...hazards.outcome_rates import OUTCOME_LABELS
from ...observables.quantities import CHARACTERISTICS, visit_observables
from ...therapies.scenarios import SCENARIOS
from ...trials.analysis.endpoints import comparisons

if TYPE_CHECKING:
    from ...trials.operating.result_tables import Assessment

MINUS = "\u2212"
NARROW = "\u202f"

#: Mechanisms of cells by switch or group of switches.
MECHANISMS: Mapping[str, str] = {
    "podocytes": "podocytes: less loss, recovery of shape",
    "vessels": "vessels: growth and repair of capillaries",
    "scarring": "scarring: inflammation, fibrosis, tubular repair",
    "filtration": "filtration: functional gain",
    "replacement": "replacement: given cells become the body's own",
    "glucose": "glucose: insulin sensitivity and beta cells",
}


def has_cells(assessment: Assessment, *arms: str) -> bool:
    """Whether any of the groups is given cells; without names, any group of the protocol."""
    return any(assessment.protocol.arms[name].cells is not None for name in arms or assessment.protocol.arms)


def scenarios(assessment: Assessment, *arms: str) -> list[str]:
    """Return the scenarios about cells in the order of the protocol; one where no group has cells, for it changes nothing."""
    names = list(dict.fromkeys(str(name) for name in assessment.results["scenario"]))
    return names if has_cells(assessment, *arms) else names[:1]


def contrast(assessment: Assessment, treated: str, control: str) -> str:
    """Return a comparison in words: ``A against B``, or the group alone."""
    return f"{arm(assessment, treated)} against {arm(assessment, control)}" if control else arm(assessment, treated)


def first_of_several(assessment: Assessment, design: str) -> str:
    """Return the first comparison of a design in brackets where there are others, for what is shown of that one alone."""
    every = comparisons(assessment.protocol, design)
    return f" ({contrast(assessment, every[0].treated, str(every[0].control))})" if len(every) > 1 else ""


def truth_label(of: str) -> str:
    """Return the name of a true effect, from the column ``truth_of`` of the results; empty where it is not known."""
    return {
        "groups": "true difference",
        "cells": "true effect of cells",
        "treatment": "true effect of the treatment",
    }.get(of, "")


def part(assessment: Assessment, name: str) -> str:
    """Return the name of a part of a change; what the protocol gives is the treatment itself where nobody gets cells."""
    return "treatment of the group" if name == "conventional therapy" and not has_cells(assessment) else name


def scenario(name: str) -> str:
    """Return a scenario in words."""
    return SCENARIOS[name].label if name in SCENARIOS else name


def scenario_short(name: str) -> str:
    """Return a scenario in two words."""
    return SCENARIOS[name].short if name in SCENARIOS else name


def design(assessment: Assessment, name: str) -> str:
    """Return a design in words."""
    return assessment.protocol.designs[name].label or name


def arm(assessment: Assessment, name: str) -> str:
    """Return a group in words."""
    return assessment.protocol.arms[name].label or name


def counted(n: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 trial``, ``2 trials``."""
    return with_noun(n, singular, plural).replace(",", NARROW)


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return a list as people say it: ``a, b and c``."""
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else "".join(names)


def stratum(assessment: Assessment, name: str) -> str:
    """Return a stratum in words; all patients together are "patients"."""
    return assessment.protocol.strata[name].label or name if name in assessment.protocol.strata else "patients"


def event(name: str) -> str:
    """Return an adverse event, or an outcome among the harms, in words."""
    from ...therapies.cell_risks import EVENTS

    return EVENTS.get(name) or OUTCOME_LABELS.get(name, name.replace("_", " "))


def capital(text: str) -> str:
    """Return a text with a capital, but for words with one of their own, such as eGFR."""
    first = text.partition(" ")[0]
    return text if first != first.lower() else text[:1].upper() + text[1:]


def unit(text: str) -> str:
    """Return a unit as it is printed."""
    if text in ("1", ""):
        return ""
    if text == "year":
        return "years"
    return (
        text.replace("1.73m2", "1.73\u00a0m²")
        .replace("kg/m^2", "kg/m²")
        .replace("m^2", "m²")
        .replace("*", "·")
        .replace("^2", "²")
    )


def short_name(code: str) -> str:
    """Return the short name of a quantity or characteristic."""
    if code in visit_observables():
        return visit_observables()[code].short or visit_observables()[code].label
    return CHARACTERISTICS[code].label if code in CHARACTERISTICS else code


def at_visit(summary: str, visit: str) -> str:
    """Return when an endpoint is judged, in words: what happens is counted up to a visit, courses run to it, values are those at it."""
    if summary in ("time to event", "recurrent events", "hierarchy"):
        return f"by {visit}"
    return f"to {visit}" if summary in ("slope", "chronic slope", "total") else f"at {visit}"


def printed_unit(code: str) -> str:
    """Return the printed unit of a quantity or characteristic."""
    if code in visit_observables():
        return unit(visit_observables()[code].unit)
    return unit(CHARACTERISTICS[code].unit) if code in CHARACTERISTICS else ""


def is_log(code: str) -> bool:
    """Whether changes of a quantity are ratios."""
    return code in visit_observables() and visit_observables()[code].link == "log"


def displayed_change(code: str, change: float) -> float:
    """Return a change as it is shown: percent for ratios, else in the unit."""
    # Beyond a millionfold there is nothing to show.
    return 100 * math.expm1(min(change, 14.0)) if is_log(code) else change


def change_unit(code: str) -> str:
    """Return the unit of a shown change."""
    if is_log(code):
        return "%"
    return "percentage points" if code == "HBA1C" else printed_unit(code)


def written_number(value: float, digits: int | None = None, sign: bool = False) -> str:
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


def true_minus(text: str) -> str:
    """Return a text with true minus signs before its numbers; names such as ``COVID-19`` keep their hyphen."""
    return re.sub(r"(?<![\w.)#-])-(?=\d)", MINUS, text)


def thousands(n: int) -> str:
    """Return a whole number with narrow spaces."""
    return f"{n:,}".replace(",", NARROW)


def digits_of(code: str) -> int:
    """Return the decimals with which changes of a quantity are given."""
    return visit_observables()[code].digits if code in visit_observables() else 1


def change(code: str, value: float) -> str:
    """Return a change with its unit: ``−14 %``."""
    if not math.isfinite(value):
        return "\u2013"
    digits = 1 if is_log(code) and abs(displayed_change(code, value)) < 3 else digits_of(code)
    text = written_number(displayed_change(code, value), digits, sign=True)
    return f"{text}\u00a0{change_unit(code)}"


def percent_text(share: float, digits: int = 0) -> str:
    """Return a share as per cent; never 0 or 100 % for what is neither."""
    if not math.isfinite(share):
        return "\u2013"
    text = f"{100 * share:.{digits}f}"
    if float(text) == 0 and share > 0:
        return f"under {10.0**-digits:g}\u00a0%"
    if float(text) == 100 and share < 1:
        return f"over {100 - 10.0**-digits:g}\u00a0%"
    return f"{text}\u00a0%"


def ratio_text(value: float) -> str:
    """Return a likelihood ratio with two digits."""
    if not math.isfinite(value):
        return "\u2013"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 0.95 else f"{value:.2f}"


def strength(text: str) -> str:
    """Return the strength of evidence as the end of a sentence: ``weak evidence for it``."""
    return f"{text} it" if text.endswith((" for", " against")) else text


def p_value(p: float) -> str:
    """Return a p value as journals print it."""
    if not math.isfinite(p):
        return "\u2013"
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
