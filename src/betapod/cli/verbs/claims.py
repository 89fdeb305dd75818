"""The verb claims: what is claimed, what the published numbers and the model say, and the verdict that follows by rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ...base import overwriting
from ...base.errors import ConfigError, Problem, not_among
from ..completion import complete_claim, complete_verdict
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv, matching
from ..running import command
from ..shared import JsonOption, print_json, print_note, print_table, with_noun
from ..writing import ForceOption
from . import claims_work
from .claims_judged import (
    AskedFit,
    FitDrawsOption,
    FitOption,
    OverlayOption,
    QuestionsOption,
    judged_entries,
    moved_rows,
)
from .claims_predicted import StudyFiles
from .claims_shown import show_claim
from .confront_records import ArmsOption, CohortsOption, EventsOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...claims.judged_claim import JudgedClaim


class ClaimVerbs(TyperGroup):
    """The verbs of claims; other words are what somebody searches for."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the verb that is meant; of no verb say how claims are searched and shown."""
        word = args[0]
        if self.get_command(ctx, word) is None and not word.startswith("-"):
            raise ConfigError(_no_verb(word, self.list_commands(ctx)))
        return super().resolve_command(ctx, args)


def _no_verb(word: str, verbs: Sequence[str]) -> Problem:
    from ...claims.claims import load_claims

    problem = not_among(verbs, "unknown-verb", f"'betapod claims' has no verb {word!r}", word)
    if word.lower() in {claim.id.lower() for claim in load_claims()}:
        return replace(problem, hint=f"To show this claim: {command('claims', 'show', word)}")
    if "Did you mean" in problem.hint:
        return problem
    return replace(problem, hint=f"To search the claims: {command('claims', '--search', word)}")


claims_app = typer.Typer(
    help="Claims for cell therapy, each with a computed verdict.", no_args_is_help=False, cls=ClaimVerbs
)
StatusOption = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        metavar="VERDICT",
        help="Only claims with this verdict: supported, 'partly supported', untested, 'not supported', contradicted.",
        autocompletion=complete_verdict,
    ),
]
ClaimSearch = Annotated[
    str | None,
    typer.Option(
        "--search",
        metavar="WORDS",
        help="Only claims that have all of these words, in any order and case, in claim, mechanism, verdict, reasons or studies.",
    ),
]
NoModelOption = Annotated[bool, typer.Option("--no-model", help="Judge by evidence alone, without simulation.")]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    claims_work.add_verbs(claims_app)
    app.add_typer(claims_app, name="claims")


@claims_app.callback(invoke_without_command=True)
def list_claims_command(
    context: typer.Context,
    search: ClaimSearch = None,
    status: StatusOption = None,
    overlay: OverlayOption = None,
    questions: QuestionsOption = None,
    arms: ArmsOption = None,
    cohorts: CohortsOption = None,
    events: EventsOption = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Only what the tables of --overlay moved: answers, certainty and verdicts.")
    ] = False,
    no_model: NoModelOption = False,
    fit: FitOption = None,
    fit_draws: FitDrawsOption = None,
    csv: CsvOption = None,
    wide: WideOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """List every claim with its verdict.

    Into a pipe or a file the list goes as CSV.
    """
    studies, asked_fit = StudyFiles(arms, cohorts, events), AskedFit(fit, fit_draws)
    if context.invoked_subcommand is not None:
        options = {
            "--search": search,
            "--status": status,
            "--overlay": overlay,
            "--questions": questions,
            **studies.options,
            "--diff": diff,
            "--no-model": no_model,
            **asked_fit.options,
        }
        _refuse_before(context, {**options, "--csv": csv, "--wide": wide, "--force": force, "--json": as_json})
        return
    from ...base.files import unfit
    from ...claims.wording import claim_as_dict, leverage_words

    if force:
        overwriting.force()
    problems = unfit(csv) if csv is not None else []
    if diff and not overlay:
        message = "--diff says what tables of your own moved, and none is given"
        problems.append(Problem("bad-option", message, hint="Give one with --overlay."))
    if problems:
        raise ConfigError(problems)
    entries, laid = judged_entries((), overlay, no_model, status, questions, studies, asked_fit)
    entries = [entry for entry in entries if matching(search, *_texts(entry))]
    if diff:
        moved = laid.moved_claims()
        entries = [entry for entry in entries if entry.claim.id in moved]
        done = given_as_csv(Csv.of(*moved_rows(entries, laid)), csv, as_json, wide)
    else:
        done = given_as_csv(_listing(entries), csv, as_json, wide)
    if as_json:
        print_json({"claims": [claim_as_dict(entry) for entry in entries], **laid.as_dict()})
        return
    if done:
        return
    if diff:
        columns, rows = moved_rows(entries, laid)
        print_table(columns, rows, varying=("before", "now"), wide=wide)
        return
    before = {change["claim"]: f" (was {change['before']})" for change in laid.verdicts}
    print_table(
        ["id", "claim", "verdict", "certainty", "leverage"],
        (
            [
                entry.claim.id,
                entry.claim.claim,
                entry.verdict.verdict + before.get(entry.claim.id, ""),
                entry.verdict.certainty,
                leverage_words(entry.simulated),
            ]
            for entry in entries
        ),
        spare=("leverage", "certainty"),
        wide=wide,
    )
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.verdict.verdict] = counts.get(entry.verdict.verdict, 0) + 1
    by_verdict = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    print_note(with_noun(len(entries), "claim") + (f": {by_verdict}" if entries else ""))
    if any(entry.claim.about == "cells" for entry in entries):
        from ...trust.trust_answer import trust_sentence
        from ...trust.trust_lines import question_of_cells

        print_note(trust_sentence(question_of_cells()))


