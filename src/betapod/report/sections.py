"""The sections of a trial report, from the numbers of an assessment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..trials.assessment import NULL
from ..trials.data import PARTS
from . import brief, trial_figures, words
from .document import Section, Table
from .trial_figures import Drawing

if TYPE_CHECKING:
    import pandas as pd

    from ..trials.assessment import Assessment
    from ..trials.attribution import Attribution


@dataclass(frozen=True)
class Extra:
    """What a report shows besides the assessment.

    Attributes
    ----------
    shares
        Attribution of the effect to mechanisms, one per hypothesis.
    match
        Virtual beside real people, as `trial_figures.matched` takes it, and whose they are.
    people
        Words on the library and the cohort.
    """

    shares: list[Attribution] = field(default_factory=list)
    match: pd.DataFrame | None = None
    cohort: str = ""
    people: list[str] = field(default_factory=list)


def sections(a: Assessment, extra: Extra) -> list[Section]:
    """Return the sections that the run has something for, in reading order."""
    found = [
        _simulated(a),
        *(_uncontrolled(a, design) for design in a.single),
        _evidence(a),
        *(_controlled(a, design) for design in a.protocol.designs if design not in a.single),
        _early(a),
        _mechanisms(extra.shares),
        _able(a),
        _other_endpoints(a),
        _harms(a),
        _people(a, extra),
    ]
    return [section for section in found if section is not None]


def label(a: Assessment, design: str) -> str:
    """Return a design in words."""
    return a.protocol.designs[design].label or design


def _kept(*drawings: Drawing | None) -> list[Drawing]:
    return [each for each in drawings if each is not None]


def _hypotheses(a: Assessment) -> list[str]:
    return list(dict.fromkeys(str(name) for name in a.results["hypothesis"]))


def _arms(a: Assessment, design: str) -> list[str]:
    return list(a.protocol.designs[design].arms)


def _arm(a: Assessment, arm: str) -> str:
    return a.protocol.arms[arm].label or arm


def _simulated(a: Assessment) -> Section:
    p = a.protocol
    paragraphs = [p.summary] if p.summary else []
    days = ", ".join(f"{visit.name} (day {visit.day:g})".replace("-", words.MINUS) for visit in p.visits)
    paragraphs.append(
        f"Each design was run {words.thousands(a.replicates)} times under each supposition about the cells, with the same virtual patients "
        f"and the same luck. Visits: {days}. Primary endpoint: {p.endpoints.primary.name or a.code}."
    )
    suppositions = [
        f"{_capital(words.hypothesis(name))} ({words.hypothesis_short(name)} in the figures)."
        for name in _hypotheses(a)
    ]
    rows = []
    for name, design in p.designs.items():
        groups = "; ".join(
            f"{_arm(a, arm)} ({share})" if len(design.arms) > 1 else _arm(a, arm) for arm, share in design.arms.items()
        )
        rows.append([_capital(design.label or name), groups, str(p.size(name)), _flow(a, name)])
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


def _capital(text: str) -> str:
    return text if text[:4] in ("eGFR", "HbA1") else text[:1].upper() + text[1:]


def _uncontrolled(a: Assessment, design: str) -> Section:
    arm = _arms(a, design)[0]
    null = a.result(design, NULL)
    paragraphs = []
    if null:
        paragraphs.append(
            "The study compares everybody with their own baseline. What it finds when the cells do nothing is what it would find "
            "anyway."
        )
        paragraphs.append(_parts_in_words(a, design, arm))
    rows = [
        [
            _capital(words.hypothesis(h)),
            words.change(a.code, r["mean"]),
            words.change_range(a.code, r["low"], r["high"]),
            words.percent(r["improved"]),
            words.change(a.code, r["truth"]),
        ]
        for h in _hypotheses(a)
        if (r := a.result(design, h))
    ]
    table = Table(
        f"Change of {words.named(a.code)} at {a.visit} against baseline, over {words.thousands(a.replicates)} studies of {a.protocol.size(design)}. "
        "Improvement: p below 0.05 in the good direction (paired t test).",
        ["if", "mean change", "95 % of studies", "report improvement", "true effect of cells"],
        rows,
    )
    waterfalls = [trial_figures.waterfall(a, design, h) for h in _hypotheses(a) if h in (NULL, _hypotheses(a)[-1])]
    figures = _kept(
        trial_figures.studies(a, design),
        trial_figures.course(a, design, arm, a.code),
        trial_figures.parts(a, design, arm),
        *waterfalls,
        trial_figures.course(a, design, arm, "EGFR") if a.code != "EGFR" else None,
    )
    return Section(
        f"design-{trial_figures.slug(design)}",
        f"{_capital(label(a, design))}: what it would report",
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
    names = _hypotheses(a)
    value = {(r["hypothesis"], r["part"]): r for r in part.to_dict("records")}
    rows = []
    for name in [*PARTS, "observed change"]:
        cells = [value[h, name] for h in names]
        if all(abs(c["mean"]) < 5e-4 for c in cells):
            continue
        shares = [f"{words.change(a.code, c['mean'])} ({_share(c['share'])})" for c in cells]
        rows.append([_capital(name), *shares])
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


def _evidence(a: Assessment) -> Section | None:
    if a.evidence.empty:
        return None
    rows = [
        [
            _capital(label(a, r["design"])),
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


def _controlled(a: Assessment, design: str) -> Section:
    table = a.results
    rows = table[(table["design"] == design) & (table["role"] == "primary") & (table["stratum"] == "all")].to_dict(
        "records"
    )
    tests = any(row["tests_cells"] for row in rows)
    shown = [
        [
            _capital(words.hypothesis(r["hypothesis"])),
            words.change(a.code, r["mean"]),
            words.change_range(a.code, r["low"], r["high"]),
            f"{words.percent(r['significant'], 1)} ({100 * r['significant_low']:.1f}\u2013{100 * r['significant_high']:.1f})",
            words.percent(r["improved"], 1),
            *([words.change(a.code, r["truth"])] if tests else []),
        ]
        for r in rows
    ]
    first = rows[0]
    text = (
        f"One group gets \u201c{_arm(a, first['treated'])}\u201d, the other \u201c{_arm(a, first['control'])}\u201d; the difference is estimated by "
        "ANCOVA on baseline and stratum."
    )
    if not tests:
        text += (
            " Both groups get cells: the difference tells what the rest of the treatment does, not what the cells do."
        )
    figures = _kept(
        trial_figures.studies(a, design),
        *(trial_figures.free_of_event(a, design, h) for h in _hypotheses(a)[-1:] if tests),
        *(trial_figures.course(a, design, arm, a.code) for arm in _arms(a, design)),
    )
    slopes = a.slopes[a.slopes["design"] == design] if not a.slopes.empty else a.slopes
    slope_rows = [
        [
            _capital(words.hypothesis(r["hypothesis"])),
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
    key = f"design-{trial_figures.slug(design)}"
    return Section(key, f"{_capital(label(a, design))}", [text], figures, tables, closing=closing)


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
            effect, bounds = words.change(a.code, r["effect"]), words.change_range(a.code, r["low"], r["high"])
        rows.append(
            [
                _capital(words.hypothesis(str(r["hypothesis"]))),
                str(r["analysis"]),
                effect,
                bounds,
                words.p_value(r["p"]),
            ]
        )
    return [
        Table(
            "One trial as it would be published: the one with the median result. Mixed model: all visits, random intercept, visits as "
            "categories. Hazard: ratio for kidney failure or a confirmed fall of eGFR by 40 %, where both groups had events.",
            ["if", "analysis", "estimate", "95 % interval", "p"],
            rows,
            2,
        )
    ]


def _early(a: Assessment) -> Section | None:
    strata = list(a.protocol.strata)
    if len(strata) < 2:
        return None
    design = [*a.single, *a.controlled, *a.protocol.designs][0]
    figures = _kept(*(trial_figures.early_late(a, name) for name in dict.fromkeys([design, *a.controlled])))
    last = max(a.courses["day"])
    arm = _arms(a, design)[0]
    part = a.courses[(a.courses["design"] == design) & (a.courses["arm"] == arm) & (a.courses["day"] == last)]
    value = {(r["hypothesis"], r["stratum"], r["quantity"]): r["truth"] for r in part.to_dict("records")}
    codes = [code for code in dict.fromkeys(part["quantity"]) if code not in ("CREAT",)]
    rows = [
        [
            _capital(words.named(code)),
            words.hypothesis_short(h),
            *(words.change(code, value[h, s, code]) for s in strata),
        ]
        for code in codes
        for h in _hypotheses(a)
        if h != NULL
    ]
    names = strata
    months = f"{last * 12 / 365.25:.0f} months"
    tables = [Table(f"True effect of the cells after {months}.", ["quantity", "if", *names], rows, 2)]
    if not a.remission.empty:
        keep = a.remission[(a.remission["design"] == design) & (a.remission["arm"] == arm)]
        normal = {(r["hypothesis"], r["stratum"]): r for r in keep.to_dict("records")}
        tables.append(
            Table(
                f"Patients whose albuminuria is normal (UACR below 30 mg/g) after {months}: as measured once, and in truth.",
                ["if", *(f"{s}: {how}" for s in strata for how in ("measured", "true"))],
                [
                    [
                        _capital(words.hypothesis(h)),
                        *(words.percent(normal[h, s][how]) for s in strata for how in ("measured", "true")),
                    ]
                    for h in _hypotheses(a)
                ],
            )
        )
    return Section(
        "early-late",
        "Early or late treatment",
        [
            "Whether early treatment looks better depends on what is counted: a ratio, millilitres, or patients who return to normal. "
            "Apparent improvement without any effect differs between stages, too."
        ],
        figures,
        tables,
    )


def _mechanisms(shares: list[Attribution]) -> Section | None:
    shares = [each for each in shares if not each.table.empty]
    if not shares:
        return None
    figure = trial_figures.mechanisms(shares)
    code = shares[0].code
    tables = []
    for each in shares:
        strata = list(dict.fromkeys(each.table["stratum"]))
        value = {(r["stratum"], r["mechanism"]): r for r in each.table.to_dict("records")}
        names = list(dict.fromkeys(each.table["mechanism"]))
        tables.append(
            Table(
                f"{_capital(words.hypothesis(each.hypothesis))}: share of each mechanism in the effect on {words.named(code)} at {each.visit} "
                f"({each.people['all']} people). Alone: with no other mechanism. Lost: what is missing without it.",
                ["mechanism", *("share" if s == "all" else f"share, {s}" for s in strata), "alone", "lost"],
                [
                    [
                        _capital(words.MECHANISMS.get(name, name)),
                        *(words.change(code, value[s, name]["share"]) for s in strata),
                        words.change(code, value["all", name]["alone"]),
                        words.change(code, value["all", name]["without"]),
                    ]
                    for name in names
                ]
                + [["All together", *(words.change(code, each.effect[s]) for s in strata), "", ""]],
            )
        )
    return Section(
        "mechanisms",
        "How the cells would act",
        [
            "Mechanisms interact, so what one does alone is not what is lost without it. The Shapley value is the fair share: what a "
            "mechanism adds, averaged over every order in which mechanisms could be switched on. The people here are a small sample "
            "of the trial's; co-medication is left out."
        ],
        _kept(figure),
        tables,
    )


def _able(a: Assessment) -> Section | None:
    if a.power.empty:
        return None
    rows = []
    table = a.sizes[a.sizes["hypothesis"] != NULL]
    for (endpoint, hypothesis), part in table.groupby(["endpoint", "hypothesis"], sort=False):
        code = str(part["quantity"].iloc[0])
        cells = []
        for variant in dict.fromkeys(a.sizes["variant"]):
            pick = part[part["variant"] == variant].set_index("power")
            for wanted in (0.8, 0.9):
                n = float(pick.loc[wanted, "n"]) if wanted in pick.index else math.nan
                cells.append(brief.count(n) if math.isfinite(n) else "no benefit")
        effect = float(part["effect"].iloc[0])
        slope = "slope" in str(endpoint).lower()
        shown = (
            f"{words.number(effect, 2, sign=True)} {words.unit_of(code)}/year" if slope else words.change(code, effect)
        )
        rows.append([_capital(str(endpoint)), words.hypothesis_short(str(hypothesis)), shown, *cells])
    variants = list(dict.fromkeys(a.sizes["variant"]))
    header = ["endpoint", "if", "effect"] + [
        f"{variant}, {int(100 * power)} %" for variant in variants for power in (0.8, 0.9)
    ]
    return Section(
        "able",
        "A trial that could tell",
        [
            "Patients to randomise, both groups together, for a given chance to show the effect at two-sided 5 %. The effect is that of the "
            "simulated trial population, losses are those of the protocol. \u201cNo benefit\u201d: the mean effect is not an improvement, or too small for "
            "any trial."
        ],
        _kept(trial_figures.power(_primary_power(a))),
        [Table("Patients to randomise.", header, rows, 2)],
        closing=[
            "What makes a trial able to tell: a control group that gets the same conventional therapy, allocation by chance, a baseline that is "
            "measured again after the screening that selected the patient, several urine samples per visit, follow-up long enough for slopes, "
            "and an endpoint fixed in advance."
        ],
    )


def _primary_power(a: Assessment) -> Assessment:
    from dataclasses import replace

    table = a.power[(a.power["role"] == "primary") & (a.power["variant"] == a.power["variant"].iloc[0])]
    return replace(a, power=table)


def _other_endpoints(a: Assessment) -> Section | None:
    table = a.results[(a.results["role"] == "secondary") & (a.results["stratum"] == "all")]
    if table.empty:
        return None
    tables = []
    for design in dict.fromkeys(table["design"]):
        rows = [
            [
                _capital(str(r["endpoint"])),
                words.hypothesis_short(str(r["hypothesis"])),
                _estimate(r, "mean"),
                f"{_estimate(r, 'low')} to {_estimate(r, 'high')}",
                words.percent(r["improved"]) if math.isfinite(r["improved"]) else "\u2013",
            ]
            for r in table[table["design"] == design].sort_values("endpoint", kind="stable").to_dict("records")
        ]
        header = ["endpoint", "if", "estimate", "95 % of trials", "benefit"]
        tables.append(Table(f"{_capital(label(a, str(design)))}.", header, rows, 2))
    return Section(
        "secondary",
        "Secondary endpoints",
        [
            "Groups are compared where a design has them; otherwise the change from baseline, or the share of patients, is given: mean over "
            "replicates, range of 95 % of them, share with a significant benefit. No allowance is made for several endpoints."
        ],
        tables=tables,
        folded=True,
    )


def _estimate(row: Mapping[Any, Any], key: str) -> str:
    value, code = float(row[key]), str(row["quantity"])
    if not math.isfinite(value):
        return "\u2013"
    if row["summary"] == "responders":
        return f"{words.number(100 * value, 0, sign=bool(row['control']))}\u00a0%"
    if row["summary"] == "time to event":
        return f"{words.number(math.exp(value), 2)} (hazard ratio)" if row["control"] else words.percent(value)
    if row["summary"] == "slope":
        return f"{words.number(value, 1, sign=True)}\u00a0{words.unit_of(code)}/year"
    return words.change(code, value)


def _harms(a: Assessment) -> Section | None:
    if a.adverse.empty:
        return None
    design = [*a.controlled, *a.single, *a.protocol.designs][0]
    h = _hypotheses(a)[min(1, len(_hypotheses(a)) - 1)]
    table = a.adverse[(a.adverse["design"] == design) & (a.adverse["hypothesis"] == h)]
    rows = [
        [
            _capital(words.event(str(r["event"]))),
            _arm(a, str(r["arm"])),
            words.number(r["patients"], 1),
            f"{r['trials_low']:.0f}\u2013{r['trials_high']:.0f}",
            f"{words.percent(r['share'], 1)}",
        ]
        for r in table.to_dict("records")
        if r["patients"] > 0 or r["share"] > 0
    ]
    if not rows:
        return None
    return Section(
        "harms",
        "Harms",
        [
            f"Patients with at least one event, if {words.hypothesis(h)}: expected number in one trial, range of 95 % of trials, share."
        ],
        tables=[
            Table(f"{_capital(label(a, design))}.", ["event", "group", "patients", "95 % of trials", "share"], rows, 2)
        ],
    )


def _people(a: Assessment, extra: Extra) -> Section:
    design = next(iter(a.protocol.designs))
    table = a.baseline[a.baseline["design"] == design]
    strata = list(dict.fromkeys(table["stratum"]))
    value = {(r["stratum"], r["quantity"]): r for r in table.to_dict("records")}
    rows = []
    for name in dict.fromkeys(table["quantity"]):
        cells = []
        for stratum in strata:
            r = value.get((stratum, name))
            cells.append("\u2013" if r is None else _spread(str(name), r))
        unit = words.unit_of(str(name))
        rows.append([_capital(_characteristic(str(name))) + (f" ({unit})" if unit else ""), *cells])
    drawing = trial_figures.matched(extra.cohort, extra.match) if extra.match is not None else None
    names = ["all" if s == "all" else s for s in strata]
    return Section(
        "people",
        "The virtual patients, and real ones",
        extra.people,
        _kept(drawing),
        [
            Table(
                "Enrolled patients at baseline as measured: median (middle half), or per cent; all replicates together. Selection on a noisy "
                "laboratory value makes them worse than their own average.",
                ["characteristic", *names],
                rows,
            )
        ],
    )


def _characteristic(name: str) -> str:
    return {
        "FEMALE": "women (%)",
        "TYPE1": "type 1 diabetes (%)",
        "METFORMIN": "metformin (%)",
        "INSULIN": "insulin (%)",
    }.get(name, {"RASI": "ACE inhibitor or ARB (%)", "SGLT2I": "SGLT2 inhibitor (%)"}.get(name, words.named(name)))


def _spread(name: str, row: Mapping[Any, Any]) -> str:
    if name in ("FEMALE", "TYPE1", "METFORMIN", "INSULIN", "RASI", "SGLT2I"):
        return f"{100 * row['mean']:.0f}"
    low, high = words.number(row["lower_quartile"]), words.number(row["upper_quartile"])
    return f"{words.number(row['median'])} ({low}\u2013{high})"
