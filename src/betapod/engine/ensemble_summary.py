"""Moments of many patients by group, output and visit, reduced where their values are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.display import Displayed
from ..base.errors import ConfigError, Location, Problem
from ..base.nouns import with_noun
from .compiled.workspace import ENDED, STATUS
from .ensemble_input import PreparedPatients
from .floors import floors
from .limits import MOST_VALUES, check_size
from .reduction import BLOCK_OF_PATIENTS, HALF, MOMENTS, Reduction, bin_edges

if TYPE_CHECKING:
    import pandas as pd

    from .ensemble import Ensemble

#: Numbers that are computed before they are reduced, 0.5 GB: more than a card computes at once, and no burden for a computer.
_AT_A_TIME = 64_000_000


@dataclass(repr=False)
class EnsembleSummary(Displayed):
    """Count, mean, spread and range of each output at each visit, by group, and how patients ended; no patient's own values.

    Attributes
    ----------
    groups
        Of the patients, in rising order; one without a name where none were told.
    names
        Of the outputs.
    units
        Output -> unit.
    times
        (visits,) in `time_unit`.
    count
        (groups, visits, outputs) patients with a finite value: those who have ended or failed have none.
    mean, low, high
        (groups, visits, outputs); NaN where there is no value.
    squares
        (groups, visits, outputs) sums of squared differences from the mean; `sd` follows.
    endings
        (groups, endings) how many patients ended how (see `EnsembleResult.status_names`).
    ended_by
        (groups, events) how many each terminal event ended.
    steps, rejected
        (groups,) steps taken and steps refused by the error control.
    event_names
        Of the model's events.
    time_unit
        Unit of the times.

    Examples
    --------
    >>> import betapod
    >>> ensemble = betapod.Ensemble(betapod.load_model("topp2000"), ["glucose"], threads=1)
    >>> summary = ensemble.summarise({"S_I": [0.2, 0.4, 0.72]}, [0.0, 365.0])
    >>> summary
    <EnsembleSummary 1 group, 2 visits, 1 output>
    >>> summary.summary()
    '3 patients: 3 ok'
    >>> print(f"{summary.mean[0, 1, 0]:.3g} {summary.units['glucose']}")
    100 mg/dL
    """

    groups: tuple[Any, ...]
    names: tuple[str, ...]
    units: Mapping[str, str]
    times: NDArray[np.float64]
    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    endings: NDArray[np.int64]
    ended_by: NDArray[np.int64]
    steps: NDArray[np.int64]
    rejected: NDArray[np.int64]
    event_names: tuple[str, ...]
    time_unit: str = "day"
    _bins: NDArray[np.int64] = field(repr=False, default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def sd(self) -> NDArray[np.float64]:
        """Standard deviations (groups, visits, outputs); NaN where there are fewer than two values."""
        with np.errstate(all="ignore"):
            return np.where(self.count > 1, np.sqrt(self.squares / (self.count - 1)), np.nan)

    @property
    def failed(self) -> int:
        """How many patients' integration failed."""
        return int(self.endings[:, ENDED + 1 :].sum())

    def summary(self) -> str:
        """Return how many patients ended how, in one sentence.

        Returns
        -------
        str
            Such as ``3 patients: 3 ok``.

        Examples
        --------
        >>> import betapod
        >>> betapod.Ensemble(betapod.load_model("topp2000"), threads=1).summarise(3, [0.0, 1.0]).summary()
        '3 patients: 3 ok'
        """
        counts = self.endings.sum(axis=0)
        return f"{with_noun(int(counts.sum()), 'patient')}: " + ", ".join(
            f"{n:,} {name}" for name, n in zip(STATUS, counts, strict=True) if n
        )

    @property
    def table(self) -> pd.DataFrame:
        """One row for each group, visit (in `time_unit`) and output."""
        import pandas as pd

        groups, visits, outputs = self.count.shape
        columns: dict[str, Any] = {
            "group": np.repeat(np.array(self.groups, dtype=object), visits * outputs),
            "time": np.tile(np.repeat(self.times, outputs), groups),
            "name": np.tile(np.array(self.names, dtype=object), groups * visits),
        }
        for name in ("count", "mean", "sd", "low", "high"):
            columns[name] = getattr(self, name).reshape(-1)
        units = np.array([self.units[name] for name in self.names], dtype=object)
        return pd.DataFrame({**columns, "unit": np.tile(units, groups * visits)})

    def quantile(self, share: float) -> NDArray[np.float64]:
        """Return the values below which a share of the patients lies, as exactly as bins tell.

        Parameters
        ----------
        share
            From 0 to 1.

        Returns
        -------
        numpy.ndarray
            (groups, visits, outputs): within 1/256 of the value whose rank it is where that lies between 2e-10 and 2e14; smaller ones count as 0.
            NaN where there is no value. For exact ones take the values of `Ensemble.run`.

        Raises
        ------
        ConfigError
            Values were not counted in bins, or the share is none.

        Examples
        --------
        >>> import betapod
        >>> ensemble = betapod.Ensemble(betapod.load_model("topp2000"), ["glucose"], threads=1)
        >>> summary = ensemble.summarise({"S_I": [0.2, 0.4, 0.72]}, [0.0, 365.0], quantiles=True)
        >>> bool(abs(summary.quantile(0.5)[0, 0, 0] / summary.mean[0, 0, 0] - 1) < 1 / 256)
        True
        """
        if not self._bins.size:
            hint = "Ask for them: summarise(..., quantiles=True)."
            raise ConfigError(Problem("no-quantiles", "values were not counted for quantiles", hint=hint))
        if not 0.0 <= share <= 1.0:
            raise ConfigError(Problem("bad-number", "a share is from 0 to 1", found=str(share)))
        below = np.cumsum(self._bins, axis=-1)
        # The place of the quantile among the values in order, from 0: between two it lies nearer to one of them.
        rank = np.rint(share * np.maximum(self.count - 1, 0))[..., np.newaxis]
        low, high = bin_edges(np.minimum((below <= rank).sum(axis=-1), 2 * HALF - 1))
        with np.errstate(invalid="ignore"):
            middle = np.clip(0.5 * (low + high), self.low, self.high)
        return np.where(self.count > 0, middle, np.nan)


