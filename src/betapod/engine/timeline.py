"""Turn the schedules of many patients into the tables that the compiled loop reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..model.assembly.model import Model
from .schedule import Schedule
from .segments import Moments, ramps_of, stretches


@dataclass(frozen=True)
class Timeline:
    """Segments of all schedules, one after another.

    Attributes
    ----------
    schedule
        (patients,) which schedule each patient has.
    offsets
        (schedules + 1,) first segment of each schedule.
    switched
        Inputs that some schedule changes.
    switch_fixed, switch_factor
        (segments, switched): the input's value at the start of a segment is fixed + factor times the patient's own value.
    ramp_fixed, ramp_factor
        (segments, ramps): its slope per day likewise.
    dose_offsets
        (segments + 1,) first dose of each segment.
    """

    schedule: NDArray[np.int64]
    offsets: NDArray[np.int64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    switched: tuple[str, ...]
    switch_fixed: NDArray[np.float64]
    switch_factor: NDArray[np.float64]
    ramp_fixed: NDArray[np.float64]
    ramp_factor: NDArray[np.float64]
    dose_offsets: NDArray[np.int64]
    dose_state: NDArray[np.int64]
    dose_amount: NDArray[np.float64]


def ramped_inputs(model: Model, schedules: Sequence[Schedule]) -> tuple[str, ...]:
    """Return the inputs that the program for some schedules can change linearly: none, or all as soon as one of them is changed so.

    So one program serves whatever is ramped. It costs a few per cent more than one for exactly these inputs, which would be compiled anew.
    """
    ramps = any(switch.width > 0 for schedule in schedules for switch in schedule.switches)
    return tuple(sorted(model.inputs)) if ramps else ()


def timeline(
    model: Model,
    schedules: Sequence[Schedule],
    which: NDArray[np.int64],
    visits: NDArray[np.float64],
    ramps: Sequence[str],
) -> Timeline:
    """Return the tables of schedules that end with the last visit.

    Values within a schedule are linear in the patient's own value of the input, so two probes give the two numbers needed.
    """
    switched = tuple(sorted({switch.input for schedule in schedules for switch in schedule.switches}))
    base = model.values()
    # The others stay as they are throughout.
    own_values = np.array([base[name] if base[name] != 0.0 else 1.0 for name in switched], dtype=np.float64)
    probes = (dict.fromkeys(switched, 0.0), dict(zip(switched, own_values.tolist(), strict=True)))
    moments = Moments(float(visits[-1]), visits)
    by_times: dict[tuple[object, ...], list[int]] = {}
    for number, schedule in enumerate(schedules):
        by_times.setdefault(_times(schedule), []).append(number)
    cut = [
        (np.array(numbers), _Stretches.of([schedules[number] for number in numbers], moments, probes))
        for numbers in by_times.values()
    ]
    offsets = _offsets(len(schedules), [(numbers, np.array(len(alike.starts))) for numbers, alike in cut])
    count = int(offsets[-1])
    placed = [(offsets[numbers][:, None] + np.arange(len(alike.starts)), alike) for numbers, alike in cut]
    dose_offsets = _offsets(count, [(rows, np.array([len(doses) for doses in alike.doses])) for rows, alike in placed])
    start, end = np.empty(count), np.empty(count)
    values, slopes = (np.empty((2, count, len(switched))) for _ in range(2))
    dose_state = np.empty(int(dose_offsets[-1]), dtype=np.int64)
    dose_amount = np.empty(len(dose_state))
    index = {name: i for i, name in enumerate(model.state_names)}
    for rows, alike in placed:
        start[rows], end[rows] = alike.starts, alike.ends
        values[:, rows], slopes[:, rows] = alike.values, alike.slopes
        for column, doses in enumerate(alike.doses):
            for number, (state, amounts) in enumerate(doses):
                places = dose_offsets[rows[:, column]] + number
                dose_state[places], dose_amount[places] = index[state], amounts
    # What no schedule switches has no slope.
    ramp_fixed, ramp_factor = (np.zeros((count, len(ramps))) for _ in range(2))
    ramped = [k for k, name in enumerate(switched) if name in ramps]
    columns = [ramps.index(switched[k]) for k in ramped]
    ramp_fixed[:, columns] = slopes[0][:, ramped]
    ramp_factor[:, columns] = ((slopes[1] - slopes[0]) / own_values)[:, ramped]
    return Timeline(
        which,
        offsets,
        start,
        end,
        switched,
        values[0],
        (values[1] - values[0]) / own_values,
        ramp_fixed,
        ramp_factor,
        dose_offsets,
        dose_state,
        dose_amount,
    )


def _times(schedule: Schedule) -> tuple[object, ...]:
    """Return what and when of a schedule: those that are alike in it differ in amounts and values alone."""
    doses = tuple((dose.state, dose.time, dose.ii, dose.addl) for dose in schedule.doses)
    return doses, tuple((switch.input, switch.time, switch.width) for switch in schedule.switches)


def _offsets(count: int, sizes: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> NDArray[np.int64]:
    """Return where each of some lists begins that stand one after another, and the end of the last; sizes come with their numbers."""
    size = np.empty(count, dtype=np.int64)
    for numbers, of_numbers in sizes:
        size[numbers] = of_numbers
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(size)])


class _SwitchOfAll(NamedTuple):
    """A switch of schedules that are alike, with the value of each."""

    input: str
    value: Any
    width: float


@dataclass(frozen=True)
class _Stretches:
    """Stretches of time of schedules that are alike but for amounts and values.

    Attributes
    ----------
    starts, ends
        (stretches,).
    values, slopes
        (probes, schedules, stretches, inputs).
    doses
        For each stretch, states with the amount of each schedule.
    """

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    values: NDArray[np.float64]
    slopes: NDArray[np.float64]
    doses: list[tuple[tuple[str, Any], ...]]

    @classmethod
    def of(
        cls, schedules: Sequence[Schedule], moments: Moments, probes: tuple[Mapping[str, float], Mapping[str, float]]
    ) -> _Stretches:
        """Cut the time of schedules, each number of which becomes an array over them."""
        first = schedules[0]
        dose_times, switch_times = moments.of(first)
        doses: dict[float, list[tuple[str, Any]]] = {}
        for number, times in enumerate(dose_times):
            amounts = _of_all([schedule.doses[number].amount for schedule in schedules])
            for time in times:
                if 0.0 <= time < moments.end:
                    doses.setdefault(time, []).append((first.doses[number].state, amounts))
        switches: list[Any] = list(first.switches)
        if len(schedules) > 1:
            switches = [
                _SwitchOfAll(
                    switch.input, _of_all([schedule.switches[number].value for schedule in schedules]), switch.width
                )
                for number, switch in enumerate(first.switches)
            ]
        changes = [(begin, finish, switches[number]) for number, begin, finish in switch_times]
        segments = [stretches(ramps_of(changes, inputs), inputs, doses, 0.0, moments.end) for inputs in probes]
        shape = len(schedules), len(segments[0]), len(probes[0])
        return cls(
            np.array([segment.start for segment in segments[0]]),
            np.array([segment.end for segment in segments[0]]),
            _table([[segment.values for segment in of_probe] for of_probe in segments], shape),
            _table([[segment.slopes for segment in of_probe] for of_probe in segments], shape),
            [segment.doses for segment in segments[0]],
        )


def _of_all(numbers: list[float]) -> Any:
    """Return the number of each schedule, or the number itself where there is one schedule."""
    return np.array(numbers, dtype=np.float64) if len(numbers) > 1 else numbers[0]


def _table(by_probe: list[list[Mapping[str, Any]]], shape: tuple[int, int, int]) -> NDArray[np.float64]:
    """Return numbers by input, each of one schedule or of all, as (probes, schedules, stretches, inputs)."""
    if shape[0] == 1:
        rows = [[list(numbers.values()) for numbers in of_probe] for of_probe in by_probe]
        return np.array(rows, dtype=np.float64).reshape(len(by_probe), *shape)
    table = np.empty((len(by_probe), *shape))
    for probe, of_probe in enumerate(by_probe):
        for row, numbers in enumerate(of_probe):
            for column, number in enumerate(numbers.values()):
                table[probe, :, row, column] = number
    return table
