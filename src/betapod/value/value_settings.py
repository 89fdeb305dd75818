"""The run file of a comparison (YAML): people, strategies, horizon, discounting, utilities, country, decisions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ..base.config import Settings, refuse
from ..base.errors import Problem
from ..health.accrue import Combination
from ..health.utilities import DEFAULT_SET
from ..therapies.scenarios import NONE, ScenarioName
from ..trials.protocol.endpoint_keys import Measured
from ..trials.protocol.group_keys import OrderText, Therapies

Structure = Literal["own", "ukpds-om2"]
#: Share a year by which what comes later counts less.
DiscountRate = Annotated[float, Field(ge=0, le=0.2)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=1e9)]
#: Years of the longest horizon.
LONGEST_HORIZON = 100


def _life_or_years(value: Any) -> Any:
    """Refuse a horizon in words that name both kinds; one error, not one for each."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if value == "life" or (is_number and 0 < value <= LONGEST_HORIZON):
        return value
    kind, message = ("out-of-range", "outside the allowed range") if is_number else ("wrong-type", "this is no horizon")
    expected = f"life, or years: above 0 and at most {LONGEST_HORIZON}"
    raise refuse(Problem(kind, f"horizon: {message}", found=repr(value), expected=expected))


Horizon = Annotated[Literal["life"] | float, BeforeValidator(_life_or_years)]


class ValuePeople(Settings):
    """Whose lives are compared; one of three ways to name them."""

    protocol: str | None = Field(default=None, description="name or file of a protocol: the people that it enrols")
    cohort: str | None = Field(
        default=None, description="a cohort that people are chosen to look like, or a file of one's own"
    )
    library: str | None = Field(default=None, description="conditions, such as type 2 and UACR > 300 mg/g")
    size: Annotated[int, Field(ge=20, le=1_000_000)] = 500


class ValueStrategy(Settings):
    """What everybody is given from day 0 on, on top of the care that they have."""

    label: str = ""
    cells: OrderText | None = None
    scenario: ScenarioName = Field(default=NONE, description="what cells do")
    therapies: Therapies = Field(default_factory=list)
    inputs: dict[str, Measured] = Field(default_factory=dict, description="inputs of the model, held for life")


class Discount(Settings):
    """Discount rates per year, such as 0.035."""

    costs: DiscountRate = 0.035
    effects: DiscountRate = 0.035


class OwnLoss(Settings):
    """What a state takes away of quality of life, in place of the number of the set."""

    loss: Annotated[float, Field(ge=-1, le=2)]
    low: Annotated[float, Field(ge=-1, le=2)] | None = None
    high: Annotated[float, Field(ge=-1, le=2)] | None = None
    source: str = ""


class ValueUtilities(Settings):
    """Quality of life: a set, how losses combine, and numbers of one's own."""

    set: str = DEFAULT_SET
    combine: Combination = "additive"
    base: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None, description="utility without complications, in place of that of the set"
    )
    losses: dict[str, OwnLoss] = Field(default_factory=dict, description="by state or event")


class Budget(Settings):
    """For whom money must be found."""

    eligible: Annotated[float, Field(gt=0, le=1e9)]
    uptake: list[Fraction] = Field(
        min_length=1, max_length=50, description="share who have begun by the end of each year"
    )
    years: Annotated[int, Field(ge=1, le=50)] | None = None


class ValueScenario(Settings):
    """Changes of the comparison, all else as it is."""

    discount: Discount | None = None
    utilities: ValueUtilities | None = None
    country: str | None = None
    horizon: Annotated[float, Field(gt=0, le=LONGEST_HORIZON)] | None = Field(
        default=None, description="years, instead of the run's"
    )


class ValueSettings(Settings):
    """A comparison of strategies."""

    schema_version: Literal[1] = 1
    title: str
    people: ValuePeople
    comparator: str
    strategies: dict[str, ValueStrategy] = Field(min_length=2)
    horizon: Horizon = Field(default="life", description="life, or years")
    care: Literal["frozen", "usual", "clinic"] = Field(
        default="usual",
        description="what people take stays, their doctors go on as usual, or a clinic treats to target",
    )
    events: list[Structure] = Field(default=["own"], min_length=1)
    draws: Annotated[int, Field(ge=2, le=100_000)] = 1000
    cell_draws: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=10, description="sets of parameters of the cells for which courses are simulated"
    )
    fit_draws: Annotated[int, Field(ge=0, le=64)] = Field(
        default=0,
        description="sets of parameters of bodies, of a fit's posterior and with them of the cells; draw d has set d modulo their number",
    )
    fit: str = Field(
        default="",
        description="installed fit whose posterior is drawn from: the newest by default; none: values of the tables before their fit",
    )
    step: Annotated[float, Field(ge=0.1, le=1)] = Field(default=1.0, description="years between values of a course")
    one_way: bool = Field(default=True, description="whether each number is also moved through its interval by itself")
    seed: Annotated[int, Field(ge=0)] = 1
    discount: Discount = Discount()
    utilities: ValueUtilities = ValueUtilities()
    country: str | None = Field(default=None, description="file of costs; health alone without")
    willingness_to_pay: list[Amount] = Field(
        default=[20_000.0, 50_000.0, 100_000.0], min_length=1, alias="willingness to pay"
    )
    budget: Budget | None = None
    scenarios: dict[str, ValueScenario] = Field(default_factory=dict)
    reporting: dict[str, str] = Field(
        default_factory=dict,
        description="what only the author knows: question, plan, perspective, funding, conflicts ...",
    )
