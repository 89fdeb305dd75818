"""One call of the compiled loop: the arrays that it reads and writes, and the threads that carry it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...model.assembly.model import Model
from ..floors import floors
from ..timeline import Timeline
from .kernel import Kernel
from .workspace import JOB, NOT_RUN, WHOLE


@dataclass(frozen=True)
class StepControl:
    """How steps are chosen.

    Attributes
    ----------
    rtol
        Relative error tolerated in one step.
    max_steps
        Steps after which a patient is given up.
    first_step
        Length of the first step, as a share of the time in which the states change by themselves.
    """

    rtol: float
    max_steps: int
    first_step: float


class RunArrays:
    """What the compiled loop reads and writes in one call, wherever it runs.

    Parameters
    ----------
    parameters
        Order of a patient's values.
    columns, starts
        Values and initial states that differ between the patients: name -> (patients,).
    visits
        (visits,) days.
    out
        (patients, visits, outputs) array to write to.
    atol
        (schedules, states) absolute error tolerated in one step.
    """

    def __init__(
        self,
        model: Model,
        parameters: Sequence[str],
        tables: Timeline,
        columns: Mapping[str, NDArray[np.float64]],
        starts: Mapping[str, NDArray[np.float64]],
        visits: NDArray[np.float64],
        out: NDArray[np.float64],
        atol: NDArray[np.float64],
        control: StepControl,
    ) -> None:
        count = len(out)
        self.status = np.full(count, NOT_RUN, dtype=np.int64)
        self.ended_at = np.full(count, np.nan)
        self.event = np.full(count, -1, dtype=np.int64)
        self.steps, self.rejected = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        # Only the rows of failures are ever touched, so the memory of the others is never really taken.
        self.last = np.empty((count, len(model.states)))
        self.stop = np.zeros(1, dtype=np.int64)
        results = ("status", "ended_at", "event", "steps", "rejected", "last", "stop")
        fields = {
            "count": count,
            "visit_count": len(visits),
            "times": visits,
            "next": np.zeros(1, dtype=np.int64),
            "floors": floors(model),
            "rtol": control.rtol,
            "atol": atol,
            "max_steps": float(control.max_steps),
            "first_step": float(control.first_step),
            "out": out,
            **_patient_fields(model, parameters, count, columns, starts),
            **_schedule_fields(parameters, tables),
            **{name: getattr(self, name) for name in results},
        }
        # A job holds addresses: its arrays must live as long as it does, and hold what the program reads there.
        self.fields = {n: _read_as(n, v) if isinstance(v, np.ndarray) else v for n, v in fields.items()}


class CompiledRun:
    """One call of the compiled loop on the processor: its arrays and threads.

    Parameters
    ----------
    threads
        How many share the patients.
    """

    def __init__(self, kernel: Kernel, arrays: RunArrays, threads: int) -> None:
        self.kernel, self.arrays = kernel, arrays
        self.threads = min(threads, max(1, len(arrays.status)))
        self._vector_steps: list[int] = []
        self._errors: list[BaseException] = []
        places = {n: v.ctypes.data if isinstance(v, np.ndarray) else v for n, v in arrays.fields.items()}
        self.job = packed(places)

    def go(self) -> None:
        """Integrate all patients; an interrupt stops the threads after the patients they have begun.

        Even one thread is not the main one, which alone hears of an interrupt, and only while it runs Python.
        """
        workers = [threading.Thread(target=self._guarded, daemon=True) for _ in range(self.threads)]
        for worker in workers:
            worker.start()
        try:
            for worker in workers:
                while worker.is_alive():
                    worker.join(0.5)
        except BaseException:
            self.arrays.stop[0] = 1
            for worker in workers:
                worker.join()
            raise
        if self._errors:
            raise self._errors[0]

    def _work(self) -> None:
        lanes = self.kernel.width
        room = np.zeros((self.kernel.workspace + 1) * lanes + 32)
        start = (-room.ctypes.data // 8) % max(lanes, 16)
        self._vector_steps.append(int(self.kernel.worker(self.job.ctypes.data, room.ctypes.data + 8 * start)))

    def _guarded(self) -> None:
        try:
            self._work()
        except BaseException as error:
            self._errors.append(error)

    @property
    def vector_steps(self) -> int:
        """Steps of all lanes together."""
        return sum(self._vector_steps)


def _patient_fields(
    model: Model,
    parameters: Sequence[str],
    count: int,
    columns: Mapping[str, NDArray[np.float64]],
    starts: Mapping[str, NDArray[np.float64]],
) -> dict[str, Any]:
    """Return the fields of the job about what patients share, and in what they differ."""
    shared = model.values()
    return {
        "base": np.array([shared.get(name, 0.0) for name in parameters]),
        "varied_count": len(columns),
        "varied": _positions(parameters, columns),
        "values": _matrix(list(columns.values()), count),
        "override_count": len(starts),
        "overrides": _positions(model.state_names, starts),
        "starts": _matrix(list(starts.values()), count),
    }


def _schedule_fields(parameters: Sequence[str], tables: Timeline) -> dict[str, Any]:
    """Return the fields of the job about segments, switches and doses."""
    return {
        "schedule": tables.schedule,
        "segment_offsets": tables.offsets,
        "segment_start": tables.start,
        "segment_end": tables.end,
        "switched_count": len(tables.switched),
        "switched": _positions(parameters, tables.switched),
        "switch_fixed": tables.switch_fixed,
        "switch_factor": tables.switch_factor,
        "ramp_fixed": tables.ramp_fixed,
        "ramp_factor": tables.ramp_factor,
        "dose_offsets": tables.dose_offsets,
        "dose_state": tables.dose_state,
        "dose_amount": tables.dose_amount,
    }


def _read_as(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return an array of a job as the program reads it; what the program writes to has that kind already."""
    return np.ascontiguousarray(array, dtype=np.int64 if name in WHOLE else np.float64)


def _positions(names: Sequence[str], some: Iterable[str]) -> NDArray[np.int64]:
    """Return where some of the names stand among all."""
    position = {name: i for i, name in enumerate(names)}
    return np.array([position[name] for name in some], dtype=np.int64)


def _matrix(columns: Sequence[NDArray[np.float64]], count: int) -> NDArray[np.float64]:
    matrix = np.empty((count, len(columns)))
    for i, column in enumerate(columns):
        matrix[:, i] = column
    return matrix


def packed(fields: Mapping[str, Any]) -> NDArray[np.int64]:
    """Return the fields of a job in the order of `JOB`: integers, addresses among them, and numbers as they are."""
    job = np.zeros(len(JOB), dtype=np.int64)
    for i, value in enumerate(fields[name] for name in JOB):
        if isinstance(value, float):
            job[i : i + 1].view(np.float64)[0] = value
        else:
            job[i] = value
    return job
