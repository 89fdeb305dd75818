"""The verbs of evidence that pool: one question or every one, as a table or as a forest plot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ...base.errors import ConfigError, Problem
from ...base.nouns import with_noun
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..options import spelt_out
from ..shared import JsonOption, names_option, print_json, print_note, print_table, print_text
from ..waiting import waiting
from .evidence_selection import RecordSelection, shown_unit

if TYPE_CHECKING:
    from ...evidence.records.registry import Registry
    from ...evidence.records.study import Record
    from ...evidence.synthesis.pool import PooledQuestion
    from ...evidence.synthesis.pooled import Pooled


def register(app: typer.Typer) -> None:
    """Add the verbs to those of evidence."""
    app.command("pool")(pool_command)
    app.command("plot")(plot_command)


@dataclass(frozen=True)
class Pooling:
    """How the numbers of one question are pooled."""

    heading: ClassVar[str] = "How they are pooled"

    contrast: Annotated[
        str | None,
        typer.Option("--contrast", metavar="NAME", help="between (controlled), change (from baseline) or level."),
    ] = None
    measure: Annotated[
        str | None,
        typer.Option("--measure", metavar="NAME", help="Where several are reported: hazard_ratio, difference, ..."),
    ] = None
    weeks: Annotated[
        float | None,
        typer.Option("--weeks", min=0, help="Follow-up in weeks; the nearest visit of each study is used."),
    ] = None
    method: Annotated[
        str,
        typer.Option(
            "--method", metavar="NAME", help="auto (chosen by the data), REML, DL, ML, common, MH, Peto or GLMM."
        ),
    ] = "auto"
    interval: Annotated[
        str,
        typer.Option(
            "--interval",
            metavar="NAME",
            help="auto, knha (Knapp-Hartung), adhoc (Knapp-Hartung, never narrower than normal) or normal.",
        ),
    ] = "auto"
    across: Annotated[
        list[str] | None,
        typer.Option(
            "--across", metavar="COLUMN", help="Pool over different populations or products; may be repeated."
        ),
    ] = None

    def of(self, records: list[Record]) -> Pooled:
        """Return the pooled answer of rows."""
        from ...evidence.synthesis.pool import pool

        return pool(
            records,
            contrast=self.contrast,
            measure=self.measure,
            weeks=self.weeks,
            method=self.method,
            interval=self.interval,
            across=tuple(names_option(self.across or ())),
        )


@spelt_out
def pool_command(
    selection: RecordSelection,
    pooling: Pooling,
    csv_path: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Pool one question and grade the certainty (GRADE).

    Without any choice of records, every question of the registry is pooled; into a pipe or a file these go as CSV, with the questions
    that cannot be pooled and why.
    """
    from ...base.exports import table_as_csv
    from ...evidence.synthesis.certainty import grade
    from ...evidence.synthesis.small_studies import small_studies

    if selection.everything:
        _refuse_ignored(pooling)
        _everything(selection.registry(), pooling.method, csv_path, wide, as_json)
        return
    registry = selection.registry()
    records = selection.of(registry, controls=True)
    pooled = pooling.of(records)
    without = _without(selection, pooling)
    certainty, small = grade(records, pooled), small_studies(pooled)
    studies = pooled.table
    csv = Csv(lambda: table_as_csv(studies, float_format="%.10g"), len(studies))
    done = given_as_csv(csv, csv_path, as_json, wide, text=True)
    if as_json:
        judgements = [{"domain": j.domain, "steps": j.steps, "reason": j.reason} for j in certainty.downgrades]
        print_json(
            {
                **_pooled_dict(pooled),
                "certainty": {"level": certainty.level, "start": certainty.start, "downgrades": judgements},
                **({"without_overlay": _pooled_dict(without) if without else None} if selection.overlay else {}),
            }
        )
        return
    if done:
        return
    _print_pooled(pooled, wide)
    print_text(f"certainty {certainty.level} (starts {certainty.start})")
    for sign, judgements_of in (("-", certainty.downgrades), ("+", certainty.upgrades)):
        for judgement in judgements_of:
            print_text(f"  {sign}{judgement.steps} {judgement.domain}: {judgement.reason}", hanging=4)
    if selection.overlay:
        before = (
            f"{_interval(without)} {shown_unit(without.unit)}".rstrip() + f", k {without.k}"
            if without
            else "nothing to pool"
        )
        print_note(f"without {', '.join(map(str, selection.overlay))}: {before}")
    if small.note:
        print_note(f"small studies: {small.note}")
    for reason in pooled.reasons:
        print_note(reason)


