"""The verb ensemble plot: bands that hold most patients, single courses, and measurements beside them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...base.errors import ConfigError, Location, Problem, did_you_mean
from ..completion import complete_folder
from ..shared import names_option, print_note, unfit_figure, with_noun
from ..waiting import waiting

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ...engine.runs.store import Store

#: Panels where nobody names outputs.
_PANELS = 6


def plot_ensemble_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Run folder.", autocompletion=complete_folder)],
    to: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Picture (png or svg); its numbers go beside it.")
    ],
    outputs: Annotated[
        list[str] | None,
        typer.Option("--outputs", "-O", metavar="NAMES", help="Outputs, comma-separated; the first six by default."),
    ] = None,
    courses: Annotated[
        int, typer.Option("--courses", min=0, max=1000, help="Patients whose courses are drawn singly, evenly spread.")
    ] = 50,
    bands: Annotated[
        bool, typer.Option("--bands/--no-bands", help="Median, and bands of 50 and 90 % of patients.")
    ] = True,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="CSV", help="Measurements to draw as points: columns time, output and value."),
    ] = None,
) -> None:
    """Draw a run: bands that hold most patients, single courses."""
    from ...engine.runs.manifest import EnsembleManifest
    from ...engine.runs.store import Store

    problems = unfit_figure(to, "--out")
    store = Store.open(folder).of(EnsembleManifest)
    every = list(store.manifest["identity"]["outputs"])
    wanted = names_option(outputs or ()) or every[:_PANELS]
    problems += [
        Problem(
            "unknown-name", f"the run has no output {name!r}", Location("--outputs"), hint=did_you_mean(name, every)
        )
        for name in wanted
        if name not in every
    ]
    if not bands and not courses:
        problems.append(
            Problem("bad-option", "without bands and courses there is nothing to draw", Location("--courses"))
        )
    complete, _ = store.survey(thorough=False)
    if not complete:
        problems.append(Problem("empty-run", "the run has no finished part yet", Location(str(folder))))
    points = None
    if data is not None:
        points = _measurements(data, every, problems)
    if problems:
        raise ConfigError(problems)
    with waiting("reading the run"):
        _draw(store, to, wanted, courses, bands, points)


def _draw(store: Store, to: Path, wanted: list[str], count: int, bands: bool, points: pd.DataFrame | None) -> None:
    import numpy as np
    import pandas as pd

    from ...engine.runs.summary import QUANTILES, quantiles
    from ...report.common.figures import save
    from ...report.sensitivity.run_figures import bands_figure

    identity = store.manifest["identity"]
    times = [float(time) for time in identity["times"]]
    of_band: dict[float, NDArray[np.float64]] = {}
    if bands:
        by_output = quantiles(store, times)
        for rank, probability in enumerate(QUANTILES):
            columns = [
                [_number((by_output[name].get(repr(time)) or [None] * len(QUANTILES))[rank]) for time in times]
                for name in wanted
            ]
            of_band[probability] = np.array(columns, dtype=np.float64).T
    unit = str(identity.get("time_unit", "day"))
    labels = pd.DataFrame(_labels(store), columns=["name", "unit", "label"]).set_index("name")
    singles, names = _singles(store, count), list(identity["outputs"])
    columns_wanted = [names.index(name) for name in wanted]
    figure, numbers = bands_figure(wanted, labels, times, of_band, singles[:, :, columns_wanted], unit, points)
    about = f"{', '.join(wanted)} of {identity['patients']} patients of the model {identity['model']} by time."
    for written in save(figure, to, numbers, about):
        print_note(f"wrote {written}")
    print_note(f"{with_noun(len(singles), 'course')} of {identity['patients']} patients drawn singly")


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _labels(store: Store) -> list[tuple[str, str, str]]:
    """Return name, unit and label of every output, as the run's dictionary has them."""
    import csv

    labels = {}
    path = store.folder / "dictionary.csv"
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            labels = {row["name"]: row["label"] for row in csv.DictReader(file) if row["table"] == "visits"}
    units = store.manifest["units"]
    return [(name, units.get(name, ""), labels.get(name, "")) for name in store.manifest["identity"]["outputs"]]


def _singles(store: Store, count: int) -> NDArray:  # type: ignore[type-arg]
    """Return courses (patients, times, outputs) of so many patients, evenly spread over those that are computed."""
    import numpy as np

    complete, _ = store.survey(thorough=False)
    spans = [(shard, receipt.first, receipt.last) for shard, receipt in sorted(complete.items())]
    patients = np.concatenate([np.arange(first, last) for _, first, last in spans])
    places = np.unique(np.linspace(0, len(patients) - 1, min(count, len(patients))).astype(np.int64))
    kept = patients[places] if count else patients[:0]
    shape = (0, len(store.manifest["identity"]["times"]), len(store.manifest["identity"]["outputs"]))
    parts = [np.empty(shape)]
    for shard, first, last in spans:
        here = kept[(kept >= first) & (kept < last)] - first
        if len(here):
            parts.append(store.values(shard)[here])
    return np.concatenate(parts)


def _measurements(path: Path, outputs: list[str], problems: list[Problem]) -> pd.DataFrame | None:
    """Return measurements with columns time, output, value; what cannot be used is added to `problems`."""
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        problems.append(Problem("unreadable-file", f"cannot be read as a table: {error}", Location(str(path))))
        return None
    missing = [name for name in ("time", "output", "value") if name not in table.columns]
    if missing:
        message = f"the table lacks {', '.join(missing)}"
        problems.append(Problem("bad-table", message, Location(str(path), 1), expected="columns time, output, value"))
        return None
    for line, row in enumerate(table.itertuples(), 2):
        where = Location(str(path), line)
        if row.output not in outputs:
            hint = did_you_mean(str(row.output), outputs)
            problems.append(Problem("unknown-name", f"the run has no output {str(row.output)!r}", where, hint=hint))
        for name in ("time", "value"):
            if not isinstance(getattr(row, name), (int, float)):
                problems.append(Problem("bad-value", f"{name} is no number", where, found=str(getattr(row, name))))
    return table
