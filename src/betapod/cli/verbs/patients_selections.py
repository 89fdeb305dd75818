"""The verb patients selections: ways of making a virtual population out of one pool, compared."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from ...base.nouns import with_noun
from ..completion import complete_cohort, files
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..shared import JsonOption, names_option, print_json, print_table, print_text


def _complete_pool(incomplete: str) -> list[str]:
    return files(incomplete, (".npz",))


def selections_command(
    cohort: Annotated[
        str,
        typer.Argument(
            metavar="COHORT",
            help="Name (see 'betapod patients list'), baseline table (.yaml), or real patients (.csv).",
            autocompletion=complete_cohort,
        ),
    ],
    quantities: Annotated[
        list[str] | None,
        typer.Option(
            "--quantities",
            metavar="NAMES",
            help="Only these, comma-separated; default: all whose distribution is told.",
        ),
    ] = None,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            metavar="FILE",
            help="Library made by 'betapod patients grow'; default: the built-in one.",
            autocompletion=_complete_pool,
        ),
    ] = None,
    distance: Annotated[
        float | None,
        typer.Option(
            "--distance", metavar="KS", help="Also say how many simulations it takes to come so near, e.g. 0.05."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed.")] = 1,
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare ways of making a population like a cohort.

    Weights by entropy balancing, acceptance after Allen and others (2016), and a Metropolis-Hastings chain after Rieger and others (2018), all on
    the same pool with the same target: effective number of patients, distances of distributions (Kolmogorov and Smirnov), and how many
    members of such a pool have to be simulated for 1000 patients of equal weight; with --distance also, until no quantity is farther from the target.
    """
    from ...patients import library as pools
    from ...patients.cohorts.cohort_catalogue import load_target
    from ...sensitivity.virtual_populations import WAYS, compared_ways, simulations_needed

    target = load_target(cohort)
    pool = pools.default() if library is None else pools.read_library(library)
    told = names_option(quantities or ())
    needed = {} if distance is None else simulations_needed(pool, target, distance, told, seed)
    ways = compared_ways(pool, target, told, seed)
    rows = [
        {
            "way": item.way,
            "patients": len(item.weights),
            "effective": item.effective,
            "share": item.effective / len(item.weights),
            "largest_distance": max(item.distances.values()),
            "mean_distance": sum(item.distances.values()) / len(item.distances),
            "correlation_miss": item.correlation_miss,
            "simulations": item.simulations,
            # Nothing where the whole pool does not do.
            **({"simulations_for_distance": _finite(needed[item.way])} if needed else {}),
            **{f"distance {name}": value for name, value in item.distances.items()},
        }
        for item in ways
    ]
    heads = list(rows[0])
    done = given_as_csv(
        Csv.of(heads, [[row[head] for head in heads] for row in rows]), csv, as_json, wide, text=bool(csv)
    )
    if as_json:
        print_json({"cohort": target.name, "pool": len(ways[0].weights), "ways": rows})
    elif not done:
        near = [] if distance is None else [f"for KS {distance:g}"]
        columns = ["effective", "share", "largest KS", "mean KS", "correlation", "simulations", *near]
        cells = [
            [
                item.way,
                f"{item.effective:,.0f}",
                f"{100 * item.effective / len(item.weights):.0f} %",
                f"{max(item.distances.values()):.3f}",
                f"{sum(item.distances.values()) / len(item.distances):.3f}",
                f"{item.correlation_miss:.2f}" if item.correlation_miss == item.correlation_miss else "",
                f"{item.simulations:,.0f}",
                *(_shown(needed[item.way], len(item.weights)) for _ in near),
            ]
            for item in ways
        ]
        print_table(["way", *columns], cells, right=columns, wide=wide)
        for way, text in WAYS.items():
            print_text(f"{way}: {text}", "dim", hanging=2)
        quantities_told = ", ".join(ways[0].distances)
        print_text(
            f"pool of {with_noun(len(ways[0].weights), 'eligible patient')}; told of {quantities_told}",
            "dim",
            hanging=2,
        )


def _finite(needed: float) -> float | None:
    return needed if math.isfinite(needed) else None


def _shown(needed: float, pool: int) -> str:
    return f"{needed:,.0f}" if math.isfinite(needed) else f"over {pool:,}"
