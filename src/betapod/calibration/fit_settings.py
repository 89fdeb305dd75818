"""The file of a fit problem (YAML): unknowns, rows, split, stages, discrepancy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..base.config import Settings
from ..physiology.installed_fits import PEOPLE_PER_COHORT
from ..therapies.scenarios import DEFAULT, ScenarioName
from .unknown import Transform, UnknownKind

Share = Annotated[float, Field(ge=0.0, le=0.9)]
Positive = Annotated[float, Field(gt=0.0, le=1e6)]


class UnknownSettings(Settings):
    """What is known of an unknown before the fit; everything is optional."""

    kind: UnknownKind | None = Field(default=None, description="found out from the name unless given")
    transform: Transform | None = Field(default=None, description="scale on which the prior is normal")
    sd: Positive | None = Field(
        default=None, description="SD of the prior on that scale; else a quarter of the table's range"
    )
    low: float | None = None
    high: float | None = None
    within_study: bool = Field(default=False, description="acts within studies only: people need not live again for it")
    why: str = Field(default="", description="where the prior comes from")


class FitPeople(Settings):
    """Who is simulated."""

    count: Annotated[int, Field(ge=2, le=5000)] = Field(
        default=PEOPLE_PER_COHORT, description="virtual people per cohort; five times as many where events are counted"
    )
    levels: Annotated[int, Field(ge=2, le=5000)] | None = Field(
        default=None, description="more people, who once a pass set how high numbers are; count tells how they move"
    )
    seed: Annotated[int, Field(ge=0)] = 1


class FitSplit(Settings):
    """Which families are kept for validation; those that were tuned to before always speak in the fit."""

    testing: Share = Field(default=0.5, description="share of the families that no parameter was tuned to")
    seed: Annotated[int, Field(ge=0)] = 0


class RowSelection(Settings):
    """Which rows; those that fit every line."""

    endpoints: list[str] = Field(default_factory=list)
    classes: list[str] = Field(default_factory=list, description="classes of treatment")
    families: list[str] = Field(default_factory=list)
    studies: list[str] = Field(default_factory=list)
    weeks: Annotated[list[float], Field(min_length=2, max_length=2)] = Field(default_factory=lambda: [0.0, 1e6])
    cells: bool | None = Field(
        default=None,
        description="true: groups that were given cells; false: studies in which nobody was, without controls of others",
    )
    exclude: list[str] = Field(default_factory=list, description="families, studies, records or endpoints")


class CandidateSettings(Settings):
    """What `fit screen` looks at."""

    tables: list[Literal["kidney", "metabolism", "coupling", "cells", "population"]] = Field(default_factory=list)
    roles: list[str] = Field(default_factory=lambda: ["calibrated", "tuned", "assumed", "memory"])
    names: list[str] = Field(default_factory=list)


class StageSettings(Settings):
    """A stage of the fit: what it looks for in which rows."""

    name: str
    unknowns: list[str] = Field(min_length=1)
    rows: RowSelection | Literal["none"] = Field(
        default_factory=RowSelection, description="published rows; none: those of sources alone"
    )
    sources: list[Literal["NHANES", "visits", "new type 1 diabetes", "deaths", "tolerance tests"]] = Field(
        default_factory=list, description="rows of real people besides, see `real_data.real_sources`"
    )
    weighed: bool = Field(
        default=False,
        description="people of the sources are weighed under unknowns of people, corrected by lives once a pass",
    )
    candidates: CandidateSettings = Field(default_factory=CandidateSettings)
    rounds: Annotated[int, Field(ge=0, le=10)] = Field(
        default=2, description="most passes in people who lived under what the pass before found"
    )


class TableSettings(Settings):
    """Tables of your own; paths are relative to the problem file."""

    evidence: list[str] = Field(
        default_factory=list, description="published numbers, which override or extend those of the package"
    )
    arms: list[str] = Field(default_factory=list, description="what groups of studies get")
    cohorts: list[str] = Field(default_factory=list, description="baselines of people")
    events: list[str] = Field(default_factory=list, description="which events endpoints count")


class FitSettings(Settings):
    """A fit problem."""

    name: str
    kind: Literal["published"] = "published"
    about: str = ""
    scenario: ScenarioName = DEFAULT
    seed: Annotated[int, Field(ge=0)] = 1
    people: FitPeople = Field(default_factory=FitPeople)
    tables: TableSettings = Field(default_factory=TableSettings)
    rows: RowSelection = Field(default_factory=RowSelection)
    split: FitSplit = Field(default_factory=FitSplit)
    discrepancy: dict[str, Positive] = Field(
        default_factory=dict,
        description="scale of the prior of what the model lacks, by class of rows; by default twice the median error of the class",
    )
    unknowns: dict[str, UnknownSettings]
    stages: list[StageSettings] = Field(min_length=1)
