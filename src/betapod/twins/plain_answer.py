"""A forecast in six plain sentences."""

from __future__ import annotations

import math

from ..therapies.scenarios import SCENARIOS
from .equations_beside import DIFFERS, EquationRisk
from .like_people import LEAST, WANTED
from .option_outcomes import CHANCE_YEARS, NOTICED_EGFR, OptionOutcome
from .patient_forecast import PatientForecast

#: Options that are told of in sentences; the table has all.
_TOLD = 6


def of_ten(share: float) -> str:
    """Return a share as people count: ``8 of 10``, ``3 of 100``, ``fewer than 1 of 100``, ``nobody`` only where the share is 0.

    Examples
    --------
    >>> from betapod.twins.plain_answer import of_ten
    >>> of_ten(0.81), of_ten(0.026), of_ten(0.002)
    ('8 of 10', '3 of 100', 'fewer than 1 of 100')
    """
    if not math.isfinite(share):
        return "nobody knows how many"
    if share >= 0.095:
        count = round(10 * share)
        return f"{count} of 10" if share < 0.995 or count < 10 else "10 of 10"
    if share >= 0.005:
        return f"{round(100 * share)} of 100"
    return "fewer than 1 of 100"


def plain_answer(forecast: PatientForecast) -> tuple[str, ...]:
    """Return six sentences: who is like the person, the course as it is now, drugs, cells, risk beside the equations, what it is not."""
    now = forecast.outcomes.options[0]
    return (
        _who(forecast),
        _course(now),
        _options([option for option in forecast.outcomes.options[1:] if not option.scenario], "drug"),
        _options([option for option in forecast.outcomes.options[1:] if option.scenario], "course of cells"),
        _risk(now, forecast.equations),
        "This is a simulation of people who are like the person and no prognosis of this one; the spread is that between people, without what is "
        "uncertain in the model itself. It is no medical device.",
    )


def _who(forecast: PatientForecast) -> str:
    like, outcomes = forecast.like, forecast.outcomes
    close = "as closely as the labs were measured, with a small allowance"
    if like.widened > 1.0:
        close = f"within {like.widened:g} times the errors of the labs, since fewer are closer"
    few = f" (few: at least {WANTED:g} are wanted, {LEAST:g} needed)" if like.effective < WANTED else ""
    origin = f"from {outcomes.patients} of the library"
    if like.lives:
        origin = f"found in {like.lives:,} lives lived anew near {like.forebears:.0f} of the library"
    return (
        f"{outcomes.people} simulated people, {origin}, are like this person {close}; they count as "
        f"{min(like.effective, outcomes.people):.0f} independent ones{few}."
    )


def _course(now: OptionOutcome) -> str:
    (_, start, _), (low, end, high) = now.egfr[0.0], now.egfr[CHANCE_YEARS]
    return (
        f"If nothing changes, eGFR goes from {start:.0f} to {end:.0f} mL/min/1.73m2 in five years ({low:.0f} to {high:.0f} in 9 of 10 such people), "
        f"and UACR from {now.uacr[0.0][1]:.0f} to {now.uacr[CHANCE_YEARS][1]:.0f} mg/g."
    )


def _options(options: list[OptionOutcome], kind: str) -> str:
    if not options:
        return f"No {kind} was asked about."
    parts = []
    for option in options[:_TOLD]:
        name = f"With {option.text}"
        if option.scenario:
            name = f"If {SCENARIOS[option.scenario].label}"
        worse = f", lower by as much in {of_ten(option.worse_egfr)}" if option.worse_egfr >= 0.005 else ""
        parts.append(
            f"{name}, eGFR after five years is higher by {NOTICED_EGFR:g} mL/min/1.73m2 or more in {of_ten(option.better_egfr)} "
            f"such people{worse} "
            f"(median difference {option.gain_egfr[1]:+.1f})"
        )
    texts = dict.fromkeys(option.text for option in options)
    head = f"{', '.join(texts)}: " if options[0].scenario else ""
    more = f"; {len(options) - _TOLD} more in the table" if len(options) > _TOLD else ""
    return f"{head}{'; '.join(part if i == 0 else part[0].lower() + part[1:] for i, part in enumerate(parts))}{more}."


def _risk(now: OptionOutcome, equations: tuple[EquationRisk, ...]) -> str:
    text = (
        f"If nothing changes, the kidneys of {of_ten(now.kidney_failure[CHANCE_YEARS])} such people fail within five years, {of_ten(now.death)} die, and "
        f"eGFR falls by 40 % within three years in {of_ten(now.decline)}"
    )
    beside = [
        row
        for row in equations
        if row.in_range and math.isfinite(row.risk) and row.years != 2 and "8 variables" not in row.name
    ]
    if beside:
        text += "; published equations, learned from patients, say " + ", ".join(
            f"{100 * row.risk:.1f} % ({row.name}, {row.years} years)" for row in beside
        )
    else:
        text += "; no published equation here is for this person with what is known"
    if any(row.differs for row in equations):
        text += f". The two differ by more than a factor of {DIFFERS:g}: trust the equation more"
    return f"{text}."
