"""Times to events of a simulated study (ADTTE), and its hierarchical composite endpoint of the kidney (ADHCE)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...base.constants import DAYS_PER_YEAR
from ...trials.analysis.endpoints import outcome, times
from ...trials.protocol.endpoint_keys import Endpoint, trial_outcome_label
from .cdisc_variables import CdiscDataset, repeated, typed_columns
from .simulated_study import ascii_text

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ...observables.quantities import Numbers
    from .simulated_study import SimulatedStudy


@dataclass(frozen=True)
class EventParameter:
    """A time to an event: PARAMCD, PARAM, and the endpoint whose analysis gives it."""

    code: str
    label: str
    endpoint: Endpoint
    source: str


def event_parameters(study: SimulatedStudy) -> list[EventParameter]:
    """Return the times to events that a study has: those of its protocol first, then usual ones of the kidney, heart and death."""
    protocol = study.protocol
    parameters = []
    for number, endpoint in enumerate((protocol.endpoints.primary, *protocol.endpoints.secondary), 1):
        if endpoint.summary == "time to event":
            words = endpoint.name or endpoint.quantity
            source = "ADLB" if endpoint.outcome is None else "AE"
            parameters.append(
                EventParameter(f"ENDPT{number:02d}", ascii_text(f"Time to {words} (days)"), endpoint, source)
            )
    if "EGFR" in protocol.codes:
        for percent in (40, 50, 57):
            words = f"Time to a confirmed fall of eGFR by {percent} % or kidney failure (days)"
            endpoint = Endpoint(quantity="EGFR", summary="time to event", percent=-percent)
            parameters.append(EventParameter(f"EGFR{percent}", words, endpoint, "ADLB"))
        parts = ["kidney_failure", "cv_death"] if protocol.conduct.deaths else ["kidney_failure"]
        words = "Time to a fall of eGFR by 57 %, kidney failure" + (" or CV death" if protocol.conduct.deaths else "")
        endpoint = Endpoint(quantity="EGFR", summary="time to event", percent=-57, also=parts)
        parameters.append(EventParameter("KIDNCOMP", f"{words} (days)", endpoint, "ADLB"))
    names = {"KIDNFAIL": "kidney_failure", "HFHOSP": "hf_hospitalisation", "MI": "mi", "STROKE": "stroke"}
    if protocol.conduct.deaths:
        names |= {"DEATH": "death", "CVDEATH": "cv_death", "MACE": "mace"}
    for code, name in names.items():
        endpoint = Endpoint(quantity=name, summary="time to event")
        words = ascii_text(f"Time to {trial_outcome_label(name)} (days)")
        parameters.append(EventParameter(code, words, endpoint, "DS" if name.endswith("death") else "AE"))
    return parameters


def event_times(study: SimulatedStudy, carried: pd.DataFrame) -> CdiscDataset:
    """Return ADTTE: days from enrolment to each event or to the last day without it, as the trial's own analyses have them.

    Whose measurement is beyond the bound at baseline is not at risk, and has no record.

    Parameters
    ----------
    carried
        Columns of ADSL by USUBJID, which every record repeats.
    """
    import pandas as pd

    frames = []
    for number, parameter in enumerate(event_parameters(study), 1):
        day, event = (study.of_subjects(values) for values in times(study.data, parameter.endpoint))
        at_risk = np.flatnonzero(np.isfinite(day))
        frames.append(_one_parameter(study, parameter, number, at_risk, day[at_risk], event[at_risk]))
    records = pd.concat(frames, ignore_index=True)
    records = records.sort_values(["USUBJID", "PARAMN"], kind="stable", ignore_index=True)
    frame = repeated(carried, records["USUBJID"])
    frame["ASEQ"] = records.groupby("USUBJID").cumcount() + 1.0
    for name in records.columns.drop("USUBJID"):
        frame[name] = records[name]
    return CdiscDataset(
        "ADTTE", "Time-to-Event Analysis Dataset", "BASIC DATA STRUCTURE", "One record per parameter per subject",
        ("STUDYID", "USUBJID", "PARAMCD"), typed_columns(frame),
    )  # fmt: skip


def _one_parameter(
    study: SimulatedStudy,
    parameter: EventParameter,
    number: int,
    subjects: NDArray[np.intp],
    day: Numbers,
    event: NDArray[np.bool_],
) -> pd.DataFrame:
    import pandas as pd

    gone = (study.died | study.left)[subjects] & (day < study.last_planned_day)
    censored = np.where(study.died[subjects] & gone, "Death", np.where(gone, "Left the trial", "End of follow-up"))
    zero = np.zeros(len(subjects))
    return pd.DataFrame(
        {
            "USUBJID": study.unique_subjects[subjects],
            "PARAM": parameter.label,
            "PARAMCD": parameter.code,
            "PARAMN": float(number),
            "AVAL": day,
            "AVALU": "DAYS",
            "STARTDT": study.dates(zero),
            "ADT": study.dates(day),
            "ADY": np.where(day >= 0.0, day + 1.0, day),
            "CNSR": np.where(event, 0.0, 1.0),
            "EVNTDESC": np.where(event, parameter.label.removeprefix("Time to ").removesuffix(" (days)"), "Censored"),
            "CNSDTDSC": np.where(event, "", censored),
            "SRCDOM": np.where(event, parameter.source, "ADSL"),
            "SRCVAR": np.where(event, {"ADLB": "ADT", "AE": "AESTDTC", "DS": "DSSTDTC"}[parameter.source], "EOSDT"),
            "SRCSEQ": np.nan,
        }
    )


#: The groups of the hierarchical composite, the worst first: code, words, outcome or threshold (mL/min/1.73m2) or fall (%) of eGFR.
_GROUPS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("DEATH", "Death", {"quantity": "death"}),
    ("KIDNFAIL", "Kidney failure", {"quantity": "kidney_failure"}),
    ("EGFR15", "Sustained eGFR below 15 mL/min/1.73m2", {"quantity": "EGFR", "threshold": "15 mL/min/1.73m2"}),
    ("EGFR57", "Sustained fall of eGFR by 57 % or more", {"quantity": "EGFR", "percent": -57}),
    ("EGFR50", "Sustained fall of eGFR by 50 % or more", {"quantity": "EGFR", "percent": -50}),
    ("EGFR40", "Sustained fall of eGFR by 40 % or more", {"quantity": "EGFR", "percent": -40}),
)


def hierarchical_composite(study: SimulatedStudy, carried: pd.DataFrame) -> CdiscDataset | None:
    """Return ADHCE; None where eGFR is not measured.

    Every subject counts by the worst that happened: death, kidney failure, eGFR confirmed below 15, falls of eGFR by 57, 50 and
    40 % that are confirmed; those with none of it by the slope of eGFR. Within a group later is better, and AVAL orders all.
    Falls by a percentage count kidney failure too, as the times to them do; it has a group of its own before.
    """
    if "EGFR" not in study.protocol.codes:
        return None
    count = len(study.places)
    years = study.protocol.visits[-1].day / DAYS_PER_YEAR
    number = np.full(count, len(_GROUPS) + 1)
    original = study.of_subjects(outcome(study.data, Endpoint(quantity="EGFR", summary="slope"))).astype(np.float64)
    for k in range(len(_GROUPS), 0, -1):
        code, _, keys = _GROUPS[k - 1]
        if code == "DEATH" and not study.protocol.conduct.deaths:
            continue
        day, event = (
            study.of_subjects(values)
            for values in times(study.data, Endpoint.model_validate(keys | {"summary": "time to event"}))
        )
        happened = event & np.isfinite(day)
        number = np.where(happened, k, number)
        original = np.where(happened, day / DAYS_PER_YEAR, original)
    return _hierarchy(study, carried, number, original, years)


def _hierarchy(
    study: SimulatedStudy, carried: pd.DataFrame, number: NDArray[np.intp], original: Numbers, years: float
) -> CdiscDataset:
    last = len(_GROUPS) + 1
    slopes = original[(number == last) & np.isfinite(original)]
    # Whole numbers of years, so that no group reaches into the next, and no slope below an event.
    step = float(np.ceil(years) + 1.0)
    lowest = float(np.ceil(max(0.0, -slopes.min()))) if len(slopes) else 0.0
    group_floor = number * step + np.where(number == last, lowest, 0.0)
    names = np.array([code for code, _, _ in _GROUPS] + ["EGFRSLP"], dtype=object)
    words = np.array([text for _, text, _ in _GROUPS] + ["Slope of eGFR"], dtype=object)
    frame = repeated(carried, study.unique_subjects)
    frame["ASEQ"] = 1.0
    frame["PARAM"], frame["PARAMCD"] = words[number - 1], names[number - 1]
    frame["PARAMN"] = number.astype(np.float64)
    frame["AVAL0"], frame["GROUP"], frame["GROUPN"] = original, words[number - 1], group_floor
    frame["AVAL"], frame["PADY"] = group_floor + original, years
    return CdiscDataset(
        "ADHCE", "Hierarchical Composite Endpoint of the Kidney", "BASIC DATA STRUCTURE", "One record per subject",
        ("STUDYID", "USUBJID"), typed_columns(frame),
    )  # fmt: skip
