"""Numbers with their nouns, as people say them."""

from __future__ import annotations


def with_noun(count: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun.

    Parameters
    ----------
    plural
        By default the singular with an s.

    Returns
    -------
    str
        Thousands have commas.

    Examples
    --------
    >>> from betapod.base.nouns import with_noun
    >>> with_noun(1, "equation"), with_noun(1200, "study", "studies")
    ('1 equation', '1,200 studies')
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def bytes_text(count: float) -> str:
    """Return a number of bytes in the largest unit in which it is at least 1.

    Examples
    --------
    >>> from betapod.base.nouns import bytes_text
    >>> bytes_text(2.5e9), bytes_text(1200), bytes_text(12)
    ('2.5 GB', '1.2 kB', '12 bytes')
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:.0f} bytes"
