"""How inputs of the model move under therapies given together: breakpoints, between which an input is linear."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..base.errors import ConfigError, Problem
from .standard_care import DrugEffect, Therapy


@dataclass(frozen=True)
class Step:
    """A breakpoint of an input: its value just before and just after a time."""

    time: float
    before: float
    after: float


def input_courses(therapies: Iterable[Therapy], base: Mapping[str, float]) -> dict[str, list[Step]]:
    """Return how each input moves under therapies given together, see `InputCourses`.

    Parameters
    ----------
    base
        Value of every input without therapy; quantities that it lacks are left out.

    Returns
    -------
    dict
        Breakpoints by input, in time. Between them an input is linear (exactly so but where two factors ramp at once).

    Raises
    ------
    ConfigError
        Two therapies set one quantity at the same time, or a therapy acts on nothing in `base`.
    """
    return InputCourses(therapies, base).steps(base)


class InputCourses:
    """How inputs move under therapies given together, whatever they are without: when, and by which shares of which effects.

    Parameters
    ----------
    inputs
        Those that there are; quantities that are not among them are left out.

    Raises
    ------
    ConfigError
        Two therapies set one quantity at the same time, or a therapy acts on none of the inputs.
    """

    def __init__(self, therapies: Iterable[Therapy], inputs: Container[str]) -> None:
        by_input: dict[str, list[tuple[Therapy, DrugEffect]]] = {}
        problems = []
        for drug in therapies:
            effects = [effect for effect in drug.effects if effect.quantity in inputs]
            if not effects:
                problems.append(
                    Problem(
                        "no-effect",
                        f"{drug.label} acts on nothing that this model has",
                        found=", ".join(effect.quantity for effect in drug.effects),
                        expected="an input of the model",
                    )
                )
            for effect in effects:
                by_input.setdefault(effect.quantity, []).append((drug, effect))
        for quantity, pairs in by_input.items():
            problems.extend(_clashes(quantity, pairs))
        if problems:
            raise ConfigError(problems)
        self._moments = {quantity: _moments(pairs) for quantity, pairs in by_input.items()}

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that move."""
        return tuple(self._moments)

    def steps(self, base: Mapping[str, float]) -> dict[str, list[Step]]:
        """Return the breakpoints of each input, given its value without therapy."""
        return {
            quantity: [
                Step(time, before.value(base[quantity]), after.value(base[quantity])) for time, before, after in moments
            ]
            for quantity, moments in self._moments.items()
        }


def _clashes(quantity: str, pairs: Sequence[tuple[Therapy, DrugEffect]]) -> list[Problem]:
    setting = [(t, e) for t, e in pairs if e.rule in ("set", "policy")]
    return [
        Problem(
            "two-therapies", f"{a.label} and {b.label} both set {quantity!r} at the same time", hint="Stop one first."
        )
        for i, (a, e) in enumerate(setting)
        for b, f in setting[i + 1 :]
        if a.start < b.ends(f) + f.offset and b.start < a.ends(e) + e.offset and e.value != f.value
    ]


@dataclass(frozen=True)
class _Shares:
    """What acts on an input at a moment: values of effects with the share of each that is reached, by rule."""

    setting: tuple[tuple[float, float], ...]
    factors: tuple[float, ...]
    shifts: tuple[float, ...]
    strengths: tuple[float, ...]

    @classmethod
    def of(cls, pairs: Sequence[tuple[Therapy, DrugEffect]], time: float, side: int) -> _Shares:
        """Return what acts just before (0) or after (1) a time."""
        shares = [(effect, drug.share(effect, time)[side]) for drug, effect in pairs]

        def by_rule(*rules: str) -> list[tuple[float, float]]:
            return [(effect.value, share) for effect, share in shares if effect.rule in rules]

        return cls(
            tuple(by_rule("set", "policy")),
            tuple(1.0 + share * (value - 1.0) for value, share in by_rule("multiply")),
            tuple(share * value for value, share in by_rule("add")),
            tuple(share * value for value, share in by_rule("max")),
        )

    def value(self, base: float) -> float:
        """Return the value of the input: set, then multiplied, then shifted, then the strongest."""
        value = base
        for target, share in self.setting:
            value += share * (target - base)
        for factor in self.factors:
            value *= factor
        for shift in self.shifts:
            value += shift
        for strength in self.strengths:
            value = max(value, strength)
        return value


def _moments(pairs: Sequence[tuple[Therapy, DrugEffect]]) -> list[tuple[float, _Shares, _Shares]]:
    """Return the times at which an input begins to move or ends, with what acts just before and after."""
    times = {0.0}
    for drug, effect in pairs:
        times |= {drug.start, drug.start + effect.onset}
        if math.isfinite(end := drug.ends(effect)):
            times |= {end, end + effect.offset}
    return [(time, _Shares.of(pairs, time, 0), _Shares.of(pairs, time, 1)) for time in sorted(times)]
