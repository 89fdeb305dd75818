"""One design of a trial as it is drawn: who is enrolled, what is measured, who leaves; draws are shared by designs of one size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...base.config import read_quantity
from ...base.constants import DAYS_PER_YEAR
from ...base.randomness import Stream
from ...hazards.outcome_rates import CAUSES
from ...hazards.risk import hazard_values
from ...observables.ckd_epi import ckd_epi_2021
from ...observables.quantities import Numbers, code_of, label_of, observable_unit, visit_observables
from ..protocol import randomise
from . import eligibility
from .harm_events import DrawnOutcomes, draw_outcomes
from .measurement import measure_at_visit
from .patient_pool import Pool
from .trial_data import TrialData
from .trial_effects import kidney_loss, rescue_shift, trial_shift

if TYPE_CHECKING:
    from ..protocol.protocol import Protocol


#: Fields of `TrialData` by patient: arrays, and mappings of arrays; ``qalys`` besides, where they are counted.
PATIENT_ARRAYS = ("member", "arm", "stratum", "day", "disposition", "disposition_day", "rescued", "rescue_rule")
PATIENT_TABLES = ("observed", "base", "effect_draws", "events", "outcome_days", "later_days")
#: Replicates that are computed together at most.
SHARD = 125
#: Patients that are computed together at most, unless one trial has more.
_PATIENTS = 8000


def shards(protocol: Protocol) -> list[range]:
    """Return the parts in which replicates are computed: fewer in each where trials are large."""
    largest = max(protocol.size(design) for design in protocol.designs)
    size = max(1, min(SHARD, _PATIENTS // largest))
    return [range(first, min(first + size, protocol.replicates)) for first in range(0, protocol.replicates, size)]


class SharedDraws:
    """Draws common to all designs of one size, whatever the arms: enrolled patients, visit days, measurement errors, disposition."""

    def __init__(self, protocol: Protocol, pool: Pool, design: str, part: range) -> None:
        self.protocol, self.pool, self.part = protocol, pool, part
        self.seed, self.size = protocol.seed, protocol.size(design)
        self.shape = (len(part), self.size)
        self.days = np.array(protocol.days, dtype=np.float64)
        self.recruited = eligibility.recruit(protocol, pool, design, self.seed, part)
        self.member = np.maximum(self.recruited.member, 0)
        self.when = self._when()
        self.grid_position = pool.grid_position(self.when)
        visits = range(len(self.days))
        self.noise = {c: np.stack([self.normal(f"measure:{c}", v) for v in visits], axis=2) for c in self.sampled_codes}
        self.effects = {
            str(k): self.normal(f"effect:{k}").astype(np.float32) for k in range(len(protocol.conduct.effects))
        }
        self.leaving = _exponential(self.uniform("drop-out"), np.full(self.shape, protocol.conduct.drop_out))
        self.missed = self._missed()
        self.thresholds = {cause: -np.log(self.uniform(f"hazard:{cause}")) for cause in CAUSES}
        self.study = self._study_factor()

    @property
    def sampled_codes(self) -> list[str]:
        """What is measured itself: all but eGFR, which is computed from creatinine."""
        return [code for code in self.protocol.codes if code != "EGFR"]

    def uniform(self, purpose: str, item: int = 0) -> Numbers:
        return randomise.numbers(self.seed, f"trial:{purpose}", self.part, self.size, item)

    def normal(self, purpose: str, item: int = 0) -> Numbers:
        first, last = self.part.start * self.size, self.part.stop * self.size
        return Stream(self.seed, f"trial:{purpose}").normal(range(first, last), item).reshape(self.shape)

    def _when(self) -> Numbers:
        """(R, n, V) day on which each visit would take place."""
        windows = np.array([visit.window for visit in self.protocol.visits])
        when = np.broadcast_to(self.days, (*self.shape, len(self.days))).copy()
        for v in np.flatnonzero(windows > 0):
            when[:, :, v] += windows[v] * (2.0 * self.uniform("visit day", int(v)) - 1.0)
        # Days are kept in single precision: courses are read on the very same days later.
        return when.astype(np.float32).astype(np.float64)

    def _missed(self) -> NDArray[np.bool_]:
        """(R, n, V) visits that are missed by chance."""
        missed = np.zeros(self.when.shape, dtype=bool)
        for v in np.flatnonzero(self.days > 0):
            missed[:, :, v] = self.uniform("missed visit", int(v)) < self.protocol.conduct.missed_visits
        return missed | (self.recruited.member < 0)[:, :, None]

    def _study_factor(self) -> Numbers:
        """(R, 1) absolute rates of each trial relative to those of like trials, with a mean of 1; the same in all arms."""
        spread = hazard_values()["between_studies"]
        normal = Stream(self.seed, "trial:rates of the study").normal(self.part)
        return np.asarray(np.exp(spread * normal - 0.5 * spread**2))[:, None]


class DrawnDesign:
    """One design, on draws that it shares with other designs of its size.

    Parameters
    ----------
    treated_as
        Arm -> arm whose treatment its patients get instead; their own by default.
    """

    def __init__(self, draws: SharedDraws, design: str, treated_as: Mapping[str, str] | None = None) -> None:
        self.draws, self.protocol, self.pool, self.design = draws, draws.protocol, draws.pool, design
        shape = self.protocol.designs[design]
        self.arms = tuple(shape.arms)
        self.treated_as = tuple((treated_as or {}).get(arm, arm) for arm in self.arms)
        how, stratum = shape.randomisation, draws.recruited.stratum
        groups = stratum if how.stratified else np.zeros_like(stratum)
        self.arm = randomise.allocate(how.method, list(shape.arms.values()), groups, draws.seed, draws.part, how.block)

    def data(self, scenario: str) -> TrialData:
        draws, protocol = self.draws, self.protocol
        drawn = draw_outcomes(draws, self.arm, self.treated_as, scenario)
        true = self._true(scenario, drawn)
        measured = self._measured(true)
        data = TrialData(
            protocol, self.design, scenario, self.arms, tuple(protocol.strata) or ("all",),
            tuple(visit.name for visit in protocol.visits), draws.days, protocol.codes,
            draws.recruited.member, self.arm, draws.recruited.stratum, self._attended(drawn.disposition_day), {}, {}, drawn.disposition, drawn.disposition_day,
            np.full(draws.shape, np.nan, dtype=np.float32), np.full(draws.shape, -1, dtype=np.int8),
            draws.effects, drawn.events, drawn.days, draws.recruited.screened, self.pool, drawn.qalys, treated_as=self.treated_as, later_days=drawn.later,
        )  # fmt: skip
        self._rescue(data, measured, true)
        return self._finished(data, measured)

    def _attended(self, disposition_day: NDArray[np.float32]) -> NDArray[np.float32]:
        """(R, n, V) day of visits that took place, NaN for others."""
        draws = self.draws
        last = np.where(np.isnan(disposition_day), np.inf, disposition_day)[:, :, None]
        return np.where(draws.missed | (draws.when > last), np.nan, draws.when).astype(np.float32)

    def _true(self, scenario: str, drawn: DrawnOutcomes) -> dict[str, Numbers]:
        """Return code -> (R, n, V) true value before rescue, on the quantity's scale."""
        draws, values_by_code = self.draws, {}
        below, share = draws.grid_position
        for code in draws.sampled_codes:
            values = np.empty(draws.when.shape)
            for index, name in enumerate(self.treated_as):
                in_arm = self.arm == index
                key = self.pool.key(name, "cells", scenario)
                values[in_arm] = self.pool.read(key, code, draws.member[in_arm], (below[in_arm], share[in_arm]))
            lost = kidney_loss(self.pool, draws.member, drawn.days, code, draws.when)
            values_by_code[code] = values + self._shift(code) + lost
        return values_by_code

    def _shift(self, code: str) -> Numbers:
        return trial_shift(self.protocol, self.treated_as, code, self.arm, self.draws.when, self.draws.effects)

    def _measured(self, true: dict[str, Numbers]) -> dict[str, Numbers]:
        draws, measured = self.draws, {}
        for code in draws.sampled_codes:
            values = visit_observables()[code].backward(true[code])
            measured[code] = measure_at_visit(self.protocol, self.pool, code, values, draws.noise[code], draws.member)
        if "EGFR" in self.protocol.codes:
            age = self.pool.people["AGE"][draws.member][:, :, None] + draws.when / DAYS_PER_YEAR
            female = self.pool.people["FEMALE"][draws.member][:, :, None]
            measured["EGFR"] = ckd_epi_2021(measured["CREAT"], age, female) + self._shift("EGFR")
        return measured

    def _rescue(self, data: TrialData, measured: dict[str, Numbers], true: dict[str, Numbers]) -> None:
        """Find rescued patients, and add the effect of rescue to their later visits; one rescue per patient."""
        draws, present = self.draws, np.isfinite(data.day)
        for rule, item in enumerate(self.protocol.conduct.rescue):
            code = code_of(item.quantity)
            threshold = item.above if item.above is not None else item.below
            bound = read_quantity(threshold, observable_unit(code), label_of(code), bare=observable_unit(code) == "1")
            with np.errstate(invalid="ignore"):
                beyond = measured[code] > bound if item.above is not None else measured[code] < bound
            beyond &= present & (draws.days > 0)
            needed = beyond.any(axis=2)
            day = np.take_along_axis(data.day, np.argmax(beyond, axis=2)[:, :, None], axis=2)[:, :, 0]
            sooner = needed & ~(data.rescued <= day)
            data.rescued[sooner], data.rescue_rule[sooner] = day[sooner], rule
        if np.isfinite(data.rescued).any():
            # Up to the day of rescue nothing has changed; computing it again gives the same numbers.
            measured |= self._measured(
                {
                    code: true[code]
                    + rescue_shift(self.pool, data.member, data.rescue_rule, data.rescued, code, draws.when)
                    for code in draws.sampled_codes
                }
            )

    def _finished(self, data: TrialData, measured: dict[str, Numbers]) -> TrialData:
        from dataclasses import replace

        for code, values in self.draws.recruited.measured.items():
            if code in measured:
                measured[code][:, :, self.protocol.screening_visits] = values
        absent = ~np.isfinite(data.day)
        observed = {}
        for code in self.protocol.codes:
            observed[code] = measured[code].astype(np.float32)
            observed[code][absent] = np.nan
        selected_names = self.protocol.baseline_visits(self.design)
        base = {}
        for code, kept in observed.items():
            quantity = visit_observables()[code]
            mean = quantity.forward(kept[:, :, selected_names].astype(np.float64)).mean(axis=2)
            base[code] = quantity.backward(mean).astype(np.float32)
        return replace(data, observed=observed, base=base)


