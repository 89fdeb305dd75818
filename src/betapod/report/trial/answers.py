"""The short answers of a trial report: questions that a reader has, answered with the numbers of the run.

Every sentence stands on a condition that is computed from the run; what the protocol does not have is not spoken of.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...observables.quantities import code_of
from ...trials.analysis.endpoints import comparisons
from ...trials.operating.sizing import AS_WRITTEN, BETTER_MEASURED, NULL
from ...trials.protocol.analysis_keys import SLOPES
from ..common import words
from . import answers_strata, estimates
from .sections_designs import evidence_rows

if TYPE_CHECKING:
    from ...trials.operating.attribution import Attribution
    from ...trials.operating.result_tables import Assessment


def answer_questions(assessment: Assessment, shares: list[Attribution]) -> list[tuple[str, str]]:
    """Return the questions that the run answers, with their answers."""
    pairs = [
        *_uncontrolled(assessment),
        *_evidence(assessment),
        *_controlled(assessment),
        *_able(assessment),
        *answers_strata.answer_strata(assessment, shares),
    ]
    return pairs or [("What came out?", primary_endpoint_answer(assessment))]


def primary_endpoint_answer(assessment: Assessment) -> str:
    """Say what the primary endpoint of the first design came to, under every scenario about its cells."""
    first = assessment.results.iloc[0].to_dict()
    name, design = words.capital(first["endpoint"]), str(first["design"])
    arms = assessment.protocol.designs[design].arms
    rows = {
        h: row
        for h in words.scenarios(assessment, *arms)
        if (row := assessment.result(design, h)) and math.isfinite(row["mean"])
    }
    if not rows:
        return f"{name} cannot be estimated: nothing was measured, or nobody is left to compare."
    pieces = []
    for scenario, row in rows.items():
        scale = estimates.of_row(row)
        supposed = f" if {words.scenario(scenario)}" if words.has_cells(assessment, *arms) else ""
        pieces.append(
            f"{scale.text(row['mean'])}{supposed} (95 % of replicates: {scale.range(row['low'], row['high'])})"
        )
    return f"{name}, on average over {words.counted(assessment.replicates, 'replicate')}: {'; '.join(pieces)}."


def primary_quantity(assessment: Assessment) -> str:
    """Return the primary quantity in words."""
    return words.short_name(assessment.code)


def _uncontrolled(assessment: Assessment) -> list[tuple[str, str]]:
    if not assessment.single:
        return []
    design = assessment.single[0]
    arms = list(assessment.protocol.designs[design].arms)
    named = words.has_cells(assessment, *arms)
    names = words.scenarios(assessment, *arms)
    scenario = NULL if named else names[0]
    row = assessment.result(design, scenario)
    if not row or not math.isfinite(row["improved"]):
        return []
    n = assessment.protocol.size(design)
    scale = estimates.primary(assessment, design)
    lead = "Yes, often. " if row["improved"] >= 0.3 else "Sometimes. " if row["improved"] >= 0.1 else "Rarely. "
    treatment = "With cells that do no good" if named else f"With {words.arm(assessment, arms[0])}"
    text = (
        f"{lead if named else ''}{treatment}, {moved_text(assessment, scale, row['mean'])} on average (95 % of studies: "
        f"{scale.range(row['low'], row['high'])}), and {words.percent_text(row['improved'])} of such studies would report a "
        f"statistically significant improvement. "
    )
    truth = words.truth_label(row.get("truth_of", ""))
    if not named and truth and math.isfinite(row["truth"]):
        text += f"The {truth} is {scale.text(row['truth'])}. "
    chance = regression_share(assessment, design, scenario)
    if math.copysign(1, row["mean"]) == assessment.better and math.isfinite(chance) and chance >= 0.02:
        text += (
            f"Regression to the mean alone accounts for {words.percent_text(min(chance, 1.0)) if chance < 1 else 'all'} of the apparent "
            f"improvement{_selected(assessment)}."
        )
    does = " even if the cells did no good" if named else ""
    return [(f"Would a study of {words.counted(n, 'patient')} without a control group report improvement{does}?", text)]


def moved_text(assessment: Assessment, scale: estimates.Scale, mean: float) -> str:
    size = scale.text(mean).lstrip("+" + words.MINUS)
    quantity = f"the {scale.what}" if scale.summary in SLOPES else primary_quantity(assessment)
    if scale.summary in SLOPES:
        return f"{quantity} is {scale.text(mean)}"
    return f"{quantity} {'falls' if mean < 0 else 'rises'} by {size}"


def _selected(assessment: Assessment) -> str:
    """Say by which chance value patients were selected, if the primary quantity was judged at screening."""
    criteria = [
        *assessment.protocol.eligibility.items(),
        *(c for s in assessment.protocol.strata.values() for c in s.where.items()),
    ]
    primary_criteria = [criterion for name, criterion in criteria if code_of(name) == assessment.code]
    low = any(criterion.min is not None for criterion in primary_criteria)
    if not primary_criteria or low == any(criterion.max is not None for criterion in primary_criteria if not low):
        return ""
    return f": patients were enrolled when a variable laboratory value happened to be {'high' if low else 'low'}"


def regression_share(assessment: Assessment, design: str, scenario: str) -> float:
    """Return the share of the mean observed change that is regression to the mean; NaN without parts."""
    table = assessment.parts
    if table.empty or assessment.protocol.endpoints.primary.summary not in ("change", "ratio"):
        return math.nan
    keep = (table["design"] == design) & (table["scenario"] == scenario) & (table["stratum"] == "all")
    rows = table[keep & (table["part"] == "regression to the mean")]
    return float(rows["share"].iloc[0]) if len(rows) else math.nan


def _evidence(assessment: Assessment) -> list[tuple[str, str]]:
    rows = [row for row in evidence_rows(assessment) if not row["controlled"]]
    if not rows:
        return []
    pieces = [
        f"a report of improvement is {words.ratio_text(r['ratio'])} times as probable if {words.scenario(r['scenario'])} as if they do no good "
        f"(95 % interval {words.ratio_text(r['ratio_low'])} to {words.ratio_text(r['ratio_high'])}): {words.strength(r['words'])}"
        for r in rows
    ]
    text = f"{words.capital('; '.join(pieces))}. "
    strongest = max(rows, key=lambda r: r["ratio"])
    text += (
        f"A prior probability of 10 % that {words.scenario(strongest['scenario'])} becomes "
        f"{words.percent_text(strongest['belief_from_tenth'])} after such a report."
    )
    if strongest["ratio_of_typical"] > 30:
        scale = estimates.primary(assessment, strongest["design"])
        text += (
            f" A report that also gives the size of the change is stronger evidence: the typical result if "
            f"{words.scenario(strongest['scenario'])} ({scale.text(strongest['typical_result'])}) practically never occurs if cells do no good."
        )
    return [("How much evidence is a report of improvement without a control group?", text)]


def _controlled(assessment: Assessment) -> list[tuple[str, str]]:
    designs = [
        *assessment.controlled,
        *(d for d in assessment.protocol.designs if d not in assessment.controlled and d not in assessment.single),
    ]
    if not designs:
        return []
    design = designs[0]
    n = words.counted(assessment.protocol.size(design), "patient")
    tells = design in assessment.controlled
    question = (
        f"Would a randomised trial of {n} detect the effect?"
        if assessment.single and tells
        else f"What would the randomised trial of {n} find?"
    )
    pairs = comparisons(assessment.protocol, design)
    texts = [_compared(assessment, design, item.treated, str(item.control), len(pairs) > 1) for item in pairs]
    text = " ".join(item for item in texts if item)
    return [(question, text)] if text else []


def _compared(assessment: Assessment, design: str, treated: str, control: str, several: bool) -> str:
    """Say what trials find when two groups are compared."""
    table = assessment.results
    keep = (table["design"] == design) & (table["role"] == "primary") & (table["stratum"] == "all")
    keep &= (table["treated"] == treated) & (table["control"] == control)
    named = words.has_cells(assessment, treated, control)
    names = words.scenarios(assessment, treated, control)
    rows = {str(r["scenario"]): r for r in table[keep].to_dict("records") if r["scenario"] in names}
    rows = {name: row for name, row in rows.items() if math.isfinite(row["mean"])}
    if not rows:
        return (
            f"{words.capital(words.contrast(assessment, treated, control))}: not estimable; too few patients were measured or had an event."
            if several
            else ("The difference cannot be estimated: too few patients were measured or had an event.")
        )
    scale = estimates.primary(assessment, design)
    pair = f"{words.arm(assessment, treated)} with {words.arm(assessment, control)}"
    if not named:
        (row,) = rows.values()
        truth = words.truth_label(row["truth_of"]) if math.isfinite(row["truth"]) else ""
        true = f"; the {truth} is {scale.text(row['truth'])}" if truth else ""
        difference = (
            f"a {scale.ratio} of {scale.number(row['mean'])}"
            if scale.ratio
            else f"a difference of {scale.text(row['mean'])} in the {scale.what}"
        )
        benefit = (
            f" {words.percent_text(row['improved'])} of them show a significant benefit."
            if math.isfinite(row["improved"])
            else ""
        )
        return f"Trials that compare {pair} find {difference} on average (95 % of trials: {scale.range(row['low'], row['high'])}){true}.{benefit}"
    pieces = []
    if NULL in rows and math.isfinite(rows[NULL]["significant"]):
        expected = " (5 % expected)" if rows[NULL]["tests_cells"] else ""
        pieces.append(
            f"a significant difference in {words.percent_text(rows[NULL]['significant'], 1)} of trials if cells do no good{expected}"
        )
    for scenario, row in rows.items():
        if scenario == NULL or not math.isfinite(row["improved"]):
            continue
        truth = words.truth_label(row["truth_of"]) if math.isfinite(row["truth"]) else ""
        true = f" ({truth} {scale.text(row['truth'])})" if truth else ""
        pieces.append(
            f"a significant benefit in {words.percent_text(row['improved'])} if {words.scenario(scenario)}{true}"
        )
    if not pieces:
        return ""
    who = f"Trials that compare {pair} show" if several else "Such trials show"
    return f"{who} {'; '.join(pieces)}."


def _able(assessment: Assessment) -> list[tuple[str, str]]:
    rows = sizes_by_scenario(assessment, "primary")
    rows = {name: variants for name, variants in rows.items() if AS_WRITTEN in variants}
    if not rows:
        return []
    named = words.has_cells(assessment)
    able = {name: r for name, r in rows.items() if math.isfinite(float(r[AS_WRITTEN]["n"]))}
    unknown = [words.scenario(name) for name, r in rows.items() if not is_estimable(r[AS_WRITTEN])]
    unable = [words.scenario(name) for name, r in rows.items() if name not in able and is_estimable(r[AS_WRITTEN])]
    endpoint = assessment.protocol.endpoints.primary
    plain = endpoint.summary in ("change", "ratio")
    quantity = (
        primary_quantity(assessment)
        if plain
        else f"the {estimates.Scale(endpoint.summary, estimates.primary_code(assessment), True, endpoint.measure).what}"
    )
    text = ""
    if able:
        pieces = [
            needed_text(r[AS_WRITTEN]) + (f" if {words.scenario(name)}" if named else "") for name, r in able.items()
        ]
        text = f"For 80 % power on {quantity}{_of_which(assessment)} a trial needs {words.listed(pieces)}"
        better = [needed_text(r[BETTER_MEASURED]) for r in able.values() if BETTER_MEASURED in r]
        text += f"; with three samples per visit and an averaged baseline {words.listed(better)}. " if better else ". "
    if unable:
        supposed = f"if {words.listed(unable, 'or')}, " if named else ""
        text += words.capital(
            f"{supposed}there is no benefit on {quantity}{_of_which(assessment)} that a trial could detect. "
        )
    if unknown:
        supposed = f"if {words.listed(unknown, 'or')}, " if named else ""
        text += words.capital(f"{supposed}the effect on {quantity}{_of_which(assessment)} cannot be estimated. ")
    return [("How large must a trial be to detect the effect?", (text + _best_endpoint(assessment)).strip())]


def is_estimable(row: Mapping[str, Any]) -> bool:
    """Return whether a row of the sizes rests on an effect that could be estimated."""
    return math.isfinite(float(row["effect"])) and math.isfinite(float(row["error_of_effect"]))


def of_several(assessment: Assessment) -> str:
    """Return the comparison that sizes are for, in words, where its design has others; else nothing."""
    if assessment.sizes.empty:
        return ""
    row = assessment.sizes.iloc[0]
    several = len(comparisons(assessment.protocol, str(row["design"]))) > 1
    return words.contrast(assessment, str(row["treated"]), str(row["control"])) if several else ""


def _of_which(assessment: Assessment) -> str:
    pair = of_several(assessment)
    return f" ({pair})" if pair else ""


def _best_endpoint(assessment: Assessment) -> str:
    """Say which endpoint of the protocol needs fewest patients under the least optimistic scenario with an effect.

    One against which something speaks is not recommended, however few patients it needs, and the reason is given.
    """
    table = assessment.sizes
    named = words.has_cells(assessment)
    scenarios = [h for h in dict.fromkeys(table["scenario"]) if h != NULL or not named]
    if not scenarios:
        return ""
    part = table[(table["power"] == 0.8) & (table["scenario"] == scenarios[0])].dropna(subset=["n"])
    sound, doubted = part[part["caution"] == ""], part[part["caution"] != ""]
    text = ""
    if not sound.empty and len(set(part["endpoint"])) > 1:
        best = sound.loc[sound["n"].idxmin()]
        supposed = f" if {words.scenario(scenarios[0])}" if named else ""
        text = (
            f"Among the protocol's endpoints, {best['endpoint']} ({best['variant']}) needs fewest{supposed}: "
            f"{count(float(best['n']))} patients{'' if best['role'] == 'primary' else '; it answers another question than the primary one'}. "
        )
    if not doubted.empty and (sound.empty or doubted["n"].min() < sound["n"].min()):
        fewer = doubted.loc[doubted["n"].idxmin()]
        text += (
            f"{words.capital(str(fewer['endpoint']))} would need {count(float(fewer['n']))}, but it is not recommended: "
            f"{words.true_minus(words.unit(str(fewer['caution'])))}. The chronic slope, over two years or more, would be the endpoint."
        )
    return text.strip()


def sizes_by_scenario(assessment: Assessment, role: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return scenario -> variant -> row of the size for 80 % power; without the null scenario about cells."""
    by_scenario: dict[str, dict[str, dict[str, Any]]] = {}
    if assessment.sizes.empty:
        return by_scenario
    keep = (assessment.sizes["power"] == 0.8) & (assessment.sizes["role"] == role)
    if words.has_cells(assessment):
        keep &= assessment.sizes["scenario"] != NULL
    for row in assessment.sizes[keep].to_dict("records"):
        by_scenario.setdefault(str(row["scenario"]), {})[str(row["variant"])] = {str(k): v for k, v in row.items()}
    return by_scenario


def needed_text(row: dict[str, Any]) -> str:
    """Return how many patients a trial needs, in words."""
    n = float(row["n"])
    if not math.isfinite(n):
        return "more than any trial could enrol"
    return f"{count(n)} patients"


def count(n: float) -> str:
    """Return a number of patients: rounded where it is large, since it rests on simulation."""
    if n >= 100_000:
        return f"over 100{words.NARROW}000"
    rounded = round(n, -2) if n >= 1000 else n
    return f"{int(rounded):,}".replace(",", words.NARROW)
