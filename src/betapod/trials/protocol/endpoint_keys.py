"""Endpoint settings: quantity, summary measure, analysis and strategies for intercurrent events (ICH E9(R1))."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ...base.config import Settings, refuse
from ...base.errors import Problem
from ...hazards.outcome_rates import OUTCOMES, outcome_label, outcome_of
from ...observables.quantities import code_of, visit_observables
from .health_outcomes import IMPROVEMENTS, health_label, health_outcomes

#: A quantity whose unit depends on what is measured; checked with the name beside it.
Measured = Annotated[float | str, WithJsonSchema({"type": ["number", "string"], "examples": ["30 mg/g"]})]


#: Outcome that the courses themselves have.
KIDNEY_FAILURE = "kidney_failure"


def trial_outcome(name: Any) -> str | None:
    """Return the outcome that an endpoint names, or None where it names something measured."""
    text = str(name)
    spelt = "_".join(text.lower().replace("-", " ").replace("_", " ").split())
    outcome = spelt if spelt == KIDNEY_FAILURE else outcome_of(text)
    if outcome is not None or code_of(text) in visit_observables():
        return outcome
    return spelt if spelt in health_outcomes() else None


def trial_outcomes() -> tuple[str, ...]:
    """Return every outcome that endpoints may name."""
    return (*OUTCOMES, KIDNEY_FAILURE, *health_outcomes())


def trial_outcome_label(name: str) -> str:
    """Return what an outcome is called in text, such as ``death from any cause`` or ``foot ulcer``."""
    return outcome_label(name) if name in (*OUTCOMES, KIDNEY_FAILURE) else health_label(name)


class Intercurrent(Settings):
    """Strategies for intercurrent events (ICH E9(R1))."""

    rescue: Literal["treatment policy", "hypothetical", "composite", "while on treatment"] = "treatment policy"
    drop_out: Literal["missing", "composite"] = "missing"
    death: Literal["missing", "composite"] = "missing"


#: What is compared -> its analyses where there is a control, the usual one first.
CONTROLLED: Mapping[str, tuple[str, ...]] = {
    "change": ("ANCOVA", "t test"),
    "ratio": ("ANCOVA", "t test"),
    "slope": ("ANCOVA", "t test"),
    "responders": ("risk difference",),
    "time to event": ("log-rank", "Cox"),
    "total": ("t test",),
}

#: Analyses that protocols of real trials name, and that are not run here, by their names in small letters.
_NOT_RUN = {
    "mmrm": "a mixed model of repeated measures",
    "mixed model": "a mixed model",
    "mixed slope": "a mixed model of slopes",
    "gee": "generalised estimating equations",
    "logistic regression": "logistic regression",
    "fine-gray": "a model of competing risks",
    "win ratio": "the win ratio",
    "wilcoxon": "a rank test",
    "mann-whitney": "a rank test",
    "cmh": "a stratified test of proportions",
    "fisher": "an exact test",
    "chi-square": "a chi-square test",
}


def _run_here(analysis: Any) -> Any:
    description = _NOT_RUN.get(" ".join(str(analysis).lower().split()))
    if description is not None:
        every = list(dict.fromkeys(name for names in CONTROLLED.values() for name in names))
        raise refuse(
            Problem(
                "analysis-not-run",
                f"{analysis} ({description}) is not available",
                found=str(analysis),
                expected=", ".join([*every, "paired"]),
                hint="Name the analysis that is to be run, or leave the key out for the usual one.",
            )
        )
    return analysis


class Endpoint(Settings):
    """Endpoint: variable, summary measure, time point, analysis."""

    name: str = ""
    quantity: str
    summary: Literal["change", "ratio", "slope", "responders", "time to event", "total"] = "change"
    at: str = Field(default="", description="name of a visit; the last by default")
    better: Literal["lower", "higher"] | None = Field(
        default=None, description="which way is an improvement; by default what it is of the quantity"
    )
    threshold: Measured | None = Field(
        default=None, description="value that makes a responder (together with a percentage) or an event (either)"
    )
    percent: Annotated[float, Field(gt=-100)] | None = Field(
        default=None,
        description="change in percent that makes a responder or event; its sign says whether an event is a fall",
    )
    analysis: (
        Annotated[
            Literal["ANCOVA", "t test", "paired", "risk difference", "log-rank", "Cox"], BeforeValidator(_run_here)
        ]
        | None
    ) = Field(
        default=None,
        description="against a control: ANCOVA (baseline and strata) or t test, risk difference, log-rank or Cox; one group alone: paired",
    )
    also: list[str] = Field(
        default_factory=list,
        description="outcomes that count as the event too, which makes a composite: death, cv_death, hf_hospitalisation, mi, stroke, mace, aki, severe_hypoglycaemia, kidney_failure, or a complication such as amputation",
    )
    intercurrent: Intercurrent = Intercurrent()

    @property
    def outcome(self) -> str | None:
        """The outcome that `quantity` names in place of something measured, such as ``death``; None for a measurement."""
        return trial_outcome(self.quantity)

    @property
    def composite(self) -> tuple[str, ...]:
        """Outcomes that are the event, each once: that of `quantity`, and those of `also`."""
        names = [self.outcome, *(trial_outcome(name) for name in self.also)]
        return tuple(dict.fromkeys(name for name in names if name is not None))

    @model_validator(mode="before")
    @classmethod
    def _usual_direction(cls, content: Any) -> Any:
        """Take the direction of the quantity where none is given."""
        if not isinstance(content, dict) or content.get("better") is not None:
            return content
        if (outcome := trial_outcome(content.get("quantity", ""))) is not None:
            return content | {"better": "higher" if outcome in IMPROVEMENTS else "lower"}
        quantity = visit_observables().get(code_of(content.get("quantity", "")))
        return content if quantity is None else content | {"better": "higher" if quantity.better > 0 else "lower"}


class Endpoints(Settings):
    """Primary and secondary endpoints."""

    primary: Endpoint
    secondary: list[Endpoint] = Field(default_factory=list)
