"""The verb trust: how many published numbers of a kind lie inside the model's 90 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ...base.errors import ConfigError, not_among
from ...therapies.scenarios import CURRENT_EVIDENCE, NONE
from ..completion import starting
from ..csv_output import Csv, WideOption, given_as_csv
from ..options import spelt_out
from ..shared import JsonOption, print_json, print_note, print_table, print_text
from ..tables import rounded

if TYPE_CHECKING:
    from ...trust.trust_answer import TrustCount
    from ...trust.trust_rows import TrustRow

#: What rows may be counted by.
COUNTED = ("treatment", "topic", "endpoint", "population", "class", "family")


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("trust")(trust_command)


def _complete_by(incomplete: str) -> list[str]:
    return starting(COUNTED, incomplete)


def _complete_endpoint(incomplete: str) -> list[str]:
    from ...trust.trust_rows import trust_rows
    from ...trust.trust_topics import topics

    return starting((*topics(), *sorted({row.endpoint for row in trust_rows()})), incomplete)


def _complete_treatment(incomplete: str) -> list[str]:
    from ...trust.trust_rows import trust_rows

    return starting(sorted({name for row in trust_rows() for name in row.treatments}), incomplete)


@dataclass(frozen=True)
class TrustedKind:
    """Which published numbers are meant: all, or those that fit every option."""

    heading: ClassVar[str] = "Which published numbers"

    drug: Annotated[
        list[str] | None,
        typer.Option(
            "--drug",
            metavar="DRUG",
            help="With this drug, or any of its class, in one of the groups; may be repeated.",
            autocompletion=_complete_treatment,
        ),
    ] = None
    product: Annotated[
        list[str] | None,
        typer.Option("--product", metavar="CELLS", help="With this cell product; 'cells' for any; may be repeated."),
    ] = None
    endpoint: Annotated[
        list[str] | None,
        typer.Option(
            "--endpoint",
            metavar="NAME",
            help="On this endpoint, e.g. UACR, or topic, e.g. albuminuria; may be repeated.",
            autocompletion=_complete_endpoint,
        ),
    ] = None
    population: Annotated[
        list[str] | None,
        typer.Option(
            "--population",
            metavar="WHO",
            help="In people with type 1, type 2, kidney disease, healthy kidneys; may be repeated.",
        ),
    ] = None
    scenario: Annotated[
        str, typer.Option("--scenario", metavar="NAME", help="Scenario of cell therapy: current-evidence or none.")
    ] = CURRENT_EVIDENCE
    fit: Annotated[
        str | None,
        typer.Option(
            "--fit",
            metavar="NAME",
            help="As this fit leaves them: an installed one, a folder of 'betapod fit run', or none for the hand-tuned values before.",
        ),
    ] = None


@dataclass(frozen=True)
class TrustViews:
    """What is printed and written."""

    heading: ClassVar[str] = "Results"

    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="COLUMN",
            help="Count by treatment, topic, endpoint, population, class (of numbers) or family.",
            autocompletion=_complete_by,
        ),
    ] = None
    worst: Annotated[int, typer.Option("--worst", min=0, help="List this many published numbers that miss most.")] = 5
    rows: Annotated[bool, typer.Option("--rows", help="List every published number instead of counts.")] = False
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write every published number as CSV; '-' for standard output."),
    ] = None
    wide: WideOption = False
    as_json: JsonOption = False


@spelt_out
def trust_command(kind: TrustedKind, views: TrustViews) -> None:
    """Say how far to trust the model, by published numbers.

    It counts how many published numbers of a kind lie inside the model's 90 % interval. The numbers were compared when this version was made, see 'betapod confront'; nothing is simulated here.
    """
    from ...trust.trust_answer import trust_count, trust_sentence, with_lacks
    from ...trust.trust_question import trust_question

    problems = []
    if views.by is not None and views.by not in COUNTED:
        problems.append(not_among(COUNTED, "bad-option", f"cannot count by {views.by!r}", views.by))
    try:
        question = trust_question(
            kind.drug or (), kind.product or (), kind.endpoint or (), kind.population or (), kind.scenario
        )
    except ConfigError as error:
        raise ConfigError([*problems, *error.problems]) from None
    table, how = None, ""
    try:
        table, how = _of_fit(kind.fit)
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems)
    rows = question.chosen(table)
    sentence = trust_sentence(question, table)
    by = views.by or ("topic" if kind.drug or kind.product else "treatment")
    listed = [_document(row) for row in rows]
    csv = Csv.of(list(listed[0]) if listed else [], [list(row.values()) for row in listed])
    if given_as_csv(csv, views.csv, views.as_json, views.wide, text=True):
        return
    if views.as_json:
        print_json(
            {
                "sentence": sentence,
                "all": asdict(trust_count(rows)),
                "all_with_lacks": asdict(trust_count(with_lacks(rows))),
                "by": by,
                "counts": [{by: name, **asdict(trust_count(some))} for name, some in counted_by(rows, by)],
                "counts_with_lacks": [
                    {by: name, **asdict(trust_count(some))} for name, some in counted_by(with_lacks(rows), by)
                ],
                "rows": listed,
                **(_origin() if table is None else {"fit": kind.fit}),
            }
        )
        return
    print_text(sentence)
    if rows and views.rows:
        _print_rows(rows, views.wide)
    elif rows:
        _print_counts(rows, by, views.wide)
        if views.worst:
            print_text("What misses most", "bold")
            _print_rows(sorted(rows, key=lambda row: -abs(row.z))[: views.worst], views.wide)
    for note in _notes() if table is None else (how,):
        print_note(note)


def _of_fit(name: str | None) -> tuple[tuple[TrustRow, ...] | None, str]:
    """Return the numbers of the fit that is named, and how they are meant; None for the table of the package."""
    from ...physiology.installed_fits import list_fits, load_fit
    from ...trials.conduct.replicate_parameters import NO_FIT
    from ...trust.trust_fit import fit_named, rows_of_fit

    fits = list_fits()
    if name is None or (name == NO_FIT and not fits):
        return None, ""
    if name == NO_FIT:
        text = f"at the hand-tuned values, before the fit {fits[0]}, as its record has them: no part of an interval is due to parameters"
        return rows_of_fit(load_fit(fits[0]), before=True), text
    return rows_of_fit(fit_named(name)), f"as the fit {name} leaves them"


def counted_by(rows: Sequence[TrustRow], by: str) -> list[tuple[str, list[TrustRow]]]:
    """Return rows by a column of `COUNTED`, the most first; a row with two treatments is in both groups."""
    groups: dict[str, list[TrustRow]] = {}
    for row in rows:
        for name in _groups(row, by):
            groups.setdefault(name, []).append(row)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def _groups(row: TrustRow, by: str) -> tuple[str, ...]:
    if by == "treatment":
        return (*row.cells, *row.treatments) or (NONE,)
    if by == "population":
        return (f"{row.diabetes}, {row.kidney}",)
    return (row.row_class if by == "class" else str(getattr(row, by)),)


def _document(row: TrustRow) -> dict[str, Any]:
    """Return a row as a document has it."""
    return {name: "; ".join(value) if isinstance(value, tuple) else value for name, value in asdict(row).items()}


def _origin() -> dict[str, Any]:
    from ...trust.trust_making import program_digest
    from ...trust.trust_rows import computed_with

    about = computed_with()
    return {"computed_with": about, "current": about["program"] == program_digest()}


def _notes() -> list[str]:
    """Say what the interval has in it, and whether the model is another one by now."""
    origin = _origin()
    about = origin["computed_with"]
    notes = [
        f"fit: {about['fit'] or 'none, the parameters of the tables'}; what the model lacks: {about['discrepancy'] or 'not estimated'}"
    ]
    if not origin["current"]:
        notes.append("computed with an earlier state of the model; 'betapod confront' compares it anew")
    return notes


def _print_counts(rows: Sequence[TrustRow], by: str, wide: bool) -> None:
    """Print counts without and with what the model lacks, one below the other."""
    from ...trust.trust_answer import trust_count, with_lacks

    head = [by, "rows", "inside", "fitted", "not fitted", "median |z|", "width: ratios", "shares", "others"]
    cells, groups = [], []
    for heading, some in (
        ("by errors and parameters", list(rows)),
        ("with what the model is known to lack", with_lacks(rows)),
    ):
        parts = [(name, trust_count(part)) for name, part in counted_by(some, by)]
        for name, count in [*parts, ("all", trust_count(some))] if some else []:
            cells.append([name, *_count_cells(count)])
            groups.append(heading)
    print_table(head, cells, head[1:], spare=("median |z|",), groups=groups, wide=wide)


def _count_cells(count: TrustCount) -> list[str]:
    widths = ((count.factor, "x{:.2f}"), (count.points, "{:.2f}"), (count.relative, "{:.0%}"))
    return [
        str(count.rows),
        str(count.inside),
        f"{count.fitted_inside} of {count.fitted_rows}" if count.fitted_rows else "-",
        f"{count.other_inside} of {count.other_rows}" if count.other_rows else "-",
        rounded(count.miss, ".1f"),
        *("-" if math.isnan(width) else text.format(width) for width, text in widths),
    ]


def _print_rows(rows: Sequence[TrustRow], wide: bool) -> None:
    head = ["record", "endpoint", "given", "observed", "predicted (90 % interval)", "z", "inside", "fitted"]
    cells = [
        [
            row.record,
            row.endpoint.replace(":", ": "),
            ", ".join((*row.cells, *row.treatments)) or "-",
            f"{row.observed:.3g}" + ("" if row.unit == "1" else f" {row.unit}"),
            f"{row.predicted:.3g} ({row.low:.3g} to {row.high:.3g})",
            rounded(row.z, ".1f"),
            "yes" if row.inside else "no",
            "yes" if row.fitted else "no",
        ]
        for row in rows
    ]
    print_table(head, cells, ("z",), spare=("fitted", "given"), wide=wide)
