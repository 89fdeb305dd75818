"""The verb claims: what is claimed, what the published numbers and the model say, and the verdict that follows by rule."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.errors import BetapodError, ConfigError, Problem, not_among
from ..completion import complete_claim, complete_table, complete_verdict
from ..shared import JsonOption, gather, note, out, print_json, print_table, write_out
from ..waiting import waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...claims.ledger import JudgedClaim
    from ...evidence.records.registry import Registry

claims_app = typer.Typer(help="Claims for cell therapy, each with a computed verdict.", no_args_is_help=False)
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
NoModelOption = Annotated[bool, typer.Option("--no-model", help="Judge by evidence alone, without simulation.")]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.add_typer(claims_app, name="claims")


@claims_app.callback(invoke_without_command=True)
def list_command(
    context: typer.Context,
    status: StatusOption = None,
    overlay: OverlayOption = None,
    no_model: NoModelOption = False,
    as_json: JsonOption = False,
) -> None:
    """List every claim with its verdict.

    Into a pipe or a file the list goes as CSV.
    """
    if context.invoked_subcommand is not None:
        _refuse_before(context, {"--status": status, "--overlay": overlay, "--no-model": no_model, "--json": as_json})
        return
    from ...claims.wording import as_dict, leverage_words

    entries, laid = _entries((), overlay, no_model, status)
    if as_json:
        print_json({"claims": [as_dict(entry) for entry in entries], **laid.as_dict()})
        return
    if not sys.stdout.isatty():
        write_out(_listing(entries))
        return
    print_table(
        ["id", "claim", "verdict", "certainty", "leverage"],
        (
            [
                entry.claim.id,
                entry.claim.claim,
                entry.verdict.verdict,
                entry.verdict.certainty,
                leverage_words(entry.simulated),
            ]
            for entry in entries
        ),
    )
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry.verdict.verdict] = counts.get(entry.verdict.verdict, 0) + 1
    note(f"{len(entries)} claims: " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))


def _listing(entries: Sequence[JudgedClaim]) -> str:
    """Return claims and verdicts as CSV, for a pipe or a file."""
    from ...base.exports import rows_as_csv
    from ...claims.wording import leverage_words, plain

    head = ("id", "about", "claim", "verdict", "certainty", "plain", "because", "leverage", "source")
    return rows_as_csv(
        head,
        (
            [
                entry.claim.id,
                entry.claim.about,
                entry.claim.claim,
                entry.verdict.verdict,
                entry.verdict.certainty,
                plain(entry),
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
        for name, given in options.items()
        if given
    ]
    if problems:
        raise ConfigError(problems)


@claims_app.command("show")
def show_command(
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
    from ...claims.wording import as_dict

    entries, laid = _entries(names, overlay, no_model, status)
    if as_json:
        print_json({"claims": [as_dict(entry) for entry in entries], **laid.as_dict()})
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
    from ...report.claims.claims_page import write

    if problems := unfit(to, (".html", ".htm")):
        raise ConfigError(problems)
    entries, laid = _entries((), overlay, False, None)
    write(entries, to, laid_over([*laid.told, *laid.moved]))
    note(f"wrote {to}")


@claims_app.command("contest")
def contest_command(as_json: JsonOption = False) -> None:
    """Compare predictions of the claimed parameters with data.

    Four predictions of the parameter set that the claims require are put beside measurements.
    """
    from dataclasses import asdict

    from ...claims.seed_comparison import contests
    from ...claims.wording import number

    with waiting("simulating the contests"):
        found = contests()
    if as_json:
        print_json({"contests": [{**asdict(one), "loses": one.loses, "holds": one.holds} for one in found]})
        return
    print_table(
        ["prediction", "as claimed", "current evidence", "measured", "unit", "records"],
        (
            [
                one.name,
                number(one.claimed) + (" (outside)" if one.loses else ""),
                number(one.allowed) + ("" if one.holds else " (outside)"),
                f"{number(one.low)} to {number(one.high)}",
                "" if one.unit == "1" else one.unit,
                one.source,
            ]
            for one in found
        ),
    )


@claims_app.command("simulate")
def simulate_command(
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write the results to this file.")
    ] = None,
) -> None:
    """Simulate every claim again and keep the results in the cache."""
    from ...claims import claim_simulation, claims
    from ...claims.seed_comparison import OUTCOMES

    outcomes = {**{claim.id: claim.outcome for claim in claims.load() if claim.outcome}, **OUTCOMES}
    with waiting(f"simulating {len(outcomes)} outcomes"):
        claim_simulation.store(outcomes, to)
    note(f"{len(outcomes)} outcomes simulated and kept" + (f"; wrote {to}" if to is not None else ""))


def _entries(
    names: list[str] | tuple[str, ...], overlay: list[Path] | None, no_model: bool, status: list[str] | None
) -> tuple[list[JudgedClaim], Laid]:
    """Return judged claims, and what tables change; all that is wrong with names, verdicts and tables is said at once."""
    from ...claims import ledger
    from ...claims.claim_verdict import VERDICTS
    from ...claims.claims import find

    problems = [
        not_among(VERDICTS, "unknown-status", f"there is no verdict {name!r}", name)
        for name in status or ()
        if name not in VERDICTS
    ]
    try:
        find(names)
    except BetapodError as error:
        gather(problems, error)
    try:
        records = ledger.evidence(overlay or ())
    except BetapodError as error:
        gather(problems, error)
    if problems:
        raise ConfigError(problems)
    chosen = list(dict.fromkeys(names))
    with waiting("judging claims"):
        entries = ledger.ledger(chosen, records=records, run=not no_model)
    laid = _laid(chosen, entries, records, overlay or (), not no_model)
    for line in (*laid.told, *_unasked(records, overlay or ()), *laid.moved):
        note(line)
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


def _laid(
    names: list[str], entries: list[JudgedClaim], records: Registry, overlays: Sequence[Path], with_model: bool
) -> Laid:
    """Judge the same claims without the tables, and say what they moved."""
    if not overlays:
        return Laid()
    from ...claims import ledger, overlay_changes
    from ...evidence.records.overlay import told

    with waiting("judging claims without your tables"):
        before = ledger.ledger(names, run=with_model)
    changes = overlay_changes.moved(before, entries, records, overlay_changes.own_rows(records, overlays))
    return Laid(
        told(records, overlays),
        overlay_changes.words(changes, before, entries),
        [one.as_dict() for one in changes],
        overlay_changes.verdicts(before, entries),
    )


def _unasked(records: Registry, overlays: Sequence[Path]) -> list[str]:
    """Say which rows of the user's own tables no claim asks."""
    if not overlays:
        return []
    from ...claims.claims import load
    from ...claims.questions import records_of

    files = {str(path) for path in overlays}
    own = [record.id for record in records if record.location.file in files]
    asked = {record.id for claim in load() for question in claim.questions for record in records_of(question, records)}
    lost = [name for name in own if name not in asked]
    if not lost:
        return []
    more = f" and {len(lost) - 6} more" if len(lost) > 6 else ""
    return [f"no claim asks {', '.join(lost[:6])}{more}: most questions name the study that they ask"]


