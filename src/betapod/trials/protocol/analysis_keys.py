"""Analyses that endpoints may name, with their settings: which there are for what, and what each estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ...base.config import Duration, Settings, refuse
from ...base.errors import Problem

#: Statistics of pairs of patients, one from each group.
WINS = ("win odds", "win ratio", "net benefit")
#: Analyses that complete missing visits many times -> how, by the names of `reference_imputation`.
IMPUTED: Mapping[str, str] = {
    "multiple imputation": "missing at random",
    "jump to reference": "jump to reference",
    "copy increments in reference": "copy increments in reference",
    "copy reference": "copy reference",
}
#: Models of whole courses of eGFR, or of another quantity.
COURSES = ("mixed slopes", "shared-parameter slopes")
#: Kinds of slopes that endpoints may ask for.
SLOPES = ("slope", "chronic slope", "acute change")

#: Day from which the acute effect of a treatment on eGFR is taken as complete, where nothing says otherwise; assumed.
ACUTE_DAYS = 80.0

_MEANS = ("ANCOVA", "t test", "MMRM", *IMPUTED, *WINS)

#: What is compared -> its analyses where there is a control, the usual one first.
CONTROLLED: Mapping[str, tuple[str, ...]] = {
    "change": _MEANS,
    "ratio": _MEANS,
    **dict.fromkeys(SLOPES, ("ANCOVA", "t test", *COURSES, *WINS)),
    "responders": ("risk difference", "stratified risk difference"),
    "time to event": ("log-rank", "Cox", "Fine-Gray", "RMST", "cumulative incidence"),
    "recurrent events": ("negative binomial", "LWYY"),
    "total": ("t test",),
    "crossover": ("t test",),
    "hierarchy": WINS,
}

#: Analysis -> the settings that it has.
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "ANCOVA": ("covariates", "stratified", "robust"),
    "MMRM": ("covariates", "stratified", "structure", "degrees"),
    **dict.fromkeys(IMPUTED, ("imputations",)),
    "mixed slopes": ("covariates", "stratified", "knot", "scatter_by_arm"),
    "shared-parameter slopes": ("covariates", "stratified", "knot"),
    "log-rank": ("stratified",),
    "Cox": ("covariates", "stratified"),
    "Fine-Gray": ("covariates", "stratified"),
    "RMST": ("horizon",),
    "negative binomial": ("covariates", "stratified"),
    "LWYY": ("covariates", "stratified"),
    **dict.fromkeys(WINS, ("stratified",)),
}

#: Analyses that protocols of real trials name, and that are not run here, by their names in small letters -> what they are, and why not or what instead.
_NOT_RUN: Mapping[str, tuple[str, str]] = {
    "mixed model": ("a mixed model", "MMRM for changes, mixed slopes for slopes"),
    "mixed slope": ("a mixed model of slopes", "mixed slopes"),
    "gee": ("generalised estimating equations", "MMRM"),
    "logistic regression": ("logistic regression", "risk difference or stratified risk difference"),
    "poisson": ("a regression of counts", "negative binomial, which allows for more scatter"),
    "andersen-gill": ("rates of recurrent events", "LWYY, the same rates with errors that hold where patients differ"),
    "wilcoxon": ("a rank test", "win odds, which tests the same"),
    "mann-whitney": ("a rank test", "win odds, which tests the same"),
    "cmh": ("a stratified test of proportions", "stratified risk difference"),
    "fisher": ("an exact test", "risk difference"),
    "chi-square": ("a chi-square test", "risk difference, whose p it is"),
}

#: Analysis -> what it estimates, where that is no plain difference.
_MEASURES: Mapping[str, str] = {
    "log-rank": "hazard ratio",
    "Cox": "hazard ratio",
    "Fine-Gray": "subdistribution hazard ratio",
    "RMST": "time free of the event",
    "cumulative incidence": "risk difference",
    "negative binomial": "rate ratio",
    "LWYY": "rate ratio",
    "risk difference": "risk difference",
    "stratified risk difference": "risk difference",
    **{name: name for name in WINS},
}
#: Measures that are estimated as logarithms of ratios.
RATIOS = ("hazard ratio", "subdistribution hazard ratio", "rate ratio", "win odds", "win ratio")


def _run_here(method: Any) -> Any:
    description = _NOT_RUN.get(" ".join(str(method).lower().split()))
    if description is not None:
        meaning, instead = description
        every = list(dict.fromkeys(name for names in CONTROLLED.values() for name in names))
        raise refuse(
            Problem(
                "analysis-not-run",
                f"{method} ({meaning}) is not available",
                found=str(method),
                expected=", ".join([*every, "paired"]),
                hint=f"What there is instead: {instead}.",
            )
        )
    return method


class Analysis(Settings):
    """Analysis of an endpoint; settings that are left out are the usual ones of the method."""

    method: Annotated[
        Literal[
            "ANCOVA", "t test", "paired", "MMRM", "multiple imputation", "jump to reference", "copy increments in reference", "copy reference",
            "mixed slopes", "shared-parameter slopes", "risk difference", "stratified risk difference", "log-rank", "Cox", "Fine-Gray", "RMST",
            "cumulative incidence", "negative binomial", "LWYY", "win odds", "win ratio", "net benefit",
        ],
        BeforeValidator(_run_here),
    ]  # fmt: skip
    covariates: list[str] = Field(
        default_factory=list,
        description="besides the baseline of the endpoint: quantities measured at baseline, or characteristics such as AGE",
    )
    stratified: bool | None = Field(
        default=None,
        description="whether the strata of the protocol are part of the analysis; by default in models of values, not in those of events and wins",
    )
    robust: Literal["HC0", "HC1", "HC2", "HC3"] | None = Field(
        default=None, description="errors of ANCOVA that hold where scatter differs between patients"
    )
    structure: (
        Literal[
            "unstructured", "Toeplitz", "AR(1)", "compound symmetry", "heterogeneous Toeplitz", "heterogeneous AR(1)", "heterogeneous compound symmetry",
        ]
        | None
    ) = Field(default=None, description="covariance of the visits of MMRM; unstructured by default")  # fmt: skip
    degrees: Literal["Satterthwaite", "Kenward-Roger"] | None = Field(
        default=None, description="degrees of freedom of MMRM; Satterthwaite by default"
    )
    knot: Duration | Literal["free"] | None = Field(
        default=None,
        description="when the acute effect on eGFR is complete and the slope changes; free: the visit with the highest likelihood in each trial",
    )
    scatter_by_arm: bool | None = Field(
        default=None, description="whether slopes of mixed slopes scatter differently in the two groups"
    )
    horizon: Duration | None = Field(
        default=None, description="time up to which RMST counts; the day of the endpoint's visit by default"
    )
    imputations: Annotated[int, Field(ge=2, le=1000)] | None = Field(
        default=None, description="completed trials per trial; 20 by default"
    )


def method_of(analysis: Any) -> str | None:
    """Return the method that an analysis names, from plain values that may be wrong; None where it names none."""
    if isinstance(analysis, dict):
        analysis = analysis.get("method")
    return analysis if isinstance(analysis, str) else None


def measure_of(method: str) -> str:
    """Return what an analysis of two groups estimates: ``difference``, ``hazard ratio``, ``win odds`` and so on."""
    return _MEASURES.get(method, "difference")
