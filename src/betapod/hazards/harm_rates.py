"""Harms that come with and without cells: rates of serious infection, thromboembolism and cancer, and how they end in death.

The deaths that these events bring are part of the rates of death of `outcome_rates`, not added to them: `deaths_apart` takes them out, so
that events and deaths of one person belong together and the sum stays what control groups of trials show. A treatment that brings more such
events brings more deaths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .risk import Numbers, RiskProfile, egfr_factor, hazard_values, uacr_factor


@dataclass(frozen=True)
class DeadlyHarm:
    """How one kind of event ends in death.

    Attributes
    ----------
    death
        Cause of `outcome_rates.CAUSES` as which such a death is counted.
    fatal, days
        Ids of the share that dies at 65, and of the mean time to it.
    tau
        Id of the years over which that share rises e-fold; empty where it does not depend on age.
    """

    death: str
    fatal: str
    days: str
    tau: str = ""


#: Event -> how it kills.
DEADLY: Mapping[str, DeadlyHarm] = {
    "serious_infection": DeadlyHarm("other_death", "infection_fatal_65", "infection_death_days", "infection_fatal_tau"),
    "thromboembolism": DeadlyHarm("cv_death", "vte_fatal", "vte_death_days"),
    "cancer": DeadlyHarm("other_death", "cancer_fatal", "cancer_death_days"),
}


def serious_infection_rate(profile: RiskProfile) -> Numbers:
    """Return the rate of admission to hospital for infection, 1/year.

    Notes
    -----
    Atherosclerosis Risk in Communities study, Diabetologia 2021;64:2458, for the rate with and without diabetes.
    """
    p = hazard_values()
    kidney = egfr_factor(profile.egfr) ** p["infection_kidney"]
    return _at_age("infection", profile) * kidney * _without("infection", profile)


def thromboembolism_rate(profile: RiskProfile) -> Numbers:
    """Return the rate of venous thromboembolism, 1/year."""
    kidney = egfr_factor(profile.egfr) * uacr_factor(profile.uacr)
    return np.asarray(_at_age("vte", profile) * kidney ** hazard_values()["vte_kidney"])


def cancer_rate(profile: RiskProfile) -> Numbers:
    """Return the rate of cancer, 1/year."""
    return _at_age("cancer", profile) * _without("cancer", profile)


def _at_age(name: str, profile: RiskProfile) -> Numbers:
    p = hazard_values()
    years = np.asarray(profile.age, dtype=np.float64) - 65.0
    return np.asarray(p[f"{name}_rate_65"] * np.exp(years / p[f"{name}_tau"]))


def _without(name: str, profile: RiskProfile) -> Numbers:
    less = 1.0 - hazard_values()[f"{name}_no_diabetes"]
    return np.asarray(1.0 - (1.0 - np.asarray(profile.diabetes, dtype=np.float64)) * less)


def fatal_share(event: str, age: Numbers | float) -> Numbers:
    """Return the share of events of a kind that kill people of an age (years).

    Parameters
    ----------
    event
        Of `DEADLY`.
    """
    p, harm = hazard_values(), DEADLY[event]
    years = np.asarray(age, dtype=np.float64) - 65.0
    rise = np.exp(years / p[harm.tau]) if harm.tau else np.ones_like(years)
    return np.asarray(np.minimum(p[harm.fatal] * rise, 1.0))


def deaths_apart(days: Numbers, rates: Mapping[str, Numbers], age: Numbers | float) -> dict[str, Numbers]:
    """Return rates in which deaths do not hold those that events of `DEADLY` bring.

    Nobody has such an event on day 0, so that its deaths come by and by, with the mean time from event to death.

    Parameters
    ----------
    days
        (T,) from the day on which people are followed.
    rates
        Cause -> (..., T) 1/year, as of `outcome_rates.cause_rates`.
    age
        Years; broadcasts with the rates.

    Returns
    -------
    dict
        The same causes; rates of death are never below 0.
    """
    apart = dict(rates)
    for event, harm in DEADLY.items():
        begun = -np.expm1(-np.asarray(days, dtype=np.float64) / hazard_values()[harm.days])
        brought = rates[event] * fatal_share(event, age) * begun
        apart[harm.death] = np.maximum(apart[harm.death] - brought, 0.0)
    return apart
