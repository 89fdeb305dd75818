"""Turn the schedules of many patients into the tables that the compiled loop reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..model.assembly.model import Model
from .schedule import Schedule
from .segments import Moments


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
    end = float(visits[-1])
    switched = tuple(sorted({switch.input for schedule in schedules for switch in schedule.switches}))
    base = model.values()
    # The others stay as they are throughout.
    probe = {name: base[name] if base[name] != 0.0 else 1.0 for name in switched}
    zero = dict.fromkeys(switched, 0.0)
    index = {name: i for i, name in enumerate(model.state_names)}
    offsets, starts, ends, dose_offsets, states, amounts = [0], [], [], [0], [], []
    values: tuple[list[list[float]], list[list[float]]] = ([], [])
    slopes: tuple[list[list[float]], list[list[float]]] = ([], [])
    moments = Moments(end, visits)
    for schedule in schedules:
        both = schedule.segments_at(moments, [zero, probe])
        for segments, of_values, of_slopes in zip(both, values, slopes, strict=True):
            of_values += [list(segment.values.values()) for segment in segments]
            of_slopes += [list(segment.slopes.values()) for segment in segments]
        for segment in both[0]:
            starts.append(segment.start)
            ends.append(segment.end)
            states += [index[state] for state, _ in segment.doses]
            amounts += [amount for _, amount in segment.doses]
            dose_offsets.append(len(states))
        offsets.append(len(starts))
    own_values = np.array([probe[name] for name in switched], dtype=np.float64)
    switch, switch_factor = _linear(values, own_values)
    # What no schedule switches has no slope.
    ramp, ramp_factor = (np.zeros((len(starts), len(ramps))) for _ in range(2))
    ramped = [k for k, name in enumerate(switched) if name in ramps]
    columns = [ramps.index(switched[k]) for k in ramped]
    ramp[:, columns], ramp_factor[:, columns] = (table[:, ramped] for table in _linear(slopes, own_values))
    return Timeline(
        which,
        np.array(offsets, dtype=np.int64),
        np.array(starts, dtype=np.float64),
        np.array(ends, dtype=np.float64),
        switched,
        switch,
        switch_factor,
        ramp,
        ramp_factor,
        np.array(dose_offsets, dtype=np.int64),
        np.array(states, dtype=np.int64),
        np.array(amounts, dtype=np.float64),
    )


def _linear(
    at_zero_and_probe: tuple[list[list[float]], list[list[float]]], own_values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is fixed, and what is gained per unit of the patient's own value, each (segments, inputs)."""
    fixed, at_probe = (
        np.array(rows, dtype=np.float64).reshape(len(rows), len(own_values)) for rows in at_zero_and_probe
    )
    return fixed, (at_probe - fixed) / own_values
