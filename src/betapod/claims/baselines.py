"""Change against change, where the start of the same people is printed: groups that began apart say nothing by where they end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..evidence.records.registry import Registry
from ..evidence.records.study import Record
from ..evidence.synthesis.effect_size import EffectSize
from ..evidence.synthesis.pool import pool_effects
from ..evidence.synthesis.pooled import Pooled
from ..evidence.synthesis.reported_error import reported_error

#: Correlation of a number before with the same number after, in the same people, where no study prints it, and the range over
#: which an answer must hold. Assumed: of one quantity measured twice, months apart.
CORRELATION = 0.5
CORRELATION_RANGE = (0.3, 0.8)
#: How a contrast of arms is made of where they end; see `arm_pairs`.
_OF_LEVELS = "difference of the arms"


def same_people(after: Record, before: Record) -> bool:
    """Return whether two numbers are of one group, later and earlier."""
    one_group = (after.study, after.arm, after.endpoint) == (before.study, before.arm, before.endpoint)
    return one_group and before.weeks == 0.0 and after.weeks != 0.0


def error_of_sum(records: Sequence[Record], correlation: float) -> float | None:
    """Return the standard error of a difference (after, before), or of a difference of two (after, before, after, before).

    Numbers of the same people are correlated; all others are independent. None where one has no error.
    """
    errors = [reported_error(record).size for record in records]
    sizes = [size for size in errors if size is not None]
    if len(sizes) != len(errors):
        return None
    variance = sum(size**2 for size in sizes)
    for first in range(0, len(records) - 1, 2):
        if same_people(records[first], records[first + 1]):
            variance -= 2.0 * correlation * sizes[first] * sizes[first + 1]
    return math.sqrt(variance)


def from_baseline(pooled: Pooled, registry: Registry) -> dict[float, Pooled]:
    """Return a pooled estimate with change against change in place of end against end, at each correlation; empty if none is.

    Parameters
    ----------
    pooled
        Contrasts of controlled studies.
    registry
        Where the starts are looked for.
    """
    starts = [_starts(effect, registry) for effect in pooled.effects]
    if not any(starts):
        return {}
    changed = {}
    for correlation in (CORRELATION, *CORRELATION_RANGE):
        effects = [
            _changed(effect, four, correlation) if four else effect
            for effect, four in zip(pooled.effects, starts, strict=True)
        ]
        if any(effect is None for effect in effects):
            return {}
        fitted = pool_effects([effect for effect in effects if effect is not None])
        changed[correlation] = replace(fitted, excluded=pooled.excluded, reasons=pooled.reasons)
    return changed


def _starts(effect: EffectSize, registry: Registry) -> tuple[Record, ...]:
    """Return treated after and before, control after and before; nothing where a start is not printed or ends are not compared."""
    if effect.how != _OF_LEVELS or len(effect.records) != 2:
        return ()
    ends = [registry[name] for name in effect.records]
    starts = [_start(end, registry) for end in ends]
    beginnings = [start for start in starts if start is not None]
    return (ends[0], beginnings[0], ends[1], beginnings[1]) if len(beginnings) == len(ends) else ()


def _start(end: Record, registry: Iterable[Record]) -> Record | None:
    for record in registry:
        alike = (record.kind, record.unit, record.contrast, record.tag) == (end.kind, end.unit, end.contrast, end.tag)
        if alike and same_people(end, record) and record.value is not None:
            return record
    return None


def _changed(effect: EffectSize, records: Sequence[Record], correlation: float) -> EffectSize | None:
    error = error_of_sum(records, correlation)
    values = [record.value for record in records if record.value is not None]
    if error is None or len(values) != len(records):
        return None
    after, before, control_after, control_before = values
    control = error_of_sum(records[2:], correlation)
    return replace(
        effect,
        y=(after - before) - (control_after - control_before),
        v=error**2,
        records=tuple(record.id for record in records),
        how="difference of the arms' changes from their starts",
        shared=None if control is None else control**2,
    )
