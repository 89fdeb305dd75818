"""Several tests of one trial under the procedure of its protocol: what each rejects after adjustment, and how often any does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..analysis.controlled import analyse
from ..analysis.endpoints import Comparison, comparisons
from .power_analysis import rate
from .sizing import title
from .test_rules import adjusted_significance, rule_of

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.endpoint_keys import Endpoint


def tests_in_order(data: TrialData) -> list[tuple[Endpoint, Comparison]]:
    """Return the tests that a protocol adjusts for each other: groups within endpoints, the primary first."""
    asked = data.protocol.endpoints
    more = asked.secondary if asked.multiplicity is not None and asked.multiplicity.secondary else []
    pairs = [pair for pair in comparisons(data.protocol, data.design) if pair.control is not None]
    return [(endpoint, pair) for endpoint in (asked.primary, *more) for pair in pairs]


def multiplicity_rows(data: TrialData) -> list[dict[str, Any]]:
    """Return a row per test: shares of trials that reject it alone and after adjustment; the last is of any of them. Nothing without a procedure."""
    asked, tests = data.protocol.endpoints, tests_in_order(data)
    if asked.multiplicity is None or len(tests) < 2:
        return []
    rules = [rule_of(asked, endpoint) for endpoint, _ in tests]
    estimates = [
        analyse(data, endpoint, pair, level=rule.level) for (endpoint, pair), rule in zip(tests, rules, strict=True)
    ]
    after = adjusted_significance(asked, rules, estimates)
    rows = []
    for k, ((endpoint, pair), rule, estimate) in enumerate(zip(tests, rules, estimates, strict=True)):
        rows.append(
            _row(pair.words, title(endpoint, data.protocol), rate(rule.shown(estimate)).value, rate(after[:, k]))
        )
    rows.append(_row("any", "any", float("nan"), rate(after.any(axis=1))))
    keys = {"design": data.design, "scenario": data.scenario, "procedure": asked.multiplicity.procedure}
    return [keys | row for row in rows]


def _row(comparison: str, endpoint: str, alone: float, after: Any) -> dict[str, Any]:
    names = {"rejected": after.value, "rejected_low": after.low, "rejected_high": after.high}
    return {"comparison": comparison, "endpoint": endpoint, "rejected_alone": alone, **names}
