"""Published evidence, claims, and the comparison of the models with published numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from ..claims.ledger import Ledger
    from ..evidence.records.registry import Registry
    from ..evidence.records.study import Record
    from ..report.answer.whole_answer import Answer
    from ..validation.predictions.campaign import Confrontation
    from ..validation.scorecard.scorecard import Scorecard

Progress = Callable[[str, int, int], None]


def load_evidence(overlays: Iterable[str | Path] = ()) -> Registry:
    """Return the registry of published numbers.

    Parameters
    ----------
    overlays
        Tables of your own (CSV) that add records or replace those of the registry.

    Returns
    -------
    Registry
        ``select`` chooses records, ``table`` has one row for each.

    Raises
    ------
    EvidenceError
        Everything that is wrong with the overlays, with file and line.

    Examples
    --------
    >>> import betapod
    >>> evidence = betapod.load_evidence()
    >>> trials = evidence.select(endpoint="HbA1c", product="UC-MSC", controls=True)
    >>> betapod.pool(trials, contrast="between", across=["population"]).measure
    'difference'
    """
    from ..base.arguments import several
    from ..evidence.records.registry import load_with_mechanisms

    return load_with_mechanisms(several("overlays", overlays))


def list_claims() -> pd.DataFrame:
    """Return the claims that `judge_claims` judges.

    Returns
    -------
    pandas.DataFrame
        One row per claim: ``id``, ``about`` (cells or diabetes), ``claim``, ``mechanism``, ``source``.

    Examples
    --------
    >>> import betapod
    >>> "A01" in set(betapod.list_claims()["id"])
    True
    """
    import pandas as pd

    from ..claims.claims import load_claims

    columns = ["id", "about", "claim", "mechanism", "source"]
    return pd.DataFrame([[getattr(claim, name) for name in columns] for claim in load_claims()], columns=columns)


def judge_claims(
    claims: Iterable[str] = (),
    overlays: Iterable[str | Path] = (),
    simulate: bool = True,
    questions: Iterable[str | Path] = (),
    *,
    fit: str | None = None,
    fit_draws: int | None = None,
) -> Ledger:
    """Judge claims by the published numbers and by the model.

    Parameters
    ----------
    claims
        Ids of `list_claims`; all by default.
    overlays
        Tables of evidence of your own (CSV) that override or extend the registry.
    simulate
        Whether the model is asked as well.
    questions
        Files of your own (YAML) with questions to add to claims, and claims of your own.
    fit, fit_draws
        Installed fit behind what is simulated, ``none`` for the hand-tuned values without draws, and how many of its draws make each interval:
        the newest and 16 by default. What comes with the package or was kept is used; what you ask for here is simulated, which takes minutes.

    Returns
    -------
    Ledger
        One entry per claim: the claim, the answers of the registry, what the model says, and the verdict with its reason.

    Raises
    ------
    EvidenceError
        Unknown ids, each with the nearest; everything that is wrong with the overlays or questions.
    ConfigError
        No such fit is installed.

    Examples
    --------
    >>> import betapod
    >>> ledger = betapod.judge_claims(["A01"], simulate=False)
    >>> ledger[0].verdict.verdict
    'untested'
    """
    from ..base.arguments import several
    from ..claims import ledger
    from ..claims.claim_parameters import choose_fit
    from ..claims.own_questions import with_questions

    names = [claims] if isinstance(claims, str) else list(claims)
    asked = with_questions(several("questions", questions))
    asks_fit = fit is not None or fit_draws is not None
    entries = ledger.judge_ledger(
        names,
        several("overlays", overlays),
        run=simulate,
        claims=asked,
        fit=choose_fit(fit, fit_draws),
        drawing=asks_fit,
    )
    return ledger.Ledger(tuple(entries))


def answer(person: str = "", cells: str = "") -> Answer:
    """Answer whether transplanted cells are effective: benefit, harm, certainty, alternatives, and what is not known, joined.

    A person or a course of your own takes a minute the first time; then it is kept in the cache.

    Parameters
    ----------
    person
        A typical person to simulate as well, of `list_people`, ``t2d_micro`` or ``t2d_ckd``.
    cells
        A course to simulate as well, such as ``UC-MSC 1e6/kg iv x3 q28d``. Where only one of the two is said, the other is what is usual for it.

    Returns
    -------
    Answer
        ``text`` gives the answer for a patient, a clinician or a reviewer, ``table`` every number with how it was computed, ``write``
        the page.

    Raises
    ------
    ConfigError
        No such person, or an order that is not understood: everything at once.

    Examples
    --------
    >>> import betapod
    >>> whole = betapod.answer()
    >>> len(whole.text("patient").split()) <= 300
    True
    """
    from ..base import arguments

    arguments.instance("person", person, str, "the name of a typical person")
    arguments.instance("cells", cells, str, "an order for cells")
    return _joined(person, cells)


@functools.lru_cache(maxsize=4)
def _joined(person: str, cells: str) -> Answer:
    """Return an answer, joined once in a session: all that it is made of comes with the package or is in the cache."""
    from ..report.answer.whole_answer import join_answer

    return join_answer(person, cells)


def confront(
    records: Iterable[Record] | None = None,
    scenarios: Sequence[str] | None = None,
    *,
    patients: int = 60,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
    arms: Iterable[str | Path] = (),
    cohorts: Iterable[str | Path] = (),
    events: Iterable[str | Path] = (),
    fit: str | None = None,
    fit_draws: int = 16,
) -> Confrontation:
    """Predict published numbers by a virtual trial for each, and compare (external validation).

    What was computed before is read from the cache.

    Parameters
    ----------
    records
        Of a registry; all that can be simulated by default, which takes many minutes.
    scenarios
        What cells are supposed to do, of `list_scenarios`; by default none, current-evidence and seed-claims.
    patients
        Virtual patients for each study.
    seed
        Of the random numbers.
    threads
        Processor cores; all by default.
    progress
        Called with the study and scenario that are done, how many are, and of how many.
    arms, cohorts, events
        Tables of your own (files CSV or YAML) that say who takes part in a study, what its arms get and which events it counts; they
        count before those of the package.
    fit, fit_draws
        Installed fit, so many draws of which widen the interval by what is not known of the body; the newest by default. ``none``: no draws,
        and the values that the tables had before the fit that they have.

    Returns
    -------
    Confrontation
        Observed and predicted values with 90 % intervals, by scenario, and the records that cannot be simulated with the reason.

    Raises
    ------
    ConfigError
        There is no such scenario; everything that is wrong with tables of your own.
    SolverError
        A study could not be simulated; what is finished is kept.

    Examples
    --------
    >>> import betapod
    >>> evidence = betapod.load_evidence()
    >>> found = betapod.confront(evidence.select(study="NEPHSTROM2023"), ["none"], patients=10)
    >>> len(found.predictions["none"])
    2
    """
    from ..base.errors import ConfigError, not_among
    from ..therapies.scenarios import COMPARED, SCENARIOS
    from ..trials.conduct.replicate_parameters import NO_FIT
    from ..validation.predictions import campaign
    from ..validation.predictions.fit_conditions import draws_of_fit
    from ..validation.predictions.own_study_tables import read_study_tables

    names = COMPARED if scenarios is None else tuple([scenarios] if isinstance(scenarios, str) else scenarios)
    problems = [
        not_among(SCENARIOS, "unknown-scenario", f"there is no scenario {name!r}", name)
        for name in names
        if name not in SCENARIOS
    ]
    if problems:
        raise ConfigError(problems)
    selected = load_evidence().records if records is None else records
    tables = read_study_tables(arms, cohorts, events)
    of_fit = draws_of_fit(fit, fit_draws)
    before = fit == NO_FIT
    return campaign.confront_records(
        selected, names, patients, seed, threads, None, progress, 8, tables, of_fit, before_fit=before
    )


def validate(organs: Iterable[str] = (), targets: Iterable[str] = (), progress: Progress | None = None) -> Scorecard:
    """Simulate published results and compare: the scorecard of the models.

    Parameters
    ----------
    organs
        ``kidney``, ``metabolism``, ``cells``; all by default.
    targets
        Ids such as ``V16`` or ``kidney/V16a``; all by default.
    progress
        Called with the procedure that begins, how many are done, and of how many.

    Returns
    -------
    Scorecard
        ``table`` has one row per target: the published number, the model's, and the verdict.

    Raises
    ------
    ConfigError
        An unknown organ or target; the nearest is told.

    Examples
    --------
    >>> import betapod
    >>> scorecard = betapod.validate(targets=["kidney/V1a"])
    >>> scorecard.table["organ"].tolist()
    ['kidney']
    """
    from ..validation.scorecard.scorecard import run_scorecard
    from ..validation.scorecard.targets import select_targets

    return run_scorecard(select_targets(_listed(organs), _listed(targets)), progress)


def _listed(names: Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
