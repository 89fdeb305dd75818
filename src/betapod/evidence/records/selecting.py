"""Which records fit conditions, and which names of a condition no record has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...base.errors import Location, Problem, not_among
from .study import Record

#: What a condition may ask for: a word or a number, any of several, or a span of numbers ``{from: 40, to: 60}``.
Wanted = str | float | Sequence[str] | Sequence[float] | Mapping[str, float]
#: Conditions that take numbers, and may take a span.
NUMBERS = ("weeks",)
#: What stands for a time that the source does not say.
NOT_READ = "not read"
#: What `report` may be: a study of its own, or a summary of studies of others.
REPORTS = ("study", "summary")


def _class_of_endpoint(record: Record) -> tuple[str, ...]:
    return (record.endpoint,)


#: What records are selected by, and the words of a record that count. What stands first leaves fewest to look through.
CONDITIONS: dict[str, Callable[[Record], tuple[Any, ...]]] = {
    "study": lambda record: (record.study,),
    "family": lambda record: (record.family,),
    "endpoint": lambda record: (record.endpoint, record.endpoint_text),
    "population": lambda record: (record.population,),
    "species": lambda record: (record.species,),
    "contrast": lambda record: (record.contrast,),
    "kind": lambda record: (record.kind,),
    "report": lambda record: (REPORTS[record.summarises],),
    "design": lambda record: (record.design,),
    "weeks": lambda record: (NOT_READ if record.weeks is None else record.weeks,),
    "route": lambda record: (record.route,),
    "unit": lambda record: (record.unit,),
    "arm": lambda record: (record.arm,),
    "population_text": lambda record: (record.population_text,),
    "product_text": lambda record: (record.product_text,),
    # Last: control arms of what is left come along.
    "product": lambda record: (record.product,),
}


def bad_conditions(conditions: object, whose: str, where: Location) -> list[Problem]:
    """Return everything that is wrong with written conditions: what they are asked by, and spans that are none; names no record has are not looked for.

    Parameters
    ----------
    whose
        Begins the message, such as ``B24, question 'eGFR'``.
    """
    if not isinstance(conditions, Mapping):
        expected = "such as {endpoint: HbA1c, product: UC-MSC}"
        return [Problem("bad-conditions", f"{whose}: these are no conditions", where, str(conditions), expected)]
    problems = []
    for name, wanted in conditions.items():
        if name not in CONDITIONS:
            message = f"{whose}: records are not selected by {name!r}"
            problems.append(replace(not_among(CONDITIONS, "unknown-key", message, str(name)), location=where))
        elif name in NUMBERS and not _numbers(wanted):
            expected = f"a number, {{from: 40, to: 60}} or '{NOT_READ}'"
            problems.append(Problem("no-number", f"{whose}: {name} is no time", where, str(wanted), expected))
        elif name not in NUMBERS and not _words(wanted):
            problems.append(
                Problem("bad-conditions", f"{whose}: {name} is no word", where, str(wanted), "a word or several")
            )
    return problems


def _numbers(wanted: object) -> bool:
    if isinstance(wanted, Mapping):
        return set(wanted) == {"from", "to"} and all(map(_number, wanted.values()))
    several = wanted if isinstance(wanted, list | tuple) else [wanted]
    return bool(several) and all(_number(item) or item == NOT_READ for item in several)


def _number(item: object) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool)


def _words(wanted: object) -> bool:
    several = wanted if isinstance(wanted, list | tuple) else [wanted]
    return bool(several) and all(isinstance(item, str) for item in several)


def fitting(
    records: Iterable[Record],
    conditions: Mapping[str, Wanted | None],
    tag: str | None = "seen",
    controls: bool = False,
) -> tuple[list[Record], dict[str, tuple[list[str], list[str]]]]:
    """Return the records that fit every condition, and by condition the names that no record has.

    Parameters
    ----------
    conditions
        By name of `CONDITIONS`; a sequence means any of its members, None anything; of numbers also a span, see `Wanted`.
    tag, controls
        As of `Registry.select`.

    Returns
    -------
    tuple
        Records in their order; condition -> unknown names and all names that some record has, both sorted. Guessing which name
        was meant costs far more than finding that none is it, and is left to those who say so.
    """
    candidates = list(records)
    selected = [record for record in candidates if tag is None or record.tag == tag]
    unknown = {}
    for name, read in CONDITIONS.items():
        wanted = conditions.get(name)
        if wanted is None:
            continue
        if isinstance(wanted, Mapping):
            selected = [record for record in selected if record.weeks is not None and _within(record.weeks, wanted)]
            continue
        names = {wanted} if isinstance(wanted, str | int | float) else set(wanted)
        if name == "endpoint" and names <= {record.endpoint for record in candidates}:
            read = _class_of_endpoint  # a class that is also the text of another class means the class
        fits = [record for record in selected if not names.isdisjoint(read(record))]
        if names - {value for record in fits for value in read(record)}:
            values = {value for record in candidates for value in read(record)}
            if names - values:
                unknown[name] = sorted(map(str, names - values)), sorted(map(str, values))
        if name == "product" and controls:
            studies = {record.study for record in fits}
            selected = [r for r in selected if r.product in names or (r.product == "control" and r.study in studies)]
            continue
        selected = fits
    return selected, unknown


def _within(value: float, span: Mapping[str, float]) -> bool:
    return span["from"] <= value <= span["to"]
