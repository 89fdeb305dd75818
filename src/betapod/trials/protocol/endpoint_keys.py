"""Endpoint settings: quantity, summary measure, analysis and strategies for intercurrent events (ICH E9(R1))."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ...base.config import Settings
from ...hazards.outcome_rates import OUTCOMES, outcome_label, outcome_of
from ...observables.quantities import code_of, visit_observables
from .analysis_keys import ACUTE_DAYS, CONTROLLED, Analysis, measure_of
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


def _named(analysis: Any) -> Any:
    """Take a bare text for the method."""
    return {"method": analysis} if isinstance(analysis, str) else analysis


class Intercurrent(Settings):
    """Strategies for intercurrent events (ICH E9(R1))."""

    rescue: Literal["treatment policy", "hypothetical", "composite", "while on treatment", "principal stratum"] = Field(
        default="treatment policy", description="principal stratum: those whom no group would see rescued"
    )
    drop_out: Literal["missing", "composite"] = "missing"
    death: Literal["missing", "composite", "principal stratum"] = Field(
        default="missing", description="principal stratum: those who would be alive in either group"
    )
    kidney_failure: Literal["missing", "composite"] = "missing"


def _procedure(value: Any) -> Any:
    """Take a bare text for the procedure."""
    return {"procedure": value} if isinstance(value, str) else value


class Endpoint(Settings):
    """Endpoint: variable, summary measure, time point, analysis."""

    name: str = ""
    quantity: str
    summary: Literal[
        "change",
        "ratio",
        "slope",
        "chronic slope",
        "acute change",
        "responders",
        "time to event",
        "recurrent events",
        "total",
        "hierarchy",
        "crossover",
    ] = Field(
        default="change",
        description="slope: of all visits; recurrent events: the rate of an outcome that may come again; hierarchy: the kidney hierarchical endpoint, of eGFR, kidney failure and death",
    )
    at: str = Field(default="", description="name of a visit; the last by default")
    first: str = Field(
        default="",
        description="crossover: visit at the end of the first period; half of its difference from that of `at` is compared",
    )
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
    analysis: Annotated[Analysis, BeforeValidator(_named)] | None = Field(
        default=None,
        description="a method, or a mapping of method and its settings; the usual one of the summary by default; one group alone: paired",
    )
    objective: Literal["superiority", "non-inferiority", "equivalence"] = "superiority"
    margin: Measured | None = Field(
        default=None,
        description="of non-inferiority or equivalence: a size in the unit of the difference, or a ratio",
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
    def method(self) -> str:
        """The analysis where there is a control: the one that the endpoint names, else the usual one of its summary."""
        return self.analysis.method if self.analysis is not None else CONTROLLED[self.summary][0]

    @property
    def settings(self) -> Analysis:
        """The analysis where there is a control, with its settings."""
        return self.analysis if self.analysis is not None else Analysis.model_validate({"method": self.method})

    @property
    def measure(self) -> str:
        """What the analysis of two groups estimates: ``difference``, ``hazard ratio``, ``win odds`` and so on."""
        return measure_of(self.method)

    @property
    def acute_days(self) -> float:
        """Day from which the acute effect of a treatment is complete, as the analysis has it or as it is assumed."""
        knot = self.analysis.knot if self.analysis is not None else None
        return knot if isinstance(knot, float) else ACUTE_DAYS

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


class Multiplicity(Settings):
    """How several tests of one trial keep the chance of any false one at alpha."""

    procedure: Literal["Bonferroni", "Holm", "Hochberg", "fixed sequence", "graphical"]
    secondary: bool = Field(
        default=False,
        description="whether secondary endpoints are tested with the primary one; tests are in the order of the protocol, groups within endpoints",
    )
    weights: list[Annotated[float, Field(ge=0, le=1)]] = Field(
        default_factory=list, description="graphical: share of alpha that each test begins with"
    )
    passed_on: list[list[Annotated[float, Field(ge=0, le=1)]]] = Field(
        default_factory=list,
        description="graphical: share of its weight that a rejected test (row) gives to another (column)",
    )


class Endpoints(Settings):
    """Primary and secondary endpoints, and how they are tested."""

    primary: Endpoint
    secondary: list[Endpoint] = Field(default_factory=list)
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = Field(default=0.05, description="significance level of each test")
    sides: Literal[1, 2] = Field(
        default=2, description="sides of the tests; non-inferiority at two-sided 0.05 is tested at one-sided 0.025"
    )
    multiplicity: Annotated[Multiplicity, BeforeValidator(_procedure)] | None = None
