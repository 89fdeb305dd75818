"""The verb evidence: list, show, check and extend the published numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .. import kept
from ..completion import complete_study, complete_table, starting
from ..csv_output import Csv, CsvOption, SearchOption, WideOption, given_as_csv, matching
from ..options import spelt_out
from ..shared import (
    JsonOption,
    assignments,
    gather,
    out,
    print_fields,
    print_json,
    print_note,
    print_table,
    print_text,
    with_noun,
)
from . import evidence_new, evidence_pool
from .claims_predicted import StudyFiles
from .confront_records import ArmsOption, CohortsOption, EventsOption
from .evidence_selection import OverlayOption, RecordSelection, overlaid, shown_unit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...evidence.records.registry import Registry
    from ...evidence.records.study import Record

evidence_app = typer.Typer(no_args_is_help=True, help="Published numbers: list, show, pool, plot, check, add, new.")


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    evidence_pool.register(evidence_app)
    evidence_new.register(evidence_app)
    app.add_typer(evidence_app, name="evidence")


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


def _cells(record: Record) -> list[str]:
    """Return who, what and the number as a table shows them, in few columns, so that they fit a narrow terminal."""
    product = "" if record.product in ("control", record.arm) else f" ({record.product})"
    people = f", n {record.n}" if record.n else ""
    weeks = "" if record.weeks is None else f", week {record.weeks:g}"
    number = f"{record.kind} {record.contrast}: {_number(record)} {shown_unit(record.unit)}".rstrip()
    # A term of two parts, such as adverse_event:SAE, may end a line between them.
    return [f"{record.arm}{product}{people}", f"{record.endpoint.replace(':', ': ')}{weeks}", number]


@evidence_app.command("list")
@spelt_out
def list_studies_command(
    selection: RecordSelection,
    rows: Annotated[bool, typer.Option("--rows", help="List every number instead of one line per study.")] = False,
    search: SearchOption = None,
    csv_path: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write every number as CSV; '-' for standard output."),
    ] = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """List studies, or with --rows every number.

    Into a pipe or a file every number goes as CSV. Numbers that were recalled from memory are marked, and are never used.
    """
    from ...base.exports import table_as_csv
    from ...evidence.records.registry import records_table

    registry = selection.registry()
    records = [record for record in selection.of(registry, controls=False) if matching(search, *_texts(record))]
    csv = Csv(lambda: table_as_csv(records_table(records), float_format="%.10g"), len(records))
    done = given_as_csv(csv, csv_path, as_json, wide)
    if as_json:
        print_json({"records": [_as_dict(r) for r in records], "listed": [_listed(x) for x in registry.listed]})
        return
    if done:
        return
    if rows:
        print_table(
            ["id", "population", "arm", "endpoint", "number as used", "tag"],
            ([r.id, r.population, *_cells(r), r.tag] for r in records),
            spare=("population", "tag"),
            wide=wide,
        )
    else:
        lines: dict[str, list[Record]] = {}
        for record in records:
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
            spare=("family", "grade", "recalled", "design"),
            wide=wide,
        )
    seen = sum(record.tag == "seen" for record in records)
    studies = with_noun(len({r.study for r in records}), "study", "studies")
    print_note(
        f"{with_noun(len(records), 'row')} of {studies}, {seen} seen, {len(records) - seen} recalled (never used)"
    )


def _texts(record: Record) -> tuple[str, ...]:
    """Return the words by which a record is searched for."""
    return (
        record.id,
        record.study,
        record.family,
        record.citation,
        record.population,
        record.population_text,
        record.design_text,
        record.arm,
        record.product,
        record.product_text,
        record.endpoint,
        record.endpoint_text,
        record.quote,
        record.bias,
    )


@evidence_app.command("show")
def show_study_command(
    name: Annotated[
        str,
        typer.Argument(metavar="STUDY", help="A study, a family or the id of a record.", autocompletion=complete_study),
    ],
    overlay: OverlayOption = None,
    csv_path: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show a study: source, risk of bias, every number.

    Each number is given as printed and as used.
    """
    from ...base.errors import EvidenceError, Problem
    from ...base.exports import table_as_csv
    from ...evidence.records import vocabulary
    from ...evidence.records.registry import records_table, study_meant

    registry = overlaid(overlay)
    records = [r for r in registry if name in (r.id, r.study, r.family)]
    if not records:
        names = sorted({n for r in registry for n in (r.study, r.family)})
        raise EvidenceError(Problem("unknown-study", f"there is no study {name!r}", hint=study_meant(name, names)))
    csv = Csv(lambda: table_as_csv(records_table(records), float_format="%.10g"), len(records))
    done = given_as_csv(csv, csv_path, as_json, wide, text=True)
    if as_json:
        print_json({"records": [_as_dict(r) for r in records]})
        return
    if done:
        return
    for study in dict.fromkeys(r.study for r in records):
        members = [r for r in records if r.study == study]
        first = members[0]
        known_study = vocabulary.study_families().get(study, vocabulary.Study())
        reason = f" ({known_study.family_reason})" if known_study.family_reason else ""
        print_text(f"{study}: {first.citation}", hanging=2)
        print_fields(
            [
                ("source", _each(x for r in members for x in (r.doi, r.locator) if x) or "as cited"),
                ("read in", _each(r.source_level for r in members)),
                ("population", _each(f"{r.population} ({r.population_text})" for r in members)),
                ("design", _each(f"{r.design} ({r.design_text})" for r in members)),
                ("family", f"{first.family}{reason}"),
                ("grade", (first.grade or "not assessed") + (f": {first.bias}" if first.bias else "")),
                ("asked by", ", ".join(_askers(registry, members)) or "no claim"),
            ]
        )
        print_table(
            ["id", "arm", "endpoint", "number as used", "as printed", "tag"],
            (
                [r.id, *_cells(r), f"{r.printed_value} {r.printed_dispersion} {r.printed_unit}".strip(), r.tag]
                for r in members
            ),
            spare=("tag", "as printed"),
            wide=wide,
        )
        for record in members:
            for remark in record.remarks:
                print_note(f"{record.id}: {remark}")


