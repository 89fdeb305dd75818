"""Whose lives are compared: people of a protocol, of a cohort, or of the library by conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.config import Document, read_quantity
from ..base.errors import BetapodError, ConfigError, Location, Problem
from ..health.course_people import CoursePeople
from ..observables.quantities import code_of, label_of, observable_unit
from ..trials.conduct.prescreening import TRUE
from ..trials.protocol.value_checks import mapping_of, unknown
from .value_settings import ValuePeople

if TYPE_CHECKING:
    from ..patients.library import Library

_WAYS = ("protocol", "cohort", "library")
#: Types of diabetes by what they are called in conditions: whether it is type 1.
_TYPES = {"type 1": True, "t1d": True, "type 2": False, "t2d": False}
_AGE = "age"
_CONDITION = re.compile(r"\s*(?P<name>[A-Za-z][\w ]*?)\s*(?P<sign><=|>=|<|>)\s*(?P<value>.+?)\s*")


def people_problems(document: Document) -> Iterator[Problem]:
    """Yield what is wrong with the people of a run file."""
    people = mapping_of(document.data, "people")
    ways = [name for name in _WAYS if people.get(name)]
    if isinstance(document.data.get("people"), dict) and len(ways) != 1:
        message = "people are named in one way"
        ways_named = ", ".join(ways) or "none"
        yield document.problem(
            "wrong-people", message, ("people",), True, found=ways_named, expected=" or ".join(_WAYS)
        )
    text = people.get("library")
    if isinstance(text, str):
        problems = [*_conditions(document, text)]
        yield from problems or _nobody(document, text)
    name = people.get("protocol")
    if isinstance(name, str):
        yield from _protocol(document, name)
    cohort = people.get("cohort")
    if isinstance(cohort, str):
        yield from _cohort(document, cohort)


def people_of(people: ValuePeople, folder: Path, seed: int) -> CoursePeople:
    """Return the people of a comparison.

    Parameters
    ----------
    folder
        Where files that are named stand.

    Raises
    ------
    ConfigError
        Nobody fits.
    """
    if people.protocol is not None:
        from ..trials.conduct.trial_people import protocol_people
        from ..trials.protocol.cohort_paths import resolved
        from ..trials.protocol.protocol_files import protocol_document, read_protocol

        document = protocol_document(_beside(people.protocol, folder))
        return protocol_people(resolved(read_protocol(document), document), people.size, None, seed)
    from ..patients.library import default

    library = default()
    if people.cohort is not None:
        from ..patients.cohorts import cohort_catalogue, reweight

        target = cohort_catalogue.load_target(_beside(people.cohort, folder))
        eligible, balanced = reweight.weigh(library, target)
        rows = np.flatnonzero(eligible)
        return CoursePeople.drawn(library.take(rows), people.size, np.asarray(balanced.weights), seed)
    fitting = np.flatnonzero(_fitting(library, people.library or ""))
    if not len(fitting):
        message = f"nobody in the library fits {people.library!r}"
        raise ConfigError(Problem("nobody-eligible", message, Location("people"), hint="Take wider conditions."))
    return CoursePeople.drawn(library.take(fitting), people.size, None, seed)


def _beside(name: str, folder: Path) -> str:
    """Return the path of a file beside the run file, or the name of what comes with the package."""
    return str(folder / name) if (folder / name).exists() else name


def _terms(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"\band\b", text) if part.strip()]


def _conditions(document: Document, text: str) -> Iterator[Problem]:
    where = ("people", "library")
    terms = _terms(text)
    if not terms:
        yield document.problem(
            "bad-condition", "there is no condition", where, expected="such as type 2 and UACR > 300 mg/g"
        )
    for term in terms:
        if term.lower() in _TYPES:
            continue
        match = _CONDITION.fullmatch(term)
        if match is None:
            expected = "type 1, type 2, or a quantity with a limit, such as UACR > 300 mg/g"
            yield document.problem("bad-condition", f"{term!r} is no condition", where, found=text, expected=expected)
            continue
        name = match["name"].strip()
        if name.lower() != _AGE and code_of(name) not in TRUE:
            yield unknown(document, "quantity", name, (*TRUE, _AGE, "eGFR", "HbA1c"), where)
            continue
        try:
            _limit(name, match["value"])
        except BetapodError as error:
            yield from (document.moved(problem, where) for problem in error.problems)


def _nobody(document: Document, text: str) -> Iterator[Problem]:
    from ..patients.library import default

    if not _fitting(default(), text).any():
        message, hint = "nobody in the library fits", "Take wider conditions."
        yield document.problem("nobody-eligible", message, ("people", "library"), found=text, hint=hint)


def _limit(name: str, text: str) -> float:
    if name.lower() == _AGE:
        return read_quantity(text, "year", bare=True)
    code = code_of(name)
    return read_quantity(text, observable_unit(code), label_of(code), bare=True)


def _fitting(library: Library, text: str) -> NDArray[np.bool_]:
    fits = np.ones(len(library), dtype=bool)
    for term in _terms(text):
        if term.lower() in _TYPES:
            type_1 = library.table["T1D"].to_numpy(dtype=np.float64) > 0.5
            ill = library.table["diabetes"].to_numpy(dtype=np.float64) > 0.5
            fits &= ill & (type_1 == _TYPES[term.lower()])
            continue
        match = _CONDITION.fullmatch(term)
        assert match is not None
        name = match["name"].strip()
        column = _AGE if name.lower() == _AGE else TRUE[code_of(name)]
        values, limit = library.table[column].to_numpy(dtype=np.float64), _limit(name, match["value"])
        compared = {"<": values < limit, "<=": values <= limit, ">": values > limit, ">=": values >= limit}
        fits &= compared[match["sign"]]
    return fits


def _protocol(document: Document, name: str) -> Iterator[Problem]:
    from ..trials.protocol.protocol_files import protocol_document, read_protocol

    try:
        read_protocol(protocol_document(_beside(name, Path(document.file).parent)))
    except ConfigError as error:
        inside = [problem for problem in error.problems if problem.kind != "unknown-protocol"]
        yield from inside
        for problem in error.problems:
            if problem.kind == "unknown-protocol":
                place_of = ("people", "protocol")
                yield document.problem(
                    problem.kind, problem.message, place_of, expected=problem.expected, hint=problem.hint
                )


def _cohort(document: Document, name: str) -> Iterator[Problem]:
    from ..patients.cohorts import cohort_catalogue

    try:
        cohort_catalogue.load_target(_beside(name, Path(document.file).parent))
    except ConfigError as error:
        for problem in error.problems:
            if problem.location.line:
                yield problem
            else:
                yield document.problem(
                    problem.kind, problem.message, ("people", "cohort"), expected=problem.expected, hint=problem.hint
                )
