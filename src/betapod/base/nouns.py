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
