"""Rates of outcomes per year: death and its causes, heart failure, infarction, stroke, kidney injury, hypoglycaemia, harms.

Everything else that ends or interrupts a course is made of the `CAUSES`, which compete: at most one of the two deaths comes, and
nothing comes after it. An outcome of `OUTCOMES` is the first of its causes, so that its hazard is their sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from .harm_rates import cancer_rate, serious_infection_rate, thromboembolism_rate
from .risk import Numbers, RiskProfile, egfr_factor, era_factor, hazard_values, softplus, uacr_factor

#: Outcome -> its causes. The causes of an outcome that is its own cause stand alone.
OUTCOMES: Mapping[str, tuple[str, ...]] = {
    "death": ("cv_death", "other_death"),
    "cv_death": ("cv_death",),
    "other_death": ("other_death",),
    "hf_hospitalisation": ("hf_hospitalisation",),
    "mi": ("mi",),
    "stroke": ("stroke",),
    "mace": ("cv_death", "mi", "stroke"),
    "aki": ("aki",),
    "severe_hypoglycaemia": ("severe_hypoglycaemia",),
    "serious_infection": ("serious_infection",),
    "thromboembolism": ("thromboembolism",),
    "cancer": ("cancer",),
}
#: What each outcome is called.
OUTCOME_LABELS: Mapping[str, str] = {
    "death": "death from any cause",
    "cv_death": "death from cardiovascular causes",
    "other_death": "death from other causes",
    "hf_hospitalisation": "hospitalisation for heart failure",
    "mi": "non-fatal myocardial infarction",
    "stroke": "non-fatal stroke",
    "mace": "cardiovascular death, non-fatal infarction or non-fatal stroke",
    "aki": "acute kidney injury",
    "severe_hypoglycaemia": "severe hypoglycaemia",
    "serious_infection": "serious infection",
    "thromboembolism": "venous thromboembolism",
    "cancer": "cancer",
}
#: Other spellings of outcomes, in small letters with underscores.
_SPELLINGS = {
    "all_cause_death": "death",
    "death_from_any_cause": "death",
    "mortality": "death",
    "cardiovascular_death": "cv_death",
    "hhf": "hf_hospitalisation",
    "hospitalisation_for_heart_failure": "hf_hospitalisation",
    "hf_hospitalization": "hf_hospitalisation",
    "heart_failure": "hf_hospitalisation",
    "heart_failure_hospitalisation": "hf_hospitalisation",
    "heart_failure_hospitalization": "hf_hospitalisation",
    "myocardial_infarction": "mi",
    "acute_kidney_injury": "aki",
    "severe_hypoglycemia": "severe_hypoglycaemia",
    "infection": "serious_infection",
    "hospitalisation_for_infection": "serious_infection",
    "venous_thromboembolism": "thromboembolism",
    "vte": "thromboembolism",
    "malignancy": "cancer",
}
#: Causes that end everything.
DEATHS = ("cv_death", "other_death")
#: eGFR (mL/min/1.73m2) at which somebody whose kidneys have failed is counted.
ON_DIALYSIS = 5.0


def death_rate(
    age: Numbers | float,
    female: Numbers | float,
    egfr: Numbers | float,
    uacr: Numbers | float,
    cvd: Numbers | float = 0.0,
    hf: Numbers | float = 0.0,
    diabetes: Numbers | float = 1.0,
    year: Numbers | float = 0.0,
) -> Numbers:
    """Return the rate of death from any cause, 1/year, without effects of drugs.

    Parameters
    ----------
    age, female, egfr, uacr, cvd, hf, diabetes, year
        As in `risk.RiskProfile`.

    Returns
    -------
    numpy.ndarray
        Of the shape that the arguments broadcast to.

    Examples
    --------
    >>> from betapod.hazards.outcome_rates import death_rate
    >>> bool(death_rate(75, 0, 40, 300) > 4 * death_rate(65, 0, 95, 5))
    True
    """
    p = hazard_values()
    sex = p["death_sex"] ** (0.5 - np.asarray(female, dtype=np.float64))
    history = (1.0 + np.asarray(cvd) * (p["death_cvd"] - 1.0)) * (1.0 + np.asarray(hf) * (p["death_hf"] - 1.0))
    healthy = 1.0 - (1.0 - np.asarray(diabetes)) * (1.0 - p["death_no_diabetes"])
    at_age = p["death_rate_65"] * np.exp((np.asarray(age, dtype=np.float64) - 65.0) / p["death_tau"])
    return np.asarray(
        at_age * sex * egfr_factor(egfr) * uacr_factor(uacr) * history * healthy * era_factor(year)
    )  # fmt: skip


def cv_death_share(egfr: Numbers | float, uacr: Numbers | float, cvd: Numbers | float = 0.0) -> Numbers:
    """Return the share of deaths that are cardiovascular."""
    p = hazard_values()
    kidney = np.log(egfr_factor(egfr) * uacr_factor(uacr))
    logit = p["cv_share_logit"] + p["cv_share_kidney"] * kidney + p["cv_share_cvd"] * np.asarray(cvd)
    return np.asarray(1.0 / (1.0 + np.exp(-logit)))


def cv_death_rate(profile: RiskProfile) -> Numbers:
    """Return the rate of death from cardiovascular causes, 1/year."""
    return _any_death(profile) * cv_death_share(profile.egfr, profile.uacr, profile.cvd)


def other_death_rate(profile: RiskProfile) -> Numbers:
    """Return the rate of death from other causes, 1/year."""
    return _any_death(profile) * (1.0 - cv_death_share(profile.egfr, profile.uacr, profile.cvd))


def _any_death(r: RiskProfile) -> Numbers:
    return death_rate(r.age, r.female, r.egfr, r.uacr, r.cvd, r.hf, r.diabetes, r.year)


def hf_hospitalisation_rate(profile: RiskProfile) -> Numbers:
    """Return the rate of hospitalisation for heart failure, 1/year."""
    p, r = hazard_values(), profile
    kidney = egfr_factor(r.egfr) ** p["hf_egfr"] * uacr_factor(r.uacr) ** p["hf_uacr"]
    history = (1.0 + np.asarray(r.cvd) * (p["hf_cvd"] - 1.0)) * (1.0 + np.asarray(r.hf) * (p["hf_history"] - 1.0))
    at_age = p["hf_rate_65"] * np.exp((np.asarray(r.age, dtype=np.float64) - 65.0) / p["hf_tau"])
    return np.asarray(at_age * kidney * history * era_factor(r.year))


def mi_rate(profile: RiskProfile) -> Numbers:
    """Return the rate of non-fatal myocardial infarction, 1/year."""
    return _vascular(profile, "mi")


def stroke_rate(profile: RiskProfile) -> Numbers:
    """Return the rate of non-fatal stroke, 1/year."""
    return _vascular(profile, "stroke")


def _vascular(r: RiskProfile, name: str) -> Numbers:
    p = hazard_values()
    added = p[f"{name}_with_cvd"] * np.asarray(r.cvd) * era_factor(r.year)
    return np.asarray(p[f"{name}_per_cv_death"] * cv_death_rate(r) + added)


def aki_rate(profile: RiskProfile) -> Numbers:
    """Return the rate of acute kidney injury, 1/year."""
    p, r = hazard_values(), profile
    below = softplus(p["aki_knee"] - np.asarray(r.egfr, dtype=np.float64), p["aki_width"])
    albuminuria = (np.maximum(r.uacr, p["uacr_least"]) / p["aki_uacr_anchor"]) ** p["aki_uacr"]
    at_age = p["aki_rate_65"] * np.exp((np.asarray(r.age, dtype=np.float64) - 65.0) / p["aki_tau"])
    return np.asarray(at_age * np.exp(p["aki_gain"] * below) * albuminuria)


def severe_hypoglycaemia_rate(profile: RiskProfile) -> Numbers:
    """Return the rate of severe hypoglycaemia, 1/year: 0 without insulin.

    Notes
    -----
    Diabetes Control and Complications Trial, Diabetes 1997;46:271. The rate of one person, not of those with episodes before.
    """
    p, r = hazard_values(), profile
    dose = np.maximum(np.asarray(r.insulin_dose, dtype=np.float64), 0.0)
    c_peptide = np.maximum(np.asarray(r.c_peptide, dtype=np.float64), 0.0)
    type_1 = np.asarray(r.type_1, dtype=np.float64)
    rate = p["hypo_scale"] * np.exp(-p["hypo_slope"] * (np.asarray(r.hba1c, dtype=np.float64) - p["hypo_hba1c"]))
    kind = type_1 + (1.0 - type_1) * p["hypo_type_2"]
    return np.asarray(rate * dose / (dose + p["hypo_dose"]) / (1.0 + c_peptide / p["hypo_C"]) * kind)


#: Cause -> its rate per year in people as they are.
CAUSES: Mapping[str, Callable[[RiskProfile], Numbers]] = {
    "cv_death": cv_death_rate,
    "other_death": other_death_rate,
    "hf_hospitalisation": hf_hospitalisation_rate,
    "mi": mi_rate,
    "stroke": stroke_rate,
    "aki": aki_rate,
    "severe_hypoglycaemia": severe_hypoglycaemia_rate,
    "serious_infection": serious_infection_rate,
    "thromboembolism": thromboembolism_rate,
    "cancer": cancer_rate,
}


def cause_rates(
    profile: RiskProfile, factors: Mapping[str, Numbers | float] | None = None, causes: Iterable[str] = tuple(CAUSES)
) -> dict[str, Numbers]:
    """Return the rate of each cause, 1/year.

    Parameters
    ----------
    factors
        Cause -> factor by which drugs change its rate, see `drug_hazards.drug_factors`.
    """
    return {
        name: np.asarray(CAUSES[name](profile) * (1.0 if factors is None else factors.get(name, 1.0)))
        for name in causes
    }


def outcome_label(outcome: str) -> str:
    """Return what an outcome is called in text, such as ``death from any cause``."""
    return OUTCOME_LABELS.get(outcome, outcome.replace("_", " "))


def outcome_of(name: str) -> str | None:
    """Return the outcome that a name means, such as ``death`` for ``all-cause death``; None where it means none."""
    spelt = "_".join(str(name).lower().replace("-", " ").replace("_", " ").split())
    spelt = _SPELLINGS.get(spelt, spelt)
    return spelt if spelt in OUTCOMES else None


def causes_of(outcomes: Iterable[str]) -> tuple[str, ...]:
    """Return the causes of some outcomes, each once."""
    return tuple(dict.fromkeys(cause for outcome in outcomes for cause in OUTCOMES[outcome]))
