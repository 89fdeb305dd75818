"""Looks at a trial before its end: boundaries, when they come, and what may follow from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ...base.config import Settings

#: Looks of one trial at most.
MOST_LOOKS = 20


class Looks(Settings):
    """Looks of a design at its primary endpoint, the last analysis among them."""

    boundaries: Literal["OF", "P", "WT", "HP", "PT", "asOF", "asP", "asKD", "asHSD", "asUser", "user"] = Field(
        default="asOF", description="family of boundaries: asOF spends like O'Brien-Fleming, P is Pocock and so on"
    )
    information: Annotated[int, Field(ge=2, le=MOST_LOOKS)] | list[float] = Field(
        default=2,
        description="number of looks at equal steps, or shares of the patients (of the events) by which they come; the last is 1",
    )
    parameter: float | None = Field(default=None, description="of the family: exponent, bound, rho or gamma")
    spent: list[float] | None = Field(default=None, description="asUser: alpha spent by each look")
    efficacy: list[float] | None = Field(default=None, description="user: z of each look")
    futility: Literal["asOF", "asP", "asKD", "asHSD", "asUser"] | list[float] | None = Field(
        default=None, description="spending function of beta, or z of each look but the last"
    )
    futility_parameter: float | None = None
    futility_spent: list[float] | None = Field(default=None, description="futility asUser: beta spent by each look")
    binding: bool = Field(
        default=False, description="whether a trial must stop for futility, which lowers the boundaries of efficacy"
    )
    power: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.9, description="power under the effect for which boundaries of futility spend beta"
    )
    events: Annotated[int, Field(ge=4)] | None = Field(
        default=None, description="time to event: events at which the trial ends; looks come at shares of them"
    )
