"""Trial protocol (YAML): population, arms, visits, measurements, conduct, endpoints."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from ...base.config import (
    Day,
    Duration,
    Rate,
    Settings,
    Share,
)
from ...base.display import Displayed
from ...base.former_names import PROTOCOL_KEYS
from ...observables.quantities import code_of
from ...therapies.scenarios import COMPARED, ScenarioName
from .endpoint_keys import Endpoints, Measured
from .group_keys import (
    Arm,
    Count,
    Criterion,
    Population,
    RunIn,
    Stratum,
    Therapies,
    TherapyText,
    from_text,
)
from .look_keys import Looks

if TYPE_CHECKING:
    import pandas as pd

#: The version of the protocol's own format.
SCHEMA_VERSION = 1


class Randomisation(Settings):
    """Randomisation method."""

    method: Literal["blocks", "simple", "minimisation"] = "blocks"
    block: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="patients per block; default: twice the ratio"
    )
    stratified: bool = True


class Design(Settings):
    """Trial design: arms with allocation ratio, control, randomisation, baseline definition."""

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
    randomisation: Annotated[Randomisation, from_text("method")] = Randomisation()
    recruitment: Duration = Field(
        default=0.0, description="time from the first to the last patient enrolled, by which looks see what they see"
    )
    looks: Looks | None = Field(default=None, description="looks at the primary endpoint before the end of the trial")


class Visit(Settings):
    """Planned visit: nominal day and window."""

    name: str
    day: Day
    window: Duration = 0.0


class Measurement(Settings):
    """Measurement of a quantity: samples per visit and within-person variation."""

    samples: Annotated[int, Field(ge=1, le=20)] = Field(
        default=1, description="per visit; their mean counts, on the quantity's scale"
    )
    cv: Share | None = Field(default=None, description="within-person variation of one sample, instead of the table's")


class CoMedication(Settings):
    """Co-medication begun during the trial outside the protocol, in the same patients in every arm."""

    therapy: TherapyText
    share: Share
    begins: tuple[Duration, Duration] = (0.0, 180.0)
    note: str = ""


class TrialEffect(Settings):
    """Trial (placebo, Hawthorne) effect on a quantity."""

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
    """Rescue therapy, given when a measurement after enrolment crosses a threshold."""

    quantity: str
    above: Measured | None = None
    below: Measured | None = None
    therapy: TherapyText


class Conduct(Settings):
    """Intercurrent events and conduct: discontinuation, missed visits, deaths, co-medication, trial effects, rescue."""

    drop_out: Rate = 0.0
    missed_visits: Share = 0.0
    deaths: bool = Field(default=True, description="die by age, sex, eGFR, albuminuria and cardiovascular disease")
    year: Annotated[float, Field(ge=1950, le=2100)] | None = Field(
        default=None,
        description="calendar year of enrolment; rates of outcomes fall from year to year, and are those of 2013 without",
    )
    co_medication: list[CoMedication] = Field(default_factory=list)
    effects: list[TrialEffect] = Field(default_factory=list)
    rescue: list[Rescue] = Field(default_factory=list)


class Protocol(Displayed, Settings):
    """A trial.

    Attributes
    ----------
    patients
        Recruited in each design that does not say otherwise.
    scenarios
        Scenarios of cell efficacy, simulated with the same patients and random numbers.

    Examples
    --------
    >>> import betapod
    >>> protocol = betapod.load_protocol("dn61")
    >>> protocol.days
    [-14.0, 0.0, 30.0, 91.0, 183.0, 365.0]
    """

    renamed: ClassVar[Mapping[str, str]] = PROTOCOL_KEYS

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
    background: Therapies = Field(
        default_factory=list,
        description="what everybody gets from enrolment on in every arm, such as the rule for insulin: fixed-dose insulin",
    )
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
    fit_draws: Annotated[int, Field(ge=0, le=64)] = Field(
        default=0,
        description="sets of parameters, of a fit's posterior and of what cells do; replicate r has set r modulo their number",
    )
    fit: str = Field(
        default="",
        description="installed fit whose posterior is drawn from: the newest by default; none: values of the tables before their fit",
    )

    @property
    def table(self) -> pd.DataFrame:
        """The schedule: one row per visit with its day from enrolment and window."""
        import pandas as pd

        rows = [(visit.name, visit.day, visit.window) for visit in self.visits]
        return pd.DataFrame(rows, columns=["visit", "day", "window"])

    @property
    def units(self) -> dict[str, str]:
        """Unit of the columns of `table`."""
        return {"day": "day", "window": "day"}

    @property
    def codes(self) -> tuple[str, ...]:
        """PARAMCDs that are measured; creatinine too where eGFR is, which is computed from it."""
        codes = [code_of(name) for name in self.measurements]
        more = ["CREAT"] if "EGFR" in codes and "CREAT" not in codes else []
        return (*codes, *more)

    def measurement(self, code: str) -> Measurement:
        """Return how a PARAMCD is measured.

        Parameters
        ----------
        code
            PARAMCD, such as ``UACR``.

        Returns
        -------
        Measurement
            One sample, measured as in the table of observables, where the protocol does not say otherwise.

        Examples
        --------
        >>> import betapod
        >>> protocol = betapod.load_protocol("dn61")
        >>> protocol.measurement("UACR").samples >= 1
        True
        """
        by_code = {code_of(name): item for name, item in self.measurements.items()}
        return by_code.get(code) or (by_code.get("EGFR") if code == "CREAT" else None) or Measurement()

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
        """Visits whose mean is the baseline of a design.

        Parameters
        ----------
        design
            Name.

        Returns
        -------
        list of int
            Places among `visits`.

        Raises
        ------
        KeyError
            There is no such design.

        Examples
        --------
        >>> import betapod
        >>> protocol = betapod.load_protocol("dn61")
        >>> [protocol.visits[i].day for i in protocol.baseline_visits("randomised")]
        [0.0]
        """
        match self.designs[design].baseline:
            case "screening":
                return self.screening_visits
            case "baseline":
                return [self.baseline_visit]
        return sorted({*self.screening_visits, self.baseline_visit})

    def size(self, design: str) -> int:
        """Patients in a design: those of its strata, or its own number.

        Parameters
        ----------
        design
            Name.

        Returns
        -------
        int
            Patients.

        Raises
        ------
        KeyError
            There is no such design.

        Examples
        --------
        >>> import betapod
        >>> protocol = betapod.load_protocol("dn61")
        >>> protocol.size("single arm")
        61
        """
        quotas = [stratum.patients for stratum in self.strata.values()]
        design_size = self.designs[design].patients
        if design_size is None and quotas and all(quota is not None for quota in quotas):
            return sum(quota or 0 for quota in quotas)
        return design_size or self.patients

    def quotas(self, design: str) -> list[int]:
        """Patients of each stratum to recruit in a design; empty where strata fill as they come.

        Parameters
        ----------
        design
            Name.

        Returns
        -------
        list of int
            In the order of `strata`; their sum is `size`.

        Raises
        ------
        KeyError
            There is no such design.

        Examples
        --------
        >>> import betapod
        >>> protocol = betapod.load_protocol("dn61")
        >>> sum(protocol.quotas("single arm")) in (0, protocol.size("single arm"))
        True
        """
        quotas = [stratum.patients for stratum in self.strata.values()]
        if not quotas or any(quota is None for quota in quotas):
            return []
        total, size = sum(quota or 0 for quota in quotas), self.size(design)
        exact = [(quota or 0) * size / total for quota in quotas]
        shares = [math.floor(share) for share in exact]
        for k in sorted(range(len(exact)), key=lambda i: shares[i] - exact[i])[: size - sum(shares)]:
            shares[k] += 1
        return shares


@functools.cache
def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of protocols, for editors."""
    schema = Protocol.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