def _each(texts: Iterable[str]) -> str:
    """Return texts with commas, each once."""
    return ", ".join(dict.fromkeys(texts))


def _askers(registry: Registry, records: list[Record]) -> list[str]:
    """Return the claims that ask any of the records."""
    from ...claims.claims import load_claims
    from ...claims.new_studies import questions_of
    from ...claims.questions import records_of

    ids = {record.id for record in records}
    return [
        claim.id
        for claim in load_claims()
        if any(
            record.id in ids for question in questions_of(claim, registry) for record in records_of(question, registry)
        )
    ]


def _complete_column(incomplete: str) -> list[str]:
    return starting(kept.COLUMNS, incomplete)


@evidence_app.command("terms")
def terms_command(
    column: Annotated[
        str,
        typer.Argument(
            metavar="COLUMN", help="endpoint, family, population, product or study.", autocompletion=_complete_column
        ),
    ],
    search: Annotated[
        str | None, typer.Option("--search", metavar="TEXT", help="Only words that contain this text.")
    ] = None,
    csv_path: CsvOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the words that options such as --endpoint know.

    Into a pipe or a file the list goes as CSV.
    """
    from ...base.errors import ConfigError, not_among
    from ...evidence.records import vocabulary

    if column not in kept.COLUMNS:
        message = f"the registry has no vocabulary of {column!r}"
        raise ConfigError(not_among(kept.COLUMNS, "unknown-column", message, column))
    words = {word: count for word, count in kept.term_counts(column).items() if (search or "").lower() in word.lower()}
    units = (
        {endpoint.name: endpoint.unit for endpoint in vocabulary.endpoints().values()} if column == "endpoint" else {}
    )
    heads = (column, "records", *(["unit"] if units else []))
    rows = [(w, str(n), *([units.get(w, "")] if units else [])) for w, n in words.items()]
    done = given_as_csv(Csv.of(heads, rows), csv_path, as_json)
    if as_json:
        terms = [{"name": word, "records": count, "unit": units.get(word, "")} for word, count in words.items()]
        print_json({"column": column, "terms": terms})
    elif not done:
        print_table(heads, rows, right=("records",))


@evidence_app.command("check")
def check_evidence_command(
    tables: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[CSV]...", help="Your own tables; default: the built-in registry.", autocompletion=complete_table
        ),
    ] = None,
    arms: ArmsOption = None,
    cohorts: CohortsOption = None,
    events: EventsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check tables of your own: every error with file and line."""
    from ...base.errors import BetapodError, EvidenceError
    from ...evidence.records.registry import check_table, load_with_mechanisms

    problems, records, listed = [], [], []
    if tables:
        for path in tables:
            try:
                records += check_table(path)
            except EvidenceError as error:
                problems += list(error.problems)
    else:
        registry = load_with_mechanisms()
        records, listed = list(registry.records), list(registry.listed)
    studies = StudyFiles(arms, cohorts, events)
    try:
        told = studies.check(tables or ())
    except BetapodError as error:
        gather(problems, error)
    if problems:
        raise EvidenceError(problems)
    for line in told:
        print_note(line)
    remarks = [(r.location, remark) for r in records for remark in r.remarks]
    seen = sum(r.tag == "seen" for r in records)
    if as_json:
        print_json(
            {
                "rows": len(records) + len(listed),
                "records": len(records),
                "seen": seen,
                "memory": len(records) - seen,
                "listed": [_listed(x) for x in listed],
                "remarks": [{"location": str(location), "remark": text} for location, text in remarks],
            }
        )
        return
    if tables:
        for location, text in remarks:
            print_note(f"{location}: {text}")
    else:
        for text in dict.fromkeys(text for _, text in remarks):
            print_note(f"{with_noun(sum(other == text for _, other in remarks), 'row')}: {text}")
    for row in listed:
        print_note(f"{row.location}: not a record: {row.reason}")
    out().print(
        f"{len(records)} of {len(records) + len(listed)} rows are records: {seen} seen, {len(records) - seen} recalled, {len(listed)} listed with a reason"
    )


@evidence_app.command("add")
def add_command(
    table: Annotated[
        Path, typer.Argument(metavar="CSV", help="Your table; created if there is none.", autocompletion=complete_table)
    ],
    values: Annotated[
        list[str] | None, typer.Argument(metavar="[COLUMN=VALUE]...", help="One row, column by column.")
    ] = None,
    rows_from: Annotated[
        list[Path] | None, typer.Option("--from", metavar="CSV", help="Add the rows of another table; may be repeated.")
    ] = None,
) -> None:
    """Add checked rows to a table of your own, all or none.

    Use the table with --overlay.
    """
    from ...evidence.records.overlay import append

    cells = assignments(values or (), "add")
    count = append(table, [cells] if cells else [], rows_from or ())
    out().print(f"{count} {'row' if count == 1 else 'rows'} added to {table}", markup=False)


def _as_dict(record: Record) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(record), "location": str(record.location)}


def _listed(row: Any) -> dict[str, str]:
    return {"location": str(row.location), "study": row.study, "reason": row.reason}
