"""Simulate the people of an event data set: every row gets the model's prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Location, Problem, SolverError, did_you_mean
from ...model import Model, ParameterTable
from ..compiled.workspace import ENDED
from ..ensemble import Ensemble
from ..schedule import Schedule
from .nonmem_reader import NonmemTable
from .stretches import Stretch, moment_after, stretches_of, varying_covariates

if TYPE_CHECKING:
    import pandas as pd

Numbers = NDArray[np.float64]
#: Tolerance of the integration.
RTOL = 1e-9
#: Stretches that are simulated in one run: each is seen at the times of all of them.
_CHUNK = 64
#: States of a chunk's lanes that start elsewhere, by name.
_Starts = Mapping[str, Numbers]


def simulate_subjects(
    model: Model,
    table: NonmemTable,
    outputs: Sequence[str] | None = None,
    rtol: float = RTOL,
    threads: int | None = None,
) -> pd.DataFrame:
    r"""Return the predictions for every row of an event data set.

    Parameters
    ----------
    outputs
        Names of states and equations; all states by default.
    rtol
        Relative tolerance of the integration.
    threads
        Cores; all by default.

    Returns
    -------
    pandas.DataFrame
        A row for each row of the table, in its order: ``id``, ``time``, ``evid``, ``dv`` as they stand there (times in the model's unit), then the outputs in
        the model's units.

    Raises
    ------
    ConfigError
        Unknown outputs, or people that the model cannot be given.
    SolverError
        Somebody could not be simulated.

    Examples
    --------
    >>> import pathlib, tempfile, betapod
    >>> from betapod.engine.nonmem.nonmem_reader import read_nonmem_table
    >>> from betapod.engine.nonmem.simulated_subjects import simulate_subjects
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "doses.csv"
    >>> _ = path.write_text("ID,TIME,AMT,CMT,DV\n1,0,50,glucose,.\n1,2,.,.,110\n")
    >>> model = betapod.load_model("topp2000")
    >>> seen = simulate_subjects(model, read_nonmem_table(path, model), ["glucose"])
    >>> seen["glucose"].round(0).tolist()
    [150.0, 100.0]
    """
    import pandas as pd

    names = list(model.state_names if outputs is None else outputs)
    unknown = [name for name in names if name not in model.names]
    if unknown:
        raise ConfigError(
            [
                Problem("unknown-name", f"{model.name} has no quantity {name!r}", hint=did_you_mean(name, model.names))
                for name in unknown
            ]
        )
    stretches = {subject.name: stretches_of(subject, model, table.settings, table.file) for subject in table.subjects}
    run = SubjectRun(model, [s for of_person in stretches.values() for s in of_person], names, rtol, threads)
    values = [run.subject(subject.name, stretches[subject.name], len(subject.records)) for subject in table.subjects]
    if run.failed:
        file = Location(table.file)
        raise SolverError([Problem("not-simulated", f"{name}: {words}", file) for name, words in run.failed])
    rows = [
        (subject.name, record.time, record.evid, record.value)
        for subject in table.subjects
        for record in subject.records
    ]
    frame = pd.DataFrame(rows, columns=["id", "time", "evid", "dv"])
    return pd.concat([frame, pd.DataFrame(np.concatenate(values), columns=names)], axis=1)


def with_inputs(model: Model, names: Sequence[str]) -> Model:
    """Return the model with some of its parameters as inputs, which a schedule may change."""
    moved = [model.parameters[name] for name in names if name in model.parameters]
    if not moved:
        return model
    kept = [row for row in model.parameters.values() if row.id not in names]
    inputs = [*model.inputs.values(), *(replace(row, role="input") for row in moved)]
    return replace(model, parameters=ParameterTable(kept), inputs=ParameterTable(inputs))


@dataclass
class SubjectRun:
    """Runs of stretches of one model.

    Attributes
    ----------
    failed
        People who could not be simulated, and why.
    """

    model: Model
    stretches: Sequence[Stretch]
    outputs: Sequence[str]
    rtol: float = RTOL
    threads: int | None = None

    def __post_init__(self) -> None:
        self.model = with_inputs(self.model, varying_covariates(self.stretches))
        states = list(self.model.state_names)
        self.ensemble = Ensemble(self.model, list(self.outputs), rtol=self.rtol, threads=self.threads)
        self.of_states = Ensemble(self.model, states, rtol=self.rtol, threads=self.threads)
        rows = {**self.model.parameters, **self.model.inputs}
        self.varied = sorted({name for stretch in self.stretches for name in stretch.covariates})
        self.usual = {name: rows[name].value for name in self.varied}
        self.failed: list[tuple[str, str]] = []
        # States at the start of stretches that do not start as the model does.
        self._starts: dict[int, dict[str, Numbers]] = {}
        self._values = self._plain()

    def subject(self, name: str, stretches: Sequence[Stretch], rows: int) -> Numbers:
        """Return the outputs (rows, outputs) of a person's rows."""
        values = np.full((rows, len(self.outputs)), np.nan)
        for k, stretch in enumerate(stretches):
            predicted, words = self._values.get(id(stretch)) or self._special(stretch, stretches[k - 1] if k else None)
            values[stretch.records] = predicted
            if words:
                self.failed.append((name, words))
        return values

    def _plain(self) -> dict[int, tuple[Numbers, str]]:
        """Simulate all stretches that need nothing of others."""
        plain = sorted((s for s in self.stretches if s.plain), key=lambda s: float(s.times[-1]))
        values: dict[int, tuple[Numbers, str]] = {}
        for first in range(0, len(plain), _CHUNK):
            chunk = plain[first : first + _CHUNK]
            for stretch, predicted in zip(chunk, self._run(self.ensemble, chunk), strict=True):
                values[id(stretch)] = predicted
        return values

    def _run(
        self, ensemble: Ensemble, chunk: Sequence[Stretch], starts: _Starts | None = None
    ) -> list[tuple[Numbers, str]]:
        """Return the outputs at the times of each stretch, and why where there are none."""
        visits = np.unique(np.concatenate([stretch.times for stretch in chunk]))
        columns = {
            name: np.array([stretch.covariates.get(name, self.usual[name]) for stretch in chunk])
            for name in self.varied
        }
        result = ensemble.run(columns or len(chunk), visits, [stretch.schedule for stretch in chunk], starts)
        predicted = []
        for k, stretch in enumerate(chunk):
            words = (
                ""
                if result.status[k] <= ENDED
                else f"{result.status_names[result.status[k]]} at {result.ended_at[k]:g}"
            )
            predicted.append((result.values[k, np.searchsorted(visits, stretch.times)], words))
        return predicted

    def _special(self, stretch: Stretch, before: Stretch | None) -> tuple[Numbers, str]:
        """Return the outputs of a stretch that starts from a steady state that is not that of its own first dose."""
        start = self._state(replace(stretch, schedule=stretch.train or Schedule(), times=np.array([0.0])))
        if stretch.added:
            assert before is not None
            elapsed = stretch.begin - before.begin
            moment = np.array([elapsed + moment_after(elapsed, elapsed)])
            start = start + self._state(replace(before, times=moment), before)
        starts = {name: start[k : k + 1] for k, name in enumerate(self.model.state_names)}
        [predicted] = self._run(self.ensemble, [replace(stretch, train=None, added=False)], starts)
        self._starts[id(stretch)] = starts
        return predicted

    def _state(self, stretch: Stretch, of: Stretch | None = None) -> Numbers:
        """Return all states (states,) at the one time of a stretch."""
        [(values, _)] = self._run(self.of_states, [stretch], self._starts.get(id(of)) if of is not None else None)
        return np.asarray(values[0])
