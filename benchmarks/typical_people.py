"""Write the states of the typical people anew, after equations or values have changed: python benchmarks/typical_people.py."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

from betapod.person import typical
from betapod.person.metabolic_state import grown
from betapod.physiology import whole_body

STATES = Path(typical.__file__).parents[1] / "physiology" / "profiles" / "states.csv"


def main() -> None:
    """Simulate everybody's history and write its end."""
    model = whole_body.named_model("metabolism")
    with STATES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("person", "id", "value", "unit"))
        for name in typical.typical_names():
            state = grown(replace(typical.person(name), state={})).state
            # What decays towards 0 is 0 within the tolerance of the solver, and prints as noise of its size.
            writer.writerows(
                (name, id_, f"{0.0 if abs(state[id_]) < 1e-15 else state[id_]:.10g}", model.units[id_])
                for id_ in model.state_names
            )
            print(f"{name}: HbA1c {state['HbA1c']:.3f} %")


if __name__ == "__main__":
    main()
