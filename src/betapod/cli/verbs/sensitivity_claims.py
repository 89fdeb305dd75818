"""The verb sensitivity claims: which numbers decide the verdict of a claim."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..completion import complete_claim
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..running import QuietOption, breaking
from ..shared import JsonOption, names_option, print_json, print_table, print_text, with_noun
from ..waiting import show_progress

if TYPE_CHECKING:
    from ...sensitivity.deciding_numbers import DecidedClaim, NumberTried

#: Numbers of one claim that a terminal shows.
_SHOWN = 3


def sensitivity_claims_command(
    claims: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Claims; all by default.", autocompletion=complete_claim),
    ] = None,
    grade: Annotated[
        list[str] | None,
        typer.Option("--grade", metavar="GRADES", help="Grades of the numbers that are tried, e.g. 'C,D'."),
    ] = None,
    draws: Annotated[
        int,
        typer.Option(
            "--draws", min=0, max=4096, help="Draws with all numbers somewhere in their ranges; a power of two."
        ),
    ] = 0,
    csv: CsvOption = None,
    wide: WideOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ask which numbers decide the verdict of a claim.

    Each number is put at both ends of its plausible range, from today on, and the claim is judged anew; evidence stays as it is. What was
    computed is kept: a run that was stopped goes on where it was.
    """
    from ...base.errors import ConfigError, not_among
    from ...claims.ledger import judge_ledger
    from ...sensitivity.deciding_numbers import deciding_numbers
    from ...sensitivity.factors import GRADES

    grades = names_option(grade or ()) or ["D"]
    if problems := [
        not_among(GRADES, "unknown-grade", f"there is no grade {g!r}", g) for g in grades if g not in GRADES
    ]:
        raise ConfigError(problems)
    with breaking(), show_progress(quiet) as progress:
        entries = judge_ledger(names_option(claims or ()))
        decided = deciding_numbers(entries, grades, draws, progress=progress)
    done = given_as_csv(_csv(decided), csv, as_json, wide, text=bool(csv), quiet=quiet)
    if as_json:
        print_json({"grades": grades, "claims": [_document(claim) for claim in decided]})
    elif not done:
        _print(decided, grades, wide)


def _document(claim: DecidedClaim) -> dict[str, Any]:
    return {**asdict(claim), "deciding": [number.name for number in claim.deciding]}


def _csv(decided: list[DecidedClaim]) -> Csv:
    heads = ("claim", "verdict", "why_none", "number", "grade", "unit", "value", "low", "high", "verdict_at_low",
             "verdict_at_high", "why", "moves", "outcome", "meaning", "all_together", "draws")  # fmt: skip
    rows: list[list[Any]] = []
    for claim in decided:
        together = (_together(claim), claim.drawn or None)
        for n in claim.tried:
            rows.append([claim.claim, claim.verdict, "", n.name, n.grade, n.unit, n.value, n.low, n.high, n.at_low, n.at_high, n.why,
                         n.moves, n.outcome, n.label, *together])  # fmt: skip
        if not claim.tried:
            why_none = claim.why_none or "no number moves it"
            rows.append([claim.claim, claim.verdict, why_none, *[None] * (len(heads) - 5), *together])
    return Csv.of(heads, rows)


def _together(claim: DecidedClaim) -> str:
    """Return how often each verdict came of numbers that were all somewhere in their ranges; empty without draws."""
    return ", ".join(f"{verdict} {100 * share:.3g} %" for verdict, share in (claim.draws or {}).items())


def _print(decided: list[DecidedClaim], grades: list[str], wide: bool) -> None:
    cells = []
    for claim in decided:
        if claim.why_none:
            continue
        deciding = "; ".join(_end(n, claim.verdict) for n in claim.deciding) or "none alone"
        moving = ", ".join(
            f"{n.name} {100 * n.moves:.0f} %" for n in sorted(claim.tried, key=lambda n: -n.moves)[:_SHOWN]
        )
        cells.append([claim.claim, claim.verdict, deciding, moving, _together(claim)])
    heads = ["claim", "verdict", "decided by", "moved most by", "all together"]
    if cells:
        print_table(heads, cells, spare=("all together",), wide=wide)
        tried = max(claim.numbers for claim in decided)
        print_text(
            f"{tried} numbers of grade {', '.join(grades)} that have a range, each at both ends of it; per cents are of what is claimed",
            "dim",
        )
        if drawn := {claim.drawn for claim in decided if claim.draws}:
            counted = with_noun(max(drawn), "draw") if len(drawn) == 1 else f"{min(drawn)} to {max(drawn)} draws"
            print_text(f"all together: shares of {counted} with all of them somewhere in their ranges at once", "dim")
    reasons: dict[str, list[str]] = {}
    for claim in decided:
        if claim.why_none:
            reasons.setdefault(claim.why_none, []).append(claim.claim)
    for why, names in reasons.items():
        print_text(f"no number of the model decides ({why}): {', '.join(names)}", hanging=2)


def _end(number: NumberTried, verdict: str) -> str:
    ends = [
        f"{value:g} gives {at_end}"
        for value, at_end in ((number.low, number.at_low), (number.high, number.at_high))
        if at_end not in (verdict, "")
    ]
    return f"{number.name} = {', '.join(ends)}" + (f" ({number.why})" if number.why else "")
