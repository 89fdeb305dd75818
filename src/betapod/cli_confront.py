"""The verb confront: virtual trials against the rows of the registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .cli_common import JsonOption, names_option, note, out, print_json, print_table
from .cli_running import QuietOption, bar, breaking

if TYPE_CHECKING:
    import pandas as pd

    from .confront.campaign import Confrontation
    from .evidence.registry import Registry

#: What counts may be made by, and the column of the view.
COUNTED = {"class": "treatment", "group": "group", "family": "family", "endpoint": "endpoint", "study": "study"}
#: Letters of the longest bar of the terminal.
_BAR = 24


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("confront")(confront_command)


def confront_command(
    study: Annotated[list[str] | None, typer.Option("--study", help="Only these; may be repeated.")] = None,
    family: Annotated[list[str] | None, typer.Option("--family", help="Only these families of studies.")] = None,
    endpoint: Annotated[list[str] | None, typer.Option("--endpoint")] = None,
    claim: Annotated[
        list[str] | None, typer.Option("--claim", help="Only rows that bear on a claim of the ledger, such as B20.")
    ] = None,
    under: Annotated[
        list[str] | None,
        typer.Option(
            "--under",
            help="Parameterisation of cells: none, current-evidence, face-value, seed-claims. [default: all but face-value]",
        ),
    ] = None,
    overlay: Annotated[
        list[Path] | None, typer.Option("--overlay", metavar="CSV", help="A table of your own, laid over the registry.")
    ] = None,
    people: Annotated[int, typer.Option("--people", "-n", min=2, help="Virtual people per cohort.")] = 60,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    threads: Annotated[int | None, typer.Option("--threads", min=1)] = None,
    draws: Annotated[
        int, typer.Option("--draws", min=0, help="Sets of parameters of the cells, for their part of the interval.")
    ] = 8,
    by: Annotated[
        str,
        typer.Option("--by", help="Count by class (of treatment), group (of endpoints), family, endpoint or study."),
    ] = "class",
    rows: Annotated[bool, typer.Option("--rows", help="Every row, not counts.")] = False,
    worst: Annotated[int, typer.Option("--worst", min=0, help="Rows that miss most, for each parameterisation.")] = 0,
    refused: Annotated[bool, typer.Option("--refused", help="Rows that cannot be simulated, with the reason.")] = False,
    tissue: Annotated[
        bool, typer.Option("--tissue", help="Also where cells go and how long they stay, against scans and autopsies.")
    ] = False,
    csv_path: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write every prediction.")] = None,
    figure: Annotated[
        Path | None,
        typer.Option(
            "--figure",
            metavar="FILE",
            help="Draw observed against predicted, then every row by family: pdf with all pages, or png or svg, one file a page.",
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE", help="Write pictures, counts and every row as one HTML page."),
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Confront the model with published numbers: a virtual trial for every row that it can simulate."""
    from .confront.campaign import SETTINGS, confront
    from .errors import ConfigError, Problem, did_you_mean
    from .evidence.registry import load
    from .physiology.cell_parameters import overlay as known

    settings = names_option(under) if under else list(SETTINGS)
    for name in settings:
        known(name)
    if by not in COUNTED:
        known_ways = ", ".join(COUNTED)
        raise ConfigError(
            Problem("bad-option", f"cannot count by {by!r}", expected=known_ways, hint=did_you_mean(by, COUNTED))
        )
    registry = load(overlay or ())
    records = registry.select(
        study=names_option(study) if study else None,
        family=names_option(family) if family else None,
        endpoint=names_option(endpoint) if endpoint else None,
        tag=None,
    )
    if claim:
        bearing = _bearing_on(names_option(claim), registry)
        records = [record for record in records if record.id in bearing]
    with breaking("the same command; finished studies are kept"), bar(quiet) as progress:
        found = confront(records, settings, people, seed, threads, progress=progress, draws=draws)
    from .report import confront_view

    table = confront_view.view(found, confront_view.products(records))
    if figure is not None and len(table):
        from .report.confront_figure import write

        for path in write(table, figure):
            note(f"wrote {path}")
    if page is not None:
        from .report import confront_page

        note(f"wrote {confront_page.write(found, table, page, people, seed)}")
    if csv_path is not None:
        from .files import write_text

        write_text(csv_path, found.table().to_csv(index=False, lineterminator="\n"))
        note(f"wrote {csv_path}: {len(table)} rows")
    if as_json:
        document = {"predictions": found.table().to_dict("records"), "refused": found.refusals().to_dict("records")}
        print_json(document)
        return
    if tissue:
        _print_tissue(settings)
    if refused:
        cells = [[r.id, r.arm, r.endpoint_text, why] for r, why in found.refused]
        print_table(["row", "arm", "endpoint", "reason"], cells)
    if rows or worst:
        _print_rows(found, rows, worst)
    elif len(table):
        _print_counts(table, by)
    out().print(f"{len(records) - len(found.refused)} rows simulated, {len(found.refused)} not (--refused says why).")


