"""The page about quality of life says what the tables have."""

from __future__ import annotations

import re
from pathlib import Path

from betapod.health.utilities import utility_sets, utility_values

PAGE = Path(__file__).parents[2] / "docs" / "background" / "quality-of-life.md"


def test_the_table_of_losses_is_that_of_the_sets() -> None:
    sets, values = list(utility_sets().values()), utility_values()
    text = PAGE.read_text(encoding="utf-8")
    assert f"| | {' | '.join(item.name for item in sets)} |" in text
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE))
    assert len(rows) == 19
    for name, row in rows.items():
        of_sets = [item.states.get(name) or item.events.get(name) for item in sets]
        assert row == " | ".join("-" if key is None else f"{values[key]:g}" for key in of_sets), name
    counted = {name for item in sets for name in item.states} | {"severe_hypoglycaemia"}
    assert counted - set(rows) == {"kidney_failure"}
