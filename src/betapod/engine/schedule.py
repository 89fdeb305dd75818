"""What is done to a patient and when: doses into states, switches and ramps of inputs, as one timeline.

A visit at the very time of a dose or switch sees the patient just before it, as a blood sample on the day of an infusion does. Times
that agree to 13 digits are the same time (see `betapod.engine.calendar`), so doses every 0.7 day meet a visit on day 2.1.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..base.arguments import wrong
from ..base.errors import ConfigError, Location, Problem, did_you_mean
from .calendar import exact_time, repeated_times
from .segments import Moments, present_inputs, ramps_of, stretches
from .segments import Segment as Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..model import Model

#: Doses that one order may stand for within the time that is simulated.
MOST_DOSES = 100_000


@dataclass(frozen=True)
class Dose:
    """An amount added to a state: at once, or as an infusion. Infusions that overlap add up.

    Attributes
    ----------
    amount
        In the state's unit, not negative.
    time
        Time of the first dose, in the model's unit of time.
    ii, addl
        Time between doses and number of further doses.
    duration, rate
        How long an infusion takes, or how much it gives per unit of time; at most one of them. 0: all at once.
    ss
        Whether the first dose, at time 0, is one of an endless train with the interval `ii`: the patient starts in the steady state
        that such a train leads to, just before a dose.

    Examples
    --------
    Three infusions of half an hour each, one a week, times in days:

    >>> from betapod import Dose
    >>> weekly = Dose("graft_infused", 0.45, time=0.0, ii=7.0, addl=2, duration=0.5 / 24)
    >>> weekly.times
    [0.0, 7.0, 14.0]
    """

    state: str
    amount: float
    time: float = 0.0
    ii: float = 0.0
    addl: int = 0
    duration: float = 0.0
    rate: float = 0.0
    ss: bool = False

    def __post_init__(self) -> None:
        _plain(self, "amount", "time", "ii", "addl", "duration", "rate")

    @property
    def times(self) -> list[float]:
        """Times of all doses."""
        return [float(time) for time in repeated_times(self.time, self.ii, self.addl)]

    @property
    def length(self) -> Fraction:
        """How long each dose takes; 0 for doses at once."""
        return exact_time(self.amount) / exact_time(self.rate) if self.rate else exact_time(self.duration)

    def until(self, end: float) -> list[Fraction]:
        """Return the exact times of the doses, up to the first that begins at an end or later.

        Parameters
        ----------
        end
            Day.

        Returns
        -------
        list of Fraction
            Days, increasing, exactly as written.

        Raises
        ------
        ConfigError
            They are more than `MOST_DOSES`.

        Examples
        --------
        >>> from betapod import Dose
        >>> [float(time) for time in Dose("glucose", 5.0, 0.0, 7.0, 3).until(14.0)]
        [0.0, 7.0, 14.0]
        """
        return repeated_times(self.time, self.ii, self.more_until(end))

    def more_until(self, end: float) -> int:
        """Return how many doses follow the first up to the one that begins at an end or later.

        Parameters
        ----------
        end
            Day.

        Returns
        -------
        int
            At most `addl`.

        Raises
        ------
        ConfigError
            There are more than `MOST_DOSES`.

        Examples
        --------
        >>> from betapod import Dose
        >>> Dose("glucose", 5.0, 0.0, 7.0, 300).more_until(14.0)
        2
        """
        more = self.addl
        if more:
            more = min(more, max(0, math.ceil((exact_time(end) - exact_time(self.time)) / exact_time(self.ii))))
        if more >= MOST_DOSES:
            raise ConfigError(
                Problem(
                    "too-many-doses",
                    "these are too many doses",
                    Location(_name(self)),
                    found=f"{more + 1} within {end:g}",
                    expected=f"at most {MOST_DOSES}",
                )
            )
        return more


@dataclass(frozen=True)
class Switch:
    """A new value of an input from a day on, reached linearly over `width` days (0: at once).

    Attributes
    ----------
    value
        In the input's unit.
    time, width
        In the model's unit of time, days in the shipped models.

    Examples
    --------
    An SGLT2 inhibitor at day 30 lowers the glomerular filtration rate within weeks:

    >>> from betapod import Schedule, Switch, load_model, simulate
    >>> kidney = load_model("kidney")
    >>> schedule = Schedule(switches=[Switch("e_S", 0.5, time=30.0)])
    >>> rate = simulate(kidney, [30.0, 60.0], schedule, outputs=["GFR"]).table["GFR"]
    >>> bool(rate[60.0] < rate[30.0] - 0.5)
    True
    """

    input: str
    value: float
    time: float
    width: float = 0.0

    def __post_init__(self) -> None:
        _plain(self, "value", "time", "width")


@dataclass(frozen=True)
class Schedule:
    """Doses and switches of one patient.

    Attributes
    ----------
    doses
        Amounts added to states.
    switches
        New values of inputs.

    Examples
    --------
    >>> from betapod import Dose, Schedule, Switch
    >>> schedule = Schedule([Dose("insulin", 20.0, time=1.0)])
    >>> [segment.end for segment in schedule.segments({}, end=10.0)]
    [1.0, 10.0]
    """

    doses: Sequence[Dose] = field(default_factory=tuple)
    switches: Sequence[Switch] = field(default_factory=tuple)

    def check(self, model: Model) -> None:
        """Check that every dose and switch makes sense for a model.

        Parameters
        ----------
        model
            Whose states and inputs are meant.

        Returns
        -------
        None
            Nothing where all is well.

        Raises
        ------
        ConfigError
            With every unknown state or input, time before the start, negative amount, or number that is not finite.

        Examples
        --------
        >>> import betapod
        >>> model = betapod.load_model("topp2000")
        >>> schedule = betapod.Schedule([betapod.Dose("glucose", 50.0, 1.0)])
        >>> schedule.check(model)
        """
        from ..model.parameters.possible_values import impossible_value

        problems: list[Problem] = []
        for where, orders, kind in (("doses", self.doses, Dose), ("switches", self.switches, Switch)):
            listed = isinstance(orders, Sequence) and not isinstance(orders, str)
            if not listed or not all(isinstance(order, kind) for order in orders):
                problems.append(wrong(where, orders, f"a list of {kind.__name__}(...)"))
        if problems:
            raise ConfigError(problems)

        def bad(where: str, kind: str, message: str, **details: str) -> None:
            problems.append(Problem(kind, message, Location(where), **details))

        for dose in self.doses:
            where = _name(dose)
            if not isinstance(dose.state, str) or dose.state not in model.state_names:
                bad(
                    where,
                    "unknown-state",
                    f"{dose.state!r} is not a state",
                    hint=did_you_mean(dose.state, model.state_names),
                )
            for message, text in _faults(dose):
                bad(where, "bad-dose", message, found=text)
        for switch in self.switches:
            where = f"switch {switch.input}={_text(switch.value)}@{_text(switch.time)}"
            if not isinstance(switch.input, str) or switch.input not in model.inputs:
                bad(
                    where,
                    "unknown-input",
                    f"{switch.input!r} is not an input",
                    hint=_hint_of_input(model, switch.input),
                )
            if not all(map(_finite, (switch.value, switch.time, switch.width))):
                bad(where, "bad-switch", "a switch needs finite numbers")
            elif switch.width < 0 or switch.time < 0:
                bad(where, "bad-switch", "the width and the time of a switch are not negative")
            elif isinstance(switch.input, str) and switch.input in model.inputs:
                problem = impossible_value(model.inputs[switch.input], switch.value, Location(where))
                problems += [problem] if problem is not None else []
        if problems:
            raise ConfigError(problems)

    def segments(
        self,
        inputs: Mapping[str, float],
        end: float,
        start: float = 0.0,
        visits: Sequence[float] | NDArray[np.float64] = (),
    ) -> list[Segment]:
        """Cut the time from `start` to `end` where anything changes.

        Parameters
        ----------
        inputs
            Value of every input before the first switch.
        visits
            Times at which someone looks; what is done at such a time is done at exactly this number.
        end, start
            Days.

        Returns
        -------
        list of Segment
            In order, without gaps. A later switch of the same input replaces one that is still ramping. Infusions are not in it: see
            `betapod.engine.infusions`.

        Raises
        ------
        ConfigError
            There are more doses than one call may have.

        Examples
        --------
        >>> import betapod
        >>> model = betapod.load_model("topp2000")
        >>> schedule = betapod.Schedule([betapod.Dose("glucose", 50.0, 1.0)])
        >>> len(schedule.segments({}, 3.0))
        2
        """
        return self.segments_at(Moments(end, visits), [inputs], start)[0]

    def segments_at(
        self, moments: Moments, several: Sequence[Mapping[str, float]], start: float = 0.0
    ) -> list[list[Segment]]:
        """Cut the time as `segments` does, for several values of the inputs at once.

        Parameters
        ----------
        moments
            Keeps the times of schedules that are alike in them.
        several
            Values of every input before the first switch.
        start
            Day.

        Returns
        -------
        list of list of Segment
            The segments for each set of values, of the same stretches of time.

        Raises
        ------
        ConfigError
            There are more doses than one call may have.

        Examples
        --------
        >>> from betapod import Schedule, Switch
        >>> from betapod.engine.segments import Moments
        >>> low, high = Schedule(switches=[Switch("u", 2.0, 1.0)]).segments_at(Moments(3.0), [{"u": 0.0}, {"u": 1.0}])
        >>> [segment.values["u"] for segment in low], [segment.values["u"] for segment in high]
        ([0.0, 2.0], [1.0, 2.0])
        """
        end = moments.end
        dose_times, switch_times = moments.of(self)
        doses: dict[float, list[tuple[str, float]]] = {}
        for dose, times in zip(self.doses, dose_times, strict=True):
            for time in times:
                if start <= time < end:
                    doses.setdefault(time, []).append((dose.state, dose.amount))
        changes = [(begin, finish, self.switches[index]) for index, begin, finish in switch_times]
        return [stretches(ramps_of(changes, inputs), inputs, doses, start, end) for inputs in several]

    def inputs_at(self, moments: Moments, inputs: Mapping[str, float], time: float) -> dict[str, float]:
        """Return the value of every input at a time, before any dose.

        Parameters
        ----------
        moments
            Keeps the times of schedules that are alike in them; ends after `time`.
        inputs
            Values before the first switch.
        time
            Day.

        Returns
        -------
        dict
            Input -> value.

        Raises
        ------
        ConfigError
            There are more doses than one call may have.

        Examples
        --------
        >>> from betapod import Schedule, Switch
        >>> from betapod.engine.segments import Moments
        >>> Schedule(switches=[Switch("u", 2.0, 0.0, width=4.0)]).inputs_at(Moments(9.0), {"u": 0.0}, 1.0)
        {'u': 0.5}
        """
        changes = [(begin, finish, self.switches[index]) for index, begin, finish in moments.of(self)[1]]
        return present_inputs(ramps_of(changes, inputs), inputs, time)[0]


def _hint_of_input(model: Model, name: str) -> str:
    if isinstance(name, str) and name in model.parameters and hasattr(model, "with_inputs"):
        return f"It is a parameter: model.with_inputs([{name!r}]) is the model in which it can be changed."
    return did_you_mean(name, model.inputs)


def _plain(order: Dose | Switch, *names: str) -> None:
    """Turn numbers of NumPy, decimals and fractions into plain ones, as manifests hold them."""
    for name in names:
        value = getattr(order, name)
        if type(value) not in (int, float) and _finite(value):
            is_count = name == "addl" and int(value) == value
            object.__setattr__(order, name, int(value) if is_count else float(value))
    addl = getattr(order, "addl", 0)
    if isinstance(addl, float) and addl.is_integer():
        object.__setattr__(order, "addl", int(addl))


def _name(dose: Dose) -> str:
    return f"dose {dose.state}={_text(dose.amount)}@{_text(dose.time)}"


def _text(number: Any) -> str:
    try:
        return f"{float(number):g}" if _is_number(number) else repr(number)
    except OverflowError:
        return "a number of more than 308 digits"


def _is_number(number: Any) -> bool:
    # Text that reads as a number is none: nobody said in which unit.
    return isinstance(number, (numbers.Real, Decimal)) and not isinstance(number, bool)


def _finite(number: Any) -> bool:
    try:
        # A whole number that no double holds is none to compute with.
        return _is_number(number) and math.isfinite(float(number))
    except OverflowError:
        return False


def _faults(dose: Dose) -> list[tuple[str, str]]:
    """Return what is wrong with the numbers of a dose, and what was found."""
    faults = []
    if not isinstance(dose.ss, (bool, int)) and type(dose.ss).__name__ not in ("bool", "bool_"):
        return [("a dose is one of a steady state, or not", f"ss={dose.ss!r}")]
    for name in ("amount", "time", "duration", "rate"):
        value = getattr(dose, name)
        if not _finite(value) or value < 0:
            faults.append((f"the {name} of a dose is a finite number that is not negative", f"{name}={_text(value)}"))
    if not _finite(dose.addl) or dose.addl < 0 or int(dose.addl) != dose.addl:
        faults.append(("the number of further doses is a whole number from 0 on", f"addl={_text(dose.addl)}"))
    elif not _finite(dose.ii) or dose.ii < 0:
        faults.append(("the interval of doses is a finite number that is not negative", f"ii={_text(dose.ii)}"))
    elif (dose.addl or dose.ss) and not dose.ii > 0:
        faults.append(("repeated doses need an interval above 0", f"ii={_text(dose.ii)}, addl={dose.addl}"))
    if not faults and dose.rate and dose.duration:
        faults.append(("a dose has a rate or a duration, not both", f"rate={dose.rate:g}, duration={dose.duration:g}"))
    if not faults and dose.ss and dose.time:
        faults.append(("a steady state is that of the start: its first dose is at time 0", f"time={_text(dose.time)}"))
    return faults
