"""Claims as judged with a user's own tables and questions, and what these moved."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.errors import BetapodError, ConfigError, Problem, not_among
from ..completion import complete_table
from ..shared import gather, print_note
from ..waiting import waiting
from .claims_predicted import StudyFiles, predicted_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...claims.claim_parameters import FitChoice
    from ...claims.claims import Claim
    from ...claims.judged_claim import JudgedClaim
    from ...evidence.records.registry import Registry


OverlayOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--overlay",
        metavar="CSV",
        help="Your own table of evidence, which extends or overrides the registry; may be repeated.",
        autocompletion=complete_table,
    ),
]
QuestionsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--questions",
        metavar="YAML",
        help="Your own questions to the evidence, and claims of your own; may be repeated.",
    ),
]


FitOption = Annotated[
    str | None,
    typer.Option(
        "--fit",
        metavar="NAME",
        help="Installed fit behind what is simulated, or none for the hand-tuned values without draws; default: the newest.",
    ),
]
FitDrawsOption = Annotated[
    int | None,
    typer.Option(
        "--fit-draws",
        metavar="N",
        help="Draws of the fit behind each interval; what was not kept is simulated, which takes minutes.",
    ),
]


@dataclass(frozen=True)
class AskedFit:
    """The fit that is asked for, and how many of its draws; what is asked for is simulated where it was not kept."""

    name: str | None = None
    draws: int | None = None

    @property
    def options(self) -> dict[str, object]:
        """What was given, by option; 0 draws are a wish as well."""
        return {"--fit": self.name, "--fit-draws": None if self.draws is None else str(self.draws)}

    @property
    def drawing(self) -> bool:
        """Whether draws are simulated where they were not kept."""
        return self.name is not None or self.draws is not None

    def choice(self, problems: list[Problem], no_model: bool = False) -> FitChoice:
        """Return which fit speaks; what is wrong with it is added to `problems`."""
        from ...claims.claim_parameters import FitChoice, choose_fit

        if self.drawing and no_model:
            message = "a fit says what is simulated, and --no-model simulates nothing"
            problems.append(Problem("bad-option", message, hint="Leave one of them out."))
        try:
            return choose_fit(self.name, self.draws)
        except BetapodError as error:
            gather(problems, error)
        return FitChoice()


def judged_entries(
    names: list[str] | tuple[str, ...],
    overlay: list[Path] | None,
    no_model: bool,
    status: list[str] | None,
    questions: list[Path] | None = None,
    studies: StudyFiles | None = None,
    asked_fit: AskedFit | None = None,
) -> tuple[list[JudgedClaim], Laid]:
    """Return judged claims, and what tables change; all that is wrong with names, verdicts, tables and questions is said at once."""
    from ...claims import ledger
    from ...claims.claim_simulation import told_of_fit
    from ...claims.claim_verdict import VERDICTS
    from ...claims.claims import all_outcomes, find_claims, load_claims
    from ...claims.own_questions import check_questions, with_questions

    problems = [
        not_among(VERDICTS, "unknown-status", f"there is no verdict {name!r}", name)
        for name in status or ()
        if name not in VERDICTS
    ]
    claims, records = load_claims(), None
    try:
        claims = with_questions(questions or ())
    except BetapodError as error:
        gather(problems, error)
    try:
        find_claims(names, claims)
    except BetapodError as error:
        gather(problems, error)
    try:
        records = ledger.evidence_for_claims(overlay or ())
        check_questions(claims, records)
    except BetapodError as error:
        gather(problems, error)
    tables = (studies or StudyFiles()).read(overlay or (), no_model, problems)
    asked_fit = asked_fit or AskedFit()
    fit = asked_fit.choice(problems, no_model)
    if problems or records is None:
        raise ConfigError(problems)
    selected = list(dict.fromkeys(names))
    if not no_model:
        outcomes = all_outcomes(find_claims(selected, claims))
        for line in told_of_fit(outcomes, fit, asked_fit.drawing):
            print_note(line)
    with waiting("judging claims"):
        entries = ledger.judge_ledger(
            selected, records=records, run=not no_model, claims=claims, fit=fit, drawing=asked_fit.drawing
        )
    laid = what_tables_moved(selected, entries, records, overlay or (), not no_model, claims, fit)
    predicted, told = predicted_rows(records, laid.asked, tables, fit)
    laid = replace(laid, predicted=predicted, fit=fit)
    for line in (*laid.told, *_said_of_unasked(laid.unasked), *laid.moved, *told):
        print_note(line)
    return [entry for entry in entries if not status or entry.verdict.verdict in status], laid


@dataclass(frozen=True)
class Laid:
    """What the user's own tables replace and add, which answers and verdicts they moved, which rows no claim asks, with the reason,
    and what the model predicts of the others; and which fit is behind all that is simulated.
    """

    told: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, str]] = field(default_factory=list)
    unasked: dict[str, str] = field(default_factory=dict)
    predicted: list[dict[str, Any]] = field(default_factory=list)
    fit: FitChoice | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {
            "overlaid": self.told,
            "moved": self.changes,
            "verdicts_changed": self.verdicts,
            "unasked": self.unasked,
            "predicted": self.predicted,
            "fit": None if self.fit is None else {"name": self.fit.fit, "draws": self.fit.draws},
        }

    @property
    def asked(self) -> dict[str, list[str]]:
        """The user's own rows, each with the claims that ask it."""
        claims: dict[str, list[str]] = {}
        for change in self.changes:
            for name in change["records"]:
                if change["claim"] not in claims.setdefault(name, []):
                    claims[name].append(change["claim"])
        return claims

    @staticmethod
    def has_moved(change: dict[str, Any]) -> bool:
        """Return whether an answer, its number or its certainty is another than without the tables."""
        return any(
            change[name]["before"] != change[name]["after"] for name in ("answer", "estimate", "ci", "certainty")
        )

    def moved_claims(self) -> set[str]:
        """Return the ids of claims of which anything moved."""
        return {change["claim"] for change in (*filter(self.has_moved, self.changes), *self.verdicts)}


