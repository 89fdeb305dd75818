"""The verb confront: virtual trials against the rows of the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .cli_common import JsonOption, names_option, note, out, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("confront")(confront_command)


def confront_command(
    study: Annotated[list[str] | None, typer.Option("--study", help="Only these; may be repeated.")] = None,
    family: Annotated[list[str] | None, typer.Option("--family", help="Only these families of studies.")] = None,
    endpoint: Annotated[list[str] | None, typer.Option("--endpoint")] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", help="Parameterisation: none, current-evidence, face-value, seed-claims."),
    ] = None,
    overlay: Annotated[
        list[Path] | None, typer.Option("--overlay", metavar="CSV", help="A table of your own, laid over the registry.")
    ] = None,
    people: Annotated[int, typer.Option("--people", "-n", min=2, help="Virtual people per cohort.")] = 60,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    threads: Annotated[int | None, typer.Option("--threads", min=1)] = None,
    by: Annotated[str, typer.Option("--by", help="Count by family, endpoint or study.")] = "family",
    rows: Annotated[bool, typer.Option("--rows", help="Every row, not counts.")] = False,
    worst: Annotated[int, typer.Option("--worst", min=0, help="Rows that miss most, for each parameterisation.")] = 0,
    refused: Annotated[bool, typer.Option("--refused", help="Rows that cannot be simulated, with the reason.")] = False,
    tissue: Annotated[
        bool, typer.Option("--tissue", help="Also where cells go and how long they stay, against scans and autopsies.")
    ] = False,
    csv_path: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write every prediction.")] = None,
    figure: Annotated[Path | None, typer.Option("--figure", metavar="FILE", help="Draw z of every row.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Confront the model with published numbers: a virtual trial for every row that it can simulate."""
    from .confront.campaign import SETTINGS, confront
    from .errors import ConfigError, Problem, did_you_mean
    from .evidence.registry import load
    from .physiology.cell_parameters import overlay as known

    settings = names_option(claim) if claim else list(SETTINGS)
    for name in settings:
        known(name)
    if by not in ("family", "endpoint", "study"):
        choices = ("family", "endpoint", "study")
        raise ConfigError(Problem("bad-option", f"cannot count by {by!r}", hint=did_you_mean(by, choices)))
    registry = load(overlay or ())
    records = registry.select(
        study=names_option(study) if study else None,
        family=names_option(family) if family else None,
        endpoint=names_option(endpoint) if endpoint else None,
        tag=None,
    )
    found = confront(records, settings, people, seed, threads, progress=note)
    if csv_path is not None:
        found.table().to_csv(csv_path, index=False)
    if figure is not None:
        from .report.confront_figure import confront_figure

        confront_figure(found).savefig(figure)
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
        columns = [
            "claim",
            "row",
            "arm",
            "endpoint",
            "weeks",
            "n",
            "observed",
            "predicted",
            "90 % interval",
            "z",
            "inside",
        ]
        cells = [
            [
                name, p.record, p.arm, f"{p.endpoint} {p.form}", f"{p.weeks:g}", str(p.n or ""), f"{p.observed:.3g}",
                f"{p.predicted:.3g}", f"{p.low:.3g} to {p.high:.3g}", f"{p.z:.1f}", "yes" if p.inside else "no",
            ]
            for name, mine in found.predictions.items()
            for p in (mine if rows else found.worst(name, worst))
        ]  # fmt: skip
        print_table(columns, cells, ("weeks", "n", "observed", "predicted", "z"))
    else:
        total = found.counts("").assign(**{by: "all"})
        for table in (found.counts(by), total):
            cells = [
                [r["setting"], r[by], str(r["rows"]), str(r["inside"]), f"{r['rms']:.1f}"] for _, r in table.iterrows()
            ]
            print_table(["claim", by, "rows", "inside", "root mean square z"], cells, ("rows", "inside"))
    out().print(f"{len(records) - len(found.refused)} rows simulated, {len(found.refused)} not (--refused says why).")


def _print_tissue(settings: list[str]) -> None:
    from .confront.tissue import tissue

    cells = [
        [name, each.target.id, each.what, each.published, f"{each.predicted:.3g}", each.verdict]
        for name in settings
        for each in tissue(name)
    ]
    print_table(["claim", "target", "what, %", "published", "predicted", "verdict"], cells, ("predicted",))
