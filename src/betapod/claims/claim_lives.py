"""The lives behind a simulated claim: who lives under which values and course, and how several are run at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from ..base.constants import DAYS_PER_YEAR
from ..base.errors import ConfigError
from ..therapies.scenarios import NONE
from .claim_health import HEALTH_QUANTITIES, READ, SimulatedCourse, quarters
from .claim_outcome import ContrastTerm, Outcome
from .claim_parameters import AS_IN_TABLES, ClaimParameters, own_values
from .claim_people import ledger_patient

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from ..engine.schedule import Schedule
    from ..person.coupled_person import Patient
    from ..therapies.cell_dosing import Regimen

#: Switches that are about bookkeeping or the body itself, not about a claimed mechanism.
_KEPT = ("sw_deficit_gate", "sw_plugging", "sw_sensitisation", "sw_hypoxia", "sw_AGE")
#: Parameters on which the first pass depends, so that the doses change with them.
_FIRST_PASS = ("h_max_K", "h_max_P", "eps_L")


@dataclass(frozen=True)
class Life:
    """One simulated life; equal lives are simulated once."""

    person: str
    values: tuple[tuple[str, float], ...]
    course: str
    scenario: str
    years: float
    parameters: ClaimParameters = AS_IN_TABLES

    @property
    def who(self) -> Patient:
        """The person who lives it."""
        return ledger_patient(self.person, self.parameters)

    def under(self, parameters: ClaimParameters) -> Life:
        """Return the same life under another set of parameters."""
        return replace(self, parameters=parameters)

    def changed(self, values: Mapping[str, float]) -> Life:
        """Return the same life under other values."""
        return replace(self, values=tuple(sorted({**dict(self.values), **values}.items())))


@dataclass(frozen=True)
class Effect:
    """A weighted sum of treated against untreated lives."""

    quantity: str
    measure: str
    terms: tuple[tuple[float, Life, Life], ...]

    def lives(self) -> Iterable[Life]:
        """Give every life that is needed."""
        for _, treated, untreated in self.terms:
            yield treated
            yield untreated

    def of(self, values: Mapping[tuple[Life, str], float]) -> float:
        """Return the effect, of what each life ended with."""
        pairs = [(w, values[item, self.quantity], values[other, self.quantity]) for w, item, other in self.terms]
        return sum(weight * _compared(self.measure, treated, untreated) for weight, treated, untreated in pairs)

    def changed(self, values: Mapping[str, float]) -> Effect:
        """Return the same effect with all lives under other values."""
        terms = tuple((weight, item.changed(values), other.changed(values)) for weight, item, other in self.terms)
        return replace(self, terms=terms)

    def under(self, parameters: ClaimParameters) -> Effect:
        """Return the same effect with all lives under another set of parameters."""
        terms = tuple((weight, item.under(parameters), other.under(parameters)) for weight, item, other in self.terms)
        return replace(self, terms=terms)


def _compared(measure: str, treated: float, untreated: float) -> float:
    if measure == "percent":
        return 100.0 * (treated / untreated - 1.0)
    return treated if measure == "level" else treated - untreated


def whole_body_model() -> Any:
    """Return the model of one whole person."""
    return _model()


@cache
def _model() -> Any:
    from ..physiology import whole_body

    return whole_body.named_model("reference")


def effect(
    outcome: Outcome,
    scenario: str = NONE,
    values: Mapping[str, float] | None = None,
    person: str = "",
    course: str | None = None,
) -> Effect:
    """Return an outcome as lives under a scenario.

    Parameters
    ----------
    values
        Parameters and inputs that differ, in treated and untreated.
    person, course
        Others than the outcome's own.
    """
    order = outcome.course if course is None else course
    common = {**(_silenced(outcome) if order else {}), **(values or {})}
    terms = []
    for term in outcome.contrast or (ContrastTerm(),):
        who = term.person or person or outcome.person
        lives = []
        for with_cells, inputs in ((term.cells, _inputs(outcome, term)), (term.cells_against, _against(outcome, term))):
            settings = tuple(sorted({**common, **inputs}.items()))
            lives.append(Life(who, settings, order if with_cells else "", scenario, outcome.years))
        terms.append((term.weight, lives[0], lives[1]))
    return Effect(outcome.quantity, outcome.measure, tuple(terms))


def _inputs(outcome: Outcome, term: ContrastTerm) -> dict[str, float]:
    return {**outcome.inputs, **term.inputs}


def _against(outcome: Outcome, term: ContrastTerm) -> dict[str, float]:
    # Cells are compared with no cells in the same person under the same inputs.
    shared = outcome.inputs if outcome.course and not outcome.against else outcome.against
    return {**shared, **term.against}


def _silenced(outcome: Outcome) -> dict[str, float]:
    """Return every other mechanism switched off."""
    if "all" in outcome.switches:
        return {}
    switches = [name for name in _model().inputs if name.startswith("sw_") and name not in _KEPT]
    return {name: 0.0 for name in switches if name not in outcome.switches}


def live_through(effects: Iterable[Effect]) -> dict[tuple[Life, str], float]:
    """Simulate all lives of effects, one ensemble for each length; not a number where a life did not come to its end.

    A quantity of health (`claim_health.HEALTH_QUANTITIES`) is computed of the whole course, to kidney failure and beyond. Where a draw of
    parameters never lets a person come to be, her lives under it have no number either.
    """
    wanted: dict[Life, set[str]] = {}
    for item in effects:
        for life in item.lives():
            wanted.setdefault(life, set()).add(item.quantity)
    unborn = [life for life in wanted if not _comes_to_be(life.person, life.parameters)]
    ends = {(life, quantity): float("nan") for life in unborn for quantity in wanted.pop(life)}
    for years in sorted({life.years for life in wanted}):
        group = [life for life in wanted if life.years == years]
        ends |= _ends({life: wanted[life] - HEALTH_QUANTITIES.keys() for life in group}, years)
        ends |= _health({life: wanted[life] & HEALTH_QUANTITIES.keys() for life in group}, years)
    return ends


@cache
def _comes_to_be(person: str, parameters: ClaimParameters) -> bool:
    """Return whether a draw lets a person reach her present day; that the tables themselves do not is an error."""
    try:
        ledger_patient(person, parameters)
    except ConfigError:
        if parameters is AS_IN_TABLES:
            raise
        return False
    return True


def _ends(wanted: Mapping[Life, set[str]], years: float) -> dict[tuple[Life, str], float]:
    """Return quantities of the model at the end of lives."""
    quantities = tuple(sorted({name for names in wanted.values() for name in names}))
    group = [life for life, names in wanted.items() if names]
    if not group:
        return {}
    values = _run(group, quantities, [years * DAYS_PER_YEAR])
    return {
        (life, name): float(values[row, -1, quantities.index(name)])
        for row, life in enumerate(group)
        for name in wanted[life]
    }


def _health(wanted: Mapping[Life, set[str]], years: float) -> dict[tuple[Life, str], float]:
    """Return quantities of health of lives."""
    group = [life for life, names in wanted.items() if names]
    if not group:
        return {}
    days = quarters(years)
    values = _run(group, READ, days)
    health: dict[tuple[Life, str], float] = {}
    for row, life in enumerate(group):
        read = {name: values[row, :, column] for column, name in enumerate(READ)}
        course = SimulatedCourse(life.who, days, read, _drugged(life))
        for name in wanted[life]:
            health[life, name] = HEALTH_QUANTITIES[name].of(course)
    return health


def _drugged(life: Life) -> bool:
    """Return whether somebody lives under a glucose-lowering drug; insulin shows in its dose."""
    from ..person.clinical_status import glucose_drug_inputs

    values = _values(life)
    without = {name: value for name, value in glucose_drug_inputs().items() if name != "insulin_prescribed"}
    return any(abs(values.get(name, value) - value) > 1e-6 for name, value in without.items())


def _run(group: Sequence[Life], quantities: tuple[str, ...], days: ArrayLike) -> NDArray[np.float64]:
    """Return (lives, days, quantities)."""
    import numpy as np

    ensemble = _ensemble(tuple(sorted(_claimed_quantities().union(quantities))))
    default = dict(_model().values())
    columns = [_values(life) for life in group]
    names = sorted({key for column in columns for key in column})
    patients = {key: np.array([column.get(key, default[key]) for column in columns]) for key in names}
    states = {key: np.array([life.who.state[key] for life in group]) for key in _model().state_names}
    result = ensemble.run(patients, days, [_schedule(life) for life in group], states)
    order = [list(result.names).index(name) for name in quantities]
    return np.asarray(result.values[:, :, order])


@cache
def _claimed_quantities() -> frozenset[str]:
    """Return what claims and health read: one compiled program reports them all, whichever are asked for."""
    from .claims import load_claims

    return frozenset(outcome.quantity for claim in load_claims() for outcome in claim.outcomes) - {
        *HEALTH_QUANTITIES
    } | {*READ}


@cache
def _ensemble(quantities: tuple[str, ...]) -> Any:
    from ..engine.ensemble import Ensemble

    return Ensemble(_model(), list(quantities))


@cache
def _person_values(name: str, scenario: str, parameters: ClaimParameters) -> dict[str, float]:
    """Return everything in which a person under a scenario differs from the tables."""
    model = _model_under(name, scenario, parameters)
    default = _model().values()
    return {key: value for key, value in model.values().items() if value != default[key]}


@cache
def _model_under(name: str, scenario: str, parameters: ClaimParameters) -> Any:
    """Return a person's model under a scenario, with the rows of cell therapy as the set of parameters has them."""
    from ..therapies import cell_parameters

    who = ledger_patient(name, parameters)
    model = cell_parameters.parameterise(who.model, scenario)
    own_rows = own_values(name)
    rows = {key: x for key, x in parameters.of_cells(scenario).items() if key in model.parameters}
    return model.with_values({key: x for key, x in rows.items() if key not in own_rows}) if rows else model


