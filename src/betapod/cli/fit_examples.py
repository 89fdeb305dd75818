"""Examples in the help of the verbs of fits; as in `examples`."""

from __future__ import annotations

FIT_EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "fit": (
        ("What will a fit do, and how long will it take?", "betapod fit plan kidney.yaml"),
        ("Fit it into a folder", "betapod fit run kidney.yaml --out kidney-fit"),
        ("What it found", "betapod fit show kidney-fit"),
    ),
    "fit new": (
        ("A model and measurements of people, as an example", "betapod fit new mine --individual"),
        ("Which files are they?", "betapod fit new yours --individual --json"),
    ),
    "fit plan": (
        ("Rows, unknowns and cost of a problem", "betapod fit plan kidney.yaml"),
        ("Without measuring the cost", "betapod fit plan kidney.yaml --no-cost"),
    ),
    "fit screen": (
        ("Which candidates do the rows speak to?", "betapod fit screen kidney.yaml --out kidney-screen"),
        ("The ten best of one stage", "betapod fit screen kidney.yaml --stage decades --most 10"),
    ),
    "fit run": (
        ("Fit a problem into a folder", "betapod fit run kidney.yaml --out kidney-fit"),
        ("With fewer draws, for a first look", "betapod fit run kidney.yaml --draws 16 --out look"),
    ),
    "fit resume": (
        ("Go on with a fit that was stopped", "betapod fit resume kidney-fit"),
        ("With one thread", "betapod fit resume kidney-fit --threads 1"),
    ),
    "fit show": (
        ("What a fit found", "betapod fit show kidney-fit"),
        ("As a page with figures", "betapod fit show kidney-fit --page fit.html"),
        ("Every published number before and after", "betapod fit show kidney-fit --rows --csv rows.csv"),
    ),
    "fit check": (
        ("What the rows say of the unknowns; families left out", "betapod fit check kidney-fit"),
        ("Are intervals honest, on 50 invented data sets?", "betapod fit check kidney-fit --sbc 50"),
        ("The posterior along two unknowns", "betapod fit check kidney-fit --profile h_N0,xi_spread"),
    ),
    "fit compare": (
        ("What changed from one fit to another?", "betapod fit compare kidney-fit other-fit"),
        ("From the installed fit, all rows as a table", "betapod fit compare 2026.2 kidney-fit --csv r.csv"),
    ),
    "fit export": (
        ("A fit of people for other tools", "betapod fit export mine/decline.yaml --petab petab"),
        ("With what a fit found as nominal values", "betapod fit export mine.yaml --petab p --at my-fit"),
    ),
    "petab": (
        ("A small problem to begin with", "betapod petab new decay"),
        ("How likely are its measurements?", "betapod petab evaluate decay/problem.yaml"),
        ("The most likely values", "betapod petab fit decay/problem.yaml --starts 5"),
    ),
    "sedml": (
        ("A small archive to begin with", "betapod sedml new meal.omex"),
        ("What would it simulate?", "betapod sedml show meal.omex"),
        ("Run it", "betapod sedml run meal.omex --out meal"),
    ),
    "sedml new": (
        ("A small archive to begin with", "betapod sedml new meal2.omex"),
        ("What it is as JSON", "betapod sedml new meal3.omex --json"),
    ),
    "sedml show": (
        ("What would it simulate?", "betapod sedml show meal.omex"),
        ("The same as JSON", "betapod sedml show meal.omex --json"),
    ),
    "sedml run": (
        ("Tables and pictures into a folder", "betapod sedml run meal.omex --out meal4"),
        ("Tables and numbers alone", "betapod sedml run meal.omex --out meal5 --pictures none"),
    ),
    "petab new": (
        ("A small problem to begin with", "betapod petab new decay2"),
        ("Its files as JSON", "betapod petab new decay3 --json"),
    ),
    "petab evaluate": (
        ("At other values, with the gradient", "betapod petab evaluate decay/problem.yaml --set k=0.4 --gradient"),
        ("Every prediction as a table", "betapod petab evaluate decay/problem.yaml --csv seen.csv"),
    ),
    "petab fit": (
        ("Five searches", "betapod petab fit decay/problem.yaml --starts 5"),
        ("Keep the estimates as a table of PEtab", "betapod petab fit decay/problem.yaml --out found.tsv"),
    ),
    "fit install": (
        ("Make a fit part of this installation", "betapod fit install kidney-fit 2026.2"),
        ("Although something speaks against it", "betapod fit install kidney-fit 2026.2 --although"),
    ),
}
