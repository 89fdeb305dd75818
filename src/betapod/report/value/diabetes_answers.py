"""What a run says to the items of the Diabetes Modeling Input Checklist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ..common import words
from . import run_settings as run
from .economic_answers import NO_COSTS, result_baseline
from .strategy_tables import state_words

if TYPE_CHECKING:
    from ...value.value_result import ValueResult

#: Conditions that people may have at the start, by the name of their state.
_CONDITIONS = (
    *("cvd", "mi", "stroke", "hf", "retinopathy", "severe_retinopathy", "macular_oedema", "vision_loss"),
    *("neuropathy", "foot_ulcer", "amputation", "peripheral_artery_disease", "cancer"),
)


#: Kinds of parameters, of many.
PLURALS: Mapping[str, str] = {
    "rate": "rates of events",
    "utility": "utilities",
    "cost": "costs",
    "physiology": "physiology",
}


def _values(result: ValueResult, *fields: tuple[str, str, str]) -> str:
    """Return named values at the start; what the run does not keep is said."""
    values = [(label, result_baseline(result, name), unit) for name, label, unit in fields]
    here = [f"{label} {value} {unit}".strip() for label, value, unit in values if value]
    if not here:
        return ""
    gone = [label for label, value, _ in values if not value]
    return f"{words.capital('; '.join(here))}.{f' Absent: {words.listed(gone)}.' if gone else ''}"


def _share(result: ValueResult, name: str) -> float | None:
    values = getattr(result, "baseline", {}).get(name)
    if values is None:
        return None
    return float(values.mean() if result.weights is None else result.weights @ values)


def _smoking(result: ValueResult) -> str:
    share = _share(result, "smoker")
    return "" if share is None else f"{words.percent_text(share)} smoke."


def _comorbidities(result: ValueResult) -> str:
    shares = [(name, share) for name in _CONDITIONS if (share := _share(result, f"history: {name}")) is not None]
    return (
        f"{words.capital('; '.join(f'{state_words(name)} {words.percent_text(share)}' for name, share in shares))}."
        if shares
        else ""
    )


def _baseline_treatment(result: ValueResult) -> str:
    care = run.care_words(result)
    return f"{words.capital(care)}." if care else ""


def _treatment(result: ValueResult) -> str:
    return "; ".join(f"{name}: {run.strategy_words(result, name)}" for name in result.strategies) + "."


def _course(quantities: str) -> Callable[[ValueResult], str]:
    def answer(result: ValueResult) -> str:
        return f"{words.capital(quantities)} follow from the physiological model under each strategy, person by person."

    return answer


def _intensification(result: ValueResult) -> str:
    care = str(run.setting(result, "care", ""))
    if care == "frozen":
        return "Treatment is never intensified."
    return f"{words.capital(run.care_words(result))}." if run.care_words(result) else ""


def _initial(result: ValueResult) -> str:
    return "By the mechanisms of each treatment in the physiological model, not set by hand. Parameters of cells are drawn; effects of drugs are not."


def _lasting(result: ValueResult) -> str:
    text = "Drugs act as long as they are taken"
    if run.with_cells(result):
        text += "; effects of cells fade as the scenario supposes, and their harms raise the rates of events"
    return f"{text}. People take what the strategy says; doses are skipped only where it names an adherence."


def _trajectory(result: ValueResult) -> str:
    return (
        "HbA1c, albuminuria, filtration, blood pressure and weight by the physiological model; lipids, haemoglobin and potassium by "
        "regression on them; smoking stays."
    )


def _cost_years(result: ValueResult) -> str:
    if not result.costs:
        return NO_COSTS
    return "Each event has a cost when it comes, each state one for every year in it, so that first and later years are apart."


def _cost_items(result: ValueResult) -> str:
    if not result.costs:
        return NO_COSTS
    items = {item for costs in result.items.values() for item in costs}
    text = f"{words.counted(len(items), 'item')}, under \u201cCosts by item\u201d."
    if run.with_cells(result):
        text += " A course of cells has no price: the report says which it may have."
    return text


def _unit_prices(result: ValueResult) -> str:
    if not result.costs:
        return NO_COSTS
    rates = run.discount_words(result)
    return f"Unit costs under \u201cParameters\u201d, numbers of events under \u201cEvents\u201d.{f' Discounting: {rates}.' if rates else ''}"


def _utilities(result: ValueResult) -> str:
    rows = [row for row in result.parameters.values() if row.kind == "utility"]
    utilities = run.setting(result, "utilities") or {}
    name = utilities.get("set") if isinstance(utilities, Mapping) else utilities
    if not rows and not name:
        return ""
    set_words = f" of the set {name}" if name else ""
    return f"A utility at the start and losses by state and event{set_words}: {words.counted(len(rows), 'value')}, under \u201cParameters\u201d."


def _several(result: ValueResult) -> str:
    utilities = run.setting(result, "utilities") or {}
    combine = utilities.get("combine") if isinstance(utilities, Mapping) else None
    ways = {
        "additive": "Losses of several conditions add up.",
        "multiplicative": "Losses of several conditions multiply, each as a ratio.",
        "minimum": "Of several conditions the one with the greatest loss alone counts.",
    }
    return ways.get(str(combine), "")


def _mortality(result: ValueResult) -> str:
    deaths = sorted({name for counts in result.events.values() for name in counts if name.endswith("death")})
    text = words.listed([state_words(name) for name in deaths])
    return f"Deaths by cause: {text}. Every rate of our own events is a parameter with its source." if deaths else ""


def _equations(result: ValueResult) -> str:
    return f"{words.capital(words.listed([run.structure_label(name) for name in result.structures]))}."


def _simulations(result: ValueResult) -> str:
    people = run.number_of_people(result)
    replicates = run.setting(result, "replicates")
    parts = [words.counted(people, "person", "people")] if people else []
    parts += [words.counted(int(replicates), "life of each", "lives of each")] if replicates else []
    parts += [words.counted(result.draws, "draw of uncertain numbers", "draws of uncertain numbers")]
    error = ", whose error by chance stands beside the results" if result.monte_carlo else ""
    return f"{words.capital(words.listed(parts))}{error}."


def _components(result: ValueResult) -> str:
    kinds: dict[str, int] = {}
    for row in result.parameters.values():
        kinds[row.kind] = kinds.get(row.kind, 0) + (row.name in result.drawn)
    drawn = [f"{PLURALS.get(kind, kind)} ({count})" for kind, count in kinds.items() if count]
    fixed = [PLURALS.get(kind, kind) for kind, count in kinds.items() if not count]
    text = f"{words.counted(result.draws, 'draw')} of {words.listed(drawn)}." if drawn else ""
    return text + (f" Not drawn: {words.listed(fixed)}." if fixed else "")


#: Item -> what the run says.
ANSWERS: Mapping[str, Callable[[ValueResult], str]] = {
    "age": lambda result: _values(result, ("age", "age", "years")),
    "ethnicity": lambda result: "",
    "weight": lambda result: _values(result, ("bmi", "BMI", "kg/m²")),
    "duration": lambda result: _values(result, ("duration", "since diagnosis", "years")),
    "biomarkers": lambda result: _values(
        result,
        ("hba1c", "HbA1c", "%"),
        ("hdl", "HDL cholesterol", "mmol/L"),
        ("ldl", "LDL cholesterol", "mmol/L"),
        ("sbp", "systolic pressure", "mmHg"),
    ),
    "smoking": _smoking,
    "comorbidities": _comorbidities,
    "activity": lambda result: "",
    "baseline_treatment": _baseline_treatment,
    "treatment": _treatment,
    "glucose_course": _course("HbA1c and what acts on it"),
    "other_course": _course("blood pressure, lipids and weight"),
    "initial_effect": _initial,
    "intensification": _intensification,
    "lasting": _lasting,
    "trajectory": _trajectory,
    "cost_years": _cost_years,
    "cost_items": _cost_items,
    "unit_prices": _unit_prices,
    "utilities": _utilities,
    "several": _several,
    "mortality": _mortality,
    "equations": _equations,
    "simulations": _simulations,
    "components": _components,
}