def _without(selection: RecordSelection, pooling: Pooling) -> Pooled | None:
    """Return the same question without the user's own tables; None without tables, or where nothing is left to pool."""
    from ...base.errors import EvidenceError
    from ...evidence.records.registry import load_with_mechanisms

    if not selection.overlay:
        return None
    try:
        return pooling.of(selection.of(load_with_mechanisms(), controls=True))
    except EvidenceError:
        return None


@spelt_out
def plot_command(
    to: Annotated[Path, typer.Argument(metavar="FILE", help="Figure to write (png or svg).")],
    selection: RecordSelection,
    pooling: Pooling,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="Title; default: treatment and endpoint.")] = "",
) -> None:
    """Draw the forest plot of one question.

    Its numbers are written beside it as CSV.
    """
    from ...base.files import unfit
    from ...report.common.figures import save
    from ...report.common.forest import alt_text, forest_figure

    if problems := unfit(to, (".png", ".svg", "")):
        raise ConfigError(problems)
    records = selection.of(selection.registry(), controls=True)
    pooled = pooling.of(records)
    better = next((r.better for r in records if r.endpoint == pooled.endpoint), 0)
    named = title or f"{', '.join(selection.product or ['all treatments'])}: {pooled.endpoint}"
    figure, table = forest_figure(pooled, named, better, own_studies=_own_studies(records, selection.overlay or ()))
    for path in save(figure, to, table, alt_text(pooled)):
        print_note(f"wrote {path}")


def _own_studies(records: list[Record], overlays: list[Path] | tuple[()]) -> set[str]:
    """Return the studies with a row in a table of the user's own."""
    files = {str(path) for path in overlays}
    return {record.study for record in records if record.location.file in files}


def _refuse_ignored(pooling: Pooling) -> None:
    """Refuse options that only one question can have: each of all questions is pooled in its own way."""
    problems = [
        Problem(
            "bad-option",
            f"--{name} needs a question",
            hint="Choose one with --product, --endpoint, --population or --study.",
        )
        for name, value in vars(pooling).items()
        if name != "method" and value != Pooling.__dataclass_fields__[name].default
    ]
    if problems:
        raise ConfigError(problems)


def _everything(registry: Registry, method: str, csv_path: Path | None, wide: bool, as_json: bool) -> None:
    from ...evidence.synthesis.pool import synthesise

    with waiting("pooling every question"):
        groups = synthesise(registry, method)
    done = given_as_csv(Csv.of(_HEADS, map(_row, groups)), csv_path, as_json, wide)
    if as_json:
        documents = []
        for g in groups:
            answer = (
                _pooled_dict(g.pooled)
                if g.pooled
                else {"not_pooled": str(g.problem.found or g.problem.message) if g.problem else ""}
            )
            documents.append({"population": g.population, "product": g.product, **answer, "endpoint": g.endpoint})
        print_json({"groups": documents})
        return
    pooled = [g for g in groups if g.pooled is not None and g.pooled.k > 1]
    if done:
        return
    print_table(
        ["population", "product", "endpoint", "measure", "k", "estimate", "unit", "model"],
        (
            [
                g.population,
                g.product,
                g.endpoint,
                g.measure,
                str(g.pooled.k),
                _interval(g.pooled),
                shown_unit(g.pooled.unit),
                _model_words(g.pooled),
            ]
            for g in pooled
            if g.pooled is not None
        ),
        right=("k",),
        spare=("model", "measure"),
        wide=wide,
    )
    single = sum(g.pooled is not None and g.pooled.k == 1 for g in groups)
    not_pooled = sum(g.pooled is None for g in groups)
    print_note(
        f"{with_noun(len(groups), 'question')}: {len(pooled)} pooled, {single} with one independent study, {not_pooled} not pooled (--csv FILE and --json "
        "give the reasons)"
    )


