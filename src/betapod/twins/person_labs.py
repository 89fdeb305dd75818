"""Labs of one person: every measurement with its date and origin, the one that is used, what was left out, and what contradicts."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..base.constants import DAYS_PER_YEAR
from ..base.errors import ConfigError, Problem
from ..observables.ckd_epi import ckd_epi_2021
from ..observables.kdigo import a_category, g_category, risk
from .lab_quantities import lab_quantities

#: What somebody may have had, as people write it -> name of `PersonLabs.history`.
HISTORY_WORDS: Mapping[str, str] = {
    "heart failure": "hf",
    "coronary disease": "coronary_disease",
    "cardiovascular disease": "cvd",
    "atrial fibrillation": "atrial_fibrillation",
    "smoker": "smoker",
    "ex-smoker": "ex_smoker",
    "hypertension": "hypertension",
}
#: Days in which values of one quantity count together, and how many of albuminuria at most.
_TOGETHER, _MOST = 90, 3
#: Days that two values must be apart for a disease to be chronic (KDIGO 2024).
CHRONIC_DAYS = 90
#: eGFR below which, and UACR from which, kidneys are diseased if it lasts.
_DISEASED_EGFR, _DISEASED_UACR = 60.0, 30.0
#: By how much a reported eGFR may differ from that of the creatinine, mL/min/1.73m2.
_SAME_EGFR = 5.0


@dataclass(frozen=True)
class LabValue:
    """One measurement.

    Attributes
    ----------
    quantity
        Name of `lab_quantities`.
    value
        In the quantity's own unit.
    written
        As it was written, with its unit.
    date
        None where nobody says.
    origin
        Where it stands: an option, a line, a JSON pointer.
    method
        Such as ``MDRD``; empty where it does not matter.
    """

    quantity: str
    value: float
    written: str
    date: datetime.date | None = None
    origin: str = ""
    method: str = ""


@dataclass(frozen=True)
class UsedLab:
    """The value of a quantity that is used.

    Attributes
    ----------
    value
        In the quantity's own unit.
    count
        How many measurements it is the (geometric) mean of.
    measurement
        The latest of them.
    """

    value: float
    count: int
    measurement: LabValue


@dataclass(frozen=True)
class PersonLabs:
    """What is known of one person.

    Attributes
    ----------
    age, female
        Years; 0 or 1. None where it is not known.
    diabetes
        ``type 1``, ``type 2`` or ``none``; empty where it is not known.
    used
        Quantity -> the value that is used.
    drugs
        What the person takes, as it was written.
    history
        ``cvd``, ``hf``, ``coronary_disease``, ``atrial_fibrillation``, ``smoker``, ``ex_smoker``, ``hypertension`` -> whether; what is not named is
        not known.
    measured
        Every measurement that was read.
    left_out
        What was not used, each with the reason.
    notes, contradictions
        Sentences.
    """

    age: float | None
    female: int | None
    diabetes: str
    used: Mapping[str, UsedLab]
    drugs: tuple[str, ...] = ()
    history: Mapping[str, bool] = field(default_factory=dict)
    measured: tuple[LabValue, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()

    def value(self, quantity: str) -> float:
        """Return the value of a quantity; NaN where it is not known."""
        if quantity == "age":
            return math.nan if self.age is None else self.age
        return self.used[quantity].value if quantity in self.used else math.nan

    @property
    def kdigo_stage(self) -> str:
        """Categories of KDIGO 2024 with the risk, such as ``G3aA3, very high risk``; what is known of them."""
        egfr, uacr = self.value("egfr"), self.value("uacr")
        stage = f"{g_category([egfr])[0] or 'G?'}{a_category([uacr])[0] or 'A?'}"
        danger = risk([egfr], [uacr])[0]
        return f"{stage}, {danger} risk" if danger else stage

    @property
    def chronic(self) -> bool | None:
        """Whether two values more than 90 days apart show kidney disease; None where too few are dated."""
        decided: list[bool] = []
        for quantity in ("egfr", "uacr"):
            dated = [(item.date, item.value) for item in self.measured if item.quantity == quantity and item.date]
            dates = [date for date, _ in dated]
            if dates and (max(dates) - min(dates)).days >= CHRONIC_DAYS:
                ill = [
                    date
                    for date, value in dated
                    if (value < _DISEASED_EGFR if quantity == "egfr" else value >= _DISEASED_UACR)
                ]
                decided.append(bool(ill) and (max(ill) - min(ill)).days >= CHRONIC_DAYS)
        return any(decided) if decided else None


def person_of_labs(
    measured: Sequence[LabValue],
    age: float | None,
    female: int | None,
    diabetes: str = "",
    drugs: Iterable[str] = (),
    history: Mapping[str, bool] | None = None,
    left_out: Sequence[str] = (),
    notes: Sequence[str] = (),
    contradictions: Sequence[str] = (),
) -> PersonLabs:
    """Return a person with the value of each quantity that is used: the latest; of albuminuria the geometric mean of up to three in 90 days.

    eGFR is computed from the creatinine by CKD-EPI 2021 where age and sex are known, and compared with what was reported; BMI from weight and height.

    Raises
    ------
    ConfigError
        Nothing by which people could be chosen.

    Examples
    --------
    >>> from betapod.twins.person_labs import LabValue, person_of_labs
    >>> labs = [LabValue("egfr", 52.0, "52"), LabValue("uacr", 380.0, "380 mg/g")]
    >>> person_of_labs(labs, age=61, female=0).kdigo_stage
    'G3aA3, very high risk'
    """
    measured = list(measured)
    told, contradicting, dropped = list(notes), list(contradictions), list(left_out)
    used: dict[str, UsedLab] = {}
    for name in lab_quantities():
        values = [item for item in measured if item.quantity == name]
        if values:
            used[name] = _used(values, contradicting)
    computed = _from_creatinine(used, measured, age, female)
    if computed:
        measured += computed
        _prefer(used, computed, told, contradicting, dropped)
    elif "egfr" in used and used["egfr"].measurement.method not in ("", "CKD-EPI 2021"):
        told.append(f"eGFR is by {used['egfr'].measurement.method}, taken as it is: no creatinine to compute it from")
    _body_mass(used, contradicting)
    if "fasting_glucose" not in used and "glucose" in used:
        dropped.append("glucose: not said to be fasting, so that people are not chosen by it")
    _say_unusual(used, told)
    if not used and age is None:
        hint = "Give at least eGFR or HbA1c."
        raise ConfigError(Problem("no-labs", "nothing is known of the person", hint=hint))
    return PersonLabs(
        age, female, diabetes, used, tuple(drugs), dict(history or {}), tuple(measured), tuple(dropped), tuple(told), tuple(contradicting)
    )  # fmt: skip


def _used(values: Sequence[LabValue], contradicting: list[str]) -> UsedLab:
    """Return the value of one quantity that is used."""
    first = datetime.date.min
    latest = max(values, key=lambda item: item.date or first)
    if latest.quantity == "uacr" and latest.date is not None:
        near = sorted(
            (item for item in values if item.date and (latest.date - item.date).days <= _TOGETHER),
            key=lambda item: item.date or first,
        )
        near = near[-_MOST:]
        return UsedLab(math.exp(np.mean([math.log(item.value) for item in near])), len(near), latest)
    same_day = [item for item in values if item.date == latest.date]
    spread = max(item.value for item in same_day) / max(min(item.value for item in same_day), 1e-9)
    if len(same_day) > 1 and spread > 1.1 and latest.quantity not in ("sbp", "dbp", "glucose"):
        texts = " and ".join(dict.fromkeys(item.written for item in same_day))
        when = f" on {latest.date}" if latest.date else ""
        contradicting.append(f"{lab_quantities()[latest.quantity].label}{when}: {texts}; their mean is used")
    return UsedLab(float(np.mean([item.value for item in same_day])), len(same_day), latest)


def _from_creatinine(
    used: Mapping[str, UsedLab], measured: Sequence[LabValue], age: float | None, female: int | None
) -> list[LabValue]:
    """Return eGFR by CKD-EPI 2021 of each creatinine, at the age in whole years, as laboratories report it."""
    if age is None or female is None or "creatinine" not in used:
        return []
    today = used["creatinine"].measurement.date
    computed = []
    for item in measured:
        if item.quantity != "creatinine":
            continue
        then = age if today is None or item.date is None else age - (today - item.date).days / DAYS_PER_YEAR
        egfr = float(ckd_epi_2021(np.array(item.value), np.array(math.floor(then)), np.array(float(female))))
        computed.append(LabValue("egfr", egfr, f"creatinine {item.written}", item.date, item.origin, "CKD-EPI 2021"))
    return computed


def _prefer(
    used: dict[str, UsedLab],
    computed: Sequence[LabValue],
    told: list[str],
    contradicting: list[str],
    dropped: list[str],
) -> None:
    """Use the eGFR of the latest creatinine, unless a later one was reported."""
    first = datetime.date.min
    latest = max(computed, key=lambda item: item.date or first)
    reported = used.get("egfr")
    if reported is None:
        told.append(f"eGFR {latest.value:.1f} mL/min/1.73m2 computed from creatinine by CKD-EPI 2021")
    elif (reported.measurement.date or first) > (latest.date or first):
        dropped.append(f"creatinine {latest.written}: older than the eGFR")
        return
    else:
        difference = reported.value - latest.value
        method = f" by {reported.measurement.method}" if reported.measurement.method else ""
        told.append(f"eGFR {latest.value:.1f} from creatinine (CKD-EPI 2021); reported{method} {reported.value:.1f}")
        if abs(difference) > _SAME_EGFR and reported.measurement.method in ("", "CKD-EPI 2021"):
            contradicting.append(
                f"eGFR {reported.value:.1f} and creatinine {latest.written} ({latest.value:.1f}) differ by {abs(difference):.1f}"
            )
    used["egfr"] = UsedLab(latest.value, 1, latest)


def _body_mass(used: dict[str, UsedLab], contradicting: list[str]) -> None:
    if "weight" not in used or "height" not in used:
        return
    bmi = used["weight"].value / (used["height"].value / 100.0) ** 2
    if "bmi" in used and abs(used["bmi"].value / bmi - 1.0) > 0.1:
        contradicting.append(f"BMI {used['bmi'].value:.1f} kg/m2, and {bmi:.1f} by weight and height, which is used")
    used["bmi"] = UsedLab(bmi, 1, used["weight"].measurement)


def _say_unusual(used: Mapping[str, UsedLab], told: list[str]) -> None:
    for name, lab in used.items():
        quantity = lab_quantities()[name]
        if not quantity.usual_low <= lab.value <= quantity.usual_high:
            told.append(f"{quantity.label} {lab.value:.4g} {quantity.unit} is unusual")
