"""Untreated lives: people with diabetes drawn at random and followed for forty years without any drug, as far as their kidneys carry.

Nothing may run away on the way to kidney failure: it prints pressure, glomerular pressure and extracellular volume by stage of GFR, how
many pass the bounds of what a body bears, and what the solver could not finish.
"""

from __future__ import annotations

import argparse

import numpy as np

from betapod.base.constants import DAYS_PER_YEAR
from betapod.engine.ensemble import Ensemble
from betapod.physiology import whole_body

#: Rows of the kidney's table in which people differ; the rest of a person is drawn below.
ROWS = ("xi", "xi_h", "xi_theta", "xi_vessel", "xi_nephron", "GFR0", "MAP0", "C_alb0", "Tm0", "W_GBM0", "N_in")
#: Quantity, unit, bound.
BOUNDS = (("MAP", "mmHg", 145.0), ("P_GC", "mmHg", 110.0))
STAGES = ((90.0, np.inf), (60.0, 90.0), (30.0, 60.0), (15.0, 30.0), (8.0, 15.0))
#: Volume that counts as overhydration: 7 % above nominal.
OVERHYDRATED = 1.07


def draw_untreated(count: int, seed: int) -> dict[str, np.ndarray]:
    """Return people by the distributions of the table; glucose 9.5 SD 2.5 mmol/L, pressure +6 SD 6 mmHg, age 50 SD 10 years."""
    rng = np.random.default_rng(seed)
    table = whole_body.model_parameters("kidney")
    people = {
        "G": np.clip(9.5 + 2.5 * rng.standard_normal(count), 5.2, 18.0),
        "dMAP": 6.0 + 6.0 * rng.standard_normal(count),
        "age": np.clip(50.0 + 10.0 * rng.standard_normal(count), 20.0, 70.0),
    }
    for name in ROWS:
        kind, first, second = table[name].shape
        scores = rng.standard_normal(count)
        people[name] = first * np.exp(second * scores) if kind == "lognormal" else first + second * scores
    people["GFR0"] = np.clip(people["GFR0"], table["GFR0"].low, table["GFR0"].high)
    return people


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--years", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    model = whole_body.named_model("kidney")
    people = draw_untreated(options.people, options.seed)
    days = np.arange(options.years + 1.0) * DAYS_PER_YEAR
    result = Ensemble(model, ["GFR", "MAP", "P_GC", "V_E"]).run(people, days)
    values = {name: result.values[:, :, i] for i, name in enumerate(result.names)}
    lost = int(np.sum(np.asarray(result.event) >= 0))
    print(f"{options.people} people, {options.years} years, seed {options.seed}: {lost} lose their kidneys")
    print(f"failures of the solver: {len(result.failures)}")
    for name, unit, bound in BOUNDS:
        highest = np.nanmax(values[name], axis=1)
        print(f"{name}: highest {highest.max():.1f} {unit}; above {bound:g}: {int(np.sum(highest > bound))} people")
    print(f"V_E: highest {np.nanmax(values['V_E']):.1f} L")
    print(
        f"{'GFR, mL/min':<12}{'years':>8}"
        + "".join(f"{f'{n} mean, 99 %, max':>26}" for n in ("MAP", "P_GC", "V_E"))
        + "  overhydrated"
    )
    nominal = model.values()["V_E0"]
    for low, high in STAGES:
        here = (values["GFR"] >= low) & (values["GFR"] < high)
        cells = "".join(
            f"{f'{values[n][here].mean():.1f}, {np.quantile(values[n][here], 0.99):.1f}, {values[n][here].max():.1f}':>26}"
            for n in ("MAP", "P_GC", "V_E")
        )
        name = f"{low:g} to {high:g}" if np.isfinite(high) else f"from {low:g}"
        print(f"{name:<12}{here.sum():>8}{cells}{100 * np.mean(values['V_E'][here] > OVERHYDRATED * nominal):>12.0f} %")


if __name__ == "__main__":
    main()
