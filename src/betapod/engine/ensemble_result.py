"""What an ensemble run gives: values at visits, how each patient ended, and how accurate the numbers are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.display import Displayed
from ..base.nouns import with_noun
from .compiled.workspace import ENDED, IMPOSSIBLE, OK, STATUS
from .floors import first_below

if TYPE_CHECKING:
    import pandas as pd

    from ..model.assembly.model import Model
    from .compiled.compiled_run import RunArrays
    from .ensemble import Ensemble
    from .schedule import Schedule
    from .scipy.second_path import SecondPath


@dataclass(frozen=True)
class AchievedError:
    """How far a sample of patients is from their own integration at a much tighter tolerance, and a few from the reference integrator.

    Attributes
    ----------
    patients
        Who was integrated again.
    independent
        Who of them was integrated by the reference integrator too: another method with its own search for jumps and events. A
        patient's error is the larger of the two.
    relative
        (sample,) largest error of each patient over visits and outputs, relative to the value plus a thousandth of the
        output's largest value in that patient.
    median, worst
        Of `relative`.
    output, patient, time
        Where the worst error is.
    rtol
        Tolerance of the run; `tight` that of the comparison.
    compared
        Whether every sampled patient ended in the same way every time.
    """

    patients: NDArray[np.int64]
    relative: NDArray[np.float64]
    median: float
    worst: float
    output: str
    patient: int
    time: float
    rtol: float
    tight: float
    compared: bool
    independent: NDArray[np.int64]

    def __str__(self) -> str:
        return (
            f"achieved error: median {self.median:.1e}, worst {self.worst:.1e} ({self.output} of patient {self.patient} at time "
            f"{self.time:g}) in {with_noun(len(self.patients), 'patient')} integrated again at rtol {self.tight:g}, "
            f"{len(self.independent)} of them by the reference integrator too"
        )


@dataclass(repr=False)
class EnsembleResult(Displayed):
    """Values and endings of all patients.

    Attributes
    ----------
    values
        (patients, visits, outputs); NaN after a terminal event or a failure.
    names
        Of the outputs.
    units
        Output -> unit.
    times
        (visits,) in `time_unit`.
    status
        (patients,) index into `STATUS`: ok, ended (by a terminal event), step-underflow, non-finite, step-limit, not run.
    ended_at
        (patients,) time at which a terminal event or a failure stopped the patient; NaN for the others.
    event
        (patients,) index into `event_names` of the terminal event; -1 for the others.
    steps, rejected
        (patients,) steps taken and steps refused by the error control.
    vector_steps, width
        Steps of all lanes together, and lanes: `occupancy` follows.
    time_unit
        Unit of the times: day, but for imported models that say otherwise; 1 where a model names none.

    Examples
    --------
    >>> import betapod
    >>> model = betapod.load_model("topp2000")
    >>> ensemble = betapod.Ensemble(model, ["glucose"])
    >>> result = ensemble.run(3, [0.0, 1.0, 2.0])
    >>> result
    <EnsembleResult 3 patients, 3 visits, 1 output>
    >>> result.summary()
    '3 patients: 3 ok'
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    units: Mapping[str, str]
    times: NDArray[np.float64]
    status: NDArray[np.int64]
    ended_at: NDArray[np.float64]
    event: NDArray[np.int64]
    steps: NDArray[np.int64]
    rejected: NDArray[np.int64]
    event_names: tuple[str, ...]
    state_names: tuple[str, ...]
    rtol: float
    atol: NDArray[np.float64]
    vector_steps: int
    width: int
    last: NDArray[np.float64] = field(repr=False)
    again: Callable[[NDArray[np.int64], float, NDArray[np.float64]], EnsembleResult] = field(repr=False)
    otherwise: SecondPath = field(repr=False)
    time_unit: str = "day"

    @property
    def status_names(self) -> tuple[str, ...]:
        """What each code of `status` means."""
        return STATUS

    @property
    def occupancy(self) -> float:
        """Share of lane steps that worked for a patient."""
        total = self.vector_steps * self.width
        return float(self.steps.sum() + self.rejected.sum()) / total if total else 1.0

    @property
    def failed(self) -> NDArray[np.int64]:
        """Numbers of the patients whose integration failed."""
        return np.flatnonzero(self.status > ENDED)

    @property
    def failures(self) -> pd.DataFrame:
        """One row per failed patient: number, reason, time, quantity at which the equations fail, last good value of every state."""
        import pandas as pd

        from .failed_quantity import failed_quantities

        patients = self.failed
        columns = {name: column[patients] for name, column in self.otherwise.columns.items()}
        quantities = failed_quantities(self.otherwise.model, columns, self.last[patients], self.ended_at[patients])
        table = pd.DataFrame(self.last[patients], columns=list(self.state_names))
        table.insert(0, "quantity", quantities)
        table.insert(0, "time", self.ended_at[patients])
        table.insert(0, "reason", [STATUS[code] for code in self.status[patients]])
        table.insert(0, "patient", patients)
        return table

    def summary(self) -> str:
        """Return how many patients ended how, in one sentence.

        Returns
        -------
        str
            Such as ``3 patients: 3 ok``.

        Examples
        --------
        >>> import betapod
        >>> model = betapod.load_model("topp2000")
        >>> ensemble = betapod.Ensemble(model, ["glucose"])
        >>> result = ensemble.run(3, [0.0, 1.0, 2.0])
        >>> result.summary()
        '3 patients: 3 ok'
        """
        counts = [(name, int(np.sum(self.status == code))) for code, name in enumerate(STATUS)]
        return f"{with_noun(len(self.status), 'patient')}: " + ", ".join(f"{n:,} {name}" for name, n in counts if n)

    @property
    def table(self) -> pd.DataFrame:
        """The values as one long table: patient, time (in `time_unit`), name, value, unit."""
        import pandas as pd

        patients, visits, outputs = self.values.shape
        return pd.DataFrame(
            {
                "patient": np.repeat(np.arange(patients), visits * outputs),
                "time": np.tile(np.repeat(self.times, outputs), patients),
                "name": pd.Categorical(np.tile(np.array(self.names, dtype=object), patients * visits)),
                "value": self.values.reshape(-1),
                "unit": pd.Categorical(
                    np.tile(np.array([self.units[name] for name in self.names], dtype=object), patients * visits)
                ),
            }
        )

    def achieved_error(self, sample: int = 16, independent: int = 3) -> AchievedError:
        """Integrate a sample of patients again at a tolerance 10,000 times tighter, a few by the reference integrator too, and compare.

        Parameters
        ----------
        sample
            How many patients, evenly spread over those who did not fail.
        independent
            How many of them by the reference integrator, which takes a second or so for each.

        Returns
        -------
        AchievedError
            Median and worst relative error, and where the worst is.

        Raises
        ------
        SolverError
            The reference integrator could not go on.

        Examples
        --------
        >>> import betapod
        >>> model = betapod.load_model("topp2000")
        >>> ensemble = betapod.Ensemble(model, ["glucose"])
        >>> result = ensemble.run(3, [0.0, 1.0, 2.0])
        >>> result.achieved_error(2, independent=1).worst < 1e-3
        True
        """
        good = np.flatnonzero(self.status <= ENDED)
        patients = _spread(good, sample)
        tight = max(self.rtol * 1e-4, 1e-12)
        atol = self.atol * (tight / self.rtol)
        reference = self.again(patients, tight, atol)
        # What is 0 throughout has no size of its own: its error counts beside what the absolute tolerance is a share of.
        nothing = float(np.max(self.atol)) / self.rtol
        error = _error(self.values[patients], reference.values, nothing)
        compared = bool(np.all(self.status[patients] == reference.status))
        by_other = []
        for patient in _spread(patients, independent):
            second = self.otherwise(int(patient), tight, atol)
            if second is not None:
                by_other.append(int(patient))
                row = int(np.searchsorted(patients, patient))
                error[row] = np.maximum(error[row], _error(self.values[patient], second[0], nothing))
                compared = compared and bool(second[1] == self.status[patient])
        others = np.array(by_other, dtype=np.int64)
        if not error.size or not np.any(np.isfinite(reference.values)):
            empty = np.zeros(len(patients))
            return AchievedError(patients, empty, np.nan, np.nan, "", -1, np.nan, self.rtol, tight, compared, others)
        relative = error.max(axis=(1, 2))
        i, visit, output = np.unravel_index(int(np.argmax(error)), error.shape)
        return AchievedError(
            patients,
            relative,
            float(np.median(relative)),
            float(relative.max()),
            self.names[output],
            int(patients[i]),
            float(self.times[visit]),
            self.rtol,
            tight,
            compared,
            others,
        )


