"""What the model predicts of the rows of a user's own studies that claims ask, where tables say how these are simulated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import BetapodError, Problem
from ...therapies.scenarios import CURRENT_EVIDENCE, NONE
from ..shared import gather, with_noun
from ..waiting import waiting

if TYPE_CHECKING:
    from ...claims.claim_parameters import FitChoice
    from ...evidence.records.registry import Registry
    from ...validation.predictions.study_tables import StudyTables

#: Scenarios that are compared: what cells do by the evidence, and nothing.
_SCENARIOS = (NONE, CURRENT_EVIDENCE)


@dataclass(frozen=True)
class StudyFiles:
    """Files of arms, cohorts and events."""

    arms: Sequence[Path] | None = None
    cohorts: Sequence[Path] | None = None
    events: Sequence[Path] | None = None

    @property
    def options(self) -> dict[str, Sequence[Path] | None]:
        """Files by option."""
        return {"--arms": self.arms, "--cohorts": self.cohorts, "--events": self.events}

    def read(self, overlays: Sequence[Path], no_model: bool, problems: list[Problem]) -> StudyTables:
        """Return the tables; what is wrong with them, or with giving them here, is added to `problems`."""
        from ...validation.predictions.own_study_tables import read_study_tables
        from ...validation.predictions.study_tables import NO_TABLES

        named = [option for option, paths in self.options.items() if paths]
        if not named:
            return NO_TABLES
        if not overlays:
            message = f"{named[0]} says how studies of your own are simulated, and none is given"
            problems.append(Problem("bad-option", message, hint="Give their rows with --overlay."))
        if no_model:
            message = f"{named[0]} says how studies are simulated, and --no-model simulates nothing"
            problems.append(Problem("bad-option", message, hint="Leave one of them out."))
        try:
            return read_study_tables(self.arms or (), self.cohorts or (), self.events or ())
        except BetapodError as error:
            gather(problems, error)
        return NO_TABLES

    def check(self, overlays: Sequence[Path]) -> list[str]:
        """Return what must be said of the tables beside rows of evidence.

        Raises
        ------
        BetapodError
            What is wrong with them.
        """
        from ...evidence.records.registry import load_registry
        from ...validation.predictions.own_study_tables import read_study_tables, told_of_tables, unmapped

        tables = read_study_tables(self.arms or (), self.cohorts or (), self.events or ())
        if tables.empty:
            return []
        try:
            records = load_registry(overlays)
        except BetapodError:
            # What is wrong with the tables of evidence is said of each.
            return []
        counts = {
            "arm": len(tables.arms),
            "cohort": len(tables.cohorts),
            "event": sum(map(len, tables.events.values())),
        }
        read = ", ".join(with_noun(number, noun) for noun, number in counts.items() if number)
        return [f"read: {read}", *told_of_tables(tables, records), *unmapped(records, overlays, tables)]


def predicted_rows(
    records: Registry, asked: dict[str, list[str]], tables: StudyTables, fit: FitChoice
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return predictions of rows that claims ask, and what is said of them.

    Parameters
    ----------
    asked
        Id of a row -> the claims that ask it.
    fit
        Whose draws widen the intervals.
    """
    from ...trials.conduct.replicate_parameters import NO_FIT
    from ...validation.predictions.campaign import confront_records
    from ...validation.predictions.fit_conditions import draws_of_fit
    from ...validation.predictions.own_study_tables import told_of_tables

    if tables.empty or not asked:
        return [], []
    rows = [record for record in records if record.id in asked]
    with waiting("simulating your studies"):
        of_fit = draws_of_fit(fit.fit or None, fit.draws)
        confrontation = confront_records(rows, _SCENARIOS, tables=tables, fit=of_fit, before_fit=fit.fit == NO_FIT)
    predictions = [
        {"scenario": name, "claims": asked[prediction.record], **asdict(prediction)}
        for name, of_scenario in confrontation.predictions.items()
        for prediction in of_scenario
    ]
    told = [*told_of_tables(tables, records), *_said(predictions)]
    told += [f"{record.id} is not simulated: {why}" for record, why in confrontation.refused]
    return predictions, told


def _said(predictions: Sequence[dict[str, Any]]) -> Iterator[str]:
    from ...claims.numbers_in_words import three_digits

    for name in dict.fromkeys(row["record"] for row in predictions):
        rows = [row for row in predictions if row["record"] == name]
        unit = "" if rows[0]["unit"] == "1" else f" {rows[0]['unit']}"
        parts = ", ".join(
            f"{three_digits(row['predicted'])} ({three_digits(row['low'])} to {three_digits(row['high'])}) under {row['scenario']}"
            for row in rows
        )
        claims = ", ".join(rows[0]["claims"])
        yield f"{name}, asked by {claims}: observed {three_digits(rows[0]['observed'])}{unit}, predicted {parts}"
