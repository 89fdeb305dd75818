"""What the command line asks of a run of many patients: options to a plan, and a run folder back to its plan."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import BetapodError, ConfigError, Location, Problem
from ...base.units import convert_unit, split_quantity
from ...engine.calendar import exact_time
from ...engine.limits import MOST_PATIENTS, MOST_VISITS
from ..schedules import end_of
from ..shared import gather, is_file, model_from, model_table, option_quantity, print_note, warn

if TYPE_CHECKING:
    from ...engine.runs.run_plan import Cohort, RunPlan
    from ...engine.runs.store import Store
    from ...engine.schedule import Schedule
    from ...model import Model

#: Problems of one table that are said.
_MOST_SAID = 40


def plan_of(origin: Mapping[str, Any]) -> RunPlan:
    """Make the plan that a command line describes.

    Parameters
    ----------
    origin
        Its options as plain values, as the manifest keeps them.

    Raises
    ------
    BetapodError
        Whatever is wrong with the options.
    """
    from ...engine.draw import varied
    from ...engine.runs.run_plan import Drawn, RunPlan

    tables = [Path(path) for path in origin["parameters"]]
    base = model_from(origin["model"], tables, origin["switches"])
    model = base.with_values(origin["set"], "--set")
    table = model_table(model)
    vary = list(origin["vary"])
    cohort: Cohort | None
    files = [Path(origin["model"]), *tables]
    if (count := _count(origin["patients"])) is not None:
        names = _without_set(varied(table, vary[0] if vary in (["all"], ["none"]) else vary), vary, origin["set"])
        cohort = Drawn(table, origin["seed"], names, origin["replicate"])
    else:
        files.append(Path(origin["patients"]))
        cohort, count = _listed(Path(origin["patients"]), model)
    return RunPlan(
        model,
        count,
        _times(origin, model.time_unit),
        tuple(origin["outputs"]),
        cohort,
        _schedule(origin["doses"], origin["switches"], model),
        origin["rtol"],
        origin["atol"],
        origin["shard_size"],
        origin,
        {str(path): _hash(path) for path in files if is_file(path)},
    )


def _count(text: str) -> int | None:
    """Return how many patients a text asks for, or None where it names a table."""
    try:
        number = float(text)
    except ValueError:
        return None
    if not (1 <= number <= MOST_PATIENTS and number == int(number)):
        most = f"a whole number from 1 up to {MOST_PATIENTS:,}"
        message = "there is nobody to simulate" if number == 0 else "this is no number of patients"
        raise ConfigError(Problem("bad-number", message, Location("--patients"), text[:40], most))
    return int(number)


def _without_set(names: tuple[str, ...], vary: list[str], given: Mapping[str, str]) -> tuple[str, ...]:
    """Leave out what has been set: a value that a user gives holds for everybody, unless told to vary as well."""
    if vary == ["all"]:
        return tuple(name for name in names if name not in given)
    both = [name for name in names if name in given]
    if both:
        raise ConfigError(
            [
                Problem(
                    "set-and-varied",
                    f"{name!r} is both set and drawn",
                    Location(f"--set {name}={given[name]}"),
                    hint="Leave one of them out; to move a distribution, give a table with --parameters.",
                )
                for name in both
            ]
        )
    return names


def plan_of_folder(folder: Path) -> RunPlan:
    """Make the plan of a run folder again.

    Raises
    ------
    BetapodError
        The folder holds no run, or one that was not begun from the command line, or its files are gone or wrong.
    """
    from ...engine.runs.manifest import EnsembleManifest, RunOrigin, check_fields
    from ...engine.runs.store import Store

    origin = Store.open(folder).of(EnsembleManifest).manifest["origin"]
    if "model" not in origin:
        raise ConfigError(
            Problem(
                "no-origin",
                "the run was not begun from the command line",
                Location(str(folder)),
                hint="Continue it where it was begun, with betapod.engine.runs.execute.execute.",
            )
        )
    check_fields({"origin": origin}, RunOrigin, folder / "manifest.json")
    return plan_of(origin)


def plan_or_none(store: Store) -> RunPlan | None:
    """Return the plan of a run if it can be made again as it was; without it, accuracy cannot be reported."""
    from ...engine.runs.run_plan import identity_changes

    try:
        plan = plan_of_folder(store.folder)
    except BetapodError as error:
        warn(f"accuracy is not reported: {error.problems[0].message}")
        return None
    found = identity_changes(store.manifest["identity"], plan.identity)
    if found:
        warn(f"accuracy is not reported: {found[0].message}")
        return None
    return plan


def _times(origin: Mapping[str, Any], unit: str) -> tuple[float, ...]:
    """Return visits in the model's unit of time: an interval and a length, or a list with a unit."""
    text = origin["visits"]
    if text is not None and "," in text:
        return _listed_visits(text, unit)
    problems: list[Problem] = []
    spans = {name: origin.get(name) for name in ("years", "duration")}
    if unit != "1" and not any(value is not None for value in spans.values()):
        spans["years"] = 20.0
    end, _ = end_of(spans, unit, problems)
    if problems:
        raise ConfigError(problems)
    if text is not None:
        step = _interval(text, unit, end)
    else:
        step = exact_time(end) / 40 if spans["years"] is None else exact_time(convert_unit(6.0, "month", unit))
    count = math.floor(round(exact_time(end) / step, 9))
    return tuple(float(step * k) for k in range(count + 1))


