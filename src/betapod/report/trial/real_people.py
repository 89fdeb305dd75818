"""Virtual patients beside real ones, for the figure and the sentences of a trial report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...observables.table import observables_and_characteristics
from ..common import words

if TYPE_CHECKING:
    import pandas as pd

    from ...patients.library import Library

#: Observables and characteristics that are shown.
_SHOWN = ("age", "duration", "bmi", "HbA1c", "FPG", "SBP", "eGFR", "UACR")
#: Their columns of the library, with label and unit.
SHOWN = {
    observable.cohort: (observable.short or observable.label, words.unit(observable.unit))
    for observable in (observables_and_characteristics()[name] for name in _SHOWN)
}


@dataclass(frozen=True)
class Match:
    """Quartiles of virtual and real people, whose the real ones are, and sentences on both."""

    table: pd.DataFrame
    cohort: str
    sentences: list[str]


def match(library: Library, cohort: str = "NHANES") -> Match:
    """Weight a library to look like a real cohort and compare quartiles.

    Parameters
    ----------
    cohort
        A target with distributions; others have no quartiles to show.
    """
    import numpy as np
    import pandas as pd

    from ...patients.cohorts import cohort_catalogue
    from ...patients.cohorts.comparison import weighted_quantile
    from ...patients.cohorts.reweight import weigh

    target = cohort_catalogue.load_target(cohort)
    eligible, weighting = weigh(library, target)
    people = library.table[eligible]
    rows = []
    for name, (label, unit) in SHOWN.items():
        if name not in target.distributions:
            continue
        real = target.distributions[name]
        values, weights = people[name].to_numpy(dtype=float), np.asarray(weighting.weights)
        keep = np.isfinite(values)
        if real.where:
            keep &= people[real.where].to_numpy(dtype=float) > 0.5
        low, middle, high = weighted_quantile(values[keep], weights[keep], np.array([0.25, 0.5, 0.75]))
        first, second, third = (float(real.quantile(level)) for level in (0.25, 0.5, 0.75))
        rows.append(
            {
                "label": label,
                "unit": unit,
                "real_low": first,
                "real_median": second,
                "real_high": third,
                "virtual_low": float(low),
                "virtual_median": float(middle),
                "virtual_high": float(high),
            }
        )
    sentences = [
        f"The library holds {words.thousands(len(library))} virtual people, each simulated from before diabetes to the day of screening, so that "
        "hidden structure and laboratory values belong together. "
        f"{words.thousands(int(eligible.sum()))} of them have a weight when the library is weighted to look like {target.label}; "
        f"the effective sample size is {words.thousands(round(_effective(weighting.weights)))}.",
        "The figure compares them with the real people before the trial's own eligibility criteria, on single measurements as in the survey.",
    ]
    return Match(pd.DataFrame(rows), target.label, sentences)


def _effective(weights: object) -> float:
    import numpy as np

    w = np.asarray(weights, dtype=float)
    return float(w.sum() ** 2 / (w**2).sum())
