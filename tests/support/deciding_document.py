"""The page of the numbers that decide verdicts: ``python tests/support/deciding_document.py [FILE]`` writes it anew.

FILE is what ``betapod sensitivity claims --json`` printed; what the page shows of it is kept beside this program, so that the page and its test
need no run.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from betapod.physiology.installed_fits import list_fits

KEPT = Path(__file__).with_name("deciding_numbers.json")
PAGE = Path(__file__).parents[2] / "docs" / "background" / "deciding-numbers.md"
#: Numbers of a claim that are named as moving it most.
_MOVING = 3
_HEAD = """# Which assumed numbers decide a verdict

The model has {numbers} numbers of grade D (assumed or recalled) that have a range. Each is put at both ends of it, from today on, and every claim is judged
anew by the same rule; evidence stays as it is. This is what [`betapod sensitivity claims`](../how-to/sensitivity.md#of-a-verdict) prints, under the
tables of the fit {fit}{draws}; it takes {minutes:.0f} minutes of processor time.

"""


def kept_of(result: dict[str, Any], minutes: float) -> dict[str, Any]:
    """Return what the page shows of a result."""
    names = ("name", "label", "unit", "grade", "value", "low", "high", "at_low", "at_high", "moves", "outcome", "why")
    claims = []
    for claim in result["claims"]:
        tried = [{name: number[name] for name in names} for number in claim["tried"]]
        deciding = [number for number in tried if number["name"] in claim["deciding"]]
        moving = sorted((n for n in tried if n not in deciding), key=lambda n: -n["moves"])[:_MOVING]
        about = {name: claim[name] for name in ("claim", "text", "verdict", "why_none", "numbers")}
        claims.append(
            {**about, "deciding": deciding, "moving": moving, "draws": claim["draws"], "drawn": claim["drawn"]}
        )
    return {"fit": list_fits()[-1], "grades": result["grades"], "minutes": minutes, "claims": claims}


def page_of(kept: dict[str, Any]) -> str:
    """Return the page."""
    claims = kept["claims"]
    open_claims = [claim for claim in claims if not claim["why_none"]]
    decided = [claim for claim in open_claims if claim["deciding"]]
    alone = [claim for claim in open_claims if not claim["deciding"]]
    numbers = max(claim["numbers"] for claim in claims)
    drawn = max(claim.get("drawn", 0) for claim in claims)
    parts = [
        _HEAD.format(
            numbers=numbers,
            fit=kept["fit"],
            draws=f", with `--draws {drawn}`" if drawn else "",
            minutes=kept["minutes"],
        ),
        f"Of {len(claims)} verdicts {len(decided)} can be changed by one number alone, {len(alone)} by none alone, and "
        f"{len(claims) - len(open_claims)} by no number of the model at all.\n\n",
        "## Changed by one number\n\n",
        _table(
            ("claim", "verdict", "number", "plausible range", "moves the outcome by", "changes to", "because"),
            _deciding_rows(decided),
        ),
        "\nMoves are of the outcome within what evidence allows, in per cent of what is claimed. What the model gives when it is told all that is claimed\n"
        "moves otherwise: where it then falls short, the model is no test of the claim (*untested*). With A01 it reaches what is claimed by one per cent\n"
        "under the values of the tables, so that numbers of little effect take it below.\n"
        "\n## Changed by none alone\n\nWhich numbers move the outcome of the claim farthest, in per cent of what is claimed:\n\n",
        _table(("claim", "verdict", "moved most by"), [[c["claim"], c["verdict"], _moved(c)] for c in alone]),
        *(_all_together(open_claims, drawn) if drawn else ()),
        "\n## Changed by no number of the model\n\n",
        *(f"- {why}: {', '.join(names)}\n" for why, names in _reasons(claims).items()),
    ]
    return "".join(parts)


def _deciding_rows(claims: Iterable[dict[str, Any]]) -> list[list[str]]:
    rows = []
    for claim in claims:
        for number in claim["deciding"]:
            ends = [
                f"{number['at_' + end]} at {number[end]:g}"
                for end in ("low", "high")
                if number["at_" + end] not in (claim["verdict"], "")
            ]
            unit = "" if number["unit"] == "1" else f" {number['unit']}"
            within = f"{number['value']:g} ({number['low']:g} to {number['high']:g}){unit}"
            said = f"`{number['name']}`, {number['label']}"
            moves = "less than 0.01 %" if number["moves"] < 1e-4 else f"{100 * number['moves']:.2g} %"
            rows.append([claim["claim"], claim["verdict"], said, within, moves, "; ".join(ends), number["why"]])
    return rows


def _moved(claim: dict[str, Any]) -> str:
    moving = [f"`{n['name']}` {100 * n['moves']:.0f} %" for n in claim["moving"] if n["moves"] >= 0.005]
    return ", ".join(moving) or "nothing"


def _all_together(claims: Sequence[dict[str, Any]], drawn: int) -> list[str]:
    """Return the section on all numbers being somewhere in their ranges at once."""
    rows = []
    for claim in claims:
        shares = ", ".join(f"{verdict} {100 * share:.0f} %" for verdict, share in claim["draws"].items())
        rows.append([claim["claim"], claim["verdict"], shares, str(claim["drawn"])])
    steady = sum(claim["draws"].get(claim["verdict"], 0.0) == 1.0 for claim in claims)
    return [
        f"\n## With all of them at once\n\nIn {drawn} draws all numbers are somewhere in their ranges at once, evenly between their ends. "
        f"Of these {len(claims)} verdicts\n{steady} are the same in every draw.\n\n",
        _table(("claim", "verdict", "verdicts in the draws", "draws that could be simulated"), rows),
    ]


def _reasons(claims: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for claim in claims:
        if claim["why_none"]:
            reasons.setdefault(claim["why_none"], []).append(claim["claim"])
    return reasons


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        found = kept_of(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), float(sys.argv[2]))
        KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page_of(json.loads(KEPT.read_text(encoding="utf-8"))), encoding="utf-8")
