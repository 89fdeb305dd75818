"""What requests may say, key by key; what is not listed is refused."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

#: Letters of a text: protocols and models of the package have a tenth (a choice).
MOST_TEXT = 400_000
#: Entries of a list (a choice: more is a batch, for the command line).
MOST_ENTRIES = 1000
#: Points of time of a simulation.
MOST_POINTS = 10_001

Number = float | str


class RequestBody(BaseModel):
    """Base of all of them: no unknown keys, numbers that are numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class TrialBody(RequestBody):
    """A trial: a protocol of the package by name, or the text of one; and what differs from it."""

    protocol: str | None = Field(default=None, max_length=200, description="name of a protocol, see /api/protocols")
    text: str | None = Field(default=None, max_length=MOST_TEXT, description="a protocol of one's own, as YAML")
    designs: list[str] | None = Field(default=None, min_length=1, max_length=MOST_ENTRIES)
    scenarios: list[str] | None = Field(default=None, min_length=1, max_length=MOST_ENTRIES)
    replicates: int | None = Field(default=None, ge=1, le=1_000_000)
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    fit_draws: int | None = Field(default=None, ge=0, le=64)
    fit: str | None = Field(default=None, max_length=200)

    @model_validator(mode="after")
    def _one_protocol(self) -> TrialBody:
        if (self.protocol is None) == (self.text is None):
            raise ValueError("either protocol (a name) or text (YAML) is expected, and not both")
        return self


class PatientBody(RequestBody):
    """One person: labs by name or as FHIR, what is known besides, and options to compare."""

    labs: dict[str, Number] = Field(default_factory=dict, max_length=100, description="such as {'egfr': '52'}")
    fhir: dict[str, Any] | None = Field(default=None, description="a FHIR R4 bundle or resource of one person")
    sex: str = Field(default="", max_length=50)
    diabetes: str = Field(default="", max_length=50, description="1, 2 or none")
    drugs: list[str] = Field(default_factory=list, max_length=100)
    history: list[str] = Field(default_factory=list, max_length=100, description="such as smoker")
    options: list[str] = Field(default_factory=list, max_length=8, description="what is compared with going on as now")
    scenarios: list[str] | None = Field(default=None, min_length=1, max_length=8)
    people: int = Field(default=300, ge=100, le=1000)
    care: str = Field(default="frozen", max_length=20)
    closer: bool = False
    seed: int = Field(default=1, ge=0, lt=2**63)


class ModelBody(RequestBody):
    """A model of one's own: equations, and a CSV with the numbers that they need."""

    equations: str = Field(max_length=MOST_TEXT)
    parameters: str = Field(default="", max_length=MOST_TEXT, description="CSV: id,value,unit and more")


class DoseBody(RequestBody):
    """An amount that is added to a state."""

    state: str
    amount: float
    time: float = 0.0
    ii: float = 0.0
    addl: int = Field(default=0, ge=0, le=100_000)
    duration: float = 0.0
    rate: float = 0.0


class SwitchBody(RequestBody):
    """A new value of an input."""

    input: str
    value: float
    time: float = 0.0
    width: float = 0.0


class SimulationBody(RequestBody):
    """A simulation of one patient: a model of the package by name, or one of one's own."""

    model: str | None = Field(default=None, max_length=200, description="name of a model, see /api/models")
    equations: str | None = Field(default=None, max_length=MOST_TEXT)
    parameters: str = Field(default="", max_length=MOST_TEXT)
    values: dict[str, Number] = Field(default_factory=dict, max_length=MOST_ENTRIES)
    initial: dict[str, float] = Field(default_factory=dict, max_length=MOST_ENTRIES)
    times: list[float] | None = Field(default=None, min_length=1, max_length=MOST_POINTS)
    until: float | None = Field(
        default=None, gt=0, description="end, in the model's unit of time; 201 points by default"
    )
    points: int = Field(default=201, ge=2, le=MOST_POINTS)
    doses: list[DoseBody] = Field(default_factory=list, max_length=MOST_ENTRIES)
    switches: list[SwitchBody] = Field(default_factory=list, max_length=MOST_ENTRIES)
    outputs: list[str] | None = Field(default=None, min_length=1, max_length=MOST_ENTRIES)

    @model_validator(mode="after")
    def _one_of_each(self) -> SimulationBody:
        if (self.model is None) == (self.equations is None):
            raise ValueError("either model (a name) or equations (text) is expected, and not both")
        if self.model is not None and self.parameters:
            raise ValueError("parameters belong to equations; values change numbers of a model that is named")
        if (self.times is None) == (self.until is None):
            raise ValueError("either times or until is expected, and not both")
        return self


class EvidenceQuery(RequestBody):
    """Which records of evidence; each word may be given several times."""

    # Everything in an address is text.
    model_config = ConfigDict(strict=False)

    study: list[str] = Field(default_factory=list, max_length=100)
    family: list[str] = Field(default_factory=list, max_length=100)
    population: list[str] = Field(default_factory=list, max_length=100)
    product: list[str] = Field(default_factory=list, max_length=100)
    endpoint: list[str] = Field(default_factory=list, max_length=100)


class RecordsQuery(EvidenceQuery):
    """Records of evidence, some of them at a time."""

    limit: int = Field(default=100, ge=1, le=1000)
    offset: int = Field(default=0, ge=0, le=10_000_000)


class PoolQuery(EvidenceQuery):
    """A question whose records are pooled."""

    contrast: str | None = Field(default=None, max_length=50, description="between, change or level")
    measure: str | None = Field(default=None, max_length=50)
    weeks: float | None = Field(default=None, ge=0, le=10_000)
    method: str = Field(default="auto", max_length=50)
    interval: str = Field(default="auto", max_length=50)
    across: list[str] = Field(default_factory=list, max_length=10)
