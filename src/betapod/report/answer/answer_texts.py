"""The answer in three texts, for a patient, a clinician and a reviewer; each sentence follows from the numbers and names them.

A name in braces stands for a number of the book. No number is written here: where data move, sentences move with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...claims.typical_effects import GRAFTED, INFUSED
from ...therapies.scenarios import CURRENT_EVIDENCE

if TYPE_CHECKING:
    from .harm_numbers import EnteredHarms
    from .ledger_counts import LedgerCounts
    from .needed_trial import TrialSize
    from .published_effects import PublishedEffect
    from .simulated_effects import SimulatedEffect

#: Whom the texts are for, each with the heading.
READERS = {"patient": "For a patient", "clinician": "For a clinician", "reviewer": "For a reviewer"}
#: Words that a text may have.
MOST_WORDS = 300
_SURE = ("moderate", "high")
_KIDNEY = ("kidney failure", "eGFR", "UACR")
#: Filtration, mL/min/1.73 m2, below which a difference is called too little to feel: what the ledger asks of "great" and "significant".
_FELT = 5.0


class Findings:
    """What the sentences depend on."""

    def __init__(
        self,
        published: Sequence[PublishedEffect],
        harms: Sequence[EnteredHarms],
        counts: LedgerCounts,
        sizes: Sequence[TrialSize],
    ) -> None:
        self.effects: Mapping[str, PublishedEffect] = {effect.key: effect for effect in published}
        self.infused = next(course for course in harms if course.course == INFUSED)
        self.grafted = next(course for course in harms if course.course == GRAFTED)
        self.counts = counts
        self.sizes: Mapping[str, TrialSize] = {size.key: size for size in sizes}
        cells = [effect for effect in published if effect.treatment == "infused cells"]
        self.kidney_shown = any(_sure(effect) for effect in cells if effect.outcome in _KIDNEY)
        self.failure_measured = any(effect.measured for effect in cells if effect.outcome == "kidney failure")
        self.glucose_shown = any(_sure(effect) for effect in cells if effect.outcome == "HbA1c")


def _sure(effect: PublishedEffect) -> bool:
    return effect.shows_gain and effect.reply.certainty in _SURE


def answer_texts(
    findings: Findings, simulated: Sequence[SimulatedEffect], asked_for: tuple[str, str] | tuple[()] = ()
) -> dict[str, tuple[str, ...]]:
    """Return the paragraphs for each of `READERS`."""
    asked = _asked(simulated, asked_for)
    return {
        "patient": tuple(_patient(findings)),
        "clinician": (*_clinician(findings), *asked),
        "reviewer": tuple(_reviewer(findings)),
    }


def headline(findings: Findings) -> tuple[str, str]:
    """Return the answer in one sentence for each of the two treatments."""
    kidney = "They help the kidney." if findings.kidney_shown else "It is not shown that they help the kidney."
    glucose = (
        " They may lower blood glucose somewhat, and they are no cure."
        if findings.glucose_shown
        else " They are no cure."
    )
    return (
        f"Cells infused into the blood: {kidney[0].lower()}{kidney[1:]}{glucose}",
        "Islets made from stem cells, for type 1 diabetes: {SC-islets-insulin-free-counted} people needed no insulin after a year, under drugs "
        "against rejection and without a control group. Nothing is shown for the kidney.",
    )


def _patient(findings: Findings) -> list[str]:
    effects, counts = findings.effects, findings.counts
    kidney = (
        "Cells given through a drip help the kidneys."
        if findings.kidney_shown
        else "Nobody has shown that cells given through a drip help the kidneys."
    )
    glucose = " They may lower blood sugar a little." if findings.glucose_shown else ""
    failure = (
        "" if findings.failure_measured else "No study that we read measured whether they keep people off dialysis. "
    )
    little = "too little to feel, " if abs(effects["cells-eGFR"].reply.estimate or 0.0) < _FELT else ""
    small = f": {little}in weak studies" if not _sure(effects["cells-eGFR"]) else ""
    proven = "not one is proven" if not counts.supported else "{claims-supported} are shown by studies"
    hints = "; for {claims-partly-supported} there are weak hints" if counts.verdicts["partly supported"] else ""
    cases = (
        " {reported-cases} published reports describe serious harm, such as lost kidneys and death; nobody knows out of how many."
        if counts.cases
        else ""
    )
    return [
        f"In short: {kidney}{glucose} They do not cure diabetes.",
        f"What is known: {failure}Only {{trials-DKD}} trials, with {{people-DKD}} people, let chance decide who with kidney disease from diabetes got "
        f"cells. Several small studies together saw kidneys filter {{cells-eGFR-plain}} units more{small}. Of {{claims-cells}} promises about cells "
        f"{proven}{hints}. No study compared early with late treatment.",
        "What can go wrong: Of 1,000 people who have {events-UC-MSC} drips, about {harm-UC-MSC-p_fever} more get a fever than after a dummy drip, and "
        f"about {{harm-UC-MSC-p_antibody}} make antibodies, which make a fitting kidney for a transplant harder to find.{cases}",
        "A different treatment: islets (cells that make insulin) grown from stem cells, for type 1 diabetes. In a first trial "
        "{SC-islets-insulin-free-counted} people needed no insulin after a year; {SC-islets-deaths} died. They need drugs that hold back the "
        "body's defences. Whether their kidneys gain is not known.",
        "What protects kidneys: SGLT2 inhibitors (tablets) cut the risk of losing kidney function by about {sglt2-failure-cut}, in trials with "
        "{sglt2-failure-people} people; semaglutide (an injection) by {glp1-failure-cut}; finerenone (a tablet) by {finerenone-failure-cut}. Ask your doctor "
        "which suit you.",
        "What would settle it: a trial of about {size-failure} for {trial-years}, in which chance decides who gets cells, unknown to all.",
        "If somebody offers you cells, ask: Is it a registered trial? Is there a group for comparison? Do I have to pay? Who looks after me for "
        "years? Do not stop your medicines.",
    ]


def _clinician(findings: Findings) -> list[str]:
    failure = "" if findings.failure_measured else "No trial reported kidney failure. "
    verdict = "Benefit is shown" if findings.kidney_shown else "Benefit is not shown"
    hba1c = (
        "HbA1c in type 2 diabetes: {cells-HbA1c} in trials pooled here, {cells-HbA1c-summary} in a summary of trials."
    )
    return [
        f"Infused stromal cells, kidney: {verdict}. {failure}eGFR against control: {{cells-eGFR}} in a summary ({{cells-eGFR-people}} people), "
        "{cells-eGFR-blinded} at {cells-eGFR-blinded-time} against placebo; UACR {cells-UACR}. " + hba1c,
        "Early or late: no trial compared stages. In the model, current evidence gives eGFR "
        "{sim-t2d_micro-UC-MSC-current-evidence-eGFR} and UACR {sim-t2d_micro-UC-MSC-current-evidence-UACR} after a year in early "
        "nephropathy, and {sim-t2d_ckd-UC-MSC-current-evidence-eGFR} and {sim-t2d_ckd-UC-MSC-current-evidence-UACR} in advanced disease. With "
        "titrated insulin HbA1c stays; the dose changes by {sim-t2d_ckd-UC-MSC-current-evidence-insulin_dose} a day.",
        "Type 1 diabetes: islets made from stem cells are another treatment. Insulin-free at a year: {SC-islets-insulin-free}; deaths "
        "{SC-islets-deaths}; immunosuppression for as long as the graft lives. Model: HbA1c {sim-t1d-SC-islets-current-evidence-HbA1c}, eGFR "
        "{sim-t1d-SC-islets-current-evidence-eGFR} after a year. Do not carry these results over to infusions.",
        "Harm of {events-UC-MSC} infusions, more per 1,000 than with placebo: fever {harm-UC-MSC-p_fever}, antibodies against the donor "
        "{harm-UC-MSC-p_antibody}, thrombosis {harm-UC-MSC-p_thrombosis}. Antibodies matter before transplantation.",
        "Alternatives, hazard ratio of losing kidney function: SGLT2 inhibitor {sglt2-failure}, GLP-1 receptor agonist {glp1-failure}, finerenone "
        "{finerenone-failure}. Cells belong in randomised trials, on top of these.",
    ]


def _reviewer(findings: Findings) -> list[str]:
    counts = findings.counts
    verdicts = ", ".join(
        f"{{claims-{name.replace(' ', '-')}}} {name}" for name, count in counts.verdicts.items() if count
    )
    silent = " For {claims-silent} the model cannot express what is claimed." if counts.silent else ""
    failure = (
        ""
        if findings.failure_measured
        else "Kidney failure was not an outcome of any trial of infused cells that we read. "
    )
    return [
        f"Ledger: {{claims-cells}} claims about cells, judged by one written rule: {verdicts}. The model simulates {{claims-simulated}} of them and "
        f"reaches {{claims-reached}} within what evidence allows.{silent}",
        f"Certainty: {failure}{{trials-DKD}} randomised trials in diabetic kidney disease hold {{people-DKD}} people. The summary of eGFR, "
        "{cells-eGFR}, counts as one record of others' trials, whose heterogeneity was not read. The blinded trial gives "
        "{cells-eGFR-blinded}, without a dose response. HbA1c {cells-HbA1c} in trials pooled here is less sure than {cells-HbA1c-summary} in a summary, "
        "as the trials disagree.",
        "Simulation: one typical person each, cells against none. In advanced disease eGFR after a year is "
        "{sim-t2d_ckd-UC-MSC-none-eGFR} if cells do no good, {sim-t2d_ckd-UC-MSC-current-evidence-eGFR} by current evidence, "
        "{sim-t2d_ckd-UC-MSC-face-value-eGFR} if positive trials are taken at face value, {sim-t2d_ckd-UC-MSC-seed-claims-eGFR} as claimed. "
        "Simulation holds verdicts back and never makes them.",
        "Harm: {reported-cases} cases of serious harm were published; they have no denominator. One that its authors blame on cells counts in "
        "the rule. Rates per course come from trials of all diseases, most short.",
        "Trial that would tell: randomised, blinded, with as many placebo infusions, on top of SGLT2 inhibitors; kidney failure or loss of "
        "function first, measured filtration second, antibodies and cancer followed; {trial-years}. To show an effect as large as that of SGLT2 "
        "inhibitors takes {size-failure}; of eGFR as current evidence has it in advanced disease, "
        "{size-sim-t2d_ckd-UC-MSC-current-evidence-eGFR}; as the blinded trial has it, {size-cells-eGFR-blinded}.",
        "Limits: requirements and directness are judgements; one scatter of eGFR was printed; conflicts of interest and unpublished trials were "
        "not searched.",
    ]


def _asked(simulated: Sequence[SimulatedEffect], asked_for: tuple[str, str] | tuple[()]) -> list[str]:
    """Return the paragraph about the person and course that were asked for."""
    if not asked_for:
        return []
    person, course = asked_for
    keys = {
        effect.quantity: effect.key
        for effect in simulated
        if (effect.person, effect.course, effect.scenario) == (person, course, CURRENT_EVIDENCE)
    }
    label = next(effect.label for effect in simulated if effect.person == person)
    parts = ", ".join(f"{quantity.replace('_', ' ')} {{{key}}}" for quantity, key in keys.items())
    return [f"As asked ({label}; {course}), by current evidence after a year: {parts}."]
