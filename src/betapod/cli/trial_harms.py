"""The harms of a trial as `betapod run` prints them: every group of each design, under the scenario that reports speak of."""

from __future__ import annotations

from typing import Any

from .shared import print_table, print_text


def print_trial_harms(document: dict[str, Any]) -> None:
    """Print the share of patients of each group who have a harm at least once, and the risk ratio where two groups are compared.

    Parameters
    ----------
    document
        A run's summary; nothing is printed where nobody is given cells.
    """
    from ..report.common.words import capital, event, percent_text
    from ..therapies.scenarios import SCENARIOS

    rows = document["harms"]
    if not rows or not any(row["cells"] for row in document["rows"]):
        return
    for design in dict.fromkeys(row["design"] for row in rows):
        of_design = [row for row in rows if row["design"] == design]
        arms = list(dict.fromkeys(row["arm"] for row in of_design))
        ratios = {row["event"]: row for row in of_design if row["risk_ratio"] is not None}
        compared = len(arms) == 2 and bool(ratios)
        shares = {(row["event"], row["arm"]): row["share"] for row in of_design}
        lines = [
            (
                capital(event(name)),
                *(percent_text(shares[name, arm], 2) if shares[name, arm] is not None else "-" for arm in arms),
                *([_risk_ratio(ratios.get(name))] if compared else []),
            )
            for name in dict.fromkeys(row["event"] for row in of_design)
            if any(shares[name, arm] for arm in arms)
        ]
        label = SCENARIOS[of_design[0]["scenario"]].label
        print_text(f"Patients of {design} with a harm while in the trial, if {label}")
        columns = ("harm", *arms, *(["risk ratio, all replicates"] if compared else []))
        print_table(columns, lines, right=columns[1:])


def _risk_ratio(row: dict[str, Any] | None) -> str:
    if row is None:
        return "-"
    return f"{row['risk_ratio']:.2f} ({row['risk_ratio_low']:.2f} to {row['risk_ratio_high']:.2f})"