_HEADS = ("population", "product", "endpoint", "measure", "k", "estimate", "low", "high", "unit", "model", "refused")


def _row(group: PooledQuestion) -> list[Any]:
    """Return a question as a row of CSV: its answer, or why there is none."""
    about = [group.population, group.product, group.endpoint]
    if (pooled := group.pooled) is None:
        return [*about, *[""] * 7, str(group.problem.found or group.problem.message) if group.problem else ""]
    return [*about, group.measure, pooled.k, pooled.estimate, *pooled.ci, pooled.unit, _model_words(pooled), ""]


def _model_words(pooled: Pooled) -> str:
    """Return how studies were pooled and how far they agree, in a few words."""
    from ...evidence.synthesis.pool import DISAGREE

    words = {
        "common": "two studies: their average" if pooled.k == 2 else "their average",
        "MH": "Mantel-Haenszel",
        "Peto": "Peto",
        "GLMM": "logistic regression",
        "exact": "all people together",
    }.get(pooled.method, f"random effects ({pooled.method})")
    if pooled.q_p is not None and pooled.q_p < DISAGREE:
        words += "; they disagree"
    return words + (f", I2 {pooled.i2:.0f} %" if pooled.i2 is not None else "")


def _interval(pooled: Pooled) -> str:
    return f"{pooled.estimate:.3g} ({pooled.ci[0]:.3g} to {pooled.ci[1]:.3g})"


def _print_pooled(pooled: Pooled, wide: bool) -> None:
    rows = pooled.table.to_dict("records")
    print_table(
        ["study", "arm", "n", "weeks", "estimate", "weight", "how"],
        (
            [
                str(row["study"]) if row["family"] in ("", row["study"]) else f"{row['study']} ({row['family']})",
                str(row["arm"]),
                ""
                if row["n"] is None or row["n"] != row["n"]
                else f"{row['n']:.0f}" + (" treated" if row["n_of"] == "treated" else ""),
                "" if row["weeks"] is None or row["weeks"] != row["weeks"] else f"{row['weeks']:g}",
                f"{row['estimate']:.3g} ({row['low']:.3g} to {row['high']:.3g})",
                f"{row['weight_percent']:.0f} %",
                str(row["how"]),
            ]
            for row in rows
        ),
        right=("n", "weeks", "weight"),
        spare=("how", "weeks"),
        wide=wide,
    )
    unit = shown_unit(pooled.unit)
    text = f"{pooled.endpoint}: {pooled.measure} {_interval(pooled)} {unit}".rstrip()
    if pooled.prediction_interval is not None:
        text += f", prediction interval {pooled.prediction_interval[0]:.3g} to {pooled.prediction_interval[1]:.3g}"
    if pooled.k > 1:
        numbers = (("tau2", pooled.tau2, ".3g", ""), ("I2", pooled.i2, ".0f", " %"), ("p of Q", pooled.q_p, ".2g", ""))
        about = [f"{name} {value:{form}}{unit}" for name, value, form, unit in numbers if value is not None]
        text += f"; {', '.join([f'k {pooled.k}', pooled.method, *about])}"
    print_text(text, hanging=2)


def _pooled_dict(pooled: Pooled) -> dict[str, Any]:
    from dataclasses import asdict

    document = asdict(pooled)
    document["null"] = None if math.isnan(pooled.null) else pooled.null
    return document
