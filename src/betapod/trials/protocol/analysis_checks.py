"""Checks of analyses: settings that a method does not have, visits that it needs, strategies that it cannot follow, margins, multiplicity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...base.config import Document, Where, read_quantity
from ...base.errors import BetapodError, Problem
from ...base.nouns import with_noun
from ...observables.quantities import CHARACTERISTICS, code_of, label_of, observable_unit, visit_observables
from .analysis_keys import ACUTE_DAYS, CONTROLLED, COURSES, IMPUTED, RATIOS, SETTINGS, SLOPES, measure_of, method_of
from .value_checks import day_of, list_of, mapping_of, short, unknown

#: Visits after enrolment that a mixed model of lines needs, and one that looks for its knot.
_LINE, _FREE = 3, 5


def check_analysis(
    document: Document, entry: dict[str, Any], where: Where, summary: str, code: str | None
) -> Iterator[Problem]:
    """Yield the problems of how an endpoint is analysed, but for a method that is for something else.

    Parameters
    ----------
    code
        PARAMCD of its quantity; None where it is not known or not measured.
    """
    method = method_of(entry.get("analysis")) or CONTROLLED[summary][0]
    settings = mapping_of(entry, "analysis")
    yield from _settings(document, settings, (*where, "analysis"), summary, method)
    yield from _covariates(document, settings, (*where, "analysis", "covariates"))
    yield from _strategies(document, entry, where, summary, method)
    yield from _visits(document, entry, where, summary, method)
    yield from _margin(document, entry, where, summary, method, code)
    if summary == "hierarchy":
        yield from _hierarchy(document, entry, where, code)
    if summary in ("hierarchy", "crossover", "recurrent events"):
        yield from _controlled(document, where, summary)
    yield from _periods(document, entry, where, summary)


def _settings(
    document: Document, settings: dict[str, Any], where: Where, summary: str, method: str
) -> Iterator[Problem]:
    able = SETTINGS.get(method, ())
    if summary in ("chronic slope", "acute change") and method not in COURSES:
        # Slopes of each patient have a day from which they are chronic, too; it cannot be looked for.
        able = (*able, "knot")
        if settings.get("knot") == "free":
            yield document.problem("wrong-knot", f"{method} cannot look for its knot", (*where, "knot"), found="free", expected="a day, or method: mixed slopes")  # fmt: skip
    every = {name for names in SETTINGS.values() for name in names}
    for key in settings:
        if key in every and key not in able:
            yield document.problem(
                "useless-key", f"{method} has no {key}", (*where, key), True, expected=", ".join(able) or "no settings"
            )
    if settings.get("stratified") is True and not mapping_of(document.data, "strata"):
        yield document.problem("useless-key", "stratified has no effect: there are no strata", (*where, "stratified"), True, expected="strata")  # fmt: skip


def _covariates(document: Document, settings: dict[str, Any], where: Where) -> Iterator[Problem]:
    measured = {code_of(name) for name in mapping_of(document.data, "measurements")}
    for i, name in enumerate(list_of(settings, "covariates")):
        code = code_of(name)
        if code in CHARACTERISTICS or code in measured:
            continue
        if code in visit_observables():
            yield document.problem(
                "not-measured",
                f"{name} is a covariate but not measured",
                (*where, i),
                expected=", ".join(sorted(measured)),
                hint="Add it to measurements.",
            )
        else:
            yield unknown(document, "quantity", name, [*sorted(measured), *CHARACTERISTICS], (*where, i))


def _strategies(
    document: Document, entry: dict[str, Any], where: Where, summary: str, method: str
) -> Iterator[Problem]:
    """Refuse strategies that an analysis of all visits, or a hierarchy, cannot follow."""
    rules = mapping_of(entry, "intercurrent")
    models = method in ("MMRM", *IMPUTED, *COURSES)
    for event, strategy in rules.items():
        if strategy == "composite" and models:
            reason = f"{method} compares courses of values, and a failure is none"
        elif strategy == "composite" and summary == "hierarchy":
            reason = "a hierarchy has deaths and kidney failure at their own ranks"
        elif strategy == "while on treatment" and (models or summary == "hierarchy"):
            reason = (
                f"{method} has no last value on treatment" if models else "a hierarchy has no last value on treatment"
            )
        else:
            continue
        expected = "treatment policy, hypothetical, principal stratum" if event == "rescue" else "missing"
        yield document.problem(
            "wrong-strategy", reason, (*where, "intercurrent", event), found=str(strategy), expected=expected
        )


def _visits(document: Document, entry: dict[str, Any], where: Where, summary: str, method: str) -> Iterator[Problem]:
    """Find models that have too few visits to be told apart."""
    visits = [visit for visit in list_of(document.data, "visits") if isinstance(visit, dict)]
    days = [day for visit in visits if (day := day_of(visit.get("day"))) is not None]
    if summary not in SLOPES or len(days) < len(visits) or not days:
        return
    until = next((day_of(visit.get("day")) for visit in visits if visit.get("name") == entry.get("at")), None)
    after = [day for day in days if 0 < day <= (max(days) if until is None else until)]
    raw = mapping_of(entry, "analysis").get("knot")
    free, stated = raw == "free", None if raw in (None, "free") else day_of(raw)
    knot = ACUTE_DAYS if stated is None else stated
    here = (*where, "analysis")
    if method in COURSES:
        needed = _FREE if free else _LINE
        if len(after) < needed:
            yield _too_few(document, here, f"{method}{' with a free knot' if free else ''}", len(after), needed)
            return
        if free or (summary == "slope" and raw is None):
            return
    if summary == "slope" and method not in COURSES:
        return
    early, late = [day for day in after if day <= knot], [day for day in after if day >= knot]
    if method in COURSES and len(early) < 2:
        yield document.problem(
            "too-few-visits",
            f"two lines that meet on day {knot:g} need two visits up to it: the first line would rest on one",
            here,
            found=", ".join(f"day {day:g}" for day in after),
            expected="a later knot, or more visits before it",
        )
    if len(late) < (1 if summary == "acute change" else 2):
        yield document.problem(
            "too-few-visits",
            f"a {summary} needs {'a visit' if summary == 'acute change' else 'two visits'} from day {knot:g} on",
            here,
            found=", ".join(f"day {day:g}" for day in after),
            expected="an earlier knot, or later visits",
        )


def _too_few(document: Document, where: Where, subject: str, visits: int, needed: int) -> Problem:
    return document.problem(
        "too-few-visits",
        f"{subject} needs {needed} visits after enrolment up to that of the endpoint",
        where,
        found=f"{visits}",
        expected="ANCOVA, or more visits",
    )


def _margin(
    document: Document, entry: dict[str, Any], where: Where, summary: str, method: str, code: str | None
) -> Iterator[Problem]:
    objective, margin = entry.get("objective", "superiority"), entry.get("margin")
    if objective == "superiority":
        if margin is not None:
            yield document.problem(
                "useless-key",
                "superiority has no margin",
                (*where, "margin"),
                True,
                expected="objective: non-inferiority or equivalence",
            )
        return
    if objective not in ("non-inferiority", "equivalence"):
        return
    if margin is None:
        yield document.problem("missing-key", f"{objective} needs a margin", where, True, expected="margin")
        return
    try:
        size = margin_size(margin, summary, method, code)
    except BetapodError as error:
        yield from (document.moved(problem, (*where, "margin")) for problem in error.problems)
        return
    if not size > 0:
        yield document.problem(
            "out-of-range",
            "a margin is a size above 0, or a ratio other than 1",
            (*where, "margin"),
            found=short(margin),
        )


def margin_size(margin: Any, summary: str, method: str, code: str | None) -> float:
    """Return the size of a margin on the scale of the estimate, above 0: of a logarithm for ratios, else of the difference.

    Parameters
    ----------
    margin
        As in a protocol: ``3 mL/min/1.73m2``, ``10 %`` of patients, ``30 day``, or a ratio such as 1.3.
    code
        PARAMCD of the quantity; None for an outcome.

    Raises
    ------
    ConfigError, UnitError
        It cannot be read.
    """
    import math

    measure = measure_of(method)
    log = summary == "ratio" or (
        code is not None and summary != "hierarchy" and visit_observables()[code].link == "log"
    )
    if measure in RATIOS or (measure == "difference" and log):
        ratio = read_quantity(margin, "1", bare=True)
        return abs(math.log(ratio)) if ratio > 0 else math.nan
    if measure in ("risk difference", "net benefit"):
        return read_quantity(margin, "1", bare=True)
    if measure == "time free of the event":
        return read_quantity(margin, "day")
    if code is None:
        return read_quantity(margin, "year")
    unit = observable_unit(code) + ("/year" if summary in ("slope", "chronic slope") else "")
    return read_quantity(margin, unit, "" if unit.endswith("/year") else label_of(code), unit == "1", "difference")


def _hierarchy(document: Document, entry: dict[str, Any], where: Where, code: str | None) -> Iterator[Problem]:
    if code is not None and code != "EGFR":
        yield document.problem(
            "wrong-summary",
            f"the kidney hierarchical endpoint is of eGFR, not of {entry['quantity']}",
            (*where, "quantity"),
            found=str(entry["quantity"]),
            expected="eGFR",
        )


def _controlled(document: Document, where: Where, summary: str) -> Iterator[Problem]:
    for name, design in mapping_of(document.data, "designs").items():
        if len(mapping_of(design, "arms")) == 1:
            yield document.problem(
                "no-control",
                f"{'a rate' if summary == 'recurrent events' else f'a {summary}'} compares patients of two arms, and design {name!r} has one",
                (*where, "summary"),
                found=summary,
                expected="designs with two arms or more",
            )


def _periods(document: Document, entry: dict[str, Any], where: Where, summary: str) -> Iterator[Problem]:
    """Check the visits at the ends of the two periods of a crossover."""
    first = entry.get("first")
    if summary != "crossover":
        if first:
            yield document.problem(
                "useless-key",
                f"a {summary} has no first period",
                (*where, "first"),
                True,
                expected="summary: crossover",
            )
        return
    if not first:
        yield document.problem(
            "missing-key", "a crossover needs the visit at the end of its first period", where, True, expected="first"
        )
        return
    days = {
        str(visit.get("name")): day_of(visit.get("day"))
        for visit in list_of(document.data, "visits")
        if isinstance(visit, dict)
    }
    if first not in days:
        yield unknown(document, "visit", first, days, (*where, "first"))
        return
    begin, end = (
        days[str(first)],
        days.get(str(entry.get("at")))
        if entry.get("at")
        else max((d for d in days.values() if d is not None), default=None),
    )
    if begin is not None and end is not None and not 0 < begin < end:
        yield document.problem(
            "wrong-visit",
            "the first period ends after enrolment and before the second",
            (*where, "first"),
            found=str(first),
            expected="a visit after enrolment, before that of the endpoint",
        )


def check_multiplicity(document: Document) -> Iterator[Problem]:
    """Yield the problems of the multiple test of a protocol: graphs that do not fit its tests, settings without effect."""
    endpoints = mapping_of(document.data, "endpoints")
    rules, where = mapping_of(endpoints, "multiplicity"), ("endpoints", "multiplicity")
    named = endpoints.get("multiplicity") is not None
    if not named:
        return
    asked = 1 + (len(list_of(endpoints, "secondary")) if rules.get("secondary") else 0)
    tests = {
        str(name): asked * (len(mapping_of(design, "arms")) - 1)
        for name, design in mapping_of(document.data, "designs").items()
    }
    several = {name: count for name, count in tests.items() if count > 0}
    if several and max(several.values()) < 2:
        yield document.problem(
            "useless-key",
            "there is one test in each design",
            where,
            True,
            expected="three arms, or secondary: true with secondary endpoints",
        )
    if rules.get("procedure") != "graphical":
        for key in ("weights", "passed_on"):
            if rules.get(key):
                yield document.problem("useless-key", f"{rules.get('procedure', 'this procedure')} has no {key}", (*where, key), True, expected="procedure: graphical")  # fmt: skip
        return
    yield from _graph(document, rules, where, several)


def _graph(document: Document, rules: dict[str, Any], where: Where, tests: dict[str, int]) -> Iterator[Problem]:
    weights, shares = list_of(rules, "weights"), list_of(rules, "passed_on")
    for name, count in tests.items():
        if (
            len(weights) != count
            or len(shares) != count
            or any(not isinstance(row, list) or len(row) != count for row in shares)
        ):
            yield document.problem(
                "wrong-graph",
                f"the graph does not fit the {count} tests of design {name!r}",
                where,
                True,
                found=f"{with_noun(len(weights), 'weight')}, {with_noun(len(shares), 'row')}",
                expected=f"{count} weights, and {count} rows of {count} numbers",
            )
            return
    numbers = [weights, *(row for row in shares if isinstance(row, list))]
    for row in numbers:
        if all(isinstance(x, int | float) for x in row) and sum(row) > 1 + 1e-12:
            yield document.problem("wrong-graph", "weights, and what a test passes on, are together at most 1", where, True, found=f"{sum(row):g}")  # fmt: skip
    for k, row in enumerate(shares):
        if isinstance(row, list) and k < len(row) and row[k]:
            yield document.problem(
                "wrong-graph", "a test passes nothing on to itself", (*where, "passed_on", k), found=str(row[k])
            )
