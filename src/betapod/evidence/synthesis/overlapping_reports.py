"""One effect of each family: of reports of the same patients one is taken, arms against one control are combined."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from .effect_size import SUBGROUP, EffectSize, Exclusion, logit, risk_ratio

#: Correlation of two stated contrasts against the same control group of equal size, where the group's own variance is not known
#: (Higgins and Green 2011, section 16.5).
SHARED_CONTROL = 0.5


def one_per_family(
    effects: Sequence[EffectSize], weeks: float | None = None
) -> tuple[list[EffectSize], list[Exclusion]]:
    """Return one effect of each family, and the records that are not counted.

    Parameters
    ----------
    weeks
        Follow-up that is asked for, week: of each family the nearest is taken; without it the largest report, and of that the
        longest follow-up.
    """
    kept: list[EffectSize] = []
    excluded: list[Exclusion] = []
    groups: dict[str, list[EffectSize]] = {}
    for effect in effects:
        groups.setdefault(effect.family, []).append(effect)
    for members in groups.values():
        kept_effect, dropped = _choose(members, weeks)
        kept.append(kept_effect)
        excluded += dropped
    used = {name for effect in kept for name in effect.records}
    return kept, [exclusion for exclusion in excluded if exclusion.record not in used]


def _choose(members: Sequence[EffectSize], weeks: float | None) -> tuple[EffectSize, list[Exclusion]]:
    excluded: list[Exclusion] = []

    def drop(effects: Iterable[EffectSize], reason: str) -> None:
        excluded.extend(Exclusion(name, reason) for effect in effects for name in effect.records)

    all_patients = [effect for effect in members if not SUBGROUP.search(effect.arm)]
    if all_patients and len(all_patients) < len(members):
        drop((e for e in members if e not in all_patients), "a subgroup of people who are counted already")
        members = all_patients
    # The largest report stands for a family, unless a time was asked for; a standard error from a p value comes last.
    best = min(
        members,
        key=lambda e: (
            "p value" in e.how,
            _remoteness(e, weeks) if weeks is not None else 0.0,
            *e.rank[::-1],
            -(e.weeks or 0.0),
        ),
    )
    others = [e for e in members if e.study != best.study]
    drop(others, f"overlapping patients: family {best.family!r} is counted once, by {best.study}")
    members = [e for e in members if e.study == best.study]
    drop((e for e in members if e.weeks != best.weeks), f"another time of {best.study}, which is counted once")
    members = [e for e in members if e.weeks == best.weeks]
    stated = [e for e in members if e.wording != "arms"]
    exact = [e for e in stated if "p value" not in e.how]
    preferred = exact or [e for e in members if e.wording == "arms"] or stated
    drop((e for e in members if e not in preferred), f"another statement of the same contrast of {best.study}")
    unique: dict[str, EffectSize] = {}
    for effect in preferred:
        if effect.arm in unique:
            drop([effect], f"another definition of the same outcome in {best.study}")
        else:
            unique[effect.arm] = effect
    arms = list(unique.values())
    everybody = [arm for arm in arms if re.match(r"all\b", arm.arm)]
    if everybody and len(arms) > 1:
        drop((arm for arm in arms if arm not in everybody), f"part of all people of {best.study}")
        arms = everybody
    return _combined(arms), excluded


def _remoteness(effect: EffectSize, weeks: float | None) -> float:
    if weeks is None:
        return -(effect.weeks or 0.0)
    return abs(effect.weeks - weeks) if effect.weeks is not None else math.inf


def _people(arms: Sequence[EffectSize]) -> int:
    """Return the people in several arms, their shared control once: of a comparison it is half where its size is not known."""
    shared = [(arm.n or 0) - (arm.treated or 0) for arm in arms]
    return sum(arm.n or 0 for arm in arms) - sum(shared) + max(shared)


def _combined(arms: Sequence[EffectSize]) -> EffectSize:
    """Return several arms of one study as the one group that they would have been together.

    Events and people are added. Means, changes, slopes and logarithms of ratios are averaged by the people of each arm, or by
    the inverse of their variances where a number of people is not known; rates by people too, but not as logarithms. Contrasts
    with one control group have its part of the variance in common (Cochrane Handbook, sections 6.5.2.10 and 16.5.4).
    """
    if len(arms) == 1:
        return arms[0]
    count, people = len(arms), _people(arms)
    names = [name for arm in arms for name in arm.records[:1]]
    control = sorted({name for arm in arms for name in arm.records[1:]})
    combined = replace(
        arms[0],
        n=people or None,
        arm=" + ".join(arm.arm for arm in arms),
        records=tuple(dict.fromkeys([*names, *control])),
        shared=None,
    )
    if all(arm.events is not None for arm in arms):
        events = sum(arm.events or 0.0 for arm in arms)
        y, v, how = logit(events, people)
        return replace(combined, y=y, v=v, events=events, how=f"{how}; {count} arms added")
    if all(arm.counts is not None for arm in arms):
        counts = [arm.counts for arm in arms if arm.counts is not None]
        if len({table[2:] for table in counts}) == 1:
            added = (sum(table[0] for table in counts), sum(table[1] for table in counts), *counts[0][2:])
            y, v, how = risk_ratio(*added)
            return replace(combined, y=y, v=v, counts=added, how=f"{how}; {count} arms added")
    weights, by = _weights(arms)
    if arms[0].measure == "rate":
        y, v = _mean_of_rates(arms, weights)
        return replace(combined, y=y, v=v, how=f"mean of {count} groups, {by}")
    y = sum(weight * arm.y for weight, arm in zip(weights, arms, strict=True))
    v, shared = _variance_of_mean(arms, weights)
    return replace(combined, y=y, v=v, how=f"mean of {count} arms, {by}{shared}")


def _weights(arms: Sequence[EffectSize]) -> tuple[list[float], str]:
    """Return the share of each arm in their mean, and what it is made of."""
    people = [arm.treated for arm in arms]
    counts = [float(number) for number in people if number]
    if len(counts) == len(arms):
        return [number / sum(counts) for number in counts], "by the people in each"
    precision = [1.0 / arm.v for arm in arms]
    return [number / sum(precision) for number in precision], "by inverse variance, as an n is not known"


def _mean_of_rates(arms: Sequence[EffectSize], weights: Sequence[float]) -> tuple[float, float]:
    """Return the logarithm of the mean of rates, and its variance."""
    parts = [weight * math.exp(arm.y) for weight, arm in zip(weights, arms, strict=True)]
    mean = sum(parts)
    return math.log(mean), sum((part / mean) ** 2 * arm.v for part, arm in zip(parts, arms, strict=True))


def _variance_of_mean(arms: Sequence[EffectSize], weights: Sequence[float]) -> tuple[float, str]:
    """Return the variance of a weighted mean of contrasts, and what was taken for what they have in common."""
    alone = sum(weight**2 * arm.v for weight, arm in zip(weights, arms, strict=True))
    if arms[0].contrast != "between":
        return alone, ""
    cross, said = 0.0, ""
    for i, first in enumerate(arms):
        for j, second in enumerate(arms[:i]):
            if first.shared is not None and second.shared is not None:
                both = min(first.shared, second.shared)
                said = said or ", which share the control group's variance"
            else:
                both = SHARED_CONTROL * math.sqrt(first.v * second.v)
                said = ", correlation 0.5 through the shared control assumed"
            cross += weights[i] * weights[j] * both
    return alone + 2.0 * cross, said
