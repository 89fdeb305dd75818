"""The scorecard as text and CSV: a table, counts, and the misses by size."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ...base.exports import rows_as_csv
from .agreement import RULE, VERDICTS
from .scorecard import NOT_ADDRESSED, Score, Scorecard
from .targets import Target

COLOURS = {"inside": "green", "near": "yellow", "miss": "red", NOT_ADDRESSED: "dim"}
_GROUPS = ("fit", "validation", "input", "memory")


def scorecard_number(value: float) -> str:
    """Return a number with three significant digits, more where it is that large."""
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value != 0 and (abs(value) < 1e-3 or abs(value) >= 1e6):
        return f"{value:.2e}"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value != 0 else 0
    return f"{value:.{digits}f}"


def target_text(target: Target) -> str:
    """Return the published number with its uncertainty, in the digits of its row."""
    value, spread, low, high = (f"{x:.9g}" for x in (target.value, target.spread, target.low, target.high))
    if target.bounds == "bound":
        return f"≥ {low}" if math.isnan(target.high) else f"≤ {high}"
    if target.bounds in ("SD", "SEM"):
        return f"{value} ± {spread} {target.bounds}"
    if target.bounds in ("CI", "range", "IQR", "contrast") or not math.isnan(target.low):
        kind = target.bounds if target.bounds != "none" else ""
        return f"{low} to {high} {kind}" if math.isnan(target.value) else f"{value} ({low} to {high}) {kind}"
    return "-" if math.isnan(target.value) else value


def target_unit(target: Target) -> str:
    """Return the unit, with the percent sign; nothing for plain numbers."""
    return "" if target.unit == "1" else target.unit.replace("percent", "%")


def size_text(score: Score) -> str:
    """Return the size of a deviation in half-widths."""
    return f"{score.verdict.size:+.2f}" if score.verdict is not None and math.isfinite(score.verdict.size) else ""


def use_text(target: Target) -> str:
    """Return what a row is for, in three letters or so."""
    return "mem" if target.tag == "memory" else {"fit": "fit", "validation": "val", "input": "inp"}[target.use]


def _what(target: Target, style: str = "") -> Text:
    return Text.assemble((target.quantity, style), (f" · {target.scenario}", "dim"))


def _with_unit(target: Target) -> str:
    return f"{target_text(target)} {target_unit(target)}".rstrip()


def rows_table(scores: Sequence[Score]) -> Table:
    """Return one row per target; narrow enough for 80 columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("id", no_wrap=True)
    # Columns as wide as their longest word, so that a narrow terminal breaks none.
    for name, text_of in (("what · who", _what), ("target", _with_unit)):
        words = [word for score in scores for word in str(text_of(score.target)).split()]
        table.add_column(name, overflow="fold", min_width=max(map(len, words), default=0))
    for name in ("model", "verdict", "size", "use"):
        table.add_column(name, justify="right" if name in ("model", "size") else "left", no_wrap=True)
    organ = ""
    for score in scores:
        target = score.target
        if target.organ != organ:
            organ = target.organ
            table.add_row("", Text(organ, style="bold underline"))
        table.add_row(
            target.id,
            _what(target, "" if target.counts else "dim"),
            _with_unit(target),
            "" if score.model is None else scorecard_number(score.model),
            Text(score.status, style=COLOURS[score.status]),
            size_text(score),
            use_text(target),
        )
    return table


def counts_table(card: Scorecard) -> Table:
    """Return how many rows have which verdict, by organ and use."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in ("organ", "rows", *VERDICTS, NOT_ADDRESSED, "all"):
        table.add_column(name, justify="left" if name in ("organ", "rows") else "right")
    by_use = card.counts()
    for organ in dict.fromkeys(key[0] for key in by_use):
        for group in _GROUPS:
            cell = by_use.get((organ, group))
            if cell is None:
                continue
            label = {"input": "input (not counted)", "memory": "memory (not counted)"}.get(group, group)
            counts = [str(cell.get(name, 0)) for name in (*VERDICTS, NOT_ADDRESSED)]
            table.add_row(organ, label, *counts, str(sum(cell.values())))
    return table


def misses(card: Scorecard) -> list[Score]:
    """Return the rows that count and are outside, worst first; those without a size first of all."""
    outside = [s for s in card.scores if s.target.counts and s.status in ("near", "miss")]
    return sorted(
        outside, key=lambda s: -abs(s.verdict.size) if s.verdict and math.isfinite(s.verdict.size) else -math.inf
    )


def full_report(card: Scorecard, verbose: bool = False) -> RenderableType:
    """Return the table, what is not addressed and why, the counts and the rule.

    Parameters
    ----------
    verbose
        Whether to print set-up, note and source of every row too.
    """
    done = [score for score in card.scores if score.target.addressed]
    parts: list[RenderableType] = [rows_table(done)] if done else []
    open_rows = [score for score in card.scores if not score.target.addressed]
    if open_rows:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        for name in ("id", "not addressed here", "target", "why not"):
            table.add_column(name, overflow="fold", no_wrap=name == "id", min_width=8)
        for score in open_rows:
            table.add_row(score.target.id, _what(score.target), _with_unit(score.target), score.target.reason)
        parts.append(table)
    if verbose:
        parts += [_details(score) for score in card.scores]
    parts.append(counts_table(card))
    parts += _worst(card)
    parts.append(Text(RULE, style="dim"))
    parts.append(Text("use: fit, val(idation), inp(ut), mem(ory)", style="dim"))
    parts.append(Text(f"simulated in {card.seconds:.1f} s", style="dim"))
    return Group(*parts)


def _worst(card: Scorecard, most: int = 10) -> list[RenderableType]:
    """Return the largest misses of validation, where there are more rows than one sees at a glance."""
    worst = [s for s in misses(card) if s.target.use == "validation" and s.verdict and math.isfinite(s.verdict.size)]
    if len(card.scores) <= 2 * most or not worst:
        return []
    lines = [
        f"  {s.target.organ}/{s.target.id}: {s.target.quantity}, {scorecard_number(s.model or 0.0)} for {_with_unit(s.target)} "
        f"({size_text(s)} half-widths)"
        for s in worst[:most]
    ]
    return [Text("largest misses of validation", style="bold"), Text("\n".join(lines)), Text("")]


def _details(score: Score) -> RenderableType:
    target = score.target
    text = Text.assemble((f"{target.id}  ", "bold"), target.quantity, ", ", target.scenario)
    for name, value in (
        ("set-up", score.assumptions),
        ("note", target.note),
        ("why not", target.reason),
        ("source", f"{target.source or 'none'} ({target.tag})"),
    ):
        if value:
            text.append(f"\n    {name:<8}", style="dim")
            text.append(value)
    return text


def csv_text(card: Scorecard) -> str:
    """Return the scorecard as CSV, one row per target; missing numbers are empty."""
    rows = [score.as_dict() for score in card.scores]
    finite = [{k: "" if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()} for row in rows]
    return rows_as_csv(list(rows[0]) if rows else ["id"], finite)
