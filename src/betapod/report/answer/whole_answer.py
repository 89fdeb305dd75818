"""One answer to "Is it effective?": benefit, harm, certainty, alternatives, what is not known and what trial would tell, joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.display import Displayed
from ...claims.source_pages import SourcePage, load_source_pages
from ...claims.typical_effects import COURSES, GRAFTED, INFUSED
from .answer_sections import missing_knowledge, who_rows
from .answer_texts import READERS, Findings, answer_texts, headline
from .harm_numbers import EnteredHarms, deaths_after_graft, enter_harms, reported_cases
from .ledger_counts import LedgerCounts, count_ledger
from .lifetime_numbers import LifetimeRow, enter_lifetime
from .needed_trial import TrialSize, trial_sizes
from .published_effects import PublishedEffect, published_effects
from .simulated_effects import SimulatedEffect, simulate_effects
from .traced_numbers import NumberBook, TracedNumber

if TYPE_CHECKING:
    import pandas as pd

    from ...claims.judged_claim import JudgedClaim
    from ...evidence.records.study import Record


@dataclass(frozen=True, repr=False)
class Answer(Displayed):
    """The answer, with every number traced to where it comes from.

    Attributes
    ----------
    headline
        The answer for infused cells and for islets, a sentence each.
    texts
        Paragraphs for a patient, a clinician and a reviewer, by `READERS`; a name in braces stands for a number of `numbers`.
    asked_for
        Person and course that were asked for beside those that are always shown; empty without any.
    lifetime
        Lives of the people of dn61 by strategy and set of events.

    Examples
    --------
    >>> from betapod.report.answer.traced_numbers import NumberBook
    >>> NumberBook().plain("nothing to fill in")
    'nothing to fill in'
    """

    book: NumberBook
    headline: tuple[str, str]
    texts: dict[str, tuple[str, ...]]
    published: tuple[PublishedEffect, ...]
    simulated: tuple[SimulatedEffect, ...]
    harms: tuple[EnteredHarms, ...]
    cases: tuple[Record, ...]
    sizes: tuple[TrialSize, ...]
    counts: LedgerCounts
    entries: tuple[JudgedClaim, ...]
    pages: tuple[SourcePage, ...]
    asked_for: tuple[str, str] | tuple[()] = ()
    lifetime: tuple[LifetimeRow, ...] = ()

    @property
    def numbers(self) -> tuple[TracedNumber, ...]:
        """Every number with its origin."""
        return tuple(self.book.numbers.values())

    @property
    def units(self) -> dict[str, str]:
        """None: each number has its unit in `text`."""
        return {}

    @property
    def table(self) -> pd.DataFrame:
        """One row per number: its name, as printed, value, meaning, origin, command, records and certainty."""
        import pandas as pd

        rows = [vars(number) | {"records": " ".join(number.records)} for number in self.numbers]
        return pd.DataFrame(rows)

    def text(self, reader: str) -> str:
        """Return the text for a reader as plain paragraphs, numbers filled in.

        Parameters
        ----------
        reader
            ``patient``, ``clinician`` or ``reviewer``.

        Returns
        -------
        str
            Paragraphs, with an empty line between them.

        Raises
        ------
        ConfigError
            There is no text for this reader.

        Examples
        --------
        >>> import betapod
        >>> whole = betapod.answer()
        >>> len(whole.text("patient").split()) <= 300
        True
        """
        check_reader(reader, all_readers=False)
        return "\n\n".join(self.book.plain(paragraph) for paragraph in self.texts[reader])

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON.

        Returns
        -------
        dict
            ``texts`` by reader, ``numbers``, ``verdicts`` with the count of each, ``statements`` of the pages that were read and
            their claims, and ``reported_cases``, ids of records of harm in single people.

        Examples
        --------
        >>> import betapod
        >>> whole = betapod.answer()
        >>> sorted(whole.as_dict())
        ['numbers', 'reported_cases', 'statements', 'texts', 'verdicts']
        """
        return {
            "texts": {reader: self.text(reader) for reader in self.texts},
            "numbers": self.book.as_rows(),
            "verdicts": dict(self.counts.verdicts),
            "statements": [
                {
                    "page": page.title,
                    "says": statement.says,
                    "why": statement.why,
                    "gap": statement.gap,
                    "claims": [{"id": name, "verdict": self.verdicts[name]} for name in statement.claims],
                }
                for page in self.pages
                for statement in page.statements
            ],
            "reported_cases": [record.id for record in self.cases],
        }

    @property
    def verdicts(self) -> dict[str, str]:
        """Verdict of every claim by its id."""
        return {entry.claim.id: entry.verdict.verdict for entry in self.entries}

    def who_and_when(self) -> list[dict[str, str]]:
        """Return what is known by stage of kidney disease, type of diabetes and product.

        Returns
        -------
        list of dict
            A row each, with texts under ``question``, ``published`` and ``model``; their numbers have units.

        Examples
        --------
        >>> import betapod
        >>> whole = betapod.answer()
        >>> whole.who_and_when()[0]["question"]
        'Early kidney disease'
        """
        return [{name: self.book.plain(text) for name, text in row.items()} for row in who_rows(self)]

    def not_known(self) -> list[str]:
        """Return what nobody knows: outcomes that no trial measured, open questions, and claims that nobody tested.

        Returns
        -------
        list of str
            One text for each.

        Examples
        --------
        >>> import betapod
        >>> whole = betapod.answer()
        >>> any("kidney failure" in each for each in whole.not_known())
        True
        """
        return missing_knowledge(self)

    def write(self, to: str | Path, reader: str = "") -> Path:
        """Write the answer as one HTML page that needs nothing else, and return its path.

        Parameters
        ----------
        to
            The file.
        reader
            Whose text stands open, ``patient``, ``clinician`` or ``reviewer``; all by default.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ConfigError
            There is no such reader, or the folder does not exist or cannot be written to.

        Examples
        --------
        >>> import betapod, pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> betapod.answer().write(folder / "answer.html", "patient").name
        'answer.html'
        """
        from ...base.files import write_text
        from .answer_page import render_answer_page

        check_reader(reader)
        return write_text(to, render_answer_page(self, reader))


