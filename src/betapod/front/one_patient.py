"""Labs of one person: read them, ask published equations, compare options in people who are like the person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from ..patients.library import Library
    from ..twins.patient_forecast import PatientForecast
    from ..twins.person_labs import PersonLabs

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
    return patient_forecast(searched, person, options, scenarios, people, seed, care, strict, threads, progress)


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
