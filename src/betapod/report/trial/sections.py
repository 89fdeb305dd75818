"""The sections of a trial report, from the numbers of an assessment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.constants import DAYS_PER_MONTH
from ...observables.quantities import CHARACTERISTICS, code_of, visit_observables
from ...trials.analysis.endpoints import comparisons
from ...trials.conduct.feasibility import feasibility_notes
from ...trials.operating.sizing import NULL, title
from ...trials.protocol.analysis_keys import SLOPES
from ...trust.trust_lines import question_of_protocol
from ..common import words
from ..common.document import Section, Table
from ..common.trust_section import trust_section
from . import answers, trial_figures
from .estimates import Scale, of_row
from .sections_controlled import controlled_section
from .sections_designs import evidence_section, kept, simulated, supposed, uncontrolled
from .sections_estimand import estimand_section
from .sections_harms import harms_section
from .sections_intervals import interval_section
from .sections_looks import looks_section

if TYPE_CHECKING:
    import pandas as pd

    from ...trials.operating.attribution import Attribution
    from ...trials.operating.result_tables import Assessment


@dataclass(frozen=True)
class ReportSupplement:
    """What a report shows besides the assessment.

    Attributes
    ----------
    shares
        Attribution of the effect to mechanisms, one per scenario.
    match
        Virtual beside real people, as `trial_figures.matched` takes it, and whose they are.
    people
        Words on the library and the cohort.
    """

    shares: list[Attribution] = field(default_factory=list)
    match: pd.DataFrame | None = None
    cohort: str = ""
    people: list[str] = field(default_factory=list)


def sections(assessment: Assessment, extra: ReportSupplement) -> list[Section]:
    """Return the sections that the run has something for, in reading order."""
    candidates = [
        simulated(assessment),
        *(uncontrolled(assessment, design) for design in assessment.single),
        evidence_section(assessment),
        *(
            controlled_section(assessment, design)
            for design in assessment.protocol.designs
            if design not in assessment.single
        ),
        *(looks_section(assessment, design) for design in assessment.protocol.designs),
        estimand_section(assessment),
        _by_stratum(assessment),
        _mechanisms(extra.shares),
        _able(assessment),
        _other_endpoints(assessment),
        interval_section(assessment),
        harms_section(assessment),
        _people(assessment, extra),
        trust_section(question_of_protocol(assessment.protocol)),
    ]
    return [section for section in candidates if section is not None]


def _by_stratum(assessment: Assessment) -> Section | None:
    strata = list(assessment.protocol.strata)
    if len(strata) < 2:
        return None
    design = [*assessment.single, *assessment.controlled, *assessment.protocol.designs][0]
    figures = kept(
        *(trial_figures.by_stratum(assessment, name) for name in dict.fromkeys([design, *assessment.controlled]))
    )
    arm = comparisons(assessment.protocol, design)[0].treated
    tables = []
    part = (
        assessment.courses[(assessment.courses["design"] == design) & (assessment.courses["arm"] == arm)]
        if not assessment.courses.empty
        else assessment.courses
    )
    cells = [name for name, group in assessment.protocol.arms.items() if group.cells]
    whose = f" ({words.arm(assessment, arm)})" if len(cells) > 1 else ""
    months = f"{assessment.protocol.days[-1] / DAYS_PER_MONTH:.0f} months"
    measured = [code for code in dict.fromkeys(part["quantity"]) if code != "CREAT"] if len(part) else []
    if len(part) and words.has_cells(assessment, arm):
        last = part[part["day"] == max(part["day"])]
        value = {(r["scenario"], r["stratum"], r["quantity"]): r["truth"] for r in last.to_dict("records")}
        rows = [
            [
                words.capital(words.short_name(code)),
                words.scenario_short(h),
                *(words.change(code, value.get((h, s, code), math.nan)) for s in strata),
            ]
            for code in measured
            for h in words.scenarios(assessment)
            if h != NULL and any(math.isfinite(value.get((h, s, code), math.nan)) for s in strata)
        ]
        if rows:
            tables.append(
                Table(f"True effect of the cells{whose} after {months}.", ["quantity", "scenario", *strata], rows, 2)
            )
    tables += _normal(assessment, design, arm, strata, whose, months)
    if not figures and not tables:
        return None
    ways = [
        *(["a relative change"] if any(words.is_log(code) for code in measured) else []),
        *(["an absolute one"] if any(not words.is_log(code) for code in measured) else []),
        *(["patients whose albuminuria becomes normal"] if len(tables) > 1 or not assessment.remission.empty else []),
    ]
    text = (
        [f"Which stratum benefits more may depend on the measure: {words.listed(ways, 'or')}."] if len(ways) > 1 else []
    )
    return Section("by-stratum", f"By stratum: {words.listed(strata)}", text, figures, tables)


def _normal(assessment: Assessment, design: str, arm: str, strata: list[str], whose: str, months: str) -> list[Table]:
    """Return the table of patients whose albuminuria becomes normal."""
    if assessment.remission.empty:
        return []
    keep = assessment.remission[(assessment.remission["design"] == design) & (assessment.remission["arm"] == arm)]
    normal = {(r["scenario"], r["stratum"]): r for r in keep.to_dict("records")}
    named = words.has_cells(assessment, arm)
    names = [
        h for h in words.scenarios(assessment, arm)
        if all((h, s) in normal and math.isfinite(normal[h, s]["measured"]) for s in strata)
    ]  # fmt: skip
    if not names:
        return []
    return [
        Table(
            f"Patients{whose} with UACR from 30 mg/g at baseline whose albuminuria is normal (below 30 mg/g) after {months}: in one measurement, "
            "and by the true value.",
            [*(["scenario"] if named else []), *(f"{s}: {how}" for s in strata for how in ("measured", "true"))],
            [
                [
                    *([words.capital(words.scenario(h))] if named else []),
                    *(words.percent_text(normal[h, s][how]) for s in strata for how in ("measured", "true")),
                ]
                for h in names
            ],
            1 if named else 0,
        )
    ]


def _mechanisms(shares: list[Attribution]) -> Section | None:
    shares = [attribution for attribution in shares if not attribution.table.empty]
    if not shares:
        return None
    figure = trial_figures.mechanisms(shares)
    code = shares[0].code
    tables = []
    for attribution in shares:
        strata = list(dict.fromkeys(attribution.table["stratum"]))
        value = {(r["stratum"], r["mechanism"]): r for r in attribution.table.to_dict("records")}
        columns = ["share", "alone", "without"]
        acting = attribution.table[(attribution.table[columns].abs() > trial_figures.NOTHING).any(axis=1)]
        names = list(dict.fromkeys(acting["mechanism"]))
        idle = (
            " Mechanisms without an effect are left out."
            if len(names) < attribution.table["mechanism"].nunique()
            else ""
        )
        tables.append(
            Table(
                f"{words.capital(words.scenario(attribution.scenario))}: share of each mechanism in the effect on {words.short_name(code)} at {attribution.visit} "
                f"({attribution.people['all']} people). Alone: effect with no other mechanism. Lost: decrease of the effect without it.{idle}",
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
                + [["All together", *(words.change(code, attribution.effect[s]) for s in strata), "", ""]],
            )
        )
    return Section(
        "mechanisms",
        "How the cells would act",
        [
            "Mechanisms interact, so the effect of one alone is not what is lost without it. The share given is the Shapley value: what a "
            "mechanism adds, averaged over every order in which mechanisms could be switched on. It is computed in a small sample of the "
            "trial's patients, without co-medication."
        ],
        kept(figure),
        tables,
    )


def _able(assessment: Assessment) -> Section | None:
    if assessment.power.empty and assessment.sizes.empty:
        return None
    named = words.has_cells(assessment)
    rows = []
    lacking = unknown = False
    slopes = {
        title(endpoint_keys, assessment.protocol) for endpoint_keys in [assessment.protocol.endpoints.primary, *assessment.protocol.endpoints.secondary]
        if endpoint_keys.summary in SLOPES
    }  # fmt: skip
    table = assessment.sizes[assessment.sizes["scenario"] != NULL] if named else assessment.sizes
    variants = list(dict.fromkeys(assessment.sizes["variant"])) if len(assessment.sizes) else []
    for (endpoint, scenario), part in table.groupby(["endpoint", "scenario"], sort=False) if len(table) else ():
        code = str(part["quantity"].iloc[0])
        cells = []
        for variant in variants:
            pick = part[part["variant"] == variant].set_index("power")
            for wanted in (0.8, 0.9):
                n = float(pick.loc[wanted, "n"]) if wanted in pick.index else math.nan
                estimable = wanted in pick.index and answers.is_estimable(pick.loc[wanted].to_dict())
                lacking |= estimable and not math.isfinite(n)
                unknown |= not estimable
                cells.append(answers.count(n) if math.isfinite(n) else "no benefit" if estimable else "not estimable")
        scale = Scale(str(part["summary"].iloc[0]), code, True, str(part["measure"].iloc[0]))
        effect = scale.text(float(part["effect"].iloc[0]))
        supposed = [words.scenario_short(str(scenario))] if named else []
        rows.append([words.capital(str(endpoint)), *supposed, effect, *cells])
    header = ["endpoint", *(["scenario"] if named else []), "effect"] + [
        f"{variant}, {int(100 * power)} %" for variant in variants for power in (0.8, 0.9)
    ]
    text = (
        f"Patients to randomise, {_groups(assessment)} together, for 80 or 90 % power at {_level(assessment)}. The effect is that of "
        "the simulated trial population; discontinuation is that of the protocol."
    )
    if pair := answers.of_several(assessment):
        text += f" The comparison is {pair}; the other comparisons of the design need other numbers."
    if lacking:
        text += " \u201cNo benefit\u201d: the mean effect is not an improvement, or too small for any trial."
    if unknown:
        text += " \u201cNot estimable\u201d: too few patients were measured or had an event."
    cautions = [
        f"{words.capital(str(r['endpoint']))} is not recommended: {words.true_minus(words.unit(str(r['caution'])))}."
        for r in assessment.sizes.drop_duplicates(["endpoint", "caution"]).to_dict("records")
        if r["caution"]
    ]
    advice = [
        "a control group that gets the same other treatment",
        "allocation by chance",
        "a baseline that is measured again after the screening that selected the patient",
        *(["several urine samples per visit"] if assessment.code == "UACR" else []),
        *(["follow-up long enough for slopes"] if slopes else []),
        "an endpoint fixed in advance",
    ]
    return Section(
        "able",
        "A trial large enough to detect the effect",
        [text, *cautions[-1:]],
        kept(trial_figures.draw_power(_primary_power(assessment))) if len(assessment.power) else [],
        [Table("Patients to randomise.", header, rows, 2 if named else 1)] if rows else [],
        closing=[f"A trial that can detect the effect has: {words.listed(advice)}."],
    )


def _level(assessment: Assessment) -> str:
    """Return the significance level of the protocol in words."""
    asked = assessment.protocol.endpoints
    return f"a {'two' if asked.sides == 2 else 'one'}-sided significance level of {100 * asked.alpha:g} %"


def _groups(assessment: Assessment) -> str:
    """Return how the groups of the design whose size is given are called together."""
    design = next(iter(assessment.sizes["design"]), "") if len(assessment.sizes) else ""
    several = design in assessment.protocol.designs and len(assessment.protocol.designs[str(design)].arms) > 2
    return "all groups" if several else "both groups"


def _primary_power(assessment: Assessment) -> Assessment:
    from dataclasses import replace

    table = assessment.power[
        (assessment.power["role"] == "primary") & (assessment.power["variant"] == assessment.power["variant"].iloc[0])
    ]
    table = table.dropna(subset=["power"])
    return replace(assessment, power=table)


def _other_endpoints(assessment: Assessment) -> Section | None:
    table = assessment.results[(assessment.results["role"] == "secondary") & (assessment.results["stratum"] == "all")]
    tables = []
    for design in dict.fromkeys(table["design"]):
        names, named = supposed(assessment, str(design))
        part = table[(table["design"] == design) & table["scenario"].isin(names)].dropna(subset=["mean"])
        if part.empty:
            continue
        several = len(set(part["treated"])) > 1
        tested = np.isfinite(part["improved"]).any()
        rows = [
            [
                words.capital(str(r["endpoint"])),
                *([words.contrast(assessment, r["treated"], r["control"])] if several else []),
                *([words.scenario_short(str(r["scenario"]))] if named else []),
                of_row(r).text(r["mean"]),
                of_row(r).range(r["low"], r["high"]),
                *([words.percent_text(r["improved"])] if tested else []),
            ]
            for r in part.sort_values("endpoint", kind="stable").to_dict("records")
        ]
        head = ["endpoint", *(["comparison"] if several else []), *(["scenario"] if named else [])]
        header = [*head, "estimate", "95 % of trials", *(["benefit"] if tested else [])]
        tables.append(Table(f"{words.capital(words.design(assessment, str(design)))}.", header, rows, len(head)))
    if not tables:
        return None
    kinds = [
        *(["differences between groups"] if len(assessment.single) < len(assessment.protocol.designs) else []),
        *(["changes from baseline or shares of patients within the one group"] if assessment.single else []),
    ]
    return Section(
        "secondary",
        "Secondary endpoints",
        [
            f"Estimates are {words.listed(kinds, 'or')}: mean over replicates, range of 95 % of them, share with a significant benefit, each test alone"
            + (
                " and without adjustment for multiplicity."
                if assessment.protocol.endpoints.multiplicity is None
                else "."
            )
        ],
        tables=tables,
        folded=True,
    )


def _people(assessment: Assessment, extra: ReportSupplement) -> Section:
    design = next(iter(assessment.protocol.designs))
    table = assessment.baseline[assessment.baseline["design"] == design]
    strata = list(dict.fromkeys(table["stratum"]))
    value = {(r["stratum"], r["quantity"]): r for r in table.to_dict("records")}
    rows = []
    for name in dict.fromkeys(table["quantity"]):
        cells = []
        for stratum in strata:
            r = value.get((stratum, name))
            cells.append("\u2013" if r is None else _spread(str(name), r))
        unit = words.printed_unit(str(name))
        rows.append([words.capital(_characteristic(str(name))) + (f" ({unit})" if unit else ""), *cells])
    drawing = trial_figures.matched(extra.cohort, extra.match) if extra.match is not None else None
    names = ["all" if s == "all" else s for s in strata]
    noisy = any(code_of(name) in visit_observables() for name in _selecting(assessment))
    selected = (
        " Selection on one noisy laboratory value makes patients look worse than they are on average." if noisy else ""
    )
    told: dict[str, str] = {}
    for name, people in assessment.behind.items():
        for text in feasibility_notes(assessment.protocol, name, people):
            told.setdefault(text, words.design(assessment, name))
    few = [f"{words.capital(design)}: {text}" for text, design in told.items()]
    table_found = Table(
        f"Enrolled patients at baseline as measured: median (interquartile range), or per cent; all replicates together.{selected}",
        ["characteristic", *names],
        rows,
    )
    title_found = "The virtual patients, and real ones" if drawing is not None else "The virtual patients"
    return Section("people", title_found, [*few, *extra.people], kept(drawing), [table_found] if rows else [])


def _selecting(assessment: Assessment) -> list[str]:
    """Return the quantities by which patients are selected."""
    return [
        *assessment.protocol.eligibility,
        *(name for stratum in assessment.protocol.strata.values() for name in stratum.where),
    ]


def _characteristic(name: str) -> str:
    return f"{CHARACTERISTICS[name].short} (%)" if _is_share(name) else words.short_name(name)


def _is_share(name: str) -> bool:
    return name in CHARACTERISTICS and CHARACTERISTICS[name].unit == "1"


def _spread(name: str, row: Mapping[Any, Any]) -> str:
    if _is_share(name):
        return f"{100 * row['mean']:.0f}"
    low, high = words.written_number(row["lower_quartile"]), words.written_number(row["upper_quartile"])
    return f"{words.written_number(row['median'])} ({low}\u2013{high})"
