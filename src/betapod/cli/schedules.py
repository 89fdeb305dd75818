"""Read what the verb simulate is told: initial values, doses, switches and times, with units."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction
from typing import TYPE_CHECKING

from ..base.errors import BetapodError, Location, Problem, did_you_mean
from ..base.units import convert_unit
from ..engine.calendar import exact_time
from ..engine.limits import MOST_VISITS, SHORTEST
from .shared import assignments, gather, option_quantity, warn

if TYPE_CHECKING:
    from ..engine.schedule import Dose, Schedule, Switch
    from ..model import Model

_DOSE = re.compile(r"(\w+)=([^@]+)@([^:/]+)(?:/([^:]+))?(?::([^:]+?))?(?::(\d+))?(:ss)?", re.I)
_SWITCH = re.compile(r"(\w+)=([^@]+)@([^/]+)(?:/(.+))?")
#: Rows of a table where nobody chose a step.
_ROWS = 200


def read_initial(model: Model, texts: list[str], problems: list[Problem]) -> dict[str, float]:
    """Return initial values by state, in the states' units; what cannot be used is added to `problems`."""
    values: dict[str, float] = {}
    try:
        texts_by_name = assignments(texts, "--initial")
    except BetapodError as error:
        gather(problems, error)
        return values
    for name, text in texts_by_name.items():
        if name not in model.state_names:
            hint = did_you_mean(name, model.state_names)
            problems.append(Problem("unknown-state", f"{name!r} is not a state", Location("--initial"), hint=hint))
            continue
        _collect(problems, values, name, text, model.units[name], f"--initial {name}={text}", model.labels[name])
    return values


def _collect(
    problems: list[Problem], values: dict[str, float], key: str, text: str, unit: str, where: str, label: str = ""
) -> None:
    try:
        values[key] = option_quantity(text, unit, where, label)
    except BetapodError as error:
        gather(problems, error)


def read_schedule(model: Model, doses: list[str], switches: list[str], problems: list[Problem]) -> Schedule:
    """Return the schedule that options describe, in the model's units; what cannot be used is added to `problems`."""
    from ..engine.schedule import Schedule

    made_doses = [dose for text in doses if (dose := _dose(model, text, problems)) is not None]
    made_switches = [change for text in switches if (change := _switch(model, text, problems)) is not None]
    schedule = Schedule(tuple(made_doses), tuple(made_switches))
    try:
        schedule.check(model)
    except BetapodError as error:
        gather(problems, error)
    return schedule


def _dose(model: Model, text: str, problems: list[Problem]) -> Dose | None:
    from ..engine.schedule import Dose

    where = f"--dose {text}"
    match = _DOSE.fullmatch(_tight(text))
    if match is None:
        expected = "STATE=AMOUNT@TIME[/DURATION][:EVERY:MORE][:ss]"
        hint = _dose_hint(text)
        problems.append(Problem("bad-option", "this is not a dose", Location(where), expected=expected, hint=hint))
        return None
    name, amount, time, over, every, more, steady = match.groups()
    if every is not None and more is None and not steady:
        hint = "Say how many further doses follow: ...:EVERY:MORE."
        problems.append(Problem("bad-option", "an interval alone repeats no dose", Location(where), hint=hint))
        return None
    if name not in model.state_names:
        hint = did_you_mean(name, model.state_names)
        problems.append(Problem("unknown-state", f"{name!r} is not a state", Location(where), hint=hint))
        return None
    values: dict[str, float] = {}
    before = len(problems)
    _collect(problems, values, "amount", amount, model.units[name], where, model.labels[name])
    _collect(problems, values, "time", time, model.time_unit, where)
    if every is not None:
        _collect(problems, values, "ii", every, model.time_unit, where)
    if over is not None:
        _over(model, name, over, where, problems, values)
    if len(problems) > before:
        return None
    return Dose(name, **values, addl=int(more or 0), ss=bool(steady))


def _tight(text: str) -> str:
    """Return an option without spaces around its signs."""
    return re.sub(r"\s*([=@:/])\s*", r"\1", text.strip())


def _dose_hint(text: str) -> str:
    if text.count(":") >= 2 and not text.rpartition(":")[2].isdigit():
        return "MORE is the whole number of further doses."
    return ""


def _over(model: Model, state: str, text: str, where: str, problems: list[Problem], values: dict[str, float]) -> None:
    """Read how long an infusion takes, or, where the unit is that of a rate, how fast it runs."""
    try:
        values["duration"] = option_quantity(text, model.time_unit, where)
    except BetapodError as error:
        rate = f"{model.units[state]}/{model.time_unit}"
        try:
            values["rate"] = option_quantity(text, rate, where, model.labels[state])
        except BetapodError:
            gather(problems, error)
            return
        if not values["rate"] > 0:
            problems.append(Problem("bad-dose", "the rate of an infusion must be above 0", Location(where), found=text))