def _values(life: Life) -> dict[str, float]:
    factors = life.parameters.input_factors
    asked = {key: value * factors.get(key, 1.0) for key, value in life.values}
    return {**_person_values(life.person, life.scenario, life.parameters), **asked}


def _schedule(life: Life) -> Schedule:
    from ..engine.schedule import Schedule

    if not life.course:
        return Schedule()
    first_pass = tuple((k, v) for k, v in life.values if k in (*_FIRST_PASS, "sw_homing"))
    return _course(life.person, life.course, life.scenario, first_pass, life.parameters)


@cache
def _course(
    person: str,
    course: str,
    scenario: str,
    first_pass: tuple[tuple[str, float], ...],
    parameters: ClaimParameters,
) -> Schedule:
    return _regimen(person, course, scenario, dict(first_pass), parameters).schedule


def first_pass_of(person: str, course: str, scenario: str, parameters: ClaimParameters) -> Mapping[str, float]:
    """Return the share of the cells that arrests in each organ at once."""
    return _regimen(person, course, scenario, {}, parameters).fractions


def _regimen(
    person: str, course: str, scenario: str, values: Mapping[str, float], parameters: ClaimParameters
) -> Regimen:
    """Return a course of cells for a person: numbers of products are those of the set of parameters, too."""
    from ..therapies import cell_parameters
    from ..therapies.cell_dosing import Course, regimen_of
    from ..therapies.cell_order import read_order

    who = ledger_patient(person, parameters)
    model = _model_under(person, scenario, parameters).with_values(dict(values))
    table = cell_parameters.cell_parameter_table(scenario)
    numbers = {key: x for key, x in parameters.of_cells(scenario).items() if key in table}
    order = read_order(course, "dose")
    return regimen_of(Course(order, model, table, who.state, product_numbers=numbers), who.state["BW"], 1.0)
