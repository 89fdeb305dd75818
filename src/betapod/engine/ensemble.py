"""Integrate many virtual patients of one model at once, on all cores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.arguments import as_names, instance, wrong
from ..base.cores import cores
from ..base.errors import ConfigError, Problem, did_you_mean
from ..model.assembly.model import Model
from . import steady
from .compiled.compiled_run import RunArrays, StepControl
from .devices import AnyKernel, device_of, device_problems
from .ensemble_input import PreparedPatients, distinct_schedules, initial_states, patient_columns, visit_times
from .ensemble_result import EnsembleResult as EnsembleResult
from .ensemble_result import SamePatients, fail_impossible
from .ensemble_summary import EnsembleSummary as EnsembleSummary
from .ensemble_summary import summarise_prepared
from .infusions import as_switches, infused_states, with_infusions
from .limits import MOST_ENSEMBLE_VALUES, check_size
from .reduction import Reduction
from .schedule import Schedule
from .scipy.second_path import SecondPath
from .stateless import with_a_state
from .timeline import ramped_inputs, timeline
from .tolerance import BY_SIZE, absolute, by_size, check_tolerances

if TYPE_CHECKING:
    import pandas as pd

#: From this relative tolerance on rates take elementary functions that are right to 1.2e-12, a hundred-thousandth of it or less.
QUICK = 1e-7


class Ensemble:
    """A model ready to be integrated for many patients.

    Parameters
    ----------
    model
        Model, such as ``load_model("kidney")``; compiled at the first run and kept on disk.
    outputs
        Names of states and equations to report; all states by default, or all equations of a model without states.
    rtol, atol
        Relative and absolute error tolerated in one step; `atol` in the states' units, one number or one per state. By default it
        is 1e-9, and finer for states that stay small; ``"by size"`` makes it a thousandth of `rtol` times the largest value that each
        state takes on a rough pass (see `betapod.engine.tolerance`).
    width
        Patients in one vector (1, 2, 4, 8, 16); by default what suits the processor and the model.
    threads
        Threads that share the patients; one per available core by default.
    cache
        Whether to keep the compiled program on disk.
    max_steps
        Steps after which a patient is given up.
    device
        Where patients are integrated: ``cpu``, the processor; ``cuda``, an NVIDIA graphics card, or ``cuda:1``, the second.

    Raises
    ------
    ConfigError
        Unknown outputs, tolerances that are not positive, events that only the reference integrator does, or no such device.

    Examples
    --------
    Four patients with different sensitivity to insulin, a year later:

    >>> from betapod import Ensemble, load_model
    >>> ensemble = Ensemble(load_model("topp2000"), ["glucose"], threads=1)
    >>> result = ensemble.run({"S_I": [0.2, 0.4, 0.72, 1.0]}, [0.0, 365.0])
    >>> result.summary()
    '4 patients: 4 ok'
    >>> result.values.shape
    (4, 2, 1)

    Notes
    -----
    A patient's numbers are the same, bit for bit, whatever the other patients, their order, the number of threads and the width.
    """

    def __init__(
        self,
        model: Model,
        outputs: Sequence[str] | None = None,
        rtol: float = 1e-6,
        atol: ArrayLike | str | None = None,
        width: int | None = None,
        threads: int | None = None,
        cache: bool = True,
        max_steps: int = 1_000_000,
        device: str = "cpu",
    ) -> None:
        instance("model", model, Model, "a model, such as load_model('kidney')")
        self.model, self._moved = model, with_a_state(model)
        everything = model.state_names or tuple(model.assignments)
        self.outputs = everything if outputs is None else as_names("outputs", outputs)
        self.width, self.cache, self.max_steps = width, cache, max_steps
        self.threads = threads if threads is not None else cores()
        self.rtol, self.device = rtol, device
        self._check(atol)
        self._device = device_of(device)
        self.rtol = float(rtol)
        shape = (len(model.states),)
        #: Numbers per state, or None where they follow from the model and the schedule: by the size of states if `by_size`.
        self.by_size = isinstance(atol, str)
        fixed = None if isinstance(atol, str) else atol
        self.atol = None if fixed is None else np.broadcast_to(np.asarray(fixed, dtype=np.float64), shape).copy()
        self._kernels: dict[tuple[str, ...], AnyKernel] = {}
        self._with_infusions: dict[tuple[str, ...], Ensemble] = {}
        self.first_step = 0.01

    def _check(self, atol: ArrayLike | str | None) -> None:
        model = self.model
        problems = [
            Problem("unknown-name", f"{model.name} has no quantity {name!r}", hint=did_you_mean(name, model.names))
            for name in self.outputs
            if name not in model.names
        ]
        try:
            check_tolerances(self.rtol, None if isinstance(atol, str) and atol == BY_SIZE else atol, model.state_names)
        except ConfigError as error:
            problems.extend(error.problems)
        counts_valid = all(
            isinstance(count, (int, np.integer)) and not isinstance(count, bool) and 1 <= count <= most
            for count, most in ((self.threads, 4096), (self.max_steps, 10**12))
        )
        if not counts_valid or (
            self.width is not None and (isinstance(self.width, bool) or self.width not in (1, 2, 4, 8, 16))
        ):
            message = (
                "threads is a whole number from 1 to 4096, max_steps one from 1 on, and width one of 1, 2, 4, 8, 16"
            )
            problems.append(Problem("bad-option", message))
        problems.extend(device_problems(self.device, self.width))
        if problems:
            raise ConfigError(problems)

    @property
    def processor(self) -> str:
        """Name of the processor or graphics card that integrates the patients."""
        return self._device.name

    def kernel(self, ramps: tuple[str, ...] = ()) -> AnyKernel:
        """Return the compiled program, for schedules that change `ramps` linearly.

        Parameters
        ----------
        ramps
            Inputs that change linearly over a time.

        Returns
        -------
        Kernel or GridKernel
            Compiled for this processor or card, or read from the cache.

        Raises
        ------
        ConfigError
            The model has something that only the reference integrator does.

        Examples
        --------
        >>> import betapod
        >>> model = betapod.load_model("topp2000")
        >>> betapod.Ensemble(model).kernel() is not None
        True
        """
        if ramps not in self._kernels:
            self._kernels[ramps] = self._device.kernel(
                self._moved, self.outputs, ramps, self.width, self.cache, self.rtol >= QUICK
            )
        return self._kernels[ramps]

    def run(
        self,
        patients: Mapping[str, ArrayLike] | pd.DataFrame | int,
        times: ArrayLike,
        schedule: Schedule | Sequence[Schedule] | None = None,
        initial: Mapping[str, ArrayLike] | None = None,
        out: NDArray[np.float64] | None = None,
    ) -> EnsembleResult:
        """Integrate patients from time 0 and report them at visits.

        Parameters
        ----------
        patients
            Parameters and inputs that differ from the model's values: name -> (patients,), in the row's unit. Or how many.
        times
            (visits,) days, increasing, from 0 on. A visit at the time of a dose or switch sees the patient just before it.
        schedule
            Doses and switches, the same for all or one per patient.
        initial
            States that start elsewhere: name -> value or (patients,).
        out
            (patients, visits, outputs) array to write to, so that streaming needs no new memory.

        Returns
        -------
        EnsembleResult
            Values (patients, visits, outputs), and how each patient ended.

        Raises
        ------
        ConfigError, ParameterError
            Unknown names, wrong lengths, numbers that are not finite; all at once.

        Examples
        --------
        >>> import betapod
        >>> model = betapod.load_model("topp2000")
        >>> ensemble = betapod.Ensemble(model, ["glucose"])
        >>> result = ensemble.run(3, [0.0, 1.0, 2.0])
        >>> result.values.shape
        (3, 3, 1)
        """
        runner, prepared = self._prepared(patients, times, schedule, initial)
        return runner._integrate(prepared, out)

    def summarise(
        self,
        patients: Mapping[str, ArrayLike] | pd.DataFrame | int,
        times: ArrayLike,
        schedule: Schedule | Sequence[Schedule] | None = None,
        initial: Mapping[str, ArrayLike] | None = None,
        groups: ArrayLike | None = None,
        quantiles: bool = False,
    ) -> EnsembleSummary:
        """Integrate patients as `run` does, and keep moments alone: by group, output and visit.

        Values are reduced where they are computed, so a graphics card sends none of them back, and memory does not grow with the
        patients. The moments are the same, bit for bit, whatever the threads, the memory and the size of a card's grid.

        Parameters
        ----------
        patients, times, schedule, initial
            As in `run`.
        groups
            (patients,) the group of each patient, such as the arm of a trial; None: all are one group.
        quantiles
            Whether to count values in bins too, for `EnsembleSummary.quantile`.

        Returns
        -------
        EnsembleSummary
            Count, mean, standard deviation and range of each output at each visit, and how patients ended.

        Raises
        ------
        ConfigError, ParameterError
            As in `run`; groups that are not one per patient.

        Examples
        --------
        >>> import betapod
        >>> ensemble = betapod.Ensemble(betapod.load_model("topp2000"), ["glucose"], threads=1)
        >>> summary = ensemble.summarise({"S_I": [0.2, 0.4, 0.72]}, [0.0, 365.0], groups=["a", "a", "b"])
        >>> summary.groups, summary.count[:, 1, 0].tolist()
        (('a', 'b'), [2, 1])
        """
        return summarise_prepared(self, self._prepared(patients, times, schedule, initial), groups, quantiles)

    def _prepared(
        self, patients: Any, times: ArrayLike, schedule: Any, initial: Mapping[str, ArrayLike] | None
    ) -> tuple[Ensemble, PreparedPatients]:
        """Return patients that are checked, without infusions and steady states, and the ensemble that integrates them."""
        count, columns = patient_columns(self.model, patients)
        visits = visit_times(times)
        schedules, which = distinct_schedules(self.model, schedule, count)
        starts = initial_states(self.model, initial, count)
        if any(steady.is_steady(item) for item in schedules):
            starts = self._steady(schedules, which, count, columns, starts)
            schedules = [steady.continued(item) for item in schedules]
        end = float(visits[-1])
        atol = np.array([self._absolute(item, end) for item in schedules])
        runner = self
        if infused := infused_states(schedules):
            schedules = [as_switches(self.model, item, end) for item in schedules]
            runner = self._infused(infused)
        return runner, PreparedPatients(count, columns, starts, visits, schedules, which, atol)

    def _absolute(self, schedule: Schedule, end: float) -> NDArray[np.float64]:
        """Return the absolute tolerance of each state under a schedule."""
        if self.atol is not None and self.model.states:
            return self.atol
        return by_size(self._moved, schedule, end, self.rtol) if self.by_size else absolute(self._moved, schedule, end)

    def _integrate(self, who: PreparedPatients, out: NDArray[np.float64] | None) -> EnsembleResult:
        count, visits = who.count, who.visits
        shape = (count, len(visits), len(self.outputs))
        if out is None:
            hint = "Keep fewer outputs or visits, or give the array to write to as out."
            check_size(count, len(visits) * len(self.outputs), MOST_ENSEMBLE_VALUES, "patients", hint)
            out = np.empty(shape)
        elif not isinstance(out, np.ndarray):
            raise ConfigError(wrong("out", out, f"an array of float64 {shape}", "bad-out"))
        elif out.shape != shape or out.dtype != np.float64 or not out.flags.c_contiguous or not out.flags.writeable:
            raise ConfigError(
                Problem("bad-out", "out does not fit", found=f"{out.dtype} {out.shape}", expected=f"float64 {shape}")
            )
        kernel, run = self._run_arrays(who, out)
        vector_steps = self._device.integrate(kernel, run, self.threads, self.cache)
        fail_impossible(self.model, self.outputs, run, out, visits)
        return EnsembleResult(
            values=out,
            names=self.outputs,
            units={name: self.model.units.get(name, "") for name in self.outputs},
            times=visits,
            status=run.status,
            ended_at=run.ended_at,
            event=run.event,
            steps=run.steps,
            rejected=run.rejected,
            event_names=tuple(event.name for event in self.model.events),
            state_names=self.model.state_names,
            last=run.last[:, : len(self.model.states)],
            rtol=self.rtol,
            atol=np.min(who.atol, axis=0)[: len(self.model.states)],
            vector_steps=vector_steps,
            width=kernel.width,
            again=SamePatients(self, who.columns, who.starts, who.schedules, who.which, visits),
            otherwise=SecondPath(self.model, self.outputs, visits, who.columns, who.starts, who.schedules, who.which),
            time_unit=self.model.time_unit,
        )

    def _run_arrays(self, who: PreparedPatients, out: NDArray[np.float64]) -> tuple[AnyKernel, RunArrays]:
        """Return the program for patients, and what it reads and writes."""
        ramps = ramped_inputs(self._moved, who.schedules)
        kernel = self.kernel(ramps)
        tables = timeline(self._moved, who.schedules, who.which, who.visits, ramps)
        control = StepControl(self.rtol, self.max_steps, self.first_step)
        return kernel, RunArrays(
            self._moved, kernel.parameters, tables, who.columns, who.starts, who.visits, out, who.atol, control
        )

    def _reduce(self, who: PreparedPatients, reduction: Reduction) -> None:
        """Integrate patients, the first of whom begins a block, and add what comes of it to what is kept."""
        kernel, run = self._run_arrays(who, np.empty((who.count, len(who.visits), len(self.outputs))))
        self._device.integrate(kernel, run, self.threads, self.cache, reduction)

    def _infused(self, states: tuple[str, ...]) -> Ensemble:
        """Return the ensemble of the model with inputs for infusions into some states."""
        if states not in self._with_infusions:
            self._with_infusions[states] = Ensemble(
                with_infusions(self.model, states),
                self.outputs,
                self.rtol,
                BY_SIZE if self.by_size else self.atol,
                self.width,
                self.threads,
                self.cache,
                self.max_steps,
                self.device,
            )
        return self._with_infusions[states]

    def _finer(self, outputs: Sequence[str], rtol: float, atol: ArrayLike) -> Ensemble:
        """Return the same ensemble at another tolerance, with more steps to take."""
        steps = max(self.max_steps, 10**7)
        return Ensemble(self.model, outputs, rtol, atol, self.width, self.threads, self.cache, steps, self.device)

    def _steady(
        self,
        schedules: list[Schedule],
        which: NDArray[np.int64],
        count: int,
        columns: dict[str, NDArray[np.float64]],
        starts: dict[str, NDArray[np.float64]],
    ) -> dict[str, NDArray[np.float64]]:
        """Return the start of every state, where the schedule says so in the steady state of its doses."""
        names = self.model.state_names
        fine = self._finer(names, steady.RTOL, 1e-15)
        states = fine.run(columns or count, [0.0], None, starts).values[:, 0, :].copy()
        for number, schedule in enumerate(schedules):
            patients = np.flatnonzero(which == number)
            if not steady.is_steady(schedule) or not len(patients):
                continue
            steady.check_steady(self.model, schedule)
            train, length = steady.dosing_interval(schedule)
            who = {name: column[patients] for name, column in columns.items()} or len(patients)

            def one_interval(
                x: NDArray[np.float64],
                who: Any = who,
                train: Schedule = train,
                length: float = length,
            ) -> NDArray[np.float64]:
                start = {name: np.ascontiguousarray(x[:, k]) for k, name in enumerate(names)}
                return fine.run(who, [0.0, length], train, start).values[:, -1, :]

            states[patients] = steady.settled(self.model, states[patients], one_interval)
        return {name: np.ascontiguousarray(states[:, k]) for k, name in enumerate(names)}
