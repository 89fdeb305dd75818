"""Questions that a claim puts to published numbers, and the answers: pooled estimates or single records against what is claimed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..base.constants import Z95
from ..base.errors import EvidenceError, Location, Problem
from ..base.intervals import normal_interval
from ..base.nouns import with_noun
from ..evidence.records.registry import Registry
from ..evidence.records.selecting import Wanted, fitting
from ..evidence.records.study import Record
from ..evidence.synthesis.certainty import LEVELS, grade
from ..evidence.synthesis.pool import DISAGREE, pool
from ..evidence.synthesis.pooled import Pooled, back_to_scale
from ..evidence.synthesis.reported_error import error_at_most, reported_error
from .baselines import CORRELATION, CORRELATION_RANGE, error_of_sum, from_baseline, same_people

#: What an answer can be, with its meaning in the rule of the verdict.
ANSWERS = {
    "for": "the interval excludes no effect, on the claimed side, and does not exclude what the claim requires",
    "short": "the interval excludes no effect, on the claimed side, but also excludes what the claim requires; "
    "for harm: some is shown, and more than is tolerated is not excluded",
    "open": "the interval contains no effect, or reaches both sides of what the claim requires; or the answer depends on a "
    "correlation that is assumed",
    "against": "the interval lies on the other side, or excludes what the claim requires without showing any effect",
    "leans for": "a number without an interval, or a direction alone, on the claimed side",
    "leans against": "a number without an interval, or a direction alone, not on the claimed side or short of what is required",
    "case of harm": "a documented case of serious harm that its authors hold to be caused by the treatment",
    "opinion": "what experts or a guideline say; it is shown, and decides nothing",
    "nothing": "no usable record",
}
#: Answers without weight in the rule of the verdict.
SILENT = ("opinion", "nothing")
#: What a claim can predict of an answer; see `Question`.
EXPECTS = ("above", "below", "within")

#: Contrasts of the registry as readers see them.
CONTRASTS = {"between": "between groups", "within": "within one group"}


@dataclass(frozen=True)
class Question:
    """A question, and what the claim predicts as its answer.

    It says what records must be of: treatment, people, endpoint, time and the like. Which studies these are the registry says.

    Attributes
    ----------
    select
        Conditions of `evidence.records.selecting`: what is pooled, or, with `says`, the statements.
    reads
        Conditions, each beside those of `select`, of one number that is read off, or of two (after, before) or four (treated after and
        before, control after and before) of one study whose difference is taken.
    studies, named_because
        Studies that the question is put to by name, and why: what it asks cannot be said without.
    records
        Instead of conditions, in questions of one's own: ids of what would be read off, or of statements.
    expects
        ``above`` or ``below`` `null`, or ``within``: not beyond `requires` on the bad side (harm excluded).
    null
        The value of no effect; none for a share of people, where only `requires` counts.
    requires
        The least effect that the claim as asserted needs.
    says
        For statements: which words agree with the claim; any other disagree. For case reports of harm (``within``): which
        words say that the treatment did the harm.
    direct
        Whether it is about the claimed treatment, people and outcome; indirect answers are shown and never decide alone.
    step_down
        Why the certainty of a pooled answer is one step lower than its records alone give (GRADE: indirectness), such as other
        people in a question of harm, which may not be set aside as indirect.
    """

    text: str
    select: Mapping[str, Wanted] = field(default_factory=dict)
    reads: tuple[Mapping[str, Wanted], ...] = ()
    studies: tuple[str, ...] = ()
    named_because: str = ""
    records: tuple[str, ...] = ()
    expects: str = "above"
    null: float | None = None
    requires: float | None = None
    contrast: str | None = None
    measure: str | None = None
    across: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    direct: bool = True
    step_down: str = ""

    @property
    def pools(self) -> bool:
        """Whether what is found is pooled: not where rows are read off, named, or statements."""
        return not (self.reads or self.records or self.says)

    @property
    def conditions(self) -> dict[str, Wanted]:
        """What every record must be of, with the studies that are named."""
        return {**self.select, "study": self.studies} if self.studies else dict(self.select)


@dataclass(frozen=True)
class Reply:
    """What the registry answers.

    Attributes
    ----------
    answer
        One of `ANSWERS`.
    certainty
        GRADE level of the pooled estimate; very low for anything without an interval.
    human
        Whether every record is of people: animals and cultures never answer directly.
    """

    question: Question
    answer: str
    estimate: float | None
    ci: tuple[float, float] | None
    unit: str
    certainty: str
    records: tuple[str, ...]
    studies: tuple[str, ...]
    how: str
    human: bool = True

    @property
    def direct(self) -> bool:
        """Whether the answer may decide alone: an opinion never may."""
        return self.question.direct and self.human and self.answer != "opinion"


def ask(question: Question, registry: Registry) -> Reply:
    """Put a question to the registry; recalled numbers are never used."""
    records = records_of(question, registry)
    if not records:
        return Reply(question, "nothing", None, None, "", "", (), (), "no usable record")
    if question.pools:
        return _pooled(question, records, registry)
    reply = _from_records(question, records)
    return replace(reply, human=all(record.species == "human" for record in records))


def records_of(question: Question, registry: Registry) -> list[Record]:
    """Return the records that a question is put to; none if one that it names or reads is missing, or nothing fits."""
    usable = [record for record in registry if record.tag == "seen"]
    if question.records:
        by_id = {record.id: record for record in usable}
        named = [by_id[name] for name in question.records if name in by_id]
        return named if len(named) == len(question.records) else []
    if question.reads:
        return _read_off(question, usable)
    records, unknown = fitting(usable, question.conditions, controls="product" in question.select and question.pools)
    if question.says:
        records = [record for record in records if record.value is None]
    return [] if unknown else records


def _read_off(question: Question, usable: Sequence[Record]) -> list[Record]:
    """Return the rows that are read off, of the first study that has all; where it has several of a kind, the first whose spread is clear."""
    common, _ = fitting(usable, question.conditions)
    candidates = [fitting(common, conditions)[0] for conditions in question.reads]
    for study in dict.fromkeys(record.study for record in candidates[0]):
        rows = [[row for row in rows if row.study == study] for rows in candidates]
        if all(rows):
            return [min(several, key=_unclear) for several in rows]
    return []


def _unclear(record: Record) -> bool:
    return record.dispersion is None or record.dispersion.type == "unclear"


def _pooled(question: Question, records: list[Record], registry: Registry) -> Reply:
    try:
        pooled = pool(records, contrast=question.contrast, measure=question.measure, across=question.across)
    except EvidenceError as error:
        return Reply(
            question, "nothing", None, None, "", "", (), (), str(error.problems[0].found or error.problems[0].message)
        )
    changed = from_baseline(pooled, registry)
    pooled = changed.get(CORRELATION, pooled)
    null = question.null if question.null is not None else (None if math.isnan(pooled.null) else pooled.null)
    _check_criterion(question, null)
    used = tuple(name for effect in pooled.effects for name in effect.records)
    studies = tuple(dict.fromkeys(effect.study for effect in pooled.effects))
    estimate, ci, disagree = _answer_of_both(pooled)
    records = list({record.id: record for record in (*records, *(registry[name] for name in used))}.values())
    counted = [record for record in records if record.id in used]
    sources = _counted_as(counted, pooled.k)
    how = f"{pooled.measure.replace('_', ' ')}, {CONTRASTS.get(pooled.contrast, pooled.contrast)}; {sources}, {pooled.n or 'unknown number of'} people"
    if disagree:
        how += "; the two disagree: interval from the lowest to the highest end of theirs"
    # One share, or none in several groups, needs no model of logits, whose added half would turn 0 of 31 into 1.6 %.
    share = _share(counted)
    if share is not None:
        estimate, ci = counted[0].value or 0.0, share
        how = f"share of {sum(record.n or 0 for record in counted)} counted, exact interval"
    judged = grade(records, pooled)
    level = judged.level
    how += "".join(f"; {step.reason}" for step in judged.downgrades if "summary of others' studies" in step.reason)
    if question.step_down:
        level = LEVELS[max(0, LEVELS.index(level) - 1)]
        how += f"; certainty one step down: {question.step_down}"
    answer = answer_of(question.expects, null, question.requires, estimate, ci)
    if changed:
        ends = [_answer_of_both(changed[correlation])[:2] for correlation in CORRELATION_RANGE]
        answer, assumed = _over_correlations(question, null, answer, ends)
        how += f"; change against change, as the groups' starts are printed; {assumed}"
    return Reply(
        question,
        answer,
        estimate,
        ci,
        pooled.unit,
        level,
        used,
        studies,
        how,
    )


def _over_correlations(
    question: Question, null: float | None, answer: str, ends: Sequence[tuple[float, tuple[float, float]]]
) -> tuple[str, str]:
    """Return the answer that holds at both ends of the assumed correlation, else open; and what was assumed, in words."""
    low, high = CORRELATION_RANGE
    others = [answer_of(question.expects, null, question.requires, *end) for end in ends]
    words = f"correlation of before and after in the same people assumed {CORRELATION:g} ({low:g} to {high:g})"
    if set(others) == {answer}:
        return answer, words
    return "open", f"{words}, on which the answer depends: at {low:g} {others[0]}, at {high:g} {others[1]}"


def _check_criterion(question: Question, null: float | None) -> None:
    """Refuse a question whose numbers could be held against nothing."""
    if question.requires is None and (null is None or question.expects == "within"):
        needed = "requires" if question.expects == "within" else "null (the value of no effect) or requires"
        message = f"the question has no {needed.partition(' ')[0]}: what would its number be held against?"
        raise EvidenceError(Problem("missing-key", message, Location(f"question {question.text!r}"), expected=needed))


def _answer_of_both(pooled: Pooled) -> tuple[float, tuple[float, float], bool]:
    """Return estimate and interval, and whether two studies disagree: an average of both would answer for neither."""
    disagree = pooled.k == 2 and pooled.q_p is not None and pooled.q_p < DISAGREE
    return pooled.estimate, _both(pooled) if disagree else pooled.ci, disagree


def _both(pooled: Pooled) -> tuple[float, float]:
    """Return the lowest and the highest end of the intervals of the studies themselves."""
    back = back_to_scale(pooled.measure)
    halves = [(effect.y, Z95 * math.sqrt(effect.v)) for effect in pooled.effects]
    return back(min(y - half for y, half in halves)), back(max(y + half for y, half in halves))


def _counted_as(records: Sequence[Record], k: int) -> str:
    """Return what was counted: studies, or a summary of studies that others made."""
    if k == 1 and records and all(record.summarises for record in records):
        return "1 summary of others' studies, which is not counted beside them"
    return f"{k} {'studies' if k > 1 else 'study'}"


def _from_records(question: Question, records: list[Record]) -> Reply:
    names = tuple(record.id for record in records)
    studies = tuple(dict.fromkeys(record.study for record in records))
    first = records[0]
    if first.value is None:
        answer, how = _stated(question, records)
        return Reply(question, answer, None, None, "", "very low", names, studies, how)
    null = question.null if question.null is not None else (0.0 if len(records) > 1 else None)
    _check_criterion(question, null)
    values = [record.value for record in records if record.value is not None]
    if len(values) != len(records):
        return Reply(question, "nothing", None, None, "", "", (), (), "a number is missing")
    signs = (1.0, -1.0, -1.0, 1.0)[: len(values)]
    estimate = sum(sign * value for sign, value in zip(signs, values, strict=True))
    share = _share(records) if len(records) == 1 else None
    if share is not None:
        answer = answer_of(question.expects, null, question.requires, estimate, share)
        how = f"share of {first.n} counted, exact interval"
        return Reply(question, answer, estimate, share, first.unit, "very low", names, studies, how)
    error = _error(records) if len(values) == 1 else error_of_sum(records, CORRELATION)
    how = {1: "one reported number", 2: "difference of two reported numbers", 4: "difference of two reported changes"}[
        len(values)
    ]
    if any(record.species != "human" for record in records):
        how += ", not in people"
    if error is None:
        answer = answer_of(question.expects, null, question.requires, estimate, None)
        return Reply(question, answer, estimate, None, first.unit, "very low", names, studies, how + ", no interval")
    ci = _interval(first, estimate, error, len(values))
    answer = answer_of(question.expects, null, question.requires, estimate, ci)
    if any(same_people(after, before) for after, before in zip(records[::2], records[1::2], strict=False)):
        errors = [error_of_sum(records, correlation) or error for correlation in CORRELATION_RANGE]
        ends = [(estimate, normal_interval(estimate, reply_end)) for reply_end in errors]
        answer, assumed = _over_correlations(question, null, answer, ends)
        how += f"; {assumed}"
    else:
        people = "" if first.n is None else f" of {with_noun(first.n, 'person', 'people')}"
        how += ", as of independent groups" if len(values) > 1 else people
    return Reply(question, answer, estimate, ci, first.unit, "very low", names, studies, how)


def _stated(question: Question, records: Sequence[Record]) -> tuple[str, str]:
    """Return the answer of statements without a number: the first decides, or of case reports of harm any."""
    said = "stated: " + "; ".join(record.quote for record in records)
    if any(record.design == "opinion" for record in records):
        return "opinion", said
    if question.expects != "within":
        return "leans for" if records[0].direction in question.says else "leans against", said
    caused = sum(record.design == "case-report" and record.direction in question.says for record in records)
    answer = "case of harm" if caused else "leans against"
    return answer, f"{caused} of {len(records)} hold the treatment to be the cause; {said}"


def _share(records: Sequence[Record]) -> tuple[float, float] | None:
    """Return the exact interval (Clopper and Pearson) of one reported proportion, or of several that are zero."""
    from scipy.stats import binomtest

    if any(
        record.kind != "proportion" or record.contrast != "level" or not record.n or record.value is None
        for record in records
    ):
        return None
    if len(records) != 1 and any(record.value for record in records):
        return None
    total = sum(record.n or 0 for record in records)
    interval = binomtest(round((records[0].value or 0.0) * total), total).proportion_ci()
    return float(interval.low), float(interval.high)


def _error(records: Sequence[Record]) -> float | None:
    """Return the standard error of one number, of a ratio that of its logarithm, at most where p is bounded; None without any."""
    size = reported_error(records[0], log=records[0].log).size
    return error_at_most(records[0]) if size is None else size


def _interval(first: Record, estimate: float, error: float, count: int) -> tuple[float, float]:
    if count == 1 and first.log:
        low, high = normal_interval(math.log(estimate), error)
        return math.exp(low), math.exp(high)
    return normal_interval(estimate, error)


def answer_of(
    expects: str, null: float | None, requires: float | None, estimate: float, ci: tuple[float, float] | None
) -> str:
    """Return the answer that an estimate gives; see `ANSWERS`."""
    low, high = ci if ci is not None else (estimate, estimate)
    if expects == "within":
        assert requires is not None
        if ci is None:
            return "leans for" if estimate <= requires else "leans against"
        if high <= requires:
            return "for"
        if low > requires:
            return "against"
        return "short" if null is not None and low > null else "open"
    if expects == "below":
        low, high = -high, -low
        null, requires = _negative(null), _negative(requires)
        estimate = -estimate
    if ci is None:
        enough = (null is None or estimate > null) and (requires is None or estimate >= requires)
        return "leans for" if enough else "leans against"
    misses = requires is not None and high < requires
    if null is None:
        assert requires is not None
        return "against" if misses else ("for" if low >= requires else "open")
    if high < null:
        return "against"
    if low > null:
        return "short" if misses else "for"
    return "against" if misses else "open"


def _negative(value: float | None) -> float | None:
    return None if value is None else -value
