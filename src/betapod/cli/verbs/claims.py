"""The verb claims: what is claimed, what the published numbers and the model say, and the verdict that follows by rule."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from ...base import overwriting
from ...base.errors import BetapodError, ConfigError, Problem, not_among
from ..completion import complete_claim, complete_table, complete_verdict
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv, matching
from ..running import command
from ..shared import JsonOption, gather, print_fields, print_json, print_note, print_table, print_text, with_noun
from ..waiting import waiting
from ..writing import ForceOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...claims.judged_claim import JudgedClaim
    from ...evidence.records.registry import Registry


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
OverlayOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--overlay",
        metavar="CSV",
        help="Your own table of evidence, which extends or overrides the registry; may be repeated.",
        autocompletion=complete_table,
    ),
]
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
    app.add_typer(claims_app, name="claims")


@claims_app.callback(invoke_without_command=True)
def list_claims_command(
    context: typer.Context,
    search: ClaimSearch = None,
    status: StatusOption = None,
    overlay: OverlayOption = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="Only what the tables of --overlay moved: answers, certainty and verdicts.")
    ] = False,
    no_model: NoModelOption = False,
    csv: CsvOption = None,
    wide: WideOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """List every claim with its verdict.

    Into a pipe or a file the list goes as CSV.
    """
    if context.invoked_subcommand is not None:
        options = {"--search": search, "--status": status, "--overlay": overlay, "--diff": diff, "--no-model": no_model}
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
    entries, laid = _entries((), overlay, no_model, status)
    entries = [entry for entry in entries if matching(search, *_texts(entry))]
    if diff:
        moved = laid.moved_claims()
        entries = [entry for entry in entries if entry.claim.id in moved]
        done = given_as_csv(Csv.of(*_moved(entries, laid)), csv, as_json, wide)
    else:
        done = given_as_csv(_listing(entries), csv, as_json, wide)
    if as_json:
        print_json({"claims": [claim_as_dict(entry) for entry in entries], **laid.as_dict()})
        return
    if done:
        return
    if diff:
        columns, rows = _moved(entries, laid)
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


def _moved(entries: Sequence[JudgedClaim], laid: Laid) -> tuple[list[str], list[list[str]]]:
    """Return head and rows of what the user's own tables moved: answers, and last verdicts."""
    from ...claims.wording import three_digits

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
    no_model: NoModelOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show claims in full: evidence, simulation, deciding rule."""
    from ...claims.wording import claim_as_dict

    entries, laid = _entries(names, overlay, no_model, status)
    if as_json:
        print_json({"claims": [claim_as_dict(entry) for entry in entries], **laid.as_dict()})
        return
    for entry in entries:
        _show(entry)


@claims_app.command("page")
def page_command(
    to: Annotated[Path, typer.Argument(metavar="FILE", help="HTML page to write.")],
    overlay: OverlayOption = None,
) -> None:
    """Write all claims as one self-contained HTML page."""
    from ...base.files import unfit
    from ...evidence.records.overlay import laid_over
    from ...report.claims.claims_page import write_claims_page

    if problems := unfit(to, (".html", ".htm")):
        raise ConfigError(problems)
    entries, laid = _entries((), overlay, False, None)
    write_claims_page(entries, to, laid_over([*laid.told, *laid.moved]))
    print_note(f"wrote {to}")


@claims_app.command("contest")
def contest_command(csv: CsvOption = None, as_json: JsonOption = False) -> None:
    """Compare predictions of the claimed parameters with data.

    Into a pipe or a file the comparison goes as CSV.

    Four predictions of the parameter set that the claims require are put beside measurements.
    """
    from dataclasses import asdict

    from ...claims.seed_comparison import contests
    from ...claims.wording import three_digits

    with waiting("simulating the contests"):
        contested = contests()
    head = ("prediction", "as_claimed", "current_evidence", "measured_low", "measured_high", "unit", "records")
    csv_rows = [[x.name, x.claimed, x.allowed, x.low, x.high, x.unit, x.source] for x in contested]
    done = given_as_csv(Csv.of(head, csv_rows), csv, as_json)
    if as_json:
        print_json(
            {"contests": [{**asdict(contest), "loses": contest.loses, "holds": contest.holds} for contest in contested]}
        )
        return
    if done:
        return
    print_table(
        ["prediction", "as claimed", "current evidence", "measured", "unit", "records"],
        (
            [
                contest.name,
                three_digits(contest.claimed) + (" (outside)" if contest.loses else ""),
                three_digits(contest.allowed) + ("" if contest.holds else " (outside)"),
                f"{three_digits(contest.low)} to {three_digits(contest.high)}",
                "" if contest.unit == "1" else contest.unit,
                contest.source,
            ]
            for contest in contested
        ),
    )


@claims_app.command("simulate")
def simulate_claims_command(
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write the results to this file.")
    ] = None,
) -> None:
    """Simulate every claim again and keep the results in the cache."""
    from ...claims import claim_simulation, claims
    from ...claims.seed_comparison import OUTCOMES

    outcomes = {**{claim.id: claim.outcome for claim in claims.load_claims() if claim.outcome}, **OUTCOMES}
    with waiting(f"simulating {len(outcomes)} outcomes"):
        claim_simulation.store(outcomes, to)
    print_note(f"{len(outcomes)} outcomes simulated and kept" + (f"; wrote {to}" if to is not None else ""))


def _entries(
    names: list[str] | tuple[str, ...], overlay: list[Path] | None, no_model: bool, status: list[str] | None
) -> tuple[list[JudgedClaim], Laid]:
    """Return judged claims, and what tables change; all that is wrong with names, verdicts and tables is said at once."""
    from ...claims import ledger
    from ...claims.claim_verdict import VERDICTS
    from ...claims.claims import find_claims

    problems = [
        not_among(VERDICTS, "unknown-status", f"there is no verdict {name!r}", name)
        for name in status or ()
        if name not in VERDICTS
    ]
    try:
        find_claims(names)
    except BetapodError as error:
        gather(problems, error)
    try:
        records = ledger.evidence_for_claims(overlay or ())
    except BetapodError as error:
        gather(problems, error)
    if problems:
        raise ConfigError(problems)
    selected = list(dict.fromkeys(names))
    with waiting("judging claims"):
        entries = ledger.judge_ledger(selected, records=records, run=not no_model)
    laid = _laid(selected, entries, records, overlay or (), not no_model)
    for line in (*laid.told, *_unasked(records, overlay or ()), *laid.moved):
        print_note(line)
    return [entry for entry in entries if not status or entry.verdict.verdict in status], laid


@dataclass(frozen=True)
class Laid:
    """What the user's own tables replace and add, and which answers and verdicts they moved."""

    told: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {"overlaid": self.told, "moved": self.changes, "verdicts_changed": self.verdicts}

    @staticmethod
    def has_moved(change: dict[str, Any]) -> bool:
        """Return whether an answer, its number or its certainty is another than without the tables."""
        return any(
            change[name]["before"] != change[name]["after"] for name in ("answer", "estimate", "ci", "certainty")
        )

    def moved_claims(self) -> set[str]:
        """Return the ids of claims of which anything moved."""
        return {change["claim"] for change in (*filter(self.has_moved, self.changes), *self.verdicts)}


