"""The verb evidence: list, show, check and extend the published numbers; pool them and plot what may be pooled."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .cli_common import JsonOption, assignments, names_option, note, out, print_json, print_table

if TYPE_CHECKING:
    from .evidence.registry import Registry
    from .evidence.study import Record
    from .evidence.synthesis import Pooled

evidence_app = typer.Typer(no_args_is_help=True, help="Published numbers: list, show, check, pool, plot, add.")


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.add_typer(evidence_app, name="evidence")


def _complete(name: str) -> Any:
    def complete(incomplete: str) -> list[str]:
        from .evidence.registry import load

        return sorted({str(getattr(r, name)) for r in load() if str(getattr(r, name)).startswith(incomplete)})

    return complete


OverlayOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--overlay", "-o", metavar="CSV", help="A table of your own, laid over the registry; may be repeated."
    ),
]
StudyOption = Annotated[list[str] | None, typer.Option("--study", autocompletion=_complete("study"))]
FamilyOption = Annotated[list[str] | None, typer.Option("--family", autocompletion=_complete("family"))]
PopulationOption = Annotated[
    list[str] | None,
    typer.Option("--population", help="DKD, CKD, T1D, T2D ...", autocompletion=_complete("population")),
]
ProductOption = Annotated[list[str] | None, typer.Option("--product", autocompletion=_complete("product"))]
EndpointOption = Annotated[list[str] | None, typer.Option("--endpoint", autocompletion=_complete("endpoint"))]
ContrastOption = Annotated[
    str | None, typer.Option("--contrast", help="between (controlled), change (before/after) or level.")
]
MeasureOption = Annotated[
    str | None, typer.Option("--measure", help="hazard_ratio, difference ...; where several exist.")
]
WeeksOption = Annotated[float | None, typer.Option("--weeks", help="Follow-up: the nearest of each study is taken.")]
IntervalOption = Annotated[
    str, typer.Option("--interval", help="knha (Knapp-Hartung), adhoc (never narrower than the normal one) or normal.")
]
MethodOption = Annotated[str, typer.Option("--method", help="REML, DL or ML.")]
AcrossOption = Annotated[
    list[str] | None, typer.Option("--across", help="population or product: may differ, knowingly; may be repeated.")
]


def _select(
    registry: Registry,
    study: Any,
    family: Any,
    population: Any,
    product: Any,
    endpoint: Any,
    tag: str | None,
    controls: bool,
) -> list[Record]:
    def chosen(names: list[str] | None) -> list[str] | None:
        return names_option(names) if names else None

    # A product may contain a comma, so it is not split.
    return registry.select(
        study=chosen(study),
        family=chosen(family),
        population=chosen(population),
        product=product or None,
        endpoint=chosen(endpoint),
        tag=tag,
        controls=controls,
    )


def _number(record: Record) -> str:
    if record.value is None:
        return record.direction
    text = f"{record.value:.4g}"
    spread = record.dispersion
    if spread is None:
        return text
    if spread.low == spread.high:
        return f"{text} ({spread.type} {spread.low:.3g})"
    return f"{text} ({spread.low:.3g} to {spread.high:.3g} {spread.type})"


def _unit(unit: str) -> str:
    return "" if unit == "1" else unit


def _weeks(weeks: float | None) -> str:
    return "" if weeks is None else f"{weeks:g}"


@evidence_app.command("list")
def list_command(
    study: StudyOption = None,
    family: FamilyOption = None,
    population: PopulationOption = None,
    product: ProductOption = None,
    endpoint: EndpointOption = None,
    overlay: OverlayOption = None,
    rows: Annotated[bool, typer.Option("--rows", help="Every number, not one line for each study.")] = False,
    csv_path: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the rows as CSV.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List studies, or with --rows every number; recalled numbers are marked and never used."""
    from .evidence.registry import load

    registry = load(overlay or ())
    chosen = _select(registry, study, family, population, product, endpoint, None, False)
    if csv_path is not None:
        from .files import write_text

        write_text(csv_path, registry.table(chosen).to_csv(index=False, lineterminator="\n"))
        note(f"wrote {csv_path}: {len(chosen)} rows")
    if as_json:
        print_json({"records": [_as_dict(r) for r in chosen], "listed": [_listed(x) for x in registry.listed]})
        return
    if rows:
        print_table(
            ["id", "population", "arm", "n", "endpoint", "weeks", "statistic", "value", "unit", "tag"],
            (
                [
                    r.id,
                    r.population,
                    r.arm,
                    str(r.n or ""),
                    r.endpoint,
                    _weeks(r.weeks),
                    f"{r.kind} {r.contrast}",
                    _number(r),
                    _unit(r.unit),
                    r.tag,
                ]
                for r in chosen
            ),
            right=("n", "weeks"),
        )
    else:
        lines: dict[str, list[Record]] = {}
        for record in chosen:
            lines.setdefault(record.study, []).append(record)
        print_table(
            ["study", "family", "population", "design", "product", "rows", "recalled", "grade"],
            (
                [
                    name,
                    "" if members[0].family == name else members[0].family,
                    ", ".join(dict.fromkeys(r.population for r in members)),
                    ", ".join(dict.fromkeys(r.design for r in members)),
                    ", ".join(dict.fromkeys(r.product for r in members if r.product != "control"))
                    or "usual care or none",
                    str(len(members)),
                    str(sum(r.tag != "seen" for r in members) or ""),
                    members[0].grade,
                ]
                for name, members in lines.items()
            ),
            right=("rows", "recalled"),
        )
    seen = sum(record.tag == "seen" for record in chosen)
    note(
        f"{len(chosen)} rows of {len({r.study for r in chosen})} studies, {seen} seen, {len(chosen) - seen} recalled (never used)"
    )


