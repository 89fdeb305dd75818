"""Tables of a run folder: measurements and patients of every replicate as Parquet, and what their columns mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.exports import rows_as_csv
from ..engine.runs.database import connect, parquet, quoted
from ..engine.runs.database import identifier as _id
from ..engine.runs.store import Receipt, Store, write_parquet
from ..observables.quantities import visit_observables
from ..therapies.cell_risks import EVENTS
from .conduct.harm_events import DATED, dated_events, event_names
from .conduct.health_events import asked_health
from .conduct.patient_pool import Pool
from .conduct.trial_data import TrialData
from .protocol.health_outcomes import QUALITY_OF_LIFE
from .protocol.protocol import Protocol
from .protocol.recurrent_outcomes import repeated_causes

if TYPE_CHECKING:
    from .run_folder import TrialPlan

_QALY = ("QALY", "quality-adjusted life-years from enrolment to the visit", "year")
#: How columns of events after the first begin.
_LATER = "later_"
_PLAIN = ("member", "arm", "stratum", "disposition", "disposition_day", "rescued", "rescue_rule")


def trial_dictionary(protocol: Protocol) -> str:
    """Return a CSV with the label and unit of every column."""
    rows = [
        ("design", "design of the trial", ""),
        ("scenario", "scenario of cell efficacy", ""),
        ("replicate", "repetition of the trial, from 0", ""),
        ("patient", "place in the trial in order of recruitment, from 0", ""),
        ("visit", "planned visit", ""),
        ("ADY", "day of the visit from enrolment; empty where it did not take place", "day"),
        *((code, visit_observables()[code].label, visit_observables()[code].unit) for code in protocol.codes),
        *([_QALY] if QUALITY_OF_LIFE in asked_health(protocol) else []),
        ("member", "virtual person of the pool", ""),
        ("arm", "allocated arm", ""),
        ("stratum", "stratum at screening", ""),
        *(
            (f"BASE_{code}", f"baseline of {visit_observables()[code].label}", visit_observables()[code].unit)
            for code in protocol.codes
        ),
        ("screened", "candidates screened in this replicate", ""),
        ("disposition", "disposition: 0 completed, 1 discontinued, 2 died", ""),
        ("disposition_day", "day of discontinuation or death", "day"),
        ("rescued", "day of rescue therapy", "day"),
        ("rescue_rule", "which rule of rescue, from 0", ""),
        *(
            (f"effect_draw_{k}", f"standard normal draw of the trial effect on {e.quantity}", "1")
            for k, e in enumerate(protocol.conduct.effects)
        ),
        *((f"events_{name}", f"how often: {label}", "") for name, label in EVENTS.items()),
        *((f"day_{name}", f"day of {label}; empty without", "day") for name, label in dated_events(protocol).items()),
        *(
            (f"later_{name}", f"days of {DATED[name]} after the first, in order; empty list without", "day")
            for name in repeated_causes(protocol)
        ),
    ]
    return rows_as_csv(("column", "label", "unit"), rows)


def write_tables(
    store: Store, trial_plan: TrialPlan, shard: int, part: range, datasets: Mapping[tuple[str, str], TrialData]
) -> Receipt:
    """Write the tables of one part of a run, and return its receipt."""
    visits = [_visit_columns(trial_plan, key, data, part) for key, data in datasets.items()]
    people = [_person_columns(trial_plan, key, data, part) for key, data in datasets.items()]
    names = {"design": trial_plan.designs, "scenario": trial_plan.scenarios}
    arms = {"arm": list(trial_plan.protocol.arms), "stratum": list(trial_plan.protocol.strata) or ["all"]}
    written = {}
    for table, columns, spelt in (
        ("visits", visits, {**names, "visit": [visit.name for visit in trial_plan.protocol.visits]}),
        ("patients", people, {**names, **arms}),
    ):
        table_columns = _stacked(columns)
        select = ", ".join(
            f"[{', '.join(map(quoted, spelt[name]))}][{_id(name)} + 1] AS {_id(name)}"
            if name in spelt
            else f"string_split({_id(name)}, ' ')[:-2]::FLOAT[] AS {_id(name)}"
            if name.startswith(_LATER)
            else _id(name)
            for name in table_columns
        )
        path = store.path(table, shard)
        written[table] = write_parquet(path, f"SELECT {select} FROM data", {"data": table_columns}, store.run)
    return Receipt(shard, shard, shard + 1, store.run, written, {"replicates": [part.start, part.stop]})


def _stacked(tables: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Join tables; a column that one lacks is 0 there."""
    names = list(dict.fromkeys(name for table in tables for name in table))
    lengths = [len(next(iter(table.values()))) for table in tables]
    kinds = {name: next(table[name].dtype for table in tables if name in table) for name in names}
    return {
        name: np.concatenate(
            [table.get(name, np.zeros(n, dtype=kinds[name])) for table, n in zip(tables, lengths, strict=True)]
        )
        for name in names
    }


