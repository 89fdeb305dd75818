"""Questions that are put to studies which the package does not have: those of a claim, asked of like people, products and endpoints.

A question says what it asks: treatment, people, endpoint, time. Studies that the package has are found by that. A study that it does not have is
asked the same in like people and with a product of the same group. Its rows are pooled with those of the question where these are numbers of
primary studies and can be pooled; else they are answered by a question of their own, put after the others: nothing is pooled with a
meta-analysis, or with a difference that was read off two rows.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..base.errors import EvidenceError
from ..evidence.records.registry import Registry, load_with_mechanisms
from ..evidence.records.selecting import Wanted
from ..evidence.records.study import POPULATIONS, Record
from ..evidence.synthesis.effect_size import CONTROLLED
from ..evidence.synthesis.pool import pool
from ..evidence.synthesis.pooled import Pooled
from .claims import Claim
from .questions import Question, records_of

#: Stromal cells by their source: the ledger pools them where it asks by product.
_STROMAL = ("UC-MSC", "BM-MSC", "adipose MSC", "placental MSC")
#: Products that answer a question about another; a product without an entry answers for itself alone.
LIKE_PRODUCTS = {
    **dict.fromkeys(_STROMAL, _STROMAL),
    "mixed cell products": (
        *_STROMAL,
        "BM mononuclear cells",
        "CD34+ cells",
        "autologous cord blood",
        "mixed cell products",
    ),
    "control": ("control", "conventional care"),
    "conventional care": ("control", "conventional care"),
}
#: Populations that answer a question about another: those within it.
LIKE_POPULATIONS = {
    "T1D+T2D": ("T1D", "T2D", "T1D+T2D"),
    "CKD": ("CKD", "DKD"),
    "mixed": tuple(name for name in POPULATIONS if name != "general"),
}
#: What is the same kind of number, so that one least effect can be required of all.
_KINDS = {
    "ratio": ("hazard_ratio", "risk_ratio"),
    "difference": ("difference", "mean", "mean_change", "slope", "percent_points"),
    "proportion": ("proportion", "count"),
}
#: Words for a direction of what is measured; ``good`` is up or down as the endpoint has it.
_DIRECTIONS = {"up": 1, "raised": 1, "preserved_or_up": 1, "preserved": 1, "lowered": -1}
_GOOD = ("better", "improved", "ameliorates")
#: What a question that names its rows has none of.
_NOT_BY_CONDITIONS: dict[str, Any] = {"select": {}, "reads": (), "studies": (), "named_because": ""}


@dataclass(frozen=True)
class Asked:
    """A question of a claim with the rows that it is put to: the pattern for questions to other studies."""

    question: Question
    rows: tuple[Record, ...]

    @property
    def products(self) -> set[str]:
        """Products that answer it: those of the treated groups, or of all where nobody is treated."""
        treated = [row.product for row in self.rows if row.product != "control"]
        return {like for name in treated or ["control"] for like in LIKE_PRODUCTS.get(name, (name,))}

    @property
    def populations(self) -> set[str]:
        """Populations that answer it."""
        return {like for row in self.rows for like in LIKE_POPULATIONS.get(row.population, (row.population,))}

    def fits(self, row: Record) -> bool:
        """Return whether a row of another study is of the same endpoint, a like product, people and species."""
        return (
            row.tag == "seen"
            and row.endpoint in {asked.endpoint for asked in self.rows}
            and row.product in self.products
            and row.population in self.populations
            and row.species in {asked.species for asked in self.rows}
        )

    @property
    def contrast(self) -> str | None:
        """What its number compares; None where that is not one of those that are pooled."""
        if self.pooled is not None:
            return self.pooled.contrast
        first = self.rows[0]
        if len(self.rows) == 4:
            return "between"
        if len(self.rows) == 2:
            return "change" if first.arm == self.rows[1].arm else "between" if first.design in CONTROLLED else None
        return first.contrast if first.contrast in ("between", "change", "level") else None

    @functools.cached_property
    def pooled(self) -> Pooled | None:
        """Its answer where it pools rows; None where it reads them off, or they cannot be pooled."""
        asked = self.question
        if not asked.pools:
            return None
        try:
            return pool(self.rows, contrast=asked.contrast, measure=asked.measure, across=asked.across)
        except EvidenceError:
            return None

    @property
    def kind(self) -> tuple[str, str]:
        """Kind and unit of its number, where a least effect depends on them."""
        if self.pooled is not None:
            return _kind(self.pooled.measure), self.pooled.unit
        return _kind("difference" if len(self.rows) > 1 else self.rows[0].kind), self.rows[0].unit


def _kind(measure: str) -> str:
    """Return the kind of a measure of pooling, or of a record: what has one kind and one unit can be held against one least effect."""
    return next((kind for kind, measures in _KINDS.items() if measure in measures), measure)


def questions_of(claim: Claim, registry: Registry) -> tuple[Question, ...]:
    """Return the questions of a claim, and after them those that are put to studies which the package does not have."""
    new = new_studies(registry)
    if not new:
        return claim.questions
    questions = [_of_known(question, registry, new) for question in claim.questions]
    asked = [Asked(question, tuple(records_of(question, registry))) for question in questions]
    answering = {row.id for pattern in asked for row in pattern.rows}
    free = [row for row in registry if row.study in new and row.id not in answering]
    # A question that may decide comes first: a row is put to one of them.
    for index, pattern in sorted(enumerate(asked), key=lambda numbered: not numbered[1].question.direct):
        rows = [row for row in free if pattern.fits(row)] if pattern.rows else []
        joined = _joined(pattern, rows, registry) if rows else None
        question = joined or (_question(pattern, rows, registry) if rows else None)
        if question is None:
            continue
        if joined is not None:
            questions[index] = joined
        else:
            questions.append(question)
        put = {row.id for row in records_of(question, registry)}
        free = [row for row in free if row.id not in put]
    return tuple(questions)


def _of_known(question: Question, registry: Registry, new: set[str]) -> Question:
    """Return a question as put to the studies of the package alone, where its conditions would find others beside them."""
    studies = _classes(row.study for row in records_of(question, registry))
    packaged = tuple(study for study in studies if study not in new)
    by_name = question.records or question.studies or "study" in question.select or "family" in question.select
    both = packaged and len(packaged) < len(studies)
    return replace(question, studies=packaged) if both and not by_name else question


def scope_of(claim: Claim, registry: Registry) -> list[str]:
    """Return what a new study can be of to be asked by a claim, in words: endpoint, products, populations; animals where these were asked."""
    by_endpoint: dict[str, tuple[set[str], set[str]]] = {}
    for question in claim.questions:
        pattern = Asked(question, tuple(records_of(question, registry)))
        for row in pattern.rows:
            name = row.endpoint if row.species == "human" else f"{row.endpoint} in animals"
            products, populations = by_endpoint.setdefault(name, (set(), set()))
            products |= pattern.products
            populations |= pattern.populations
    return [
        f"{endpoint} with {', '.join(sorted(products))} in {', '.join(name for name in POPULATIONS if name in populations)}"
        for endpoint, (products, populations) in by_endpoint.items()
    ]


def why_unasked(rows: Iterable[Record], claims: Iterable[Claim], registry: Registry) -> dict[str, str]:
    """Return, by id of rows that no claim asks, what the nearest questions are about instead."""
    patterns = [
        (claim.id, Asked(question, tuple(records_of(question, registry))))
        for claim in claims
        for question in claim.questions
    ]
    return {row.id: _why_unasked(row, [pair for pair in patterns if pair[1].rows]) for row in rows}


def _why_unasked(row: Record, patterns: Sequence[tuple[str, Asked]]) -> str:
    if row.tag != "seen":
        return "it is recalled, and never used"
    if row.study in _packaged_studies():
        return f"no question asks {row.study} for a row like it; the column 'replaces' puts it in the place of one that is asked"
    nearest = [pair for pair in patterns if row.endpoint in {asked.endpoint for asked in pair[1].rows}]
    if not nearest:
        return f"no question is about {row.endpoint}"
    products = sorted({name for _, pattern in nearest for name in pattern.products})
    if row.product not in products:
        return f"{row.endpoint} is asked of {', '.join(products)}, not of {row.product}, by {_some(nearest)}"
    nearest = [pair for pair in nearest if row.product in pair[1].products]
    populations = sorted({name for _, pattern in nearest for name in pattern.populations}, key=POPULATIONS.index)
    if row.population not in populations:
        return f"{row.endpoint} with {row.product} is asked in {', '.join(populations)}, not in {row.population}, by {_some(nearest)}"
    return f"what {_some(nearest)} ask of {row.endpoint} is another kind of number"


def _some(patterns: Sequence[tuple[str, Asked]]) -> str:
    names = _classes(name for name, _ in patterns)
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def new_studies(registry: Registry) -> set[str]:
    """Return the studies of a registry that the package does not have."""
    return {record.study for record in registry} - _packaged_studies()


@functools.cache
def _packaged_studies() -> frozenset[str]:
    return frozenset(record.study for record in load_with_mechanisms())


def _question(pattern: Asked, rows: Sequence[Record], registry: Registry) -> Question | None:
    """Return a question as put to rows of new studies, or None where it cannot be asked of their numbers."""
    asked = pattern.question
    words = [row for row in rows if row.kind == "qualitative"]
    numbers = [row for row in rows if row.kind != "qualitative"]
    if asked.says and words:
        text = _text(pattern, words, "as stated")
        return replace(asked, **_NOT_BY_CONDITIONS, text=text, records=tuple(row.id for row in words))
    side = _side(asked, numbers)
    if not numbers or side is None:
        return None
    contrast = pattern.contrast
    select = {
        "study": _classes(row.study for row in numbers),
        "population": _classes(row.population for row in numbers),
        "product": _classes(row.product for row in numbers),
        "endpoint": _classes(row.endpoint for row in numbers),
    }
    question = replace(
        asked,
        **{**_NOT_BY_CONDITIONS, "select": select},
        text=_text(
            pattern, numbers, {"between": "against control", "change": "against the start"}.get(contrast or "", "")
        ),
        records=(),
        expects=side,
        null=asked.null if asked.requires is not None else None,
        contrast=contrast,
        measure=None,
        across=tuple(name for name in ("population", "product") if len(select[name]) > 1),
        says=(),
    )
    return question if asked.requires is None or _same_kind(question, pattern, registry) else None


def _joined(pattern: Asked, rows: Sequence[Record], registry: Registry) -> Question | None:
    """Return a question that pools numbers of primary studies, put to new ones besides; None where they cannot be pooled."""
    asked = pattern.question
    if not asked.pools or any(row.summarises for row in pattern.rows) or pattern.pooled is None:
        return None
    together = (*pattern.rows, *rows)
    treated = [row for row in together if row.product != "control"]
    classes = {"population": _classes(row.population for row in together)}
    if treated:
        classes["product"] = _classes(row.product for row in treated)
    differ = tuple(name for name, names in classes.items() if len(names) > 1)
    # A new study has another arm, time or design; of those of the package no other rows may come with it.
    select: dict[str, Wanted] = {name: asked.select[name] for name in ("family", "endpoint") if name in asked.select}
    select |= {"study": _classes(row.study for row in together), **classes}
    question = replace(
        asked,
        **{**_NOT_BY_CONDITIONS, "select": select},
        text=f"{asked.text}; with {' and '.join(_classes(map(_when, rows)))}",
        contrast=pattern.contrast,
        across=tuple(dict.fromkeys((*asked.across, *differ))),
    )
    studies = {row.study for row in pattern.rows}
    if {row.id for row in records_of(question, registry) if row.study in studies} != {row.id for row in pattern.rows}:
        return None
    try:
        pooled = pool(
            records_of(question, registry), contrast=question.contrast, measure=asked.measure, across=question.across
        )
    except EvidenceError:
        return None
    before = {effect.study for effect in pattern.pooled.effects}
    now = {effect.study for effect in pooled.effects}
    same = (_kind(pooled.measure), pooled.unit) == pattern.kind
    return question if same and now > before else None


def _side(asked: Question, numbers: Sequence[Record]) -> str | None:
    """Return the side on which numbers are expected; of a statement that of its words, None where they name none."""
    if not asked.says:
        return asked.expects
    better = {row.better for row in numbers}
    sides = {_DIRECTIONS[word] for word in asked.says if word in _DIRECTIONS}
    if any(word in _GOOD for word in asked.says):
        sides |= better
    return {frozenset({1}): "above", frozenset({-1}): "below"}.get(frozenset(sides))


def _same_kind(question: Question, pattern: Asked, registry: Registry) -> bool:
    """Return whether the least effect that is required can be required of the numbers too; what is not pooled says so itself."""
    try:
        pooled = pool(records_of(question, registry), contrast=question.contrast, across=question.across)
    except EvidenceError:
        return True
    return (_kind(pooled.measure), pooled.unit) == pattern.kind


def _classes(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _when(row: Record) -> str:
    return row.study if not row.weeks else f"{row.study} at {row.weeks:g} weeks"


def _text(pattern: Asked, rows: Sequence[Record], how: str) -> str:
    """Return the question in words: what, with what, in whom, of which study, and whose question it is."""
    joined = {
        name: " and ".join(_classes(getattr(row, name) for row in rows))
        for name in ("endpoint", "product", "population", "study")
    }
    whose = ", ".join(_classes(row.study for row in pattern.rows)[:3])
    subject = f"{joined['endpoint']} {how}".strip()
    return f"{subject} with {joined['product']} in {joined['population']}: {joined['study']}, asked as {whose} {'is' if ',' not in whose else 'are'}"
