"""One effect of each family: of reports of the same patients one is taken, arms against one control are combined."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from .effects import SUBGROUP, Effect, Refusal, logit

#: Correlation of two contrasts against the same control group of equal size (Higgins and Green 2011, section 16.5).
SHARED_CONTROL = 0.5


def one_per_family(effects: Sequence[Effect], weeks: float | None = None) -> tuple[list[Effect], list[Refusal]]:
    """Return one effect of each family, and the records that are not counted.

    Parameters
    ----------
    weeks
        Follow-up that is asked for, week: of each family the nearest is taken; without it the largest report, and of that the
        longest follow-up.
    """
    kept: list[Effect] = []
    refused: list[Refusal] = []
    groups: dict[str, list[Effect]] = {}
    for effect in effects:
        groups.setdefault(effect.family, []).append(effect)
    for members in groups.values():
        chosen, dropped = _choose(members, weeks)
        kept.append(chosen)
        refused += dropped
    used = {name for effect in kept for name in effect.records}
    return kept, [one for one in refused if one.record not in used]


def _choose(members: Sequence[Effect], weeks: float | None) -> tuple[Effect, list[Refusal]]:
    refused: list[Refusal] = []

    def drop(effects: Iterable[Effect], reason: str) -> None:
        refused.extend(Refusal(name, reason) for effect in effects for name in effect.records)

    whole = [effect for effect in members if not SUBGROUP.search(effect.arm)]
    if whole and len(whole) < len(members):
        drop((e for e in members if e not in whole), "a subgroup of people who are counted already")
        members = whole
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
    unique: dict[str, Effect] = {}
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
    return _combined(arms), refused


def _remoteness(effect: Effect, weeks: float | None) -> float:
    if weeks is None:
        return -(effect.weeks or 0.0)
    return abs(effect.weeks - weeks) if effect.weeks is not None else math.inf


def _people(arms: Sequence[Effect]) -> int:
    """Return the people in several arms, their shared control once: of a comparison it is half where its size is not known."""
    shared = [
        arm.controls or ((arm.n or 0) // 2 if arm.contrast == "between" and " vs " in arm.arm else 0) for arm in arms
    ]
    return sum(arm.n or 0 for arm in arms) - sum(shared) + max(shared)


def _combined(arms: Sequence[Effect]) -> Effect:
    """Return several arms of one study as one: people are added; contrasts share a control, so their mean is correlated."""
    if len(arms) == 1:
        return arms[0]
    count = len(arms)
    people = _people(arms)
    names = tuple(name for arm in arms for name in arm.records)
    together = " + ".join(arm.arm for arm in arms)
    if all(arm.events is not None for arm in arms):
        events = sum(arm.events or 0.0 for arm in arms)
        y, v, how = logit(events, people)
        return replace(
            arms[0], y=y, v=v, n=people, events=events, arm=together, records=names, how=f"{how}; {count} arms added"
        )
    rho = SHARED_CONTROL if arms[0].contrast == "between" else 0.0
    errors = [math.sqrt(arm.v) for arm in arms]
    cross = sum(errors[i] * errors[j] for i in range(count) for j in range(i))
    control = {name for arm in arms for name in arm.records[1:]}
    return replace(
        arms[0],
        y=sum(arm.y for arm in arms) / count,
        v=(sum(arm.v for arm in arms) + 2.0 * rho * cross) / count**2,
        n=people or None,
        arm=together,
        records=tuple(dict.fromkeys([name for arm in arms for name in arm.records[:1]] + sorted(control))),
        how=f"mean of {count} arms" + (", correlation 0.5 through the shared control" if rho else ""),
    )
