"""How many patients a trial needs for a power: sizes are tried by simulation, each with as many trials as decide about it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.display import Displayed
from ...base.errors import ConfigError, Problem
from ..analysis.controlled import analyse
from ..analysis.endpoints import Comparison, comparisons
from ..conduct.conduct import adapted, conduct, selected_names
from ..conduct.drawn_design import joined, shards
from ..conduct.feasibility import refuse_nobody
from ..conduct.pool_build import pool_of
from .looked_trials import looked_trials
from .power_analysis import Rate, rate
from .sizes_of_analyses import AnalysisPower, analysis_power
from .test_rules import rule_of

if TYPE_CHECKING:
    import pandas as pd

    from ...patients.library import Library
    from ..conduct.patient_pool import Pool
    from ..conduct.trial_data import TrialData
    from ..protocol.protocol import Protocol

Progress = Callable[[str, int, int], None]

#: Trials of the protocol's own size by which the search begins, trials simulated between two decisions, and the most of one size; choices.
_PILOT, _BATCH, _MOST_TRIALS = 200, 100, 4000
#: Chance of either wrong decision about a size (Wald 1945), and sizes that are tried at most; choices.
_ERROR, _MOST_SIZES = 0.05, 8
#: Patients that are simulated together, unless one trial has more.
_TOGETHER = 8000
#: Patients beyond which no trial is simulated.
_LARGEST = 20_000


@dataclass(frozen=True)
class TriedSize:
    """A size that was tried: patients, share of trials that show what is to be shown, and what was decided: ``enough``, ``too few`` or ``just``."""

    patients: int
    power: Rate
    verdict: str


@dataclass(frozen=True, repr=False)
class SizedTrial(Displayed):
    """How many patients a trial needs for a power, by simulation of its own analysis.

    Attributes
    ----------
    protocol, design, scenario, comparison
        The trial that was asked about, its design and scenario, and the two groups that are compared.
    wanted, margin
        The power that was asked for, and the room about it within which a size is neither too small nor too large.
    patients, arms
        Patients of all arms, and of each; None where no size was found.
    power
        Of trials of that size: ``value`` with ``low`` and ``high`` (95 %) over ``replicates`` trials.
    formula
        Patients by the effect and the scatter of the protocol's own size, by the normal distribution; None where the effect is no success.
    effect, error
        Mean estimate at that size, and its Monte Carlo error, on the scale of the analysis.
    tried
        Sizes in the order in which they were tried.

    Examples
    --------
    >>> import betapod
    >>> sized = betapod.size_trial("nephstrom", power=0.8)
    >>> sized.patients == sum(sized.arms.values())
    True
    >>> list(sized.table.columns)
    ['patients', 'power', 'power_low', 'power_high', 'trials', 'verdict']
    """

    protocol: Protocol
    design: str
    scenario: str
    comparison: Comparison
    wanted: float
    margin: float
    patients: int | None
    arms: dict[str, int]
    power: Rate | None
    formula: int | None
    effect: float
    error: float
    tried: tuple[TriedSize, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per size that was tried: patients, power with its 95 % interval, simulated trials, and what was decided: ``enough``, ``too few`` or ``just``."""
        import pandas as pd

        rows = [
            (size.patients, size.power.value, size.power.low, size.power.high, size.power.replicates, size.verdict)
            for size in self.tried
        ]
        return pd.DataFrame(rows, columns=["patients", "power", "power_low", "power_high", "trials", "verdict"])

    @property
    def units(self) -> dict[str, str]:
        """Unit of the columns of `table`: counts and shares have none."""
        return {}

    @property
    def why_none(self) -> str:
        """Why no size was found; empty where one was."""
        if self.patients is not None:
            return ""
        if self.formula is None:
            return "the mean effect is no benefit"
        return (
            "every size that was tried is too small"
            if self.tried
            else f"about {self.formula} would be needed, too many to simulate"
        )


