"""Which numbers decide: of outputs of a model, of trials, and of verdicts of claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..therapies.scenarios import CURRENT_EVIDENCE

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ..model import Model
    from ..sensitivity.model_function import ModelFunction
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
    import pandas as pd

    from ..sensitivity.global_sensitivity import global_sensitivities

    function = _varied_model(model, outputs, vary, years, summary)
    return pd.DataFrame(global_sensitivities(function, method, by, runs, precision, seed, scale=scale).rows())


def _varied_model(
    model: Model, outputs: Iterable[str], vary: Iterable[str], years: float, summary: str = "end"
) -> ModelFunction:
    import numpy as np

    from ..base.arguments import several
    from ..base.units import convert_unit
    from ..sensitivity.factors import select_factors
    from ..sensitivity.model_function import TIMES, ModelFunction

    end = convert_unit(years, "year", model.time_unit)
    times = [float(time) for time in np.linspace(0.0, end, TIMES)]
    names, words = several("outputs", outputs), several("vary", vary)
    factors = select_factors(model, [str(word) for word in words])
    return ModelFunction(model, factors, [str(name) for name in names], times, summary)


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


def verdict_sensitivity(
    claim: str,
    vary: Iterable[str] = (),
    method: str = "sobol",
    *,
    by: str = "number",
    grades: Iterable[str] = ("D",),
    runs: int = 1000,
    precision: float = 0.025,
    seed: int = 1,
) -> pd.DataFrame:
    """Return how much numbers, varied together, decide of a claim: of its outcomes, and of whether its verdict stays.

    Numbers are even over their plausible ranges and differ from today on; evidence stays as it is.

    Parameters
    ----------
    claim
        Id of `list_claims`.
    vary
        Numbers with a range; all of the grades by default.
    method, by, precision, seed
        As of `sensitivity_indices`.
    grades
        Of the numbers: D are those that are assumed or recalled.
    runs
        Places that may be spent; what was computed is kept.

    Returns
    -------
    pandas.DataFrame
        One row for each output and player, those that decide most first. Outputs are the outcomes of the claim, within what evidence allows as
        shares of what is claimed, and ``verdict stays``, 1 where the verdict is today's.

    Raises
    ------
    EvidenceError
        There is no such claim.
    ConfigError
        Unknown names, methods or words; a claim whose verdict no number of the model can change, with the reason.

    Examples
    --------
    >>> import betapod
    >>> table = betapod.verdict_sensitivity("A06", ["glucotoxic_apoptosis", "kon_A"], "prcc", runs=8)
    >>> table.loc[0, "player"], table["output"].iloc[-1]
    ('glucotoxic_apoptosis', 'verdict stays')
    """
    import pandas as pd

    from ..base.arguments import several
    from ..claims.ledger import judge_ledger
    from ..sensitivity.global_sensitivity import global_sensitivities
    from ..sensitivity.verdict_function import VerdictFunction

    (entry,) = judge_ledger([claim])
    function = VerdictFunction.of_claim(
        entry, [str(grade) for grade in several("grades", grades)], [str(name) for name in several("vary", vary)]
    )
    return pd.DataFrame(global_sensitivities(function, method, by, runs, precision, seed).rows())


def identify_numbers(
    model: Model,
    outputs: Iterable[str],
    vary: Iterable[str] = ("drawn",),
    *,
    years: float = 10.0,
    error: float | str | Mapping[str, float | str] = 0.1,
) -> pd.DataFrame:
    """Return what measurements of outputs would tell of the numbers of a model, taken as linear around its values.

    Parameters
    ----------
    model
        From `load_model`, with any values.
    outputs
        States and equations that are measured, thirteen times evenly over the years.
    vary
        As of `sensitivity_indices`.
    years
        Years that are measured.
    error
        SD of one measurement as a share of its value, such as 0.1 or ``10 %``; or output -> share.

    Returns
    -------
    pandas.DataFrame
        One row for each number, best told first: ``contraction``, 1 less the SD after the measurements over the one that its range is (0 where they
        say nothing), ``shows``, the mean slope in SDs of errors per SD of the range, and ``collinearity`` of those that can be told apart, as
        they are added one after the other.

    Raises
    ------
    ConfigError
        Unknown names or words, a number without a range, an error that is none.

    Examples
    --------
    >>> import betapod
    >>> model = betapod.load_model("topp2000")
    >>> table = betapod.identify_numbers(model, ["glucose"], ["all"], years=1, error="5 %")
    >>> bool(table.loc[0, "contraction"] > 0.9)
    True
    """
    import pandas as pd

    from ..sensitivity.measured_numbers import measured_numbers, measurement_errors

    function = _varied_model(model, outputs, vary, years)
    return pd.DataFrame(measured_numbers(function, measurement_errors(function.outputs, error)).rows())


def likelihood_profiles(
    model: Model,
    outputs: Iterable[str],
    numbers: Iterable[str],
    vary: Iterable[str] = ("drawn",),
    *,
    years: float = 10.0,
    error: float | str | Mapping[str, float | str] = 0.1,
) -> pd.DataFrame:
    """Return how well measurements would be met with a number held elsewhere and all others that are varied fitted anew.

    Parameters
    ----------
    model, outputs, vary, years, error
        As of `identify_numbers`.
    numbers
        Those to hold at places of their ranges; each is among those that are varied.

    Returns
    -------
    pandas.DataFrame
        One row for each number and place: ``value`` in ``unit``, and ``misfit``, -2 times the log of the profile likelihood over its largest, 0 at
        the model's value. ``low`` and ``high``, the same in all rows of a number, are the ends of its 95 % interval, NaN on a side where
        the range ends before it; ``told`` says what that means.

    Raises
    ------
    ConfigError
        As of `identify_numbers`; a number that is not varied.

    Examples
    --------
    >>> import betapod
    >>> model = betapod.load_model("topp2000")
    >>> names = ["beta_mass_start", "glucose_start"]
    >>> curves = betapod.likelihood_profiles(model, ["beta_mass"], names[:1], names, years=1)
    >>> curves.loc[0, "told"], bool(curves["misfit"].max() > 3.84)
    ('told from both sides', True)
    """
    import pandas as pd

    from ..base.arguments import several
    from ..sensitivity.measured_numbers import measurement_errors
    from ..sensitivity.number_profiles import number_profiles

    function = _varied_model(model, outputs, vary, years)
    errors = measurement_errors(function.outputs, error)
    profiles = number_profiles(function, errors, [str(name) for name in several("numbers", numbers)])
    return pd.DataFrame([row for profile in profiles for row in profile.rows()])
