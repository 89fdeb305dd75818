"""What was simulated, what each design reports, and how much evidence that is: the first sections of a trial report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..trials.data import PARTS
from ..trials.sizing import NULL
from . import trial_figures_designs as draw
from . import words
from .document import Section, Table
from .drawing import Drawing, slug

if TYPE_CHECKING:
    from ..trials.assessment import Assessment


def kept(*drawings: Drawing | None) -> list[Drawing]:
    """Return the drawings that exist."""
    return [each for each in drawings if each is not None]


def hypotheses(a: Assessment) -> list[str]:
    """Return the suppositions about the cells, in the order of the protocol."""
    return list(dict.fromkeys(str(name) for name in a.results["hypothesis"]))


def arms_of(a: Assessment, design: str) -> list[str]:
    """Return the groups of a design."""
    return list(a.protocol.designs[design].arms)


def simulated(a: Assessment) -> Section:
    """Return what was simulated."""
    p = a.protocol
    paragraphs = [p.summary] if p.summary else []
    days = ", ".join(f"{visit.name} (day {visit.day:g})".replace("-", words.MINUS) for visit in p.visits)
    paragraphs.append(
        f"Each design was run {words.thousands(a.replicates)} times under each supposition about the cells, with the same virtual patients "
        f"and the same luck. Visits: {days}. Primary endpoint: {p.endpoints.primary.name or a.code}."
    )
    suppositions = [
        f"{words.capital(words.hypothesis(name))} ({words.hypothesis_short(name)} in the figures)."
        for name in hypotheses(a)
    ]
    rows = []
    for name, design in p.designs.items():
        groups = "; ".join(
            f"{words.arm(a, arm)} ({share})" if len(design.arms) > 1 else words.arm(a, arm)
            for arm, share in design.arms.items()
        )
        rows.append([words.capital(design.label or name), groups, str(p.size(name)), _flow(a, name)])
    table = Table(
        "Designs. In brackets: allocation ratio. Lost: drop-out and death before the last visit.",
        ["design", "groups", "patients", "lost"],
        rows,
        2,
    )
    return Section("simulated", "What was simulated", paragraphs, items=suppositions, tables=[table])


def _flow(a: Assessment, design: str) -> str:
    rows = a.flow[(a.flow["design"] == design)]
    return words.percent(1 - float(rows["completed"].iloc[0])) if len(rows) else "\u2013"


def uncontrolled(a: Assessment, design: str) -> Section:
    """Return what a design with one group reports."""
    arm = arms_of(a, design)[0]
    null = a.result(design, NULL)
    paragraphs = []
    if null and a.protocol.arms[arm].cells is not None:
        paragraphs.append(
            "The study compares everybody with their own baseline. What it finds when the cells do nothing is what it would find "
            "anyway."
        )
        paragraphs.append(_parts_in_words(a, design, arm))
    rows = [
        [
            words.capital(words.hypothesis(h)),
            words.estimated(a, r["mean"]),
            words.estimated_range(a, r["low"], r["high"]),
            words.percent(r["improved"]),
            words.estimated(a, r["truth"]),
        ]
        for h in hypotheses(a)
        if (r := a.result(design, h))
    ]
    table = Table(
        f"Change of {words.named(a.code)} at {a.visit} against baseline, over {words.thousands(a.replicates)} studies of {a.protocol.size(design)}. "
        "Improvement: p below 0.05 in the good direction (paired t test).",
        ["if", "mean change", "95 % of studies", "report improvement", "true effect of cells"],
        rows,
    )
    waterfalls = [draw.waterfall(a, design, h) for h in hypotheses(a) if h in (NULL, hypotheses(a)[-1])]
    figures = kept(
        draw.studies(a, design),
        draw.course(a, design, arm, a.code),
        draw.parts(a, design, arm),
        *waterfalls,
        draw.course(a, design, arm, "EGFR") if a.code != "EGFR" else None,
    )
    return Section(
        f"design-{slug(design)}",
        f"{words.capital(words.design(a, design))}: what it would report",
        [text for text in paragraphs if text],
        figures,
        [table, *_parts_table(a, design, arm)],
    )


def _parts_in_words(a: Assessment, design: str, arm: str) -> str:
    table = a.parts
    if table.empty:
        return ""
    rows = table[
        (table["design"] == design)
        & (table["arm"] == arm)
        & (table["stratum"] == "all")
        & (table["hypothesis"] == NULL)
    ]
    value = {r["part"]: r["mean"] for r in rows.to_dict("records")}
    if not value:
        return ""
    shown = sorted((name for name in PARTS if abs(value[name]) > 0.005), key=lambda name: -abs(value[name]))
    pieces = [f"{name} ({PARTS[name]}) {words.change(a.code, value[name])}" for name in shown]
    return f"With cells that do nothing, the mean change of {words.change(a.code, value['observed change'])} is made of: {'; '.join(pieces)}."


def _parts_table(a: Assessment, design: str, arm: str) -> list[Table]:
    table = a.parts
    if table.empty:
        return []
    part = table[(table["design"] == design) & (table["arm"] == arm) & (table["stratum"] == "all")]
    names = hypotheses(a)
    value = {(r["hypothesis"], r["part"]): r for r in part.to_dict("records")}
    rows = []
    for name in [*PARTS, "observed change"]:
        cells = [value[h, name] for h in names]
        if all(abs(c["mean"]) < 5e-4 for c in cells):
            continue
        shares = [f"{words.change(a.code, c['mean'])} ({_share(c['share'])})" for c in cells]
        rows.append([words.capital(name), *shares])
    note = " Percentages multiply; shares are those of the logarithm." if words.is_log(a.code) else ""
    return [
        Table(
            f"What the mean observed change is made of, and the share of each part.{note} A negative share works against the rest.",
            ["part", *(words.hypothesis_short(h) for h in names)],
            rows,
        )
    ]


def _share(value: float) -> str:
    return f"{words.number(100 * value, 0)}\u00a0%" if math.isfinite(value) else "\u2013"


def evidence(a: Assessment) -> Section | None:
    """Return how much evidence reports are."""
    if a.evidence.empty:
        return None
    rows = [
        [
            words.capital(words.design(a, r["design"])),
            words.hypothesis(r["hypothesis"]),
            words.percent(r["reported_if_true"]),
            words.percent(r["reported_if_nothing"]),
            f"{words.ratio(r['ratio'])} ({words.ratio(r['ratio_low'])}\u2013{words.ratio(r['ratio_high'])})",
            r["words"].replace(" to speak of", ""),
            _much(r["ratio_of_typical"]),
        ]
        for r in a.evidence.to_dict("records")
    ]
    table = Table(
        "How probable a report of significant improvement is if the supposition holds, and if the cells do nothing; the ratio of both "
        "with its 95 % interval for the finite number of simulations. Last column: the ratio for a report that gives the change itself, "
        "here the one that is typical under the supposition.",
        [
            "design",
            "supposition",
            "if it holds",
            "if cells do nothing",
            "likelihood ratio",
            "which is",
            "ratio of the size",
        ],
        rows,
        2,
    )
    return Section(
        "evidence",
        "How much evidence such reports are",
        [
            "A result is evidence for a supposition as far as it is more probable under it than without it. A ratio of 1 says nothing, "
            "below 3 next to nothing; above 10 it begins to count. The ratios hold for honest reports: where only good news is "
            "published, a report of improvement says less still."
        ],
        tables=[table],
    )


def _much(ratio: float) -> str:
    return "over 100" if ratio >= 100 else "under 0.01" if ratio <= 0.01 else words.ratio(ratio)


def controlled(a: Assessment, design: str) -> Section:
    """Return what a design with several groups reports."""
    table = a.results
    rows = table[(table["design"] == design) & (table["role"] == "primary") & (table["stratum"] == "all")].to_dict(
        "records"
    )
    tests = any(row["tests_cells"] for row in rows)
    shown = [
        [
            words.capital(words.hypothesis(r["hypothesis"])),
            words.estimated(a, r["mean"]),
            words.estimated_range(a, r["low"], r["high"]),
            f"{words.percent(r['significant'], 1)} ({100 * r['significant_low']:.1f}\u2013{100 * r['significant_high']:.1f})",
            words.percent(r["improved"], 1),
            *([words.estimated(a, r["truth"])] if tests else []),
        ]
        for r in rows
    ]
    first = rows[0]
    text = (
        f"One group gets \u201c{words.arm(a, first['treated'])}\u201d, the other \u201c{words.arm(a, first['control'])}\u201d; the difference is estimated by "
        "ANCOVA on baseline and stratum."
    )
    if not tests:
        text += (
            " Both groups get cells: the difference tells what the rest of the treatment does, not what the cells do."
        )
    figures = kept(
        draw.studies(a, design),
        *(draw.free_of_event(a, design, h) for h in hypotheses(a)[-1:] if tests),
        *(draw.course(a, design, arm, a.code) for arm in arms_of(a, design)),
    )
    slopes = a.slopes[a.slopes["design"] == design] if not a.slopes.empty else a.slopes
    slope_rows = [
        [
            words.capital(words.hypothesis(r["hypothesis"])),
            str(r["slope"]),
            words.number(r["mean"], 1, sign=True),
            f"{words.number(r['low'], 1, sign=True)} to {words.number(r['high'], 1, sign=True)}",
            words.unit(r["unit"]),
            words.percent(r["significant"]),
        ]
        for r in slopes.to_dict("records")
    ]
    tables = [
        Table(
            f"Difference in the change of {words.named(a.code)} at {a.visit}; {words.thousands(a.replicates)} trials of {a.protocol.size(design)}. "
            "Significant: two-sided p below 0.05, with the 95 % interval of the simulation.",
            ["if", "mean difference", "95 % of trials", "significant", "significant benefit"]
            + (["true effect of cells"] if tests else []),
            shown,
        )
    ]
    if slope_rows and tests:
        tables.append(
            Table(
                "eGFR: difference of the acute change (to the first visit from day 80), of the chronic slope (from there on) and of the total "
                "slope, with the range of 95 % of trials.",
                ["if", "eGFR", "difference", "95 % of trials", "unit", "significant"],
                slope_rows,
                2,
            )
        )
    closing = []
    if tests:
        closing.append(
            f"If the suppositions are held equally probable, the chance that such a trial shows a benefit (assurance) is "
            f"{words.percent(a.assurance(design))}."
        )
        tables += _one_trial(a, design)
    key = f"design-{slug(design)}"
    return Section(key, f"{words.capital(words.design(a, design))}", [text], figures, tables, closing=closing)


def _one_trial(a: Assessment, design: str) -> list[Table]:
    """Return the typical trial as it would be published."""
    if a.one_trial.empty:
        return []
    rows = []
    for r in a.one_trial[a.one_trial["design"] == design].to_dict("records"):
        hazard = r["analysis"] == "hazard of a kidney event"
        if hazard:
            effect = words.number(math.exp(r["effect"]), 2)
            bounds = f"{words.number(math.exp(r['low']), 2)} to {words.number(math.exp(r['high']), 2)}"
        else:
            effect, bounds = words.change(a.code, r["effect"]), words.estimated_range(a, r["low"], r["high"])
        rows.append(
            [
                words.capital(words.hypothesis(str(r["hypothesis"]))),
                str(r["analysis"]),
                effect,
                bounds,
                words.p_value(r["p"]),
            ]
        )
    return [
        Table(
            "One trial as it would be published: the one with the median result. Mixed model: all visits up to that of the endpoint, as "
            "categories, with an unstructured covariance and Satterthwaite's degrees of freedom, where there are patients enough for it. "
            "Hazard: ratio for kidney failure or a confirmed fall of eGFR by 40 %, where both groups had events.",
            ["if", "analysis", "estimate", "95 % interval", "p"],
            rows,
            2,
        )
    ]
