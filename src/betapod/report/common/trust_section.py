"""The section of a page that says how far to trust it: published numbers of its kind, inside the model's interval or not."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...trust.trust_answer import TrustCount, trust_count, trust_sentence
from ...trust.trust_question import TrustQuestion
from ...trust.trust_rows import TrustRow
from .document import Section, Table

_EXPLAINED = (
    "A published number is inside where the 90 % interval of a virtual trial of its study holds it; with a perfect model nine in ten would be. "
    "Fitted numbers say least: parameters were chosen so that these come close."
)


def trust_section(question: TrustQuestion) -> Section:
    """Return the section: the sentence, and counts by what was measured."""
    rows = question.chosen() or question.anywhere().chosen()
    tables = [_by_topic(rows)] if rows else []
    return Section("trust", "How far to trust this", [trust_sentence(question), _EXPLAINED], tables=tables)


def _by_topic(rows: Sequence[TrustRow]) -> Table:
    groups: dict[str, list[TrustRow]] = {}
    for row in rows:
        groups.setdefault(row.topic, []).append(row)
    counts = [(topic, trust_count(some)) for topic, some in sorted(groups.items(), key=lambda group: -len(group[1]))]
    lacks = any(count.rows_all for _, count in counts)
    header = ["published numbers on", "numbers", "inside", "fitted", "not fitted", "median distance, SD"]
    header += ["inside with what the model lacks"] if lacks else []
    return Table(
        "Published numbers inside the model's 90 % interval, by what was measured.",
        header,
        [[topic, *_cells(count, lacks)] for topic, count in counts],
    )


def _cells(count: TrustCount, lacks: bool) -> list[str]:
    return [
        str(count.rows),
        str(count.inside),
        f"{count.fitted_inside} of {count.fitted_rows}" if count.fitted_rows else "none",
        f"{count.other_inside} of {count.other_rows}" if count.other_rows else "none",
        "" if math.isnan(count.miss) else f"{count.miss:.1f}",
        *([f"{count.inside_all} of {count.rows_all}"] if lacks else []),
    ]
