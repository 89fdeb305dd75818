"""Keys of a protocol about people and what they are given: criteria, population, run-in, arms, strata."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from ...base.config import Duration, Settings, Share, read_quantity, refuse
from ...base.errors import BetapodError
from ...observables.quantities import label_of, observable_unit
from .endpoint_keys import Measured


def _order(text: str) -> str:
    from ...therapies.cell_order import read_order

    try:
        read_order(text)
    except BetapodError as error:
        raise refuse(error) from None
    return text


def _therapy_text(text: str) -> str:
    from ...therapies.standard_care import therapy

    try:
        therapy(text)
    except BetapodError as error:
        raise refuse(error) from None
    return text


def from_text(key: str) -> Any:
    """Allow a bare text where only one key of a mapping is given."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


TherapyText = Annotated[str, AfterValidator(_therapy_text)]
OrderText = Annotated[
    str,
    AfterValidator(_order),
    WithJsonSchema({"type": "string", "examples": ["UC-MSC 1e6/kg iv x3 q28d"], "description": "an order for cells"}),
]
Count = Annotated[int, Field(ge=1)]


class Criterion(Settings):
    """Bounds of one quantity."""

    min: Measured | None = None
    max: Measured | None = None

    def bounds(self, code: str) -> tuple[float, float]:
        """Return both bounds in the quantity's unit."""
        unit, label = observable_unit(code), label_of(code)
        low, high = (
            missing if bound is None else read_quantity(bound, unit, label, bare=unit == "1")
            for bound, missing in ((self.min, -math.inf), (self.max, math.inf))
        )
        return low, high


class TherapyItem(Settings):
    """A therapy that the protocol gives; times are days from enrolment."""

    therapy: TherapyText
    start: Duration = 0.0
    stop: Duration | None = None
    adherence: Share = 1.0


Therapies = list[Annotated[TherapyItem, from_text("therapy")]]


class Population(Settings):
    """Population that is screened."""

    cohort: str = Field(
        default="", description="a cohort that candidates are weighted to look like, such as NHANES; else the library"
    )
    diabetes: Literal["type 1", "type 2", "any", "none"] = "type 2"
    confirmed: dict[str, Criterion] = Field(
        default_factory=dict, description="what two of three earlier samples showed, when the diagnosis was made"
    )
    size: Annotated[int, Field(ge=10, le=100_000)] = Field(
        default=1000, description="virtual people from whom candidates are drawn"
    )


class RunIn(Settings):
    """Treatment of all patients before enrolment."""

    therapies: Therapies
    duration: Duration


class Arm(Settings):
    """What one group gets, on top of the care that the patients already have."""

    label: str = ""
    cells: OrderText | None = None
    placebo: bool = False
    infusions_like: str | None = Field(
        default=None, description="arm whose infusions of cells this arm gets as placebo"
    )
    therapies: Therapies = Field(default_factory=list)
    inputs: dict[str, Measured] = Field(default_factory=dict, description="inputs of the model, set from enrolment on")


class Stratum(Settings):
    """Stratum of patients, defined by screening values."""

    label: str = ""
    patients: Count | None = Field(default=None, description="how many are recruited; all strata or none")
    where: dict[str, Criterion]
