"""Examples in the help of the verbs of sensitivity; as in `examples`."""

from __future__ import annotations

SENSITIVITY_EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "sensitivity": (
        ("Which numbers decide of a kidney's filtration?", "betapod sensitivity indices kidney -O GFR --runs 3000"),
        ("One at a time, as a tornado", "betapod sensitivity local kidney -O GFR --plot tornado.svg"),
    ),
    "sensitivity indices": (
        ("Shares of the variance, as a picture", "betapod sensitivity indices kidney -O GFR --runs 3000 --plot s.svg"),
        (
            "Screening of everything that has a range",
            "betapod sensitivity indices topp2000 --vary all --method morris -O glucose",
        ),
        ("What two numbers do together", "betapod sensitivity indices kidney -O MAP --pairs --runs 8000"),
        (
            "Shares that add up, by grade",
            "betapod sensitivity indices kidney --method shapley --by grade --runs 3000",
        ),
    ),
    "sensitivity local": (
        ("Slopes of filtration and pressure", "betapod sensitivity local kidney -O GFR,MAP --years 5"),
        ("Assumed numbers alone, as a table", "betapod sensitivity local kidney --vary all --grade D --csv d.csv"),
    ),
    "sensitivity trial": (
        ("What decides the power of a trial, by grade?", "betapod sensitivity trial nephstrom --by grade --runs 400"),
        ("Screening of the numbers of cell therapy", "betapod sensitivity trial dn61 --method prcc --runs 256"),
        ("Of the years of good health gained", "betapod sensitivity trial nephstrom --endpoint quality_of_life"),
    ),
    "sensitivity verdict": (
        ("What decides a verdict, by submodel?", "betapod sensitivity verdict A06 --by submodel --method shapley"),
        ("Screening of some numbers", "betapod sensitivity verdict A06 --vary kon_A,potency_UC --method prcc"),
    ),
    "sensitivity claims": (
        ("Which assumed numbers decide each verdict?", "betapod sensitivity claims"),
        ("Of one claim, numbers of a fit too", "betapod sensitivity claims A02 --grade C,D"),
        ("With all of them uncertain at once", "betapod sensitivity claims A02 --draws 64 --csv a02.csv"),
    ),
    "identify": (
        ("What would yearly filtration and pressure tell?", "betapod identify kidney -O GFR,MAP --years 10"),
        ("How far could two numbers be told, all fitted?", "betapod identify kidney -O GFR --profile xi,GFR0"),
        ("With exact measurements", "betapod identify kidney -O GFR,UACR --error 'GFR=2 %,UACR=10 %'"),
    ),
}