def what_tables_moved(
    names: list[str],
    entries: list[JudgedClaim],
    records: Registry,
    overlays: Sequence[Path],
    with_model: bool,
    claims: Sequence[Claim],
    fit: FitChoice,
) -> Laid:
    """Judge the same claims without the tables, and say what they moved."""
    if not overlays:
        return Laid()
    from ...claims import ledger, overlay_changes
    from ...evidence.records.overlay import told

    with waiting("judging claims without your tables"):
        before = ledger.judge_ledger(
            names, records=ledger.evidence_for_claims(), run=with_model, claims=claims, fit=fit
        )
    changes = overlay_changes.moved_answers(before, entries, records, overlay_changes.own_rows(records, overlays))
    return Laid(
        told(records, overlays),
        overlay_changes.words(changes, before, entries),
        [change.as_dict() for change in changes],
        overlay_changes.verdicts(before, entries),
        _unasked(records, overlays, claims),
    )


def _unasked(records: Registry, overlays: Sequence[Path], claims: Sequence[Claim]) -> dict[str, str]:
    """Return which rows of the user's own tables no claim asks, and what keeps each from it."""
    if not overlays:
        return {}
    from ...claims.new_studies import questions_of, why_unasked
    from ...claims.questions import records_of

    files = {str(path) for path in overlays}
    own_records = [record for record in records if record.location.file in files]
    asked = {
        record.id
        for claim in claims
        for question in questions_of(claim, records)
        for record in records_of(question, records)
    }
    lost = [record for record in own_records if record.id not in asked]
    return why_unasked(lost, claims, records) if lost else {}


def _said_of_unasked(unasked: dict[str, str]) -> list[str]:
    """Say which rows no claim asks, those for one reason together."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in unasked.items():
        by_reason.setdefault(reason, []).append(name)
    lines = []
    for reason, names in by_reason.items():
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        lines.append(f"no claim asks {', '.join(names[:6])}{more}: {reason}; --questions asks anything")
    return lines


def moved_rows(entries: Sequence[JudgedClaim], laid: Laid) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of what the user's own tables moved: answers, and last verdicts."""
    from ...claims.numbers_in_words import three_digits

    def shown(change: dict[str, Any], when: str) -> str:
        estimate, ci = change["estimate"][when], change["ci"][when]
        interval = f" ({three_digits(ci[0])} to {three_digits(ci[1])})" if ci else ""
        parts = ["" if estimate is None else three_digits(estimate) + interval, change["certainty"][when]]
        return "; ".join([change["answer"][when], *(part for part in parts if part)])

    verdicts = {verdict["claim"]: verdict for verdict in laid.verdicts}
    rows = []
    for entry in entries:
        for change in laid.changes:
            if change["claim"] == entry.claim.id and Laid.has_moved(change):
                records = ", ".join(change["records"])
                rows.append([entry.claim.id, change["text"], records, shown(change, "before"), shown(change, "after")])
        if verdict := verdicts.get(entry.claim.id):
            rows.append([entry.claim.id, "verdict", "", verdict["before"], verdict["after"]])
    return ["id", "question", "your records", "before", "now"], rows
