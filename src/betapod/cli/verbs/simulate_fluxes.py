"""The verb simulate for files of flux balance, which have an optimum instead of a course in time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import ConfigError, Location, Problem
from ..csv_output import Csv, given_as_csv
from ..shared import print_json, print_note, print_table, print_text, with_noun
from ..waiting import waiting

if TYPE_CHECKING:
    from ...exchange.sbml.flux_balance import FluxBalance


def useless_with_fluxes(options: Mapping[str, object]) -> list[Problem]:
    """Return the options that only a course in time has."""
    message = "has no place with a flux balance, which has an optimum and no course in time"
    return [
        Problem("useless-option", f"{option} {message}", Location(option)) for option, value in options.items() if value
    ]


def simulate_fluxes(file: str, problems: list[Problem], csv: Path | None, wide: bool, as_json: bool) -> None:
    """Solve the flux balance of a file and print it.

    Raises
    ------
    BetapodError
        What was found wrong with the options, or what is wrong with the file.
    """
    from ...exchange.sbml.flux_balance import solve_flux_balance

    if problems:
        raise ConfigError(problems)
    with waiting("solving the flux balance"):
        balance = solve_flux_balance(Path(file))
    unit = balance.units["flux"]
    numbers = ["flux", "least", "most", "lower", "upper"]
    rows: list[list[Any]] = [
        [str(name), *(float(row[n]) for n in numbers), str(row["label"])] for name, row in balance.table.iterrows()
    ]
    heads = ["reaction", *(f"{name} [{unit}]" for name in numbers), "meaning"]
    if given_as_csv(Csv.of(heads, rows), csv, as_json, wide, text=csv is not None):
        return
    if as_json:
        print_json(_document(balance))
        return
    cells = [[row[0], *(f"{number:.4g}" for number in row[1:6]), row[6]] for row in rows]
    print_table(["reaction", *numbers, "meaning"], cells, right=numbers, spare=("meaning", "lower", "upper"), wide=wide)
    goal = "largest" if balance.goal.startswith("max") else "smallest"
    print_text(f"{balance.objective} = {balance.value:.6g}, the {goal} that the bounds allow; fluxes in {unit}", "dim")
    if balance.open:
        counted = with_noun(len(balance.open), "flux", "fluxes")
        print_note(
            f"the optimum leaves {counted} open: each can be anything from least to most, not all of them at once"
        )


def _document(balance: FluxBalance) -> dict[str, Any]:
    """Return the flux balance as a document; an infinite bound is null."""
    numbers = ("flux", "least", "most", "lower", "upper")
    return {
        "flux_balance": {
            "objective": balance.objective,
            "goal": balance.goal,
            "value": balance.value,
            "unit": balance.units["flux"],
            "reactions": [
                {
                    "name": str(name),
                    "label": str(row["label"]),
                    **{key: float(row[key]) for key in numbers},
                }
                for name, row in balance.table.iterrows()
            ],
        }
    }
