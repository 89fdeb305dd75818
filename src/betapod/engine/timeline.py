"""Turn the schedules of many patients into the tables that the compiled loop reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    tables: dict[str, list[list[float]]] = {name: [] for name in ("switch", "switch1", "ramp", "ramp1")}
    moments = Moments(end, visits)
    for schedule in schedules:
        first, second = schedule.segments_at(moments, [zero, probe])
        for a, b in zip(first, second, strict=True):
            starts.append(a.start)
            ends.append(a.end)
            tables["switch"].append([a.values[name] for name in switched])
            tables["switch1"].append(_factors(a.values, b.values, probe, switched))
            tables["ramp"].append([a.slopes.get(name, 0.0) for name in ramps])
            tables["ramp1"].append(_factors(a.slopes, b.slopes, probe, ramps))
            states += [index[state] for state, _ in a.doses]
            amounts += [amount for _, amount in a.doses]
            dose_offsets.append(len(states))
        offsets.append(len(starts))
    table = {name: np.array(rows, dtype=np.float64).reshape(len(starts), -1) for name, rows in tables.items()}
    return Timeline(
        which,
        np.array(offsets, dtype=np.int64),
        np.array(starts, dtype=np.float64),
        np.array(ends, dtype=np.float64),
        switched,
        table["switch"],
        table["switch1"],
        table["ramp"],
        table["ramp1"],
        np.array(dose_offsets, dtype=np.int64),
        np.array(states, dtype=np.int64),
        np.array(amounts, dtype=np.float64),
    )


def _factors(
    at_zero: Mapping[str, float], at_probe: Mapping[str, float], probe: Mapping[str, float], names: Sequence[str]
) -> list[float]:
    """Return what each value gains per unit of the patient's own; an input that nothing switches has no slope."""
    return [(at_probe[name] - at_zero[name]) / probe[name] if name in probe else 0.0 for name in names]
