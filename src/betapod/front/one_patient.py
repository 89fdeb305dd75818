"""Labs of one person: read them, ask published equations, compare options in people who are like the person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from ..patients.library import Library
    from ..twins.lab_cohort import LabCohort
    from ..twins.patient_forecast import PatientForecast
    from ..twins.person_labs import PersonLabs
    from ..validation.forecasts.cohort_validation import CohortValidation

_FHIR = (".json", ".ndjson", ".gz")


def read_labs(path: str | Path) -> PersonLabs:
    r"""Return the labs of one person in a file.

    Parameters
    ----------
    path
        A FHIR R4 bundle or patient summary (``.json``, ``.ndjson``, also gzipped), or a CSV: long (``date, name or code, value, unit``) or one row
        with a column each.

    Returns
    -------
    PersonLabs
        ``used`` (quantity -> value in its own unit), ``age``, ``female``, ``drugs``, ``kdigo_stage``, ``left_out``, ``notes``,
        ``contradictions``.

    Raises
    ------
    ConfigError, ExchangeError
        Everything that is wrong with the file, each with line or JSON pointer; people on dialysis, with a kidney transplant, pregnant or below 18.

    Examples
    --------
    >>> import betapod, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "labs.csv"
    >>> _ = path.write_text("date,name,value,unit\n2025-03-01,egfr,52,mL/min/1.73m2\n2025-03-01,uacr,43,mg/mmol\n")
    >>> betapod.read_labs(path).kdigo_stage
    'G3aA3, very high risk'
    """
    from ..base import arguments
    from ..base.errors import ExchangeError, Location, Problem
    from ..twins.lab_table import read_lab_table

    where = arguments.path("path", path)
    if where.suffix.lower() == ".xml":
        message, hint = "FHIR in XML is not read", "Ask for it as JSON."
        raise ExchangeError(Problem("wrong-format", message, Location(str(where)), hint=hint))
    if where.suffix.lower() in _FHIR:
        from ..exchange.fhir.fhir_labs import read_fhir_labs

        return read_fhir_labs(where)
    return read_lab_table(where)


def forecast_patient(
    labs: PersonLabs | Mapping[str, str | float],
    options: Sequence[str] = (),
    *,
    sex: str = "",
    diabetes: str = "",
    drugs: Sequence[str] = (),
    scenarios: Sequence[str] | None = None,
    people: int = 300,
    care: str = "frozen",
    closer: bool = False,
    library: Library | None = None,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> PatientForecast:
    """Return what becomes of people who are like one person, under several options, and what published equations say.

    Parameters
    ----------
    labs
        As of `read_labs`; or values by name, in their usual units or as text with a unit, such as ``{"age": 61, "egfr": 52, "uacr": "43 mg/mmol"}``.
    options
        Such as ``"SGLT2 inhibitor"``, ``"UC-MSC 1e6/kg iv x3 q28d"``, or several joined by ``" + "``. As things are now comes first.
    sex, diabetes, drugs
        ``female`` or ``male``; ``1``, ``2`` or ``none``; what the person takes. They are for values by name, and replace those of a file.
    scenarios
        What cells do: three of `list_scenarios` by default.
    people
        How many simulated people stand for the person, 100 to 1000.
    care
        ``frozen``: what people take stays; ``usual``: their doctors go on.
    closer
        Where the library has too few people with just these labs, live lives anew near those who are nearest until the labs fit as closely as they
        were measured; half a minute more.
    library
        Where people are searched from; the package's by default.
    seed, threads, progress
        Of the random numbers; processor cores; called with what is being done.

    Returns
    -------
    PatientForecast
        ``labs``, ``like`` (who is like the person, and how closely), ``outcomes`` (options), ``equations``, ``notes``; ``document()`` for JSON.

    Raises
    ------
    ConfigError
        Everything that is wrong at once; or too few people are like the person, with the nearest value that is supported.
    SolverError
        Too many people could not be simulated.

    Examples
    --------
    >>> import betapod
    >>> forecast = betapod.forecast_patient({"age": 60, "egfr": 60, "uacr": 100}, people=100)
    >>> [option.name for option in forecast.outcomes.options]
    ['as now']
    """
    from ..twins.option_labs import labs_from_options, merged_labs
    from ..twins.patient_forecast import patient_forecast
    from ..twins.person_labs import PersonLabs
    from .people import load_library

    strict = True
    if isinstance(labs, PersonLabs):
        person, strict = labs, bool(drugs)
        if sex or diabetes or drugs:
            from dataclasses import replace

            said = labs_from_options(
                {"age": person.age} if person.age is not None else {"age": 50.0}, sex, diabetes, drugs
            )
            person = merged_labs(person, replace(said, age=None))
    else:
        person = labs_from_options(labs, sex, diabetes, drugs, prefix="")
    searched = load_library() if library is None else library
    return patient_forecast(searched, person, options, scenarios, people, seed, care, strict, closer, threads, progress)


def validate_forecasts(
    cohort: str | Path | LabCohort,
    outcome: str = "kidney failure",
    years: float | None = None,
    *,
    people: int = 100,
    care: str = "frozen",
    library: Library | None = None,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[str], None] | None = None,
) -> CohortValidation:
    r"""Return how well forecasts of people agree with what became of them, beside published equations in the same people.

    Parameters
    ----------
    cohort
        A CSV with a row per person: columns of labs with their units as of `read_labs`, ``age``, ``sex``, ``diabetes``, ``drugs``, histories such as
        ``smoker`` (0 or 1), ``time [year]`` and ``event``: 0 followed to the end, 1 had the event, 2 died before it.
    outcome
        What the events are: ``kidney failure``, ``40 % decline`` (of eGFR, or kidney failure), both as if nobody died, or ``death``.
    years
        Over which risks are told; 5 by default, of a decline 3.
    people
        How many people of the library stand for each member, 20 to 1000.
    care
        ``frozen``: what people take stays; ``usual``: their doctors go on.
    library
        Whose people stand for the members; the package's by default.
    seed
        Of all random numbers.
    threads
        For the simulation; all processors by default.
    progress
        Called with a few words now and then.

    Returns
    -------
    CohortValidation
        ``scores`` (the model, then each equation with the model in the same people: Harrell's C, calibration slope, observed and expected
        shares, groups of like risk), ``risks`` (predictor -> a risk for each member, NaN where it says nothing), ``notes``; ``document()`` for JSON.

    Raises
    ------
    ConfigError
        Everything that is wrong with the table, each with its line; no event within these years; nobody whom enough people are like.
    SolverError
        Too many people could not be simulated.

    Examples
    --------
    >>> import betapod, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "cohort.csv"
    >>> rows = ["age,sex,egfr [mL/min/1.73m2],time [year],event", "61,m,52,5,0", "70,f,25,2,1"]
    >>> _ = path.write_text("\n".join(rows))
    >>> [item.predictor for item in betapod.validate_forecasts(path, years=2, people=20).scores][:2]
    ['the model']
    """
    from ..base import arguments
    from ..twins.lab_cohort import LabCohort, read_lab_cohort
    from ..validation.forecasts.cohort_validation import validate_cohort
    from .people import load_library

    members = cohort if isinstance(cohort, LabCohort) else read_lab_cohort(arguments.path("cohort", cohort))
    searched = load_library() if library is None else library
    return validate_cohort(searched, members, outcome, years, people, seed, care, threads, progress)


def kidney_risks(people: pd.DataFrame | Mapping[str, Any]) -> pd.DataFrame:
    """Return what published risk equations say of many people.

    Parameters
    ----------
    people
        Columns, or values by name: ``age`` (years), ``female`` (0 or 1), ``egfr`` (mL/min/1.73m2, CKD-EPI 2021), ``uacr`` (mg/g); if known
        ``diabetes``, ``hypertension``, ``sbp`` (mmHg), ``pressure_drugs``, ``heart_failure``, ``coronary_disease``, ``atrial_fibrillation``,
        ``smoker``, ``ex_smoker``, ``bmi`` (kg/m2), ``hba1c`` (%), ``oral_drugs``, ``insulin``, ``albumin`` (g/dL), ``phosphate``, ``calcium`` (mg/dL),
        ``bicarbonate`` (mmol/L).

    Returns
    -------
    pandas.DataFrame
        One row per person: ``kfre4_2y`` and so on for 4, 6 and 8 variables, 2 and 5 years, in North America, and ``..._elsewhere``;
        ``kfre_in_range``; ``ckdpc_decline_3y`` and ``ckdpc_in_range``. Chances from 0 to 1, NaN where something is not known.

    Raises
    ------
    ConfigError
        A column that is missing, or that nobody knows; all at once.

    Notes
    -----
    Tangri and others, JAMA 2011;305:1553 and 2016;315:164; Grams and others, Diabetes Care 2022;45:2055.

    Examples
    --------
    >>> import betapod
    >>> table = betapod.kidney_risks({"age": [60, 70], "female": [1, 0], "egfr": [30, 20], "uacr": [300, 1000]})
    >>> table["kfre4_5y"].round(6).tolist()
    [0.197677, 0.694337]
    """
    from ..hazards.risk_equations.risk_table import kidney_risk_table

    return kidney_risk_table(people)
