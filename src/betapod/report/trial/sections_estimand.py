"""What the trial asks for, whether its analysis finds it, and what it finds where there is nothing: the section on estimands."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from ...base.constants import Z95
from ...trials.analysis.endpoints import comparisons
from ...trials.operating.estimands import why_no_truth
from ...trials.operating.sizing import title
from ...trials.operating.test_rules import rule_of
from ..common import words
from ..common.document import Section, Table
from .estimates import Scale, of_row
from .sections_designs import supposed

if TYPE_CHECKING:
    from ...trials.operating.result_tables import Assessment
    from ...trials.protocol.endpoint_keys import Endpoint

#: Monte Carlo errors within which a bias may be chance, and a share that is known to within so much; choices.
_CHANCE, _KNOWN = 3.0, 0.01
#: Strategy -> what it means for values after an event; the event stands before it.
_STRATEGIES = {
    "treatment policy": "counts as it is",
    "hypothetical": "is thought away",
    "composite": "is a failure",
    "while on treatment": "ends what counts: the last value before it stands",
    "principal stratum": "is looked at where neither group would have it",
}


def estimand_section(assessment: Assessment) -> Section | None:
    """Return the section on estimands; None where nothing is compared."""
    table = assessment.results
    rows = table[(table["control"] != "") & (table["stratum"] == "all")]
    if rows.empty:
        return None
    first = str(rows.iloc[0]["design"])
    paragraphs = [
        _asked_for(assessment, first),
        "Its true value is that summary of the same patients under the one treatment and under the other, with the same random numbers, nobody lost and "
        "no visit missed. Means are over patients who have a value under either. Bias is the mean estimate less the true value.",
    ]
    tables = []
    for design in dict.fromkeys(str(name) for name in rows["design"]):
        names, named = supposed(assessment, design)
        some = rows[(rows["design"] == design) & rows["scenario"].isin(names)]
        measured = [row for row in some.to_dict("records") if math.isfinite(row["estimand"])]
        if measured:
            tables.append(_against_truth(assessment, design, measured, named))
            paragraphs += _too_narrow(assessment, measured)
        paragraphs += _false_positives(assessment, design, some.to_dict("records"))
    paragraphs += _without_truth(assessment)
    tables += _several(assessment)
    return Section("estimand", "What is estimated, and how well", paragraphs, tables=tables)


def _asked_for(assessment: Assessment, design: str) -> str:
    """Say what the primary endpoint asks for, attribute by attribute (ICH E9 R1)."""
    protocol, endpoint = assessment.protocol, assessment.protocol.endpoints.primary
    pair = comparisons(protocol, design)[0]
    scale = Scale(endpoint.summary, words_code(endpoint, assessment), True, endpoint.measure)
    summary = "ratio of geometric means" if endpoint.measure == "difference" and scale.log else endpoint.measure
    events = _after_enrolment(_events(assessment, endpoint), endpoint)
    after = f" After enrolment: {'; '.join(events)}." if events else ""
    return (
        f"The primary estimand: {words.contrast(assessment, pair.treated, str(pair.control))}, in all patients whom the trial enrols; "
        f"{scale.what} {words.at_visit(endpoint.summary, assessment.visit)}, summarised as {summary}.{after}"
    )


def _after_enrolment(events: list[tuple[str, str]], endpoint: Endpoint) -> list[str]:
    """Say what becomes of values after each event; those after which nothing is known come last, together."""
    told = [f"{event} {_STRATEGIES[strategy]}" for event, strategy in events if strategy in _STRATEGIES]
    ending = [event for event, strategy in events if strategy not in _STRATEGIES]
    watched = "watched" if endpoint.summary in ("time to event", "recurrent events") else "measured"
    return told + ([f"{words.listed(ending)} end{'s' if len(ending) == 1 else ''} what is {watched}"] if ending else [])


def words_code(endpoint: Endpoint, assessment: Assessment) -> str:
    """Return the outcome of an endpoint, or the quantity that it is about."""
    return endpoint.outcome or assessment.code


def _events(assessment: Assessment, endpoint: Endpoint) -> list[tuple[str, str]]:
    """Return what may happen after enrolment in this trial, with the strategy for it."""
    conduct, rules = assessment.protocol.conduct, endpoint.intercurrent
    return [
        *([("rescue", rules.rescue)] if conduct.rescue else []),
        *([("leaving the trial", rules.drop_out)] if conduct.drop_out > 0 else []),
        *([("death", rules.death)] if conduct.deaths and not _counts(endpoint, "death") else []),
        *([("kidney failure", rules.kidney_failure)] if rules.kidney_failure != "missing" else []),
    ]


def _counts(endpoint: Endpoint, outcome: str) -> bool:
    """Whether an outcome is an event of the endpoint itself."""
    return outcome in endpoint.composite or outcome == endpoint.outcome


def _against_truth(assessment: Assessment, design: str, rows: list[dict[Hashable, Any]], named: bool) -> Table:
    several = len({(row["treated"], row["control"]) for row in rows}) > 1
    cells = [
        [
            words.capital(str(row["endpoint"])),
            *([words.contrast(assessment, row["treated"], row["control"])] if several else []),
            *([words.scenario_short(str(row["scenario"]))] if named else []),
            of_row(row).text(row["estimand"]),
            of_row(row).text(row["mean"]),
            _bias(row),
            _coverage(row),
        ]
        for row in rows
    ]
    head = ["endpoint", *(["comparison"] if several else []), *(["scenario"] if named else [])]
    title_of_table = (
        f"{words.capital(words.design(assessment, design))}: estimates against the true value. Bias with its Monte Carlo error; of ratios it is a factor. "
        "Coverage: share of intervals that hold the true value, with its 95 % Monte Carlo interval."
    )
    return Table(title_of_table, [*head, "true value", "mean estimate", "bias", "coverage"], cells, len(head))


def _bias(row: Mapping[Hashable, Any]) -> str:
    scale, bias, error = of_row(row), float(row["bias"]), float(row["error_of_bias"])
    if not math.isfinite(bias):
        return "\u2013"
    if scale.ratio or scale.log:
        return f"\u00d7{math.exp(bias):.3f}" + (f" \u00b1 {error:.3f}" if math.isfinite(error) else "")
    size = 100.0 if scale.share else 1.0
    return words.true_minus(f"{size * bias:+.2f}" + (f" \u00b1 {size * error:.2f}" if math.isfinite(error) else ""))


def _coverage(row: Mapping[Hashable, Any]) -> str:
    if not math.isfinite(row["coverage"]):
        return "\u2013"
    return f"{words.percent_text(row['coverage'], 1)} ({100 * row['coverage_low']:.1f}\u2013{100 * row['coverage_high']:.1f})"


def _too_narrow(assessment: Assessment, rows: list[dict[Hashable, Any]]) -> list[str]:
    """Name the endpoints whose intervals hold the true value less often than they promise."""
    every = {
        title(item, assessment.protocol): item
        for item in (assessment.protocol.endpoints.primary, *assessment.protocol.endpoints.secondary)
    }
    reasons: dict[str, list[str]] = {}
    for row in rows:
        name = str(row["endpoint"])
        level = rule_of(assessment.protocol.endpoints, every[name]).level if name in every else 0.95
        if row["coverage_high"] < level:
            named = reasons.setdefault(_why_narrow(row, name in every and bool(every[name].also)), [])
            named += [name] if name not in named else []
    return [
        f"The intervals of {words.listed(named)} hold the true value less often than they promise: {why}."
        for why, named in reasons.items()
    ]


def _why_narrow(row: Mapping[Hashable, Any], composite: bool) -> str:
    """Return why intervals hold the truth too seldom: the estimate is off, or it is right and scatters more than its error says."""
    if not abs(row["bias"]) <= _CHANCE * row["error_of_bias"]:
        return (
            "the mean estimate is off by more than chance, for what is lost or happens after enrolment is not as the analysis takes it to be, or it asks "
            "something else"
        )
    if composite:
        return (
            "the mean estimate is right, but the rates of outcomes differ from trial to trial, and with the mixture of events the effect, which the interval of "
            "one trial does not know"
        )
    return "the mean estimate is right, but its standard error is too small for outcomes that scatter like these in so many patients"


def _false_positives(assessment: Assessment, design: str, rows: list[dict[Hashable, Any]]) -> list[str]:
    nulls = [row for row in rows if math.isfinite(row["false_positives"])]
    rule = rule_of(assessment.protocol.endpoints, assessment.protocol.endpoints.primary)
    return [
        f"Were both groups of {words.contrast(assessment, row['treated'], row['control'])} ({words.design(assessment, design)}) given what the control gets, "
        f"{words.percent_text(row['false_positives'], 1)} of trials ({100 * row['false_positives_low']:.1f} to {100 * row['false_positives_high']:.1f} %) "
        f"would be significant, where {100 * rule.alpha:g} % are meant to be (type I error).{_trials_wanted(assessment, rule.alpha)}"
        for row in nulls
    ]


def _trials_wanted(assessment: Assessment, alpha: float) -> str:
    """Say how many trials would tell the type I error, where these are too few for it; empty where they are enough."""
    wanted = math.ceil(alpha * (1 - alpha) * (Z95 / _KNOWN) ** 2)
    if assessment.replicates >= wanted:
        return ""
    return f" {words.counted(assessment.replicates, 'trial')} are too few to tell: {words.thousands(wanted)} would, to within {100 * _KNOWN:g} %."


def _several(assessment: Assessment) -> list[Table]:
    """Return what each of several tests rejects alone and after adjustment."""
    if assessment.multiple_tests.empty:
        return []
    named = words.has_cells(assessment)
    rows = [
        [
            words.design(assessment, str(row["design"])),
            *([words.scenario_short(str(row["scenario"]))] if named else []),
            str(row["endpoint"]),
            str(row["comparison"]),
            "" if not math.isfinite(row["rejected_alone"]) else words.percent_text(row["rejected_alone"], 1),
            words.percent_text(row["rejected"], 1),
        ]
        for row in assessment.multiple_tests.to_dict("records")
    ]
    procedure = str(assessment.multiple_tests["procedure"].iloc[0])
    head = ["design", *(["scenario"] if named else []), "endpoint", "comparison"]
    told = f"Several tests, {procedure} procedure: share of trials that show each benefit."
    return [Table(told, [*head, "alone", "adjusted"], rows, len(head))]


def _without_truth(assessment: Assessment) -> list[str]:
    every = [assessment.protocol.endpoints.primary, *assessment.protocol.endpoints.secondary]
    return [
        f"{words.capital(title(item, assessment.protocol))} has no true value here: {why_no_truth(item)}."
        for item in every
        if why_no_truth(item)
    ]