def _interval(text: str, unit: str, end: float) -> Fraction:
    """Read the time between visits."""
    where = f"--visits {text!r}"
    bare = text.strip().replace(".", "").isdigit() and unit != "1"
    step = 0.0 if bare else option_quantity(text, unit, where)
    place = Location(where)
    if not step > 0:
        expected = "such as '6 month'" if unit != "1" else "such as 0.5"
        problem = Problem("bad-visits", "visits need an interval with a unit", place, repr(text), expected)
        raise ConfigError(problem)
    if end / step > MOST_VISITS:
        most = f"at most {MOST_VISITS:,} visits"
        raise ConfigError(Problem("bad-visits", "these are too many visits", place, f"{end / step:.2g}", most))
    return exact_time(step)


def _listed_visits(text: str, unit: str) -> tuple[float, ...]:
    """Read times with commas; those without a unit are in the unit of the last."""
    where = f"--visits {text!r}"
    cells = [cell.strip() for cell in text.split(",")]
    last = split_quantity(cells[-1])
    common = last[1].strip() if last is not None else ""
    if not common and unit != "1":
        problem = Problem("bad-visits", "these are not times with a unit", Location(where), repr(text))
        raise ConfigError(replace(problem, expected=f"such as '0,1,2 {'year' if unit == 'day' else unit}'"))
    problems: list[Problem] = []
    times: list[float] = []
    for cell in cells:
        split = split_quantity(cell)
        own = f"{cell} {common}" if split is not None and not split[1].strip() else cell
        try:
            times.append(option_quantity(own, unit, where))
        except BetapodError as error:
            gather(problems, error)
    if problems:
        raise ConfigError(problems)
    return tuple(times)


def _schedule(doses: Sequence[str], switches: Sequence[str], model: Model) -> Schedule:
    """Read doses and switches as `betapod simulate` does."""
    from ..schedules import read_schedule as read

    problems: list[Problem] = []
    schedule = read(model, list(doses), list(switches), problems)
    if problems:
        raise ConfigError(problems)
    return schedule


def _listed(path: Path, model: Model) -> tuple[Cohort, int]:
    """Read a table of patients: one row each, a column per parameter or input in its own unit."""
    from ...engine.runs.run_plan import ListedPatients

    columns, count = _parquet(path) if path.suffix == ".parquet" else _numbers(path, {*model.parameters, *model.inputs})
    return ListedPatients(columns), count


def _parquet(path: Path) -> tuple[dict[str, Any], int]:
    import pandas as pd

    where = Location(str(path))
    try:
        table = pd.read_parquet(path)
    except FileNotFoundError:
        raise ConfigError(Problem("bad-patients", "this is neither a number nor a table of patients", where)) from None
    except (OSError, ValueError, ImportError) as error:
        raise ConfigError(Problem("bad-patients", f"cannot read the table of patients: {error}", where)) from None
    table = table.drop(columns=[name for name in ("patient",) if name in table])
    text = [str(name) for name in table if not pd.api.types.is_numeric_dtype(table[name])]
    if text:
        raise ConfigError([Problem("bad-column", f"{name}: the column does not hold numbers", where) for name in text])
    return {str(name): table[name].to_numpy("float64") for name in table}, len(table)


def _numbers(path: Path, known: set[str]) -> tuple[dict[str, Any], int]:
    """Return the columns of a table in text, which may be named at will: what is none of the model's is said later."""
    import numpy as np

    from ...base import delimited

    if not path.is_file():
        message = "this is neither a number nor a table of patients"
        raise ConfigError(Problem("bad-patients", message, Location(str(path))))
    table = delimited.read_delimited(path, (known | {"patient"}).__contains__)
    problems = list(table.problems)
    if not table.rows and not problems:
        problems.append(Problem("bad-patients", "the table has no patients", Location(str(path), table.line)))
    for name in sorted({name for name in table.header if table.header.count(name) > 1}):
        message = f"the column {name!r} is there twice"
        problems.append(Problem("duplicate-column", message, Location(str(path), table.line)))
    places = [place for place, name in enumerate(table.header) if name != "patient"]
    cells = [(row[place], Location(str(path), line, place + 1)) for place in places for line, row in table.rows]
    marks = delimited.marks(cells, table.separator)
    found = [delimited.cell_number(cell, marks.decimal) for cell, _ in cells]
    problems += [
        Problem("bad-column", f"{table.header[where.column - 1]}: this is no number", where, found=cell[:60])
        for (cell, where), value in zip(cells, found, strict=True)
        if value is None
    ]
    if problems:
        raise ConfigError(problems[:_MOST_SAID])
    for text in table.notes:
        print_note(text)
    values = np.array(found, dtype=np.float64).reshape(len(places), len(table.rows))
    return {table.header[place]: column for place, column in zip(places, values, strict=True)}, len(table.rows)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