@evidence_app.command("show")
def show_command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="STUDY", help="A study, a family or the id of a row.", autocompletion=_complete("study")
        ),
    ],
    overlay: OverlayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a study with source, family, risk of bias and every number as printed and as used."""
    from .errors import EvidenceError, Problem, did_you_mean
    from .evidence import vocabulary
    from .evidence.registry import load

    registry = load(overlay or ())
    found = [r for r in registry if name in (r.id, r.study, r.family)]
    if not found:
        known = sorted({n for r in registry for n in (r.study, r.family)})
        raise EvidenceError(Problem("unknown-study", f"there is no study {name!r}", hint=did_you_mean(name, known)))
    if as_json:
        print_json({"records": [_as_dict(r) for r in found]})
        return
    for study in dict.fromkeys(r.study for r in found):
        members = [r for r in found if r.study == study]
        first = members[0]
        known_study = vocabulary.studies().get(study, vocabulary.Study())
        print_lines = [
            f"{study}: {first.citation}",
            f"  source      {', '.join(dict.fromkeys(x for r in members for x in (r.doi, r.locator) if x))}",
            f"  read in     {', '.join(dict.fromkeys(r.source_level for r in members))}",
            f"  population  {', '.join(dict.fromkeys(f'{r.population} ({r.population_text})' for r in members))}",
            f"  design      {', '.join(dict.fromkeys(f'{r.design} ({r.design_text})' for r in members))}",
            f"  family      {first.family}" + (f" ({known_study.family_reason})" if known_study.family_reason else ""),
            f"  grade       {first.grade or 'not assessed'}" + (f": {first.bias}" if first.bias else ""),
        ]
        for line in print_lines:
            out().print(line, markup=False)
        print_table(
            ["id", "arm", "product", "n", "endpoint", "weeks", "statistic", "value", "unit", "printed", "tag"],
            (
                [
                    r.id,
                    r.arm,
                    r.product,
                    str(r.n or ""),
                    r.endpoint,
                    _weeks(r.weeks),
                    f"{r.kind} {r.contrast}",
                    _number(r),
                    _unit(r.unit),
                    f"{r.printed_value} {r.printed_dispersion} {r.printed_unit}".strip(),
                    r.tag,
                ]
                for r in members
            ),
            right=("n", "weeks"),
        )
        for record in members:
            for remark in record.remarks:
                note(f"{record.id}: {remark}")


@evidence_app.command("check")
def check_command(
    tables: Annotated[
        list[Path] | None, typer.Argument(metavar="[CSV]...", help="Tables of your own; none: the registry.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check tables: every problem with file and line, all at once; what loads is counted, with its remarks."""
    from .errors import EvidenceError
    from .evidence.registry import check, load

    problems, found, listed = [], [], []
    if tables:
        for path in tables:
            try:
                found += check(path)
            except EvidenceError as error:
                problems += list(error.problems)
    else:
        registry = load()
        found, listed = list(registry.records), list(registry.listed)
    if problems:
        raise EvidenceError(problems)
    remarks = [(r.location, remark) for r in found for remark in r.remarks]
    seen = sum(r.tag == "seen" for r in found)
    if as_json:
        print_json(
            {
                "rows": len(found) + len(listed),
                "records": len(found),
                "seen": seen,
                "memory": len(found) - seen,
                "listed": [_listed(x) for x in listed],
                "remarks": [{"location": str(place), "remark": text} for place, text in remarks],
            }
        )
        return
    if tables:
        for place, text in remarks:
            note(f"{place}: {text}")
    else:
        for text in dict.fromkeys(text for _, text in remarks):
            note(f"{sum(other == text for _, other in remarks)} rows: {text}")
    for one in listed:
        note(f"{one.location}: not a record: {one.reason}")
    out().print(
        f"{len(found)} of {len(found) + len(listed)} rows are records: {seen} seen, {len(found) - seen} recalled, {len(listed)} listed with a reason"
    )


