"""How strongly a drug acts by its table, for those who give the input that it acts on instead of the drug."""

from __future__ import annotations

from ..base.errors import ConfigError, Location, Problem, did_you_mean
from .effect_factors import scaled_effects
from .standard_care import therapy


def listed_strength(text: str, quantity: str) -> float:
    """Return how strongly a therapy acts on an input by its table, whatever factors hold now.

    Parameters
    ----------
    text
        As for `standard_care.therapy`: ``ARB``, ``semaglutide 1 mg``.

    Raises
    ------
    ConfigError
        Unknown therapy or dose, or one that does not act on the input; what it acts on is named.

    Examples
    --------
    >>> from betapod.therapies.listed_strength import listed_strength
    >>> 0 < listed_strength("ARB", "e_ARB") < 1
    True
    """
    with scaled_effects({}):
        values = {effect.quantity: effect.value for effect in therapy(text).effects}
    if quantity not in values:
        message, expected = f"{text} does not act on {quantity}", ", ".join(values)
        where, hint = Location(f"therapy {text!r}"), did_you_mean(quantity, values)
        raise ConfigError(Problem("no-effect", message, where, quantity, expected, hint))
    return values[quantity]