def needed_size(
    protocol: Protocol,
    power: float = 0.9,
    design: str | None = None,
    scenario: str | None = None,
    margin: float = 0.02,
    seed: int | None = None,
    library: Library | None = None,
    pool: Pool | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> SizedTrial:
    """Return the patients with whom a design has a power, by the protocol's own analysis, allocation, drop-out and looks.

    The scatter of the protocol's own size gives a first guess. About each size a sequential probability ratio test decides (Wald 1945): trials are simulated in batches until
    a power of `margin` below or above the one wanted is 19 times as likely as the other. A size that is decided against is changed by the square of what its z lacks, between those that were too few
    and enough; the search ends at a size whose power is that wanted within the margin.

    Parameters
    ----------
    power
        Wanted.
    design, scenario
        The first design with a control, and the last scenario, by default.
    margin
        Of power, in which it does not matter.

    Raises
    ------
    ConfigError
        No design with a control, an adaptation that plans its size itself, a power or margin that is none, nobody eligible.
    """
    _refuse(power, margin)
    some = adapted(protocol, _PILOT, seed)
    name, comparison = _chosen(some, design)
    _, scenarios = selected_names(some, [name], None if scenario is None else [scenario])
    if pool is None:
        pool = pool_of(some, library, threads, progress=None if progress is None else lambda text: progress(text, 0, 0))
    refuse_nobody(some, pool)
    search = _Search(some, pool, name, scenarios[-1], comparison, power, margin, progress)
    return search.answer()


def _refuse(power: float, margin: float) -> None:
    problems = []
    if not 0.05 < power < 1:
        problems.append(Problem("out-of-range", "a power is a chance", found=f"{power:g}", expected="above 0.05, below 1, such as 0.9"))  # fmt: skip
    elif not 0.005 <= margin < min(power, 1 - power):
        expected = f"from 0.005 to below {min(power, 1 - power):g}"
        problems.append(Problem("out-of-range", "the margin leaves room on either side of the power", found=f"{margin:g}", expected=expected))  # fmt: skip
    if problems:
        raise ConfigError(problems)


def _chosen(protocol: Protocol, design: str | None) -> tuple[str, Comparison]:
    """Return the design that is sized and its first comparison."""
    names = selected_names(protocol, None if design is None else [design], None)[0]
    able = [name for name in names if len(protocol.designs[name].arms) > 1]
    if not able:
        message = f"{design or protocol.name} has no control, and nothing to be powered for"
        raise ConfigError(Problem("no-control", message, expected="a design with two arms or more"))
    looks = protocol.designs[able[0]].looks
    if looks is not None and looks.staged:
        message = f"design {able[0]!r} adapts at its looks, and its size is part of that"
        raise ConfigError(
            Problem("not-supported", message, expected="a design without looks, or with boundaries alone")
        )
    return able[0], comparisons(protocol, able[0])[0]


@dataclass
class _Search:
    protocol: Protocol
    pool: Pool
    design: str
    scenario: str
    comparison: Comparison
    wanted: float
    margin: float
    progress: Progress | None

    def answer(self) -> SizedTrial:
        from scipy.special import ndtri

        planned = self.protocol.size(self.design)
        pilot = self._pilot(planned)
        formula = pilot.needed(self.wanted)
        nothing = SizedTrial(
            self.protocol, self.design, self.scenario, self.comparison, self.wanted, self.margin, None, {}, None, formula, pilot.effect, pilot.error, ()
        )  # fmt: skip
        if formula is None or formula > _LARGEST:
            return nothing
        tried: list[TriedSize] = []
        few, enough, patients = 0, math.inf, self._whole(formula)
        effects: dict[int, np.ndarray] = {}
        for _ in range(_MOST_SIZES):
            size, effects[patients] = self._tried(patients)
            tried.append(size)
            few, enough = (max(few, patients), enough) if size.verdict == "too few" else (few, enough)
            enough = min(enough, patients) if size.verdict != "too few" else enough
            if size.verdict == "just" or (size.verdict == "enough" and self._whole(few + 1) >= patients):
                break
            # Power is that of z with a mean that grows with the root of the patients.
            bound = -ndtri(rule_of(self.protocol.endpoints, self.protocol.endpoints.primary).one_sided_level)
            now = bound + ndtri(min(max(size.power.value, 0.01), 0.995))
            factor = ((bound + ndtri(self.wanted)) / max(now, 0.2)) ** 2
            guess = patients * min(max(factor, 0.4), 2.5)
            inside = (
                guess
                if few < guess < enough
                else math.sqrt(max(few, 1) * enough)
                if math.isfinite(enough)
                else 1.3 * few
            )
            following = self._whole(inside)
            if following in (few, enough) or following > _LARGEST:
                break
            patients = following
        good = [size for size in tried if size.verdict != "too few"]
        if not good:
            return replace(nothing, tried=tuple(tried))
        best = min(good, key=lambda size: size.patients)
        told = effects[best.patients][np.isfinite(effects[best.patients])]
        error = float(told.std(ddof=1) / math.sqrt(len(told))) if len(told) > 1 else math.nan
        return replace(nothing, patients=best.patients, arms=self._arms(best.patients), power=best.power, effect=float(told.mean()), error=error, tried=tuple(tried))  # fmt: skip

    def _sized(self, patients: int, replicates: int) -> Protocol:
        """Return the protocol with another size of its design; events of looks grow with the patients."""
        design = self.protocol.designs[self.design]
        changes: dict[str, Any] = {"patients": patients}
        if design.looks is not None and design.looks.events is not None:
            events = max(4, round(design.looks.events * patients / self.protocol.size(self.design)))
            changes["looks"] = design.looks.model_copy(update={"events": events})
        designs = {self.design: design.model_copy(update=changes)}
        return self.protocol.model_copy(update={"designs": designs, "replicates": replicates})

    def _pilot(self, patients: int) -> AnalysisPower:
        protocol = self._sized(patients, _PILOT)
        parts = [self._data(protocol, part) for part in shards(protocol)]
        return analysis_power(joined(parts), self.protocol.endpoints.primary, self.comparison)

    def _data(self, protocol: Protocol, part: range) -> TrialData:
        return conduct(protocol, self.pool, [self.design], [self.scenario], part)[self.design, self.scenario]

    def _tried(self, patients: int) -> tuple[TriedSize, np.ndarray]:
        """Return what is decided about a size, and the estimates of its trials."""
        protocol = self._sized(patients, _MOST_TRIALS)
        low, high = self.wanted - self.margin, self.wanted + self.margin
        if_shown, if_not = math.log(high / low), math.log((1 - high) / (1 - low))
        limit = math.log((1 - _ERROR) / _ERROR)
        successes, effects, ratio = np.zeros(0), np.zeros(0), 0.0
        step = min(_BATCH, max(1, _TOGETHER // patients))
        for first in range(0, _MOST_TRIALS, step):
            data = self._data(protocol, range(first, min(first + step, _MOST_TRIALS)))
            hits, estimates = self._shown(data)
            successes, effects = np.append(successes, hits), np.append(effects, estimates)
            ratio = float(successes.sum() * if_shown + (len(successes) - successes.sum()) * if_not)
            if self.progress is not None:
                self.progress(f"trials of {patients} patients", len(successes), _MOST_TRIALS)
            if abs(ratio) >= limit and len(successes) >= _BATCH:
                break
        share = rate(successes)
        # Between the two powers either may be decided for: a power that lies within half of the margin is that wanted.
        if (ratio <= -limit and share.value < self.wanted - self.margin / 2) or share.value < low:
            return TriedSize(patients, share, "too few"), effects
        # Beyond twice the margin fewer patients would do.
        return TriedSize(patients, share, "just" if share.value <= high + self.margin else "enough"), effects

    def _shown(self, data: TrialData) -> tuple[np.ndarray, np.ndarray]:
        if self.protocol.designs[self.design].looks is not None:
            trials = looked_trials(data, self.comparison)
            return trials.rejected.astype(float), trials.at_stop(trials.effect)
        rule = rule_of(self.protocol.endpoints, self.protocol.endpoints.primary)
        estimate = analyse(data, self.protocol.endpoints.primary, self.comparison, level=rule.level)
        return np.nan_to_num(rule.shown(estimate)), estimate.effect

    def _whole(self, patients: float) -> int:
        """Return a size in whole parts of the allocation."""
        ratio = sum(self.protocol.designs[self.design].arms.values())
        return max(2, math.ceil(patients / ratio - 1e-9)) * ratio

    def _arms(self, patients: int) -> dict[str, int]:
        arms = self.protocol.designs[self.design].arms
        return {arm: patients * share // sum(arms.values()) for arm, share in arms.items()}