def _index(
    trial_plan: TrialPlan, key: tuple[str, str], data: TrialData, part: range, rows_per_patient: int
) -> dict[str, np.ndarray]:
    count = data.replicates * data.patients
    return {
        "design": np.full(count * rows_per_patient, trial_plan.designs.index(key[0]), dtype=np.int8),
        "scenario": np.full(count * rows_per_patient, trial_plan.scenarios.index(key[1]), dtype=np.int8),
        "replicate": np.repeat(np.arange(part.start, part.stop, dtype=np.int32), data.patients * rows_per_patient),
        "patient": np.tile(np.repeat(np.arange(data.patients, dtype=np.int32), rows_per_patient), data.replicates),
    }


def _visit_columns(trial_plan: TrialPlan, key: tuple[str, str], data: TrialData, part: range) -> dict[str, np.ndarray]:
    visits = len(data.visits)
    columns = _index(trial_plan, key, data, part, visits)
    columns["visit"] = np.tile(np.arange(visits, dtype=np.int8), data.replicates * data.patients)
    columns["ADY"] = data.day.reshape(-1)
    columns |= {"QALY": data.qalys.reshape(-1)} if data.qalys is not None else {}
    return columns | {code: data.observed[code].reshape(-1) for code in data.codes}


def _person_columns(trial_plan: TrialPlan, key: tuple[str, str], data: TrialData, part: range) -> dict[str, np.ndarray]:
    columns = _index(trial_plan, key, data, part, 1)
    columns |= {name: getattr(data, name).reshape(-1) for name in _PLAIN}
    # Arms are numbered within their design; in the file they have the protocol's names.
    order = np.array([list(trial_plan.protocol.arms).index(name) for name in data.arms], dtype=np.int8)
    columns["arm"] = order[data.arm.reshape(-1)]
    columns["screened"] = np.repeat(data.screened, data.patients)
    columns |= {f"BASE_{code}": data.base[code].reshape(-1) for code in data.codes}
    columns |= {f"effect_draw_{name}": values.reshape(-1) for name, values in data.effect_draws.items()}
    columns |= {f"day_{name}": day.reshape(-1) for name, day in data.outcome_days.items()}
    columns |= {f"{_LATER}{name}": _as_text(days) for name, days in data.later_days.items()}
    return columns | {f"events_{name}": counts.reshape(-1) for name, counts in data.events.items()}


def _as_text(days: np.ndarray) -> np.ndarray:
    """Return (R n,) the days of each patient, a blank after each: what the database makes lists of."""
    rows = days.reshape(days.shape[0] * days.shape[1], days.shape[2])
    return np.array(["".join(f"{day} " for day in row[np.isfinite(row)]) for row in rows], dtype=object)