def _switch(model: Model, text: str, problems: list[Problem]) -> Switch | None:
    from ..engine.schedule import Switch

    where = f"--switch {text}"
    match = _SWITCH.fullmatch(_tight(text))
    if match is None:
        expected = "INPUT=VALUE@TIME or INPUT=VALUE@TIME/WIDTH"
        problems.append(Problem("bad-option", "this is not a switch", Location(where), expected=expected))
        return None
    name, value, day, width = match.groups()
    if name not in model.inputs:
        hint = did_you_mean(name, model.inputs)
        if name in model.parameters:
            hint = f"{name!r} is a parameter, which does not change with time: use --set."
        problems.append(Problem("unknown-input", f"{name!r} is not an input", Location(where), hint=hint))
        return None
    values: dict[str, float] = {"width": 0.0}
    _collect(problems, values, "value", value, model.units[name], where, model.labels[name])
    _collect(problems, values, "day", day, model.time_unit, where)
    if width is not None:
        _collect(problems, values, "width", width, model.time_unit, where)
    if {"value", "day"} - set(values):
        return None
    row = model.inputs[name]
    if not row.low <= values["value"] <= row.high:
        warn(
            f"{name} = {values['value']:g} {row.unit} is outside its plausible range {row.low:g} to {row.high:g} {row.unit}"
        )
    return Switch(name, values["value"], values["day"], values["width"])


def read_visits(
    model: Model,
    spans: dict[str, str | float | None],
    step: str | None,
    times: str | None,
    problems: list[Problem],
) -> list[float]:
    """Return the times that are reported, in the model's unit of time.

    Parameters
    ----------
    spans
        Duration by the name of its option: years, days, or a text with a unit.
    """
    unit = model.time_unit
    options = [f"--{name}" for name, value in (*spans.items(), ("times", times)) if value is not None]
    if len(options) > 1:
        problems.append(Problem("bad-option", f"{' and '.join(options)} exclude each other", Location(options[-1])))
        return [0.0]
    before = len(problems)
    if times is not None:
        return _listed_times(times, unit, problems)
    end, where = end_of(spans, unit, problems)
    if len(problems) > before:
        return [0.0]
    if step is None:
        return _steps(end, exact_time(end) / _ROWS)
    values: dict[str, float] = {}
    where = f"--step {step}"
    _collect(problems, values, "step", step, unit, where)
    if len(problems) > before:
        return [0.0]
    if not 0 < values["step"] <= end:
        problems.append(Problem("bad-option", "the step must be above 0 and within the duration", Location(where)))
        return [0.0]
    if end / values["step"] > MOST_VISITS:
        problems.append(Problem("bad-option", "that is more than a million rows", Location(where)))
        return [0.0]
    return _steps(end, exact_time(values["step"]))


def _listed_times(text: str, unit: str, problems: list[Problem]) -> list[float]:
    """Read times that are listed."""
    values: dict[str, float] = {}
    cells = text.split(",")
    if len(cells) > MOST_VISITS:
        problems.append(Problem("bad-option", "that is more than a million rows", Location("--times")))
        return [0.0]
    for number, cell in enumerate(cells):
        _collect(problems, values, str(number), cell, unit, f"--times {cell}")
    listed = list(values.values())
    if len(listed) == len(cells) and (listed[0] < 0 or any(b <= a for a, b in itertools.pairwise(listed))):
        problems.append(
            Problem("bad-times", "the times must increase, from 0 on", Location("--times"), found=text.strip()[:80])
        )
    return listed or [0.0]


def end_of(spans: dict[str, str | float | None], unit: str, problems: list[Problem]) -> tuple[float, str]:
    """Return the duration in the model's unit of time, and the option that gave it."""
    option, duration = next(((name, value) for name, value in spans.items() if value is not None), ("duration", None))
    where = f"--{option} {duration}"
    if duration is None:
        return (100.0 if unit == "1" else convert_unit(1.0, "year", unit)), where
    values: dict[str, float] = {}
    if isinstance(duration, str):
        _collect(problems, values, "end", duration, unit, where)
        end = values.get("end", 1.0)
    elif unit == "1":
        hint = "Give --duration as a plain number, in whatever unit its rates are."
        message = f"the model names no unit of time, so nobody knows how long {duration:g} {option} are"
        problems.append(Problem("bad-option", message, Location(where), hint=hint))
        return 1.0, where
    else:
        end = convert_unit(duration, option, unit)
    if not SHORTEST <= end <= 1 / SHORTEST:
        problems.append(
            Problem("bad-option", "the duration must be above 0, and finite", Location(where), found=f"{end:g}")
        )
    return end, where


def _steps(end: float, step: Fraction) -> list[float]:
    """Return times from 0 to an end; multiples are those that were written, not those of binary numbers."""
    count = math.floor(round(exact_time(end) / step, 9))
    plain = float(step)
    visits = [float(k * step) for k in range(count + 1)] if count < 20_000 else [k * plain for k in range(count + 1)]
    if visits[-1] < end * (1 - 1e-9):
        visits.append(end)
    visits[-1] = end
    return visits


def joined_schedules(first: Schedule, second: Schedule) -> Schedule:
    """Return what both schedules give, the first before the second."""
    return type(first)((*first.doses, *second.doses), (*first.switches, *second.switches))
