"""Single orders of a schedule: a dose into a state, a new value of an input."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..base.errors import ConfigError, Location, Problem
from .calendar import exact_time, repeated_times

if TYPE_CHECKING:
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
                    Location(dose_name(self)),
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
        if not type(self.value) is type(self.time) is type(self.width) is float:
            _plain(self, "value", "time", "width")


def _plain(order: Dose | Switch, *names: str) -> None:
    """Turn numbers of NumPy, decimals and fractions into plain ones, as manifests hold them."""
    for name in names:
        value = getattr(order, name)
        if type(value) not in (int, float) and is_finite(value):
            is_count = name == "addl" and int(value) == value
            object.__setattr__(order, name, int(value) if is_count else float(value))
    addl = getattr(order, "addl", 0)
    if isinstance(addl, float) and addl.is_integer():
        object.__setattr__(order, "addl", int(addl))


def dose_name(dose: Dose) -> str:
    return f"dose {dose.state}={order_number(dose.amount)}@{order_number(dose.time)}"


def order_number(number: Any) -> str:
    try:
        return f"{float(number):g}" if _is_number(number) else repr(number)
    except OverflowError:
        return "a number of more than 308 digits"


def _is_number(number: Any) -> bool:
    # Text that reads as a number is none: nobody said in which unit.
    usual = type(number) in (int, float)
    return usual or (isinstance(number, (numbers.Real, Decimal)) and not isinstance(number, bool))


def is_finite(number: Any) -> bool:
    try:
        # A whole number that no double holds is none to compute with.
        return _is_number(number) and math.isfinite(float(number))
    except OverflowError:
        return False


def _are_sound(*numbers: Any) -> bool:
    """Return whether numbers are finite and not negative, and of the usual kind."""
    return all(type(number) is float and 0.0 <= number < math.inf for number in numbers)


def is_usual_dose(dose: Dose, model: Model) -> bool:
    """Return whether a dose is one given once and at once, with which nothing is wrong: what is wrong takes longer to say."""
    nothing = (dose.ii, dose.addl, dose.duration, dose.rate)
    once = dose.ss is False and all(type(number) in (int, float) and number == 0 for number in nothing)
    return (
        once and _are_sound(dose.amount, dose.time) and isinstance(dose.state, str) and dose.state in model.state_names
    )


def is_usual_switch(switch: Switch, model: Model) -> bool:
    """Return whether nothing is wrong with a switch: see `is_usual_dose`."""
    from ..model.parameters.possible_values import impossible_value

    if not _are_sound(switch.time, switch.width):
        return False
    if not isinstance(switch.input, str) or switch.input not in model.inputs or type(switch.value) is not float:
        return False
    return math.isfinite(switch.value) and impossible_value(model.inputs[switch.input], switch.value) is None


def dose_faults(dose: Dose) -> list[tuple[str, str]]:
    """Return what is wrong with the numbers of a dose, and what was found."""
    faults = []
    if not isinstance(dose.ss, (bool, int)) and type(dose.ss).__name__ not in ("bool", "bool_"):
        return [("a dose is one of a steady state, or not", f"ss={dose.ss!r}")]
    for name in ("amount", "time", "duration", "rate"):
        value = getattr(dose, name)
        if not is_finite(value) or value < 0:
            faults.append(
                (f"the {name} of a dose is a finite number that is not negative", f"{name}={order_number(value)}")
            )
    if not is_finite(dose.addl) or dose.addl < 0 or int(dose.addl) != dose.addl:
        faults.append(("the number of further doses is a whole number from 0 on", f"addl={order_number(dose.addl)}"))
    elif not is_finite(dose.ii) or dose.ii < 0:
        faults.append(("the interval of doses is a finite number that is not negative", f"ii={order_number(dose.ii)}"))
    elif (dose.addl or dose.ss) and not dose.ii > 0:
        faults.append(("repeated doses need an interval above 0", f"ii={order_number(dose.ii)}, addl={dose.addl}"))
    if not faults and dose.rate and dose.duration:
        faults.append(("a dose has a rate or a duration, not both", f"rate={dose.rate:g}, duration={dose.duration:g}"))
    if not faults and dose.ss and dose.time:
        faults.append(
            ("a steady state is that of the start: its first dose is at time 0", f"time={order_number(dose.time)}")
        )
    return faults
