"""The reference page of mechanism switches, written from equations and tables: ``python tests/support/switches_page.py`` writes it anew."""

from __future__ import annotations

from pathlib import Path

from betapod.therapies.mechanism_switches import MechanismSwitch, mechanism_switches

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "switches.md"

HEAD = """# Mechanism switches

A switch is an input of the model, 1 (on) or 0 (off), that turns one mechanism of cell therapy. This page is written from equations and tables; the
command line has the same with every equation and value.

```sh
betapod switches sw_GLUT4
betapod simulate reference --person t2d --cells 'UC-MSC 1e6/kg iv x3 q28d' --scenario seed-claims --set sw_GLUT4=0 --days 30 --outputs HbA1c
```

- *Turns* names the quantities in whose equations the switch stands.
- *Acts under* names the scenarios in which turning it changes the course of a state of kidney or metabolism. Where that is none, the note says why.
- *Parameters* stand in the same equations. A mechanism that is only claimed has a gain of 0 outside of `seed-claims`.
- Some switches are masters of others: with `sw_sensitivity` 0 none of the steps of insulin action that the direct route turns acts, with
  `sw_differentiation` 0 no cell becomes another, with `sw_ectopic` 0 there are no insulin cells outside islets that could be repaired.

"""


def _row(switch: MechanismSwitch) -> str:
    turned = dict.fromkeys(each.text.partition(" = ")[0].strip() for each in switch.equations)
    off = [name for name, value in switch.defaults.items() if not value]
    notes = [
        switch.note,
        "off by default" if len(off) == len(switch.defaults) else f"off in {', '.join(off)}" if off else "",
    ]
    models = "" if "reference" in switch.defaults else "only in " + ", ".join(f"`{name}`" for name in switch.defaults)
    cells = (
        f"`{switch.name}`",
        switch.label,
        ", ".join(f"`{name}`" for name in turned),
        ", ".join(switch.scenarios),
        ", ".join(f"`{name}`" for name in switch.parameters),
        "; ".join(filter(None, (*notes, models))),
    )
    return f"| {' | '.join(cell.replace('|', ',') for cell in cells)} |"


def page() -> str:
    """Return the page in Markdown."""
    head = ["switch", "what it turns", "turns", "acts under", "parameters", "note"]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *map(_row, mechanism_switches().values())]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
