"""Care that goes on during follow-up: people of a library live on through the years of a study, with a clinic visit every year.

A placebo-controlled trial keeps what people take; a cohort is treated on, by the guidelines of its years. Lives go on as they did in
`life_course`: age, weight, muscle and pressure change, and `prescribing` adds drugs that were on the market, where glucose, pressure
or albuminuria call for them. Two rules say how:

- ``usual``: everybody's own doctor, with the person's own thresholds, inertia and adherence;
- ``clinic``: a clinic that treats to target: it acts on nine visits of ten, on pressure above 140 mmHg and HbA1c above 8 % until 1993
  and above 130 mmHg and 7 % from then on, and its patients take at least 85 % of what it prescribes. All of it is assumed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..base.constants import DAYS_PER_YEAR
from ..base.errors import ConfigError, Problem
from ..engine.ensemble import Ensemble
from ..engine.ensemble_result import ENDED, EnsembleResult
from ..engine.schedule import Schedule, Switch
from ..engine.segments import Moments
from ..model.parameters.possible_values import stays_positive
from ..physiology import whole_body
from . import observe
from .library import Library
from .life_course import FIRST_INSULIN, LEAST_INSULIN, NO_INSULIN
from .population import Numbers, People, sample
from .prescribing import ALBUMINURIA_CARE_FROM, INSULIN, Prescriptions, drug_columns
from .recipients import DRUG_COLUMNS

#: How care goes on: not at all, as everybody's own doctor has it, or as a clinic that treats to target.
CareRule = Literal["frozen", "usual", "clinic"]
RULES: tuple[str, ...] = get_args(CareRule)

#: A clinic that treats to target: how often it acts on a visit, and how much its patients take at least; assumed.
CLINIC_ACTS, CLINIC_ADHERENCE = 0.9, 0.85
#: Systolic pressure (mmHg) and HbA1c (%) above which it acts, before it acts on albuminuria and from then on; assumed after the
#: guidelines of these years.
CLINIC_PRESSURE, CLINIC_HBA1C = (140.0, 130.0), (8.0, 7.0)
#: Mean glucose to which it titrates insulin at most, mmol/L; assumed.
CLINIC_GLUCOSE = 10.0
#: What a laboratory reports at a visit, by the name that doctors read.
_LABORATORY = {
    "hba1c": "HbA1c",
    "MAP": "MAP",
    "egfr": "eGFR",
    "gfr": "GFR",
    "uacr": "UACR",
    "insulin_dose": "insulin_dose",
}

#: Schedules of everybody as they are on a day, from day 0 of the study on.
Orders = Callable[[Library], Sequence[Schedule]]


@dataclass(frozen=True)
class GoingCare:
    """How care goes on.

    Attributes
    ----------
    rule
        ``usual`` or ``clinic``, see the module.
    year
        Calendar year in which follow-up begins: it decides which drugs are on the market.
    glucose
        Whether visits act on glucose; not where the study itself decides on it.
    """

    rule: str
    year: float
    glucose: bool = True


@dataclass(frozen=True)
class FollowedPeople:
    """What became of people.

    Attributes
    ----------
    values
        (people, days, outputs).
    status, ended_at
        (people,) how each ended, and the day of a terminal event, as of an ensemble's result.
    takes
        Drug or class of `recipients.DRUG_COLUMNS` -> (people, years) whether it is taken after the visit of each year.
    """

    values: Numbers
    status: NDArray[np.int64]
    ended_at: Numbers
    takes: Mapping[str, NDArray[np.bool_]]


def follow_patients(
    patients: Library,
    days: Sequence[float] | Numbers,
    outputs: Sequence[str],
    care: GoingCare | Sequence[GoingCare],
    orders: Orders,
    *,
    until: Numbers | None = None,
    studies: NDArray[np.int64] | None = None,
    initial: Mapping[str, Numbers] | None = None,
    values: Mapping[str, Numbers] | None = None,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    threads: int | None = None,
    finer: tuple[float, float] | None = None,
) -> FollowedPeople:
    """Return the course of people whose care goes on.

    Parameters
    ----------
    days
        To be reported, increasing, from 0 on.
    outputs
        Names of states and equations of the coupled model.
    care
        How it goes on, for all alike or for each of them.
    until
        (people,) day until which each is followed; the last of `days` unless given.
    studies
        (people,) number of the study of each, see `of_one_program`; of one study unless given.
    orders
        What a study gives besides, made anew every year from what people take by then.
    initial
        States at the start, those of the library unless given.
    values
        Parameters that stay the same for all years, such as those of cells.
    finer
        Tolerances at which those are integrated again who fail at `rtol` and `atol`.

    Raises
    ------
    ConfigError
        The library does not say its seed, or the model does not know a name.
    """
    wanted = tuple(dict.fromkeys(outputs))
    names = tuple(dict.fromkeys((*wanted, *_LABORATORY.values(), *patients.state_names)))
    ensemble = _ensemble(names, rtol, atol, threads)
    lives = _Lives(patients, care, dict(patients.initial if initial is None else initial))
    course = np.full((len(patients), len(days), len(wanted)), np.nan)
    status = np.zeros(len(patients), dtype=np.int64)
    ended_at = np.full(len(patients), np.nan)
    alive = np.ones(len(patients), dtype=bool)
    moments = np.asarray(days, dtype=np.float64)
    takes: list[dict[str, NDArray[np.bool_]]] = []
    last_days = np.broadcast_to(moments[-1] if until is None else until, len(patients))
    years = np.maximum(1, np.ceil(last_days / DAYS_PER_YEAR).astype(np.int64))
    for year in range(int(years.max(initial=1))):
        start = year * DAYS_PER_YEAR
        lives.visit(year)
        now = lives.library(year)
        takes.append({drug: now.table[column].to_numpy() > 0 for drug, column in DRUG_COLUMNS.items()})
        rows = np.flatnonzero(alive)
        living = now if alive.all() else now.take(rows)
        if year == 0:
            schedules, switched = _begun(orders(living), living, patients)
        else:
            schedules, switched = _continued(orders(living), living, start)
        columns = living.parameters | switched | {name: column[rows] for name, column in (values or {}).items()}
        within = (moments > start) & (moments <= start + DAYS_PER_YEAR) if year else moments <= DAYS_PER_YEAR
        grid = np.unique(np.append(moments[within] - start, DAYS_PER_YEAR))
        places = np.searchsorted(grid, moments[within] - start)
        for some in of_one_program(schedules, None if studies is None else studies[rows]):
            result = ensemble.run(
                {name: column[some] for name, column in columns.items()},
                grid,
                [schedules[person] for person in some],
                {name: column[some] for name, column in living.initial.items()},
            )
            if finer is not None:
                integrate_failures_again(result, *finer)
            who = rows[some]
            course[np.ix_(who, np.flatnonzero(within))] = result.values[:, places, : len(wanted)]
            status[who], ended_at[who] = result.status, start + result.ended_at
            last = {name: result.values[:, -1, i] for i, name in enumerate(result.names)}
            gone = ~np.isfinite(last["MAP"])
            lives.remember(who[~gone], {name: column[~gone] for name, column in last.items()})
            alive[who[gone]] = False
        alive &= years > year + 1
        if not alive.any():
            break
    by_year = {drug: np.stack([flags[drug] for flags in takes], axis=1) for drug in DRUG_COLUMNS}
    return FollowedPeople(course, status, ended_at, by_year)


def of_one_program(schedules: Sequence[Schedule], studies: NDArray[np.int64] | None = None) -> list[NDArray[np.int64]]:
    """Return the places of people who are integrated at once: those of studies in which some input is ramped, and the others.

    The program with ramps rounds otherwise: so nobody's course depends on which other studies are simulated at once.
    """
    everybody = np.arange(len(schedules))
    if studies is None:
        return [everybody]
    ramped = np.array([any(switch.width > 0 for switch in schedule.switches) for schedule in schedules], dtype=bool)
    with_ramps = np.isin(studies, studies[ramped])
    return [part for part in (everybody[with_ramps], everybody[~with_ramps]) if len(part)]


def integrate_failures_again(result: EnsembleResult, rtol: float, atol: float) -> None:
    """Integrate patients of a run who failed at its tolerances again at finer ones, in place: how large a step was is no reason to lose anybody."""
    failed = np.flatnonzero(result.status > ENDED)
    if len(failed):
        again = result.again(failed, rtol, np.full(len(result.state_names), atol))
        result.values[failed], result.status[failed], result.ended_at[failed] = (
            again.values,
            again.status,
            again.ended_at,
        )


@functools.cache
def _ensemble(names: tuple[str, ...], rtol: float, atol: float, threads: int | None) -> Ensemble:
    return Ensemble(whole_body.named_model("reference"), names, rtol, atol, threads=threads)


@functools.cache
def _lowest() -> tuple[float, ...]:
    """Return what each state is at least: 0 where it cannot be negative."""
    states = whole_body.named_model("reference").states
    return tuple(0.0 if stays_positive(state.unit) else -np.inf for state in states)


class _Lives:
    """People between two visits."""

    def __init__(self, patients: Library, care: GoingCare | Sequence[GoingCare], states: dict[str, Numbers]) -> None:
        table = patients.table
        if "seed" not in patients.origin:
            message = "the library does not say with which seed its people were drawn: their doctors are not known"
            raise ConfigError(Problem("no-seed", message))
        self.patients, self.states = patients, states
        of_each = [care] if isinstance(care, GoingCare) else care
        self.year = np.broadcast_to([float(item.year) for item in of_each], len(patients))
        self.glucose, self.clinic = (
            np.broadcast_to(np.array(flags, dtype=bool), len(patients))
            for flags in ([item.glucose for item in of_each], [item.rule == "clinic" for item in of_each])
        )
        self.people = sample(int(patients.origin["seed"]), table["person"].to_numpy())
        self.age = table["age"].to_numpy(dtype=np.float64)
        # Doctors go by the calendar of the study, not by that of the snapshot.
        self.people.traits["birth_year"] = self.year - self.age
        self.drugs = Prescriptions({name: table[name].to_numpy() > 0 for name in drug_columns()})
        true = {
            name: table[f"true_{name}"].to_numpy(dtype=np.float64) for name in ("hba1c", "MAP", "egfr", "gfr", "uacr")
        }
        self.laboratory = {**true, "insulin_dose": np.exp(states["ln_insulin_dose"])}

    def visit(self, year: int) -> None:
        """Measure and prescribe, as at the visits of a life."""
        people, age = self._under(self.year + year), self.age + year
        person = {"age": age, "female": people.traits["female"], "stiffness": people.traits["stiffness"]}
        laboratory = {name: np.nan_to_num(self.laboratory[name], nan=1.0) for name in self.laboratory}
        measured = observe.measure_once(laboratory, person, people.numbers, people.seed, f"follow-up {year}")
        before = self.drugs.current[INSULIN].copy()
        needless = before & (laboratory["insulin_dose"] < LEAST_INSULIN) & (people.traits["T1D"] == 0)
        self.drugs.current[INSULIN] &= ~(needless & self.glucose)
        diagnosed = np.ones(len(people), dtype=bool)
        self.drugs.visit(people, 1000 + year, self.year + year, measured, diagnosed)
        now = np.where(self.glucose, self.drugs.current[INSULIN], before)
        dose = np.where(now & ~before, np.log(FIRST_INSULIN), self.states["ln_insulin_dose"])
        self.states["ln_insulin_dose"] = np.where(before & ~now, np.log(NO_INSULIN), dose)
        self.drugs.current[INSULIN] = now

    def _under(self, year: float | Numbers) -> People:
        """Return people with the thresholds of their doctors in a calendar year."""
        traits = dict(self.people.traits)
        era = (np.asarray(year) >= ALBUMINURIA_CARE_FROM).astype(np.int64)
        of_clinic = {
            "care_inertia": np.full(len(self.people), CLINIC_ACTS),
            "pressure_care": np.minimum(traits["pressure_care"], np.array(CLINIC_PRESSURE)[era]),
            "care_from": np.minimum(traits["care_from"], np.array(CLINIC_HBA1C)[era]),
            "adherence": np.maximum(traits["adherence"], CLINIC_ADHERENCE),
            **{name: np.minimum(traits[name], CLINIC_GLUCOSE) for name in ("glucose_type_1", "glucose_insulin")},
        }
        traits |= {name: np.where(self.clinic, column, traits[name]) for name, column in of_clinic.items()}
        traits["care_from"] = np.where(self.glucose, traits["care_from"], np.inf)
        return replace(self.people, traits=traits)

    def library(self, year: int) -> Library:
        """Return everybody as they are at the start of a year."""
        people, age = self._under(self.year + year), self.age + year
        columns = dict(self.patients.parameters)
        columns |= {"age": age, "S_cr0": people.creatinine(age)} | people.decline
        # The own change of weight goes on where it was, although the model's time begins anew.
        weight_change = columns.get("dWt_own", np.zeros(len(people)))
        time_constant = columns.get("tau_own_weight", whole_body.model_parameters("reference")["tau_own_weight"].value)
        left = np.exp(-year * DAYS_PER_YEAR / time_constant)
        columns |= {"dWt_own": weight_change * left, "Wt": people.weight(age + 0.5) + weight_change * (1.0 - left)}
        columns |= self.drugs.inputs(people, age + 0.5)
        flags = {name: self.drugs.current[name].astype(np.int64) for name in drug_columns()}
        flags["glp1ra"] = flags["liraglutide"] | flags["semaglutide"]
        table = self.patients.table.assign(**flags, age=age, true_egfr=self.laboratory["egfr"])
        states = np.column_stack([self.states[name] for name in self.patients.state_names])
        return Library(table, columns, states, self.patients.state_names, self.patients.origin)

    def remember(self, rows: NDArray[np.int64], last: Mapping[str, Numbers]) -> None:
        """Keep the states and the laboratory at the end of a year of those who are still followed."""
        lowest = dict(zip(whole_body.named_model("reference").state_names, _lowest(), strict=True))
        for name in self.patients.state_names:
            self.states[name] = self.states[name].copy()
            # What has almost gone may be an error of integration below nothing.
            self.states[name][rows] = np.maximum(last[name], lowest[name])
        for name, source in _LABORATORY.items():
            self.laboratory[name] = self.laboratory[name].copy()
            self.laboratory[name][rows] = last[source]


def _begun(
    schedules: Sequence[Schedule], people: Library, before: Library
) -> tuple[list[Schedule], dict[str, Numbers]]:
    """Return schedules with what the first visit has changed as switches on day 0, and the inputs of before: day 0 sees people before it."""
    new = {name: people.parameters[name] for name in people.inputs}
    model = whole_body.named_model("reference")
    old = {name: before.parameters.get(name, np.full(len(people), model.inputs[name].value)) for name in new}
    begun = []
    for person, schedule in enumerate(schedules):
        visit = tuple(Switch(name, float(v[person]), 0.0) for name, v in new.items() if v[person] != old[name][person])
        begun.append(Schedule(schedule.doses, (*visit, *schedule.switches)))
    return begun, old


def _continued(
    schedules: Sequence[Schedule], people: Library, start: float
) -> tuple[list[Schedule], dict[str, Numbers]]:
    """Return what is left of schedules from a day on, with that day as day 0, and the inputs that they have switched by then."""
    model = whole_body.named_model("reference")
    names = sorted({switch.input for schedule in schedules for switch in schedule.switches})
    base = {name: people.parameters.get(name, np.full(len(people), model.inputs[name].value)) for name in names}
    present = {name: np.array(column, dtype=np.float64) for name, column in base.items()}
    moments = Moments(start + DAYS_PER_YEAR)
    persons: dict[int, list[int]] = {}
    for person, schedule in enumerate(schedules):
        persons.setdefault(id(schedule), []).append(person)
    left = [Schedule()] * len(schedules)
    for same in persons.values():
        schedule = schedules[same[0]]
        if not schedule.doses and not schedule.switches:
            continue
        of_same = Schedule(
            tuple(replace(dose, time=dose.time - start) for dose in schedule.doses if dose.time >= start),
            _left(schedule, start),
        )
        switched = {switch.input for switch in schedule.switches}
        for person in same:
            inputs = {name: float(base[name][person]) for name in switched}
            for name, value in schedule.inputs_at(moments, inputs, start).items():
                present[name][person] = value
            left[person] = of_same
    return left, present


def _left(schedule: Schedule, start: float) -> tuple[Switch, ...]:
    """Return the switches of a schedule from a day on; of ramps under way the rest."""
    later = [replace(switch, time=switch.time - start) for switch in schedule.switches if switch.time >= start]
    latest: dict[str, Switch] = {}
    for switch in sorted(schedule.switches, key=lambda switch: switch.time):
        if switch.time < start:
            latest[switch.input] = switch
    under_way = [
        Switch(switch.input, switch.value, 0.0, switch.time + switch.width - start)
        for switch in latest.values()
        if switch.time + switch.width > start
    ]
    return (*under_way, *later)
