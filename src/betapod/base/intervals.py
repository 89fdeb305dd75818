"""Intervals of the normal distribution: from a standard error, and back to it."""

from __future__ import annotations

from .constants import Z95


def normal_interval(centre: float, error: float, z: float = Z95) -> tuple[float, float]:
    """Return the ends of an interval of `z` standard errors on either side; a 95 % interval by default."""
    return centre - z * error, centre + z * error


def error_of_interval(low: float, high: float, z: float = Z95) -> float:
    """Return the standard error of which an interval has `z` on either side; of a 95 % interval by default."""
    return (high - low) / (2.0 * z)
