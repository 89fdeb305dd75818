"""The section on harms: every group of the trial, and treated against control patients."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...therapies.scenarios import CURRENT_EVIDENCE
from ..common import words
from ..common.document import Section, Table

if TYPE_CHECKING:
    from ...trials.operating.result_tables import Assessment


def harms_section(assessment: Assessment) -> Section | None:
    """Return the harms of each group of the first design; None where nobody is given cells."""
    if assessment.adverse.empty or not words.has_cells(assessment):
        return None
    design = [*assessment.controlled, *assessment.single, *assessment.protocol.designs][0]
    names = words.scenarios(assessment)
    scenario = CURRENT_EVIDENCE if CURRENT_EVIDENCE in names else names[0]
    table = assessment.adverse
    rows = table[(table["design"] == design) & (table["scenario"] == scenario)].to_dict("records")
    happened = {r["event"] for r in rows if r["share"] > 0}
    compared = any(r["control"] for r in rows)
    harm_lines = [_row(assessment, r, compared) for r in rows if r["event"] in happened]
    if not harm_lines:
        return None
    header = ["event", "group", "patients", "95 % of trials", "share"]
    header += ["risk ratio", "difference", "95 % of trials"] if compared else []
    return Section(
        "harms",
        "Harms",
        [_words(assessment, design, scenario, compared)],
        tables=[Table(f"{words.capital(words.design(assessment, design))}.", header, harm_lines, 2)],
    )


def _row(assessment: Assessment, r: Mapping[Any, Any], compared: bool) -> list[str]:
    cells = [
        words.capital(words.event(str(r["event"]))),
        words.arm(assessment, str(r["arm"])),
        words.written_number(r["patients"], 1),
        f"{r['trials_low']:.0f}\u2013{r['trials_high']:.0f}",
        words.percent_text(r["share"], 1),
    ]
    if not compared:
        return cells
    if not r["control"]:
        return [*cells, "", "", ""]
    ratio = "\u2013"
    if math.isfinite(r["risk_ratio"]):
        ratio = f"{r['risk_ratio']:.2f} ({r['risk_ratio_low']:.2f}\u2013{r['risk_ratio_high']:.2f})"
    low, middle, high = (_points(r[f"risk_difference{end}"]) for end in ("_low", "", "_high"))
    return [*cells, ratio, middle, f"{low} to {high}"]


def _points(share: float) -> str:
    """Return a difference of shares in percentage points."""
    text = f"{100 * share:+.1f}".replace("-", words.MINUS)
    return text if math.isfinite(share) else "\u2013"


def _words(assessment: Assessment, design: str, scenario: str, compared: bool) -> str:
    protocol = assessment.protocol
    arms = protocol.designs[design].arms
    sham = [name for name in arms if protocol.arms[name].infusions_like is not None]
    plain = [name for name in arms if protocol.arms[name].cells is None and name not in sham]
    text = (
        f"Patients with at least one event while in the trial, if {words.scenario(scenario)}: expected number in one trial, range of 95 % of "
        "trials, share."
    )
    if compared:
        text += (
            " Risk ratios are those of all replicates together with their Monte Carlo interval, differences (in percentage points) those of "
            "one trial: the range says how little one trial sees."
        )
    if sham:
        text += f" {words.capital(words.listed([words.arm(assessment, n) for n in sham]))}: infusions without cells, with the risks of placebo."
    if plain:
        text += f" {words.capital(words.listed([words.arm(assessment, n) for n in plain]))}: no infusions, so that nothing of them can be compared."
    return text + (
        " Serious infection, thromboembolism and cancer come in every group at the rates of people like these, times the ratio that trials of "
        "stromal cells found; some of them kill."
    )
