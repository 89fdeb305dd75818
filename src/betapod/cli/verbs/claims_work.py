"""Verbs of claims beside listing and showing: page, contest, simulation, checks and tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...base.errors import ConfigError, Problem
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..shared import JsonOption, print_json, print_note, print_table, with_noun
from ..waiting import waiting
from .claims_judged import AskedFit, FitDrawsOption, FitOption, OverlayOption, QuestionsOption, judged_entries

if TYPE_CHECKING:
    from ...claims.claim_outcome import Outcome
    from ...claims.claim_parameters import FitChoice


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
    fit: FitOption = None,
    fit_draws: FitDrawsOption = None,
) -> None:
    """Write all claims as one self-contained HTML page."""
    from ...base.files import unfit
    from ...claims.seed_comparison import contests
    from ...evidence.records.overlay import laid_over
    from ...report.claims.claims_page import write_claims_page

    if problems := unfit(to, (".html", ".htm")):
        raise ConfigError(problems)
    asked_fit = AskedFit(fit, fit_draws)
    entries, laid = judged_entries((), overlay, False, None, questions, asked_fit=asked_fit)
    write_claims_page(entries, to, laid_over([*laid.told, *laid.moved]), contests(None, laid.fit, asked_fit.drawing))
    print_note(f"wrote {to}")


def contest_command(
    csv: CsvOption = None, fit: FitOption = None, fit_draws: FitDrawsOption = None, as_json: JsonOption = False
) -> None:
    """Compare predictions of the claimed parameters with data.

    Into a pipe or a file the comparison goes as CSV.

    Four predictions of the parameter set that the claims require are put beside measurements. With a fit each has a 95 % interval of
    parameters and of what studies differ by: it is outside where none of the interval meets what was measured.
    """
    from dataclasses import asdict

    from ...claims.numbers_in_words import three_digits
    from ...claims.seed_comparison import OUTCOMES, contests
    from ...claims.uncertainty_words import range_words

    choice, drawing = _choice(AskedFit(fit, fit_draws), OUTCOMES)
    with waiting("simulating the contests"):
        contested = contests(None, choice, drawing)
    head = ("prediction", "as_claimed", "as_claimed_low", "as_claimed_high", "current_evidence", "current_evidence_low",
            "current_evidence_high", "measured_low", "measured_high", "unit", "records")  # fmt: skip
    csv_rows = [
        [x.name, x.claimed, *x.claimed_ends, x.allowed, *x.allowed_ends, x.low, x.high, x.unit, x.source]
        for x in contested
    ]
    done = given_as_csv(Csv.of(head, csv_rows), csv, as_json)
    if as_json:
        rows = [{**asdict(contest), "loses": contest.loses, "holds": contest.holds} for contest in contested]
        print_json({"contests": rows, "fit": {"name": choice.fit, "draws": choice.draws}})
        return
    if done:
        return

    def told(value: float, ends: tuple[float, float], outside: bool) -> str:
        interval = "" if ends == (value, value) else f" ({range_words(ends)})"
        return three_digits(value) + interval + (" (outside)" if outside else "")

    print_table(
        ["prediction", "as claimed", "current evidence", "measured", "unit", "records"],
        (
            [
                contest.name,
                told(contest.claimed, contest.claimed_ends, contest.loses),
                told(contest.allowed, contest.allowed_ends, not contest.holds),
                f"{three_digits(contest.low)} to {three_digits(contest.high)}",
                "" if contest.unit == "1" else contest.unit,
                contest.source,
            ]
            for contest in contested
        ),
    )


def _choice(asked_fit: AskedFit, outcomes: Mapping[str, Outcome]) -> tuple[FitChoice, bool]:
    """Return which fit speaks, and whether what was not kept is drawn; say what must be said of it.

    Raises
    ------
    ConfigError
        What is wrong with it.
    """
    from ...claims.claim_simulation import told_of_fit

    problems: list[Problem] = []
    choice = asked_fit.choice(problems)
    if problems:
        raise ConfigError(problems)
    for line in told_of_fit(outcomes, choice, asked_fit.drawing):
        print_note(line)
    return choice, asked_fit.drawing


def simulate_claims_command(
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write the results to this file.")
    ] = None,
    fit: FitOption = None,
    fit_draws: FitDrawsOption = None,
) -> None:
    """Simulate every claim again and keep the results in the cache.

    Where a fit is installed, every consequence and every lever is simulated under each of its draws as well, which takes many minutes.
    """
    from ...base import overwriting
    from ...claims import claim_simulation, claims
    from ...claims.seed_comparison import OUTCOMES
    from ...claims.typical_effects import typical_outcomes

    # Before minutes of work, not after them.
    problems: list[Problem] = []
    if to is not None and (problem := overwriting.refusal(to, last=False)) is not None:
        problems.append(problem)
    choice = AskedFit(fit, fit_draws).choice(problems)
    if problems:
        raise ConfigError(problems)
    outcomes = {**claims.all_outcomes(claims.load_claims()), **OUTCOMES, **typical_outcomes()}
    with waiting(f"simulating {with_noun(len(outcomes), 'outcome')} under {choice.in_words}"):
        claim_simulation.store(outcomes, to, choice)
    print_note(
        f"{with_noun(len(outcomes), 'outcome')} simulated under {choice.in_words}, and kept"
        + (f"; wrote {to}" if to is not None else "")
    )


def targets_command(
    csv: CsvOption = None,
    wide: WideOption = False,
    questions: QuestionsOption = None,
    fit: FitOption = None,
    fit_draws: FitDrawsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare each simulated outcome with what is claimed of it.

    Into a pipe or a file the comparison goes as CSV.

    Told all that is claimed, the model reaches the target of a claim, or it cannot express the claim and says why. With a fit the CSV has
    intervals as well, whole and by parts: parameters, what studies differ by, chance.
    """
    from ...claims.claim_targets import claim_targets
    from ...claims.numbers_in_words import three_digits

    entries, _ = judged_entries((), None, False, None, questions, asked_fit=AskedFit(fit, fit_draws))
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
                three_digits(target.best) + (" (inside)" if target.inside and not target.reached else ""),
                three_digits(target.as_claimed),
                answers[target.expressible],
            ]
            for target in targets
        ),
        wide=wide,
    )
    if any(target.inside and not target.reached for target in targets):
        print_note(
            "inside: what is claimed is not reached, but lies in the 95 % interval of the best that evidence allows"
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
    print_note(
        f"{with_noun(len(entries), 'claim')}, {with_noun(asked, 'question')}, {with_noun(outcomes, 'outcome')}: nothing wrong"
    )


def systems_command(csv: CsvOption = None, wide: WideOption = False, as_json: JsonOption = False) -> None:
    """List the 17 systems that the two source pages describe.

    Into a pipe or a file the list goes as CSV.

    Each with its submodels, its switches, what it does when it is on and off, its parameters by grade and source, its claims and their
    verdicts.
    """
    from ...claims.claim_systems import described_systems
    from ...claims.numbers_in_words import three_digits

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