def summarise_prepared(
    ensemble: Ensemble, prepared: tuple[Ensemble, PreparedPatients], groups: ArrayLike | None, quantiles: bool
) -> EnsembleSummary:
    """Return the moments of patients, some after others.

    Parameters
    ----------
    ensemble
        Whose model and outputs they are.
    prepared
        Patients, and the ensemble that integrates them.
    groups, quantiles
        As in `betapod.Ensemble.summarise`.

    Raises
    ------
    ConfigError
        Groups that are not one per patient, or more numbers than one call can hold.
    """
    runner, who = prepared
    labels, group = _numbered(groups, who.count)
    summing = Summing(ensemble, labels, who.visits, quantiles)
    for first in range(0, who.count, summing.at_a_time):
        last = first + summing.at_a_time
        summing.add(runner, who.part(first, last), group[first:last])
    return summing.summary()


class Summing:
    """Moments to which patients are added, some after others.

    Parameters
    ----------
    ensemble
        Whose model and outputs they are.
    labels
        Names of the groups.
    visits
        (visits,) when patients are seen.
    quantiles
        Whether values are counted in bins too.

    Attributes
    ----------
    at_a_time
        How many patients to add at a time at most; any multiple of `BLOCK_OF_PATIENTS` gives the same moments.

    Raises
    ------
    ConfigError
        These are more numbers than one call can hold.
    """

    def __init__(
        self, ensemble: Ensemble, labels: tuple[Any, ...], visits: NDArray[np.float64], quantiles: bool
    ) -> None:
        self._ensemble, self._labels, self._visits = ensemble, labels, visits
        model, outputs = ensemble.model, ensemble.outputs
        columns = len(visits) * len(outputs)
        width = len(MOMENTS) + (2 * HALF if quantiles else 0)
        check_size(len(labels), columns * width, MOST_VALUES, "groups", "Keep fewer groups, outputs or visits.")
        lowest = dict(zip(model.state_names, floors(model), strict=True))
        bounds = np.array([lowest.get(name, -np.inf) for name in outputs])
        self._reduction = Reduction(len(labels), len(visits), bounds, len(model.events), quantiles)
        self.at_a_time = max(1, _AT_A_TIME // columns // BLOCK_OF_PATIENTS) * BLOCK_OF_PATIENTS

    def add(self, runner: Ensemble, who: PreparedPatients, group: NDArray[np.int64]) -> None:
        """Integrate patients who follow those before, whose number is a multiple of `BLOCK_OF_PATIENTS`, and add them.

        Parameters
        ----------
        runner
            Integrates them.
        group
            (patients,) the number of each patient's group.
        """
        self._reduction.group = np.ascontiguousarray(group)
        runner._reduce(who, self._reduction)

    def summary(self) -> EnsembleSummary:
        """Return what has been added so far."""
        return _summary(self._ensemble, self._labels, self._visits, self._reduction)


def _numbered(groups: ArrayLike | None, count: int) -> tuple[tuple[Any, ...], NDArray[np.int64]]:
    """Return the names of groups, and the number of each patient's."""
    if groups is None:
        return ("",), np.zeros(count, dtype=np.int64)
    labelled = np.asarray(groups)
    if labelled.shape != (count,) or labelled.dtype.kind not in "biufUSO":
        raise ConfigError(
            Problem(
                "bad-groups",
                "there must be one group per patient",
                Location("groups"),
                str(labelled.shape),
                str((count,)),
            )
        )
    labelled = labelled.astype(str) if labelled.dtype.kind == "O" else labelled
    labels, group = np.unique(labelled, return_inverse=True)
    return tuple(labels.tolist()), np.ascontiguousarray(group, dtype=np.int64)


def _summary(
    ensemble: Ensemble, labels: tuple[Any, ...], visits: NDArray[np.float64], reduction: Reduction
) -> EnsembleSummary:
    model = ensemble.model
    count, mean, squares, low, high = np.moveaxis(reduction.totals, -1, 0)
    some = count > 0.0
    endings, events = len(STATUS), len(STATUS) + len(model.events)
    return EnsembleSummary(
        groups=labels,
        names=tuple(ensemble.outputs),
        units={name: model.units.get(name, "") for name in ensemble.outputs},
        times=visits,
        count=count.astype(np.int64),
        mean=np.where(some, mean, np.nan),
        squares=squares.copy(),
        low=np.where(some, low, np.nan),
        high=np.where(some, high, np.nan),
        endings=reduction.tallies[:, :endings],
        ended_by=reduction.tallies[:, endings:events],
        steps=reduction.tallies[:, events],
        rejected=reduction.tallies[:, events + 1],
        event_names=tuple(event.name for event in model.events),
        time_unit=model.time_unit,
        _bins=reduction.bins,
    )
