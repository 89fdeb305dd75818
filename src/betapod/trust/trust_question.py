"""What is asked of the published numbers beside the model's: of which drugs, products, endpoints and people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..base.errors import ConfigError, Location, Problem, did_you_mean, not_among
from ..observables.table import observables
from ..therapies.cell_products import PRODUCTS, comparable_name, names_of
from ..therapies.drug_catalogue import catalogued_drugs, class_named, therapy_named
from ..therapies.scenarios import CURRENT_EVIDENCE, NONE
from .trust_rows import TrustRow, trust_rows
from .trust_topics import topic_of, topics
from .trust_treatments import treatment_name

#: A dose behind a name.
_DOSE = re.compile(r"\s+[\d.]+\s*[^\s\d]\S*$")
#: The word for every cell product.
ANY_CELLS = "cells"
#: Words for people, and the column of the table that they speak of with its value.
POPULATIONS = {
    "type 1": ("diabetes", "type 1"),
    "T1D": ("diabetes", "type 1"),
    "type 2": ("diabetes", "type 2"),
    "T2D": ("diabetes", "type 2"),
    "kidney disease": ("kidney", "kidney disease"),
    "CKD": ("kidney", "kidney disease"),
    "DKD": ("kidney", "kidney disease"),
    "healthy kidneys": ("kidney", "healthy kidneys"),
}


@dataclass(frozen=True)
class TrustQuestion:
    """Which published numbers are meant; what is empty asks for nothing.

    Attributes
    ----------
    treatments
        As `trust_treatments` has them: one of these at least.
    cells
        Cell products, or ``cells`` for any: one of these at least. With `treatments` too a row needs one of either.
    untreated
        Only rows without treatments and cells.
    topics, endpoints
        One of these at least.
    diabetes, kidney
        See `trust_facts.RowKind`.
    scenario
        Of what cells do.
    """

    treatments: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    untreated: bool = False
    topics: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    diabetes: str = ""
    kidney: str = ""
    scenario: str = CURRENT_EVIDENCE

    def fits(self, row: TrustRow) -> bool:
        """Return whether a row is meant."""
        return (
            self._given(row)
            and (not (self.topics or self.endpoints) or row.topic in self.topics or row.endpoint in self.endpoints)
            and self.diabetes in ("", row.diabetes)
            and self.kidney in ("", row.kidney)
            and row.scenario in ("", self.kept_scenario)
        )

    def _given(self, row: TrustRow) -> bool:
        if self.untreated:
            return not (row.treatments or row.cells)
        if not (self.treatments or self.cells):
            return True
        with_cells = bool(row.cells) if ANY_CELLS in self.cells else bool({*row.cells} & {*self.cells})
        return with_cells or bool({*row.treatments} & {*self.treatments})

    @property
    def kept_scenario(self) -> str:
        """The scenario of the table: the table has cells that do no good, and cells that do what current evidence says."""
        return NONE if self.scenario == NONE else CURRENT_EVIDENCE

    def chosen(self, rows: Iterable[TrustRow] | None = None) -> tuple[TrustRow, ...]:
        """Return the rows that are meant, of those of the package by default."""
        return tuple(row for row in (trust_rows() if rows is None else rows) if self.fits(row))

    def anywhere(self) -> TrustQuestion:
        """Return the same question of all people."""
        return replace(self, diabetes="", kidney="")


def trust_question(
    drugs: Sequence[str] = (),
    products: Sequence[str] = (),
    endpoints: Sequence[str] = (),
    populations: Sequence[str] = (),
    scenario: str = CURRENT_EVIDENCE,
) -> TrustQuestion:
    """Return the question that words ask.

    Parameters
    ----------
    drugs
        Drugs, classes, diets or ``insulin``; a dose may stand behind.
    products
        Cell products, or ``cells`` for any.
    endpoints
        Endpoints of the registry, observables, or topics such as ``albuminuria``.
    populations
        Of `POPULATIONS`.
    scenario
        ``none``, or ``current-evidence``: others are not in the table.

    Raises
    ------
    ConfigError
        Words that mean nothing, each with the nearest; all at once.

    Examples
    --------
    >>> from betapod.trust.trust_question import trust_question
    >>> trust_question(drugs=["dapagliflozin"], endpoints=["albuminuria"]).treatments
    ('SGLT2 inhibitor',)
    """
    problems: list[Problem] = []
    treatments = tuple(dict.fromkeys(_treatment(word, problems) for word in drugs))
    cells = tuple(dict.fromkeys(_product(word, problems) for word in products))
    about, named = _endpoints(endpoints, problems)
    people = _people(populations, problems)
    if scenario not in (NONE, CURRENT_EVIDENCE):
        message = f"published numbers were not compared under {scenario!r}"
        problems.append(not_among((NONE, CURRENT_EVIDENCE), "unknown-scenario", message, scenario))
    if problems:
        raise ConfigError(problems)
    return TrustQuestion(
        treatments, cells, False, about, named, people.get("diabetes", ""), people.get("kidney", ""), scenario
    )


def _treatment(word: str, problems: list[Problem]) -> str:
    """Return what a word for a treatment counts as."""
    named = {treatment.lower(): treatment for row in trust_rows() for treatment in row.treatments}
    for text in (word, _DOSE.sub("", word)):
        if text.lower().strip() in named:
            return named[text.lower().strip()]
        if drug_class := class_named(text):
            members = [drug for drug in catalogued_drugs().values() if drug.drug_class == drug_class]
            return treatment_name(members[0].therapy)
        if drug := therapy_named(text):
            return treatment_name(drug)
    names = sorted({*named.values(), *catalogued_drugs()})
    begun = [name for name in names if len(word) > 3 and comparable_name(name).startswith(comparable_name(word))]
    short = f"Did you mean {' or '.join(map(repr, begun[:3]))}?" if begun else ""
    problem = Problem("unknown-drug", f"there is no drug or class {word!r}", Location("drug"))
    problems.append(
        replace(problem, hint=short or did_you_mean(_DOSE.sub("", word), names) or "'betapod drugs' lists them.")
    )
    return word


def _product(word: str, problems: list[Problem]) -> str:
    names = names_of(PRODUCTS)
    name = comparable_name(word)
    if name == ANY_CELLS or name in names:
        return names.get(name, ANY_CELLS)
    problems.append(not_among((*PRODUCTS, ANY_CELLS), "unknown-cells", f"there is no cell product {word!r}", word))
    return word


def _endpoints(words: Iterable[str], problems: list[Problem]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the topics and the endpoints that words name."""
    of_rows = {row.endpoint.lower(): row.endpoint for row in trust_rows()}
    measured = {name.lower(): name for name in observables()}
    about, named = list[str](), list[str]()
    for word in words:
        small = word.lower().strip()
        if small in topics():
            about.append(small)
        elif small in of_rows or small in measured:
            named.append(of_rows.get(small) or measured[small])
        else:
            everything = sorted({*topics(), *of_rows.values(), *measured.values()})
            problem = Problem("unknown-topic", f"there is no endpoint {word!r}", Location("endpoint"))
            problem = replace(problem, expected=f"a topic ({', '.join(topics())}) or an endpoint of the registry")
            problems.append(replace(problem, hint=did_you_mean(word, everything)))
    return tuple(dict.fromkeys(about)), tuple(dict.fromkeys(named))


def _people(words: Iterable[str], problems: list[Problem]) -> dict[str, str]:
    pairs = {name.lower(): pair for name, pair in POPULATIONS.items()}
    wanted: dict[str, str] = {}
    for word in words:
        pair = pairs.get(word.lower().strip())
        if pair is None:
            problems.append(not_among(POPULATIONS, "unknown-people", f"there is no population {word!r}", word))
        elif wanted.setdefault(*pair) != pair[1]:
            message = f"nobody belongs to {wanted[pair[0]]!r} and to {pair[1]!r}"
            problems.append(Problem("bad-option", message, Location("population")))
    return wanted


def topics_of_endpoints(names: Iterable[str]) -> tuple[str, ...]:
    """Return what observables or endpoints are about, in the order of the topics."""
    about = {topic_of(name) for name in names}
    return tuple(topic for topic in topics() if topic in about)
