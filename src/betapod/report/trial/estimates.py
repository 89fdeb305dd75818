"""How an estimate is shown: a change in per cent or in its unit, a slope, a share of patients or a hazard ratio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...trials.protocol.analysis_keys import RATIOS, SLOPES, WINS
from ...trials.protocol.endpoint_keys import trial_outcome_label, trial_outcomes
from ...trials.protocol.health_outcomes import health_outcomes
from ..common import words

if TYPE_CHECKING:
    from ...trials.operating.result_tables import Assessment

_PER_YEAR = ("slope", "chronic slope")
#: Beyond a millionfold there is nothing to show.
_LARGEST = 14.0


@dataclass(frozen=True)
class Scale:
    """The scale of an estimate.

    Attributes
    ----------
    summary, code
        As an endpoint of a protocol has them.
    controlled
        Whether two groups are compared; a single group has a share where two have a difference or a hazard ratio.
    measure
        What the analysis estimates (`Endpoint.measure`); empty for the usual one of the summary.
    """

    summary: str
    code: str
    controlled: bool = True
    measure: str = ""

    @property
    def ratio(self) -> str:
        """Name of the ratio whose logarithms estimates are, such as ``hazard ratio``; empty for what is no ratio."""
        if not self.controlled:
            return ""
        usual = "hazard ratio" if self.summary == "time to event" else ""
        measure = self.measure or usual
        return measure if measure in RATIOS else ""

    @property
    def share(self) -> bool:
        """Whether estimates are shares of patients or of pairs, or their differences."""
        if self.controlled and self.measure:
            return self.measure in ("risk difference", "net benefit")
        return self.summary == "responders" or (self.summary == "time to event" and not self.controlled)

    @property
    def log(self) -> bool:
        """Whether estimates are logarithms of ratios, shown in per cent."""
        return self.summary == "ratio" or (self.summary in ("change", "crossover", *SLOPES) and words.is_log(self.code))

    @property
    def _time(self) -> bool:
        return self.controlled and self.measure == "time free of the event"

    @property
    def unit(self) -> str:
        """The unit of shown values."""
        if self.ratio:
            return ""
        if self._time:
            return "days"
        if self.share:
            return "% of pairs" if self.measure == "net benefit" else "% of patients"
        if self.summary == "total":
            return "QALY"
        unit = (
            "%"
            if self.log
            else words.change_unit(self.code)
            if self.summary not in _PER_YEAR
            else words.printed_unit(self.code)
        )
        return f"{unit}/year" if self.summary in _PER_YEAR else unit

    def value(self, estimate: float) -> float:
        """Return an estimate as it is shown."""
        if self.ratio:
            return math.exp(min(estimate, _LARGEST))
        if self.share:
            return 100 * estimate
        if self._time:
            return estimate
        return 100 * math.expm1(min(estimate, _LARGEST)) if self.log else estimate

    def number(self, estimate: float) -> str:
        """Return an estimate without its unit."""
        if not math.isfinite(estimate):
            return "\u2013"
        value = self.value(estimate)
        if self.ratio:
            return words.written_number(value, 2)
        if self._time:
            return words.written_number(value, 1, sign=True)
        if self.share:
            return words.written_number(value, 1 if self.controlled else 0, sign=self.controlled)
        if self.summary in _PER_YEAR:
            return words.written_number(value, 1 if abs(value) >= 0.1 else 2, sign=True)
        if self.summary == "total":
            return words.written_number(value, 3, sign=True)
        digits = (1 if abs(value) < 3 else 0) if self.log else words.digits_of(self.code)
        return words.written_number(value, digits, sign=True)

    def text(self, estimate: float) -> str:
        """Return an estimate with its unit; a dash where there is none."""
        if not math.isfinite(estimate):
            return "\u2013"
        return f"{self.ratio} {self.number(estimate)}" if self.ratio else f"{self.number(estimate)}\u00a0{self.unit}"

    def range(self, low: float, high: float) -> str:
        """Return a range of estimates with one unit; a dash where there is none."""
        if not (math.isfinite(low) and math.isfinite(high)):
            return "\u2013"
        return f"{self.number(low)} to {self.number(high)}\u00a0{self.unit}".rstrip()

    @property
    def what(self) -> str:
        """What is estimated, as a noun: ``change of HbA1c``, ``share of patients with a response``."""
        if self._time:
            return f"time free of {self._event}"
        if self.controlled and self.measure in WINS:
            return f"{self.measure} of the {self._compared}"
        if self.ratio:
            return f"{'rate' if self.measure == 'rate ratio' else 'hazard'} of {self._event}"
        if self.summary == "time to event":
            return f"share of patients with {self._event}"
        if self.summary == "responders":
            return f"share of patients with {self._event}" if self.code in trial_outcomes() else "share of responders"
        if self.summary == "total":
            return trial_outcome_label(self.code)
        return self._compared

    @property
    def _compared(self) -> str:
        """What of two patients is compared, as a noun."""
        if self.summary == "hierarchy":
            return "kidney hierarchical endpoint"
        named = words.short_name(self.code)
        return f"{self.summary} of {named}" if self.summary in SLOPES else f"change of {named}"

    @property
    def _event(self) -> str:
        return trial_outcome_label(self.code) if self.code in trial_outcomes() else "the event"

    @property
    def axis(self) -> str:
        """The label of an axis."""
        if self.ratio:
            return self.ratio
        kind = "difference in the " if self.controlled and self.share else ""
        unit = self.unit.replace("% of patients", "% of patients")
        return f"{kind}{self.what} ({unit})" if unit else f"{kind}{self.what}"


def primary(assessment: Assessment, design: str) -> Scale:
    """Return the scale of the primary endpoint in a design."""
    endpoint, controlled = assessment.protocol.endpoints.primary, design not in assessment.single
    return Scale(endpoint.summary, primary_code(assessment), controlled, endpoint.measure if controlled else "")


def primary_code(assessment: Assessment) -> str:
    """Return what the primary endpoint is about: an outcome of health, or the quantity that is shown beside it."""
    outcome = assessment.protocol.endpoints.primary.outcome
    return outcome if outcome is not None and outcome in health_outcomes() else assessment.code


def of_row(row: Mapping[Any, Any]) -> Scale:
    """Return the scale of a row of the results."""
    return Scale(str(row["summary"]), str(row["quantity"]), bool(row["control"]), str(row.get("measure", "")))
