"""Looks at a trial before its end: boundaries, when they come, and what may follow from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from ...base.config import Settings

#: A size of an effect, as a margin has it: in the unit of the difference, or a ratio.
EffectText = Annotated[float | str, WithJsonSchema({"type": ["number", "string"], "examples": ["0.3 %", 0.8]})]

#: Looks of one trial at most.
MOST_LOOKS = 20


class Selection(Settings):
    """Which arms go on after a look."""

    rule: Literal["best", "within", "above", "all"] = Field(
        default="best",
        description="best: the best `count`; within: within `margin` of the best; above: with at least `margin`",
    )
    count: Annotated[int, Field(ge=1, le=8)] = 1
    margin: float = Field(
        default=0.0, description="in the good direction, on the scale of the analysis: of ratios a logarithm"
    )


class Enrichment(Settings):
    """A part of the patients that may go on alone after the first look."""

    stratum: str = Field(description="name of a stratum, such as those with albuminuria at baseline")
    margin: float = Field(
        default=0.0,
        description="it goes on alone where its estimate is better than that of all by more than this, on the scale of the analysis",
    )


class Resize(Settings):
    """How the size of the trial is set anew at the first look."""

    rule: Literal["blinded", "conditional power", "promising zone"]
    planned: Annotated[int, Field(ge=8)] = Field(description="patients as planned; those of the design are the most")
    effect: EffectText | None = Field(
        default=None,
        description="assumed effect: a size in the unit of the difference, or a ratio; without it that of the first stage",
    )
    power: Annotated[float, Field(gt=0, lt=1)] = 0.9
    zone: tuple[float, float] = Field(
        default=(0.36, 0.9), description="promising zone: conditional power from and below which the size is raised"
    )


class Allocation(Settings):
    """How allocation follows what has been seen: blocks of patients, of whom more get what seems best."""

    blocks: Annotated[int, Field(ge=2, le=50)] = Field(
        default=8, description="blocks of one size in the order of enrolment; groups are compared within each"
    )
    exponent: Annotated[float, Field(ge=0, le=2)] = Field(
        default=0.5, description="of an arm's chance to be the best: 0 keeps allocation even, 1 is Thompson's"
    )
    cap: Annotated[float, Field(gt=0, le=1)] = Field(default=0.8, description="greatest share of an arm")


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
    combine: Literal["inverse normal", "Fisher"] | None = Field(
        default=None,
        description="tests stages apart, each by its own patients; what adapts has inverse normal by default",
    )
    intersections: Literal["Simes", "Bonferroni", "Sidak", "Dunnett"] = Field(
        default="Simes", description="test of several claims together in the closed test of selection and enrichment"
    )
    select: Selection | None = Field(default=None, description="several arms and a control: which arms go on")
    enrich: Enrichment | None = Field(default=None, description="all patients, then all or a stratum of them")
    resize: Resize | None = Field(default=None, description="patients of the second stage by what the first has shown")

    allocate: Allocation | None = Field(
        default=None, description="allocation of each block of patients by the outcomes that are known when it begins"
    )

    @property
    def staged(self) -> bool:
        """Whether stages are tested apart and combined, or the size is set anew."""
        return any(item is not None for item in (self.combine, self.select, self.enrich, self.resize, self.allocate))
