"""A comparison in brief: the main result in one sentence, what a hurried reader must know, questions with their answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...value.economics.acceptability import acceptability_frontier
from ..common import words
from . import run_settings as run
from .checklists import both_checklists, count_words
from .decision_tables import money_unit, parameter_label, tornado_rows
from .strategy_tables import icer_text, price_unit
from .value_analysis import costs_or_zero, information_worth, prices
from .value_figures import interval_text
from .value_table import estimate, value_text

if TYPE_CHECKING:
    from ...value.value_result import ValueResult


def main_message(result: ValueResult) -> str:
    """Return the main result: what a course of cells may cost under each scenario, or what each strategy adds."""
    structure = result.structures[0]
    treated = run.with_cells(result)
    if not treated:
        return _gain_message(result, structure)
    amount = run.middle_willingness(result)
    parts = []
    for name in treated:
        limit = estimate(prices(result, structure, name, amount))
        belief = words.scenario(run.scenario_of(result, name)) if run.scenario_of(result, name) else name
        price = f"at most {run.amount(limit.mean)} (95 % interval {run.amount(limit.low)} to {run.amount(limit.high)})"
        parts.append(f"{price} if {belief}" if limit.mean > 0 else f"nothing, not even if it were free, if {belief}")
    about = f"At {run.money(amount, price_unit(result))} for a QALY, a course of cells is worth"
    return f"{about} {'; '.join(parts)}, against {result.comparator}."


def _gain_message(result: ValueResult, structure: str) -> str:
    parts = [
        f"{name} adds {interval_text(estimate(result.increment(structure, 'qalys', name)), 'gain')} QALYs"
        for name in result.others
    ]
    return f"Against {result.comparator}, a person: {'; '.join(parts)}." if parts else "There is nothing to compare."


def main_facts(result: ValueResult) -> list[str]:
    """Return what else must be known: gains, whether the events agree, what is missing."""
    structure = result.structures[0]
    texts = [gains_text(result, structure)] if run.with_cells(result) else []
    texts += [text for text in (structures_text(result), _gaps(result)) if text]
    if run.with_cells(result):
        texts.append(
            "The price of cells is asked for, never supposed; scenarios about what cells do are never averaged."
        )
    return texts


def gains_text(result: ValueResult, structure: str) -> str:
    """Return the QALYs that each strategy adds."""
    parts = [
        f"{name} {interval_text(estimate(result.increment(structure, 'qalys', name)), 'gain')}"
        for name in result.others
    ]
    return f"QALYs gained against {result.comparator}, a person: {'; '.join(parts)}."


def structures_text(result: ValueResult) -> str:
    """Return whether the sets of events agree on the gains; empty with one set."""
    if len(result.structures) < 2:
        return ""
    parts = []
    for name in result.others:
        gains = [float(result.increment(structure, "qalys", name).mean()) for structure in result.structures]
        listed = words.listed([value_text(gain, "gain") for gain in gains])
        parts.append(f"{name} {listed}{' (of other signs)' if min(gains) < 0 < max(gains) else ''}")
    structures = words.listed([run.structure_label(structure) for structure in result.structures])
    return f"QALYs gained under {structures}: {'; '.join(parts)}."


def _gaps(result: ValueResult) -> str:
    if not result.costs:
        return "No country was named: nothing costs or saves anything here, and nothing says what a strategy costs."
    count = len(result.missing)
    return f"{words.counted(count, 'gap is', 'gaps are')} named under \u201cWhat is missing\u201d." if count else ""


def value_questions(result: ValueResult) -> list[tuple[str, str]]:
    """Return questions of readers with their answers."""
    structure = result.structures[0]
    pairs = [
        ("What does each strategy add to life?", _life(result, structure)),
        ("Which strategy is the best choice?", _choice(result)),
    ]
    if run.with_cells(result):
        pairs.append(("What may a course of cells cost?", _prices_text(result)))
    pairs.append(("How much of this is chance of the simulation?", _chance_text(result, structure)))
    if len(result.structures) > 1:
        pairs.append(("Does the answer hang on the equations for events?", structures_text(result)))
    if result.one_way.get(structure):
        pairs.append(("Which numbers move the answer most?", _movers(result, structure)))
    pairs.append(("What would it be worth to know more?", _information_text(result, structure)))
    pairs.append(("Do all people gain alike?", _people_text(result, structure)))
    missing = " ".join(words.capital(text).rstrip(".") + "." for text in result.missing) or "The run names no gap."
    pairs.append(("What is missing?", missing))
    lists = "; ".join(f"{checklist.title}: {count_words(checklist)}" for checklist in both_checklists(result))
    pairs.append(("Is everything reported that ought to be?", f"{lists}."))
    return [(question, answer) for question, answer in pairs if answer]


def _life(result: ValueResult, structure: str) -> str:
    parts = []
    for name in result.others:
        years, qalys = (estimate(result.increment(structure, measure, name)) for measure in ("years", "qalys"))
        parts.append(f"{name}: {interval_text(years, 'gain')} life-years, {interval_text(qalys, 'gain')} QALYs")
    lived = value_text(float(result.years[structure][result.reference].mean()), "years")
    return f"With {result.comparator} a person lives {lived} years more. Against this, {'; '.join(parts)}. Life-years are not discounted."


def _choice(result: ValueResult) -> str:
    structure = result.structures[0]
    parts = []
    for decision in run.decisions(result):
        if len(decision.options) < 2:
            continue
        rows = list(decision.options)
        amounts = run.willingness(result) if result.costs else (1.0,)
        frontier = acceptability_frontier(
            result.qalys[structure][rows], costs_or_zero(result, structure)[rows], amounts
        )
        best = [result.strategies[rows[int(number)]] for number in frontier.best]
        chance = [words.percent_text(float(share)) for share in frontier.chance]
        told = _best_by_amount(best, chance, amounts if result.costs else ())
        parts.append(f"If {decision.belief}: {told}." if decision.belief else f"{words.capital(told)}.")
    free = " Cells are given for nothing here." if run.with_cells(result) and result.costs else ""
    alone = "" if result.costs else " By health alone."
    return f"{' '.join(parts)}{free}{alone}"


def _best_by_amount(best: Sequence[str], chance: Sequence[str], amounts: Sequence[float]) -> str:
    """Return which strategy is the best at which amounts for a QALY, and in what share of draws."""
    if not amounts:
        return f"{best[0]} (best in {chance[0]} of draws)"
    parts = []
    for name in dict.fromkeys(best):
        rows = [k for k, other in enumerate(best) if other == name]
        at = words.listed([run.amount(amounts[k]) for k in rows])
        shares = list(dict.fromkeys(chance[k] for k in rows))
        told = words.listed([chance[k] for k in rows]) if len(shares) > 1 else shares[0]
        parts.append(f"{name} at {at} a QALY (best in {told} of draws)")
    return ", ".join(parts)


def _prices_text(result: ValueResult) -> str:
    structure = result.structures[0]
    parts = []
    for name in run.with_cells(result):
        told = ", ".join(
            f"{run.amount(float(prices(result, structure, name, amount).mean()))} at {run.amount(amount)} a QALY"
            for amount in run.willingness(result)
        )
        parts.append(f"{name}: {told}")
    saved = "" if result.costs else " Savings elsewhere are not in it, for no country was named."
    return f"{words.capital('; '.join(parts))} ({money_unit(result)}).{saved} A price below 0 means: not even if it were free."


def _chance_text(result: ValueResult, structure: str) -> str:
    errors = result.monte_carlo.get(structure, {}).get("incremental_qalys")
    if errors is None:
        return "The run kept no error of simulation."
    parts = []
    for name in result.others:
        error, gain = float(errors[result.place(name)]), float(result.increment(structure, "qalys", name).mean())
        small = "" if abs(gain) > 2 * error else ", so that it cannot be told from nothing"
        parts.append(f"{name} {value_text(gain, 'gain')} \u00b1 {value_text(error, 'rate')} QALYs{small}")
    text = f"Standard error by people and random numbers in one draw: {'; '.join(parts)}."
    ratios = [
        f"{name} {icer_text(result, structure, name)}"
        for name in result.others
        if result.costs and "\u00b1" in icer_text(result, structure, name)
    ]
    return f"{text} Costs per QALY with their error by chance: {'; '.join(ratios)}." if ratios else text


def _movers(result: ValueResult, structure: str) -> str:
    parts = []
    for name in result.others:
        rows = tornado_rows(result, structure, name)[:3]
        if rows:
            parts.append(f"{name}: {words.listed([parameter_label(result, row.parameter) for row in rows])}")
    return f"{words.capital('; '.join(parts))}." if parts else ""


def _information_text(result: ValueResult, structure: str) -> str:
    amount = run.middle_willingness(result) if result.costs else 1.0
    unit = f" {result.currency}" if result.costs else " QALYs"
    kind = "money" if result.costs else "rate"
    parts = []
    for decision in run.decisions(result):
        if len(decision.options) < 2:
            continue
        worth = information_worth(result, structure, decision, amount)
        told = f"{value_text(worth.free, 'money' if kind == 'money' else 'rate')}{unit} a person"
        if worth.price and result.costs:
            told += f" if cells are free, {run.amount(worth.worth)}{unit} at a price of {run.amount(worth.price)}, which leaves the choice open"
        parts.append(f"if {decision.belief}, {told}" if decision.belief else told)
    eligible = (run.setting(result, "budget") or {}).get("eligible")
    many = f" There are {words.thousands(int(eligible))} eligible people." if eligible else ""
    return (
        f"To know every number: {'; '.join(parts)}.{many} Which scenario of the cells holds is not among these numbers: scenarios stay apart."
        if parts
        else ""
    )


def _people_text(result: ValueResult, structure: str) -> str:
    if structure not in result.person_qalys:
        return ""
    qalys = result.person_qalys[structure]
    weights = np.full(qalys.shape[1], 1 / qalys.shape[1]) if result.weights is None else result.weights
    parts = []
    for name in result.others:
        gain = qalys[result.place(name)] - qalys[result.reference]
        better, worse = (float(min(weights[side].sum() / weights.sum(), 1.0)) for side in (gain >= 0.01, gain <= -0.01))
        parts.append(
            f"under {name} {words.percent_text(better)} gain and {words.percent_text(worse)} lose 0.01 QALYs or more"
        )
    return (
        f"{words.capital('; '.join(parts))}, with every number at its central value and the chance of each life in it."
    )