@dataclass(frozen=True)
class SamePatients:
    """The patients of a run, to be integrated again.

    Attributes
    ----------
    columns, starts
        Parameters and states that differ between patients: name -> (patients,).
    schedules, which
        All schedules, and the number of each patient's.
    """

    ensemble: Ensemble
    columns: Mapping[str, NDArray[np.float64]]
    starts: Mapping[str, NDArray[np.float64]]
    schedules: Sequence[Schedule]
    which: NDArray[np.int64]
    visits: NDArray[np.float64]

    def __call__(self, patients: NDArray[np.int64], rtol: float, atol: NDArray[np.float64]) -> EnsembleResult:
        """Return some of the patients at another tolerance."""
        finer = self.ensemble._finer(self.ensemble.outputs, rtol, atol)
        finer._kernels = self.ensemble._kernels
        return finer.run(
            {name: column[patients] for name, column in self.columns.items()} if self.columns else len(patients),
            self.visits,
            [self.schedules[self.which[i]] for i in patients],
            {name: column[patients] for name, column in self.starts.items()},
        )


def fail_impossible(
    model: Model, outputs: Sequence[str], run: RunArrays, out: NDArray[np.float64], visits: NDArray[np.float64]
) -> None:
    """Count patients as failed from the visit on at which a reported state cannot be."""
    for patient, (visit, _) in first_below(model, tuple(outputs), out).items():
        if run.status[patient] <= ENDED:
            run.last[patient] = np.nan
        for column, output in enumerate(outputs):
            if output in model.state_names:
                run.last[patient, model.state_names.index(output)] = out[patient, visit, column]
        run.status[patient], run.ended_at[patient], run.event[patient] = IMPOSSIBLE, visits[visit], -1
        out[patient, visit:] = np.nan


def _spread(patients: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return so many of the patients, evenly spread."""
    places = np.unique(np.linspace(0, len(patients) - 1, min(count, len(patients))).astype(np.int64))
    return patients[places] if len(patients) else patients


def _error(computed: NDArray[np.float64], right: NDArray[np.float64], nothing: float) -> NDArray[np.float64]:
    """Return errors (..., visits, outputs), relative to the value plus a thousandth of the output's largest value.

    Where an output is 0 at all visits, relative to `nothing`.
    """
    if not right.size:
        return np.zeros(right.shape)
    largest = np.max(np.where(np.isfinite(right), np.abs(right), 0.0), axis=-2, keepdims=True)
    with np.errstate(all="ignore"):
        error = np.abs(computed - right) / (np.abs(right) + np.where(largest > 0.0, 1e-3 * largest, nothing) + 1e-300)
    # A visit that only one of the two reached lies within the error of the ending's time: no error of a value.
    return np.where(np.isfinite(error), error, 0.0)


__all__ = ["ENDED", "OK", "STATUS", "AchievedError", "EnsembleResult"]
