"""What results say of themselves: one line for `repr`, a compact card for notebooks."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..base.display import column_units
from ..base.nouns import with_noun
from ..model.printing.document_layout import plural

if TYPE_CHECKING:
    import pandas as pd

    from ..claims.ledger import Ledger
    from ..engine.ensemble_result import EnsembleResult
    from ..engine.ensemble_summary import EnsembleSummary
    from ..engine.scipy.simulation_result import Result
    from ..evidence.records.registry import Registry
    from ..evidence.synthesis.pooled import Pooled
    from ..model import Model, ParameterTable
    from ..patients.cohorts.reweight import SelectedCohort
    from ..patients.library import Library
    from ..report.answer.whole_answer import Answer
    from ..trials.conduct.trial_data import TrialData
    from ..trials.conduct.trial_run import TrialRun
    from ..trials.operating.size_search import SizedTrial
    from ..trials.protocol.protocol import Protocol
    from ..validation.predictions.campaign import Confrontation
    from ..validation.scorecard.scorecard import Scorecard

#: Rows, columns and letters of a cell that a card shows of a table.
_ROWS, _COLUMNS, _LETTERS = 6, 8, 60


@dataclass(frozen=True)
class Card:
    """What stands on a card.

    Attributes
    ----------
    title
        What it is, in a few words: also the line of `repr`.
    facts
        Name and value of what is worth knowing at a glance.
    table
        Gives what is shown by its first rows, and is called for a card alone: making it may take a while. None for none.
    more
        How to see more, in Python.
    """

    title: str
    facts: Sequence[tuple[str, str]] = ()
    table: Callable[[], pd.DataFrame] | None = None
    more: str = ""


def card_line(result: Any) -> str:
    """Return a result in one line, such as ``<Model kidney: 42 states, ...>``."""
    return f"<{type(result).__name__} {_plain(_card(result).title)}>"


def card(result: Any) -> str:
    """Return a result as a small piece of HTML, which is well-formed XML."""
    from ..report.common.pages import template

    facts = _card(result)
    frame = None if facts.table is None else facts.table()
    table = None if frame is None or not len(frame) else _head_of_table(frame, column_units(result))
    return template("card.html.jinja", cell=_cell, plain=_plain).render(
        kind=type(result).__name__, card=facts, table=table
    )


def _card(result: Any) -> Card:
    for kind in type(result).__mro__:
        if kind.__name__ in _CARDS:
            return _CARDS[kind.__name__](result)
    return Card("")


def _head_of_table(table: pd.DataFrame, units: dict[str, str]) -> dict[str, Any]:
    """Return the first rows and columns of a table, and how much of it is not shown."""
    rows, columns = table.shape
    first = table.iloc[:_ROWS, :_COLUMNS]
    if first.index.name is not None:
        first = first.reset_index()
    rest = [f"{rows - _ROWS} more rows"] if rows > _ROWS else []
    rest += [f"{columns - _COLUMNS} more columns"] if columns > _COLUMNS else []
    heads = [_head(str(name), units) for name in first.columns]
    return {"heads": heads, "rows": list(first.itertuples(index=False)), "rest": " and ".join(rest)}


def _head(name: str, units: dict[str, str]) -> str:
    return f"{name} [{units[name]}]" if name in units else name


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}"
    text = "" if value is None else str(value)
    text = _plain(text)
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "\u2026"


def _plain(text: str) -> str:
    """Return a text without control characters: XML may not have them at all, terminals obey them."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _counted(numbers: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in numbers.items())


def _model(model: Model) -> Card:
    sizes = (
        f"{with_noun(len(model.states), 'state')}, {with_noun(len(model.assignments), 'equation')}, "
        f"{with_noun(len(model.parameters), 'parameter')}, {with_noun(len(model.inputs), 'input')}"
    )
    owners = list(dict.fromkeys([s.owner for s in model.states] + [a.owner for a in model.assignments.values()]))
    facts = [("what", model.description)] if model.description else []
    facts += [("parameters by grade", _grades(model.parameters))] if model.parameters else []
    facts += [("parameters by role", _roles(model.parameters))] if model.parameters else []
    facts += [("submodels", ", ".join(owner for owner in owners if owner))] if any(owners) else []
    facts += [("events", ", ".join(event.name for event in model.events))] if model.events else []
    more = (
        "Equations: betapod.render(model). Numbers with sources: model.parameters. All names with units: model.table."
    )
    return Card(f"{model.name}: {sizes}", [(name, text) for name, text in facts], None, more)


