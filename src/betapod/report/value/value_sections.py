"""The sections of the page on a comparison, from its tables and figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...trust.trust_lines import question_of_strategies
from ..common import words
from ..common.document import Section, Table
from ..common.drawing import Drawing
from ..common.trust_section import trust_section
from . import decision_figures as choices
from . import decision_tables as deciding
from . import run_settings as run
from . import strategy_tables as results
from . import value_figures as figures
from .checklists import Checklist, both_checklists, count_words
from .gain_parts import gain_parts_section
from .value_analysis import parameter_worths
from .value_table import ValueTable, page_table

if TYPE_CHECKING:
    from ...value.value_result import ValueResult


def value_sections(result: ValueResult) -> list[Section]:
    """Return the sections that the run has something for, in reading order."""
    candidates = [
        _health(result),
        gain_parts_section(result),
        _prices(result),
        _choice(result),
        _structures(result),
        _movers(result),
        _information(result),
        _events(result),
        _items(result),
        _people(result),
        _scenarios(result),
        _budget(result),
        _strategies(result),
        _missing(result),
        trust_section(question_of_strategies(run.setting(result, "strategies") or {})),
        methods_section(result),
        _parameters(result),
        *(_checklist(checklist) for checklist in both_checklists(result)),
    ]
    return [section for section in candidates if section is not None]


def _tables(*tables: ValueTable | None) -> list[Table]:
    return [page_table(table) for table in tables if table is not None and table.rows]


def _kept(*drawings: Drawing | None) -> list[Drawing]:
    return [drawing for drawing in drawings if drawing is not None]


def _health(result: ValueResult) -> Section:
    title = "Life-years, quality of life and costs" if result.costs else "Life-years and quality of life"
    tables = [
        table
        for s in result.structures
        for table in _tables(results.gains_table(result, s), results.totals_table(result, s))
    ]
    free = _tables(*(results.free_years_table(result, structure) for structure in result.structures))
    drawn = _kept(
        figures.draw_gains(result), *(figures.draw_plane(result, structure) for structure in result.structures)
    )
    texts = [
        "Intervals hold 95 % of draws of all numbers that have a distribution, together; the Monte Carlo error is what chance in the simulation adds."
    ]
    rates = run.discount_words(result)
    if rates:
        texts.append(f"Discounted: {rates}.")
    return Section("health", title, texts, drawn, [*tables, *free])


def _prices(result: ValueResult) -> Section | None:
    table = deciding.price_table(result)
    if table is None:
        return None
    drawn = _kept(
        figures.draw_prices(result), *(figures.draw_price_curves(result, structure) for structure in result.structures)
    )
    text = "Nobody asked for a price of cells, so none is supposed: this is the price that a course may have."
    return Section("prices", "What a course of cells may cost", [text], drawn, _tables(table))


def _choice(result: ValueResult) -> Section | None:
    drawn: list[Drawing] = []
    tables: list[Table] = []
    for structure in result.structures:
        for decision in run.decisions(result):
            drawn += _kept(choices.draw_acceptability(result, structure, decision))
            tables += _tables(
                results.standing_table(result, structure, decision), deciding.best_table(result, structure, decision)
            )
    if not tables:
        return None
    texts = []
    if len(run.decisions(result)) > 1:
        texts.append(
            "Nobody can choose what is true of cells. So each scenario about them has a choice of its own, and they never compete."
        )
    return Section("choice", "How sure the choice is", texts, drawn, tables)


def _structures(result: ValueResult) -> Section | None:
    table = results.structure_table(result)
    if table is None:
        return None
    text = "The same people on the same simulated courses, with other equations for what happens to them: how far results differ is uncertainty of structure, which no draw of numbers holds."
    return Section("structures", "Sets of events side by side", [text], tables=_tables(table))


def _movers(result: ValueResult) -> Section | None:
    drawn: list[Drawing] = []
    tables: list[Table] = []
    for structure in result.structures:
        for name in result.others:
            drawn += _kept(choices.draw_tornado(result, structure, name))
    for name in result.others:
        tables += _tables(deciding.tornado_table(result, result.structures[0], name))
    if not drawn:
        return None
    text = "Each uncertain number alone goes through its interval, all others keep their central value; those that move the answer most stand first. An event that comes or stays away in a single life moves a bar too: steps within the Monte Carlo error say nothing."
    return Section("movers", "What moves the answer", [text], drawn, tables)


def _information(result: ValueResult) -> Section | None:
    table = deciding.information_table(result)
    if not table.rows:
        return None
    structure = result.structures[0]
    drawn = _kept(*(choices.draw_information(result, name) for name in result.structures))
    tables = _tables(table)
    amount = run.middle_willingness(result) if result.costs else 1.0
    for decision in run.decisions(result):
        if len(decision.options) < 2:
            continue
        worths = parameter_worths(result, structure, decision, amount)
        drawn += _kept(choices.draw_parameter_worths(result, structure, decision, worths))
        tables += _tables(*deciding.partial_information(result, structure, decision))
    texts = [
        "A wrong choice costs health and money. What perfect knowledge would save of this, on average, is the most that research may cost."
    ]
    if len(tables) == 1:
        texts.append(
            "No single number is worth knowing: the choice is the same whatever it is, or the draws are too few to say."
        )
    return Section("information", "What it is worth to know more", texts, drawn, tables)


def _events(result: ValueResult) -> Section | None:
    tables = _tables(*(results.events_table(result, structure) for structure in result.structures))
    if not tables:
        return None
    drawn = _kept(*(figures.draw_events(result, structure) for structure in result.structures))
    return Section("events", "Events", figures=drawn, tables=tables)


def _items(result: ValueResult) -> Section | None:
    tables = _tables(*(results.item_table(result, structure) for structure in result.structures))
    return Section("items", "Costs by item", tables=tables) if tables else None


def _people(result: ValueResult) -> Section | None:
    tables = _tables(*(results.people_table(result, structure) for structure in result.structures))
    if not tables:
        return None
    text = "People differ; that is no uncertainty, and no research removes it. So it stands apart from the intervals above."
    drawn = _kept(*(figures.draw_people(result, structure) for structure in result.structures))
    return Section("people", "Differences between people", [text], drawn, tables)


def _scenarios(result: ValueResult) -> Section | None:
    tables = _tables(results.scenario_table(result))
    return Section("scenarios", "Scenarios", tables=tables) if tables else None


def _budget(result: ValueResult) -> Section | None:
    tables = _tables(deciding.budget_table(result))
    return Section("budget", "What it does to a budget", tables=tables) if tables else None


def _strategies(result: ValueResult) -> Section:
    rows = [[name, run.strategy_words(result, name), _courses(result, name)] for name in result.strategies]
    table = Table(
        f"Compared with {result.comparator}. {words.capital(run.people_words(result))}, over {run.horizon_words(result)}.",
        ["strategy", "what is given", "courses of cells, discounted"],
        rows,
        2,
    )
    return Section("strategies", "Strategies and people", tables=[table])


def _courses(result: ValueResult, name: str) -> str:
    if result.cell_courses is None or name not in run.with_cells(result):
        return "none"
    return f"{result.cell_courses[result.place(name)]:.3g}"


def _missing(result: ValueResult) -> Section:
    texts = [] if result.missing else ["The country pack and the utilities lack nothing that the run met."]
    always = []
    if run.with_cells(result):
        always.append(
            "No trial has followed people for a lifetime after cells: all beyond a few years is what the model makes of scenarios."
        )
    if run.setting(result, "care") == "frozen":
        always.append(
            "Treatment is neither intensified nor stopped, so that nobody who takes a drug against glucose becomes healthy without drugs."
        )
    return Section(
        "missing", "What is missing", texts, items=[words.capital(text) for text in result.missing], closing=always
    )


def methods_section(result: ValueResult) -> Section:
    """Return how it was computed, in words."""
    count = run.number_of_people(result)
    replicates = run.setting(result, "replicates")
    items = [
        "Courses: each person is simulated under each strategy by the physiological model, so that treatments act by their mechanisms.",
        f"Events: {words.listed([run.structure_label(name) for name in result.structures])}, read from each course; the same person has the same "
        "random numbers under every strategy.",
        f"Numbers: {words.counted(count, 'person', 'people') if count else 'people as the run says'}"
        f"{f', {replicates} lives of each' if replicates else ''}, {words.counted(result.draws, 'draw')} of {words.counted(len(result.drawn), 'uncertain number')}; "
        "a draw is the same for all people and strategies.",
        "Discounting in continuous time, so that there is no correction of half a cycle.",
        "Intervals: 2.5 % and 97.5 % of draws. Monte Carlo errors are standard errors of means over people, chance in their lives included.",
        "Choice: greatest mean net benefit; dominated and extendedly dominated strategies are named.",
        "Worth of knowing numbers: net benefit is regressed on them by splines; what this gives for numbers in random order is shown beside it.",
    ]
    if run.with_cells(result):
        items.append(
            "Price of a course: money for a QALY times QALYs gained, less what else is spent, divided by the discounted courses of a person."
        )
    utilities: Any = run.setting(result, "utilities")
    if utilities:
        combine = utilities.get("combine") if hasattr(utilities, "get") else ""
        items.append(
            f"Quality of life: set {utilities.get('set', '') if hasattr(utilities, 'get') else utilities}{f', losses combine {combine}' if combine else ''}."
        )
    return Section("methods", "Methods", items=items)


def _parameters(result: ValueResult) -> Section | None:
    table = results.uncertain_numbers_table(result)
    if table is None:
        return None
    rows = result.parameters.values()
    sourced = sum(bool(row.source) for row in rows)
    texts = [f"{words.counted(len(rows), 'number')}, {sourced} with a source."]
    works = works_of(row.source for row in rows)
    return Section("parameters", "Parameters and their sources", texts, tables=_tables(table), items=works, folded=True)


def works_of(keys: Iterable[str]) -> list[str]:
    """Return the works of a bibliography among sources, each once."""
    from ...model.bibliography import Bibliography
    from ...physiology import whole_body

    works = Bibliography.read(whole_body.BIBLIOGRAPHY)
    named = sorted({key.strip() for text in keys for key in text.replace(";", ",").split(",")})
    return [works[key].readable() for key in named if key in works]


def _checklist(checklist: Checklist) -> Section:
    rows = [[str(item.number), item.topic, item.asks, item.answer] for item in checklist.items]
    table = Table(f"{checklist.work}. Items in our words.", ["item", "topic", "asks for", "reported"], rows, 4)
    return Section(checklist.name, checklist.title, [f"{count_words(checklist)}."], tables=[table], folded=True)
