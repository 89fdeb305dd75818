"""One call of the compiled loop: the arrays that it reads and writes, and the threads that carry it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..floors import floors
from ..timeline import Timeline
from .kernel import Kernel
from .workspace import JOB, NOT_RUN

if TYPE_CHECKING:
    from ..ensemble import Ensemble


def _matrix(columns: Sequence[NDArray[np.float64]], count: int) -> NDArray[np.float64]:
    matrix = np.empty((count, len(columns)))
    for i, column in enumerate(columns):
        matrix[:, i] = column
    return matrix


class CompiledRun:
    """One call of the compiled loop: its arrays and threads."""

    def __init__(
        self,
        ensemble: Ensemble,
        kernel: Kernel,
        tables: Timeline,
        count: int,
        columns: dict[str, NDArray[np.float64]],
        starts: dict[str, NDArray[np.float64]],
        visits: NDArray[np.float64],
        out: NDArray[np.float64],
        atol: NDArray[np.float64],
    ) -> None:
        model = ensemble.model
        position = {name: i for i, name in enumerate(kernel.parameters)}
        own = model.values()
        state = {name: i for i, name in enumerate(model.state_names)}
        self.kernel, self.threads = kernel, min(ensemble.threads, max(1, count))
        self.status = np.full(count, NOT_RUN, dtype=np.int64)
        self.ended_at = np.full(count, np.nan)
        self.event = np.full(count, -1, dtype=np.int64)
        self.steps, self.rejected = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        # Only the rows of failures are ever touched, so the memory of the others is never really taken.
        self.last = np.empty((count, len(model.states)))
        self.stop = np.zeros(1, dtype=np.int64)
        self._vector_steps: list[int] = []
        self._errors: list[BaseException] = []
        fields: dict[str, Any] = {
            "count": count,
            "visit_count": len(visits),
            "times": visits,
            "next": np.zeros(1, dtype=np.int64),
            "stop": self.stop,
            "base": np.array([own.get(name, 0.0) for name in kernel.parameters]),
            "varied_count": len(columns),
            "varied": np.array([position[name] for name in columns], dtype=np.int64),
            "values": _matrix(list(columns.values()), count),
            "override_count": len(starts),
            "overrides": np.array([state[name] for name in starts], dtype=np.int64),
            "starts": _matrix(list(starts.values()), count),
            "schedule": tables.schedule,
            "segment_offsets": tables.offsets,
            "segment_start": tables.start,
            "segment_end": tables.end,
            "switched_count": len(tables.switched),
            "switched": np.array([position[name] for name in tables.switched], dtype=np.int64),
            "switch_fixed": tables.switch_fixed,
            "switch_factor": tables.switch_factor,
            "ramp_fixed": tables.ramp_fixed,
            "ramp_factor": tables.ramp_factor,
            "dose_offsets": tables.dose_offsets,
            "dose_state": tables.dose_state,
            "dose_amount": tables.dose_amount,
            "floors": floors(model),
            "rtol": ensemble.rtol,
            "atol": atol,
            "max_steps": float(ensemble.max_steps),
            "out": out,
            "status": self.status,
            "ended_at": self.ended_at,
            "event": self.event,
            "steps": self.steps,
            "rejected": self.rejected,
            "last": self.last,
            "first_step": float(ensemble.first_step),
        }
        self._kept = [np.ascontiguousarray(v) if isinstance(v, np.ndarray) else v for v in (fields[n] for n in JOB)]
        self.job = np.zeros(len(JOB), dtype=np.int64)
        for i, value in enumerate(self._kept):
            if isinstance(value, np.ndarray):
                self.job[i] = value.ctypes.data
            elif isinstance(value, float):
                self.job[i : i + 1].view(np.float64)[0] = value
            else:
                self.job[i] = value

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
            self.stop[0] = 1
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