_GRADES = {"A": "A (measured in man)", "B": "B (animal or indirect)", "C": "C (fitted)", "D": "D (assumed)"}


def _grades(table: ParameterTable) -> str:
    counts = Counter(row.grade for row in table.values())
    return _counted({_GRADES.get(grade, "without"): counts[grade] for grade in sorted(counts)})


def _roles(table: ParameterTable) -> str:
    return _counted(dict(Counter(row.role for row in table.values()).most_common()))


def _parameters(table: ParameterTable) -> Card:
    names = ["id", "label", "value", "unit", "role", "grade", "source"]
    facts = [("by grade", _grades(table)), ("by role", _roles(table))] if len(table) else []
    return Card(
        f"{table.name}: {with_noun(len(table), 'parameter')}".removeprefix(": "), facts, lambda: table.table[names]
    )


def _result(result: Result) -> Card:
    times = result.table.index
    unit = "" if result.time_unit == "1" else f" {plural(result.time_unit)}"
    quantities = with_noun(result.table.shape[1], "quantity", "quantities")
    title = f"{with_noun(len(times), 'time')} from {times[0]:g} to {times[-1]:g}{unit}, {quantities}"
    facts = [("integrator", f"{result.method}, rtol {result.rtol:g}")]
    facts += [("ended", f"{result.ended[0]} at {result.ended[1]:g}{unit}")] if result.ended else []
    facts += [("warnings", "; ".join(result.warnings[:3]))] if result.warnings else []
    return Card(title, facts, lambda: result.table, "Figure: .plot(). Labels and units: .dictionary.")


def _ensemble(result: EnsembleResult) -> Card:
    patients, visits, outputs = result.values.shape
    facts = [("patients", result.summary()), ("outputs", ", ".join(f"{n} [{u}]" for n, u in result.units.items()))]
    title = f"{with_noun(patients, 'patient')}, {with_noun(visits, 'visit')}, {with_noun(outputs, 'output')}"
    return Card(title, facts, None, "Array: .values. Figure: .plot(). Long table: .table. Accuracy: .achieved_error().")


def _moments(summary: EnsembleSummary) -> Card:
    groups, visits, outputs = summary.count.shape
    facts = [("patients", summary.summary()), ("outputs", ", ".join(f"{n} [{u}]" for n, u in summary.units.items()))]
    if summary.groups != ("",):
        facts.append(("groups", ", ".join(map(str, summary.groups))))
    title = f"{with_noun(groups, 'group')}, {with_noun(visits, 'visit')}, {with_noun(outputs, 'output')}"
    return Card(title, facts, None, "Arrays: .count, .mean, .sd, .low, .high. Figure: .plot(). Long table: .table.")


_MEASURED = ("age", "female", "duration", "bmi", "hba1c", "sbp", "egfr", "uacr")


def _library(library: Library) -> Card:
    people = library.table["person"].nunique() if "person" in library.table else len(library)
    title = f"{with_noun(len(library), 'virtual patient')} of {with_noun(people, 'person', 'people')}"
    return Card(title, _medians(library), None, "One row per patient: .table. Figure: .plot().")


def _medians(patients: Library) -> list[tuple[str, str]]:
    names = [name for name in _MEASURED if name in patients.table]
    quartiles = patients.table[names].quantile([0.25, 0.5, 0.75]) if len(patients) else patients.table[names]
    facts = []
    for name in names if len(patients) else ():
        low, middle, high = quartiles[name]
        if name == "female":
            facts.append((name, f"{100 * patients.table[name].mean():.0f} %"))
        else:
            facts.append((f"{name} [{patients.units[name]}]", f"{middle:.4g} ({low:.4g} to {high:.4g})"))
    return facts


