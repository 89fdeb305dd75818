"""How far to trust the model: published numbers of a kind, beside what the model says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..therapies.scenarios import CURRENT_EVIDENCE

if TYPE_CHECKING:
    import pandas as pd

    from ..trust.trust_question import TrustQuestion


def how_trusted(
    drugs: Sequence[str] = (),
    products: Sequence[str] = (),
    endpoints: Sequence[str] = (),
    populations: Sequence[str] = (),
    scenario: str = CURRENT_EVIDENCE,
) -> str:
    """Say in a sentence how many published numbers of a kind lie inside the model's 90 % interval.

    Parameters
    ----------
    drugs
        Drugs or classes, one of which a group was given; all numbers if neither drugs nor products are named.
    products
        Cell products, or ``cells`` for any.
    endpoints
        Endpoints, such as ``UACR``, or topics, such as ``albuminuria``.
    populations
        ``type 1``, ``type 2``, ``kidney disease``, ``healthy kidneys``.
    scenario
        What cells do: ``current-evidence`` or ``none``.

    Returns
    -------
    str
        With the numbers that parameters were fitted to, and the others, apart; plainly, where there is none of that kind.

    Raises
    ------
    ConfigError
        Words that mean nothing, each with the nearest; all at once.

    Examples
    --------
    >>> import betapod
    >>> betapod.how_trusted(products=["renal-cells"])
    'No published number on renal-cells was compared with the model: how far to trust it there is not known.'
    """
    from ..trust.trust_answer import trust_sentence

    return trust_sentence(_asked(drugs, products, endpoints, populations, scenario))


def trusted_numbers(
    drugs: Sequence[str] = (),
    products: Sequence[str] = (),
    endpoints: Sequence[str] = (),
    populations: Sequence[str] = (),
    scenario: str = CURRENT_EVIDENCE,
) -> pd.DataFrame:
    """Return published numbers of a kind beside what the model says of them; all by default.

    Parameters
    ----------
    drugs
        Drugs or classes, one of which a group was given.
    products
        Cell products, or ``cells`` for any.
    endpoints
        Endpoints, such as ``UACR``, or topics, such as ``albuminuria``.
    populations
        ``type 1``, ``type 2``, ``kidney disease``, ``healthy kidneys``.
    scenario
        What cells do: ``current-evidence`` or ``none``.

    Returns
    -------
    pandas.DataFrame
        One row for each number: what it is (``record``, ``treatments``, ``cells``, ``topic``, ``endpoint``, ``diabetes``, ``kidney``), whether
        parameters were ``fitted`` to it, ``observed``, ``predicted``, the 90 % interval ``low`` to ``high``, ``z``, ``inside`` and ``width``;
        ``tau_family``, ``tau_row``, ``z_all``, ``inside_all`` and ``width_all`` with what the model is known to lack, NaN where nobody has estimated that.

    Raises
    ------
    ConfigError
        Words that mean nothing, each with the nearest; all at once.

    Examples
    --------
    >>> import betapod
    >>> numbers = betapod.trusted_numbers(drugs=["dapagliflozin"], endpoints=["albuminuria"])
    >>> set(numbers["topic"])
    {'albuminuria'}
    """
    from dataclasses import asdict, fields

    import pandas as pd

    from ..trust.trust_rows import TrustRow

    rows = _asked(drugs, products, endpoints, populations, scenario).chosen()
    return pd.DataFrame([asdict(row) for row in rows], columns=[field.name for field in fields(TrustRow)])


def _asked(
    drugs: Sequence[str], products: Sequence[str], endpoints: Sequence[str], populations: Sequence[str], scenario: str
) -> TrustQuestion:
    from ..trust.trust_question import trust_question

    named = {"drugs": drugs, "products": products, "endpoints": endpoints, "populations": populations}
    texts = {name: [words] if isinstance(words, str) else list(words) for name, words in named.items()}
    return trust_question(**texts, scenario=scenario)
