"""Draw deaths of control groups and of NHANES as the hazards have them against what was seen.

Run after ``python benchmarks/outcomes.py --nhanes FILE --out docs/figures/outcomes.csv``::

    python docs/figures/draw_outcomes.py
"""

import csv
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
mpl.rcParams.update({"svg.hashsalt": "betapod", "svg.fonttype": "none", "font.size": 9})

import matplotlib.pyplot as plt  # noqa: E402

HERE = Path(__file__).parent
#: Group of rows -> role in the legend, marker and colour.
KINDS = {
    "fit": ("shaped the rates", "o", "#0072b2"),
    "validation": ("did not: control groups", "s", "#d55e00"),
    "NHANES": ("did not: NHANES by eGFR and albuminuria", "^", "#009e73"),
}
LIMITS = (8.0, 300.0)


def main() -> None:
    """Write ``outcomes.svg``."""
    with (HERE / "outcomes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    figure, axes = plt.subplots(figsize=(6.4, 5.6))
    axes.fill_between(
        LIMITS,
        [x / 1.5 for x in LIMITS],
        [x * 1.5 for x in LIMITS],
        color="#dddddd",
        linewidth=0,
        label="within a factor of 1.5",
    )
    axes.plot(LIMITS, LIMITS, color="#666666", linewidth=0.8)
    for kind, (label, marker, colour) in KINDS.items():
        chosen = [row for row in rows if ("NHANES" if row["group"].startswith("NHANES") else row["role"]) == kind]
        x, y = ([float(row[name]) for row in chosen] for name in ("observed", "expected"))
        axes.plot(x, y, marker, color=colour, markersize=5, label=label, alpha=0.8, markeredgewidth=0)
        if kind != "NHANES":
            for row, left, up in zip(chosen, x, y, strict=True):
                name = row["group"].replace("UKPDS 64, ", "UKPDS: ")
                # To the side where the diagonal is not; names of points that lie together above or below each other.
                before = (up > 1.05 * left and left > 20) or left > 150
                axes.annotate(
                    name,
                    (left, up),
                    (-6 if before else 5, {"UKPDS: macroalbuminuria": 4, "CREDENCE": -11}.get(name, -3)),
                    textcoords="offset points",
                    ha="right" if before else "left",
                    fontsize=6.5,
                )
    axes.set(xscale="log", yscale="log", xlim=LIMITS, ylim=LIMITS)
    axes.set_xlabel("seen, deaths per 1000 person-years")
    axes.set_ylabel("by the hazards")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_ticks([10, 20, 50, 100, 200])
    axes.minorticks_off()
    axes.legend(loc="upper left", frameon=False, fontsize=8)
    figure.savefig(HERE / "outcomes.svg", metadata={"Date": None}, bbox_inches="tight")


if __name__ == "__main__":
    main()
