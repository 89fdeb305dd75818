"""Data of a simulated trial: observed measurements, and the true courses behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.display import Displayed
from ...base.errors import ConfigError, Problem, not_among
from ...hazards.outcome_rates import OUTCOMES
from ...observables.quantities import Numbers, Observable, visit_observables
from ..protocol.endpoint_keys import KIDNEY_FAILURE, trial_outcomes
from .parts_of_change import parts_of_change
from .trial_effects import failed_by_cells, kidney_loss, rescue_shift, trial_shift

if TYPE_CHECKING:
    import pandas as pd

    from ..protocol.protocol import Protocol
    from .patient_pool import Pool

#: Disposition of a patient (CDISC DS), by code.
DISPOSITIONS = ("completed", "discontinued", "died")

#: Strategies for rescue that say which values count (ICH E9 R1); the composite strategy is the endpoint's.
STRATEGIES = ("treatment policy", "hypothetical", "while on treatment")


@dataclass(frozen=True, repr=False)
class TrialData(Displayed):
    """All replicates of one design under one scenario. R replicates, n patients in each, V visits.

    Patient ``j`` of replicate ``r`` is the same virtual patient with the same random numbers under every scenario (common random numbers).

    Attributes
    ----------
    design, scenario
        Names.
    arms, strata, visits
        Names; arrays index them. Without strata there is one, ``all``.
    days
        (V,) nominal days from enrolment.
    codes
        PARAMCD of what was measured; see `quantities.visit_observables`.
    member
        (R, n) which virtual person of the pool; -1 where recruitment failed.
    arm, stratum
        (R, n) indices.
    day
        (R, n, V) day on which a visit took place; NaN where it did not.
    observed
        PARAMCD -> (R, n, V) float32 measurements in the quantity's unit; NaN where the visit did not take place.
    base
        PARAMCD -> (R, n) float32 baseline, as the design defines it (``screening``, ``baseline`` or the mean of both).
    disposition
        (R, n) index into `DISPOSITIONS`; `disposition_day` the day of it, NaN for those who completed.
    rescued
        (R, n) day of rescue therapy; NaN without.
    events
        Name of an adverse event -> (R, n) how often it happened.
    outcome_days
        Name of `harm_events.dated_events` -> (R, n) day of its first event while the patient was in the trial; NaN without.
    later_days
        Name of a cause -> (R, n, most) days of its events after the first while the patient was in the trial, NaN for none; of causes whose
        rates endpoints ask for alone.
    screened
        (R,) candidates screened until recruitment was complete.
    qalys
        (R, n, V) quality-adjusted life-years from enrolment to each visit, planned or not; None where no endpoint asks for them.
    treated_as
        Arm whose treatment the patients of each arm get, in the order of `arms`; empty: their own.
    """

    protocol: Protocol
    design: str
    scenario: str
    arms: tuple[str, ...]
    strata: tuple[str, ...]
    visits: tuple[str, ...]
    days: Numbers
    codes: tuple[str, ...]
    member: NDArray[np.int32]
    arm: NDArray[np.int8]
    stratum: NDArray[np.int8]
    day: NDArray[np.float32]
    observed: Mapping[str, NDArray[np.float32]]
    base: Mapping[str, NDArray[np.float32]]
    disposition: NDArray[np.int8]
    disposition_day: NDArray[np.float32]
    rescued: NDArray[np.float32]
    rescue_rule: NDArray[np.int8]
    effect_draws: Mapping[str, NDArray[np.float32]]
    events: Mapping[str, NDArray[np.int16]]
    outcome_days: Mapping[str, NDArray[np.float32]]
    screened: NDArray[np.int32]
    pool: Pool = field(repr=False)
    qalys: NDArray[np.float32] | None = None
    whole_day: NDArray[np.float32] | None = field(default=None, repr=False)
    treated_as: tuple[str, ...] = ()
    later_days: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return int(self.member.shape[0])

    @property
    def patients(self) -> int:
        """Patients in each replicate."""
        return int(self.member.shape[1])

    @property
    def enrolled(self) -> NDArray[np.bool_]:
        """(R, n) whether the place was filled."""
        return self.member >= 0

    def quantity(self, code: str) -> Observable:
        """Return the observable of a PARAMCD."""
        return visit_observables()[code]

    def visit(self, name: str) -> int:
        """Return the index of a visit."""
        return self.visits.index(name)

    # -- what a sponsor sees -----------------------------------------------------------------------------------------

    def aval(self, code: str, strategy: str = "treatment policy") -> NDArray[np.float32]:
        """Return (R, n, V) measurements under a strategy for rescue (ICH E9 R1).

        Parameters
        ----------
        strategy
            ``treatment policy``: everything measured. ``hypothetical``: nothing after the day of rescue, as if it were missing.
            ``while on treatment``: after the day of rescue the last value measured up to it.
        """
        values = self.observed[code]
        if strategy not in STRATEGIES:
            raise ConfigError(
                not_among(STRATEGIES, "unknown-strategy", f"there is no strategy for rescue {strategy!r}", strategy)
            )
        if strategy == "treatment policy":
            return values
        after = self._when > self.rescued[:, :, None]
        if strategy == "hypothetical":
            return np.where(after, np.float32(np.nan), values)
        return self._carried(np.where(after, np.float32(np.nan), values), after)

    def _carried(self, values: NDArray[np.float32], after: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return values with the last one before it wherever `after`."""
        if self.whole_day is not None:
            raise ConfigError(
                Problem("missing-visits", "the last value on treatment cannot be found from a subset of the visits")
            )
        carried, last = values.copy(), np.full(values.shape[:2], np.nan, dtype=np.float32)
        for v in range(values.shape[2]):
            last = np.where(np.isfinite(values[:, :, v]), values[:, :, v], last)
            carried[:, :, v] = np.where(after[:, :, v], last, values[:, :, v])
        return carried

    def change(self, code: str, strategy: str = "treatment policy") -> Numbers:
        """Return (R, n, V) change from baseline: of the logarithm where the scale is ``log`` (its exponential is the ratio)."""
        quantity = self.quantity(code)
        values = quantity.forward(self.aval(code, strategy).astype(np.float64))
        return values - quantity.forward(self.base[code].astype(np.float64))[:, :, None]

    @cached_property
    def kidney_failure(self) -> NDArray[np.float32]:
        """(R, n) day on which the kidneys fail within follow-up; NaN without, and after the patient has left or died."""
        failure_day = np.full(self.member.shape, np.inf)
        for index, name in enumerate(self.treated_as or self.arms):
            in_arm = (self.arm == index) & self.enrolled
            failure_day[in_arm] = self.pool.failed[self.pool.key(name, "cells", self.scenario)][self.member[in_arm]]
        failure_day = np.fmin(failure_day, failed_by_cells(self.pool, self.member, self.outcome_days))
        gone = failure_day > np.where(np.isnan(self.disposition_day), np.inf, self.disposition_day)
        return np.where(np.isinf(failure_day) | gone, np.nan, failure_day).astype(np.float32)

    def outcome_day(self, outcome: str) -> Numbers:
        """Return (R, n) day of an outcome of `hazards.outcome_rates.OUTCOMES`, of ``kidney_failure``, or of health, seen in the trial; NaN without.

        Raises
        ------
        ConfigError
            There is no such outcome.
        """
        if outcome == KIDNEY_FAILURE:
            return self.kidney_failure.astype(np.float64)
        if outcome not in OUTCOMES and outcome in self.outcome_days:
            return self.outcome_days[outcome].astype(np.float64)
        if outcome not in OUTCOMES:
            raise ConfigError(
                not_among(trial_outcomes(), "unknown-outcome", f"there is no outcome {outcome!r}", outcome)
            )
        days = [self.outcome_days[cause].astype(np.float64) for cause in OUTCOMES[outcome]]
        return np.asarray(np.fmin.reduce(days))

    # -- what no sponsor sees ----------------------------------------------------------------------------------------

    def true(self, code: str) -> Numbers:
        """Return (R, n, V) the person's own value on the day of the visit (nominal day where missed); NaN after death."""
        return self.quantity(code).backward(self._whole(code, "cells"))

    def counterfactual(self, code: str) -> Numbers:
        """Return (R, n, V) the same person's value with the same random numbers and arm but without cells."""
        return self.quantity(code).backward(self._whole(code, "co-medication"))

    def effect(self, code: str) -> Numbers:
        """Return (R, n, V) the true effect of cells: of the logarithm where the scale is ``log``."""
        difference = self._stage(code, "cells") - self._stage(code, "co-medication")
        return np.where(self._dead, np.nan, difference)

    def treatment(self, code: str) -> Numbers:
        """Return (R, n, V) the true effect of the own arm's therapies and inputs: of the logarithm where the scale is ``log``.

        The same person with the same random numbers without them; neither has cells or co-medication.
        """
        difference = self._stage(code, "care") - self._stage(code, "run-in")
        return np.where(self._dead, np.nan, difference)

    def contrast(self, code: str, treated: str, control: str) -> Numbers:
        """Return (R, n, V) the true difference of two arms in every patient: same person and random numbers in either.

        Of the logarithm where the scale is ``log``. It holds all that the arms give (cells, therapies, inputs), with
        co-medication; neither rescue nor the effect of being in the trial. NaN after death, and after kidney failure in either.
        """
        keep, (below, share) = self.enrolled, self._grid_position
        first, second = (
            self.pool.read(
                self.pool.key(arm, "cells", self.scenario), code, self.member[keep], (below[keep], share[keep])
            )
            for arm in (treated, control)
        )
        difference = np.full(share.shape, np.nan)
        difference[keep] = first - second
        return np.where(self._dead, np.nan, difference)

    def parts(self, code: str) -> dict[str, Numbers]:
        """Return the parts of the observed change, name of `parts_of_change.PARTS` -> (R, n, V); their sum is `change` exactly.

        Of one visit only: ``data.at("month 6").parts(code)``.

        On the scale of `change`. Parts are differences between simulations of the same person in which one thing is added after
        the other, in that order; NaN where nothing was measured.
        """
        quantity = self.quantity(code)
        return parts_of_change(
            quantity.forward(self.observed[code].astype(np.float64)),
            quantity.forward(self.base[code].astype(np.float64)),
            ~np.isfinite(self.observed[code]),
            {stage: self._stage(code, stage) for stage in self.pool.STAGES},
            self._baseline_true(code),
            self._extra(code),
        )

    @property
    def table(self) -> pd.DataFrame:
        """`frame` with every replicate and quantity."""
        return self.frame()

    def frame(
        self, replicates: Sequence[int] | None = None, codes: Sequence[str] | None = None, truth: bool = True
    ) -> pd.DataFrame:
        """Return a long table: replicate, patient, member, arm, stratum, visit, AVISITN, ADY, PARAMCD, AVAL, BASE, CHG.

        ``CHG`` is AVAL minus BASE in the unit, ``LOGCHG`` the difference of logarithms (NaN on the linear scale). With `truth` also
        ``TRUE`` and ``COUNTERFACTUAL`` (same random numbers, no cells). Visits that did not take place have rows without AVAL.

        Parameters
        ----------
        replicates, codes
            Which ones; all by default.
        """
        from .trial_tables import long_table

        return long_table(self, replicates, codes, truth)

    def people(self, replicates: Sequence[int] | None = None) -> pd.DataFrame:
        """Return one row per patient: replicate, patient, member, arm, stratum, characteristics, baseline values, how it ended."""
        from .trial_tables import patient_table

        return patient_table(self, replicates, DISPOSITIONS)

    def select(self, replicates: Sequence[int] | NDArray[np.integer]) -> TrialData:
        """Return some of the replicates."""
        from dataclasses import replace

        k = np.asarray(replicates)
        return replace(
            self,
            member=self.member[k],
            arm=self.arm[k],
            stratum=self.stratum[k],
            day=self.day[k],
            whole_day=None if self.whole_day is None else self.whole_day[k],
            observed={code: values[k] for code, values in self.observed.items()},
            base={code: values[k] for code, values in self.base.items()},
            disposition=self.disposition[k],
            disposition_day=self.disposition_day[k],
            rescued=self.rescued[k],
            rescue_rule=self.rescue_rule[k],
            effect_draws={name: values[k] for name, values in self.effect_draws.items()},
            events={name: values[k] for name, values in self.events.items()},
            outcome_days={name: values[k] for name, values in self.outcome_days.items()},
            later_days={name: values[k] for name, values in self.later_days.items()},
            screened=self.screened[k],
            qalys=None if self.qalys is None else self.qalys[k],
        )

    def at(self, *visits: str) -> TrialData:
        """Return the same with these visits only, for what takes long for all; baselines stay."""
        from dataclasses import replace

        kept = [self.visit(name) for name in visits]
        return replace(
            self,
            visits=tuple(visits),
            days=self.days[kept],
            day=self.day[:, :, kept],
            qalys=None if self.qalys is None else self.qalys[:, :, kept],
            observed={code: values[:, :, kept] for code, values in self.observed.items()},
            whole_day=self._all_days,
        )

    # -- inside ------------------------------------------------------------------------------------------------------

    @cached_property
    def _when(self) -> Numbers:
        """(R, n, V) day of each visit, the nominal one where it was missed."""
        return np.where(np.isfinite(self.day), self.day.astype(np.float64), self.days)

    @cached_property
    def _grid_position(self) -> tuple[NDArray[np.intp], Numbers]:
        return self.pool.grid_position(self._when)

    @property
    def _all_days(self) -> NDArray[np.float32]:
        """(R, n, visits of the protocol) days, also where only some visits are kept."""
        return self.day if self.whole_day is None else self.whole_day

    @cached_property
    def _dead(self) -> NDArray[np.bool_]:
        died: NDArray[np.bool_] = self.disposition == DISPOSITIONS.index("died")
        dead: NDArray[np.bool_] = died[:, :, None] & (self._when > self.disposition_day[:, :, None])
        return dead

    def _stage(self, code: str, stage: str, when: Numbers | None = None) -> Numbers:
        """Return (R, n, V) the transformed true value of each patient in its own arm at a stage."""
        below, share = self._grid_position if when is None else self.pool.grid_position(when)
        values = np.full(share.shape, np.nan)
        for index, name in enumerate(self.treated_as or self.arms):
            key = self.pool.key(name, stage, self.scenario)
            in_arm = (self.arm == index) & self.enrolled
            values[in_arm] = self.pool.read(key, code, self.member[in_arm], (below[in_arm], share[in_arm]))
        if stage == "cells":
            values += kidney_loss(self.pool, self.member, self.outcome_days, code, self._when if when is None else when)
        return values

    def _baseline_true(self, code: str) -> dict[str, Numbers]:
        """Return stage -> (R, n) true value at baseline, averaged as the design does."""
        visits = self.protocol.baseline_visits(self.design)
        nominal = np.array(self.protocol.days)[visits]
        when = self._all_days[:, :, visits].astype(np.float64)
        when = np.where(np.isfinite(when), when, nominal)
        return {stage: np.asarray(self._stage(code, stage, when).mean(axis=2)) for stage in self.pool.STAGES}

    def _extra(self, code: str) -> dict[str, Numbers]:
        return {
            "trial effect": trial_shift(
                self.protocol, self.treated_as or self.arms, code, self.arm, self._when, self.effect_draws
            ),
            "rescue": rescue_shift(self.pool, self.member, self.rescue_rule, self.rescued, code, self._when),
        }

    def _whole(self, code: str, stage: str) -> Numbers:
        extra = self._extra(code)
        values = self._stage(code, stage) + extra["trial effect"] + extra["rescue"]
        return np.where(self._dead, np.nan, values)