def _from_lists(lists: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return (R, n, most) days from the list of each patient."""
    rows = [np.asarray(days, dtype=np.float32) for days in lists]
    most = max((len(row) for row in rows), default=0)
    padded = np.full((len(rows), most), np.nan, dtype=np.float32)
    for row, days in zip(padded, rows, strict=True):
        row[: len(days)] = days
    return padded.reshape(*shape, most)


class TrialTables(Mapping[tuple[str, str], TrialData]):
    """The data of a run folder, read from its tables when the first of them is asked for: a report whose numbers are kept needs none.

    Parameters
    ----------
    keys
        Designs and scenarios that there are.
    read
        Reads all data.
    """

    def __init__(
        self, keys: Sequence[tuple[str, str]], read: Callable[[], Mapping[tuple[str, str], TrialData]]
    ) -> None:
        self._keys, self._read = tuple(keys), read

    @cached_property
    def _tables(self) -> Mapping[tuple[str, str], TrialData]:
        return self._read()

    def __getitem__(self, key: tuple[str, str]) -> TrialData:
        if key not in self._keys:
            raise KeyError(key)
        return self._tables[key]

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def read_tables(
    store: Store, trial_plan: TrialPlan, pool: Pool, shard: int, part: range
) -> dict[tuple[str, str], TrialData]:
    """Return the data of one part of a run from its tables: (design, scenario) -> data."""
    connection = connect(1)
    try:
        tables = {
            table: connection.execute(f"SELECT * FROM {parquet([store.path(table, shard)])}").fetchnumpy()
            for table in ("visits", "patients")
        }
    finally:
        connection.close()
    datasets: dict[tuple[str, str], TrialData] = {}
    starts = {"visits": 0, "patients": 0}
    for design in trial_plan.designs:
        for scenario in trial_plan.scenarios:
            datasets[design, scenario] = _rebuilt(trial_plan, pool, design, scenario, part, tables, starts)
    return datasets


def _rebuilt(
    trial_plan: TrialPlan,
    pool: Pool,
    design: str,
    scenario: str,
    part: range,
    tables: Mapping[str, Mapping[str, Any]],
    starts: dict[str, int],
) -> TrialData:
    protocol = trial_plan.protocol
    shape = (len(part), protocol.size(design))
    visits = (*shape, len(protocol.visits))

    def take(table: str, name: str, size: tuple[int, ...], kind: Any) -> np.ndarray:
        first = starts[table]
        values = tables[table][name][first : first + int(np.prod(size))]
        if np.ma.isMaskedArray(values):
            values = values.filled(np.nan if np.issubdtype(kind, np.floating) else 0)
        return np.asarray(values).astype(kind).reshape(size)

    def coded(name: str, names: Sequence[str]) -> np.ndarray:
        first = starts["patients"]
        text = np.asarray(tables["patients"][name][first : first + shape[0] * shape[1]], dtype=object)
        index = np.zeros(text.shape, dtype=np.int8)
        for number, label in enumerate(names):
            index[text == label] = number
        return index.reshape(shape)

    def listed(name: str) -> np.ndarray:
        first = starts["patients"]
        return np.asarray(tables["patients"][name][first : first + shape[0] * shape[1]], dtype=object)

    arms, strata = tuple(protocol.designs[design].arms), tuple(protocol.strata) or ("all",)
    events = [name for name in tables["patients"] if name.startswith("events_")]
    expected_events = {f"events_{name}" for name in event_names(protocol, design, scenario)}
    data = TrialData(
        protocol, design, scenario, arms, strata, tuple(v.name for v in protocol.visits),
        np.array(protocol.days, dtype=np.float64), protocol.codes,
        take("patients", "member", shape, np.int32), coded("arm", arms), coded("stratum", strata),
        take("visits", "ADY", visits, np.float32),
        {code: take("visits", code, visits, np.float32) for code in protocol.codes},
        {code: take("patients", f"BASE_{code}", shape, np.float32) for code in protocol.codes},
        take("patients", "disposition", shape, np.int8), take("patients", "disposition_day", shape, np.float32),
        take("patients", "rescued", shape, np.float32), take("patients", "rescue_rule", shape, np.int8),
        {str(k): take("patients", f"effect_draw_{k}", shape, np.float32) for k in range(len(protocol.conduct.effects))},
        {name.removeprefix("events_"): take("patients", name, shape, np.int16) for name in events if name in expected_events},
        {name: take("patients", f"day_{name}", shape, np.float32) for name in dated_events(protocol)},
        take("patients", "screened", shape, np.int32)[:, 0], pool,
        take("visits", "QALY", visits, np.float32) if QUALITY_OF_LIFE in asked_health(protocol) else None,
        later_days={name: _from_lists(listed(f"{_LATER}{name}"), shape) for name in repeated_causes(protocol)},
    )  # fmt: skip
    starts["patients"] += shape[0] * shape[1]
    starts["visits"] += shape[0] * shape[1] * visits[2]
    return data
