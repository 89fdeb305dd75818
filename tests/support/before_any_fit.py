"""Effects of drugs as they were before any fit: laws of the hand-tuned values are told there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from betapod.physiology.installed_fits import list_fits, load_fit
from betapod.therapies.effect_factors import scaled_effects


@contextmanager
def before_fits() -> Iterator[None]:
    """Let therapies that are read meanwhile have the effects that the tables had before every installed fit."""
    factors: dict[str, float] = {}
    for name in list_fits():
        fit = load_fit(name)
        kinds = fit.kinds
        for unknown, factor in fit.at_start().items():
            if kinds[unknown] == "drug":
                factors[unknown] = factors.get(unknown, 1.0) * factor
    with ExitStack() as held:
        if factors:
            held.enter_context(scaled_effects(factors))
        yield
