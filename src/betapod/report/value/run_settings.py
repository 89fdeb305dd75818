"""The settings of a comparison in words: people, strategies, horizon, discounting, decisions that can be taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..common import words

if TYPE_CHECKING:
    from ...value.value_result import ValueResult

#: Sets of events by name.
STRUCTURES: Mapping[str, str] = {"own": "betapod's own events", "ukpds-om2": "UKPDS-OM2 equations"}
#: The same for the ticks of a figure.
SHORT_STRUCTURES: Mapping[str, str] = {"own": "own events", "ukpds-om2": "UKPDS-OM2"}
#: Money for a QALY where the run says nothing.
_WILLINGNESS = (20_000.0, 50_000.0, 100_000.0)


@dataclass(frozen=True)
class Decision:
    """Strategies among which somebody could choose: cells under two scenarios are one choice and two beliefs about it.

    Attributes
    ----------
    belief
        Scenario about cells, in words; empty where no strategy has cells.
    options
        Places of the strategies.
    """

    scenario: str
    belief: str
    options: tuple[int, ...]


def setting(result: ValueResult, name: str, missing: Any = None) -> Any:
    """Return a setting of the run."""
    return result.run.get(name, missing)


def structure_label(name: str) -> str:
    """Return a set of events in words."""
    return STRUCTURES.get(name, name)


def willingness(result: ValueResult) -> tuple[float, ...]:
    """Return the amounts of money for a QALY that were asked for, the least first."""
    amounts = setting(result, "willingness to pay") or setting(result, "willingness_to_pay") or _WILLINGNESS
    return tuple(sorted(float(amount) for amount in amounts))


def middle_willingness(result: ValueResult) -> float:
    """Return the amount in the middle: what figures of one amount are drawn at."""
    amounts = willingness(result)
    return amounts[(len(amounts) - 1) // 2]


def with_cells(result: ValueResult) -> tuple[str, ...]:
    """Return the strategies in which cells are given."""
    if result.cell_courses is None:
        return ()
    return tuple(name for name, courses in zip(result.strategies, result.cell_courses, strict=True) if courses > 0)


def strategy_settings(result: ValueResult, name: str) -> Mapping[str, Any]:
    """Return what the run says of a strategy."""
    every = setting(result, "strategies") or {}
    return (every.get(name) if isinstance(every, Mapping) else None) or {}


def scenario_of(result: ValueResult, name: str) -> str:
    """Return the scenario about cells of a strategy; empty where it has none."""
    return str(strategy_settings(result, name).get("scenario") or "") if name in with_cells(result) else ""


def decisions(result: ValueResult) -> tuple[Decision, ...]:
    """Return a decision for each scenario about cells; a single one of all strategies where there are no cells."""
    treated = with_cells(result)
    plain = [name for name in result.strategies if name not in treated]
    scenarios = list(dict.fromkeys(scenario_of(result, name) for name in treated)) or [""]
    choices = []
    for scenario in scenarios:
        options = [*plain, *(name for name in treated if scenario_of(result, name) == scenario)]
        places = tuple(result.place(name) for name in result.strategies if name in options)
        choices.append(Decision(scenario, words.scenario(scenario) if scenario else "", places))
    return tuple(choices)


def horizon_words(result: ValueResult) -> str:
    """Return the horizon: ``a lifetime`` or ``10 years``."""
    horizon = setting(result, "horizon", "life")
    if isinstance(horizon, int | float):
        return words.counted(int(horizon), "year") if float(horizon).is_integer() else f"{horizon:g} years"
    return "a lifetime" if horizon == "life" else str(horizon)


def discount_words(result: ValueResult) -> str:
    """Return the discount rates in words; empty where the run names none."""
    rates = setting(result, "discount") or {}
    if not isinstance(rates, Mapping):
        return f"{100 * float(rates):g} % a year"
    parts = [f"{name} {100 * float(rates[name]):g} % a year" for name in ("effects", "costs") if name in rates]
    return words.listed(parts)


def people_words(result: ValueResult) -> str:
    """Return who the people are, and how many."""
    people = setting(result, "people") or {}
    kinds = {
        "protocol": "people of the protocol {}",
        "cohort": "people of the file {}",
        "library": "virtual patients with {}",
    }
    if not isinstance(people, Mapping):
        return str(people)
    named = [text.format(people[kind]) for kind, text in kinds.items() if people.get(kind)]
    count = number_of_people(result)
    return ", ".join([*(named or ["people"]), *([words.counted(count, "person", "people")] if count else [])])


def number_of_people(result: ValueResult) -> int:
    """Return how many people were simulated; 0 where that is not known."""
    for qalys in result.person_qalys.values():
        return int(qalys.shape[1])
    people = setting(result, "people") or {}
    return int(people.get("size") or 0) if isinstance(people, Mapping) else 0


def strategy_words(result: ValueResult, name: str) -> str:
    """Return what a strategy gives: drugs, cells and what is supposed of them."""
    therapy = strategy_settings(result, name)
    parts = []
    if therapy.get("cells"):
        parts.append(f"cells {therapy['cells']}")
    if therapy.get("cells") and therapy.get("scenario"):
        parts.append(f"if {words.scenario(str(therapy['scenario']))}")
    parts += [_drug(drug) for drug in therapy.get("therapies") or ()]
    if therapy.get("inputs"):
        parts.append(", ".join(f"{key} {value}" for key, value in therapy["inputs"].items()))
    return "; ".join(parts) or "no change of what people take"


def _drug(drug: Any) -> str:
    """Return a therapy of a strategy in words; times are in days, as a protocol has them."""
    if not isinstance(drug, Mapping):
        return str(drug)
    parts = [str(drug.get("therapy") or drug.get("drug") or "therapy")]
    if drug.get("start"):
        parts.append(f"from day {float(drug['start']):g}")
    if drug.get("stop"):
        parts.append(f"until day {float(drug['stop']):g}")
    adherence = float(drug.get("adherence") or 1.0)
    if adherence < 1.0:
        parts.append(f"{words.percent_text(adherence)} of it taken")
    return ", ".join(parts)


#: What the people take besides the strategy, by the setting ``care``.
CARE: Mapping[str, str] = {
    "frozen": "what each person takes at the start goes on unchanged, whatever their results",
    "usual": "doctors add and change drugs as usual care does",
    "clinic": "a clinic treats to target, adding drugs until it is met",
}


def care_words(result: ValueResult) -> str:
    """Return what people take besides the strategy, in words; empty where the run does not say."""
    return CARE.get(str(setting(result, "care", "")), "")


def reporting(result: ValueResult, key: str) -> str:
    """Return what the author wrote under ``reporting`` of the run file."""
    texts = setting(result, "reporting") or {}
    return str(texts.get(key) or "").strip() if isinstance(texts, Mapping) else ""


def money(value: float, currency: str | None, sign: bool = False) -> str:
    """Return an amount of money in whole units of its currency."""
    text = amount(value, sign)
    return f"{text}\u00a0{currency}" if currency else text


def amount(value: float, sign: bool = False) -> str:
    """Return an amount, thousands apart; an en dash where there is none."""
    if value != value or abs(value) == float("inf"):
        return "\u2013"
    rounded = round(value)
    text = words.thousands(abs(rounded))
    if rounded < 0:
        return words.MINUS + text
    return f"+{text}" if sign and rounded > 0 else text
