"""The subjects of a simulated study: DM of SDTM and ADSL of ADaM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...hazards.outcome_rates import DEATHS
from .cdisc_variables import CdiscDataset, typed_columns
from .simulated_study import ascii_text, event_days, study_days

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from .simulated_study import SimulatedStudy

#: What ADSL has of people -> characteristic of the pool, where the pool has it.
_FLAGS = {
    "RASIFL": "RASI",
    "SGLT2FL": "SGLT2I",
    "METFFL": "METFORM",
    "INSULFL": "INSULIN",
    "CVDFL": "CVD",
    "HFFL": "HF",
}
#: PARAMCDs whose baseline ADSL repeats, under the same name with BL behind it.
_WITH_BASELINE = ("EGFR", "UACR", "HBA1C", "SBP")
#: Variables of ADSL that every data set of analysis repeats.
CARRIED = (
    "STUDYID", "USUBJID", "SUBJID", "SITEID", "RFSTDTC", "RFENDTC", "RFXSTDTC", "RFXENDTC", "RFPENDTC", "AGE", "AGEU", "AGEGR1",
    "AGEGR1N", "SEX", "RACE", "ETHNIC", "SAFFL", "ITTFL", "ARM", "ARMCD", "ACTARM", "ACTARMCD", "TRT01P", "TRT01A", "TRTP", "TRTPN",
    "TRTA", "TRTAN", "TRTSDT", "TRTEDT", "TRTDURD", "RANDDT", "EOSSTT", "EOSDT", "LSTALVDT", "DTHDTC", "DTHADY", "DTHFL", "DTHDT",
    "DTHCAUS", "DTHCGR1", "DTHDOM", "DMDTC", "DMDY", "STRATA", "STRATAN",
)  # fmt: skip


def demographics(study: SimulatedStudy, exposure: CdiscDataset) -> CdiscDataset:
    """Return DM.

    Parameters
    ----------
    exposure
        EX of the study.
    """
    import pandas as pd

    unique = study.unique_subjects
    end = study.iso_dates(study.end_day)
    treated = exposure.frame.groupby("USUBJID")[["EXSTDTC", "EXENDTC"]].agg({"EXSTDTC": "min", "EXENDTC": "max"})
    treated = treated.reindex(unique).fillna("")
    first_visit = np.fmin.reduce(study.visit_days, axis=1)
    arms, codes = np.array(study.arm_names, dtype=object)[study.arm], np.array(study.arm_codes, dtype=object)[study.arm]
    frame = pd.DataFrame(
        {
            "STUDYID": study.study_id,
            "DOMAIN": "DM",
            "USUBJID": unique,
            "SUBJID": study.subjects,
            "RFSTDTC": study.start.isoformat(),
            "RFENDTC": end,
            "RFXSTDTC": treated["EXSTDTC"].to_numpy(),
            "RFXENDTC": treated["EXENDTC"].to_numpy(),
            "RFICDTC": "",
            "RFPENDTC": end,
            "DTHDTC": np.where(study.died, end, ""),
            "DTHFL": np.where(study.died, "Y", ""),
            "SITEID": "SIM",
            "AGE": np.floor(study.of_people(study.data.pool.people["AGE"])),
            "AGEU": "YEARS",
            "SEX": np.where(study.of_people(study.data.pool.people["FEMALE"]) > 0.5, "F", "M"),
            "RACE": "NOT REPORTED",
            "ETHNIC": "NOT REPORTED",
            "ARMCD": codes,
            "ARM": arms,
            "ACTARMCD": codes,
            "ACTARM": arms,
            "COUNTRY": "",
            "DMDTC": study.iso_dates(first_visit),
            "DMDY": study_days(first_visit),
        }
    )
    return CdiscDataset(
        "DM", "Demographics", "SPECIAL PURPOSE", "One record per subject", ("STUDYID", "USUBJID"), typed_columns(frame)
    )


def subject_level(study: SimulatedStudy, dm: CdiscDataset, exposure: CdiscDataset) -> CdiscDataset:
    """Return ADSL.

    Parameters
    ----------
    dm, exposure
        DM and EX of the study.
    """
    frame = dm.frame.drop(columns=["DOMAIN", "RFICDTC", "COUNTRY"]).copy()
    _treatments(frame, study, exposure)
    _groups(frame)
    _end_of_study(frame, study)
    _deaths(frame, study)
    _people(frame, study)
    _baselines(frame, study)
    if study.protocol.strata:
        frame["STRATA"] = _named(study.data.strata, study.of_subjects(study.data.stratum))
        frame["STRATAN"] = study.of_subjects(study.data.stratum) + 1.0
    rescued = event_days(study.of_subjects(study.data.rescued))
    frame["RESCFL"] = np.where(np.isfinite(rescued), "Y", "")
    frame["RESCDT"] = study.dates(rescued)
    member = study.of_subjects(study.data.member)
    frame["SIMID"] = [
        ascii_text(f"{study.data.design}|{study.data.scenario}|{study.replicate}|{position}|{person}")
        for position, person in zip(study.places, member, strict=True)
    ]
    return CdiscDataset(
        "ADSL", "Subject-Level Analysis Dataset", "SUBJECT LEVEL ANALYSIS DATASET", "One record per subject",
        ("STUDYID", "USUBJID"), typed_columns(frame),
    )  # fmt: skip


def carried_variables(adsl: CdiscDataset) -> pd.DataFrame:
    """Return what every data set of analysis repeats of ADSL, by USUBJID."""
    frame = adsl.frame.copy()
    for name, source in (("TRTP", "TRT01P"), ("TRTPN", "TRT01PN"), ("TRTA", "TRT01A"), ("TRTAN", "TRT01AN")):
        frame[name] = frame[source]
    names = [name for name in CARRIED if name in frame]
    return frame[names].set_index("USUBJID", drop=True)


def _treatments(frame: pd.DataFrame, study: SimulatedStudy, exposure: CdiscDataset) -> None:
    last = exposure.frame.groupby("USUBJID")["EXENDY"].max().reindex(study.unique_subjects).to_numpy() - 1.0
    last = np.where(np.isfinite(last), last, study.end_day)
    for planned, actual, values in (
        ("TRT01P", "TRT01A", frame["ARM"].to_numpy()),
        ("TRT01PN", "TRT01AN", study.arm + 1.0),
    ):
        frame[planned], frame[actual] = values, values
    frame["TRTSDT"] = study.dates(np.zeros(len(frame)))
    frame["TRTEDT"] = study.dates(last)
    frame["TRTDURD"] = last + 1.0
    several = len(study.data.arms) > 1
    frame["RANDDT"] = study.dates(np.full(len(frame), 0.0 if several else np.nan))
    frame["SAFFL"], frame["ITTFL"], frame["RANDFL"] = "Y", "Y", "Y" if several else "N"


def _groups(frame: pd.DataFrame) -> None:
    number = np.digitize(frame["AGE"].to_numpy(), [18.0, 65.0])
    frame["AGEGR1"] = np.array(["<18", "18-64", ">64"], dtype=object)[number]
    frame["AGEGR1N"] = number + 1.0


def _end_of_study(frame: pd.DataFrame, study: SimulatedStudy) -> None:
    frame["EOSSTT"] = np.where(study.died | study.left, "DISCONTINUED", "COMPLETED")
    frame["EOSDT"] = study.dates(study.end_day)
    frame["DCSREAS"] = np.where(study.died, "DEATH", np.where(study.left, "OTHER", ""))
    frame["LSTALVDT"] = study.dates(study.end_day)


def _deaths(frame: pd.DataFrame, study: SimulatedStudy) -> None:
    day = np.where(study.died, study.end_day, np.nan)
    heart = study.died & _dated(study, DEATHS[0])
    since = day - (frame["TRTDURD"].to_numpy() - 1.0)
    frame["DTHDT"] = study.dates(day)
    frame["DTHADY"] = study_days(day)
    frame["DTHCAUS"] = np.where(study.died, np.where(heart, "CARDIOVASCULAR CAUSE", "OTHER CAUSE"), "")
    frame["DTHCGR1"] = np.where(study.died, np.where(heart, "CARDIOVASCULAR", "OTHER"), "")
    frame["DTHDOM"] = np.where(study.died, "DS", "")
    frame["LDDTHELD"] = since
    frame["LDDTHGR1"] = np.where(study.died, np.where(since <= 30.0, "<= 30", "> 30"), "")
    frame["DTH30FL"] = np.where(since <= 30.0, "Y", "")
    frame["DTHA30FL"] = np.where(since > 30.0, "Y", "")
    frame["DTHB30FL"] = np.where(day <= 30.0, "Y", "")


def _dated(study: SimulatedStudy, name: str) -> NDArray[np.bool_]:
    days = study.data.outcome_days.get(name)
    if days is None:
        return np.zeros(len(study.places), dtype=bool)
    return np.asarray(np.isfinite(study.of_subjects(days)))


def _people(frame: pd.DataFrame, study: SimulatedStudy) -> None:
    pool = study.data.pool
    height = study.of_people(pool.traits["height"]) if "height" in pool.traits else np.full(len(frame), np.nan)
    frame["HEIGHTBL"], frame["BMIBL"] = height, study.of_people(pool.people["BMI"])
    weight = study.of_subjects(study.data.base["WEIGHT"]) if "WEIGHT" in study.data.base else None
    frame["WEIGHTBL"] = frame["BMIBL"] * (height / 100.0) ** 2 if weight is None else weight.astype(np.float64)
    type_1 = study.of_people(pool.people["TYPE1"]) > 0.5
    diabetic = study.of_people(pool.traits["diabetes"]) > 0.5 if "diabetes" in pool.traits else type_1 | True
    frame["DIABTYPE"] = np.where(diabetic, np.where(type_1, "TYPE 1", "TYPE 2"), "NONE")
    frame["DIABDUR"] = np.where(diabetic, study.of_people(pool.people["DURATION"]), np.nan)
    for name, characteristic in _FLAGS.items():
        if characteristic in pool.people:
            frame[name] = np.where(study.of_people(pool.people[characteristic]) > 0.5, "Y", "N")
    frame["CONMEDBL"] = _drugs(study)


def _drugs(study: SimulatedStudy) -> NDArray[np.object_]:
    pool = study.data.pool
    intake = pool.intake.get(pool.keys["", "run-in", ""], {})
    takes = {drug: study.of_people(np.asarray(share)[:, 0]) > 0.0 for drug, share in sorted(intake.items())}
    texts = ["; ".join(drug for drug, flags in takes.items() if flags[k]) for k in range(len(study.places))]
    return np.array([ascii_text(text) for text in texts], dtype=object)


def _baselines(frame: pd.DataFrame, study: SimulatedStudy) -> None:
    for code in _WITH_BASELINE:
        if code in study.data.base:
            frame[f"{code}BL"] = study.of_subjects(study.data.base[code]).astype(np.float64)


def _named(names: tuple[str, ...], index: NDArray[Any]) -> NDArray[np.object_]:
    texts: NDArray[np.object_] = np.array([ascii_text(name) for name in names], dtype=object)[index]
    return texts
