"""Which numbers decide: of outputs of a model, of trials, and of verdicts of claims."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..therapies.scenarios import CURRENT_EVIDENCE

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..model import Model
    from ..trials.protocol.protocol import Protocol


def sensitivity_indices(
    model: Model,
    outputs: Iterable[str],
    vary: Iterable[str] = ("drawn",),
    method: str = "sobol",
    *,
    by: str = "number",
    years: float = 10.0,
    summary: str = "end",
    runs: int = 50_000,
    precision: float = 0.025,
    seed: int = 1,
    scale: str = "observed",
) -> pd.DataFrame:
    """Return how much of the variance of outputs each number of a model, or each group of them, decides.

    Parameters
    ----------
    model
        From `load_model`, with any values.
    outputs
        States and equations.
    vary
        Parameters and inputs; ``drawn`` stands for all parameters with a distribution, ``all`` for those with a range.
    method
        ``sobol``, ``shapley``, ``morris``, ``dgsm``, ``prcc`` or ``pawn``.
    by
        ``number``, ``submodel`` or ``grade``.
    years
        Years that are simulated.
    summary
        What is read of a course: ``end``, ``change``, ``mean``, ``slope``, ``least`` or ``most``.
    runs
        Runs of the model that may be spent; what was computed is kept, so that a stopped call goes on.
    precision
        Half-width of the intervals of the ten largest indices that is narrow enough; 0 spends all runs.
    seed
        Of the random design.
    scale
        ``observed``: an output counts by its logarithm where measurements of it do, as albuminuria; ``linear``, ``log`` or ``rank``.

    Returns
    -------
    pandas.DataFrame
        One row for each output and player, those that decide most first: the measures, each with the ends of its 95 % interval.

    Raises
    ------
    ConfigError
        Unknown names, methods or words; a number without a range.

    Examples
    --------
    >>> import betapod
    >>> model = betapod.load_model("topp2000")
    >>> table = betapod.sensitivity_indices(model, ["beta_mass"], ["all"], years=1, runs=2000)
    >>> table.loc[0, "player"]
    'beta_mass_start'
    """
    import numpy as np
    import pandas as pd

    from ..base.arguments import several
    from ..base.units import convert_unit
    from ..sensitivity.factors import select_factors
    from ..sensitivity.global_sensitivity import global_sensitivities
    from ..sensitivity.model_function import ModelFunction

    end = convert_unit(years, "year", model.time_unit)
    times = [float(time) for time in np.linspace(0.0, end, 13)]
    names, words = list(several("outputs", outputs)), list(several("vary", vary))
    function = ModelFunction(
        model, select_factors(model, [str(w) for w in words]), [str(n) for n in names], times, summary
    )
    return pd.DataFrame(global_sensitivities(function, method, by, runs, precision, seed, scale=scale).rows())


def trial_sensitivity(
    protocol: str | Path | Protocol,
    vary: Iterable[str] = ("drawn",),
    method: str = "sobol",
    *,
    by: str = "number",
    design: str = "",
    scenario: str = CURRENT_EVIDENCE,
    endpoint: str = "",
    people: int = 200,
    replicates: int = 100,
    runs: int = 1000,
    precision: float = 0.025,
    seed: int = 1,
) -> pd.DataFrame:
    """Return which numbers of the model decide what a trial estimates, the truth behind it, and its power.

    A whole trial is simulated at every place, with the same people, randomisation and errors of measurement; numbers differ from the day on
    which people are met.

    Parameters
    ----------
    protocol
        A name of `list_protocols`, a YAML file, or a protocol.
    vary
        Parameters in which people do not differ; ``drawn`` stands for all with a distribution, ``all`` for those with a range.
    method, by, precision, seed
        As of `sensitivity_indices`.
    design
        Of the protocol; the first that compares groups by default.
    scenario
        What cells are supposed to do.
    endpoint
        Name of one of the protocol's, or ``quality_of_life`` for quality-adjusted life-years; the primary by default.
    people
        Virtual people from whom patients are drawn.
    replicates
        How often the trial is simulated at each place.
    runs
        Places that may be spent; what was computed is kept.

    Returns
    -------
    pandas.DataFrame
        One row for each of ``estimate``, ``truth`` and ``power`` and each player, those that decide most first.

    Raises
    ------
    ConfigError
        Unknown names, methods or words; a design without a control; a number without a range, or in which people differ.

    Examples
    --------
    >>> import betapod
    >>> table = betapod.trial_sensitivity(
    ...     "nephstrom", ["Emax_end", "kon_A"], "prcc", runs=8, people=40, replicates=20
    ... )
    >>> table["output"].unique().tolist()
    ['estimate', 'truth', 'power']
    """
    import pandas as pd

    from ..base.arguments import several
    from ..sensitivity.global_sensitivity import global_sensitivities
    from ..sensitivity.trial_function import TrialFunction
    from ..trials.protocol.protocol import Protocol
    from ..trials.protocol.protocol_files import find_protocol

    words = [str(word) for word in several("vary", vary)]
    trial_protocol = protocol if isinstance(protocol, Protocol) else find_protocol(protocol)
    function = TrialFunction.of_protocol(
        trial_protocol, design, scenario, endpoint, (words, (), ()), people, replicates
    )
    return pd.DataFrame(global_sensitivities(function, method, by, runs, precision, seed).rows())


def verdicts_by_number(claims: Iterable[str] = (), grades: Iterable[str] = ("D",)) -> pd.DataFrame:
    """Return which numbers decide verdicts: each number at both ends of its plausible range, and the claim judged anew.

    Parameters
    ----------
    claims
        Ids of `list_claims`; all by default, which takes minutes. What was computed is kept.
    grades
        Grades of the numbers that are tried: D are those that are assumed or recalled.

    Returns
    -------
    pandas.DataFrame
        One row for each claim and number that moves an outcome of it: the verdict, the verdict at both ends, and how far the number moves the
        outcome as a share of what is claimed. A claim whose verdict no number can change has one row, with the reason.

    Raises
    ------
    EvidenceError
        Unknown ids, each with the nearest.

    Examples
    --------
    A claim about diabetes, which evidence alone decides:

    >>> import betapod
    >>> betapod.verdicts_by_number(["B20"])["why_none"].tolist()
    ['it is about diabetes, and evidence alone decides']
    """
    import pandas as pd

    from ..base.arguments import several
    from ..claims.ledger import judge_ledger
    from ..sensitivity.deciding_numbers import deciding_numbers

    entries = judge_ledger([str(name) for name in several("claims", claims)])
    rows = []
    for claim in deciding_numbers(entries, [str(grade) for grade in several("grades", grades)]):
        about = {"claim": claim.claim, "verdict": claim.verdict, "why_none": claim.why_none}
        rows += [{**about, **vars(number)} for number in claim.tried] or [about]
    return pd.DataFrame(rows)
