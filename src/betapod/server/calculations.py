"""What the server calculates, by name: plain values in, plain values out. It runs in a process of its own, see `calculators`."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import BetapodError, ConfigError, Location, Problem, not_among
from .trial_plans import plan_name, requested_plan, requested_protocol

if TYPE_CHECKING:
    from ..evidence.records.registry import Registry
    from ..evidence.records.study import Record
    from ..model import Model
    from ..twins.person_labs import PersonLabs

Asked = Mapping[str, Any]
#: Columns of the registry by which records are chosen.
COLUMNS = ("study", "family", "population", "product", "endpoint")
#: Names of the texts of a request, in messages.
_EQUATIONS, _PARAMETERS, _FHIR = "model.txt", "model.csv", "fhir.json"


# -- trials -------------------------------------------------------------------------------------------------------------


def list_trial_protocols(asked: Asked) -> dict[str, Any]:
    """Return the protocols that can be named."""
    from ..trials.protocol.protocol_files import find_protocol, protocol_catalogue
    from ..trials.protocol_check import protocol_facts

    return {"protocols": [protocol_facts(find_protocol(path)) for path in protocol_catalogue().values()]}


def show_trial_protocol(asked: Asked) -> dict[str, Any]:
    """Return a protocol with its text."""
    from ..trials.protocol_check import protocol_facts

    protocol, document = requested_protocol(asked)
    return {**protocol_facts(protocol), "text": document.text}


def check_trial(asked: Asked) -> dict[str, Any]:
    """Return who could take part in a trial, what a run costs, and what its looks are."""
    from ..trials.operating.look_data import looks_in_words
    from ..trials.protocol_check import checked_feasibility, protocol_facts

    _, document = requested_protocol(asked)
    plan = requested_plan(asked)
    who, cost = checked_feasibility(plan.protocol, document)
    looks = {name: words for name in plan.designs if (words := looks_in_words(plan.protocol, name))}
    facts = {"feasibility": who.as_dict(), "sentences": list(who.sentences), "cost": cost.as_dict(), "looks": looks}
    return {**protocol_facts(plan.protocol), **facts, "run_takes": cost.words}


def plan_trial(asked: Asked) -> dict[str, Any]:
    """Return name, text and parts of the run that a request asks for."""
    from ..trials.conduct.drawn_design import shards

    plan = requested_plan(asked)
    title = plan.protocol.title or plan.protocol.name
    return {"name": plan_name(plan), "title": title, "text": plan.text, "parts": len(shards(plan.protocol))}


# -- evidence -----------------------------------------------------------------------------------------------------------


@functools.cache
def _registry() -> Registry:
    from ..evidence.records.registry import load_with_mechanisms

    return load_with_mechanisms()


def _records(asked: Asked, tag: str | None, controls: bool) -> list[Record]:
    wanted = {name: asked.get(name) or None for name in COLUMNS}
    return _registry().select(**wanted, tag=tag, controls=controls)


def list_records(asked: Asked) -> dict[str, Any]:
    """Return records of evidence, some of them at a time; those that were recalled are marked and never used."""
    records = _records(asked, None, controls=False)
    first, count = asked["offset"], asked["limit"]
    return {"total": len(records), "records": [_record_facts(record) for record in records[first : first + count]]}


def _record_facts(record: Record) -> dict[str, Any]:
    facts = {entry.name: getattr(record, entry.name) for entry in fields(record) if entry.name != "location"}
    return {name: asdict(value) if hasattr(value, "__dataclass_fields__") else value for name, value in facts.items()}


def list_terms(asked: Asked) -> dict[str, Any]:
    """Return the words of a column of the registry, with how many records have each."""
    from collections import Counter

    column = asked["column"]
    if column not in COLUMNS:
        raise ConfigError(not_among(COLUMNS, "unknown-column", f"the registry has no vocabulary of {column!r}", column))
    counts = Counter(str(getattr(record, column)) for record in _registry())
    return {"column": column, "terms": [{"name": name, "records": counts[name]} for name in sorted(counts)]}


def pool_records(asked: Asked) -> dict[str, Any]:
    """Return the pooled answer of one question, its certainty, and every record that was left out, with the reason."""
    from ..evidence.synthesis.certainty import grade
    from ..evidence.synthesis.pool import pool

    if not any(asked.get(name) for name in COLUMNS):
        expected = ", ".join(COLUMNS)
        raise ConfigError(Problem("no-question", "nothing says which records are pooled", expected=expected))
    records = _records(asked, "seen", controls=True)
    options = {name: asked[name] for name in ("contrast", "measure", "weeks", "method", "interval")}
    pooled = pool(records, **options, across=tuple(asked["across"]))
    certainty = grade(records, pooled)
    return {
        **asdict(pooled),
        "table": pooled.table.to_dict("records"),
        "certainty": {
            "level": certainty.level,
            "start": certainty.start,
            "downgrades": [asdict(judgement) for judgement in certainty.downgrades],
            "upgrades": [asdict(judgement) for judgement in certainty.upgrades],
        },
    }


# -- one patient --------------------------------------------------------------------------------------------------------


def answer_patient(asked: Asked) -> dict[str, Any]:
    """Return what becomes of people who are like one person, under every option."""
    from ..front.people import load_library
    from ..report.patient.patient_contents import patient_contents
    from ..report.patient.patient_trust import forecast_trust
    from ..twins.patient_forecast import patient_forecast

    person, strict = _person(asked)
    forecast = patient_forecast(
        load_library(), person, asked["options"], asked["scenarios"], asked["people"], asked["seed"], asked["care"],
        strict, asked["closer"],
    )  # fmt: skip
    contents = patient_contents(forecast, forecast_trust(forecast))
    more = {"stage": contents.stage, "sentences": list(contents.sentences), "trust": contents.trust}
    tables = [
        {"caption": table.caption, "header": list(table.header), "rows": [list(row) for row in table.rows]}
        for table in (contents.likeness, contents.options, contents.equations)
    ]
    return {**forecast.document(), **more, "notes": list(contents.notes), "tables": tables}


def _person(asked: Asked) -> tuple[PersonLabs, bool]:
    """Return the person of a request, and whether every drug must be known: those of a file may be others."""
    from dataclasses import replace

    from ..exchange.fhir.fhir_labs import read_fhir_labs
    from ..twins.option_labs import labs_from_options, merged_labs
    from ..twins.person_labs import HISTORY_WORDS

    problems: list[Problem] = []
    words = [text.strip().lower() for text in asked["history"]]
    unknown = [text for text in words if text not in HISTORY_WORDS]
    problems += [
        not_among(HISTORY_WORDS, "unknown-history", f"{text!r} is no history that is read", text) for text in unknown
    ]
    history = {HISTORY_WORDS[text]: True for text in words if text in HISTORY_WORDS}
    from_file, said = None, None
    try:
        if asked["fhir"] is not None:
            with _files({_FHIR: asked["fhir"]}):
                from_file = read_fhir_labs(_FHIR)
    except BetapodError as error:
        problems += error.problems
    labs = dict(asked["labs"])
    try:
        # What was said needs no age of its own where a file has it.
        filled = labs or ({"age": "50"} if from_file is not None else labs)
        said = labs_from_options(filled, asked["sex"], asked["diabetes"], asked["drugs"], history, prefix="")
    except BetapodError as error:
        problems += error.problems
    if problems or said is None:
        raise ConfigError(problems)
    if from_file is None:
        return said, True
    return merged_labs(from_file, said if "age" in labs else replace(said, age=None)), bool(asked["drugs"])


# -- models -------------------------------------------------------------------------------------------------------------


def list_model_names(asked: Asked) -> dict[str, Any]:
    """Return the models that can be named."""
    from ..physiology import whole_body

    rows = [{"name": name, "summary": whole_body.assembly(name).summary} for name in whole_body.NAMES]
    return {"models": rows}


def check_model(asked: Asked) -> dict[str, Any]:
    """Return what a model of one's own consists of; everything that is wrong with it comes with line and column."""
    model = _own_model(asked)
    return {
        "states": {state: model.units[state] for state in model.state_names},
        "equations": {name: model.units.get(name, "") for name in model.assignments},
        "parameters": {name: {"value": row.value, "unit": row.unit} for name, row in model.parameters.items()},
        "inputs": {name: {"value": row.value, "unit": row.unit} for name, row in model.inputs.items()},
        "labels": {name: label for name, label in model.labels.items() if label},
        "time_unit": model.time_unit,
    }


