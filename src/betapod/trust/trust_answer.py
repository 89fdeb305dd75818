"""How many published numbers of a kind lie inside the model's 90 % interval: counts, and one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..therapies.drug_catalogue import DRUG, catalogued_drugs
from ..therapies.scenarios import CURRENT_EVIDENCE, NONE
from .trust_question import ANY_CELLS, TrustQuestion
from .trust_rows import TrustRow

#: Topics that a sentence names; of more it says that they are all.
_NAMED = 4
_PEOPLE = {"type 1": "type 1 diabetes", "type 2": "type 2 diabetes", "both types": "both types of diabetes"}


@dataclass(frozen=True)
class TrustCount:
    """How many of some rows lie inside.

    Attributes
    ----------
    rows, inside
        All of them.
    fitted_rows, fitted_inside
        Those that parameters were fitted to; the others were not.
    rows_all, inside_all
        Those for which it was estimated what the model lacks, and how many lie inside with that.
    miss
        Median of |z|.
    factor, points, relative
        Median width of intervals: of ratios as a factor, of shares as a difference, of the rest as a share of the number; NaN without rows.
    """

    rows: int
    inside: int
    fitted_rows: int
    fitted_inside: int
    rows_all: int
    inside_all: int
    miss: float
    factor: float
    points: float
    relative: float

    @property
    def other_rows(self) -> int:
        """Rows that nothing was fitted to."""
        return self.rows - self.fitted_rows

    @property
    def other_inside(self) -> int:
        """Those of them that lie inside."""
        return self.inside - self.fitted_inside

    @property
    def line(self) -> str:
        """``9 lie inside the model's 90 % interval (fitted 5 of 6, not fitted 4 of 8)``."""
        parts = (("fitted", self.fitted_inside, self.fitted_rows), ("not fitted", self.other_inside, self.other_rows))
        apart = ", ".join(f"{name} {inside} of {rows}" for name, inside, rows in parts)
        if not self.fitted_rows or not self.other_rows:
            apart = "all of them fitted" if self.fitted_rows else "none of them fitted"
        verb = "lies" if self.inside < 2 else "lie"
        text = f"{self.inside or 'none'} {verb} inside the model's 90 % interval ({apart})"
        if not self.rows_all:
            return text
        of = "" if self.rows_all == self.rows else f" of {self.rows_all}"
        return f"{text}; {self.inside_all}{of} when the interval also holds what the model is known to lack"


def trust_count(rows: Iterable[TrustRow]) -> TrustCount:
    """Return how many of some rows lie inside, and how wide their intervals are, see `with_lacks` for what the model lacks."""
    some = list(rows)
    fitted = [row for row in some if row.fitted]
    estimated = [row for row in some if row.has_discrepancy]
    widths = [_median(row.width for row in some if row.scale == scale) for scale in ("log", "share", "linear")]
    return TrustCount(
        len(some),
        sum(row.inside for row in some),
        len(fitted),
        sum(row.inside for row in fitted),
        len(estimated),
        sum(row.inside_all for row in estimated),
        _median(abs(row.z) for row in some),
        *widths,
    )


def with_lacks(rows: Iterable[TrustRow]) -> list[TrustRow]:
    """Return rows as they are when the interval also holds what the model lacks; those for which nobody has estimated that are left out."""
    return [
        replace(row, z=row.z_all, inside=row.inside_all, width=row.width_all) for row in rows if row.has_discrepancy
    ]


def _median(values: Iterable[float]) -> float:
    finite = [value for value in values if not math.isnan(value)]
    return float(np.median(finite)) if finite else math.nan


def trust_sentence(question: TrustQuestion, rows: Sequence[TrustRow] | None = None) -> str:
    """Return in a sentence how far published numbers of a kind bear the model out; plainly, where there are none.

    Where nobody of the kind that is asked for was compared, the sentence says so and speaks of all people.

    Parameters
    ----------
    rows
        Of the table; those of the package by default.

    Examples
    --------
    >>> from betapod.trust.trust_answer import trust_sentence
    >>> from betapod.trust.trust_question import trust_question
    >>> trust_sentence(trust_question(products=["renal-cells"])).partition(":")[0]
    'No published number on renal-cells was compared with the model'
    """
    fitting = question.chosen(rows)
    if not fitting and (question.diabetes or question.kidney):
        wider = question.anywhere()
        if wider.chosen(rows):
            return f"No published number{_subject(question)} was compared with the model. {trust_sentence(wider, rows)}"
    if not fitting:
        return f"No published number{_subject(question)} was compared with the model: how far to trust it there is not known."
    count = trust_count(fitting)
    of = f"Of {count.rows} published numbers" if count.rows > 1 else "Of one published number"
    # Of what is claimed for cells nothing was compared: the numbers are those of current evidence, and the sentence says so.
    other = bool(question.cells) and question.scenario not in (NONE, CURRENT_EVIDENCE)
    believed = f" That is by current evidence; nothing was compared under {question.scenario}." if other else ""
    return f"{of}{_subject(question)}, {count.line}.{believed}"


def _subject(question: TrustQuestion) -> str:
    """Return what a question is about, with a blank before it."""
    about = [*question.topics, *question.endpoints]
    parts = [f" on {_listed(about)}"] if 0 < len(about) <= _NAMED else []
    treatments = [_many(name) for name in question.treatments]
    treatments += ["cells" if name == ANY_CELLS else name for name in question.cells]
    if treatments:
        parts.append(f" {'under' if parts else 'on'} {_listed(treatments, 'or')}")
    if question.untreated:
        parts.append(" without treatment")
    if people := " and ".join(filter(None, (_PEOPLE.get(question.diabetes, ""), question.kidney))):
        parts.append(f" in {people}")
    return "".join(parts)


def _many(treatment: str) -> str:
    """Return a treatment as one speaks of all of its kind: ``SGLT2 inhibitors``, but ``insulin``."""
    kinds = {drug.kind for drug in catalogued_drugs().values() if drug.drug_class == treatment}
    if kinds != {DRUG}:
        return treatment
    return treatment.removesuffix("y") + "ies" if treatment.endswith("antibody") else treatment + "s"


def _listed(names: Sequence[str], last: str = "and") -> str:
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else names[0]
