"""What stays hidden in the package's people with type 2 diabetes, as a table of docs/background/patients.md.

Run: PYTHONPATH=src python benchmarks/patients/hidden_structure.py
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from betapod.engine.ensemble import Ensemble
from betapod.patients import library as libraries
from betapod.physiology import whole_body

#: Own UACR (mg/g) of the rows of the table.
_ROWS = (("below 30", 0.0, 30.0), ("30 to 300", 30.0, 300.0), ("above 300", 300.0, np.inf))


def described(values: NDArray[np.float64], digits: int) -> str:
    """Return median, 10 and 90 % as text."""
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def main() -> None:
    """Print the rows, and how many people of each kind the library has."""
    library = libraries.default()
    table = library.table
    adults, ill, type_1 = table["segment"] == 0, table["diabetes"] == 1, table["T1D"] == 1
    kinds = {
        "type 2 diabetes": adults & ill & ~type_1,
        "type 1 diabetes": adults & type_1,
        "no diabetes": adults & ~ill & ~type_1,
        "Pima": ~adults,
    }
    for name, rows in kinds.items():
        print(f"| {name} | {int(rows.sum()):,} | {table[rows]['person'].nunique():,} |")
    people = library.take(np.flatnonzero(kinds["type 2 diabetes"].to_numpy()))
    model = whole_body.named_model("reference")
    names = {*model.parameters, *model.inputs}
    columns = {name: column for name, column in people.parameters.items() if name in names}
    state = {name: column for name, column in people.initial.items() if name in model.state_names}
    now = Ensemble(model, ("Vv_mes", "nephrons")).run(columns, [0.0], initial=state).values[:, 0]
    uacr = people.table["true_uacr"].to_numpy()
    for name, low, high in _ROWS:
        rows = (uacr >= low) & (uacr < high)
        cells = (
            described(state["W_GBM"][rows], 0), described(np.exp(state["ln_podocytes"][rows]), 0), described(now[rows, 0], 2),
            described(now[rows, 1], 2), described(state["beta_mass"][rows], 2),
        )  # fmt: skip
        print(f"| {name} | {int(rows.sum())} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