def join_answer(person: str = "", cells: str = "", entries: Sequence[JudgedClaim] | None = None) -> Answer:
    """Compute the answer.

    Parameters
    ----------
    person, cells
        Who is treated, and with which order; the person who is usual for the order, and the order usual for the person, where one
        is not said. What is shown of typical people and of trials stays.
    entries
        The ledger as judged, where it is there already.

    Raises
    ------
    ConfigError
        No such person, or an order that is not understood: everything at once.
    """
    from ...claims.ledger import evidence_for_claims, judge_ledger

    asked_for = check_request(person, cells)
    registry = evidence_for_claims()
    judged = tuple(judge_ledger(records=registry) if entries is None else entries)
    book = NumberBook()
    published = published_effects(registry, book)
    courses = [*COURSES, *([asked_for] if asked_for else [])]
    simulated = simulate_effects(courses, book)
    orders = dict.fromkeys(
        [
            (INFUSED, True),
            (GRAFTED, False),
            *([(asked_for[1], asked_for[0] in ("t2d_ckd", "t2d_micro"))] if asked_for else []),
        ]
    )
    harms = tuple(enter_harms(course, kidneys, book) for course, kidneys in orders)
    deaths_after_graft(registry, book)
    cases = tuple(reported_cases(registry))
    sizes = trial_sizes(registry, published, simulated, book)
    counts = count_ledger(judged, registry, cases, book)
    findings = Findings(published, harms, counts, sizes)
    texts = answer_texts(findings, simulated, asked_for)
    return Answer(
        book,
        headline(findings),
        texts,
        published,
        simulated,
        harms,
        cases,
        sizes,
        counts,
        judged,
        load_source_pages(),
        asked_for,
        enter_lifetime(book),
    )


def check_request(person: str, cells: str) -> tuple[str, str] | tuple[()]:
    """Return the person and order that are asked for; nothing where neither is.

    Raises
    ------
    ConfigError
        No such person, or an order that is not understood: everything at once.
    """
    from ...base.errors import BetapodError, ConfigError, Problem
    from ...claims.claim_people import ledger_patient
    from ...therapies.cell_order import read_order

    if not person and not cells:
        return ()
    problems: list[Problem] = []
    grafted = False
    try:
        grafted = read_order(cells or INFUSED, "cells").product.kind != "infused"
    except BetapodError as error:
        problems += error.problems
    name = person or ("t1d" if grafted else "t2d_ckd")
    try:
        ledger_patient(name)
    except BetapodError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems)
    return (name, cells or INFUSED)


def check_reader(reader: str, all_readers: bool = True) -> None:
    """Refuse a reader that is none of `READERS`.

    Parameters
    ----------
    reader
        A name.
    all_readers
        Whether an empty name is accepted, which stands for all of them.

    Raises
    ------
    ConfigError
        It is none.
    """
    from ...base.errors import ConfigError, not_among

    if reader not in READERS and (reader or not all_readers):
        raise ConfigError(not_among(READERS, "unknown-reader", f"there is no text for {reader!r}", reader))