def _cohort(cohort: SelectedCohort) -> Card:
    report = cohort.report
    title = f"{with_noun(len(cohort.index), 'patient')} like {report.target}"
    facts = [
        ("eligible", f"{report.eligible:,} of {report.library:,}"),
        ("effective sample size", f"{report.effective:.0f}"),
    ]
    return Card(
        title, [*facts, *_medians(cohort.patients)], None, "Patients: .patients. How like: .report. Figure: .plot()."
    )


def _protocol(protocol: Protocol) -> Card:
    designs = ", ".join(f"{name} ({protocol.size(name)} patients)" for name in protocol.designs)
    primary = protocol.endpoints.primary
    facts = [
        ("title", protocol.title),
        ("arms", ", ".join(protocol.arms)),
        ("designs", designs),
        ("primary endpoint", f"{primary.name or primary.quantity}"),
        ("scenarios", ", ".join(protocol.scenarios)),
        ("replicates", f"{protocol.replicates:,}, seed {protocol.seed}"),
    ]
    title = f"{protocol.name}: {with_noun(len(protocol.arms), 'arm')}, {with_noun(len(protocol.visits), 'visit')}"
    return Card(title, facts, lambda: protocol.table, "Run it: betapod.run_trial(protocol).")


def _trial(run: TrialRun) -> Card:
    from ..report.common.words import at_visit
    from ..trials.analysis.endpoints import endpoint_visit

    endpoint = run.protocol.endpoints.primary
    facts = [
        ("title", run.protocol.title),
        (
            "primary endpoint",
            f"{endpoint.name or endpoint.quantity} {at_visit(endpoint.summary, endpoint_visit(run.protocol, endpoint))}",
        ),
        ("replicates", f"{run.protocol.replicates:,}, seed {run.protocol.seed}"),
    ]
    more = "Between arms: .comparisons. Every measurement: run[design, scenario].frame(). Report: betapod.write_report(run, folder)."
    title = f"{run.protocol.name}: {', '.join(run.designs)}; {', '.join(run.scenarios)}"
    return Card(title, facts, lambda: run.table, more)


def _sized_trial(sized: SizedTrial) -> Card:
    arms = ", ".join(f"{name} {count}" for name, count in sized.arms.items())
    wanted = f"{100 * sized.wanted:g} %"
    facts = [
        ("title", sized.protocol.title),
        ("comparison", f"{sized.design}, {sized.scenario}: {sized.comparison.words}"),
    ]
    facts += [("power wanted", f"{wanted}, to within {100 * sized.margin:g} %")]
    facts += [("patients", arms)] if arms else [("no size", sized.why_none)]
    size = f"{sized.patients} patients" if arms else "no size"
    return Card(
        f"{sized.protocol.name}: {size} for a power of {wanted}",
        facts,
        lambda: sized.table,
        "Sizes that were tried: .table",
    )


def _trial_data(data: TrialData) -> Card:
    title = (
        f"{data.protocol.name}, {data.design}, {data.scenario}: {with_noun(data.replicates, 'replicate')} of "
        f"{with_noun(data.patients, 'patient')}, {with_noun(len(data.visits), 'visit')}"
    )
    return Card(title, [("measured", ", ".join(data.codes))], lambda: data.frame([0]), "All replicates: .table.")


def _registry(registry: Registry) -> Card:
    read_in_source = sum(record.tag == "seen" for record in registry.records)
    studies = len({record.study for record in registry.records})
    families = len({record.family for record in registry.records})
    facts = [
        ("studies", f"{studies:,} in {families:,} families of reports on the same people"),
        ("read in the source", f"{read_in_source:,}"),
    ]
    facts += [("replaced by overlays", ", ".join(registry.replaced))] if registry.replaced else []
    names = ["id", "arm", "endpoint", "weeks", "value", "unit", "n"]
    more = "Choose: .select(endpoint=..., product=...). Pool: betapod.pool(records)."
    return Card(with_noun(len(registry), "published number"), facts, lambda: registry.table[names], more)


