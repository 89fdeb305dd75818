"""What happened to the subjects of a simulated study: AE and DS of SDTM, ADAE of ADaM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...hazards.outcome_rates import DEATHS
from ...therapies.cell_risks import EVENTS
from ...trials.conduct.harm_events import arm_harms, dated_events
from ...trials.protocol.health_outcomes import IMPROVEMENTS
from .cdisc_variables import CdiscDataset, repeated, typed_columns
from .simulated_study import ascii_text, event_days, study_days

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ...observables.quantities import Numbers
    from .simulated_study import SimulatedStudy

#: Events that are not serious by their kind: fever, reactions, antibodies, and complications that are found at examinations.
_NOT_SERIOUS = frozenset(
    {
        "p_fever", "p_reaction", "p_antibody", "retinopathy", "macular_oedema", "neuropathy", "peripheral_artery_disease", "foot_ulcer",
        "hyperkalaemia", "conservative_care",
    }
)  # fmt: skip
_COLUMNS = (
    "STUDYID", "DOMAIN", "USUBJID", "AESEQ", "AETERM", "AEDECOD", "AEBODSYS", "AESER", "EPOCH", "AESTDTC", "AESTDY",
)  # fmt: skip


def adverse_events(study: SimulatedStudy) -> CdiscDataset:
    """Return AE: the first event of every kind that is dated, those after it where an endpoint counts them, and each event of infusions and cells.

    A run keeps how often the events of infusions came, and not when: their day is that of the infusion where there was one alone,
    and empty otherwise.
    """
    import pandas as pd

    labels = dated_events(study.protocol)
    frames = [_events(study, "", "", np.zeros(0, dtype=np.intp), np.zeros(0))]
    for name, label in labels.items():
        if name in DEATHS or name in IMPROVEMENTS or name not in study.data.outcome_days:
            continue
        day = event_days(study.of_subjects(study.data.outcome_days[name]))
        subjects = np.flatnonzero(np.isfinite(day))
        frames.append(_events(study, name, label, subjects, day[subjects]))
        if name in study.data.later_days:
            later = event_days(study.of_subjects(study.data.later_days[name]))
            subjects, number = np.nonzero(np.isfinite(later))
            frames.append(_events(study, name, label, subjects, later[subjects, number]))
    for name, counts in study.data.events.items():
        number = study.of_subjects(counts).astype(np.intp)
        subjects = np.repeat(np.arange(len(number)), number)
        frames.append(_events(study, name, EVENTS[name], subjects, _infusion_day(study, name)[subjects]))
    frame = pd.concat([part for part in frames if len(part)] or frames[:1], ignore_index=True)
    frame = frame.sort_values(["USUBJID", "AESTDTC", "AEDECOD"], kind="stable", ignore_index=True)
    frame["AESEQ"] = frame.groupby("USUBJID").cumcount() + 1
    return CdiscDataset(
        "AE", "Adverse Events", "EVENTS", "One record per adverse event per subject",
        ("STUDYID", "USUBJID", "AEDECOD", "AESTDTC", "AESEQ"), typed_columns(frame[list(_COLUMNS)]),
    )  # fmt: skip


def _events(study: SimulatedStudy, name: str, label: str, subjects: NDArray[np.intp], day: Numbers) -> pd.DataFrame:
    import pandas as pd

    term = ascii_text(label)
    return pd.DataFrame(
        {
            "STUDYID": study.study_id,
            "DOMAIN": "AE",
            "USUBJID": study.unique_subjects[subjects],
            "AESEQ": 0,
            "AETERM": term[:1].upper() + term[1:],
            "AEDECOD": term.upper(),
            "AEBODSYS": "",
            "AESER": "N" if name in _NOT_SERIOUS else "Y",
            "EPOCH": "TREATMENT",
            "AESTDTC": study.iso_dates(day),
            "AESTDY": study_days(day),
        }
    )


def _infusion_day(study: SimulatedStudy, name: str) -> Numbers:
    """Return (subjects,) day of the only infusion or procedure that can have brought an event; NaN where there are several."""
    days = np.full(len(study.data.arms), np.nan)
    for index, arm in enumerate(study.data.arms):
        harms, _ = arm_harms(study.protocol, arm, study.data.scenario)
        for risk, _ in harms.risks if harms is not None else ():
            if risk.name == name and len(risk.days) == 1:
                days[index] = np.floor(risk.days[0])
    return np.asarray(days[study.arm])


def analysed_events(ae: CdiscDataset, carried: pd.DataFrame) -> CdiscDataset:
    """Return ADAE: the records of AE with analysis dates and flags of first occurrence.

    Parameters
    ----------
    carried
        Columns of ADSL by USUBJID, which every record repeats.
    """
    import pandas as pd

    records = ae.frame
    frame = repeated(carried, records["USUBJID"])
    frame["ASEQ"] = records["AESEQ"]
    for name in ("AESEQ", "AETERM", "AEDECOD", "AEBODSYS", "AESER", "AESTDTC", "AESTDY"):
        frame[name] = records[name]
    frame["ASTDT"] = pd.to_datetime(records["AESTDTC"].replace("", None))
    frame["ASTDY"] = records["AESTDY"]
    frame["TRTEMFL"] = "Y" if len(frame) else ""
    frame["AOCCFL"] = np.where(records["USUBJID"].duplicated(), "", "Y")
    frame["AOCCPFL"] = np.where(records.duplicated(["USUBJID", "AEDECOD"]), "", "Y")
    return CdiscDataset(
        "ADAE", "Adverse Events Analysis Dataset", "OCCURRENCE DATA STRUCTURE", "One record per adverse event per subject",
        ("STUDYID", "USUBJID", "AEDECOD", "ASTDT", "AESEQ"), typed_columns(frame),
    )  # fmt: skip


def dispositions(study: SimulatedStudy) -> CdiscDataset:
    """Return DS: randomisation where there are several arms, and how everybody's participation ended."""
    import pandas as pd

    term = np.where(study.died, "DEATH", np.where(study.left, "Left the trial; reasons are not simulated", "COMPLETED"))
    code = np.where(study.died, "DEATH", np.where(study.left, "OTHER", "COMPLETED"))
    ends = [("DISPOSITION EVENT", term, code, study.end_day)]
    if len(study.data.arms) > 1:
        words = np.full(len(term), "RANDOMIZED", dtype=object)
        ends.insert(0, ("PROTOCOL MILESTONE", words, words, np.zeros(len(term))))
    frame = pd.concat(
        [
            pd.DataFrame(
                {
                    "STUDYID": study.study_id,
                    "DOMAIN": "DS",
                    "USUBJID": study.unique_subjects,
                    "DSSEQ": number,
                    "DSTERM": terms,
                    "DSDECOD": codes,
                    "DSCAT": category,
                    "EPOCH": "TREATMENT",
                    "DSSTDTC": study.iso_dates(day),
                    "DSSTDY": study_days(day),
                }
            )
            for number, (category, terms, codes, day) in enumerate(ends, 1)
        ]
    )
    frame = frame.sort_values(["USUBJID", "DSSEQ"], kind="stable", ignore_index=True)
    return CdiscDataset(
        "DS", "Disposition", "EVENTS", "One record per disposition event or milestone per subject",
        ("STUDYID", "USUBJID", "DSSEQ"), typed_columns(frame),
    )  # fmt: skip
