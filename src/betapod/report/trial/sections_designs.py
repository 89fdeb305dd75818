"""What was simulated, what each design reports, and how much evidence that is: the first sections of a trial report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...trials.conduct.parts_of_change import PARTS
from ...trials.operating.sizing import NULL
from ...trials.protocol.analysis_keys import SLOPES
from ..common import words
from ..common.document import Section, Table
from ..common.drawing import Drawing, slug
from . import estimates
from . import trial_figures_designs as draw

if TYPE_CHECKING:
    import pandas as pd

    from ...trials.operating.result_tables import Assessment


def kept(*drawings: Drawing | None) -> list[Drawing]:
    """Return the drawings that exist."""
    return [drawing for drawing in drawings if drawing is not None]


def arms_of(assessment: Assessment, design: str) -> list[str]:
    """Return the groups of a design."""
    return list(assessment.protocol.designs[design].arms)


def supposed(assessment: Assessment, design: str) -> tuple[list[str], bool]:
    """Return the scenarios that make a difference in a design, and whether they are to be named: only where cells are given."""
    arms = arms_of(assessment, design)
    return words.scenarios(assessment, *arms), words.has_cells(assessment, *arms)


def simulated(assessment: Assessment) -> Section:
    """Return what was simulated."""
    p = assessment.protocol
    paragraphs = [p.summary] if p.summary else []
    called = {visit.name: f"day {visit.day:g}".replace("-", words.MINUS) for visit in p.visits}
    days = ", ".join(name if name == day else f"{name} ({day})" for name, day in called.items())
    names = words.scenarios(assessment)
    under = " under each scenario about the cells" if words.has_cells(assessment) and len(names) > 1 else ""
    same = f", with the same virtual patients and random numbers{' each time' if under else ' in every group'}"
    paragraphs.append(
        f"{'Each design' if len(p.designs) > 1 else 'The trial'} was run {words.thousands(assessment.replicates)} times{under}{same}. "
        f"Visits: {days}. Primary endpoint: {p.endpoints.primary.name or estimates.primary(assessment, next(iter(p.designs))).what}."
    )
    scenarios = [
        f"{words.capital(words.scenario(name))} ({words.scenario_short(name)} in the figures)."
        for name in names
        if words.has_cells(assessment)
    ]
    rows = []
    for name, design in p.designs.items():
        groups = "; ".join(
            f"{words.arm(assessment, arm)} ({share})" if len(design.arms) > 1 else words.arm(assessment, arm)
            for arm, share in design.arms.items()
        )
        rows.append([words.capital(design.label or name), groups, str(p.size(name)), _flow(assessment, name)])
    ratio = (
        " In brackets: allocation ratio."
        if any(len(design_keys.arms) > 1 for design_keys in p.designs.values())
        else ""
    )
    table = Table(
        f"{'Designs' if len(rows) > 1 else 'Design'}.{ratio} Lost: drop-out and death before the last visit.",
        ["design", "groups", "patients", "lost"],
        rows,
        2,
    )
    return Section("simulated", "What was simulated", paragraphs, items=scenarios, tables=[table])


def _flow(assessment: Assessment, design: str) -> str:
    rows = assessment.flow[(assessment.flow["design"] == design)]
    return words.percent_text(1 - float(rows["completed"].iloc[0])) if len(rows) else "\u2013"


def uncontrolled(assessment: Assessment, design: str) -> Section:
    """Return what a design with one group reports."""
    arm = arms_of(assessment, design)[0]
    names, named = supposed(assessment, design)
    scale = estimates.primary(assessment, design)
    results = [(h, r) for h in names if (r := assessment.result(design, h))]
    null = assessment.result(design, NULL)
    paragraphs = []
    if null and named:
        paragraphs.append(
            "The study compares every patient with the patient's own baseline. What it finds if the cells do no good, it would find "
            "without them."
        )
    paragraphs.append(_parts_in_words(assessment, design, arm))
    tested = any(math.isfinite(r["improved"]) for _, r in results)
    truth = next((words.truth_label(r.get("truth_of", "")) for _, r in results if math.isfinite(r["truth"])), "")
    header = [
        *(["scenario"] if named else []),
        "mean" if scale.share else f"mean {scale.summary if scale.summary in SLOPES else 'change'}",
        "95 % of studies",
        *(["significant improvement"] if tested else []),
        *([truth] if truth else []),
    ]
    rows = [
        [
            *([words.capital(words.scenario(h))] if named else []),
            scale.text(r["mean"]),
            scale.range(r["low"], r["high"]),
            *([words.percent_text(r["improved"])] if tested else []),
            *([scale.text(r["truth"])] if truth else []),
        ]
        for h, r in results
    ]
    against = "" if scale.share else " against baseline"
    table = Table(
        f"{words.capital(scale.what)} {words.at_visit(scale.summary, assessment.visit)}{against}, over "
        f"{words.counted(assessment.replicates, 'study', 'studies')} of {words.counted(assessment.protocol.size(design), 'patient')}."
        + (
            " Significant improvement: two-sided p below 0.05 in the direction of benefit (paired t test)."
            if tested
            else ""
        ),
        header,
        rows,
        1 if named else 0,
    )
    waterfalls = [draw.waterfall(assessment, design, h) for h in names if h in (NULL, names[-1])]
    figures = kept(
        draw.draw_studies(assessment, design),
        draw.draw_course(assessment, design, arm, assessment.code),
        draw.draw_change_parts(assessment, design, arm) if _split(assessment) else None,
        *(waterfalls if _split(assessment) else ()),
        draw.draw_course(assessment, design, arm, "EGFR") if assessment.code != "EGFR" else None,
    )
    return Section(
        f"design-{slug(design)}",
        f"{words.capital(words.design(assessment, design))}: what it would report",
        [text for text in paragraphs if text],
        figures,
        [table, *_parts_table(assessment, design, arm)],
    )


def _split(assessment: Assessment) -> bool:
    """Whether the primary endpoint is a change at a visit, which alone has parts."""
    return assessment.protocol.endpoints.primary.summary in ("change", "ratio")


def _parts_of(assessment: Assessment, design: str, arm: str) -> pd.DataFrame:
    table = assessment.parts
    if table.empty or not _split(assessment):
        return table.iloc[:0]
    return table[(table["design"] == design) & (table["arm"] == arm) & (table["stratum"] == "all")]


def _parts_in_words(assessment: Assessment, design: str, arm: str) -> str:
    names, named = supposed(assessment, design)
    if named and NULL not in names:
        return ""
    table = _parts_of(assessment, design, arm)
    scenario = NULL if named else names[0]
    value = (
        {r["part"]: r["mean"] for r in table[table["scenario"] == scenario].to_dict("records")} if len(table) else {}
    )
    if not math.isfinite(value.get("observed change", math.nan)):
        return ""
    largest = sorted((name for name in PARTS if abs(value[name]) > 0.005), key=lambda name: -abs(value[name]))
    if not largest:
        return ""
    pieces = [
        f"{words.part(assessment, name)} ({_meaning(assessment, name)}) {words.change(assessment.code, value[name])}"
        for name in largest
    ]
    lead = "If cells do no good, the" if named else "The"
    return f"{lead} mean change of {words.change(assessment.code, value['observed change'])} consists of: {'; '.join(pieces)}."


def _meaning(assessment: Assessment, name: str) -> str:
    return "what the protocol gives" if words.part(assessment, name) != name else PARTS[name]


def _parts_table(assessment: Assessment, design: str, arm: str) -> list[Table]:
    part = _parts_of(assessment, design, arm)
    names, named = supposed(assessment, design)
    value = {(r["scenario"], r["part"]): r for r in part.to_dict("records")} if len(part) else {}
    names = [h for h in names if math.isfinite(value.get((h, "observed change"), {}).get("mean", math.nan))]
    rows = []
    for name in [*PARTS, "observed change"]:
        cells = [value[h, name] for h in names]
        if all(abs(c["mean"]) < 5e-4 for c in cells):
            continue
        shares = [f"{words.change(assessment.code, c['mean'])} ({_share(c['share'])})" for c in cells]
        rows.append([words.capital(words.part(assessment, name)), *shares])
    if not rows:
        return []
    note = " Percentages multiply; shares are those of the logarithm." if words.is_log(assessment.code) else ""
    return [
        Table(
            f"Parts of the mean observed change, and the share of each.{note} A part with a negative share counteracts the others.",
            ["part", *(words.scenario_short(h) if named else "change (share)" for h in names)],
            rows,
        )
    ]


def _share(value: float) -> str:
    return f"{words.written_number(100 * value, 0)}\u00a0%" if math.isfinite(value) else "\u2013"


def evidence_section(assessment: Assessment) -> Section | None:
    """Return how much evidence reports are, for designs in which cells are given."""
    rows = [
        [
            words.capital(words.design(assessment, r["design"])) + words.first_of_several(assessment, r["design"]),
            words.scenario(r["scenario"]),
            words.percent_text(r["reported_if_true"]),
            words.percent_text(r["reported_if_nothing"]),
            f"{words.ratio_text(r['ratio'])} ({words.ratio_text(r['ratio_low'])}\u2013{words.ratio_text(r['ratio_high'])})",
            r["words"],
            _much(r["ratio_of_typical"]),
        ]
        for r in evidence_rows(assessment)
    ]
    if not rows:
        return None
    table = Table(
        "Probability of a report of significant improvement under the scenario and if the cells do no good; likelihood ratio of the two "
        "with its 95 % Monte Carlo interval. Last column: likelihood ratio of a report that gives the change itself, for the median "
        "result under the scenario.",
        [
            "design",
            "scenario",
            "under the scenario",
            "if cells do no good",
            "likelihood ratio",
            "strength",
            "ratio with the size given",
        ],
        rows,
        2,
    )
    return Section(
        "evidence",
        "The strength of such reports as evidence",
        [
            "A result supports a scenario to the extent that it is more probable under it than if the cells do no good. A likelihood ratio "
            "of 1 is no evidence, below 3 very weak evidence, from 10 moderate evidence. The ratios hold where every result is reported: "
            "where only improvements are published, a report of improvement is weaker evidence still."
        ],
        tables=[table],
    )


def evidence_rows(assessment: Assessment) -> list[dict[str, Any]]:
    """Return the rows of the evidence whose design gives cells and whose ratio is a number."""
    if assessment.evidence.empty:
        return []
    rows = [{str(k): v for k, v in row.items()} for row in assessment.evidence.to_dict("records")]
    return [
        r for r in rows if math.isfinite(r["ratio"]) and words.has_cells(assessment, *arms_of(assessment, r["design"]))
    ]


def _much(ratio: float) -> str:
    return "over 100" if ratio >= 100 else "under 0.01" if ratio <= 0.01 else words.ratio_text(ratio)
