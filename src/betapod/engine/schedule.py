"""What is done to a patient and when: doses into states, switches and ramps of inputs, as one timeline.

A visit at the very time of a dose or switch sees the patient just before it, as a blood sample on the day of an infusion does.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import ConfigError, Location, Problem, did_you_mean

if TYPE_CHECKING:
    from ..model import Model


@dataclass(frozen=True)
class Dose:
    """An amount added to a state at once.

    Attributes
    ----------
    amount
        In the state's unit.
    time
        Day of the first dose.
    ii, addl
        Days between doses and number of further doses.
    """

    state: str
    amount: float
    time: float = 0.0
    ii: float = 0.0
    addl: int = 0

    @property
    def times(self) -> list[float]:
        """Days of all doses."""
        return [self.time + k * self.ii for k in range(self.addl + 1)]


@dataclass(frozen=True)
class Switch:
    """A new value of an input from a day on, reached linearly over `width` days (0: at once)."""

    input: str
    value: float
    time: float
    width: float = 0.0


@dataclass(frozen=True)
class Segment:
    """A stretch of time in which every input is linear in time and no dose is given but at its start.

    Attributes
    ----------
    values, slopes
        Every input at `start`, and its change per day.
    doses
        State and amount, to be added at `start`.
    """

    start: float
    end: float
    values: Mapping[str, float]
    slopes: Mapping[str, float]
    doses: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Schedule:
    """Doses and switches of one patient."""

    doses: Sequence[Dose] = field(default_factory=tuple)
    switches: Sequence[Switch] = field(default_factory=tuple)

    def check(self, model: Model) -> None:
        """Check that every dose and switch makes sense for a model.

        Raises
        ------
        ConfigError
            With every unknown state or input, time before the start, or number that is not finite.
        """
        problems: list[Problem] = []

        def bad(what: str, kind: str, message: str, **details: str) -> None:
            problems.append(Problem(kind, message, Location(what), **details))

        for dose in self.doses:
            what = f"dose {dose.state}={dose.amount:g}@{dose.time:g}"
            if dose.state not in model.state_names:
                bad(
                    what,
                    "unknown-state",
                    f"{dose.state!r} is not a state",
                    hint=did_you_mean(dose.state, model.state_names),
                )
            if not math.isfinite(dose.amount) or not math.isfinite(dose.time) or dose.time < 0:
                bad(what, "bad-dose", "a dose needs a finite amount and a time that is not before the start")
            if dose.addl < 0 or (dose.addl > 0 and not dose.ii > 0):
                bad(
                    what,
                    "bad-dose",
                    "repeated doses need an interval above 0",
                    found=f"ii={dose.ii:g}, addl={dose.addl}",
                )
        for switch in self.switches:
            what = f"switch {switch.input}={switch.value:g}@{switch.time:g}"
            if switch.input not in model.inputs:
                bad(
                    what,
                    "unknown-input",
                    f"{switch.input!r} is not an input",
                    hint=did_you_mean(switch.input, model.inputs),
                )
            if not (math.isfinite(switch.value) and math.isfinite(switch.time) and math.isfinite(switch.width)):
                bad(what, "bad-switch", "a switch needs finite numbers")
            elif switch.width < 0 or switch.time < 0:
                bad(what, "bad-switch", "the width and the time of a switch are not negative")
        if problems:
            raise ConfigError(problems)

    def segments(self, inputs: Mapping[str, float], end: float, start: float = 0.0) -> list[Segment]:
        """Cut the time from `start` to `end` where anything changes.

        Parameters
        ----------
        inputs
            Value of every input before the first switch.

        Returns
        -------
        list of Segment
            In order, without gaps. A later switch of the same input replaces one that is still ramping.
        """
        doses: dict[float, list[tuple[str, float]]] = {}
        for dose in self.doses:
            for time in dose.times:
                if start <= time < end:
                    doses.setdefault(time, []).append((dose.state, dose.amount))
        ramps = _ramps(self.switches, inputs)
        breaks = {start, end, *doses}
        breaks.update(time for pieces in ramps.values() for time, _, _ in pieces if start < time < end)
        times = sorted(breaks)
        found = []
        for begin, finish in itertools.pairwise(times):
            values, slopes = dict(inputs), dict.fromkeys(inputs, 0.0)
            for name, pieces in ramps.items():
                for time, value, slope in pieces:
                    if time <= begin:
                        values[name], slopes[name] = value + slope * (begin - time), slope
            found.append(Segment(begin, finish, values, slopes, tuple(doses.get(begin, ()))))
        return found or [Segment(start, end, dict(inputs), dict.fromkeys(inputs, 0.0), tuple(doses.get(start, ())))]


def _ramps(switches: Sequence[Switch], inputs: Mapping[str, float]) -> dict[str, list[tuple[float, float, float]]]:
    """Return, for each switched input, pieces (time, value at that time, slope)."""
    ramps: dict[str, list[tuple[float, float, float]]] = {}
    for switch in sorted(switches, key=lambda s: s.time):
        pieces = ramps.setdefault(switch.input, [(-math.inf, inputs[switch.input], 0.0)])
        while pieces and pieces[-1][0] >= switch.time:
            pieces.pop()
        time, value, slope = pieces[-1]
        now = value if math.isinf(time) else value + slope * (switch.time - time)
        if switch.width > 0:
            pieces.append((switch.time, now, (switch.value - now) / switch.width))
            pieces.append((switch.time + switch.width, switch.value, 0.0))
        else:
            pieces.append((switch.time, switch.value, 0.0))
    return {name: [piece for piece in pieces if not math.isinf(piece[0])] for name, pieces in ramps.items()}
