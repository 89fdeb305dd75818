"""The short answer on two strata: which gains more, by what is counted, and by which mechanism."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ...trials.analysis.endpoints import comparisons
from ...trials.operating.sizing import NULL
from ..common import words
from . import estimates

if TYPE_CHECKING:
    from ...trials.operating.attribution import Attribution
    from ...trials.operating.result_tables import Assessment

#: Difference of shares from which one stratum is said to be ahead.
_NOTABLE = 0.03
_KIDNEY = ("UACR", "EGFR", "CREAT", "BUN")


def answer_strata(assessment: Assessment, shares: list[Attribution]) -> list[tuple[str, str]]:
    """Return the question and answer on two strata; nothing for other numbers of them, or where no true effect is known."""
    strata = list(assessment.protocol.strata)
    if len(strata) != 2:
        return []
    design = [*assessment.single, *assessment.controlled, *assessment.protocol.designs][0]
    treated = comparisons(assessment.protocol, design)[0].treated
    first, second = strata
    arms = list(assessment.protocol.designs[design].arms)
    named = words.has_cells(assessment, *arms)
    scale = estimates.primary(assessment, design)
    pieces = []
    for scenario in words.scenarios(assessment, *arms):
        rows = [assessment.result(design, scenario, name) for name in strata]
        if (named and scenario == NULL) or not all(rows) or not all(math.isfinite(r["truth"]) for r in rows):
            continue
        label = words.truth_label(rows[0]["truth_of"])
        lead = f"if {words.scenario(scenario)}, the" if named else "the"
        pieces.append(
            f"{lead} {label} is {scale.text(rows[0]['truth'])} in {first} and {scale.text(rows[1]['truth'])} in {second}"
        )
    if not pieces:
        return []
    text = f"{_verdict(assessment, design, treated, first, second, named)}{words.capital('; '.join(pieces))}. "
    text += _remission(assessment, design, treated, first, second)
    text += _why(assessment, shares, first, second)
    return [(f"Which stratum gains more, {first} or {second}{', and why' if shares else ''}?", text.strip())]


def _verdict(assessment: Assessment, design: str, treated: str, first: str, second: str, named: bool) -> str:
    """Say in one sentence which stratum gains more, by the size of the effect and by how many reach normal albuminuria because of the cells."""
    name = words.scenarios(assessment, *assessment.protocol.designs[design].arms)[-1]
    rows = [assessment.result(design, name, stratum) for stratum in (first, second)]
    if (named and name == NULL) or not all(rows) or not all(math.isfinite(r["truth"]) for r in rows):
        return ""
    direction = 1 if assessment.better > 0 else -1
    gains = [direction * row["truth"] for row in rows]
    if max(gains) <= 0:
        return "Neither gains. "
    size = first if gains[0] > gains[1] else second
    normal = (
        _because(assessment, design, treated, name, (first, second))
        if named and words.has_cells(assessment, treated)
        else None
    )
    if normal is None or abs(normal[0] - normal[1]) < 1e-9:
        return f"{words.capital(size)}, by the size of the effect. "
    ends = first if normal[0] > normal[1] else second
    if size == ends:
        return f"{words.capital(size)}, by the size of the effect and by how many reach normal albuminuria because of the cells. "
    return f"By the size of the effect, {size}; by how many reach normal albuminuria because of the cells, {ends}. "


def _because(
    assessment: Assessment, design: str, treated: str, name: str, strata: tuple[str, str]
) -> list[float] | None:
    """Return how many more end with normal albuminuria than if cells do no good, in each stratum."""
    if assessment.remission.empty:
        return None
    table = assessment.remission[(assessment.remission["design"] == design) & (assessment.remission["arm"] == treated)]
    value = {(r["scenario"], r["stratum"]): float(r["true"]) for r in table.to_dict("records")}
    gains = [value.get((name, s), math.nan) - value.get((NULL, s), math.nan) for s in strata]
    return gains if all(math.isfinite(x) for x in gains) else None


def _remission(assessment: Assessment, design: str, treated: str, first: str, second: str) -> str:
    if assessment.remission.empty or not words.has_cells(assessment, treated):
        return ""
    table = assessment.remission[(assessment.remission["design"] == design) & (assessment.remission["arm"] == treated)]
    value = {(r["scenario"], r["stratum"]): float(r["measured"]) for r in table.to_dict("records")}
    names = words.scenarios(assessment, treated)
    strata = (first, second)
    if NULL not in names or not all(math.isfinite(value.get((NULL, s), math.nan)) for s in strata):
        return ""
    shares = [value[NULL, s] for s in strata]
    text = (
        f"Even if cells do no good, albuminuria is measured as normal at the end in {words.percent_text(shares[0])} of {first} and "
        f"{words.percent_text(shares[1])} of {second} patients"
    )
    if assessment.single and abs(shares[0] - shares[1]) >= _NOTABLE:
        ahead = first if shares[0] > shares[1] else second
        text += f", so a comparison of the two without a control group favours {ahead} whatever the cells do{_nearer(assessment, design, ahead, strata)}"
    last = names[-1]
    claimed = [value.get((last, s), math.nan) for s in strata]
    if last != NULL and all(math.isfinite(x) for x in claimed):
        text += f". If {words.scenario(last)}, these shares are {words.percent_text(claimed[0])} and {words.percent_text(claimed[1])}"
    return f"{text}. "


def _nearer(assessment: Assessment, design: str, ahead: str, strata: tuple[str, str]) -> str:
    """Say that one stratum starts nearer to normal, if it does."""
    table = assessment.baseline
    if table.empty:
        return ""
    rows = table[(table["design"] == design) & (table["quantity"] == "UACR")]
    middle = {str(r["stratum"]): float(r["median"]) for r in rows.to_dict("records")}
    if not all(s in middle for s in strata) or middle[ahead] != min(middle[s] for s in strata):
        return ""
    return f": these patients start nearer to normal (median UACR {words.written_number(middle[ahead])} mg/g)"


def _why(assessment: Assessment, shares: list[Attribution], first: str, second: str) -> str:
    for attribution in reversed(shares):
        if attribution.table.empty:
            continue
        rows = {
            s: attribution.table[attribution.table["stratum"] == s].set_index("mechanism")["share"]
            for s in (first, second)
        }
        if any(len(r) == 0 or not (r.abs() > 1e-9).any() for r in rows.values()):
            continue
        best = {s: str(r.abs().idxmax()) for s, r in rows.items()}
        labels = {s: words.MECHANISMS.get(name, name).partition(":")[0] for s, name in best.items()}
        where = "in both" if best[first] == best[second] else f"in {first}, {labels[second]} in {second}"
        lost = (
            "; nephrons once lost return in the model only if cells do all that is claimed for them"
            if assessment.code in _KIDNEY
            else ""
        )
        return f"In the model most of the effect comes from {labels[first]} {where}{lost}."
    return ""
