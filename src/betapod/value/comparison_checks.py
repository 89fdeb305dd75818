"""Read the run file of a comparison and check it across its keys: every error at once, with line and column."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..base.config import Document, Where, check_document, parse_yaml, read_quantity, read_yaml
from ..base.errors import BetapodError, ConfigError, Problem, did_you_mean, not_among
from ..base.nouns import with_noun
from ..health.utilities import DEFAULT_SET, utility_parameters, utility_set, utility_sets
from ..trials.protocol.value_checks import list_of, mapping_of, texts, unknown
from .country_pack import CountryPack, all_health_events, all_health_states, read_country
from .value_people import people_problems
from .value_settings import ValueSettings


def value_runs() -> dict[str, Path]:
    """Return the comparisons that come with the package: name -> run file."""
    return {path.stem: path for path in sorted((Path(__file__).parent / "library").glob("*.yaml"))}


def read_value_run(path: str | Path) -> tuple[ValueSettings, Document]:
    """Read the run file of a comparison: a path, or the name of one of `value_runs`.

    Raises
    ------
    ConfigError
        Everything that is wrong with it and with the country packs that it names, in the order of the files.
    """
    if str(path) in value_runs() and not Path(path).exists():
        return _checked(read_yaml(value_runs()[str(path)]))
    if not Path(path).exists() and not Path(path).suffix:
        message, names = f"there is no comparison {str(path)!r}, and no file of that name", tuple(value_runs())
        raise ConfigError(not_among(names, "unknown-comparison", message, str(path)))
    return _checked(read_yaml(path))


def read_value_text(text: str, file: str = "<text>") -> tuple[ValueSettings, Document]:
    """Read a comparison from YAML text; see `read_value_run`."""
    return _checked(parse_yaml(text, file))


def country_packs(settings: ValueSettings, folder: Path) -> dict[str, CountryPack | None]:
    """Return scenario -> its country pack, ``""`` for the comparison itself; None where there is none.

    Raises
    ------
    ConfigError
        What is wrong with a pack.
    """
    files = {"": settings.country} | {name: item.country for name, item in settings.scenarios.items() if item.country}
    return {name: None if file is None else read_country(folder / file) for name, file in files.items()}


def _checked(document: Document) -> tuple[ValueSettings, Document]:
    return check_document(ValueSettings, document, _across), document


def _across(document: Document) -> Iterator[Problem]:
    data = document.data
    yield from texts(document)
    yield from people_problems(document)
    yield from _strategies(document)
    yield from _repeated(document)
    yield from _utilities(document, mapping_of(data, "utilities"), ("utilities",))
    yield from _country(document, data.get("country"), ("country",))
    for name, item in mapping_of(data, "scenarios").items():
        yield from _utilities(document, mapping_of(item, "utilities"), ("scenarios", name, "utilities"))
        yield from _country(
            document, item.get("country") if isinstance(item, dict) else None, ("scenarios", name, "country")
        )
        yield from _shorter(document, name, item)
    yield from _budget(document)


def _strategies(document: Document) -> Iterator[Problem]:
    strategies = mapping_of(document.data, "strategies")
    comparator = document.data.get("comparator")
    if strategies and isinstance(comparator, str) and comparator not in strategies:
        yield unknown(document, "strategy", comparator, strategies, ("comparator",))
    for name, item in strategies.items():
        if not isinstance(item, dict):
            continue
        where: Where = ("strategies", name)
        if item.get("scenario") not in (None, "none") and not item.get("cells"):
            message = f"{name}: a scenario says what cells do, and there are none"
            yield document.problem("useless-key", message, (*where, "scenario"), True, expected="cells")
        yield from _inputs(document, name, mapping_of(item, "inputs"), (*where, "inputs"))


def _repeated(document: Document) -> Iterator[Problem]:
    """Find sets of events and amounts that are listed twice."""
    for key in ("events", "willingness to pay"):
        entries = list_of(document.data, key)
        for number, entry in enumerate(entries):
            if isinstance(entry, str | int | float) and entry in entries[:number]:
                yield document.problem("duplicate-name", f"{key}: {entry!r} is given twice", (key, number))


def _inputs(document: Document, strategy: str, inputs: dict[str, Any], where: Where) -> Iterator[Problem]:
    if not inputs:
        return
    from ..physiology import whole_body

    rows = whole_body.named_model("reference").inputs
    for name, value_text in inputs.items():
        if name not in rows:
            yield unknown(document, "input", name, rows, (*where, name), True)
            continue
        row = rows[name]
        try:
            value = read_quantity(value_text, row.unit, row.label, row.unit == "1", subject=f"{strategy} {name}")
        except BetapodError as error:
            yield from (document.moved(problem, (*where, name)) for problem in error.problems)
            continue
        if not row.low <= value <= row.high:
            span = f"{row.low:g} to {row.high:g}{'' if row.unit == '1' else f' {row.unit}'}"
            yield document.problem(
                "out-of-range", f"{name} is implausible", (*where, name), found=str(value_text), expected=span
            )


def _utilities(document: Document, utilities: dict[str, Any], where: Where) -> Iterator[Problem]:
    name = utilities.get("set")
    if isinstance(name, str) and name not in utility_sets():
        message, names_of_sets = f"there is no set of utilities {name!r}", tuple(utility_sets())
        hint = did_you_mean(name, names_of_sets)
        expected = ", ".join(names_of_sets)
        yield document.problem("unknown-utilities", message, (*where, "set"), expected=expected, hint=hint)
    names = (*all_health_states(), *all_health_events())
    for state, entry in mapping_of(utilities, "losses").items():
        here = (*where, "losses", state)
        if state not in names:
            yield unknown(document, "state", state, names, here, True)
        numbers = [entry.get(key) for key in ("low", "loss", "high")] if isinstance(entry, dict) else []
        interval = [float(x) for x in numbers if isinstance(x, int | float) and not isinstance(x, bool)]
        if len(interval) == 3 and sorted(interval) != interval:
            low, loss, high = interval
            text = f"{loss:g}, {low:g} to {high:g}"
            message = f"{state}: the loss is outside its interval"
            yield document.problem("bad-range", message, here, True, found=text, expected="low <= loss <= high")
        if isinstance(entry, dict) and (entry.get("low") is None) != (entry.get("high") is None):
            message = f"{state}: an interval has two ends"
            yield document.problem("missing-key", message, here, True, expected="low and high")
        yield from _above_1(document, utilities, state, interval, here)


def _above_1(
    document: Document, utilities: dict[str, Any], state: str, losses: list[float], where: Where
) -> Iterator[Problem]:
    """Find a loss below 0 that lifts a person without complications above full health."""
    base, name = utilities.get("base"), utilities.get("set", DEFAULT_SET)
    if base is None and isinstance(name, str) and name in utility_sets():
        base = utility_parameters()[utility_set(name).base].value
    if isinstance(base, int | float) and 0 < base <= 1 and losses and base - min(losses) > 1:
        message = f"{state}: this would be a utility above 1"
        text = f"{base:g} without complications, a loss of {min(losses):g}"
        yield document.problem("out-of-range", message, where, True, found=text, expected=f"at least {base - 1:.4g}")


def _country(document: Document, file: Any, where: Where) -> Iterator[Problem]:
    """Find a pack that is not there, and everything wrong in one that is."""
    if not isinstance(file, str):
        return
    folder = Path(document.file).parent
    if not (folder / file).is_file():
        beside = sorted(path.name for path in folder.glob("*.y*ml"))
        message = f"there is no country pack {file!r}"
        yield document.problem(
            "no-country", message, where, expected="a YAML file beside this one", hint=did_you_mean(file, beside)
        )
        return
    try:
        read_country(folder / file)
    except ConfigError as error:
        yield from error.problems


def _shorter(document: Document, name: str, item: Any) -> Iterator[Problem]:
    """Find scenarios that look further than the comparison does."""
    years, horizon = item.get("horizon") if isinstance(item, dict) else None, document.data.get("horizon", "life")
    numbers = [x for x in (years, horizon) if isinstance(x, int | float) and not isinstance(x, bool)]
    if len(numbers) == 2 and numbers[0] > numbers[1]:
        yield document.problem(
            "long-horizon",
            f"{name}: nobody was followed so long",
            ("scenarios", name, "horizon"),
            found=f"{numbers[0]:g} years",
            expected=f"at most {numbers[1]:g}",
        )


def _budget(document: Document) -> Iterator[Problem]:
    budget = mapping_of(document.data, "budget")
    shares = [x for x in list_of(budget, "uptake") if isinstance(x, int | float) and not isinstance(x, bool)]
    if any(later < sooner for sooner, later in itertools.pairwise(shares)):
        yield document.problem(
            "bad-uptake",
            "uptake is the share who have begun: it does not fall",
            ("budget", "uptake"),
            found=str(shares),
        )
    years, horizon = budget.get("years", len(shares)), document.data.get("horizon", "life")
    if isinstance(years, int) and shares and years != len(shares):
        yield document.problem(
            "wrong-length",
            "there is one share of uptake for each year",
            ("budget", "uptake"),
            found=f"{with_noun(len(shares), 'share')}, {with_noun(years, 'year')}",
        )
    if isinstance(horizon, int | float) and not isinstance(horizon, bool) and len(shares) > horizon:
        yield document.problem(
            "short-horizon",
            "the budget looks further than the comparison",
            ("budget", "uptake"),
            found=with_noun(len(shares), "year"),
            expected=f"at most {horizon:g}",
        )
    if budget and document.data.get("country") is None:
        problem = document.problem("missing-key", "a budget needs costs", ("budget",), True, expected="country")
        yield replace(problem, hint="Name a country pack, or take the budget out.")
