"""Numbers of claims as readers see them."""

from __future__ import annotations


def three_digits(value: float | None) -> str:
    """Return a number of three digits, or a dash."""
    if value is None:
        return "-"
    if abs(value) < 1e-5:
        return "0" if value == 0 else "about 0"
    if abs(value) >= 1e5:
        return f"{value:.1e}"
    return f"{float(f'{value:.3g}'):.6f}".rstrip("0").rstrip(".") if abs(value) < 1e-3 else f"{float(f'{value:.3g}'):g}"
