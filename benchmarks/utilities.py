"""Tables of docs/background/quality-of-life.md: what each set takes away, and what sets and ways to combine make of the same lives.

python benchmarks/utilities.py
"""

from __future__ import annotations

import numpy as np

from betapod.base.constants import DAYS_PER_YEAR
from betapod.hazards.risk import RiskProfile
from betapod.hazards.risk_course import RiskCourse
from betapod.health.accrue import COMBINATIONS, accrue
from betapod.health.event_table import own_events
from betapod.health.lives import live_on
from betapod.health.prepared_course import prepare
from betapod.health.utilities import utility_sets, utility_values, utility_weights

STATES = (
    "mi", "stroke", "hf", "ischaemic_heart_disease", "peripheral_artery_disease", "albuminuria_a3", "ckd_4", "ckd_5", "dialysis",
    "transplant", "conservative_care", "retinopathy", "severe_retinopathy", "macular_oedema", "vision_loss", "neuropathy",
    "foot_ulcer", "amputation",
)  # fmt: skip
PEOPLE, YEARS = 2000, 20


def losses() -> None:
    """Print base and losses of every set."""
    sets, values = utility_sets().values(), utility_values()
    print("| | " + " | ".join(item.name for item in sets) + " |")
    print("|---" * (len(sets) + 1) + "|")
    print("| base | " + " | ".join(f"{values[item.base]:g}" for item in sets) + " |")
    for name in (*STATES, "severe_hypoglycaemia"):
        rows = [item.states.get(name) or item.events.get(name) for item in sets]
        print(f"| `{name}` | " + " | ".join("-" if row is None else f"{values[row]:g}" for row in rows) + " |")


def lives() -> None:
    """Print quality-adjusted years of the same lives by set and way to combine."""
    days = np.arange(0, 2 * YEARS + 1) * DAYS_PER_YEAR / 2
    years = days / DAYS_PER_YEAR
    profile = RiskProfile(
        age=65 + years, female=0.4, egfr=45 - 2.5 * np.minimum(years, 14), uacr=500, hba1c=8.2, insulin_dose=40, sbp=140, duration=15 + years
    )  # fmt: skip
    course = RiskCourse(days, profile, np.arange(PEOPLE), failed=np.full(PEOPLE, 14 * DAYS_PER_YEAR))
    lived = live_on(prepare(course, own_events()))
    print(f"\n{lived.life_years().mean():.2f} years lived\n\n| set | " + " | ".join(COMBINATIONS) + " |")
    print("|---" * 4 + "|")
    for item in utility_sets().values():
        sums = [
            accrue(
                lived, utility_weights(item, course, lived.states, lived.events, None, how)
            ).qalys_undiscounted.mean()  # type: ignore[arg-type]
            for how in COMBINATIONS
        ]
        print(f"| {item.name} | " + " | ".join(f"{value:.2f}" for value in sums) + " |")


if __name__ == "__main__":
    losses()
    lives()
