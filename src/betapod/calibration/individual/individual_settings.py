"""The file of a fit of a user's own: which model, which table, what is fitted and how far measurements are off."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ...base.config import Settings

#: A number with its unit, such as ``320 mg``, or a plain number.
Quantity = str | float


class PriorRange(Settings):
    """What is thought of a parameter before the data: the range that holds 95 % of people."""

    low: Quantity
    high: Quantity


class FittedParameter(Settings):
    """How a parameter is looked for."""

    start: Quantity | None = None
    transform: Literal["log", "linear", "logit"] | None = None
    low: Quantity | None = None
    high: Quantity | None = None
    prior: PriorRange | Literal["table"] | None = None


class StatedError(Settings):
    """Sizes of an error that are known."""

    additive: Quantity | None = None
    proportional: Quantity | None = None


class ObservableSettings(Settings):
    """What is measured, which output of the model predicts it, and how far it is off."""

    output: str | None = None
    unit: str | None = None
    error: Literal["additive", "proportional", "combined", "column"] | StatedError | None = None


class DoseSettings(Settings):
    """A dose for everybody: an amount into a state."""

    state: str
    amount: Quantity
    time: Quantity = 0.0
    duration: Quantity = 0.0
    every: Quantity = 0.0
    more: Annotated[int, Field(ge=0)] = 0
    steady: bool = False


class SwitchSettings(Settings):
    """A new value of an input for everybody."""

    input: str
    value: Quantity
    time: Quantity = 0.0
    width: Quantity = 0.0


class CommonSchedule(Settings):
    """What everybody is given; what single people are given stands in the table."""

    doses: list[DoseSettings] = Field(default_factory=list)
    switches: list[SwitchSettings] = Field(default_factory=list)


class EventTableSettings(Settings):
    """What an event data set in the form of NONMEM leaves open."""

    compartments: dict[str | int, str] = Field(default_factory=dict)
    measured: dict[str | int, str] = Field(default_factory=dict)
    covariates: Literal["backward", "forward", "linear"] = "backward"


class IndividualSettings(Settings):
    """A fit of a user's own model to measurements of people."""

    kind: Literal["individual"]
    title: str = ""
    model: str
    parameters: list[str] = Field(default_factory=list)
    set: dict[str, Quantity] = Field(default_factory=dict)
    table: str
    columns: dict[str, str] = Field(default_factory=dict)
    nonmem: EventTableSettings | None = None
    begin: Quantity = 0.0
    schedule: CommonSchedule = CommonSchedule()
    observables: dict[str, ObservableSettings | None] = Field(min_length=1)
    fit: dict[str, FittedParameter | None] = Field(min_length=1)
    group: Literal["iterated", "two-stage", "none"] = "iterated"
    pooled: bool = False
    starts: Annotated[int, Field(ge=1, le=64)] = 1
    level: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.95
    seed: Annotated[int, Field(ge=0)] = 1
