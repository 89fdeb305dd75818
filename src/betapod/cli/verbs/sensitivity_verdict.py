"""The verb sensitivity verdict: which numbers, varied together, decide the outcomes and the verdict of one claim."""

from __future__ import annotations

from typing import Annotated

import typer

from ..completion import complete_claim, complete_parameter
from ..options import spelt_out
from ..sensitivity_options import MethodOptions, SharesShown
from ..shared import names_option


@spelt_out
def sensitivity_verdict_command(
    claim: Annotated[str, typer.Argument(metavar="ID", help="A claim.", autocompletion=complete_claim)],
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="NAMES",
            help="Numbers to vary, comma-separated; by default all of the grade that have a range.",
            autocompletion=complete_parameter,
        ),
    ] = None,
    grade: Annotated[
        list[str] | None,
        typer.Option("--grade", metavar="GRADES", help="Grades of the numbers, e.g. 'C,D'; default: D."),
    ] = None,
    *,
    how: MethodOptions,
    shares: SharesShown,
) -> None:
    """Vary numbers together: what decides the verdict of a claim.

    Outcomes are shares of what is claimed; 'verdict stays' is 1 where the verdict is today's. What was computed is kept.
    """
    from ...claims.ledger import judge_ledger
    from ...sensitivity.verdict_function import VerdictFunction

    shares.check()
    (entry,) = judge_ledger([claim])
    function = VerdictFunction.of_claim(entry, names_option(grade or ()) or ["D"], names_option(vary or ()))
    result = shares.of(function, how)
    about = (
        f"{entry.claim.id}, {entry.verdict.verdict}: outcomes as shares of what is claimed, under what evidence allows"
    )
    shares.give(function, result, about)
