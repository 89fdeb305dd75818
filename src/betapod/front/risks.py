"""Harms of a course of cells, and complications of the disease, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def harms(order: str, *, scenario: str | None = None, kidney_disease: bool = False, years: float = 1.0) -> pd.DataFrame:
    """Return what a course of cells may do to somebody, against as many placebo infusions.

    Parameters
    ----------
    order
        Product, dose, route and repeats, such as ``UC-MSC 1e6/kg iv x3 q28d``.
    scenario
        Of `list_scenarios`; current evidence by default. Harms are the same under ``none``, but for ratios of infection and cancer
        below 1, which would be benefits.
    kidney_disease
        Whether the person has kidney disease (eGFR 45 mL/min/1.73m2 and UACR 300 mg/g instead of 75 and 15), which raises thrombosis.
    years
        Over which serious infection, thromboembolism, cancer and events under immunosuppression are counted, in a person of 60.

    Returns
    -------
    pandas.DataFrame
        One row per harm: ``harm``, ``label``, ``per`` and ``events`` (what is counted, how often), ``chance`` and ``chance_placebo`` of one
        event, ``people`` of 1000 who have it at least once in the course with ``low`` and ``high`` (95 % interval), ``people_placebo``,
        ``excess`` with ``excess_low`` and ``excess_high``, ``grade`` and ``source``. ``attrs["understood"]`` says how the order was
        read, ``attrs["notes"]`` what is not known.

    Raises
    ------
    ConfigError
        Everything that is wrong with the order at once, an unknown scenario, or years that are not above 0.

    Notes
    -----
    Ratios of stromal cells to control: Thompson and others, EClinicalMedicine 2020;19:100249.

    Examples
    --------
    >>> import betapod
    >>> table = betapod.harms("UC-MSC 1e6/kg iv x3 q28d").set_index("harm")
    >>> round(table.loc["p_fever", "people"]), round(table.loc["p_fever", "people_placebo"])
    (93, 38)
    """
    import pandas as pd

    from ..base import arguments
    from ..base.errors import ConfigError, Problem
    from ..hazards.harm_table import MOST_YEARS, HarmLine, harm_table
    from ..therapies.scenarios import DEFAULT

    arguments.instance("order", order, str, "an order for cells")
    years = arguments.number("years", years)
    if not 0 < years <= MOST_YEARS:
        raise ConfigError(
            Problem(
                "out-of-range",
                "the years are out of range",
                found=f"{years:g}",
                expected=f"above 0, up to {MOST_YEARS:g}",
            )
        )
    read = harm_table(order, scenario or DEFAULT, bool(kidney_disease), years)
    table = pd.DataFrame([vars(line) for line in read.lines], columns=list(HarmLine.__dataclass_fields__))
    table.attrs.update(understood=read.words, notes=list(read.notes))
    return table


def list_complications() -> pd.DataFrame:
    """Return the complications that may come to people on their course.

    Returns
    -------
    pandas.DataFrame
        One row per complication: ``name``, ``group``, ``label``, ``rate`` (per 1000 people and year in the reference person: a man of 60, type 2
        diabetes for ten years, HbA1c 7 %, 130 mmHg, eGFR 90, UACR 10 mg/g), ``rises_with``, ``needs`` and ``begins`` (states),
        ``source``, and ``grade``, the worst of its numbers.

    Examples
    --------
    >>> import betapod
    >>> table = betapod.list_complications().set_index("name")
    >>> table.loc["ketoacidosis", "group"]
    'acute'
    """
    import pandas as pd

    from ..hazards.complications.complication_cards import complication_list

    return pd.DataFrame(complication_list())


def show_complication(name: str) -> pd.DataFrame:
    """Return the numbers of a complication, with their origin.

    Parameters
    ----------
    name
        Of `list_complications`.

    Returns
    -------
    pandas.DataFrame
        One row per number: ``kind`` (rate, term, state, drug, days), ``what``, ``value`` with ``low`` and ``high`` (ratios of hazards but for the
        rate, 1/year, and days), ``unit``, ``parameter``, ``role``, ``source``, ``grade`` and ``note``. ``attrs["equation"]`` is the rate.

    Raises
    ------
    ConfigError
        There is no such complication; the nearest is named.

    Examples
    --------
    >>> import betapod
    >>> numbers = betapod.show_complication("foot_ulcer")
    >>> bool((numbers["value"] > 0).all())
    True
    """
    import pandas as pd

    from ..hazards.complications.complication_cards import complication_card

    card = complication_card(name)
    table = pd.DataFrame(card["numbers"])
    table.attrs.update(equation=card["equation"], label=card["label"])
    return table