def simulate_model(asked: Asked) -> dict[str, Any]:
    """Return the course of one patient under a model."""
    import numpy as np

    from ..engine.schedule import Dose, Schedule, Switch
    from ..front.simulations import simulate
    from ..physiology import whole_body

    model = _own_model(asked) if asked["model"] is None else whole_body.named_model(asked["model"])
    if asked["values"]:
        model = model.with_values(asked["values"])
    times = asked["times"] if asked["times"] is not None else np.linspace(0.0, asked["until"], asked["points"])
    schedule = Schedule([Dose(**dose) for dose in asked["doses"]], [Switch(**switch) for switch in asked["switches"]])
    result = simulate(model, times, schedule, asked["initial"], outputs=asked["outputs"])
    dictionary = result.dictionary
    columns = {
        str(name): {
            "unit": str(dictionary.loc[name, "unit"]),
            "label": str(dictionary.loc[name, "label"]),
            "kind": str(dictionary.loc[name, "kind"]),
            "values": result.table[name].tolist(),
        }
        for name in result.table.columns
    }
    ended = None if result.ended is None else {"event": result.ended[0], "time": result.ended[1]}
    events = [{"time": time, "event": event} for time, event in result.events]
    more = {"events": events, "ended": ended, "warnings": list(result.warnings)}
    return {"time_unit": result.time_unit, "times": [float(time) for time in times], "columns": columns, **more}


def _own_model(asked: Asked) -> Model:
    from ..base.errors import ModelError
    from ..model import ParameterTable, Part, assemble

    with _files({_EQUATIONS: asked["equations"], _PARAMETERS: asked["parameters"]}):
        part = Part.from_file(_EQUATIONS)
        if not part.statements and not part.problems:
            raise ModelError(Problem("no-model", "there are no equations", Location(_EQUATIONS)))
        rows = ParameterTable.read(_PARAMETERS) if asked["parameters"].strip() else ParameterTable(())
        return assemble("model", [part], rows)


@contextmanager
def _files(contents: Mapping[str, Any]) -> Iterator[None]:
    """Let texts of a request be files of an empty folder, so that messages name them and nothing of this machine."""
    import json

    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="betapod-") as folder:
        for name, content in contents.items():
            text = content if isinstance(content, str) else json.dumps(content)
            Path(folder, name).write_text(text, encoding="utf-8", errors="backslashreplace")
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


#: By the name under which the server asks for them.
CALCULATIONS: dict[str, Callable[[Asked], dict[str, Any]]] = {
    function.__name__: function
    for function in (
        *(list_trial_protocols, show_trial_protocol, check_trial, plan_trial),
        *(list_records, list_terms, pool_records, answer_patient),
        *(list_model_names, check_model, simulate_model),
    )
}