def _pooled(pooled: Pooled) -> Card:
    unit = "" if pooled.unit in ("", "1") else f" {pooled.unit}"
    title = (
        f"{pooled.endpoint}, {pooled.measure}: {pooled.estimate:.3g} ({pooled.ci[0]:.3g} to {pooled.ci[1]:.3g}){unit}, "
        f"{with_noun(pooled.k, 'study', 'studies')}"
    )
    facts = [("people", f"{pooled.n:,}"), ("method", f"{pooled.method}, interval {pooled.interval}")]
    facts += [("I\u00b2", f"{pooled.i2:.0f} %")] if pooled.i2 is not None else []
    if pooled.prediction_interval is not None:
        low, high = pooled.prediction_interval
        facts.append(("prediction interval", f"{low:.3g} to {high:.3g}{unit}"))
    facts += [("excluded", f"{len(pooled.excluded)}: .excluded")] if pooled.excluded else []
    return Card(title, facts, lambda: pooled.table, "Forest plot: .plot().")


def _ledger(ledger: Ledger) -> Card:
    counts = Counter(entry.verdict.verdict for entry in ledger)
    facts = [(verdict, f"{count:,}") for verdict, count in counts.most_common()]
    names = ["id", "claim", "verdict", "certainty"]
    more = "One claim with its answers: ledger[0]. Reasons: .table."
    return Card(with_noun(len(ledger), "claim"), facts, lambda: ledger.table[names], more)


def _answer(answer: Answer) -> Card:
    infused, islets = (answer.book.plain(sentence) for sentence in answer.headline)
    facts = [("infused cells", infused), ("islets", islets)]
    facts += [(f"claims {verdict}", f"{count:,}") for verdict, count in answer.counts.verdicts.items()]
    more = "Texts: .text('patient'), 'clinician', 'reviewer'. The page: .write('answer.html')."
    claims = with_noun(sum(answer.counts.verdicts.values()), "claim")
    title = f"{with_noun(len(answer.numbers), 'number')} with their origin, {claims} about cells judged"
    return Card(title, facts, lambda: answer.table[["text", "meaning"]], more)


def _confrontation(result: Confrontation) -> Card:
    rows = max((len(predictions) for predictions in result.predictions.values()), default=0)
    title = f"{with_noun(rows, 'published number')} predicted under {with_noun(len(result.predictions), 'scenario')}"
    facts = [
        (
            name,
            f"{sum(prediction.inside for prediction in predictions):,} of {len(predictions):,} inside their 90 % interval",
        )
        for name, predictions in result.predictions.items()
    ]
    facts.append(("cannot be simulated", f"{len(result.refused):,}: .refusals()"))
    return Card(title, facts, None, "By family: .counts(). The farthest: .worst(scenario). Figure: .plot().")


def _scorecard(scores: Scorecard) -> Card:
    counts = Counter(score.status for score in scores.scores)
    facts = [(f"{organ}, {group}", _counted(numbers)) for (organ, group), numbers in scores.counts().items()]
    title = f"{with_noun(len(scores.scores), 'target')}: {_counted(dict(counts.most_common()))}"
    return Card(title, facts, None, "Row by row: .table. Figure: .plot().")


_CARDS: dict[str, Callable[[Any], Card]] = {
    "Answer": _answer,
    "Confrontation": _confrontation,
    "EnsembleResult": _ensemble,
    "EnsembleSummary": _moments,
    "Ledger": _ledger,
    "Library": _library,
    "Model": _model,
    "ParameterTable": _parameters,
    "Pooled": _pooled,
    "Protocol": _protocol,
    "Registry": _registry,
    "Result": _result,
    "Scorecard": _scorecard,
    "SelectedCohort": _cohort,
    "SizedTrial": _sized_trial,
    "TrialData": _trial_data,
    "TrialRun": _trial,
}