def _texts(entry: JudgedClaim) -> list[str]:
    """Return the words by which a claim is searched for."""
    from ...claims.wording import verdict_sentences

    claim, verdict = entry.claim, entry.verdict
    claim_texts = [claim.id, claim.claim, claim.about, claim.group, claim.mechanism, claim.parameters, claim.source]
    reasons = [
        verdict.verdict,
        verdict.rule,
        verdict.because,
        verdict_sentences(entry),
        claim.change,
        claim.missing,
        claim.note,
    ]
    answers = [text for reply in entry.replies for text in (reply.question.text, *reply.records, *reply.studies)]
    return [*claim_texts, *reasons, *answers]


def _listing(entries: Sequence[JudgedClaim]) -> Csv:
    """Return claims and verdicts as CSV."""
    from ...claims.wording import leverage_words, verdict_sentences

    head = ("id", "about", "claim", "verdict", "certainty", "plain", "because", "leverage", "source")
    return Csv.of(
        head,
        (
            [
                entry.claim.id,
                entry.claim.about,
                entry.claim.claim,
                entry.verdict.verdict,
                entry.verdict.certainty,
                verdict_sentences(entry),
                entry.verdict.because,
                leverage_words(entry.simulated),
                entry.claim.source,
            ]
            for entry in entries
        ),
    )


def _refuse_before(context: typer.Context, options: dict[str, object]) -> None:
    """Refuse options that stand before a verb, which would have no effect on it."""
    verb = context.invoked_subcommand
    problems = [
        Problem(
            "bad-option",
            f"{name} stands before {verb!r}, where it has no effect",
            hint=f"Put it after {verb!r}, if at all.",
        )
        for name, value in options.items()
        if value
    ]
    if problems:
        raise ConfigError(problems)


@claims_app.command("show")
def show_claims_command(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="ID...", help="Claim ids, e.g. A01; 'betapod claims' lists them.", autocompletion=complete_claim
        ),
    ],
    status: StatusOption = None,
    overlay: OverlayOption = None,
    questions: QuestionsOption = None,
    arms: ArmsOption = None,
    cohorts: CohortsOption = None,
    events: EventsOption = None,
    no_model: NoModelOption = False,
    fit: FitOption = None,
    fit_draws: FitDrawsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show claims in full: evidence, simulation, deciding rule."""
    from ...claims.ledger import evidence_for_claims
    from ...claims.new_studies import scope_of
    from ...claims.wording import claim_as_dict

    studies, asked_fit = StudyFiles(arms, cohorts, events), AskedFit(fit, fit_draws)
    entries, laid = judged_entries(names, overlay, no_model, status, questions, studies, asked_fit)
    if as_json:
        registry = evidence_for_claims()
        entries_as_dict = [
            {**claim_as_dict(entry), "asks_of_new_studies": scope_of(entry.claim, registry)} for entry in entries
        ]
        print_json({"claims": entries_as_dict, **laid.as_dict()})
        return
    for entry in entries:
        show_claim(entry)
    if not entries:
        print_note(f"none of these claims is {', '.join(status or ())}")
