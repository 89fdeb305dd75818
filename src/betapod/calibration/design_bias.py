"""Bias by design: what groups of open studies report beyond the model, before and after, beside contrasts of blinded trials.

Nothing is subtracted from any prediction: the estimate is shown, and a controlled trial is predicted without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.constants import Z90
from ..evidence.records.study import Record
from ..physiology.installed_fits import FitRecord
from ..validation.predictions.studies import arms
from .discrepancy import discrepancy_classes, printed_variance
from .fit_rows import FitRows
from .fit_tables import rows_of_record

Numbers = NDArray[np.float64]
#: Designs in which people and doctors know what is given.
_OPEN_DESIGNS = ("single-arm", "nonrandomised-controlled")


@dataclass(frozen=True)
class MeanMiss:
    """The mean of what rows report beyond the model, in the direction of benefit, on the scale of the fit.

    Attributes
    ----------
    low, high
        Its 90 % interval.
    """

    rows: int
    families: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class DesignBias:
    """Bias by design of a class of rows.

    Attributes
    ----------
    kind
        Class of discrepancy, see `kind_of_numbers`.
    scale
        Of the fit.
    opened
        Treated groups of open studies, before and after; with a prior of mean 0 and half of the class's discrepancy as SD.
    blinded
        Contrasts of blinded trials of the class, under the same prior; None where there are none.
    """

    kind: str
    scale: str
    opened: MeanMiss
    blinded: MeanMiss | None

    @property
    def is_seen(self) -> bool:
        """Whether the interval of open studies leaves out 0."""
        return self.opened.low > 0.0 or self.opened.high < 0.0


def design_of_row(record: Record) -> str:
    """Return ``open`` for a treated group of an open study before and after, ``blinded`` for a contrast of a blinded trial, else nothing.

    Adverse events, control groups, and studies that do not say whether they were blinded are neither.
    """
    text = f"{record.design_text} {record.design}".lower()
    blind = "blind" in text
    if record.endpoint.startswith("adverse_event"):
        return ""
    if record.contrast == "between":
        return "blinded" if blind and record.design == "RCT" else ""
    arm = arms().get((record.study, record.arm))
    treated = arm is not None and bool(arm.cells or arm.care)
    is_open = record.design in _OPEN_DESIGNS or "open" in text
    return (
        "open" if record.contrast in ("change", "level") and treated and is_open and not blind and record.weeks else ""
    )


def design_biases(fit: FitRecord, records: Mapping[str, Record]) -> list[DesignBias]:
    """Return bias by design of each class of rows of a fit that has groups of open studies, the largest class first.

    Parameters
    ----------
    records
        Published numbers by id; rows of the fit that are not among them are left out.
    """
    rows, after = rows_of_record(fit)
    published = [records.get(name) for name in rows.record]
    design = np.array(["" if record is None else design_of_row(record) for record in published], dtype=object)
    benefit = np.array([0.0 if record is None else float(record.better) for record in published])
    tau_family, tau_row = fit.rows["tau_family"], fit.rows["tau_row"]
    sd = np.zeros(len(rows)) if after.sd_parameters is None else after.sd_parameters
    miss = benefit * (rows.observed - after.predicted)
    biases = []
    classes = np.array(discrepancy_classes(rows), dtype=object)
    for kind in dict.fromkeys(classes):
        of_class = (classes == kind) & np.isfinite(miss) & (benefit != 0.0)
        groups = [np.flatnonzero(of_class & (design == name)) for name in ("open", "blinded")]
        means = [
            mean_miss(rows.take(index), miss[index], sd[index], tau_family[index], tau_row[index]) for index in groups
        ]
        if means[0] is not None:
            biases.append(DesignBias(str(kind), rows.scale[int(groups[0][0])], means[0], means[1]))
    return sorted(biases, key=lambda bias: -bias.opened.rows)


def published_biases(fit: FitRecord) -> list[DesignBias]:
    """Return bias by design of a fit to published numbers of the package; rows of others' tables are left out."""
    from ..evidence.records.registry import load_registry

    return design_biases(fit, {record.id: record for record in load_registry()})


def mean_miss(
    rows: FitRows, miss: Numbers, sd_parameters: Numbers, tau_family: Numbers, tau_row: Numbers
) -> MeanMiss | None:
    """Return the mean of misses (n,): generalised least squares, rows of a family sharing what it has of its own; None without a row.

    The prior has mean 0 and half of the discrepancy of the class as its SD, so that few rows say little.

    Parameters
    ----------
    miss
        Observed less predicted, in the direction of benefit.
    sd_parameters, tau_family, tau_row
        (n,) SD by parameters, and of what the model lacks.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.calibration.design_bias import mean_miss
    >>> from betapod.calibration.fit_rows import FitRows
    >>> rows = FitRows(("a",), ("s",), ("f",), ("eGFR",), ("mL/min",), ("level",), ("linear",), np.ones(1, bool), np.zeros(1), np.ones(1),
    ...                np.full(1, np.inf))
    >>> mean_miss(rows, np.array([2.0]), np.zeros(1), np.zeros(1), np.full(1, 2.0)).mean.__round__(3)
    0.333
    """
    if not len(rows):
        return None
    variance = printed_variance(rows)[0] + sd_parameters**2 + tau_row**2
    same = np.equal.outer(np.array(rows.family, dtype=object), np.array(rows.family, dtype=object))
    covariance = np.diag(variance) + np.where(same, np.outer(tau_family, tau_family), 0.0)
    weights = np.linalg.solve(covariance, np.ones(len(rows)))
    prior = 0.5 * math.hypot(float(np.mean(tau_family)), float(np.mean(tau_row)))
    information = float(weights.sum()) + (prior**-2.0 if prior > 0.0 else math.inf)
    mean, sd = float(weights @ miss) / information, information**-0.5
    return MeanMiss(len(rows), len(set(rows.family)), mean, mean - Z90 * sd, mean + Z90 * sd)


def bias_sentences(biases: Sequence[DesignBias]) -> list[str]:
    """Return in words which classes show a bias by design; one sentence where none does."""
    if not biases:
        return ["No row of the fit is a treated group of an open study, so that bias by design cannot be told."]
    apart = [bias for bias in biases if bias.is_seen]
    count = sum(bias.opened.rows for bias in biases)
    first = f"{count} rows are of treated groups of open studies, before and after."
    if not apart:
        return [f"{first} In no class do they report more than the model beyond what chance explains."]
    texts = [
        f"{bias.kind} ({'better' if bias.opened.mean > 0.0 else 'worse'} than predicted, {bias.opened.rows} rows)"
        for bias in apart
    ]
    return [f"{first} They lie apart from the model in {', '.join(texts)}. No prediction subtracts it."]