def _exponential(uniform: Numbers, rate: Numbers) -> Numbers:
    """Return days until an event with a rate per year; infinite where the rate is 0."""
    with np.errstate(divide="ignore"):
        days: Numbers = -np.log(uniform) / rate * DAYS_PER_YEAR
    return days


def widened(parts: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return arrays (R, n, most) of several parts with NaN after each, so that their last axes are alike; others as they are."""
    if parts[0].ndim < 3 or len({part.shape[-1] for part in parts}) == 1:
        return list(parts)
    most = max(part.shape[-1] for part in parts)
    return [
        np.pad(part, [*[(0, 0)] * (part.ndim - 1), (0, most - part.shape[-1])], constant_values=np.nan)
        for part in parts
    ]


def joined(parts: Sequence[TrialData]) -> TrialData:
    """Return parts of one design and scenario, one after another, as one."""
    from dataclasses import replace

    first = parts[0]
    if len(parts) == 1:
        return first
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in (*PATIENT_ARRAYS, "screened")
    }
    tables: dict[str, Any] = {
        name: {
            key: np.concatenate(widened([getattr(part, name)[key] for part in parts])) for key in getattr(first, name)
        }
        for name in PATIENT_TABLES
    }
    if first.qalys is not None:
        arrays["qalys"] = np.concatenate([part.qalys for part in parts if part.qalys is not None])
    return replace(first, **arrays, **tables)