def _laid(
    names: list[str], entries: list[JudgedClaim], records: Registry, overlays: Sequence[Path], with_model: bool
) -> Laid:
    """Judge the same claims without the tables, and say what they moved."""
    if not overlays:
        return Laid()
    from ...claims import ledger, overlay_changes
    from ...evidence.records.overlay import told

    with waiting("judging claims without your tables"):
        before = ledger.judge_ledger(names, run=with_model)
    changes = overlay_changes.moved_answers(before, entries, records, overlay_changes.own_rows(records, overlays))
    return Laid(
        told(records, overlays),
        overlay_changes.words(changes, before, entries),
        [change.as_dict() for change in changes],
        overlay_changes.verdicts(before, entries),
    )


def _unasked(records: Registry, overlays: Sequence[Path]) -> list[str]:
    """Say which rows of the user's own tables no claim asks."""
    if not overlays:
        return []
    from ...claims.claims import load_claims
    from ...claims.questions import records_of

    files = {str(path) for path in overlays}
    own_records = [record.id for record in records if record.location.file in files]
    asked = {
        record.id for claim in load_claims() for question in claim.questions for record in records_of(question, records)
    }
    lost = [name for name in own_records if name not in asked]
    if not lost:
        return []
    more = f" and {len(lost) - 6} more" if len(lost) > 6 else ""
    return [f"no claim asks {', '.join(lost[:6])}{more}: most questions name the study that they ask"]


def _show(entry: JudgedClaim) -> None:
    from ...claims.claim_simulation import unit_and_label
    from ...claims.wording import (
        estimate_text,
        leverage_words,
        outcome_words,
        required,
        three_digits,
        verdict_sentences,
    )

    claim, verdict = entry.claim, entry.verdict
    sure = f", certainty {verdict.certainty}" if verdict.certainty else ""
    lines = [
        ("stands in", claim.source),
        ("mechanism", f"{claim.mechanism} ({claim.parameters})"),
        ("verdict", f"{verdict.verdict}{sure}\n{verdict_sentences(entry)}"),
        ("rule", verdict.rule),
        ("because", verdict.because),
    ]
    for reply in entry.replies:
        direct = "" if reply.direct else ", indirect"
        needs = f"; needs {required(reply.question)}" if required(reply.question) else ""
        sure = f"; certainty {reply.certainty}" if reply.certainty else ""
        said = " ".join(
            part for part in (estimate_text(reply), f"[{reply.how}{needs}{sure}]", ", ".join(reply.records)) if part
        )
        lines.append((reply.answer, f"{reply.question.text}{direct}: {said}"))
    if claim.outcome is not None and entry.simulated is not None:
        simulated = entry.simulated
        unit = "" if simulated.unit == "1" else f" {simulated.unit}"
        parts = (
            ("without the mechanism", simulated.off),
            ("by current evidence", simulated.allowed),
            ("at the largest value that evidence allows", simulated.largest),
            ("as claimed", simulated.claimed),
        )
        outcome = f"{outcome_words(claim.outcome, unit_and_label(claim.outcome.quantity)[1])}{unit}"
        values = "; ".join(f"{name} {three_digits(value)}" for name, value in parts if value is not None)
        lines += [("simulated", f"{outcome}: {values}"), ("leverage", leverage_words(simulated))]
    lines += [
        ("not simulated", claim.not_simulated),
        ("no direct record", claim.missing),
        ("mind", claim.note),
        ("would change it", claim.change),
    ]
    print_text(f"{claim.id}  {claim.claim}", "bold", 2)
    print_fields(lines)
