"""Verbs of claims beside listing and showing: page, contest, simulation, checks and tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...base.errors import ConfigError
from ..csv_output import Csv, CsvOption, given_as_csv
from ..shared import JsonOption, print_json, print_note, print_table
from ..waiting import waiting
from .claims_judged import OverlayOption, QuestionsOption, judged_entries


def add_verbs(app: typer.Typer) -> None:
    """Add the verbs to those of claims."""
    app.command("page")(page_command)
    app.command("contest")(contest_command)
    app.command("simulate")(simulate_claims_command)


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
    from ...claims import claim_simulation, claims
    from ...claims.seed_comparison import OUTCOMES
    from ...claims.typical_effects import typical_outcomes

    outcomes = {**claims.all_outcomes(claims.load_claims()), **OUTCOMES, **typical_outcomes()}
    with waiting(f"simulating {len(outcomes)} outcomes"):
        claim_simulation.store(outcomes, to)
    print_note(f"{len(outcomes)} outcomes simulated and kept" + (f"; wrote {to}" if to is not None else ""))
