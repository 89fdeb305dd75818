"""What a trial report cannot say, and how it was made: only what holds for the protocol at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...observables.quantities import code_of
from ...therapies.cell_order import read_order
from ...therapies.insulin_rules import rule_of_insulin
from ...therapies.scenarios import AS_CLAIMED, CURRENT_EVIDENCE, FACE_VALUE
from ...therapies.standard_care import therapy
from ..common import words
from ..common.document import Section
from .analyses import analyses
from .sections_designs import evidence_rows

if TYPE_CHECKING:
    from ...trials.operating.result_tables import Assessment

#: What it means that nothing is drawn.
_FIXED = "fixed at their central values, so the spread shown is that of patients and measurements alone"


def limits(assessment: Assessment) -> Section:
    """Return what the report cannot say."""
    cells, supposed = words.has_cells(assessment), words.scenarios(assessment)
    course = " and one course of cells" if cells else ""
    items = [
        "Virtual patients and their disease come from a model. What it leaves out (genetics, other kidney diseases, other organs, behaviour) "
        "cannot appear here.",
        "Many parameters of the model are calibrated, tuned or assumed, as the methods and sources say.",
    ]
    drawn = assessment.protocol.fit_draws > 1
    if cells and CURRENT_EVIDENCE in supposed:
        items.append(
            "\u201cCurrent evidence\u201d shrinks the few controlled results on cells towards no effect; its parameters are uncertain, and here they are "
            + ("drawn." if drawn else f"{_FIXED}.")
        )
    if cells and FACE_VALUE in supposed:
        items.append(
            "\u201cFace value\u201d takes positive trials of cells as they were reported, without regard to their size and bias."
        )
    if cells and AS_CLAIMED in supposed:
        items.append(
            "\u201cAs claimed\u201d is what promotional texts say, turned into parameters. No data support these numbers; they show what "
            "would be observed if the claims were true."
        )
    if not cells and not drawn:
        items.append(f"Effects of treatments are {_FIXED}.")
    items += [
        "Within-person variation of laboratory values is that of two examinations a few weeks apart in a survey; in advanced disease it may differ.",
        f"Only one trial population{course} was simulated."
        + (" Sizes of trials hold for it, not for others." if not assessment.sizes.empty else ""),
    ]
    items.append(
        "How well the model reproduces published numbers of a treatment differs much between treatments: betapod confront shows it number by number. "
        "Consult it before relying on an effect size."
    )
    if assessment.protocol.conduct.effects:
        items.append(
            "The effect of being in a trial is carried by the quantities that the protocol names; it does not pass on to others."
        )
    items += [f"Assumed: {text}" for text in assessment.protocol.assumptions]
    return Section("limits", "What this report cannot say", items=items)


def methods(assessment: Assessment) -> Section:
    """Return how the trial was simulated and analysed."""
    return Section(
        "methods",
        "Methods",
        [_simulation(assessment), _conduct(assessment), _analyses(assessment), _truth(assessment)],
        folded=True,
    )


def _simulation(assessment: Assessment) -> str:
    from ...physiology import whole_body

    cells = words.has_cells(assessment)
    under = " and scenario" if cells else ""
    return (
        f"Every virtual patient was simulated with a coupled model of kidney{', metabolism and cell therapy' if cells else ' and metabolism'} "
        f"({len(whole_body.named_model('reference').states)} differential equations) from before diabetes to screening, then through the trial once "
        f"per treatment{under}. A replicate of the trial draws from these courses: candidates are screened on noisy values, enrolled until the "
        "trial is full, "
        + ("allocated, " if len(assessment.single) < len(assessment.protocol.designs) else "")
        + "measured at visits with error, and some are lost. Random numbers are named by seed, purpose, replicate and patient, so that "
        f"{_sharing(assessment)}. {_insulin(assessment)}"
    )


def _insulin(assessment: Assessment) -> str:
    """Say by which rule people who inject insulin change their dose: it decides whether a treatment shows in HbA1c or in the dose."""
    protocol = assessment.protocol
    named = [item.therapy for item in protocol.background]
    grafted = any(read_order(arm.cells).product.kind == "graft" for arm in protocol.arms.values() if arm.cells)
    rule = rule_of_insulin([therapy(text) for text in named], True, grafted)
    ordered = sorted(
        {item.therapy for arm in protocol.arms.values() for item in arm.therapies if "insulin" in item.therapy}
    )
    more = f" Arms order {words.listed(ordered)}." if ordered else ""
    return f"In those who inject insulin, {rule}.{more}"


def _sharing(assessment: Assessment) -> str:
    """Say what shares random numbers."""
    who = [
        *(["designs"] if len(assessment.protocol.designs) > 1 else []),
        *(["groups"] if len(assessment.protocol.arms) > 1 else []),
        *(["scenarios"] if len(words.scenarios(assessment)) > 1 else []),
    ]
    return f"{words.listed(who)} share them" if who else "each patient has the same ones whatever happens to others"


def _conduct(assessment: Assessment) -> str:
    conduct = assessment.protocol.conduct
    drift = [
        f"{item.therapy} in {words.percent_text(item.share)} ({item.note or 'assumed'})"
        for item in conduct.co_medication
    ]
    effects = [
        f"{words.short_name(code_of(item.quantity))} {_effect(code_of(item.quantity), item.change, item.factor)} ({item.note or 'assumed'})"
        for item in conduct.effects
    ]
    deaths = (
        "Patients die at rates of their own course (age, sex, eGFR, albuminuria, cardiovascular disease, drugs)."
        if conduct.deaths
        else "Nobody dies."
    )
    return (
        f"{deaths} Drop-out {words.percent_text(conduct.drop_out)} per year; missed visits {words.percent_text(conduct.missed_visits)}; co-medication begun by "
        f"others: {'; '.join(drift) or 'none'}; effect of being in the trial: {'; '.join(effects) or 'none'}."
    )


def _effect(code: str, change: object, factor: float | None) -> str:
    """Return the size of an effect of being in the trial: a factor, or a change with its unit."""
    if change is None:
        return f"\u00d7{factor:g}"
    text = str(change).replace("-", words.MINUS)
    return text.replace("%", words.change_unit(code)) if code == "HBA1C" else text


def _analyses(assessment: Assessment) -> str:
    logs = [words.short_name(code) for code in assessment.protocol.codes if words.is_log(code)]
    scale = f" Analysed on the logarithmic scale: {words.listed(logs)}." if logs else ""
    return (
        f"{analyses(assessment.protocol)} All estimates are computed for all replicates at once and agree with statsmodels and lifelines to eight digits; "
        f"this is tested.{scale}"
    )


def _truth(assessment: Assessment) -> str:
    kinds = set(assessment.results.get("truth_of", []))
    text = []
    if "cells" in kinds:
        text.append(
            "The true effect of cells is each patient's value less that of the same patient, with the same random numbers, without cells."
        )
    if "groups" in kinds:
        text.append(
            "The true difference of two groups is each patient's value in the one less that of the same patient, with the same random numbers, in "
            "the other; it excludes rescue treatment and the effect of being in the trial."
        )
    if "treatment" in kinds:
        text.append(
            "The true effect of the treatment is each patient's value less that of the same patient without it."
        )
    if not assessment.parts.empty:
        text.append(
            "Parts of a change come from simulations in which one component is added after the other; regression to the mean is the "
            "deviation of the baseline measurement from the patient's own value, which later measurements do not share."
        )
    if evidence_rows(assessment):
        text.append(
            "Likelihood ratios come from the share of replicates with a significant improvement (half a replicate added to each count) and, for the "
            "size of a result, from kernel densities."
        )
    return " ".join(text)
