"""Ten questions about a trial, and the protocol that their answers make."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...base.config import read_quantity
from ...base.constants import DAYS_PER_MONTH
from ...base.errors import BetapodError, ConfigError, Problem, not_among
from ...base.nouns import with_noun
from ...observables.quantities import (
    CHARACTERISTICS,
    code_of,
    known_codes,
    label_of,
    observable_unit,
    visit_observables,
)
from .endpoint_keys import trial_outcome, trial_outcomes
from .recurrent_outcomes import recurring_outcomes

Answers = Mapping[str, Any]
_NUMBER = r"\d+(?:\.\d+)?"
_CRITERION = re.compile(
    rf"(?P<name>.+?)\s+(?:(?P<low>{_NUMBER})\s*(?:to|-|\u2013)\s*(?P<high>{_NUMBER})|(?:from|above|>=?)\s*(?P<least>{_NUMBER})"
    rf"|(?:up to|below|<=?)\s*(?P<most>{_NUMBER}))\s*(?P<unit>.*)"
)
_LOOKS = re.compile(rf"(?P<looks>\d+) looks? over (?P<months>{_NUMBER}) months?(?:, (?P<events>\d+) events)?")
#: Visits are attended within this share of the time to the next, and within two weeks; choices.
_WINDOW, _LONGEST_WINDOW = 0.1, 14
#: What makes a responder or an event, in per cent of baseline.
_PERCENT = re.compile(rf"(responders|time to event) ([+-]?{_NUMBER}) ?%")


@dataclass(frozen=True)
class TrialQuestion:
    """One question: what its answer is called, its words, the answer that an empty line stands for, and how an answer is read."""

    name: str
    words: str
    usual: Callable[[Answers], str]
    read: Callable[[str, Answers], Any]


def _wrong(message: str, answer: str, expected: str) -> ConfigError:
    return ConfigError(Problem("wrong-answer", message, found=answer, expected=expected))


def _diabetes(answer: str, _: Answers) -> str:
    kinds = ("type 1", "type 2", "any", "none")
    if answer not in kinds:
        raise ConfigError(not_among(kinds, "wrong-answer", f"there is no diabetes {answer!r}", answer))
    return answer


def _criteria(answer: str, _: Answers) -> dict[str, dict[str, str]]:
    criteria: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    for text in filter(None, (part.strip() for part in answer.split(";"))):
        matched = _CRITERION.fullmatch(text)
        if matched is None:
            problems += _wrong(
                "this is no criterion", text, "such as UACR 200 to 3000 mg/g, or AGE above 18 year"
            ).problems
            continue
        name, code = matched["name"], code_of(matched["name"])
        if code not in known_codes():
            problems.append(
                not_among([*known_codes(), "eGFR", "HbA1c"], "wrong-answer", f"there is no quantity {name!r}", name)
            )
            continue
        bounds = {"min": matched["low"] or matched["least"], "max": matched["high"] or matched["most"]}
        unit = matched["unit"] or ("" if observable_unit(code) == "1" else observable_unit(code))
        criteria[name] = {side: f"{bound} {unit}".strip() for side, bound in bounds.items() if bound is not None}
        for value in criteria[name].values():
            try:
                read_quantity(value, observable_unit(code), label_of(code), bare=observable_unit(code) == "1")
            except BetapodError as error:
                problems += error.problems
    if problems:
        raise ConfigError(problems)
    return criteria


def _treatment(answer: str, _: Answers) -> dict[str, Any]:
    from ...therapies.cell_order import read_order
    from ...therapies.standard_care import therapy

    try:
        read_order(answer)
        return {"cells": answer}
    except BetapodError as error:
        order = error
    try:
        therapy(answer)
    except BetapodError:
        # Who writes a dose per kg means cells.
        if "/kg" in answer or re.search(r"\b(iv|ia)\b|MSC", answer):
            raise order from None
        raise
    return {"therapies": [answer]}


def _control(answer: str, answers: Answers) -> dict[str, Any]:
    if answer in ("placebo", "nothing"):
        return {"placebo": answer == "placebo"}
    return _treatment(answer, answers)


def _patients(answer: str, _: Answers) -> tuple[int, int, int]:
    matched = re.fullmatch(r"(\d+)(?:,? (\d+):(\d+))?", answer)
    if matched is None or int(matched[1]) < 8 or "0" in (matched[2], matched[3]):
        raise _wrong("this is no number of patients", answer, "8 or more, such as 120, or 120, 2:1")
    return int(matched[1]), int(matched[2] or 1), int(matched[3] or 1)


def _quantity(answer: str, _: Answers) -> str:
    if code_of(answer) in visit_observables() or trial_outcome(answer) is not None:
        return answer
    every = [*visit_observables(), *trial_outcomes()]
    raise ConfigError(
        not_among(every, "wrong-answer", f"nothing that a trial measures or counts is {answer!r}", answer)
    )


def _usual_summary(answers: Answers) -> str:
    quantity = answers.get("quantity", "UACR")
    if trial_outcome(quantity) is not None:
        return "total" if trial_outcome(quantity) == "quality_of_life" else "time to event"
    return "ratio" if visit_observables()[code_of(quantity)].link == "log" else "change"


def _summary(answer: str, answers: Answers) -> dict[str, Any]:
    quantity = answers.get("quantity", "UACR")
    if trial_outcome(quantity) is not None:
        able: tuple[str, ...] = (
            ("total",) if trial_outcome(quantity) == "quality_of_life" else ("time to event", "responders")
        )
        able += ("recurrent events",) if trial_outcome(quantity) in recurring_outcomes() else ()
        if answer not in able:
            raise ConfigError(not_among(able, "wrong-answer", f"{quantity} is not compared by {answer!r}", answer))
        return {"summary": answer}
    if (matched := _PERCENT.fullmatch(answer)) is not None:
        return {"summary": matched[1], "percent": float(matched[2])}
    plain = ("change", "ratio", "slope", "chronic slope", "acute change")
    if answer not in plain:
        expected = [*plain, "responders -30 %", "time to event -40 %"]
        raise ConfigError(not_among(expected, "wrong-answer", f"{quantity} is not compared by {answer!r}", answer))
    return {"summary": answer}


def _visits(answer: str, _: Answers) -> list[float]:
    parts = [part.strip() for part in answer.removesuffix("months").removesuffix("month").split(",")]
    if not all(re.fullmatch(_NUMBER, part) for part in parts):
        raise _wrong("these are no months", answer, "such as 1, 3, 6")
    months = [float(part) for part in parts]
    if months[0] <= 0 or any(first >= second for first, second in itertools.pairwise(months)):
        raise _wrong("visits are after enrolment and in order of time", answer, "such as 1, 3, 6")
    return months


def _leaving(answer: str, _: Answers) -> str:
    matched = re.fullmatch(rf"({_NUMBER}) ?%?(?: ?(?:/year|per year))?", answer)
    if matched is None or float(matched[1]) >= 100:
        raise _wrong("this is no share of patients", answer, "below 100 % a year, such as 10 %")
    return f"{matched[1]} %/year"


def _looks(answer: str, answers: Answers) -> dict[str, Any] | None:
    if answer in ("none", "no"):
        return None
    matched = _LOOKS.fullmatch(answer)
    if matched is None or int(matched["looks"]) < 2 or not float(matched["months"]) > 0:
        raise _wrong("these are no looks", answer, "none, or such as 2 looks over 18 months (the last one is the end)")
    timed = answers.get("summary", {}).get("summary") == "time to event"
    if timed != (matched["events"] is not None):
        wanted = "2 looks over 18 months, 60 events" if timed else "2 looks over 18 months, without events"
        raise _wrong("looks at times to an event come with events, and others with patients", answer, wanted)
    looks = {"information": int(matched["looks"])} | ({"events": int(matched["events"])} if timed else {})
    return {"recruitment": f"{matched['months']} month", "looks": looks}


QUESTIONS: Sequence[TrialQuestion] = (
    TrialQuestion("diabetes", "Which diabetes do the patients have (type 1, type 2, any, none)?", lambda _: "type 2", _diabetes),
    TrialQuestion(
        "criteria",
        "Who is enrolled? Quantities with their bounds, between semicolons.",
        lambda _: "UACR 200 to 3000 mg/g; eGFR 30 to 90 mL/min/1.73m2",
        _criteria,
    ),
    TrialQuestion("treatment", "What does the treated group get: a drug, or an order for cells?", lambda _: "SGLT2 inhibitor", _treatment),
    TrialQuestion("control", "What does the control get: placebo, nothing, or a drug?", lambda _: "placebo", _control),
    TrialQuestion("patients", "How many patients, and in which ratio?", lambda _: "120, 1:1", _patients),
    TrialQuestion("quantity", "What is the primary endpoint about: a quantity, or an outcome?", lambda _: "UACR", _quantity),
    TrialQuestion("summary", "What of it is compared (change, ratio, slope, responders -30 %, time to event ...)?", _usual_summary, _summary),
    TrialQuestion("visits", "At which months after enrolment are the visits?", lambda _: "1, 3, 6", _visits),
    TrialQuestion("leaving", "How many leave the trial in a year?", lambda _: "10 %", _leaving),
    TrialQuestion("looks", "Is it looked at before its end: none, or such as 2 looks over 18 months?", lambda _: "none", _looks),
)  # fmt: skip


def read_answers(lines: Sequence[str]) -> dict[str, Any]:
    """Return what answers mean, by the names of their questions.

    Parameters
    ----------
    lines
        One answer each, in the order of `QUESTIONS`; an empty one stands for the usual answer. Lines that begin with ``#`` are left out.

    Raises
    ------
    ConfigError
        Every answer that cannot be read, and answers that are missing or too many.
    """
    kept = [(number, line.strip()) for number, line in enumerate(lines, 1) if not line.lstrip().startswith("#")]
    while len(kept) > len(QUESTIONS) and not kept[-1][1]:
        kept.pop()
    if len(kept) != len(QUESTIONS):
        asked = "; ".join(question.name for question in QUESTIONS[len(kept) :])
        message = "there is one answer to each of the ten questions"
        hint = f"Without an answer: {asked}." if asked else "Remove what is too much."
        raise ConfigError(Problem("missing-answer", message, found=with_noun(len(kept), "line"), expected="10 lines; an empty one for the usual answer", hint=hint))  # fmt: skip
    answers: dict[str, Any] = {}
    problems: list[Problem] = []
    for question, (number, text) in zip(QUESTIONS, kept, strict=True):
        try:
            answers[question.name] = question.read(text or question.usual(answers), answers)
        except BetapodError as error:
            problems += [_placed(problem, question, number) for problem in error.problems]
    if problems:
        raise ConfigError(problems)
    return answers


def _placed(problem: Problem, question: TrialQuestion, number: int) -> Problem:
    """Return a problem that names the answer."""
    from dataclasses import replace

    from ...base.errors import Location

    return replace(problem, location=Location("answers", number), message=f"{question.name}: {problem.message}")


def protocol_of_answers(name: str, answers: Answers) -> str:
    """Return the text of a protocol, from what `read_answers` gives."""
    total, treated, control = answers["patients"]
    cells = "cells" in answers["treatment"] or "cells" in answers["control"]
    words = {arm: _words(answers[arm]) for arm in ("treatment", "control")}
    criteria = answers["criteria"]
    primary = {"quantity": answers["quantity"], **answers["summary"]}
    measured = dict.fromkeys(code_of(quantity) for quantity in ("UACR", "eGFR", "HbA1c", "SBP"))
    measured |= dict.fromkeys(code_of(quantity) for quantity in criteria if code_of(quantity) not in CHARACTERISTICS)
    if trial_outcome(answers["quantity"]) is None:
        measured |= {code_of(answers["quantity"]): None}
    more = (
        ""
        if answers["looks"] is None
        else "".join(f", {key}: {_flow(value)}" for key, value in answers["looks"].items())
    )
    lines = [
        "# From the answers to ten questions; everything may be changed.",
        "schema_version: 1",
        f"name: {name}",
        f"title: {_quoted(words['treatment'] + ' against ' + words['control'])}",
        f"population: {{diabetes: {answers['diabetes']}, size: 400}}",
        *(["eligibility:", *(f"  {key}: {_flow(bounds)}" for key, bounds in criteria.items())] if criteria else []),
        f"patients: {total}",
        "arms:",
        f"  treatment: {_flow(answers['treatment'])}",
        f"  control: {_flow(answers['control'])}",
        "designs:",
        f"  randomised: {{arms: {{treatment: {treated}, control: {control}}}{more}}}",
        "visits:",
        "  - {name: screening, day: -14 day}",
        "  - {name: enrolment, day: 0 day}",
        *_planned(answers["visits"]),
        f"measurements: {{{', '.join(f'{code}: {{}}' for code in measured)}}}",
        f"conduct: {{drop_out: {answers['leaving']}}}",
        "endpoints:",
        f"  primary: {_flow(primary)}",
        f"scenarios: [{'none, current-evidence' if cells else 'none'}]",
        "replicates: 200",
    ]
    return "\n".join(lines) + "\n"


def _words(arm: Mapping[str, Any]) -> str:
    if "cells" in arm:
        return str(arm["cells"])
    return str(arm["therapies"][0]) if arm.get("therapies") else "placebo" if arm.get("placebo") else "nothing"


def _planned(months: Sequence[float]) -> list[str]:
    days = [round(month * DAYS_PER_MONTH) for month in months]
    lines = []
    for month, day, before in zip(months, days, [0, *days[:-1]], strict=True):
        window = min(int(_WINDOW * (day - before)), _LONGEST_WINDOW)
        lines.append(f"  - {{name: month {month:g}, day: {day} day, window: {window} day}}")
    return lines


def _flow(value: Any) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return _quoted(value) if isinstance(value, str) else f"{value:g}"


def _quoted(text: str) -> str:
    """Return a text as YAML has it, between quotation marks where it needs them."""
    return (
        text
        if re.fullmatch(r"[A-Za-z0-9][\w /.%+^-]*", text)
        else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    )
