"""Verbs of claims beside listing and showing: page, contest, simulation, checks and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...base.errors import ConfigError
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..shared import JsonOption, print_json, print_note, print_table
from ..waiting import waiting
from .claims_judged import OverlayOption, QuestionsOption, judged_entries


def add_verbs(app: typer.Typer) -> None:
    """Add the verbs to those of claims."""
    app.command("page")(page_command)
    app.command("contest")(contest_command)
    app.command("simulate")(simulate_claims_command)
    app.command("targets")(targets_command)
    app.command("check")(check_claims_command)
    app.command("systems")(systems_command)


def page_command(
    to: Annotated[Path, typer.Argument(metavar="FILE", help="HTML page to write.")],
    overlay: OverlayOption = None,
    questions: QuestionsOption = None,
) -> None:
    """Write all claims as one self-contained HTML page."""
    from ...base.files import unfit
    from ...evidence.records.overlay import laid_over
    from ...report.claims.claims_page import write_claims_page

    if problems := unfit(to, (".html", ".htm")):
        raise ConfigError(problems)
    entries, laid = judged_entries((), overlay, False, None, questions)
    write_claims_page(entries, to, laid_over([*laid.told, *laid.moved]))
    print_note(f"wrote {to}")


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


def simulate_claims_command(
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write the results to this file.")
    ] = None,
) -> None:
    """Simulate every claim again and keep the results in the cache."""
    from ...base import overwriting
    from ...base.errors import ConfigError
    from ...claims import claim_simulation, claims
    from ...claims.seed_comparison import OUTCOMES
    from ...claims.typical_effects import typical_outcomes

    # Before minutes of work, not after them.
    if to is not None and (problem := overwriting.refusal(to, last=False)) is not None:
        raise ConfigError(problem)
    outcomes = {**claims.all_outcomes(claims.load_claims()), **OUTCOMES, **typical_outcomes()}
    with waiting(f"simulating {len(outcomes)} outcomes"):
        claim_simulation.store(outcomes, to)
    print_note(f"{len(outcomes)} outcomes simulated and kept" + (f"; wrote {to}" if to is not None else ""))


def targets_command(
    csv: CsvOption = None, wide: WideOption = False, questions: QuestionsOption = None, as_json: JsonOption = False
) -> None:
    """Compare each simulated outcome with what is claimed of it.

    Into a pipe or a file the comparison goes as CSV.

    Told all that is claimed, the model reaches the target of a claim, or it cannot express the claim and says why.
    """
    from ...claims.claim_targets import claim_targets
    from ...claims.wording import three_digits

    entries, _ = judged_entries((), None, False, None, questions)
    targets = claim_targets(entries)
    head = list(targets[0].as_dict()) if targets else []
    done = given_as_csv(Csv.of(head, [list(target.as_dict().values()) for target in targets]), csv, as_json, wide)
    if as_json:
        print_json({"targets": [target.as_dict() for target in targets]})
        return
    if done:
        return
    answers = {True: "yes", False: "no", None: ""}
    print_table(
        ["outcome", "quantity", "claimed", "current evidence", "best allowed", "as claimed", "reached as claimed"],
        (
            [
                target.name,
                target.quantity,
                three_digits(target.claimed),
                three_digits(target.current),
                three_digits(target.best),
                three_digits(target.as_claimed),
                answers[target.expressible],
            ]
            for target in targets
        ),
        wide=wide,
    )
    told = [target for target in targets if target.expressible is not None]
    reached = sum(target.expressible is True for target in told)
    print_note(f"told all that is claimed, {reached} of {len(told)} outcomes are reached")
    for target in told:
        if not target.expressible:
            print_note(f"{target.name} is not: {target.reason or 'the model cannot express it'}")


def check_claims_command(questions: QuestionsOption = None, overlay: OverlayOption = None) -> None:
    """Look for mistakes in claims, questions and outcomes.

    A question that names a record which no table has, a lever that moves nothing, and a claim about cells that the model cannot express
    without a reason are mistakes.
    """
    from ...claims.claim_targets import ledger_problems

    entries, _ = judged_entries((), overlay, False, None, questions)
    if problems := ledger_problems(entries):
        raise ConfigError(problems)
    asked = sum(len(entry.claim.questions) for entry in entries)
    outcomes = sum(len(entry.claim.outcomes) for entry in entries)
    print_note(f"{len(entries)} claims, {asked} questions, {outcomes} outcomes: nothing wrong")


def systems_command(csv: CsvOption = None, wide: WideOption = False, as_json: JsonOption = False) -> None:
    """List the 17 systems that the two source pages describe.

    Into a pipe or a file the list goes as CSV.

    Each with its submodels, its switches, what it does when it is on and off, its parameters by grade and source, its claims and their
    verdicts.
    """
    from ...claims.claim_systems import described_systems
    from ...claims.wording import three_digits

    with waiting("simulating the systems"):
        systems = described_systems()
    done = given_as_csv(
        Csv.of(list(systems[0].flat()), [list(system.flat().values()) for system in systems]), csv, as_json, wide
    )
    if as_json:
        print_json({"systems": [system.as_dict() for system in systems]})
        return
    if done:
        return
    print_table(
        ["system", "what", "quantity", "on", "off", "parameters", "with a source", "claims"],
        (
            [
                system.id,
                system.name,
                system.shown_as.partition(",")[0],
                f"{three_digits(system.on)} {system.unit}".removesuffix(" 1").strip(),
                three_digits(system.off),
                str(system.parameters),
                str(system.sourced),
                ", ".join(f"{name} {verdict}" for name, verdict in system.verdicts.items()),
            ]
            for system in systems
        ),
        spare=("claims", "with a source", "parameters"),
        wide=wide,
    )
    print_note(
        "Where cells are given they are told all that is claimed: on and off show what the model can express, not what evidence shows. "
        "What evidence shows: betapod claims."
    )