def _show(entry: JudgedClaim) -> None:
    from ...claims.claim_simulation import unit_and_label
    from ...claims.wording import estimate, leverage_words, number, outcome_words, plain, required

    claim, verdict, console = entry.claim, entry.verdict, out()

    def line(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    line(f"{claim.id}  {claim.claim}")
    line(f"  mechanism   {claim.mechanism} ({claim.parameters})")
    line(f"  verdict     {verdict.verdict}" + (f", certainty {verdict.certainty}" if verdict.certainty else ""))
    line(f"              {plain(entry)}")
    line(f"  rule        {verdict.rule}")
    line(f"  because     {verdict.because}")
    for reply in entry.replies:
        direct = "" if reply.direct else ", indirect"
        needs = f"; needs {required(reply.question)}" if required(reply.question) else ""
        sure = f"; certainty {reply.certainty}" if reply.certainty else ""
        said = " ".join(
            part for part in (estimate(reply), f"[{reply.how}{needs}{sure}]", ", ".join(reply.records)) if part
        )
        line(f"  {reply.answer:<14}{reply.question.text}{direct}: {said}")
    if claim.outcome is not None and entry.simulated is not None:
        one = entry.simulated
        unit = "" if one.unit == "1" else f" {one.unit}"
        line(f"  simulated   {outcome_words(claim.outcome, unit_and_label(claim.outcome.quantity)[1])}{unit}")
        line(
            f"              without the mechanism {number(one.off)}, current evidence {number(one.allowed)}, largest effect that evidence "
            f"allows {number(one.largest)}, as claimed {number(one.claimed)}"
        )
        line(f"  leverage    {leverage_words(one)}")
    if claim.not_simulated:
        line(f"  not simulated: {claim.not_simulated}")
    if claim.missing:
        line(f"  no direct record: {claim.missing}")
    if claim.note:
        line(f"  note        {claim.note}")
    line(f"  would change the verdict: {claim.change}")