@evidence_app.command("pool")
def pool_command(
    study: StudyOption = None,
    family: FamilyOption = None,
    population: PopulationOption = None,
    product: ProductOption = None,
    endpoint: EndpointOption = None,
    contrast: ContrastOption = None,
    measure: MeasureOption = None,
    weeks: WeeksOption = None,
    method: MethodOption = "REML",
    interval: IntervalOption = "knha",
    across: AcrossOption = None,
    overlay: OverlayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pool one question and grade the certainty; without any choice, every question of the registry."""
    from .evidence.certainty import grade
    from .evidence.registry import load
    from .evidence.synthesis import small_studies

    registry = load(overlay or ())
    if not (study or family or population or product or endpoint):
        _everything(registry, method, as_json)
        return
    records = _select(registry, study, family, population, product, endpoint, None, True)
    pooled = _pool(records, contrast, measure, weeks, method, interval, across)
    certainty, small = grade(records, pooled), small_studies(pooled)
    if as_json:
        judgements = [{"domain": j.domain, "steps": j.steps, "reason": j.reason} for j in certainty.downgrades]
        print_json(
            {
                **_pooled_dict(pooled),
                "certainty": {"level": certainty.level, "start": certainty.start, "downgrades": judgements},
            }
        )
        return
    _print_pooled(pooled)
    out().print(f"certainty {certainty.level} (starts {certainty.start})", markup=False)
    for sign, judgements_of in (("-", certainty.downgrades), ("+", certainty.upgrades)):
        for judgement in judgements_of:
            out().print(f"  {sign}{judgement.steps} {judgement.domain}: {judgement.reason}", markup=False)
    if small.note:
        note(f"small studies: {small.note}")
    for reason in pooled.reasons:
        note(reason)


@evidence_app.command("plot")
def plot_command(
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The picture: png, svg or pdf.")],
    study: StudyOption = None,
    family: FamilyOption = None,
    population: PopulationOption = None,
    product: ProductOption = None,
    endpoint: EndpointOption = None,
    contrast: ContrastOption = None,
    measure: MeasureOption = None,
    weeks: WeeksOption = None,
    method: MethodOption = "REML",
    interval: IntervalOption = "knha",
    across: AcrossOption = None,
    title: Annotated[str, typer.Option("--title")] = "",
    overlay: OverlayOption = None,
) -> None:
    """Draw the forest plot of one question; its numbers are written beside it."""
    from .evidence.registry import load
    from .report.figures import save
    from .report.forest import alt_text, forest_figure

    registry = load(overlay or ())
    records = _select(registry, study, family, population, product, endpoint, None, True)
    pooled = _pool(records, contrast, measure, weeks, method, interval, across)
    better = next((r.better for r in records if r.endpoint == pooled.endpoint), 0)
    named = title or f"{', '.join(product or ['all treatments'])}: {pooled.endpoint}"
    figure, table = forest_figure(pooled, named, better)
    for path in save(figure, to, table, alt_text(pooled)):
        note(f"wrote {path}")


@evidence_app.command("add")
def add_command(
    table: Annotated[Path, typer.Argument(metavar="CSV", help="Your table; it is made if there is none.")],
    values: Annotated[list[str] | None, typer.Argument(metavar="[COLUMN=VALUE]...", help="One row.")] = None,
    rows_from: Annotated[
        list[Path] | None, typer.Option("--from", metavar="CSV", help="Rows of another table.")
    ] = None,
) -> None:
    """Add checked rows to a table of your own, all or none; use it with --overlay."""
    from .evidence.overlay import append

    cells = assignments(values or (), "add")
    count = append(table, [cells] if cells else [], rows_from or ())
    out().print(f"{count} rows added to {table}", markup=False)


# -- shared ----------------------------------------------------------------------------------------------------------


def _pool(
    records: list[Record],
    contrast: str | None,
    measure: str | None,
    weeks: float | None,
    method: str,
    interval: str,
    across: list[str] | None,
) -> Pooled:
    from .evidence.synthesis import pool

    return pool(
        records,
        contrast=contrast,
        measure=measure,
        weeks=weeks,
        method=method,
        interval=interval,
        across=tuple(names_option(across or ())),
    )


def _everything(registry: Registry, method: str, as_json: bool) -> None:
    from .evidence.synthesis import synthesise

    groups = synthesise(registry, method)
    if as_json:
        documents = []
        for g in groups:
            answer = (
                _pooled_dict(g.pooled)
                if g.pooled
                else {"refused": str(g.problem.found or g.problem.message) if g.problem else ""}
            )
            documents.append({"population": g.population, "product": g.product, **answer, "endpoint": g.endpoint})
        print_json({"groups": documents})
        return
    pooled = [g for g in groups if g.pooled is not None and g.pooled.k > 1]
    print_table(
        ["population", "product", "endpoint", "measure", "k", "estimate", "unit", "I2"],
        (
            [
                g.population,
                g.product,
                g.endpoint,
                g.measure,
                str(g.pooled.k),
                _interval(g.pooled),
                _unit(g.pooled.unit),
                f"{g.pooled.i2:.0f} %",
            ]
            for g in pooled
            if g.pooled is not None
        ),
        right=("k", "I2"),
    )
    single = sum(g.pooled is not None and g.pooled.k == 1 for g in groups)
    refused = sum(g.pooled is None for g in groups)
    note(
        f"{len(groups)} questions: {len(pooled)} pooled, {single} with one independent study, {refused} refused (--json gives the reasons)"
    )


def _interval(pooled: Pooled) -> str:
    return f"{pooled.estimate:.3g} ({pooled.ci[0]:.3g} to {pooled.ci[1]:.3g})"


def _print_pooled(pooled: Pooled) -> None:
    from .report.forest import forest_table

    rows = forest_table(pooled).to_dict("records")
    print_table(
        ["study", "arm", "n", "weeks", "estimate", "weight", "how"],
        (
            [
                str(row["study"]) if row["family"] in ("", row["study"]) else f"{row['study']} ({row['family']})",
                str(row["arm"]),
                "" if row["n"] is None or row["n"] != row["n"] else f"{row['n']:.0f}",
                "" if row["weeks"] is None or row["weeks"] != row["weeks"] else f"{row['weeks']:g}",
                f"{row['estimate']:.3g} ({row['low']:.3g} to {row['high']:.3g})",
                f"{row['weight_percent']:.0f} %",
                str(row["how"]),
            ]
            for row in rows
        ),
        right=("n", "weeks", "weight"),
    )
    unit = _unit(pooled.unit)
    text = f"{pooled.endpoint}: {pooled.measure} {_interval(pooled)} {unit}".rstrip()
    if (
        pooled.prediction_interval is not None
        and pooled.tau2 is not None
        and pooled.i2 is not None
        and pooled.q_p is not None
    ):
        low, high = pooled.prediction_interval
        text += f", prediction interval {low:.3g} to {high:.3g}; k {pooled.k}, tau2 {pooled.tau2:.3g}, I2 {pooled.i2:.0f} %, p of Q {pooled.q_p:.2g}"
    out().print(text, markup=False)


def _pooled_dict(pooled: Pooled) -> dict[str, Any]:
    from dataclasses import asdict

    document = asdict(pooled)
    document["null"] = None if math.isnan(pooled.null) else pooled.null
    return document


def _as_dict(record: Record) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(record), "location": str(record.location)}


def _listed(one: Any) -> dict[str, str]:
    return {"location": str(one.location), "study": one.study, "reason": one.reason}
