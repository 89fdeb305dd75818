"""Tables of the page of the installed fit, written from its record: ``python tests/support/fit_document.py`` writes them anew between their marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from betapod.calibration.fit_summary import WHENS
from betapod.calibration.identifiability import ALIKE, STAYED
from betapod.evidence.records.registry import load_registry
from betapod.physiology.installed_fits import FitRecord, list_fits, load_fit
from betapod.report.fit.fit_contents import on_natural_scale
from betapod.therapies.scenarios import CURRENT_EVIDENCE
from betapod.trust.trust_rows import trust_rows

NAME = list_fits()[-1]
PAGE = Path(__file__).parents[2] / "docs" / "background" / f"fit-{NAME}.md"
Flags = NDArray[np.bool_]
#: Families and rows in the table of the largest misses.
_FAMILIES, _ROWS_OF_FAMILY = 24, 3
#: Unknowns that are named first.
_NAMED = 20
_NOMINALS = (0.5, 0.8, 0.9, 0.95)


def sections(record: FitRecord) -> dict[str, str]:
    """Return what stands between the marks of the page, by their name."""
    return {
        "coverage": coverage(record),
        "trust": trust(),
        "left out": left_out(record),
        "identified": identified(record),
        "misses": misses(record),
        "stages": stages(record),
        "choices": choices(record),
    }


def written(page: str, record: FitRecord) -> str:
    """Return the page with every part between marks as the record has it.

    Raises
    ------
    ValueError
        The page lacks a mark.
    """
    for name, text in sections(record).items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        if not marks.search(page):
            raise ValueError(f"the page has no marks {name!r}")
        page = marks.sub(lambda found, text=text: found[1] + text + found[2], page, count=1)  # type: ignore[misc]
    return page


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def share(inside: Any) -> str:
    """Return a share in per cent."""
    return f"{100 * float(np.mean(inside)):.0f} %" if len(inside) else "-"


def coverage(record: FitRecord) -> str:
    """Shares inside the 90 % interval: rows, and mean over families."""
    rows = record.rows
    published = np.isin(rows["record"].astype(str), [row.id for row in load_registry().select()])
    sets = [
        of & record.compared for of in (rows["fitted"] & published, ~rows["fitted"] & published, rows["fitted"], ~rows["fitted"])
    ]  # fmt: skip

    def cell(of: Flags, when: str) -> str:
        inside, families = rows[f"inside_{when}"][of].astype(float), rows["family"][of].astype(str)
        return f"{share(inside)} ({share([inside[families == name].mean() for name in sorted(set(families))])})"

    counts = [f"{int(of.sum())}, {len(set(rows['family'][of]))}" for of in sets]
    heads = (
        "",
        "published numbers, fitted",
        "published numbers, set aside",
        "all with real people, fitted",
        "all, set aside",
    )
    return table(heads, [["rows, families", *counts], *([text, *(cell(of, when) for of in sets)] for when, text in WHENS.items())])  # fmt: skip


def trust() -> str:
    """The same question with sixty people a group, as the package's table of trust has it."""
    lines = []
    for title, fitted in (
        ("that this fit, or hands before it, were fitted to", True),
        ("that nothing was fitted to", False),
    ):
        rows = [row for row in trust_rows() if row.fitted == fitted and row.scenario in ("", CURRENT_EVIDENCE)]
        inside = [sum(getattr(row, name) for row in rows) for name in ("inside", "inside_all")]
        widths = [
            float(np.median([row.width for row in rows if row.scale == scale])) for scale in ("log", "share", "linear")
        ]
        lines.append([
            f"{len(rows)} {title}", *(f"{count} ({share([count / len(rows)])})" for count in inside),
            f"x{widths[0]:.2g}, {widths[1]:.2g}, {widths[2]:.2g}",
        ])  # fmt: skip
    heads = (
        "numbers",
        "with parameters",
        "with what the model lacks",
        "median width with parameters: ratios, shares, others (x the number)",
    )
    return table(heads, lines)


def left_out(record: FitRecord) -> str:
    """Coverage of each family by the fit without it, at four widths."""
    of = record.table("coverage.csv")

    def line(title: str, group: str, when: str, parameters: bool, discrepancy: bool) -> list[str]:
        keep = (of["set"] == group) & (of["by"] == "rows") & (of["when"] == when)
        keep &= (of["parameters"] == parameters) & (of["discrepancy"] == discrepancy)
        at = [np.flatnonzero(keep & (of["nominal"] == nominal)) for nominal in _NOMINALS]
        cells = [f"{100 * of['actual'][k[0]]:.0f} %" for k in at]
        return [title, *cells, f"{of['median_width'][at[2][0]]:.1f}", str(int(of["count"][at[2][0]]))]

    rows = [
        line("before, error alone", "fitted", "before", False, False),
        line("before, with what the model lacks", "fitted", "before", False, True),
        line("left out, error alone", "left out", "after", False, False),
        line("left out, with parameters", "left out", "after", True, False),
        line("left out, with parameters and what the model lacks", "left out", "after", True, True),
    ]
    heads = (
        "nominal",
        *(f"{100 * nominal:g} %" for nominal in _NOMINALS),
        "median width of the 90 %, in errors of the row",
        "rows",
    )
    return table(heads, rows)


