"""The sections of a trial report, from the numbers of an assessment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..trials.sizing import NULL
from . import brief, trial_figures, words
from .document import Section, Table
from .sections_designs import (
    arms_of,
    controlled,
    evidence,
    hypotheses,
    kept,
    simulated,
    uncontrolled,
)

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
        simulated(a),
        *(uncontrolled(a, design) for design in a.single),
        evidence(a),
        *(controlled(a, design) for design in a.protocol.designs if design not in a.single),
        _early(a),
        _mechanisms(extra.shares),
        _able(a),
        _other_endpoints(a),
        _harms(a),
        _people(a, extra),
    ]
    return [section for section in found if section is not None]


def _early(a: Assessment) -> Section | None:
    strata = list(a.protocol.strata)
    if len(strata) < 2:
        return None
    design = [*a.single, *a.controlled, *a.protocol.designs][0]
    figures = kept(*(trial_figures.early_late(a, name) for name in dict.fromkeys([design, *a.controlled])))
    last = max(a.courses["day"])
    arm = arms_of(a, design)[0]
    part = a.courses[(a.courses["design"] == design) & (a.courses["arm"] == arm) & (a.courses["day"] == last)]
    value = {(r["hypothesis"], r["stratum"], r["quantity"]): r["truth"] for r in part.to_dict("records")}
    codes = [code for code in dict.fromkeys(part["quantity"]) if code not in ("CREAT",)]
    rows = [
        [
            words.capital(words.named(code)),
            words.hypothesis_short(h),
            *(words.change(code, value[h, s, code]) for s in strata),
        ]
        for code in codes
        for h in hypotheses(a)
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
                        words.capital(words.hypothesis(h)),
                        *(words.percent(normal[h, s][how]) for s in strata for how in ("measured", "true")),
                    ]
                    for h in hypotheses(a)
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
                f"{words.capital(words.hypothesis(each.hypothesis))}: share of each mechanism in the effect on {words.named(code)} at {each.visit} "
                f"({each.people['all']} people). Alone: with no other mechanism. Lost: what is missing without it.",
                ["mechanism", *("share" if s == "all" else f"share, {s}" for s in strata), "alone", "lost"],
                [
                    [
                        words.capital(words.MECHANISMS.get(name, name)),
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
        kept(figure),
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
        rows.append([words.capital(str(endpoint)), words.hypothesis_short(str(hypothesis)), shown, *cells])
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
        kept(trial_figures.power(_primary_power(a))),
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
                words.capital(str(r["endpoint"])),
                words.hypothesis_short(str(r["hypothesis"])),
                _estimate(r, "mean"),
                f"{_estimate(r, 'low')} to {_estimate(r, 'high')}",
                words.percent(r["improved"]) if math.isfinite(r["improved"]) else "\u2013",
            ]
            for r in table[table["design"] == design].sort_values("endpoint", kind="stable").to_dict("records")
        ]
        header = ["endpoint", "if", "estimate", "95 % of trials", "benefit"]
        tables.append(Table(f"{words.capital(words.design(a, str(design)))}.", header, rows, 2))
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
    h = hypotheses(a)[min(1, len(hypotheses(a)) - 1)]
    table = a.adverse[(a.adverse["design"] == design) & (a.adverse["hypothesis"] == h)]
    rows = [
        [
            words.capital(words.event(str(r["event"]))),
            words.arm(a, str(r["arm"])),
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
            Table(
                f"{words.capital(words.design(a, design))}.",
                ["event", "group", "patients", "95 % of trials", "share"],
                rows,
                2,
            )
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
        rows.append([words.capital(_characteristic(str(name))) + (f" ({unit})" if unit else ""), *cells])
    drawing = trial_figures.matched(extra.cohort, extra.match) if extra.match is not None else None
    names = ["all" if s == "all" else s for s in strata]
    return Section(
        "people",
        "The virtual patients, and real ones",
        extra.people,
        kept(drawing),
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
