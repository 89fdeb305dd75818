"""The protocol of a trial: who, what, when, how measured, how analysed. It is written in YAML; `load` reads and checks it."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from ...base.config import (
    Day,
    Document,
    Duration,
    Rate,
    Settings,
    Share,
    parse_yaml,
    quantity,
    read_yaml,
    refuse,
    validate,
)
from ...base.errors import BetapodError, ConfigError, not_among
from ...observables.quantities import code_of, label_of, unit_of
from ...therapies.scenarios import COMPARED, ScenarioName
from .endpoint_keys import Endpoints, Measured

LIBRARY = Path(__file__).parent / "library"

#: The version of the protocol's own format.
SCHEMA_VERSION = 1


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


def _from_text(key: str) -> Any:
    """Allow a bare text where only one key of a mapping is given."""
    return BeforeValidator(lambda given: {key: given} if isinstance(given, str) else given)


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
        unit, label = unit_of(code), label_of(code)
        low, high = (
            missing if given is None else quantity(given, unit, label, bare=unit == "1")
            for given, missing in ((self.min, -math.inf), (self.max, math.inf))
        )
        return low, high


class TherapyItem(Settings):
    """A therapy that the protocol gives; times are days from enrolment."""

    therapy: TherapyText
    start: Duration = 0.0
    stop: Duration | None = None
    adherence: Share = 1.0


Therapies = list[Annotated[TherapyItem, _from_text("therapy")]]


class Population(Settings):
    """Who may be screened."""

    cohort: str = Field(
        default="", description="a cohort that candidates are weighted to look like, such as NHANES; else the library"
    )
    diabetes: Literal["type 1", "type 2", "any"] = "type 2"
    confirmed: dict[str, Criterion] = Field(
        default_factory=dict, description="what two of three earlier samples showed, when the diagnosis was made"
    )
    size: Annotated[int, Field(ge=10, le=100_000)] = Field(
        default=1000, description="virtual people from whom candidates are drawn"
    )


class RunIn(Settings):
    """What everybody gets before enrolment."""

    therapies: Therapies
    duration: Duration


class Arm(Settings):
    """What one group gets, on top of the care that the patients already have."""

    label: str = ""
    cells: OrderText | None = None
    placebo: bool = False
    therapies: Therapies = Field(default_factory=list)
    inputs: dict[str, Measured] = Field(default_factory=dict, description="inputs of the model, set from enrolment on")


class Stratum(Settings):
    """Part of the patients, by what was measured at screening."""

    label: str = ""
    patients: Count | None = Field(default=None, description="how many are recruited; all strata or none")
    where: dict[str, Criterion]


class Randomisation(Settings):
    """How patients are allocated."""

    method: Literal["blocks", "simple", "minimisation"] = "blocks"
    block: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="patients per block; default: twice the ratio"
    )
    stratified: bool = True


class Design(Settings):
    """One way to run the trial."""

    label: str = ""
    arms: dict[str, Count] = Field(min_length=1, description="arm and its share in the allocation ratio")
    control: str | None = Field(
        default=None,
        description="arm that the others are compared with; by default the placebo, else the one given least",
    )
    patients: Count | None = None
    baseline: Literal["screening", "baseline", "mean"] = "baseline"
    blinding: Literal["open", "single", "double"] = Field(
        default="open", description="for the record; what knowing one's treatment does is an effect on some arms only"
    )
    randomisation: Annotated[Randomisation, _from_text("method")] = Randomisation()


class Visit(Settings):
    """When patients are seen."""

    name: str
    day: Day
    window: Duration = 0.0


class Measurement(Settings):
    """How a quantity is measured."""

    samples: Annotated[int, Field(ge=1, le=20)] = Field(
        default=1, description="per visit; their mean counts, on the quantity's scale"
    )
    cv: Share | None = Field(default=None, description="within-person variation of one sample, instead of the table's")


class CoMedication(Settings):
    """Treatment that others begin during the trial, in the same people whatever their arm."""

    therapy: TherapyText
    share: Share
    begins: tuple[Duration, Duration] = (0.0, 180.0)
    note: str = ""


class TrialEffect(Settings):
    """What being in the trial does to a quantity, beyond treatment."""

    quantity: str
    change: Measured | None = None
    factor: Annotated[float, Field(gt=0)] | None = None
    spread: Measured = Field(
        default=0.0,
        description="SD between people: of the logarithm for a factor, else a quantity; a bare number is in the unit of the change",
    )
    time: Duration = 30.0
    arms: list[str] | None = None
    note: str = ""


class Rescue(Settings):
    """Treatment that is given because a measurement after enrolment was beyond a bound."""

    quantity: str
    above: Measured | None = None
    below: Measured | None = None
    therapy: TherapyText


class Conduct(Settings):
    """What happens in every real trial."""

    drop_out: Rate = 0.0
    missed_visits: Share = 0.0
    deaths: bool = Field(default=True, description="die at the rates of adults with diabetes by eGFR and albuminuria")
    co_medication: list[CoMedication] = Field(default_factory=list)
    effects: list[TrialEffect] = Field(default_factory=list)
    rescue: list[Rescue] = Field(default_factory=list)


class Protocol(Settings):
    """A trial.

    Attributes
    ----------
    patients
        Recruited in each design that does not say otherwise.
    scenarios
        What is supposed of the cells, each simulated with the same people and luck.
    """

    schema_version: Literal[1] = 1
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    title: str
    summary: str = ""
    sources: list[str] = Field(default_factory=list)
    assumptions: list[str] = Field(default_factory=list)
    population: Population = Population()
    eligibility: dict[str, Criterion] = Field(default_factory=dict)
    strata: dict[str, Stratum] = Field(default_factory=dict)
    run_in: RunIn | None = None
    arms: dict[str, Arm] = Field(min_length=1)
    designs: dict[str, Design] = Field(min_length=1)
    patients: Count
    visits: list[Visit] = Field(min_length=2)
    measurements: dict[str, Measurement] = Field(min_length=1)
    conduct: Conduct = Conduct()
    endpoints: Endpoints
    scenarios: list[ScenarioName] = Field(default=list(COMPARED), min_length=1)
    seed: Annotated[int, Field(ge=0)] = 1
    replicates: Count = 1000

    @property
    def codes(self) -> tuple[str, ...]:
        """PARAMCDs that are measured; creatinine too where eGFR is, which is computed from it."""
        given = [code_of(name) for name in self.measurements]
        more = ["CREAT"] if "EGFR" in given and "CREAT" not in given else []
        return (*given, *more)

    def measurement(self, code: str) -> Measurement:
        """Return how a PARAMCD is measured."""
        found = {code_of(name): each for name, each in self.measurements.items()}
        return found.get(code) or (found.get("EGFR") if code == "CREAT" else None) or Measurement()

    @property
    def days(self) -> list[float]:
        """Nominal day of each visit."""
        return [visit.day for visit in self.visits]

    @property
    def lead(self) -> float:
        """Days simulated before enrolment."""
        return max([self.run_in.duration if self.run_in else 0.0, *(v.window - v.day for v in self.visits)])

    @property
    def screening_visits(self) -> list[int]:
        """Visits at which eligibility is judged: those before enrolment, or that of enrolment."""
        return [i for i, visit in enumerate(self.visits) if visit.day < 0] or [self.baseline_visit]

    @property
    def baseline_visit(self) -> int:
        """The visit of enrolment."""
        return next(i for i, visit in enumerate(self.visits) if visit.day == 0)

    def baseline_visits(self, design: str) -> list[int]:
        """Visits whose mean is the baseline of a design."""
        match self.designs[design].baseline:
            case "screening":
                return self.screening_visits
            case "baseline":
                return [self.baseline_visit]
        return sorted({*self.screening_visits, self.baseline_visit})

    def size(self, design: str) -> int:
        """Patients in a design: those of its strata, or its own number."""
        quotas = [stratum.patients for stratum in self.strata.values()]
        own = self.designs[design].patients
        if own is None and quotas and all(quota is not None for quota in quotas):
            return sum(quota or 0 for quota in quotas)
        return own or self.patients

    def quotas(self, design: str) -> list[int]:
        """Patients of each stratum to recruit in a design; empty where strata fill as they come."""
        given = [stratum.patients for stratum in self.strata.values()]
        if not given or any(quota is None for quota in given):
            return []
        whole, size = sum(quota or 0 for quota in given), self.size(design)
        exact = [(quota or 0) * size / whole for quota in given]
        shares = [math.floor(each) for each in exact]
        for k in sorted(range(len(exact)), key=lambda i: shares[i] - exact[i])[: size - sum(shares)]:
            shares[k] += 1
        return shares


def protocol_catalogue() -> dict[str, Path]:
    """Return the protocols that come with the package."""
    return {path.stem: path for path in sorted(LIBRARY.glob("*.yaml"))}


def load_protocol(name: str | Path) -> Protocol:
    """Return a protocol of the package by name, or one from a file.

    Raises
    ------
    ConfigError
        Everything wrong with it, each with line and column; or no such protocol, with the nearest name.
    """
    from .cohort_paths import resolved

    found = protocol_document(name)
    return resolved(read_protocol(found), found)


def protocol_document(name: str | Path) -> Document:
    """Return the text of a protocol by name or path.

    Raises
    ------
    ConfigError
        There is no such protocol, or the file cannot be read as YAML.
    """
    known = protocol_catalogue()
    text = str(name)
    if text in known:
        return read_yaml(known[text])
    path = Path(name)
    if path.is_file() or path.suffix in (".yaml", ".yml") or "/" in text:
        return read_yaml(path)
    raise ConfigError(
        not_among(known, "unknown-protocol", f"there is no protocol {text!r}, and no file of that name", text)
    )


def parse_protocol(text: str, file: str = "<text>") -> Protocol:
    """Return the protocol that a YAML text describes; errors as `load`."""
    return read_protocol(parse_yaml(text, file))


def read_protocol(found: Document) -> Protocol:
    """Return the protocol of a document; errors as `load`."""
    from .checks import across

    return validate(Protocol, found, across)


@functools.cache
def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of protocols, for editors."""
    schema = Protocol.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
