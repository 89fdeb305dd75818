"""What the subjects of a simulated study were given: infusions of cells or placebo, drugs, inputs of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...therapies.cell_order import read_order
from ...therapies.standard_care import therapy
from .cdisc_variables import CdiscDataset, repeated, typed_columns
from .simulated_study import ascii_text, study_days

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ...observables.quantities import Numbers
    from ...trials.protocol.group_keys import Arm
    from .simulated_study import SimulatedStudy

#: Route of an order for cells -> how it is said.
ROUTES_OF_ADMINISTRATION = {
    "iv": "INTRAVENOUS",
    "ra": "INTRA-ARTERIAL",
    "pa": "INTRA-ARTERIAL",
    "sa": "INTRA-ARTERIAL",
    "pv": "INTRAPORTAL",
    "ir": "INTRARENAL",
    "depot": "DEPOT",
}


@dataclass(frozen=True)
class Exposure:
    """One treatment of an arm: what, how much, and from when to when (days from enrolment)."""

    treatment: str
    dose: float
    dose_text: str
    unit: str
    form: str
    frequency: str
    route: str
    start: float
    stop: float
    drug: str = ""


def arm_exposures(arms: dict[str, Arm], name: str) -> list[Exposure]:
    """Return what the protocol orders for an arm.

    Parameters
    ----------
    arms
        Those of the protocol, by name.
    """
    arm = arms[name]
    exposures = []
    like = arms[arm.infusions_like].cells if arm.infusions_like is not None else None
    ordered = arm.cells or like
    if ordered is not None:
        order = read_order(ordered)
        unit = "IEQ" if order.unit == "IEQ" else "10^6 CELLS"
        product = order.product.label if arm.cells else "placebo infusion"
        for day in order.times:
            exposures.append(
                Exposure(
                    ascii_text(product).upper(), order.amount if arm.cells else 0.0, "",
                    f"{unit}/kg" if order.per_kg else unit, "SUSPENSION", "ONCE",
                    ROUTES_OF_ADMINISTRATION.get(order.route.name, order.route.label.upper()), day, day,
                )
            )  # fmt: skip
    for item in arm.therapies:
        drug = therapy(item.therapy)
        unit = "DOSE" if drug.dose_unit == "dose" else ascii_text(drug.dose_unit)
        stop = np.inf if item.stop is None else item.stop
        exposures.append(
            Exposure(
                ascii_text(drug.name).upper(), drug.dose, "", unit, "", "", "", item.start, stop, drug.name
            )
        )  # fmt: skip
    for name_of_input, value in arm.inputs.items():
        exposures.append(
            Exposure(ascii_text(name_of_input).upper(), np.nan, ascii_text(str(value)), "", "", "", "", 0.0, np.inf)
        )
    if arm.placebo and not exposures:
        exposures.append(Exposure("PLACEBO", 0.0, "", "DOSE", "", "", "", 0.0, np.inf))
    return exposures


def not_withheld(study: SimulatedStudy, arm: str, drug: str) -> NDArray[np.bool_]:
    """Return (subjects,) whether an ordered drug was given: it is not where a person takes it already, or must not have it.

    Diets and other therapies that are no drugs are given to everybody.
    """
    pool = study.data.pool
    everybody = np.ones(len(study.places), dtype=bool)
    intake = pool.intake.get(pool.keys[arm, "cells", study.data.scenario], {})
    before = pool.intake.get(pool.keys["", "run-in", ""], {})
    if not drug or not intake:
        return everybody
    if drug not in intake:
        return ~everybody
    began = study.of_people(np.asarray(intake[drug]).max(axis=1)) > 0.0
    if drug in before:
        began &= ~(study.of_people(np.asarray(before[drug])[:, 0]) > 0.0)
    return np.asarray(began)


def exposure_dataset(study: SimulatedStudy) -> CdiscDataset:
    """Return EX: one record for every infusion, and every therapy from its start to its end, while the subject was in the trial."""
    import pandas as pd

    frames = [_records(study, _NOTHING, np.zeros(0, dtype=np.intp), np.zeros(0))]
    for index, name in enumerate(study.data.arms):
        for exposure in arm_exposures(study.protocol.arms, name):
            given_to = (study.arm == index) & (study.end_day >= exposure.start)
            if exposure.drug:
                given_to &= not_withheld(study, name, exposure.drug)
            subjects = np.flatnonzero(given_to)
            stop = np.minimum(np.ceil(exposure.stop), study.end_day[subjects])
            frames.append(_records(study, exposure, subjects, stop))
    frames = [frame for frame in frames if len(frame)] or frames[:1]
    frame = pd.concat(frames, ignore_index=True)
    frame = frame.sort_values(["USUBJID", "EXSTDY", "EXTRT"], kind="stable", ignore_index=True)
    frame["EXSEQ"] = frame.groupby("USUBJID").cumcount() + 1
    return CdiscDataset(
        "EX", "Exposure", "INTERVENTIONS", "One record per infusion or constant dosing interval per subject",
        ("STUDYID", "USUBJID", "EXTRT", "EXSTDTC"), typed_columns(frame[list(_COLUMNS)]),
    )  # fmt: skip


_NOTHING = Exposure("", np.nan, "", "", "", "", "", 0.0, 0.0)
_COLUMNS = (
    "STUDYID", "DOMAIN", "USUBJID", "EXSEQ", "EXTRT", "EXDOSE", "EXDOSTXT", "EXDOSU", "EXDOSFRM", "EXDOSFRQ", "EXROUTE",
    "EPOCH", "EXSTDTC", "EXENDTC", "EXSTDY", "EXENDY",
)  # fmt: skip


def _records(study: SimulatedStudy, exposure: Exposure, subjects: NDArray[np.intp], stop: Numbers) -> pd.DataFrame:
    import pandas as pd

    start = np.full(len(subjects), np.floor(exposure.start))
    return pd.DataFrame(
        {
            "STUDYID": study.study_id,
            "DOMAIN": "EX",
            "USUBJID": study.unique_subjects[subjects],
            "EXSEQ": 0,
            "EXTRT": exposure.treatment,
            "EXDOSE": exposure.dose,
            "EXDOSTXT": exposure.dose_text,
            "EXDOSU": exposure.unit,
            "EXDOSFRM": exposure.form,
            "EXDOSFRQ": exposure.frequency,
            "EXROUTE": exposure.route,
            "EPOCH": "TREATMENT",
            "EXSTDTC": study.iso_dates(start),
            "EXENDTC": study.iso_dates(np.maximum(stop, start)),
            "EXSTDY": study_days(start),
            "EXENDY": study_days(np.maximum(stop, start)),
        }
    )


def analysed_exposure(study: SimulatedStudy, exposure: CdiscDataset, carried: pd.DataFrame) -> CdiscDataset:
    """Return ADEX: the records of EX with analysis dates and durations.

    Parameters
    ----------
    carried
        Columns of ADSL by USUBJID, which every record repeats.
    """
    import pandas as pd

    records = exposure.frame
    frame = repeated(carried, records["USUBJID"])
    frame["ASEQ"] = records["EXSEQ"]
    for name in (
        "EXSEQ",
        "EXTRT",
        "EXDOSE",
        "EXDOSTXT",
        "EXDOSU",
        "EXDOSFRM",
        "EXDOSFRQ",
        "EXROUTE",
        "EXSTDTC",
        "EXENDTC",
        "EXSTDY",
        "EXENDY",
    ):
        frame[name] = records[name]
    frame["ASTDT"], frame["AENDT"] = pd.to_datetime(records["EXSTDTC"]), pd.to_datetime(records["EXENDTC"])
    frame["ASTDY"], frame["AENDY"] = records["EXSTDY"], records["EXENDY"]
    frame["EXDURD"] = records["EXENDY"] - records["EXSTDY"] + 1
    return CdiscDataset(
        "ADEX", "Exposure Analysis Dataset", "OCCURRENCE DATA STRUCTURE",
        "One record per infusion or constant dosing interval per subject", ("STUDYID", "USUBJID", "EXTRT", "ASTDT"), typed_columns(frame),
    )  # fmt: skip
