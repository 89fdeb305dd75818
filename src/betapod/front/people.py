"""Typical people, the library of virtual patients, and cohorts chosen from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from ..model import Model
    from ..patients.cohorts.reweight import SelectedCohort
    from ..patients.library import Library
    from ..person.coupled_person import Patient

#: Patients that are drawn at once; ensembles draw more in parts.
_DRAWN = 10_000_000


def load_person(name: str, model: str = "reference", values: Mapping[str, float | str] | None = None) -> Patient:
    """Return a typical person, grown through the history that led to the state they are in today.

    Parameters
    ----------
    name
        One of `list_people`, such as ``t2d``.
    model
        Name of the model that sees the person.
    values
        Parameters and inputs that differ: numbers in the row's unit, or text with a unit. What the person is differs in the whole life;
        treatments and experiments, such as ``hold_glucose``, begin today.

    Returns
    -------
    Patient
        ``model`` with the person's values, ``state`` today (state -> value) and ``history``, the simulated years before.

    Raises
    ------
    ConfigError
        There is no such person, or the person's HbA1c is never reached.
    ParameterError
        A value that cannot be used.

    Examples
    --------
    >>> import betapod
    >>> person = betapod.load_person("t2d", model="metabolism")
    >>> person.label
    'type 2 diabetes, HbA1c 8.1 %'
    >>> round(person.state["HbA1c"], 1)
    8.1
    """
    from ..person.coupled_person import typical_patient

    return typical_patient(name, model, values)


def list_people() -> pd.DataFrame:
    """Return the typical people.

    Returns
    -------
    pandas.DataFrame
        One row per person: ``name``, ``label``.

    Examples
    --------
    >>> import betapod
    >>> "t2d" in set(betapod.list_people()["name"])
    True
    """
    import pandas as pd

    from ..person.coupled_person import person_label, person_names

    return pd.DataFrame([(name, person_label(name)) for name in person_names()], columns=["name", "label"])


def draw_patients(
    model: Model, patients: int, seed: int = 1, vary: str | Iterable[str] = "all", replicate: int = 0
) -> pd.DataFrame:
    """Draw virtual patients from the distributions of a model's own parameters, independently of each other.

    Parameters
    ----------
    model
        Whose parameters and inputs are drawn.
    patients
        How many; patient i is the same, however many are drawn.
    seed, replicate
        Of the random numbers.
    vary
        Ids to draw; ``all`` that have a distribution, by default.

    Returns
    -------
    pandas.DataFrame
        One row per patient, one column per id, in the rows' units; `Ensemble.run` takes it.

    Raises
    ------
    ConfigError
        An unknown id, one without a distribution, or a number of patients below 0.
    ParameterError
        Distributions that cannot be drawn from.

    Examples
    --------
    >>> import betapod
    >>> kidney = betapod.load_model("kidney")
    >>> drawn = betapod.draw_patients(kidney, 50, vary=["xi"])
    >>> drawn.shape
    (50, 1)
    >>> result = betapod.Ensemble(kidney, ["GFR"]).run(drawn, [0.0, 3652.5])
    >>> result.summary()
    '50 patients: 50 ok'
    """
    import pandas as pd

    from ..base.errors import ConfigError, Problem
    from ..engine.draw import draw_parameters
    from ..model import ParameterTable

    if isinstance(patients, bool) or not isinstance(patients, int) or not 0 <= patients <= _DRAWN:
        expected = f"a whole number from 0 to {_DRAWN:,}"
        raise ConfigError(
            Problem("bad-number", "so many patients cannot be drawn", found=f"{patients!r}", expected=expected)
        )
    table = ParameterTable((*model.parameters.values(), *model.inputs.values()))
    return pd.DataFrame(draw_parameters(table, seed, range(patients), vary, replicate))


def load_library(path: str | Path | None = None) -> Library:
    """Return a library of virtual patients, grown from before diabetes to today.

    Parameters
    ----------
    path
        A file of `Library.save` or of ``betapod patients grow``; the package's library by default.

    Returns
    -------
    Library
        ``table`` has one row per patient with measured and true values, ``parameters`` and ``states`` are what they are made of.

    Raises
    ------
    ConfigError
        No such file, not a library, or one of another model.

    Examples
    --------
    >>> import betapod
    >>> library = betapod.load_library()
    >>> library.units["egfr"]
    'mL/min/1.73m2'
    >>> bool(library.table["hba1c"].median() > 6.0)
    True
    """
    from ..patients import library

    return library.default() if path is None else library.read_library(path)


def list_cohorts() -> pd.DataFrame:
    """Return the real cohorts that virtual patients can be chosen to look like.

    Cohorts of installed packages (entry points of the group ``betapod.cohorts``) are among them.

    Returns
    -------
    pandas.DataFrame
        One row per cohort: ``name``, ``label``, ``moments`` (how many are matched), ``origin``.

    Examples
    --------
    >>> import betapod
    >>> "FLOW" in set(betapod.list_cohorts()["name"])
    True
    """
    import pandas as pd

    from ..patients.cohorts import cohort_catalogue

    targets = cohort_catalogue.named_targets()
    rows = [(name, target.label, len(target.moments), target.origin) for name, target in targets.items()]
    return pd.DataFrame(rows, columns=["name", "label", "moments", "origin"])


def select_cohort(
    cohort: str | Path,
    patients: int = 1000,
    seed: int = 1,
    library: Library | None = None,
    year: int | None = None,
) -> SelectedCohort:
    """Choose virtual patients who together look like a real cohort.

    Parameters
    ----------
    cohort
        One of `list_cohorts`, a baseline table ``.yaml``, a CSV with one row per person, or a folder of NHANES files.
    patients
        How many.
    seed
        Of the random numbers; each seed gives other patients.
    library
        Where they are chosen from; the package's library by default.
    year
        Calendar year whose people, and whose care, are wanted, 1999 to 2024; any by default.

    Returns
    -------
    SelectedCohort
        ``patients`` (a `Library` of their own), ``table``, and ``report`` (how like the cohort they are).

    Raises
    ------
    ConfigError
        There is no such cohort, something is wrong in its file, or nobody fits.

    Examples
    --------
    >>> import betapod
    >>> cohort = betapod.select_cohort("FLOW", patients=100)
    >>> cohort
    <SelectedCohort 100 patients like FLOW>
    >>> bool(cohort.table["egfr"].mean() < 60)
    True
    """
    from ..patients.cohorts import cohort_catalogue, reweight

    return reweight.select_patients(
        load_library() if library is None else library, cohort_catalogue.load_target(cohort, year=year), patients, seed
    )
