"""What is done to a patient and when: doses into states, switches and ramps of inputs, as one timeline.

A visit at the very time of a dose or switch sees the patient just before it, as a blood sample on the day of an infusion does. Times
that agree to 13 digits are the same time (see `betapod.engine.calendar`), so doses every 0.7 day meet a visit on day 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..base.arguments import wrong
from ..base.errors import ConfigError, Location, Problem, did_you_mean
from .orders import MOST_DOSES as MOST_DOSES
from .orders import Dose as Dose
from .orders import Switch as Switch
from .orders import dose_faults, dose_name, is_finite, is_usual_dose, is_usual_switch, order_number
from .segments import Moments, present_inputs, ramps_of, stretches
from .segments import Segment as Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..model import Model


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
            if is_usual_dose(dose, model):
                continue
            where = dose_name(dose)
            if not isinstance(dose.state, str) or dose.state not in model.state_names:
                bad(
                    where,
                    "unknown-state",
                    f"{dose.state!r} is not a state",
                    hint=did_you_mean(dose.state, model.state_names),
                )
            for message, text in dose_faults(dose):
                unit = model.units.get(dose.state, "") if text.startswith("amount=") else ""
                bad(
                    where, "bad-dose", message, found=text, hint=f"Amounts are numbers, in {unit} here." if unit else ""
                )
        for switch in self.switches:
            if is_usual_switch(switch, model):
                continue
            where = f"switch {switch.input}={order_number(switch.value)}@{order_number(switch.time)}"
            if not isinstance(switch.input, str) or switch.input not in model.inputs:
                bad(
                    where,
                    "unknown-input",
                    f"{switch.input!r} is not an input",
                    hint=_hint_of_input(model, switch.input),
                )
            if not all(map(is_finite, (switch.value, switch.time, switch.width))):
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