def identified(record: FitRecord) -> str:
    """Which unknowns the evidence speaks to, which pairs it cannot tell apart, which stayed at their prior."""
    unknowns = sorted(record.unknowns, key=lambda unknown: -unknown.contraction)
    spoken = [unknown for unknown in unknowns if unknown.contraction >= STAYED]
    named = ", ".join(
        f"{unknown.label or unknown.name} (`{unknown.name}`) {unknown.contraction:.2f}" for unknown in spoken[:_NAMED]
    )
    sd = np.sqrt(np.diag(record.covariance))
    correlation = record.covariance / np.outer(sd, sd)
    pairs = [
        f"`{record.names[i]}` and `{record.names[k]}` ({correlation[i, k]:.2f})"
        for i, k in zip(*np.triu_indices(len(sd), 1), strict=True)
        if abs(correlation[i, k]) >= ALIKE
    ]
    stayed = ", ".join(f"`{unknown.name}`" for unknown in unknowns if unknown.contraction < STAYED)
    return "\n".join([
        f"**Which numbers the evidence speaks to** (1 less posterior SD over prior SD; {len(spoken)} of {len(unknowns)} by a tenth or more; the first {_NAMED}): {named}.",
        f"**Pairs that cannot be told apart** (posterior correlation of {ALIKE} or more): {'; '.join(pairs) or 'none'}.",
        f"**Stayed at their prior**: {stayed or 'none'}.",
    ])  # fmt: skip


def misses(record: FitRecord) -> str:
    """Families whose rows lie farthest from their prediction, in SDs of error and parameters."""
    rows = record.rows
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = (rows["observed"] - rows["mean"]) / np.hypot(rows["se"], rows["sd_parameters"])
    distance = np.where(np.isfinite(distance), distance, 0.0)
    beyond = int(np.sum(record.compared & ~rows["inside_parameters"].astype(bool)))
    order = sorted(set(map(str, rows["family"])), key=lambda family: -np.abs(distance[rows["family"] == family]).max())
    lines = []
    for family in order[:_FAMILIES]:
        index = np.flatnonzero(rows["family"] == family)
        worst = index[np.argsort(-np.abs(distance[index]), kind="stable")][:_ROWS_OF_FAMILY]
        found = [_natural(rows, k) for k in worst]
        known = "set aside" if not rows["fitted"][index].any() else "fitted"
        lines.append([
            f"{', '.join(str(rows['record'][k]) for k in worst)}", ", ".join(dict.fromkeys(str(rows["endpoint"][k]) for k in worst)),
            "; ".join(found), f"{abs(distance[worst[0]]):.1f}", known,
        ])  # fmt: skip
    compared = int(record.compared.sum())
    intro = f"Of {compared} rows {beyond} lie beyond their interval with parameters. The {_FAMILIES} families that miss most (up to {_ROWS_OF_FAMILY} rows of each; distance of the farthest in SDs of error and parameters together; predicted: mean of the draws):\n\n"
    return intro + table(("rows", "endpoint", "predicted for observed", "distance", "set"), lines)


def _natural(rows: Any, k: int) -> str:
    """Return predicted for observed: shares in per cent, ratios as factors, else in the unit."""
    scale, unit = str(rows["scale"][k]), str(rows["unit"][k])
    pair = [
        on_natural_scale(scale, float(rows[column][k])) * (100.0 if scale == "angle" else 1.0)
        for column in ("mean", "observed")
    ]
    is_ratio = scale == "log" and str(rows["class"][k]) in ("ratio", "event ratio")
    mean, observed = (("×" if is_ratio else "") + f"{number:.3g}".replace("-", "−") for number in pair)
    shown = "" if is_ratio else " %" if scale == "angle" else "" if unit == "1" else f" {unit}"
    return f"{mean} for {observed}{shown}"


def stages(record: FitRecord) -> str:
    """Evaluations, processor time, loss and draws of each stage."""
    trace, seconds = record.table("trace.csv"), record.identity["processor_seconds"]
    lines = []
    for stage in record.identity["stages"]:
        name = stage["name"]
        of = trace["stage"] == name if "stage" in trace else np.ones(len(trace["loss"]), dtype=bool)
        losses = [float(x) for x in trace["loss"][of]]
        worth = (
            stage["effective draws by round"][-1] if stage["draws of the linear model"] else stage["effective draws"]
        )
        lines.append([
            name, str(len(stage["unknowns"])), f"{seconds.get(name, 0.0):.0f} s", f"{losses[0]:.1f} to {losses[-1]:.1f}", f"{stage['loss in the middle of the posterior']:.1f}",
            "yes" if stage["converged"] else "no", f"{worth:.1f}", "linear model" if stage["draws of the linear model"] else "weighted",
        ])  # fmt: skip
    lines.append(["all rows under 16 draws", "", f"{seconds.get('all stages', 0.0):.0f} s", "", "", "", "", ""])
    heads = (
        "stage",
        "unknowns",
        "processor time",
        "loss, first to last",
        "loss at central values",
        "converged",
        "64 weighted draws are worth",
        "draws",
    )
    return table(heads, lines)


def choices(record: FitRecord) -> str:
    """Unknowns that other choices of the likelihood move most."""
    of = record.table("choices.csv")
    names = [name for name in of if name not in ("stage", "unknown", "unit", "fitted", "moved")]
    order = np.argsort(-of["moved"], kind="stable")[:10]
    rows = [
        [f"`{of['unknown'][k]}` ({of['stage'][k]})", *(f"{of[name][k]:.3g}" for name in ("fitted", *names)), f"{of['moved'][k]:.1f}"]
        for k in order
    ]  # fmt: skip
    far = int(np.sum(of["moved"] > 1.0))
    intro = f"Under other choices of the likelihood (linear at the fit, discrepancy not estimated anew) {far} of {len(of['moved'])} unknowns move by more than one SD of the posterior, half of all by less than {np.median(of['moved']):.2f}:\n\n"
    return intro + table(("unknown (stage)", "fitted", *names, "largest shift in SDs"), rows)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), load_fit(NAME)), encoding="utf-8")