def _bearing_on(names: list[str], registry: Registry) -> set[str]:
    """Return the ids of the rows that claims are judged by."""
    from .evidence.claims import find
    from .evidence.questions import records_of

    return {row.id for claim in find(names) for question in claim.questions for row in records_of(question, registry)}


def _print_counts(table: pd.DataFrame, by: str) -> None:
    """Print counts with a bar each: rows below their interval, inside it, above it."""
    from .report.confront_view import in_order, summary

    parts = in_order(summary(table, COUNTED[by]), table, COUNTED[by]).to_dict("records")
    total = [{**row, COUNTED[by]: "all"} for row in summary(table, "").to_dict("records")]
    longest = max(row["rows"] for row in parts)
    heads = ["rows", "inside", "median |z|", "below < inside = above >"]
    for setting in dict.fromkeys(table["setting"]):
        cells = []
        for row in (*parts, *total):
            if row["setting"] == setting:
                # Bars of lines have one scale; that of all rows together has its own.
                bar = _bar(row["below"], row["inside"], row["above"], max(longest, row["rows"]))
                cells.append([str(row[COUNTED[by]]), str(row["rows"]), str(row["inside"]), f"{row['median']:.1f}", bar])
        print_table([setting, *heads], cells, heads[:3])


def _bar(below: int, inside: int, above: int, longest: int) -> str:
    """Return rows as letters; whatever there is has one letter at least."""
    scale = min(1.0, _BAR / longest)
    counts = zip("<=>", (below, inside, above), strict=True)
    return "".join(letter * max(round(count * scale), count > 0) for letter, count in counts)


def _print_rows(found: Confrontation, every: bool, worst: int) -> None:
    columns = [
        "under", "row", "arm", "endpoint", "weeks", "n", "observed", "predicted", "90 % interval", "z", "inside",
    ]  # fmt: skip
    cells = [
        [
            name, p.record, p.arm, f"{p.endpoint} {p.form}", f"{p.weeks:g}", str(p.n or ""), f"{p.observed:.3g}",
            f"{p.predicted:.3g}", f"{p.low:.3g} to {p.high:.3g}", f"{p.z:.1f}", "yes" if p.inside else "no",
        ]
        for name, mine in found.predictions.items()
        for p in (mine if every else found.worst(name, worst))
    ]  # fmt: skip
    print_table(columns, cells, ("weeks", "n", "observed", "predicted", "z"))


def _print_tissue(settings: list[str]) -> None:
    from .confront.tissue import tissue

    cells = [
        [name, each.target.id, each.what, each.published, f"{each.predicted:.3g}", each.verdict]
        for name in settings
        for each in tissue(name)
    ]
    print_table(["under", "target", "what, %", "published", "predicted", "verdict"], cells, ("predicted",))
