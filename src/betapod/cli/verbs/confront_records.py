"""Which records the verb confront compares: options of the registry, and tables of a user's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from ...base.errors import BetapodError, ConfigError, Problem
from ..completion import complete_claim, complete_table
from ..shared import gather, names_option
from .evidence_selection import OverlayOption, terms_option

if TYPE_CHECKING:
    from ...claims.claims import Claim
    from ...evidence.records.registry import Registry
    from ...evidence.records.study import Record
    from ...validation.predictions.study_tables import StudyTables

ArmsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--arms",
        metavar="FILE",
        help="Your own table of arms (CSV or YAML): who takes part in a study and what each arm gets; may be repeated.",
        autocompletion=complete_table,
    ),
]
CohortsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--cohorts",
        metavar="FILE",
        help="Your own cohorts that arms name: baseline tables (YAML) or people (CSV); may be repeated.",
    ),
]
EventsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--events",
        metavar="FILE",
        help="Your own table of events (CSV or YAML): which event an endpoint counts; may be repeated.",
        autocompletion=complete_table,
    ),
]


@dataclass(frozen=True)
class ChosenRecords:
    """Which records are confronted: all of them, or those that fit every option."""

    heading: ClassVar[str] = "Which records"

    study: Annotated[list[str] | None, terms_option("study", "this study")] = None
    family: Annotated[list[str] | None, terms_option("family", "this family of studies with shared patients")] = None
    endpoint: Annotated[list[str] | None, terms_option("endpoint", "this endpoint, e.g. UACR")] = None
    claim: Annotated[
        list[str] | None,
        typer.Option(
            "--claim",
            metavar="ID",
            help="Only records that bear on this claim, e.g. B20; 'betapod claims' lists them.",
            autocompletion=complete_claim,
        ),
    ] = None
    overlay: OverlayOption = None
    arms: ArmsOption = None
    cohorts: CohortsOption = None
    events: EventsOption = None

    @property
    def names(self) -> dict[str, list[str] | None]:
        """Names that were chosen by column of the registry; None where all are wanted."""
        options = {"study": self.study, "family": self.family, "endpoint": self.endpoint}
        return {name: names_option(texts) if texts is not None else None for name, texts in options.items()}

    @property
    def claims(self) -> list[str] | None:
        """Ids of the claims."""
        return names_option(self.claim) if self.claim is not None else None


def chosen_records(selection: ChosenRecords, problems: list[Problem]) -> tuple[list[Record], StudyTables, list[str]]:
    """Return the rows that options choose, tables of a user's own that say how they are simulated, and what all tables change.

    Raises
    ------
    ConfigError
        What is wrong with these options and the tables, and `problems` of the other ones.
    """
    from ...claims.claims import find_claims
    from ...evidence.records.overlay import told
    from ...evidence.records.registry import Registry, load_registry
    from ...validation.predictions.own_study_tables import read_study_tables, told_of_tables, unmapped
    from ...validation.predictions.study_tables import NO_TABLES

    registry, asked, tables = Registry(()), None, NO_TABLES
    records: list[Record] = []
    overlays = selection.overlay or ()
    try:
        if selection.claims is not None:
            asked = find_claims(selection.claims)
    except BetapodError as error:
        gather(problems, error)
    try:
        registry = load_registry(overlays)
        records = registry.select(**selection.names, tag=None)  # type: ignore[arg-type]
    except BetapodError as error:
        gather(problems, error)
    try:
        tables = read_study_tables(selection.arms or (), selection.cohorts or (), selection.events or ())
    except BetapodError as error:
        gather(problems, error)
    if problems:
        raise ConfigError(problems)
    if asked is not None:
        bearing = _bearing_on(asked, registry)
        records = [record for record in records if record.id in bearing]
    laid = [*told(registry, overlays), *told_of_tables(tables, registry), *unmapped(records, overlays, tables)]
    return records, tables, laid


def choice_in_words(selection: dict[str, list[str] | None]) -> list[str]:
    """Say of a page that it has not all rows."""
    parts = [f"{name} {', '.join(names)}" for name, names in selection.items() if names is not None]
    return [f"Not all published numbers: only those of {'; '.join(parts)}."] if parts else []


def _bearing_on(claims: list[Claim], registry: Registry) -> set[str]:
    """Return the ids of the rows that claims are judged by."""
    from ...claims.new_studies import questions_of
    from ...claims.questions import records_of

    return {
        row.id
        for claim in claims
        for question in questions_of(claim, registry)
        for row in records_of(question, registry)
    }
